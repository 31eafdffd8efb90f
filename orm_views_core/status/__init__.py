"""How the views of databases stand."""

from .reader import (
    DatabaseStatus,
    State,
    ViewDetail,
    ViewStatus,
    count_states,
    get_detail,
    get_statuses,
    read_sync_states,
)

__all__ = [
    "DatabaseStatus",
    "State",
    "ViewDetail",
    "ViewStatus",
    "count_states",
    "get_detail",
    "get_statuses",
    "read_sync_states",
]
