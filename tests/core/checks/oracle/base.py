"""A database of an engine that views are not for. It cannot be connected to."""

from django.db.backends.dummy import base


class DatabaseWrapper(base.DatabaseWrapper):
    vendor = "oracle"
    display_name = "Oracle"
