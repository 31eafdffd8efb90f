"""The migrations of known projects, each with a view on every table: with migrate_views, and with migrate."""
