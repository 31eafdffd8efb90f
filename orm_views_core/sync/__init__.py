"""Makes databases match the registered views."""

from .api import Progress, SyncResult, plan_views, refresh_materialized_view, sync_views

__all__ = ["Progress", "SyncResult", "plan_views", "refresh_materialized_view", "sync_views"]
