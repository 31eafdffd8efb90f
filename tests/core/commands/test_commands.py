"""The commands, as pipelines and people use them."""

from __future__ import annotations

import json
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from orm_views_core.names import ViewName
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db


def declare(class_name, sql, *bases, **attributes):
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


@pytest.fixture
def run(capsys):
    """A function that runs a command and returns what it printed."""

    def run(*args, **options):
        call_command(*args, no_color=True, **options)
        return capsys.readouterr().out

    return run


@pytest.fixture
def changed(registered):
    """A changed view that others read, a new view, a removed one and an unchanged one."""
    declare("Base", "SELECT id, city FROM lending_customer")
    declare("Reader", "SELECT city FROM views.base")
    declare("Stored", "SELECT city FROM views.reader", PostgresMaterialisedViewMixin)
    declare("Same", "SELECT 1 AS a")
    gone = declare("Gone", "SELECT 1 AS a")
    sync_views()
    registered.unregister(gone)
    declare("Base", "SELECT city FROM lending_customer")
    declare("Fresh", "SELECT 2 AS b")


def test_check_exits_with_1_when_anything_is_pending_and_with_0_when_not(changed, run):
    with pytest.raises(CommandError, match="out of step in database 'default'") as failure:
        call_command("sync_views", "--check")
    assert failure.value.returncode == 1
    sync_views()
    assert "5 unchanged" in run("sync_views", "--check")


def test_plan_names_the_view_its_dependents_and_the_reasons_and_changes_nothing(changed, run, take_picture):
    before = take_picture()
    lines = run("sync_views", "--plan").splitlines()
    assert lines[0] == "Plan for database 'default': 1 to create, 3 to rebuild, 1 to drop, 1 unchanged."
    plan = "\n".join(line for line in lines if not line.startswith("      "))
    assert (
        "+ create   views.fresh: it is not in the database (tests.Fresh (tests/core/commands/test_commands.py"
        in plan
    )
    assert "± rebuild  views.base: its class has changed: column id is removed (tests.Base" in plan
    assert "± rebuild  views.reader: it reads views.base, which is rebuilt" in plan
    assert re.search(r"± rebuild  views\.stored: (it reads views\.reader|its rows come from views\.)", plan)
    assert "- drop     views.gone: no class declares it any more" in plan
    assert "views.same" not in plan
    assert take_picture() == before


def test_a_verbose_plan_shows_the_difference_and_the_sql(changed, run):
    plan = run("sync_views", "--plan", verbosity=2)
    assert re.search(r"-    (lending_customer\.)?city", plan)
    assert (
        '      CREATE VIEW "orm_views_staging_0"."base" AS\n      SELECT city FROM lending_customer;\n'
        '      -- in the swap:\n      DROP VIEW "views"."base";\n'
        '      ALTER VIEW "orm_views_staging_0"."base" SET SCHEMA "views";' in plan
    )


def test_plan_as_json_has_the_same_facts(changed, run):
    (plan,) = json.loads(run("sync_views", "--plan", "--json"))
    assert (plan["database"], plan["unchanged"], plan["problems"]) == ("default", 1, [])
    actions = {step["view"]: step["action"] for step in plan["steps"]}
    assert actions == {
        "views.base": "rebuild",
        "views.reader": "rebuild",
        "views.stored": "rebuild",
        "views.fresh": "create",
        "views.gone": "drop",
    }
    base = next(step for step in plan["steps"] if step["view"] == "views.base")
    assert base["class"] == "tests.Base"
    assert [(statement["phase"], statement["statement"].split()[0]) for statement in base["sql"]] == [
        ("build", "CREATE"),
        ("drop", "DROP"),
        ("move", "ALTER"),
    ]


def test_sync_prints_a_line_for_each_step_with_its_time_and_the_old_success_line(changed, run):
    lines = run("sync_views").splitlines()
    assert lines[0] == "Syncing views in database 'default':"
    swap = lines.index("  Swapping 4 views...")
    told = [re.sub(r"\(\d+\.\d{3}s\)", "(…s)", line) for line in lines]
    assert sorted(told[1:swap]) == [
        "  + create   views.fresh... OK",
        "  ± rebuild  views.base... built",
        "  ± rebuild  views.reader... built",
        "  ± rebuild  views.stored... built (…s)",
    ]
    assert sorted(told[swap + 1 : swap + 5]) == [
        "  - drop     views.gone... OK",
        "  ± rebuild  views.base... OK",
        "  ± rebuild  views.reader... OK",
        "  ± rebuild  views.stored... OK",
    ]
    assert re.fullmatch(r"  Readers were locked out for \d+\.\d{3}s at most\.", lines[swap + 5])
    assert told[swap + 6] == "  1 to create, 3 to rebuild, 1 to drop, 1 unchanged (…s)"
    assert lines[-1] == "Successfully sync'd all views using orm_views_core"
    assert "  Nothing to do." in run("sync_views").splitlines()


def test_a_view_that_is_created_in_the_swap_is_printed_and_counted(run, registered):
    declare("Base", "SELECT 1 AS id")
    sync_views()
    declare("Base", "SELECT 1 AS id, 2 AS more")
    declare("Fresh", "SELECT more FROM views.base")
    assert "    1. swap views.base; create views.fresh" in run("sync_views", "--plan").splitlines()
    lines = run("sync_views").splitlines()
    swap = lines.index("  Swapping 2 views...")
    assert lines[swap + 1 : swap + 3] == ["  ~ replace  views.base... OK", "  + create   views.fresh... OK"]


