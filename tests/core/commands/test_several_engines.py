"""A project whose default database is PostgreSQL, with views in a database of another engine too."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orm_views_core.engines.connections import get_connection, staging_databases, view_databases
from orm_views_core.exceptions import UnknownNameError, UnsupportedDatabaseError
from orm_views_core.lineage import ask
from orm_views_core.refresh import refresh_views
from orm_views_core.sentences import says
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db

NOTHING = "There is nothing to refresh: the views of database 'lite' (SQLite) are plain ones."


def declare(class_name, bases=(PostgresMaterialisedViewMixin, PostgresViewFromSQL), **attributes):
    return type(class_name, bases, {"sql": "SELECT 1 AS id", "__module__": __name__, **attributes})


def printed(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def lite(add_database):
    """One view on PostgreSQL, and one on SQLite, to which nobody connects."""
    add_database("lite", {"ENGINE": "django.db.backends.sqlite3", "NAME": "/nowhere/at/all"})
    declare("Here")
    declare("There", database="lite")
    sync_views(databases=["default"])


def test_all_views_that_can_be_refreshed_are():
    assert [str(result.name) for result in refresh_views()] == ["views.here"]
    assert [each["view"] for each in json.loads(printed("refresh_views", "--json"))] == ["views.here"]
    assert "SQLite" not in printed("refresh_views")
    assert "SQLite" not in printed("refresh_views", "--plan")
    assert printed("refresh_views", "--due") == "No view is due.\n"


def test_a_view_that_is_named_is_refreshed_where_that_is_possible():
    assert refresh_views(["there"]) == []
    assert printed("refresh_views", "there") == f"{NOTHING}\n"
    assert printed("refresh_views", "--database", "lite") == f"{NOTHING}\n"
    assert json.loads(printed("refresh_views", "there", "--json")) == []
    assert [str(result.name) for result in refresh_views(["there", "here"], downstream=True)] == [
        "views.here"
    ]
    assert [str(result.name) for result in refresh_views(["here"], databases=["default"])] == ["views.here"]


def test_a_name_in_both_databases_is_that_of_the_view_that_can_be_refreshed():
    declare("Both", name="both")
    declare("Both2", name="both", database="lite")
    sync_views(databases=["default"])
    assert [str(result.name) for result in refresh_views(["both"])] == ["views.both"]


@pytest.mark.parametrize("name", ["nothing", "ther"])
def test_unknown_views_are_an_error_as_ever(name):
    with pytest.raises(CommandError, match=f"No registered view is called '{name}'"):
        call_command("refresh_views", name)


def test_what_needs_postgresql_looks_there_unless_another_database_is_named():
    assert list(view_databases()) == ["default", "lite"]
    assert list(staging_databases()) == ["default"]
    assert [answer.database for answer in ask()] == ["default"]
    assert "views.here" in printed("view_lineage")
    with pytest.raises(
        CommandError, match=r"^The lineage of views needs PostgreSQL, and database 'lite' is SQLite\.$"
    ):
        call_command("view_lineage", "--database", "lite")


def test_the_lineage_of_a_view_that_is_elsewhere_is_refused_and_not_unknown():
    with pytest.raises(UnsupportedDatabaseError, match="needs PostgreSQL, and database 'lite' is SQLite"):
        ask("views.there")
    with pytest.raises(UnknownNameError):
        ask("views.nowhere")


def test_a_catalogue_is_of_postgresql(tmp_path):
    assert "1 view" in printed("view_catalogue", "--output", str(tmp_path / "catalogue"))


def test_a_refusal_names_what_is_refused():
    for what, said in ((None, "This"), (says("Some"), "Some")):
        with pytest.raises(UnsupportedDatabaseError) as refused:
            get_connection("lite", what)
        assert str(refused.value) == f"{said} needs PostgreSQL, and database 'lite' is SQLite."
