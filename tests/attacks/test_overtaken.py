"""Somebody changes views while they are synced: the sync begins again, and does not fail."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.db.models import Index

from orm_views_core.checks.database import check_views
from orm_views_core.exceptions import UnknownViewError
from orm_views_core.names import ViewName
from orm_views_core.refresh import plan_refresh
from orm_views_core.status import get_detail, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views.registry import Registry
from tests.admin.browse import declare, declare_materialised
from tests.sampling import sample

from .attacker import connect_as, query
from .conftest import WHOLE

pytestmark = pytest.mark.django_db(transaction=True)

#: What somebody does meanwhile.
MEANWHILE = {
    "drops a view that is replaced": "DROP VIEW views.replaced",
    "renames a view that is replaced": "ALTER VIEW views.replaced RENAME TO other",
    "moves a view that is replaced": "ALTER VIEW views.replaced SET SCHEMA public",
    "makes a materialised view of one that is replaced": (
        "DROP VIEW views.replaced; CREATE MATERIALIZED VIEW views.replaced AS SELECT 1 AS id"
    ),
    "makes a table of a view that is replaced, and drops that": (
        "DROP VIEW views.replaced; CREATE TABLE views.replaced (id int); DROP TABLE views.replaced"
    ),
    "drops a view that is rebuilt": "DROP VIEW views.rebuilt CASCADE",
    "drops a materialised view that is rebuilt": "DROP MATERIALIZED VIEW views.stored",
    "renames a materialised view that is rebuilt": (
        "ALTER MATERIALIZED VIEW views.stored RENAME TO other; ALTER INDEX views.stored_id_key RENAME TO k"
    ),
    "makes a view of a materialised one that is rebuilt": (
        "DROP MATERIALIZED VIEW views.stored; CREATE VIEW views.stored AS SELECT 1 AS id"
    ),
    "drops a view that gets a comment": "DROP VIEW views.commented",
    "renames a view that gets a comment": "ALTER VIEW views.commented RENAME TO other",
    "drops a view that gets a grant": "DROP VIEW views.granted",
    "drops a view that is adopted": "DROP VIEW views.adopted",
    "drops a materialised view that gets an index": "DROP MATERIALIZED VIEW views.indexed",
    "drops an index that is replaced": "DROP INDEX views.by_id",
    "renames an index that is replaced": "ALTER INDEX views.by_id RENAME TO other",
    "drops a view that a new one reads": "DROP VIEW views.base CASCADE",
    "creates a view that is created": "CREATE VIEW views.created AS SELECT 1 AS id",
    "creates another view that is created": "CREATE VIEW views.created AS SELECT 'x' AS code",
    "drops an orphan": "DROP VIEW views.orphan",
    "renames an orphan": "ALTER VIEW views.orphan RENAME TO other",
    "drops somebody's view on one that is rebuilt": "DROP VIEW public.theirs",
    "replaces somebody's view on one that is rebuilt": (
        "CREATE OR REPLACE VIEW public.theirs AS SELECT 2 AS id"
    ),
    "makes another view on one that is rebuilt": "CREATE VIEW public.more AS SELECT id FROM views.rebuilt",
    "comments a view that is dropped": "COMMENT ON VIEW views.orphan IS 'no longer ours'",
}


def _before() -> None:
    declare("Base", "SELECT 1 AS id")
    declare("Replaced", "SELECT 1 AS id")
    declare("Rebuilt", "SELECT 1 AS id, 2 AS more")
    declare_materialised("Stored", "SELECT 1 AS id", pk_field="id")
    declare_materialised("Indexed", "SELECT 1 AS id, 2 AS more", indexes=[Index(fields=["id"], name="by_id")])
    declare("Commented", "SELECT 1 AS id")
    declare("Granted", "SELECT 1 AS id")
    declare("Adopted", "SELECT 1 AS id")
    declare("Orphan", "SELECT 1 AS id")


def _after() -> None:
    declare("Base", "SELECT 1 AS id")
    declare("Replaced", "SELECT 1 AS id, 2 AS more")
    declare("Rebuilt", "SELECT 2 AS more, 1 AS id")
    declare_materialised("Stored", "SELECT 2 AS id", pk_field="id")
    declare_materialised(
        "Indexed", "SELECT 1 AS id, 2 AS more", indexes=[Index(fields=["more"], name="by_id")]
    )
    declare("Commented", "SELECT 1 AS id", __doc__="What it is.")
    declare("Granted", "SELECT 1 AS id", grant_select_to=["public"])
    declare("Adopted", "SELECT  1  AS id")
    declare("Created", "SELECT id FROM views.base")


@contextmanager
def before_statement(number: int, work: Callable[[], None]) -> Iterator[list[str]]:
    """Do something before the statement of some number is sent; give the statements that were sent."""
    sent: list[str] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append(sql)
        if len(sent) == number:
            work()
        return execute(sql, params, many, context)

    with connections["default"].execute_wrapper(wrapper):
        yield sent


def clear() -> None:
    query(
        "DROP SCHEMA IF EXISTS views CASCADE; DROP VIEW IF EXISTS public.replaced, public.theirs, public.more"
    )


@pytest.fixture
def other() -> Iterator[Callable[[str], None]]:
    """A function that sends statements in another session. What would wait for a lock is not done."""
    connection = connect_as(query("SELECT current_user")[0][0])
    connection.ensure_connection()

    def run(sql: str) -> None:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '20ms'; {sql}")

    yield run
    connection.close()
    clear()


def sync_while(registered: Registry, number: int, work: Callable[[], None]) -> int:
    """Sync while something is done before a statement; return how many statements were sent."""
    clear()
    with registered.isolated():
        _before()
        sync_views()
        query("CREATE VIEW public.theirs AS SELECT id FROM views.rebuilt")
        query("COMMENT ON VIEW views.adopted IS NULL")
    with registered.isolated(), before_statement(number, work) as sent:
        _after()
        sync_views()
    with registered.isolated():
        _after()
        (plan,) = plan_views()
        assert not plan.steps
        assert not plan.problems
    return len(sent)


@pytest.mark.parametrize("what", sample(MEANWHILE, 9))
def test_a_change_before_any_statement_of_a_sync(
    what: str, other: Callable[[str], None], registered: Registry
) -> None:
    """Somebody drops, renames or retypes something before a statement of a sync, which begins again.

    Before each statement, some of the changes are tried.
    """
    total = sync_while(registered, 0, lambda: None)
    step = 5 if WHOLE else 27
    for number in range(list(MEANWHILE).index(what) % step + 1, total + 1, step):
        try:
            sync_while(registered, number, lambda: other(MEANWHILE[what]))
        except Exception as error:
            error.add_note(f"before statement {number} of {total}")
            raise


READERS: dict[str, Callable[[], Any]] = {
    "a plan": plan_views,
    "the list": get_statuses,
    "the page of a view": lambda: get_detail("default", ViewName("views", "stored")),
    "the plan of a refresh": plan_refresh,
    "the checks": lambda: check_views(None, databases=["default"]),
}


@pytest.mark.parametrize(("what", "reader"), sample(itertools.product(MEANWHILE, READERS), 31))
def test_a_change_before_any_statement_of_a_reader(
    what: str, reader: str, other: Callable[[str], None], registered: Registry
) -> None:
    """The same while a plan is made and while pages and checks read the catalogs: none of them fails."""
    number, total = list(MEANWHILE).index(what) % 3 + 1, 3
    while number <= total:
        clear()
        with registered.isolated():
            _before()
            sync_views()
        query("CREATE VIEW public.theirs AS SELECT id FROM views.rebuilt")
        with registered.isolated():
            _after()
            with (
                before_statement(number, lambda: other(MEANWHILE[what])) as sent,
                suppress(UnknownViewError),
            ):
                READERS[reader]()
        number, total = number + 3, len(sent)
