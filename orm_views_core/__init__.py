"""PostgreSQL views written in Python beside Django models, and synced without migrations.

PYTEST_DONT_REWRITE: pytest rewrites the packages of its plugins, and warns where one is imported already.
"""

__version__ = "1.0.0rc1"
