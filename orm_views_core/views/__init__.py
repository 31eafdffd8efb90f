"""The classes that people subclass in their ``postgres_views.py``."""

from .base import (
    BasePostgresView,
    HiddenViewMixin,
    ParameterisedSQL,
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
)

__all__ = [
    "BasePostgresView",
    "HiddenViewMixin",
    "ParameterisedSQL",
    "PostgresMaterialisedViewMixin",
    "PostgresViewFromQueryset",
    "PostgresViewFromSQL",
    "ReadableViewFromQueryset",
    "ReadableViewFromSQL",
]
