"""A Django app that declares the same views for django-pgviews-redux, whose views are models."""
