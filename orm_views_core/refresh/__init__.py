"""Refreshing materialised views."""

from .api import (
    Outcome,
    PlannedRefresh,
    RefreshResult,
    RefreshStart,
    plan_refresh,
    refresh_materialized_view,
    refresh_views,
    why_not_concurrently,
)

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
