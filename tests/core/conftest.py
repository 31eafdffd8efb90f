"""What the tests of core share: an empty registry, and a picture of the whole database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.dispatch import Signal
from django.test.utils import isolate_apps

from orm_views_core import signals
from orm_views_core.privacy import marks
from orm_views_core.views.registry import Registry, registry
from tests.demo.lending.models import Customer

from .gates import DROP_GATE, MAKE_GATE, query

Snapshot = dict[str, Any]

_PICTURE = """
SELECT n.nspname || '.' || c.relname,
       c.oid, c.relkind, pg_get_userbyid(c.relowner), c.relacl::text, c.reloptions::text, c.relispopulated,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
       obj_description(c.oid, 'pg_class'),
       ARRAY(SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = c.oid ORDER BY 1),
       ARRAY(SELECT attname || ' ' || format_type(atttypid, atttypmod) || ' '
                    || COALESCE(col_description(attrelid, attnum), '')
             FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""


@pytest.fixture(autouse=True)
def plain_settings(settings: Any) -> None:
    """The defaults: what the demonstration grants is no business of these tests."""
    settings.ORM_VIEWS = {}


@pytest.fixture(autouse=True)
def nothing_personal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor are the fields that it marks as personal."""
    for field in Customer._meta.local_fields:
        monkeypatch.delattr(field, marks.ATTRIBUTE, raising=False)
    monkeypatch.setattr(marks, "_used", False)


@pytest.fixture(autouse=True)
def unrecorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Core works without the admin: nobody listens but whoever a test lets listen."""
    for signal in vars(signals).values():
        if isinstance(signal, Signal):
            monkeypatch.setattr(signal, "receivers", [])


@pytest.fixture(autouse=True)
def registered() -> Iterator[Registry]:
    """The registry, empty but for what a test declares: the demonstration's views stay out of it."""
    with registry.isolated() as empty:
        yield empty


@pytest.fixture(autouse=True)
def forget_models() -> Iterator[None]:
    """Take the readable views that a test declares out of Django's app registry again."""
    before = {label: dict(found) for label, found in apps.all_models.items()}
    awaited = set(apps._pending_operations)
    yield
    for model in set(apps._pending_operations) - awaited:
        del apps._pending_operations[model]
    for label, found in apps.all_models.items():
        for name in set(found) - set(before.get(label, ())):
            del found[name]
    apps.clear_cache()


@pytest.fixture
def isolated_models() -> Iterator[None]:
    """The models of a test are registered for this test only."""
    with isolate_apps("tests.demo.lending"):
        yield


@pytest.fixture
def take_picture(db: None) -> Callable[..., Snapshot]:
    """A function that says all that the catalogs have, to be compared before and after."""

    def take(alias: str = "default") -> Snapshot:
        with connections[alias].cursor() as cursor:
            cursor.execute(_PICTURE)
            picture: Snapshot = {row[0]: row[1:] for row in cursor.fetchall()}
            cursor.execute("SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'")
            return picture | {f"schema {name}": acl for name, acl in cursor.fetchall()}

    return take


@pytest.fixture
def add_database() -> Iterator[Callable[[str, dict[str, Any]], BaseDatabaseWrapper]]:
    """A function that adds an alias to DATABASES for the length of a test."""
    added = []

    def add(alias: str, settings: dict[str, Any]) -> BaseDatabaseWrapper:
        connections.settings[alias] = {**connections.settings["default"], **settings}
        added.append(alias)
        return connections[alias]

    yield add
    for alias in added:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]


@pytest.fixture
def gate(transactional_db: None) -> Iterator[None]:
    """What views pass that stop in the middle of a refresh: see `gates.py`."""
    query(MAKE_GATE)
    yield
    query(DROP_GATE)


@pytest.fixture
def other(db: None) -> Iterator[CursorWrapper]:
    """Another session of the same database: a cursor, and its transaction is rolled back at the end."""
    connection = connections.create_connection("default")
    connection.inc_thread_sharing()
    connection.connect()
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        yield cursor
    connection.rollback()
    connection.close()


@pytest.fixture(scope="module")
def tablespace(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A tablespace inside the server's own directory, which needs no other that the server may write."""
    with django_db_blocker.unblock():
        session = connections.create_connection("default")
        with session.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_settings WHERE name = 'allow_in_place_tablespaces'")
            if not cursor.fetchone()[0]:
                pytest.skip("this PostgreSQL has no allow_in_place_tablespaces")
            cursor.execute("SET allow_in_place_tablespaces = on")
            cursor.execute('DROP TABLESPACE IF EXISTS "the fast one"')
            cursor.execute("CREATE TABLESPACE \"the fast one\" LOCATION ''")
        session.close()
    yield '"the fast one"'
    with django_db_blocker.unblock():
        with session.cursor() as cursor:
            cursor.execute('DROP TABLESPACE "the fast one"')
        session.close()
