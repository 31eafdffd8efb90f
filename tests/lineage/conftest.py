"""How much is tried, and the database that it is tried on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction

from .corpus import Subject, create, subjects

#: `nox --session lineage` compares every view and tries 2,000 generated ones; the suite takes samples.
WHOLE = bool(os.environ.get("LINEAGE"))


@pytest.fixture(scope="module")
def opened(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """A transaction that is taken back after the tests of a module."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def corpus(opened: None) -> list[Subject]:
    """The files of `truth/`, created."""
    found = subjects(connection.pg_version // 10_000, libxml=_has_libxml())
    create(connection, found)
    return found


def _has_libxml() -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT xmlelement(name a)")
    except DatabaseError:
        return False
    return True
