"""Who may do what with which view. ``orm_views_admin.permissions`` answers for the pages."""
