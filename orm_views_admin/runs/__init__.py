"""Runs: staff start them, an executor performs them, and all refreshes and syncs are recorded as runs."""

from .backends import holders
from .cancellation import cancel
from .performer import perform
from .queue import TooManyExportsError, start_export, start_refresh, start_sync
from .reconciliation import reconcile
from .retention import prune

__all__ = [
    "TooManyExportsError",
    "cancel",
    "holders",
    "perform",
    "prune",
    "reconcile",
    "start_export",
    "start_refresh",
    "start_sync",
]