def test_views_that_were_not_looked_at_are_not_unchanged(registered):
    for n in range(3):
        declare(f"View{n}", "SELECT 1 AS id")
    sync_views()
    for n in range(3):
        declare(f"View{n}", "SELECT 2 AS id")
    declare("Other", "SELECT 1 AS id")
    sync_views(only=[ViewName("views", "other")])
    (plan,) = plan_views(only=[ViewName("views", "view1"), ViewName("views", "other")])
    assert ([step.target for step in plan.steps], plan.unchanged) == (["views.view1"], 1)


def test_drop_dependents_drops_what_fits_no_more_and_says_so_in_the_plan(changed, run, execute):
    execute("CREATE VIEW public.theirs AS SELECT id FROM views.base")
    plan = run("sync_views", "--plan")
    assert plan.startswith("Plan for database 'default': blocked, ")
    assert "public.theirs, which is not ours, reads it and no longer fits." in plan
    assert re.search(r'column (base\.id|"id") does not exist\. Change or drop public\.theirs first', plan)
    with pytest.raises(CommandError, match="--drop-dependents to drop it"):
        call_command("sync_views")
    plan = run("sync_views", "--plan", "--drop-dependents")
    assert (
        "- drop     public.theirs: it reads views.base, which it no longer fits, and --drop-dependents is set"
        in plan
    )
    assert "- drop     public.theirs... OK" in run("sync_views", "--drop-dependents")
    assert execute("SELECT to_regclass('public.theirs')") == [(None,)]


def test_sync_as_json_prints_json_only(changed, run):
    (done,) = json.loads(run("sync_views", "--json"))
    assert len(done["steps"]) == 5
    assert done["seconds"] >= 0


def test_show_views_says_how_each_view_stands(changed, run):
    lines = run("show_views").splitlines()
    assert lines[0] == "default"
    table = {line.split()[-1] if "[X]" in line else line for line in lines[1:]}
    assert any(re.match(r" \[X\] synced +views\.same +view +tests\.Same$", line) for line in lines)
    assert any(re.match(r" \[ \] changed +views\.base .* Its class has changed", line) for line in table)
    assert any(
        re.match(r" \[ \] missing +views\.fresh .* not in the database\. Sync it\.", line) for line in table
    )
    assert any(re.match(r" \[ \] orphaned +views\.gone .* no class declares it", line) for line in table)


@pytest.mark.parametrize("name", ["same", "views.same", "tests.Same"])
def test_show_views_takes_names_and_labels(changed, run, name):
    (database,) = json.loads(run("show_views", name, "--json"))
    assert [(view["view"], view["state"]) for view in database["views"]] == [("views.same", "synced")]


def test_show_views_does_not_know_every_name(changed):
    with pytest.raises(CommandError, match="No view is called 'sane'"):
        call_command("show_views", "sane")


def test_refresh_views_says_how_it_refreshes_and_why(run):
    declare("Keyed", "SELECT 1 AS id", PostgresMaterialisedViewMixin, pk_field="id")
    declare("Keyless", "SELECT 1 AS id", PostgresMaterialisedViewMixin)
    sync_views()
    output = run("refresh_views")
    assert re.search(r"Refreshing views\.keyed \(concurrently\)\.\.\. OK \(\d", output)
    assert (
        "Refreshing views.keyless (readers wait: it has no unique index on plain columns; set pk_field"
        in output
    )
    with pytest.raises(
        CommandError, match=r"Keyless .*cannot be refreshed concurrently: it has no unique index"
    ):
        call_command("refresh_views", "keyless", "--concurrently")
    assert "(readers wait, as requested)" in run("refresh_views", "keyed", "--no-concurrently")


def test_refresh_views_takes_materialised_views_only(changed):
    with pytest.raises(CommandError, match=r"views\.same is not a materialised view"):
        call_command("refresh_views", "same")
    with pytest.raises(CommandError, match=r"called 'stord'. Did you mean stored"):
        call_command("refresh_views", "stord")


def test_an_unknown_database_is_refused_with_the_choices(changed):
    for command in ("sync_views", "show_views", "refresh_views"):
        with pytest.raises(CommandError, match=r"invalid choice: 'wherehouse' \(choose from '?default"):
            call_command(command, "--database", "wherehouse")


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_each_database_is_planned_synced_and_shown_by_itself(run):
    declare("Here", "SELECT 1 AS a")
    declare("There", "SELECT 1 AS a", database="warehouse")
    assert [plan["database"] for plan in json.loads(run("sync_views", "--plan", "--json"))] == [
        "default",
        "warehouse",
    ]
    run("sync_views", "--database", "warehouse")
    states = {
        database["database"]: [view["state"] for view in database["views"]]
        for database in json.loads(run("show_views", "--json"))
    }
    assert states == {"default": ["missing"], "warehouse": ["synced"]}
    with connections["warehouse"].cursor() as cursor:
        cursor.execute("SELECT a FROM views.there")
        assert cursor.fetchall() == [(1,)]


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_views_of_the_same_name_in_two_databases_are_two_views():
    declare("One", "SELECT 'here' AS place", name="place")
    declare("Two", "SELECT 'there' AS place", name="place", database="warehouse")
    sync_views()
    for alias, place in (("default", "here"), ("warehouse", "there")):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT place FROM views.place")
            assert cursor.fetchall() == [(place,)]
