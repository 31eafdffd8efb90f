"""Fixtures of the shared tests. Every test commits: a sync is not all or nothing on every engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from orm_views_core.views.registry import Registry
from tests.core.conftest import forget_models, nothing_personal, plain_settings, registered, unrecorded
from tests.engines.shop.models import Parcel

from .databases import Database
from .kinds import KINDS, Kind

__all__ = ["forget_models", "nothing_personal", "plain_settings", "registered", "unrecorded"]

PARCELS = [(1, 5, "north"), (2, 7, "south"), (3, 9, "o'neil 100%")]


@pytest.fixture(scope="session")
def tables(django_db_setup: None, django_db_blocker: Any) -> dict[str, set[str]]:
    """The tables of each database before the first test."""
    with django_db_blocker.unblock():
        return {alias: Database(alias).tables() for alias in connections}


@pytest.fixture(autouse=True)
def committing(tables: dict[str, set[str]], django_db_blocker: Any) -> Iterator[None]:
    """Access to the databases. Their views, and tables of the test, are gone after it."""
    with django_db_blocker.unblock():
        yield
        for alias, before in tables.items():
            Database(alias).clear(before)


@pytest.fixture
def database(committing: None) -> Database:
    """The default database."""
    return Database()


@pytest.fixture
def parcels(committing: None) -> Iterator[None]:
    """Three parcels in each database."""
    for alias in connections:
        Parcel.objects.using(alias).all().delete()
        Parcel.objects.using(alias).bulk_create(Parcel(id=i, weight=w, shelf=s) for i, w, s in PARCELS)
    yield
    for alias in connections:
        Parcel.objects.using(alias).all().delete()


@pytest.fixture(params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest, parcels: None) -> Kind:
    """Each kind of view class in turn."""
    return request.param


@pytest.fixture
def there(kind: Kind) -> Database:
    """The database of the kind."""
    return Database(kind.alias)


@pytest.fixture
def undeclare(registered: Registry) -> Callable[[type], None]:
    """A function that takes a class away, as somebody does who deletes it."""
    return registered.unregister


@pytest.fixture
def whole_parcels(parcels: None) -> Iterator[None]:
    """The table of the parcels is whole again after the test."""
    yield
    for alias in connections:
        Database(alias).make_whole(Parcel)
