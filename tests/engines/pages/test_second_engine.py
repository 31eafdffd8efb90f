"""The pages of a project that has its users in one engine, and some views in a file of SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse

from orm_views_admin.models import Run
from tests.admin.browse import LIST, Browse, hidden_fields, key, run_page, url

from .declared import create, declare

ALIAS = "fresh"
WHERE: dict[str, Any] = {"database": ALIAS}


@pytest.fixture(autouse=True)
def file(committing: None, tmp_path: Path) -> Iterator[None]:
    """A database of the project under an alias of its own: a new file with a table."""
    backend = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "fresh.sqlite3"), "OPTIONS": {}}
    connections.settings[ALIAS] = {**connections.settings["default"], **backend}
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("CREATE TABLE things (id integer, size decimal, raw blob)")
        cursor.execute("INSERT INTO things VALUES (1, 2.5, x'0aff'), (2, 'wide', NULL), (3, 10, '')")
    yield
    connections[ALIAS].close()
    del connections[ALIAS]
    del connections.settings[ALIAS]


def test_both_are_in_the_list_and_synced_by_one_plan(browse: Browse) -> None:
    declare("SELECT id, size, raw FROM things", "Things", **WHERE)
    declare("SELECT 1 AS id", "Other")
    page = browse.read(LIST)
    assert "2 of 2 views need attention" in page
    plan = browse.get(reverse("orm_views_admin:sync"))
    run_page(browse.post(reverse("orm_views_admin:sync"), **hidden_fields(plan), confirm="1"))
    states = dict(Run.objects.values_list("database", "state"))
    assert states == {"default": "succeeded", ALIAS: "succeeded"}
    assert "None of the 2 views needs attention" in browse.read(LIST)


def test_the_pages_of_a_view_in_the_file(browse: Browse) -> None:
    create("SELECT id, size, raw FROM things", "Things", **WHERE)
    assert "The database has what its class says." in browse.read(url("detail", "things", **WHERE))
    preview = url("preview", "things", **WHERE)
    assert "0AFF" in browse.read(preview)
    assert "wide" not in browse.read(preview, **{"column.size.at_least": "3"})
    assert browse.client.get(url("count", "things", **WHERE)).json()["text"] == "3"
    assert url("export", "things", **WHERE) not in browse.get(preview)
    assert "things" in browse.read(reverse("orm_views_admin:graph"), database=ALIAS, tables="on")
    assert "There is nothing to refresh" in browse.read(reverse("orm_views_admin:refresh"))
    compare = browse.read(reverse("orm_views_admin:compare"), view=key("things", **WHERE))
    assert "PostgreSQL" in compare
    assert "1 view hangs on" in browse.read(LIST, q="things")
