"""The fields of a view as source text."""

from .inspect import inspect_view

__all__ = ["inspect_view"]
