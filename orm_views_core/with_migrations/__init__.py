"""Migrations and views in one transaction: what a migration would fail on, or drop, is put aside for it."""
