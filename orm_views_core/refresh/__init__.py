"""Refreshing materialised views."""

from orm_views_core.database.relations import why_not_concurrently

from .api import plan_refresh, refresh_materialized_view, refresh_views
from .planner import PlannedRefresh
from .results import Outcome, RefreshResult, RefreshStart

__all__ = [
    "Outcome",
    "PlannedRefresh",
    "RefreshResult",
    "RefreshStart",
    "plan_refresh",
    "refresh_materialized_view",
    "refresh_views",
    "why_not_concurrently",
]
