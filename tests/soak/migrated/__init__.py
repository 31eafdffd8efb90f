"""Migrations and views in one transaction, while others read and write, and killed at any moment."""
