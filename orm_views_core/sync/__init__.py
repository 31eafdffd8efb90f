"""Makes databases match the registered views."""

from orm_views_core.plan.steps import Action, Plan, Step

from .api import Progress, SyncResult, plan_views, refresh_materialized_view, sync_views
from .executor import StepResult

__all__ = [
    "Action",
    "Plan",
    "Progress",
    "Step",
    "StepResult",
    "SyncResult",
    "plan_views",
    "refresh_materialized_view",
    "sync_views",
]
