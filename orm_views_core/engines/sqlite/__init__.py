"""Views of SQLite. A view is a text there, and its sync state a comment at the end of it."""
