"""How the views of databases stand."""

from .reader import (
    DatabaseStatus,
    State,
    ViewDetail,
    ViewStatus,
    count_states,
    get_detail,
    get_statuses,
    read_tags,
)

__all__ = [
    "DatabaseStatus",
    "State",
    "ViewDetail",
    "ViewStatus",
    "count_states",
    "get_detail",
    "get_statuses",
    "read_tags",
]
