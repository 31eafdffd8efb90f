"""Refreshing materialised views."""

from orm_views_core.database.relations import why_not_concurrently as why_not_concurrently

from .api import plan_refresh as plan_refresh
from .api import refresh_materialized_view as refresh_materialized_view
from .api import refresh_views as refresh_views
from .planner import PlannedRefresh as PlannedRefresh
from .planner import can_be_refreshed as can_be_refreshed
from .planner import refresh_order as refresh_order
from .results import Outcome as Outcome
from .results import RefreshResult as RefreshResult
from .results import RefreshStart as RefreshStart
