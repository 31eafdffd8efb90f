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

# Names that name no engine, for the same classes.
BaseView = BasePostgresView
MaterialisedViewMixin = PostgresMaterialisedViewMixin
ViewFromQueryset = PostgresViewFromQueryset
ViewFromSQL = PostgresViewFromSQL

__all__ = [
    "BasePostgresView",
    "BaseView",
    "HiddenViewMixin",
    "MaterialisedViewMixin",
    "ParameterisedSQL",
    "PostgresMaterialisedViewMixin",
    "PostgresViewFromQueryset",
    "PostgresViewFromSQL",
    "ReadableViewFromQueryset",
    "ReadableViewFromSQL",
    "ViewFromQueryset",
    "ViewFromSQL",
]
