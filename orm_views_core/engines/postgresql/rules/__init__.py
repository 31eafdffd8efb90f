"""Reads the rules of views: the SELECT of a view as PostgreSQL stores it, with every name resolved."""
