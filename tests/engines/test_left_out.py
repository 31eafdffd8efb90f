"""What an engine does not have, and what a project on it need not have."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import connections, models

from orm_views_core.exceptions import ReadOnlyViewError
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import sync_views
from orm_views_core.views import MaterialisedViewMixin, ReadableViewFromQueryset, ViewFromSQL
from tests.core.conftest import forget_models, plain_settings, registered, unrecorded
from tests.engines.shared.conftest import committing, tables
from tests.engines.shared.databases import Database
from tests.engines.shop.models import Parcel
from tests.environment import clean_environment
from tests.public.facts import ROOT

__all__ = ["committing", "forget_models", "plain_settings", "registered", "tables", "unrecorded"]

on_sqlite = pytest.mark.skipif(settings.ENGINE != "sqlite", reason="of SQLite")
without_postgresql = pytest.mark.skipif(settings.ENGINE == "postgresql", reason="of other engines")

#: Syncs the views of the shop where no driver of PostgreSQL can be imported.
_PROGRAM = """
import json, sys
sys.modules |= {"psycopg2": None, "psycopg": None}
import django
from django.conf import settings
settings.configure(
    DATABASES={"default": json.loads(sys.argv[1])},
    INSTALLED_APPS=["orm_views_core", "tests.engines.shop"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()
from django.core.management import call_command
call_command("sync_views")
call_command("show_views")
"""


@on_sqlite
def test_what_sqlite_does_not_have_is_left_out(committing: None) -> None:
    """The class is the one of PostgreSQL, with all that it says."""

    class Everything(MaterialisedViewMixin, ViewFromSQL):
        """A comment."""

        name = "everything"
        pk_field = "id"
        indexes = (models.Index(fields=["weight"], name="by_weight"),)
        grant_select_to = ("nobody_here",)
        with_data = False
        sql = "SELECT id, weight FROM shop_parcel"

    class Careful(ViewFromSQL):
        name = "careful"
        security_barrier = True
        security_invoker = True
        check_option = "local"
        sql = "SELECT id FROM shop_parcel"

    sync_views()
    (database,) = get_statuses(["default"])
    assert {view.state for view in database.views} == {State.SYNCED}
    for view in (Everything, Careful):
        assert Database().rows(view) == []
    assert not any(result.steps for result in sync_views())


@on_sqlite
def test_a_view_of_sqlite_cannot_be_written_through(committing: None) -> None:
    class Parcels(ReadableViewFromQueryset):
        updatable = True

        class Meta:
            app_label = "shop"

        @classmethod
        def get_queryset(cls) -> Any:
            return Parcel.objects.values("id", "weight", "shelf", "height")

    sync_views()
    for write in (Parcels.objects.create, Parcels.objects.update, Parcels(id=1).save):
        with pytest.raises(ReadOnlyViewError, match="SQLite cannot write rows through a view"):
            write()


@pytest.fixture
def connected(committing: None) -> dict[str, Any]:
    """The settings that lead another process to the test's database."""
    wanted = ("ENGINE", "NAME", "HOST", "PORT", "USER", "PASSWORD", "OPTIONS")
    return {key: connections["default"].settings_dict[key] for key in wanted}


@without_postgresql
def test_no_driver_of_postgresql_is_needed(connected: dict[str, Any]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _PROGRAM, json.dumps(connected)],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("[X] synced") == 7
