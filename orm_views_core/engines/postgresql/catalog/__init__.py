"""Queries of PostgreSQL's catalogs."""
