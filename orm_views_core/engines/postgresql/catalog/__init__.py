"""Reading what a PostgreSQL database has: every query of the catalogs."""
