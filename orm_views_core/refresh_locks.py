"""Which sessions refresh or sync right now, and how to cancel one."""

from orm_views_core.engines.postgresql.sessions import Running, cancel, find_running

__all__ = ["Running", "cancel", "find_running"]
