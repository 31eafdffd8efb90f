"""Whom we trust: who can become us, the owner of the database, and whom the settings name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import connections

from orm_views_core.engines.postgresql.catalog.trust import read_trusted_roles

from .attacker import LAIR, Attacker, query

pytestmark = pytest.mark.django_db(transaction=True)

Connect = Callable[[str], AbstractContextManager[None]]


def _trusts(role: str, **arguments: Any) -> bool:
    with connections["default"].cursor() as cursor:
        trusted = read_trusted_roles(cursor, **arguments)
    return query("SELECT oid FROM pg_roles WHERE rolname = %s", [role])[0][0] in trusted


def test_a_role_that_we_are_a_member_of(attacker: Attacker, make_login: Any, connected_as: Connect) -> None:
    """A role is not trusted because we are a member of it."""
    owner = make_login("owner")
    query(f"GRANT {attacker.role} TO {owner}")
    with connected_as(owner):
        assert not _trusts(attacker.role)
        assert _trusts(owner)
    assert not _trusts(attacker.role), "a superuser is a member of every role"


def test_a_role_that_can_become_us_by_half(
    attacker: Attacker, make_login: Any, connected_as: Connect
) -> None:
    """A member of the role that we have set, but not of the one that we logged in as, is not trusted."""
    owner = make_login("owner")
    query(f"GRANT {owner} TO {attacker.role}")
    with connected_as(owner):
        assert _trusts(attacker.role)
    query(f"SET ROLE {owner}")
    try:
        assert not _trusts(attacker.role)
        assert not _trusts(owner), "it could set the role back"
    finally:
        query("RESET ROLE")


def test_the_owner_of_a_schema_in_which_no_view_is(attacker: Attacker) -> None:
    """The owner of a schema is trusted only by pages, and only where registered views are."""
    assert not _trusts(attacker.role)
    assert not _trusts(attacker.role, owners_of=["views"])
    assert _trusts(attacker.role, owners_of=[LAIR])


def test_trusted_owners(attacker: Attacker, settings: Any) -> None:
    """The settings name further roles."""
    settings.ORM_VIEWS = {"TRUSTED_OWNERS": [attacker.role]}
    assert _trusts(attacker.role)


def test_the_witness(attacker: Attacker) -> None:
    """The functions of the attacker notice it when a superuser runs them, even if it only reads."""
    assert attacker.run(f"SELECT {LAIR}.strike()") == [(True,)]
    assert attacker.struck() == set()
    query(f"BEGIN READ ONLY; SELECT {LAIR}.strike(); ROLLBACK")
    assert attacker.struck() == {query("SELECT current_user")[0][0]}
    query("SELECT pg_advisory_unlock_all()")
