"""Grants during a sync, by somebody who may grant, against a sync whose role is no superuser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import override_settings

from orm_views_core.engines.postgresql.errors.diagnostics import sqlstate
from orm_views_core.exceptions import LockNotAvailableError
from orm_views_core.sync import executor, sync_views
from orm_views_core.sync.executor import Progress
from tests.core.keeping import declare

from .attacker import Attacker, query

pytestmark = pytest.mark.django_db(transaction=True)

Connect = Callable[[str], AbstractContextManager[None]]

ACL = """
SELECT relacl::text FROM pg_class WHERE oid = 'views.v'::regclass
UNION ALL SELECT attacl::text FROM pg_attribute WHERE attrelid = 'views.v'::regclass AND attnum > 0
ORDER BY 1
"""
GRANTS = [
    "GRANT SELECT ON views.v TO PUBLIC",
    "GRANT SELECT (a) ON views.v TO PUBLIC",
    "GRANT SELECT ON ALL TABLES IN SCHEMA views TO PUBLIC",
]


@pytest.fixture(params=[False, True], ids=["plain", "materialised"])
def view(
    request: Any, attacker: Attacker, make_login: Any, connected_as: Connect
) -> Iterator[Callable[[str], Any]]:
    """A function that gives the view some columns and syncs, as an owner who is no superuser.

    The attacker may grant SELECT on the view.
    """
    owner = make_login("owner")
    query(f"CREATE SCHEMA views AUTHORIZATION {owner}; GRANT USAGE ON SCHEMA views TO PUBLIC")
    query(f"GRANT CREATE ON DATABASE {query('SELECT current_database()')[0][0]} TO {owner}")

    def sync(columns: str, **arguments: Any) -> Any:
        declare("V", f"SELECT {columns}", materialised=request.param)
        with connected_as(owner):
            return sync_views(**arguments)

    sync("1 AS a, 'x' AS b")
    query(f"GRANT SELECT ON views.v TO {attacker.role} WITH GRANT OPTION")
    yield sync
    query("DROP SCHEMA views CASCADE")


@pytest.mark.parametrize("grant", GRANTS, ids=["table", "column", "all tables"])
def test_a_grant_between_the_check_and_the_drop(
    attacker: Attacker, view: Callable[..., Any], monkeypatch: Any, grant: str
) -> None:
    """A grant comes after the last check of a view and before its DROP: it is not lost silently."""
    before, codes = query(ACL), []
    check = executor.check_that_nothing_was_changed

    def check_and_then(*arguments: Any) -> None:
        check(*arguments)
        try:
            attacker.run(f"SET lock_timeout = '200ms'; {grant}")
        except DatabaseError as error:
            codes.append(sqlstate(error))

    monkeypatch.setattr(executor, "check_that_nothing_was_changed", check_and_then)
    view("'x' AS b, 1 AS a")
    assert codes == ["55P03"]
    assert query(ACL) == before


@pytest.mark.parametrize("grant", GRANTS, ids=["table", "column", "all tables"])
def test_a_grant_that_is_never_committed(attacker: Attacker, view: Callable[..., Any], grant: str) -> None:
    """A grant is left uncommitted for ever: the sync gives up after LOCK_WAIT, and readers go on reading."""
    before = query(ACL)

    def begin(_plan: Any) -> None:
        attacker.run(f"BEGIN; {grant}")

    with (
        override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.1, "LOCK_WAIT": 1}),
        pytest.raises(LockNotAvailableError, match=r"holds|granted or revoked"),
    ):
        view("'x' AS b, 1 AS a", progress=Progress(on_swap=begin))
    attacker.run("ROLLBACK")
    assert query("SELECT a FROM views.v") == [(1,)]
    assert query(ACL) == before
