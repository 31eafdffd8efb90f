"""What commands do on an engine that does not have all of PostgreSQL: they work, or refuse in a sentence."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError
from django.db import models
from django.utils.functional import classproperty

from orm_views_core.catalogue import read_catalogue
from orm_views_core.comparison import compare_views
from orm_views_core.exceptions import UnknownViewError, UnsupportedDatabaseError
from orm_views_core.inspection.undeclared import draft_view
from orm_views_core.lineage import ask
from orm_views_core.refresh import plan_refresh, refresh_materialized_view, refresh_views
from orm_views_core.refresh.planner import can_be_refreshed
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import ViewFromQueryset, ViewFromSQL
from orm_views_core.views.identity import name_of
from tests.engines.shop.models import Order

from .views import declare, readable

pytestmark = pytest.mark.usefixtures("parcels", "plain")


@pytest.fixture
def nothing(plain):
    """What is said where nothing is ever refreshed."""
    return f"There is nothing to refresh: the views of database 'default' ({plain.title}) are plain ones."


@pytest.mark.parametrize(
    "options", [(), ("totals",), ("tests.Totals", "--downstream"), ("--due",), ("--plan",), ("--jobs", "2")]
)
def test_refresh_views_has_nothing_to_do(run, nothing, options):
    declare("Totals", stored=True)
    sync_views()
    assert nothing in run("refresh_views", *options)


def test_the_json_of_a_refresh_is_empty(run):
    declare("Totals", stored=True)
    assert json.loads(run("refresh_views", "--json")) == []
    assert json.loads(run("refresh_views", "totals", "--plan", "--json")) == []


def test_a_refresh_of_a_skipped_view_has_nothing_to_do_either(run, nothing, plain):
    declare("Totals", stored=True, engines=["postgresql"])
    declare("Beside")
    assert nothing in run("refresh_views", "totals")


def test_a_refresh_of_what_is_not_materialised_is_an_error_as_ever(run):
    declare("Plain")
    with pytest.raises(CommandError, match=r"tests.Plain .*: views.plain is not a materialised view"):
        run("refresh_views", "plain")
    with pytest.raises(CommandError, match=r"No registered view is called 'plan'\. Did you mean"):
        run("refresh_views", "plan")


def test_functions_that_refresh_do_nothing():
    view = declare("Totals", stored=True, pk_field="id")
    sync_views()
    assert refresh_views() == refresh_views(["totals"], upstream=True) == plan_refresh() == []
    refresh_materialized_view(view, concurrently=True)
    assert view.get_refresh_sql().startswith("REFRESH MATERIALIZED VIEW ")
    assert can_be_refreshed("default", [name_of(view)]) == set()
    with pytest.raises(UnknownViewError):
        refresh_views(["nothing"])


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("view_lineage",), "The lineage of views"),
        (("view_lineage", "shop.Parcel"), "The lineage of views"),
        (("view_catalogue", "--output", "nowhere"), "A catalogue of views"),
        (("sync_views", "--plan", "--compare"), "A comparison of rows"),
        (("sync_views", "--plan", "--compare", "some"), "A comparison of rows"),
        (("inspect_view", "nothing"), "A draft of classes for views that no class declares"),
        (("inspect_view", "--all"), "A draft of classes for views that no class declares"),
    ],
    ids=str,
)
def test_what_needs_postgresql_says_so(run, plain, arguments, what):
    declare("Some")
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert str(refused.value) == f"{what} needs PostgreSQL, and database 'default' is {plain.title}."


def test_the_search_for_personal_columns_needs_postgresql_too(run, settings):
    settings.ORM_VIEWS = {"PERSONAL": ["shop.Customer.email"]}
    with pytest.raises(CommandError, match=r"^The search for personal columns needs PostgreSQL"):
        run("view_lineage", "--personal")


@pytest.mark.parametrize(
    "ask",
    [
        ask,
        read_catalogue,
        lambda: draft_view("nothing"),
        lambda: compare_views(plan_views(["default"])[0]),
    ],
    ids=["ask", "read_catalogue", "draft_view", "compare_views"],
)
def test_functions_refuse_alike(ask):
    declare("Some")
    with pytest.raises(UnsupportedDatabaseError, match="needs PostgreSQL, and database 'default' is"):
        ask()


def test_inspect_view_gives_fields_for_what_the_engine_tells_of_types(run):
    declare("Some", "SELECT id, weight, shelf FROM shop_parcel", pk_field="id")
    printed = run("inspect_view", "some")
    assert re.search(r"^    id = models\.(Big)?IntegerField\(primary_key=True\)$", printed, re.MULTILINE)
    assert "    shelf = models.CharField(max_length=" in printed


def test_roles_are_granted_where_there_are_roles(run, plain):
    declare("Some")
    if plain.abilities.grants:
        pytest.skip("it has roles")
    options = ("--grant-select-permissions-to-user", "joe", "--grant-select-permissions-to-user", "ann")
    for mode in ((), ("--plan",), ("--check",)):
        printed = run("sync_views", *options, *mode)
        assert f"Warning: {plain.title} has no roles. Nothing is granted to joe, ann." in printed
    (planned, *_) = json.loads(run("sync_views", *options, "--plan", "--json"))
    assert len(planned["warnings"]) == 1


def test_what_is_personal_is_warned_of_where_somebody_else_may_read(run, plain, settings):
    settings.ORM_VIEWS = {"PERSONAL": ["shop.Customer.email"]}
    declare("Some")
    (planned, *_) = json.loads(run("sync_views", "--plan", "--json"))
    said = f"On {plain.title} nothing looks for personal columns in views."
    assert (said in planned["warnings"]) is plain.abilities.grants
    found = [m.id for m in run_checks(tags=["orm_views"], databases=["default"]) if "orm_views_core" in m.id]
    assert found == ["orm_views_core.W023"]


@pytest.mark.parametrize(
    "options", [("--force",), ("--drop-dependents",), ("--allow-drop-all",), ("--json",)]
)
def test_sync_views_takes_every_option(run, database, options):
    view = declare("Some")
    run("sync_views", *options)
    assert database.has(view)
    run("sync_views", "--check")


def test_a_sync_that_fails_says_what_became_of_what_it_did(run, plain, capsys):
    declare("Good")
    declare("Bad", "SELECT nothing FROM shop_parcel")
    with pytest.raises(CommandError, match=r"tests\.Bad"):
        run("sync_views")
    assert "rolled back" not in capsys.readouterr().out  # nothing was begun


def test_show_views_speaks_to_prometheus(run):
    declare("Some")
    sync_views()
    printed = run("show_views", "--openmetrics")
    assert 'orm_views_state{database="default",view="views.some",state="synced"} 1' in printed
    assert "some" in run("show_views", "--check-freshness")


def test_fields_without_columns_and_columns_without_fields_are_found(plain):
    readable("Some", "SELECT id, shelf FROM shop_parcel", town=models.TextField())
    readable("Fine", shelf=models.TextField())
    sync_views()
    found = [m for m in run_checks(tags=["orm_views"], databases=["default"]) if "orm_views_core" in m.id]
    assert [m.id for m in found] == ["orm_views_core.W010", "orm_views_core.W011"]
    assert "its field 'town' reads a column 'town', which views.some does not have." in found[0].msg


def test_a_view_that_changes_on_every_sync_is_found():
    class Stamped(ViewFromSQL):
        counted = 0

        @classproperty
        def sql(cls):
            cls.counted += 1
            return f"SELECT {cls.counted} AS number"

    class Failing(Stamped):
        counted = 0

        @classproperty
        def sql(cls):
            cls.counted += 1
            return "SELECT 1 AS number" if cls.counted == 1 else None

    class Today(ViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Order.objects.filter(placed_on__lt=dt.date.today()).values("id", "product__details__size")

    declare("Steady")
    found = run_checks(tags=["orm_views"], databases=["default"])
    changing = [m.msg.partition(" (")[0] for m in found if m.id == "orm_views_core.W016"]
    assert changing == ["tests.Stamped", "tests.Failing", "tests.Today"]
    assert {m.id for m in found if "orm_views_core" in m.id} == {"orm_views_core.W016"}


def test_no_check_of_a_sound_project_says_anything():
    declare("Some")
    declare("Totals", stored=True)
    readable("Fine", shelf=models.TextField())
    sync_views()
    found = run_checks(tags=["orm_views"], databases=["default", "warehouse"])
    assert [m.id for m in found if "orm_views_core" in m.id] == ["orm_views_core.W022"]
