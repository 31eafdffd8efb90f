"""Changes to a view that must cost nothing: what was added to it by hand is there afterwards as before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.db import connections

from orm_views_core.plan.steps import Step
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

Rows = list[tuple[Any, ...]]

#: The column ``other`` goes where a view is rebuilt, so that those behind it change their numbers.
COLUMNS = "id AS other, id, city, amount"
FEWER_COLUMNS = "id, city, amount"
MORE_COLUMNS = f"{COLUMNS}, 1 AS further"


def declare(name: str, sql: str, *, materialised: bool = False, **attributes: Any) -> type:
    """Declare a view as a class statement in a postgres_views.py would."""
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def run(sql: str, alias: str = "default") -> Rows:
    """Run SQL as somebody at a psql prompt would."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


_FUNCTION = """
CREATE FUNCTION public.read_below() RETURNS TABLE (id int, city text, amount numeric) LANGUAGE plpgsql AS
$$BEGIN RETURN QUERY SELECT b.id, b.city, b.amount FROM views.below b; END$$
"""


@dataclass(frozen=True)
class Change:
    """A view ``views.v`` before and after a change.

    Attributes:
        does: what the sync says that it does to it.
        before: the columns of ``views.v``, or of ``views.below`` where there is one.
        was_materialised: what it is at first.
        is_materialised: what it is afterwards.
        below: whether it reads ``views.below``, which changes instead.
        above: whether a materialised view reads it, so that it cannot be replaced where it stands.
        by_function: whether it reads the other one without naming it, so that it is built in the swap.
    """

    name: str
    does: str
    before: str = COLUMNS
    after: str = FEWER_COLUMNS
    was_materialised: bool = False
    is_materialised: bool = False
    below: bool = False
    above: bool = False
    by_function: bool = False

    def __str__(self) -> str:
        return self.name

    def begin(self, **attributes: Any) -> None:
        """Make the view, and the table that it reads; what it reads may be read by everybody."""
        run("CREATE TABLE public.things (id int, city text, amount numeric)")
        run("INSERT INTO public.things SELECT i, 'city ' || i, i / 2.0 FROM generate_series(1, 50) i")
        if self.by_function:
            run(_FUNCTION)
        self._declare(self.before, self.was_materialised, attributes)
        sync_views()
        run("GRANT USAGE ON SCHEMA views TO PUBLIC; GRANT SELECT ON public.things TO PUBLIC")
        if self.below:
            run("GRANT SELECT ON views.below TO PUBLIC")

    def change(self, **attributes: Any) -> None:
        """Declare the view as it is to be."""
        self._declare(self.after, self.is_materialised, attributes)

    def _declare(self, columns: str, materialised: bool, attributes: dict[str, Any]) -> None:
        sql = f"SELECT {columns} FROM public.things"
        if self.below:
            below = declare("Below", sql)
            source = "public.read_below()" if self.by_function else "views.below"
            sql = f"SELECT id AS other, id, city, amount FROM {source}"
            attributes = {"view_dependencies": [below], **attributes}
        declare("V", sql, materialised=materialised, **attributes)
        if self.above:
            declare("Above", "SELECT city FROM views.v", materialised=True)

    def plan(self) -> Step:
        """Return what a sync would do to the view."""
        (plan,) = plan_views()
        assert plan.problems == ()
        (step,) = [step for step in plan.steps if step.target == "views.v"]
        return step

    def finish(self, **attributes: Any) -> Step:
        """Change the view; return what was done to it.

        Nothing must be left to do, and nothing of the way there must be seen.
        """
        self.change(**attributes)
        (result,) = sync_views()
        (step,) = [done.step for done in result.steps if done.step.target == "views.v"]
        assert step.action.verb == self.does
        assert [done.step.sql for done in sync_views()[0].steps] == [], "a second sync has nothing to do"
        assert run("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'orm_views_staging%'") == []
        assert run("SELECT relkind = 'm' FROM pg_class WHERE oid = 'views.v'::regclass") == [
            (self.is_materialised,)
        ]
        assert run("SELECT count(*) FROM views.v") == [(50,)]
        return step


REPLACE = Change("replace", "replace", after=MORE_COLUMNS)
REBUILD_PLAIN = Change("rebuild plain", "rebuild")
REBUILD_MATERIALISED = Change("rebuild materialised", "rebuild", was_materialised=True, is_materialised=True)
REORDERED = "city, amount, id"
BELOW_PLAIN = Change("below plain", "rebuild", FEWER_COLUMNS, REORDERED, below=True, above=True)
BELOW_MATERIALISED = Change(
    "below materialised",
    "rebuild",
    FEWER_COLUMNS,
    REORDERED,
    was_materialised=True,
    is_materialised=True,
    below=True,
)
LATE = replace(BELOW_MATERIALISED, name="built in the swap", by_function=True)
TO_MATERIALISED = Change("plain to materialised", "rebuild", is_materialised=True)
TO_PLAIN = Change("materialised to plain", "rebuild", was_materialised=True)

PLAIN = [REPLACE, REBUILD_PLAIN, BELOW_PLAIN]
MATERIALISED = [REBUILD_MATERIALISED, BELOW_MATERIALISED, LATE]
KINDS = [TO_MATERIALISED, TO_PLAIN]


def each(changes: Iterable[Change]) -> pytest.MarkDecorator:
    """Run a test for each of some changes."""
    return pytest.mark.parametrize("change", list(changes), ids=str)


def survives(change: Change, add: str | Sequence[str], query: str, **attributes: Any) -> Step:
    """Add something to the view by hand, change the view, and see that it is still there.

    Args:
        add: the SQL that adds it.
        query: what shows it; it must show something else before.
        attributes: further ones of the view's class.
    """
    change.begin(**attributes)
    bare = run(query)
    for sql in [add] if isinstance(add, str) else add:
        run(sql)
    added = run(query)
    assert added != bare, "the query does not show what it is about"
    step = change.finish(**attributes)
    after = run(query)
    assert after == added, f"{after} was {added} before; lost: {step.lost}"
    assert step.lost == ()
    return step


def oid(name: str) -> int:
    """Return the oid of a relation."""
    return int(run(f"SELECT '{name}'::regclass::oid")[0][0])


#: Every privilege on the view, with its grantor; "-" is everybody.
ACL = """
SELECT a.grantor::regrole::text, a.grantee::regrole::text, a.privilege_type, a.is_grantable
FROM pg_class c, aclexplode(COALESCE(c.relacl, acldefault('r', c.relowner))) a
WHERE c.oid = 'views.v'::regclass ORDER BY 1, 2, 3, 4
"""

#: Every privilege on one of its columns, with its grantor.
COLUMN_ACL = """
SELECT c.attname, a.grantor::regrole::text, a.grantee::regrole::text, a.privilege_type, a.is_grantable
FROM pg_attribute c, aclexplode(c.attacl) a
WHERE c.attrelid = 'views.v'::regclass ORDER BY 1, 2, 3, 4, 5
"""
