"""The pages of the views in Django's admin.

They call orm_views_core's public functions; no SQL is written here.
"""
