"""The fields of a view as source text."""

from .inspect import inspect_view as inspect_view
