"""The views that the tests of pages declare."""

from __future__ import annotations

from typing import Any

from orm_views_core.names import ViewName
from orm_views_core.sync import sync_views
from orm_views_core.views import ViewFromSQL

#: The name of the view of most tests.
SHOWN = ViewName("views", "shown")


def declare(sql: str, class_name: str = "Shown", **attributes: Any) -> type:
    """Declare a view; its name is that of its class in small letters."""
    attributes = {"name": class_name.lower(), "sql": sql, "__module__": __name__, **attributes}
    return type(class_name, (ViewFromSQL,), attributes)


def create(sql: str, class_name: str = "Shown", **attributes: Any) -> type:
    """Declare a view, and sync it."""
    view = declare(sql, class_name, **attributes)
    sync_views(databases=[attributes.get("database", "default")])
    return view


#: Numbers from 1 to 1,000 in three columns: nobody waits for all of them.
ENDLESS = (
    "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 1000) "
    "SELECT count(*) AS many FROM r a, r b, r c WHERE (a.n + b.n + c.n) % 7 = 3"
)


def forget_request(request: str) -> None:
    """An executor that does nothing, as one whose worker has died."""
