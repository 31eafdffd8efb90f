"""For the tests of comparisons: a view whose class changes, and what comparing its rows finds."""

from __future__ import annotations

from typing import Any

from orm_views_core.comparison import ComparedView, compare_views
from orm_views_core.names import ViewName
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.translations.spoken import untranslated


def declare(name: str, sql: str, *, stored: bool = False, **attributes: Any) -> type:
    bases = (PostgresMaterialisedViewMixin,) if stored else ()
    return type(name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def compare(*names: str, **options: Any) -> dict[str, ComparedView]:
    """What the present classes do to the rows of their views, by the name of the view."""
    (plan,) = plan_views(["default"])
    views = [ViewName("views", name) for name in names] or None
    found = compare_views(plan, views, **options)
    assert not (english := untranslated(found)), english
    return {each.name.name: each for each in found.views}


def change(before: str, after: str, *, stored: bool = False, **options: Any) -> ComparedView:
    """What a change of the SQL of one view does to its rows."""
    attributes = options.pop("attributes", {})
    declare("Shown", before, stored=stored, **attributes)
    sync_views()
    declare("Shown", after, stored=stored, **attributes)
    return compare(**options)["shown"]


def texts(cells: Any) -> list[str | None]:
    """The texts of cells; None for NULL and for what was not read."""
    return [cell and cell.text for cell in cells]
