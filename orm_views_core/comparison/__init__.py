"""Compares the rows of views as they are with those that a plan would give them."""

from .api import compare_views
from .values import Action, Change, ComparedColumn, ComparedView, Comparison, Counts, Sample
from .worlds import find_targets as find_targets

__all__ = [
    "Action",
    "Change",
    "ComparedColumn",
    "ComparedView",
    "Comparison",
    "Counts",
    "Sample",
    "compare_views",
]
