"""What ``migrate_views --plan`` and ``--check`` show is what would be done, with every other option."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orm_views_core.sync import sync_views

from .conftest import query

TOTALS = "SELECT id, total FROM depot_order"
WIDER = 'AlterField("Order", "total", models.BigIntegerField())'
GRANT = "--grant-select-permissions-to-user"


@pytest.fixture
def before(depot, release):
    """A release with a plain view and a materialised one, synced."""
    release({"Stored": TOTALS}, Totals=TOTALS)
    sync_views()
    return depot


def pending(depot, *arguments):
    """Whether ``--check`` says that something is yet to be applied."""
    try:
        depot.migrate(*arguments, "--check")
    except CommandError as error:
        return "yet to be applied. Run migrate_views." in str(error) and error.returncode == 1
    return False


def call(*arguments):
    """Run the command on all apps; return what it printed."""
    out = StringIO()
    call_command("migrate_views", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_grants_are_shown_with_no_migration_to_apply(before, make_role):
    role = make_role("shown_reader")
    assert not pending(before)
    for flag in (GRANT, "--grant-select"):  # argparse takes any beginning of an option
        out = before.migrate("--plan", flag, role)
        assert f"views.totals: {role} should be able to read it" in out
        assert pending(before, flag, role)
    shown = json.loads(before.migrate("--plan", "--json", GRANT, role))
    assert {step["view"] for step in shown["sync"][0]["steps"]} == {"views", "views.stored", "views.totals"}
    before.migrate(GRANT, role)
    assert "Nothing to do" in before.migrate("--plan", GRANT, role)
    assert not pending(before, GRANT, role)


def test_grants_are_shown_beside_migrations(before, make_role):
    role = make_role("shown_reader")
    before.write("0002_more", 'AddField("Order", "more", models.IntegerField(default=3))')
    assert "views.totals" not in before.migrate("--plan")
    assert f"views.totals: {role} should be able to read it" in before.migrate("--plan", GRANT, role)
    shown = json.loads(before.migrate("--plan", "--json", GRANT, role))
    assert {each["view"] for each in shown["changes"]} == {"views.stored", "views.totals"}


def test_a_role_that_does_not_exist_is_shown(before):
    with pytest.raises(CommandError, match="There is no role 'nobody_at_all'"):
        before.migrate("--plan", GRANT, "nobody_at_all")
    before.write("0002_role", 'RunSQL("SELECT 1")')
    out = before.migrate("--plan", GRANT, "nobody_at_all")  # a migration might create it
    assert "! there is no role nobody_at_all: a migration has to create it" in out
    assert json.loads(before.migrate("--plan", "--json", GRANT, "nobody_at_all"))["missing_roles"] == [
        "nobody_at_all"
    ]


def test_dropping_everything_is_refused_in_the_plan_as_in_the_run(before, release):
    release()
    for arguments in ((), ("--plan",), ("--check",), ("--plan", "--json")):
        with pytest.raises(CommandError, match="No view is registered for database 'default'"):
            before.migrate(*arguments)
    assert "drop  views.totals" in before.migrate("--plan", "--allow-drop-all")
    assert pending(before, "--allow-drop-all")
    before.write("0002_wider", WIDER)
    for arguments in ((), ("--plan",), ("--check",), ("--plan", "--json")):
        with pytest.raises(CommandError, match="No view is registered for database 'default'"):
            before.migrate(*arguments)
    assert "no class declares it any more; it is dropped" in before.migrate("--plan", "--allow-drop-all")
    before.migrate("--allow-drop-all")
    assert query("SELECT to_regclass('views.totals')") == [(None,)]


def test_views_of_others_that_do_not_fit_are_blocked_or_dropped_in_the_plan_as_in_the_run(before, release):
    query("CREATE SCHEMA reports; CREATE VIEW reports.theirs AS SELECT total FROM views.totals")
    release({"Stored": TOTALS}, Totals="SELECT id FROM depot_order")
    out = before.migrate("--plan")
    assert "blocked" in out
    assert "reports.theirs" in out
    assert "drop" in before.migrate("--plan", "--drop-dependents").split("reports.theirs")[0].splitlines()[-1]
    shown = json.loads(before.migrate("--plan", "--json", "--drop-dependents"))
    assert not shown["sync"][0]["problems"]
    with pytest.raises(CommandError, match=r"reports\.theirs"):
        before.migrate()
    before.migrate("--drop-dependents")
    assert query("SELECT to_regclass('reports.theirs')") == [(None,)]


def test_what_happens_to_views_of_others_and_to_materialised_ones_is_shown_as_asked(before):
    query("CREATE SCHEMA reports; CREATE VIEW reports.theirs AS SELECT total FROM depot_order")
    before.write("0002_wider", WIDER)
    out = before.migrate("--plan")
    assert "it comes back as it was after this migration, or stops the run\n" in out
    assert "views.stored comes back as its class says; built after the migrations\n" in out
    assert "until it is built they read the rows that it has\n" in out
    out = before.migrate("--plan", "--drop-dependents", "--rebuild-inside")
    assert "it comes back as it was after this migration, or is dropped\n" in out
    assert "views.stored comes back as its class says; built in the transaction of the migrations\n" in out
    assert "until it is built they read" not in out


def test_where_the_run_is_cut_is_shown_as_asked(before):
    index = 'AddIndexConcurrently("Order", models.Index(fields=["city"], name="by_city"))'
    before.write("0002_index", index, atomic=False)
    assert "! cannot be in one transaction with others: AddIndexConcurrently" in before.migrate("--plan")
    out = before.migrate("--plan", "--split")
    assert "  cannot be in one transaction with others: AddIndexConcurrently" in out
    assert "; the run is cut here\n" in out
    assert "!" not in out


def test_migrations_that_are_only_recorded_are_shown_so(before):
    query("DELETE FROM django_migrations WHERE app = 'depot'")
    before.write("0002_wider", WIDER)
    out = before.migrate("--plan", "--fake")
    assert "  > record as applied  depot.0001_initial\n  > record as applied  depot.0002_wider\n" in out
    out = before.migrate("--plan", "--fake-initial")
    assert "  > record as applied  depot.0001_initial\n  > apply  depot.0002_wider\n" in out
    assert "puts aside views.totals" in out
    shown = json.loads(before.migrate("--plan", "--json", "--fake-initial"))
    assert [each["only_recorded"] for each in shown["migrations"]] == [True, False]
    assert pending(before, "--fake-initial")
    before.migrate("--fake-initial")
    assert "  > record as unapplied  depot.0002_wider\n" in before.migrate("0001", "--plan", "--fake")


def test_views_that_wait_for_other_migrations_are_shown_so(before, release):
    before.write("0002_wider", WIDER)
    before.write("0003_more", 'AddField("Order", "more", models.IntegerField(default=3))')
    release({"Stored": TOTALS}, Totals="SELECT id, total, more FROM depot_order")
    out = before.migrate("0002", "--plan")
    assert "  then the views are synced, unless they need migrations that stay unapplied:\n" in out
    assert "  then the views are synced:\n" in before.migrate("--plan")
    before.migrate("0002")
    out = before.migrate("0002", "--plan")
    assert "The views are as they were, and not synced, because migrations are yet to be applied:\n" in out
    assert 'column "more" does not exist' in out
    shown = json.loads(before.migrate("0002", "--plan", "--json"))
    assert shown["sync"] == []
    assert 'column "more" does not exist' in shown["not_synced"]
    assert pending(before, "0002")
    assert "not synced" in before.migrate("0002")


def test_tables_of_apps_without_migrations_are_shown(before, release):
    """What ``--run-syncdb`` creates is there when the views are synced."""
    table = "fieldtypes_charfieldrow"
    release(Texts=f"SELECT id, value FROM {table}")
    query(f"DROP TABLE {table}")
    try:
        assert f"  > create  {table}, the table of an app without" in call("--plan", "--run-syncdb")
        assert json.loads(call("--plan", "--json", "--run-syncdb", "fieldtypes"))["creates_tables"] == [table]
        with pytest.raises(CommandError, match="yet to be applied"):
            call("--check", "--run-syncdb")
        with pytest.raises(CommandError, match="Can't use run_syncdb with app 'depot'"):
            call("--plan", "--run-syncdb", "depot")
        call("--run-syncdb", "fieldtypes")
        assert query("SELECT count(*) FROM views.texts") == [(0,)]
        assert "> create" not in call("--plan", "--run-syncdb")
        call("--check", "--run-syncdb")
    finally:
        call_command("migrate", "--run-syncdb", verbosity=0)


def test_nothing_is_pruned_for_a_plan(before):
    query("INSERT INTO django_migrations (app, name, applied) VALUES ('depot', '0009_gone', now())")
    for flag in ("--plan", "--check", "--json"):
        with pytest.raises(CommandError, match=f"--prune cannot be combined with {flag}"):
            before.migrate("--prune", flag)
    assert before.applied() == ["0001_initial", "0009_gone"]
    assert "Pruning depot.0009_gone OK" in before.migrate("--prune")
    assert before.applied() == ["0001_initial"]
