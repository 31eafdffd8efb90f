"""Which sessions refresh or sync right now, and how to cancel one."""

from .engines.postgresql.advisory_locks import Running, cancel, find_running

__all__ = ["Running", "cancel", "find_running"]
