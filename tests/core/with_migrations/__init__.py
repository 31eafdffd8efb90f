"""Migrations and views in one transaction."""
