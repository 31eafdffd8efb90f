"""The status of the views of databases."""

from .reader import get_detail, get_status, get_statuses
from .reader import read_sync_states as read_sync_states
from .reader import unanswered as unanswered
from .states import Condition, DatabaseStatus, State, ViewDetail, ViewStatus
from .states import count_states as count_states

__all__ = [
    "Condition",
    "DatabaseStatus",
    "State",
    "ViewDetail",
    "ViewStatus",
    "get_detail",
    "get_status",
    "get_statuses",
]
