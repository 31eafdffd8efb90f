"""What hangs on the columns that migrations alter, drop or rename is said before they run."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from orm_views_core.sync import sync_views

from .conftest import query

WIDER = 'AlterField("Order", "total", models.BigIntegerField())'
TOTALS = "SELECT id, total, total * 2 AS twice, note FROM depot_order WHERE total > 1"


@pytest.fixture
def before(depot, release):
    """Views of ours upon one another, and one of somebody else."""
    release(
        {"Stored": "SELECT id, twice FROM views.totals"},
        Totals=TOTALS,
        Counted="SELECT count(*) AS n FROM depot_order",
    )
    sync_views()
    query("CREATE SCHEMA reports; CREATE VIEW reports.theirs AS SELECT sum(twice) AS total FROM views.stored")
    return depot


def planned(depot):
    """The lines of a plan that are about what hangs, and those of migrations."""
    lines = depot.migrate("--plan").splitlines()
    found, is_of_it = [], False
    for line in lines:
        is_of_it = line.endswith("On it hang:") or (is_of_it and line.startswith("        "))
        if is_of_it or line.startswith("  > "):
            found.append(line)
    return found


def test_the_plan_says_what_hangs_on_a_column_that_gets_another_type(before):
    before.write("0002_wider", WIDER)
    assert planned(before) == [
        "  > apply  depot.0002_wider",
        "      depot_order.total gets another type. On it hang:",
        "        reports.theirs, which is not ours: total is computed from it; its rows use it",
        "        views.stored: twice is computed from it; its rows use it",
        "        views.totals: total shows it; twice is computed from it; its rows use it",
    ]


def test_the_plan_says_what_hangs_on_columns_that_are_dropped_or_renamed(before):
    before.write("0002_renamed", 'RenameField("Order", "total", "amount")')
    before.write(
        "0003_again", 'AlterField("Order", "amount", models.BigIntegerField()), RemoveField("Order", "note")'
    )
    assert planned(before) == [
        "  > apply  depot.0002_renamed",
        "      depot_order.total is renamed to amount. On it hang:",
        "        reports.theirs, which is not ours: total is computed from it; its rows use it",
        "        views.stored: twice is computed from it; its rows use it",
        "        views.totals: total shows it; twice is computed from it; its rows use it",
        "  > apply  depot.0003_again",
        "      depot_order.amount gets another type. On it hang:",
        "        reports.theirs, which is not ours: total is computed from it; its rows use it",
        "        views.stored: twice is computed from it; its rows use it",
        "        views.totals: total shows it; twice is computed from it; its rows use it",
        "      depot_order.note is dropped. On it hang:",
        "        views.totals: note shows it",
    ]


def test_the_plan_says_what_hangs_on_whole_tables(before):
    before.write("0002_renamed", 'RenameModel("Order", "Purchase")')
    before.write("0003_dropped", 'DeleteModel("Purchase")')
    table = [
        "        reports.theirs, which is not ours: total is made of it; its rows use it",
        "        views.counted: it reads how many rows there are",
        "        views.stored: id, twice are made of it; its rows use it",
        "        views.totals: id, total, twice, note are made of it; its rows use it",
    ]
    assert planned(before) == [
        "  > apply  depot.0002_renamed",
        "      depot_order is renamed to depot_purchase. On it hang:",
        *table,
        "  > apply  depot.0003_dropped",
        "      depot_purchase is dropped. On it hang:",
        *table,
    ]


def test_what_nothing_hangs_on_is_not_named(before):
    query("CREATE FUNCTION public.fmt(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1'")
    query("CREATE VIEW reports.shouting AS SELECT fmt(note) AS note FROM depot_order")
    before.write("0002_more", 'AddField("Order", "more", models.IntegerField(null=True))')
    before.write("0003_longer", 'AlterField("Order", "more", models.TextField(null=True))')
    before.write("0004_city", 'RemoveField("Order", "city")')
    before.write(
        "0005_new", 'CreateModel("New", [("id", models.AutoField(primary_key=True))]), DeleteModel("New")'
    )
    assert [line for line in planned(before) if "On it hang" in line] == []
    query("DROP FUNCTION public.fmt CASCADE")


def test_json_has_the_same_facts(before):
    before.write("0002_wider", WIDER)
    (migration,) = json.loads(before.migrate("--plan", "--json"))["migrations"]
    (hanging,) = migration["hanging"]
    assert hanging["change"] == "depot_order.total gets another type"
    assert [(each["view"], each.get("column")) for each in hanging["views"]] == [
        ("reports.theirs", "total"),
        ("reports.theirs", None),
        ("views.stored", "twice"),
        ("views.stored", None),
        ("views.totals", "total"),
        ("views.totals", "twice"),
        ("views.totals", None),
    ]
    assert hanging["views"][4] == {
        "view": "views.totals",
        "column": "total",
        "shows": ["public.depot_order.total"],
        "computed_from": [],
        "may_show": [],
        "because": "",
    }


def test_the_warning_of_plain_migrate_says_it_too(before):
    before.write("0002_wider", WIDER + ', RenameField("Order", "note", "remark")')
    err = StringIO()
    with pytest.raises(DatabaseError):
        call_command("migrate", "depot", stdout=StringIO(), stderr=err)
    warning, _, _ = err.getvalue().partition("\nThe migration failed")
    assert warning.splitlines() == [
        "migrate would fail because of these views:",
        "  views.totals (depot.0002_wider: depot_order.total gets another type)",
        "depot_order.total gets another type. On it hang:",
        "  reports.theirs, which is not ours: total is computed from it; its rows use it",
        "  views.stored: twice is computed from it; its rows use it",
        "  views.totals: total shows it; twice is computed from it; its rows use it",
        "depot_order.note is renamed to remark. On it hang:",
        "  views.totals: note shows it",
        "Run instead: manage.py migrate_views. It puts them aside, and brings them back.",
    ]


def test_plain_migrate_says_nothing_of_what_is_no_danger(before):
    before.write("0002_renamed", 'RenameField("Order", "note", "remark")')
    assert "On it hang" not in before.migrate(command="migrate")


def test_many_columns_are_cut(depot, release):
    columns = ", ".join(f"total + {n} AS c{n}" for n in range(12))
    release(Wide=f"SELECT {columns} FROM depot_order")
    sync_views()
    depot.write("0002_wider", WIDER)
    assert planned(depot)[2:] == [
        "        views.wide: c0, c1, c2, c3, c4, c5, c6, c7, 4 more are computed from it",
    ]


def test_the_number_of_queries_does_not_depend_on_that_of_the_changes(before):
    def queries(plan):
        with CaptureQueriesContext(connection) as captured:
            plan()
        return len([each for each in captured if "attnum" in each["sql"] or "ev_action" in each["sql"]])

    before.write("0002_wider", WIDER)
    one = queries(lambda: before.migrate("--plan"))
    before.write(
        "0003_all",
        "".join(
            f'RenameField("Order", "note", "n{n}"), RenameField("Order", "n{n}", "note"),' for n in range(20)
        ),
    )
    before.write("0004_last", 'RemoveField("Order", "note")')
    assert queries(lambda: before.migrate("--plan")) == one


def test_a_plan_without_migrations_has_none(before):
    assert "On it hang" not in before.migrate("--plan")
