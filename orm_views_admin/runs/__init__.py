"""Runs: staff start them, an executor performs them, and all refreshes and syncs are recorded as runs."""

from .backends import holders as holders
from .cancellation import cancel as cancel
from .performer import perform
from .queue import TooManyExportsError as TooManyExportsError
from .queue import start_export as start_export
from .queue import start_refresh as start_refresh
from .queue import start_sync as start_sync
from .reconciliation import reconcile as reconcile
from .retention import prune as prune

__all__ = ["perform"]
