"""The base classes for the view classes of a project."""

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
