"""The status of the views of databases."""

from .reader import get_detail, get_status, get_statuses, read_sync_states, unanswered
from .states import Condition, DatabaseStatus, State, ViewDetail, ViewStatus, count_states

__all__ = [
    "Condition",
    "DatabaseStatus",
    "State",
    "ViewDetail",
    "ViewStatus",
    "count_states",
    "get_detail",
    "get_status",
    "get_statuses",
    "read_sync_states",
    "unanswered",
]
