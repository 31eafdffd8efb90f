"""PostgreSQL views written in Python beside Django's models, and kept in step without migrations."""

__version__ = "1.0.0.dev0"
