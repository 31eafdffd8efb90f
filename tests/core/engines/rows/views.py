"""Views whose rows are read, and their texts."""

from __future__ import annotations

from orm_views_core.engines.postgresql.rows import read_rows
from orm_views_core.names import ViewName
from orm_views_core.views import PostgresViewFromSQL

V = ViewName("views", "v")
NOWHERE = ViewName("views", "nowhere")
SLOW = "SELECT pg_sleep(30) IS NULL AS slow"


def declare(name):
    """Only the rows of views that a class declares are read; what its SQL is does not matter."""
    attributes = {"name": name.name, "sql": "SELECT", "__module__": __name__}
    type(f"View {name}", (PostgresViewFromSQL,), attributes)


def texts(name=V, **asked):
    """The texts of the rows; None for NULL, and an ellipsis for what is masked."""
    page = read_rows("default", name, **{"limit": 100, **asked})
    return [[... if cell is None else cell.text for cell in row] for row in page.rows]
