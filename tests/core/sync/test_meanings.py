"""A plan says which columns of which views mean something else afterwards, however far they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orm_views_core.names import ViewName
from orm_views_core.plan.meanings import ChangedMeaning
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db

#: In the query for stored rules.
RULES = "SELECT r.ev_class, r.ev_action::text,"
BASE = "SELECT id, upper(city) AS city, registered_on FROM lending_customer"


def declare(name, sql, *bases, **attributes):
    return type(name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


@pytest.fixture
def synced(registered, execute):
    """Views of ours upon one another, and of others among them."""
    declare("Base", BASE)
    declare("Stored", "SELECT city, id FROM views.base", PostgresMaterialisedViewMixin)
    declare("Counted", "SELECT city AS town, count(*) AS n FROM views.stored GROUP BY city")
    declare("Apart", "SELECT id, registered_on FROM views.base")
    sync_views()
    execute("CREATE SCHEMA reports")
    execute("CREATE VIEW reports.theirs AS SELECT lower(town) AS low, n FROM views.counted WHERE n > 1")
    execute("CREATE VIEW reports.day AS SELECT registered_on AS day FROM views.apart")


def plan_of(**options):
    (plan,) = plan_views(["default"], **options)
    return plan


def said(plan):
    return {
        f"{each.view}{'' if each.is_ours else '!'}": (
            " ".join(each.columns),
            each.rows,
            [*map(str, each.by_way_of)],
        )
        for each in plan.meanings
    }


@pytest.fixture
def printed(capsys):
    """A function that prints a plan and returns the lines that are about meanings."""

    def printed(**options):
        call_command("sync_views", "--plan", no_color=True, **options)
        lines = capsys.readouterr().out.splitlines()
        begin = (
            lines.index("  What means something else afterwards:")
            if "What means" in "".join(lines)
            else len(lines)
        )
        return lines[begin:]

    return printed


def test_a_column_that_means_something_else_changes_what_is_made_of_it(synced, printed):
    declare("Base", BASE.replace("upper(city)", "initcap(city)"))
    assert printed() == [
        "  What means something else afterwards:",
        "    views.base: column city",
        "    views.stored: column city, by way of views.base",
        "    views.counted: column town and its rows, by way of views.stored",
        "    reports.theirs, which is not ours: column low and its rows, by way of views.counted",
    ]


def test_rows_that_change_change_the_rows_of_what_reads_them(synced, printed):
    declare("Base", BASE + " WHERE id > 5")
    assert printed() == [
        "  What means something else afterwards:",
        "    views.base: its rows",
        "    views.apart: its rows, by way of views.base",
        "    reports.day, which is not ours: its rows, by way of views.apart",
        "    views.stored: its rows, by way of views.base",
        "    views.counted: its rows, by way of views.stored",
        "    reports.theirs, which is not ours: its rows, by way of views.counted",
    ]


def test_what_only_looks_other_means_the_same(synced):
    declare("Base", f"/* said */ {BASE.replace('lending_customer', 'public.lending_customer AS c')}")
    plan = plan_of()
    assert plan.meanings == ()
    assert "afterwards" not in "".join(plan.problems)


def test_a_view_that_is_only_rebuilt_says_nothing(synced):
    assert plan_of(force=True).meanings == ()
    assert {step.action.verb for step in plan_of(force=True).steps} >= {"rebuild"}


def test_new_and_dropped_views_say_nothing(synced, registered):
    declare("Fresh", "SELECT city FROM views.base")
    assert plan_of().meanings == ()
    assert [step.action.verb for step in plan_of().steps] == ["create"]


def test_a_view_that_changes_itself_and_what_it_reads(synced):
    declare("Base", BASE.replace("upper(city)", "initcap(city)"))
    declare("Apart", "SELECT id + 1 AS id, registered_on FROM views.base WHERE city > 'm'")
    found = said(plan_of())
    assert found["views.apart"] == ("id", True, ["views.base"])
    assert found["reports.day!"] == ("", True, ["views.apart"])


def test_a_view_that_was_changed_by_hand(synced, execute):
    execute("CREATE OR REPLACE VIEW views.apart AS SELECT id * 2 AS id, registered_on FROM views.base")
    assert said(plan_of()) == {"views.apart": ("id", False, [])}


def test_json_has_the_same_facts(synced, capsys):
    declare("Base", BASE.replace("upper(city)", "initcap(city)"))
    call_command("sync_views", "--plan", "--json")
    (plan,) = json.loads(capsys.readouterr().out)
    assert plan["meanings"][0] == {
        "view": "views.base",
        "is_ours": True,
        "columns": ["city"],
        "rows": False,
        "by_way_of": [],
    }
    assert plan["meanings"][-1] == {
        "view": "reports.theirs",
        "is_ours": False,
        "columns": ["low"],
        "rows": True,
        "by_way_of": ["views.counted"],
    }


def test_a_sync_reads_no_rules(synced):
    declare("Base", BASE.replace("upper(city)", "initcap(city)"))
    with CaptureQueriesContext(connection) as queries:
        (result,) = sync_views()
    assert result.plan.meanings == ()
    assert not [query["sql"] for query in queries if RULES in query["sql"]]
    with CaptureQueriesContext(connection) as queries:
        plan_of(force=True)
    assert len([query["sql"] for query in queries if RULES in query["sql"]]) == 1


def test_what_syncs_imports_nothing_of_it():
    commands = "orm_views_core.management.commands"
    imported = f"{commands}.sync_views, {commands}.migrate_views, orm_views_core.sync"
    engine = "orm_views_core.engines.postgresql"
    names = "orm_views_core.lineage", f"{engine}.meanings", f"{engine}.rules"
    code = (
        f"import django, sys; django.setup(); import {imported}; "
        f"print([name for name in sys.modules if name.startswith({names})])"
    )
    settings = {
        **os.environ,
        "DATABASE_URL": "postgresql://unused",
    }
    run = subprocess.run([sys.executable, "-c", code], env=settings, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("[]\n", "")


def test_a_plan_and_the_sync_of_it_have_the_same_fingerprint(synced):
    declare("Base", BASE.replace("upper(city)", "initcap(city)"))
    plan = plan_of()
    assert plan.meanings
    sync_views(databases=["default"], expected_fingerprint=plan.fingerprint)
    assert plan_of().is_empty


def test_long_lists_are_cut(registered, printed):
    columns = [f"c{n}" for n in range(12)]
    of_base = ", ".join(f"city || {n} AS {column}" for n, column in enumerate(columns))
    declare("Base", f"SELECT {of_base} FROM lending_customer")
    for n in range(25):
        declare(f"Top{n:02}", "SELECT c0 FROM views.base")
    sync_views()
    declare("Base", f"SELECT {of_base.replace('city', 'email')} FROM lending_customer")
    lines = printed()
    assert lines[1] == "    views.base: columns c0, c1, c2, c3, c4, c5, c6, c7, 4 more"
    assert lines[20:] == [
        "    views.top18: column c0, by way of views.base",
        "    and in 6 more views; -v 2 names all",
    ]
    lines = printed(verbosity=2)
    assert lines[1] == f"    views.base: columns {', '.join(columns)}"
    assert lines[26] == "    views.top24: column c0, by way of views.base"


def test_the_columns_of_a_meaning_are_in_the_order_of_the_view(synced):
    declare(
        "Base",
        BASE.replace("upper(city)", "initcap(city)").replace(
            "registered_on", "date_of_birth AS registered_on"
        ),
    )
    first = plan_of().meanings[0]
    assert first == ChangedMeaning(ViewName("views", "base"), True, ("city", "registered_on"))
