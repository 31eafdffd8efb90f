"""Refreshes materialised views, each after those that it reads."""

from orm_views_core.database.relations import why_not_concurrently as why_not_concurrently

from .api import plan_refresh, refresh_materialized_view, refresh_views
from .freshness import Freshness
from .planner import PlannedRefresh
from .planner import can_be_refreshed as can_be_refreshed
from .planner import refresh_order as refresh_order
from .results import Outcome, RefreshResult, RefreshStart

__all__ = [
    "Freshness",
    "Outcome",
    "PlannedRefresh",
    "RefreshResult",
    "RefreshStart",
    "plan_refresh",
    "refresh_materialized_view",
    "refresh_views",
]
