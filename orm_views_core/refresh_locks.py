"""Which sessions refresh or sync right now, and how to cancel one."""

from orm_views_core.engines.postgresql.cancellation import cancel
from orm_views_core.engines.postgresql.locking.sessions import Running, find_running

__all__ = ["Running", "cancel", "find_running"]
