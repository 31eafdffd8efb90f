"""Runs: what is started in the admin, carried out by an executor, and recorded wherever it was started."""

from .performer import cancel, holders, perform, prune, reconcile, start_refresh, start_sync

__all__ = ["cancel", "holders", "perform", "prune", "reconcile", "start_refresh", "start_sync"]
