"""The corpus in a database of its own, made by a sync."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.dispatch import Signal
from django.test import override_settings

from orm_views_core import signals
from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry

from .corpus import TABLES, Sample, corpus
from .servers import connected_to, create_database, execute

#: `nox --session corpora` takes all views, and other servers.
WHOLE = bool(os.environ.get("CORPORA"))
SOURCE = "corpora_source"


@pytest.fixture(scope="module", autouse=True)
def alone(django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Only what a test declares is registered; nobody records what is synced; every database may be used."""
    with pytest.MonkeyPatch.context() as patch, registry.isolated(), override_settings(ORM_VIEWS={}):
        for signal in vars(signals).values():
            if isinstance(signal, Signal):
                patch.setattr(signal, "receivers", [])
        with django_db_blocker.unblock():
            yield


@pytest.fixture(scope="module")
def samples(alone: None) -> list[Sample]:
    """The views that this server accepts, registered."""
    with connected_to("postgres"):
        version = int(execute("SHOW server_version_num")[0][0]) // 10_000
    found = corpus(version, whole=WHOLE)
    for sample in found:
        sample.declare()
    return found


@pytest.fixture(scope="module")
def source(samples: list[Sample]) -> str:
    """The name of a database with all views, and with what psql makes of them in the schema `plain`."""
    create_database(SOURCE)
    with connected_to(SOURCE):
        execute(TABLES)
        sync_views()
    return SOURCE
