"""``migrate_views`` where migrations and a sync are not one transaction."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from orm_views_core.exceptions import OrmViewsError
from orm_views_core.inspection.broken import telling_broken
from orm_views_core.sync import sync_views
from tests.engines.shop.models import Parcel

from .views import declare

pytestmark = pytest.mark.usefixtures("plain")

BEFORE = ("auth", "0011_update_proxy_permissions")
LAST = "auth.0012_alter_user_first_name_max_length"


@pytest.fixture
def unapplied(committing):
    """The last migration of ``auth`` is yet to be applied."""
    call_command("migrate", *BEFORE, verbosity=0)
    yield
    call_command("migrate", "auth", verbosity=0)


def names():
    """A view of the table that the migration alters."""
    return declare("Names", "SELECT id, first_name FROM auth_user")


def test_migrations_are_applied_and_views_synced(unapplied, database, run):
    view = names()
    printed = run("migrate_views")
    assert f"Applying {LAST}... OK" in printed
    assert "+ create   views.names... OK" in printed
    assert "1 to create, 0 unchanged" in printed
    assert "rolled back" not in printed
    assert "Committed" not in printed
    assert database.has(view)
    assert "No migrations to apply." in run("migrate_views")


def test_views_that_are_there_stay(unapplied, database, run):
    view = names()
    sync_views()
    assert "Nothing to do." in run("migrate_views")
    assert database.rows(view) == []


def test_what_was_done_as_json(unapplied, run):
    names()
    (done,) = json.loads(run("migrate_views", "--json"))
    assert done["migrations"] == [LAST]
    assert [step["action"] for step in done["steps"]] == ["create"]
    assert done["not_synced"] is None


@pytest.mark.parametrize("is_synced", [False, True])
def test_only_views_that_cannot_be_read_at_the_end_are_named(database, whole_parcels, is_synced):
    declare("Ids", "SELECT id FROM shop_parcel")
    declare("Shelves", "SELECT id, shelf FROM shop_parcel")
    sync_views()
    told = []
    with telling_broken(connections["default"], told.append):
        database.remake(Parcel, "shelf")
        declare("Shelves", "SELECT id, weight FROM shop_parcel")
        if is_synced:
            sync_views()
    assert len(told) == (0 if is_synced else 1)
    assert all("views.shelves: " in line for line in told)


def test_no_other_error_stands_in_front_of_that_of_a_migration(database, whole_parcels):
    declare("Shelves", "SELECT id, shelf FROM shop_parcel")
    sync_views()
    told = []

    def tell(line):
        told.append(line)
        raise OrmViewsError("There is nobody to tell.")

    def migrate():
        with telling_broken(connections["default"], tell):
            database.remake(Parcel, "shelf")
            raise RuntimeError("the migration")

    with pytest.raises(RuntimeError, match="the migration"):
        migrate()
    assert len(told) == 1


def test_a_plan_says_that_it_is_not_one_transaction(unapplied, database, run, plain):
    view = names()
    printed = run("migrate_views", "--plan")
    assert "Plan for database 'default': 1 migration, then a sync of the views." in printed
    assert f"  > apply  {LAST}" in printed
    assert f"  {plain.title} commits each migration by itself, and then the sync." in printed
    assert not database.has(view)
    (planned,) = [json.loads(run("migrate_views", "--plan", "--json"))]
    assert [each["name"] for each in planned["migrations"]] == ["0012_alter_user_first_name_max_length"]


def test_check_exits_with_1_while_there_is_something_to_do(unapplied, run):
    with pytest.raises(CommandError, match="yet to be applied") as pending:
        run("migrate_views", "--check")
    assert pending.value.returncode == 1
    run("migrate_views")
    assert "No migrations to apply" in run("migrate_views", "--check")
    names()
    with pytest.raises(CommandError, match="yet to be applied"):
        run("migrate_views", "--check")


def test_migrations_stay_applied_when_the_views_cannot_be_synced(unapplied, run):
    declare("Bad", "SELECT nothing FROM auth_user")
    with pytest.raises(CommandError, match=r"tests\.Bad") as failed:
        run("migrate_views")
    assert str(failed.value).startswith(
        "Database 'default' is migrated, but its views could not be synced. Fix this, then run sync_views:\n"
    )
    with pytest.raises(CommandError, match=r"^tests\.Bad"):  # nothing was migrated this time
        run("migrate_views")


def test_views_wait_for_migrations_that_stay_unapplied(unapplied, run):
    declare("Early", "SELECT nothing FROM auth_user")
    printed = run("migrate_views", *BEFORE)
    assert "not synced, because migrations are yet to be applied" in printed
    assert "tests.Early" in printed
    (done,) = json.loads(run("migrate_views", *BEFORE, "--json"))
    assert "tests.Early" in done["not_synced"]


def test_it_takes_what_only_postgresql_needs(unapplied, database, run):
    view = names()
    run("migrate_views", "--split", "--rebuild-inside", "--drop-dependents", "--allow-drop-all")
    assert database.has(view)


def test_fake_migrations_are_recorded_and_views_synced(unapplied, database, run):
    view = names()
    assert f"record as applied  {LAST}" in run("migrate_views", "--fake", "--plan")
    run("migrate_views", "--fake")
    assert database.has(view)
