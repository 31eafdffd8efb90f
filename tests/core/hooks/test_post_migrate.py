"""ORM_VIEWS["SYNC_ON_MIGRATE"]: views are synced as soon as `migrate` has finished, and only then."""

from __future__ import annotations

from io import StringIO

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from orm_views_core import signals
from orm_views_core.exceptions import DropAllRefusedError, InvalidViewError, MissingRoleError, ViewSQLError
from orm_views_core.hooks.post_migrate import sync_after_migrate
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresViewFromSQL

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def switched_on(settings):
    settings.ORM_VIEWS = {"SYNC_ON_MIGRATE": True}


@pytest.fixture
def synced():
    """The aliases of the databases that are synced, one for each time."""
    aliases = []

    def receive(database, **kwargs):
        aliases.append(database)

    signals.views_synced.connect(receive)
    yield aliases
    signals.views_synced.disconnect(receive)


def declare(class_name, sql="SELECT 1 AS id", **attributes):
    return type(class_name, (PostgresViewFromSQL,), {"sql": sql, "__module__": __name__, **attributes})


def migrate(*arguments, **options):
    out = StringIO()
    call_command("migrate", *arguments, **{"stdout": out, "verbosity": 1, **options})
    return out.getvalue()


def relations(execute, alias="default"):
    found = execute(
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('views') ORDER BY 1", alias
    )
    return [name for (name,) in found]


def test_views_are_there_once_migrate_has_finished(execute, synced):
    declare("One")
    said = migrate()
    assert relations(execute) == ["one"]
    assert synced == ["default"]
    assert "Syncing views in database 'default':\n  1 schema to prepare, 1 to create, 0 unchanged (" in said
    assert said.index("Running migrations:") < said.index("Syncing views")
    assert "0 to create" not in migrate()


def test_without_the_setting_migrate_is_what_it_was(execute, settings, synced):
    settings.ORM_VIEWS = {}
    declare("One")
    assert "Syncing views" not in migrate()
    assert (relations(execute), synced) == ([], [])


def test_at_verbosity_0_nothing_is_said(execute):
    declare("One")
    assert migrate(verbosity=0) == ""
    assert relations(execute) == ["one"]


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_only_the_database_that_is_migrated_is_synced(execute, synced):
    declare("One")
    declare("Two", database="warehouse")
    migrate("--database=warehouse")
    assert synced == ["warehouse"]
    assert (relations(execute), relations(execute, "warehouse")) == ([], ["two"])
    migrate()
    assert synced == ["warehouse", "default"]


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_a_database_without_views_is_left_alone(synced):
    declare("One")
    assert "Syncing views" not in migrate("--database=warehouse")
    assert synced == []


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_the_default_database_is_synced_without_views_too_because_they_may_have_been_there(
    execute, registered, synced
):
    declare("Left")
    kept = declare("Kept")
    migrate()
    registered._classes.clear()
    registered.register(kept)
    assert "1 to drop" in migrate()
    assert relations(execute) == ["kept"]
    registered.unregister(kept)
    with pytest.raises(CommandError, match="--allow-drop-all") as caught:
        migrate()
    assert isinstance(caught.value.__cause__, DropAllRefusedError)
    assert relations(execute) == ["kept"]


def test_a_database_of_an_engine_without_views_of_ours_is_left_alone(add_database, synced):
    other = add_database("other", {"ENGINE": "django.db.backends.dummy", "NAME": "", "OPTIONS": {}})
    declare("Elsewhere", database="other")
    # Not by migrate, which would make the tables of this project there.
    for config in apps.get_app_configs():
        sync_after_migrate(app_config=config, using=other.alias, plan=[])
    assert synced == []


def test_a_flush_is_no_migrate(execute, synced, transactional_db):
    declare("One")
    call_command("flush", interactive=False, verbosity=0)
    assert (relations(execute), synced) == ([], [])


def test_a_wrong_setting_stops_it(settings):
    settings.ORM_VIEWS = {"SYNC_ON_MIGRATE": True, "SCHEMA": "pg_views"}
    with pytest.raises(ImproperlyConfigured, match="pg_views"):
        migrate()


def test_what_is_wrong_with_a_view_is_raised(execute):
    declare("One")
    declare("Broken", "SELECT id FROM nowhere")
    with pytest.raises(CommandError) as caught:
        migrate()
    assert isinstance(caught.value.__cause__, ViewSQLError)
    message = str(caught.value)
    assert message.startswith("Database 'default' is migrated, but its views could not be synced")
    assert "SYNC_ON_MIGRATE" in message
    assert 'relation "nowhere" does not exist' in message
    assert "then run sync_views" in message
    assert relations(execute) == []


def test_a_role_that_is_missing_is_said_with_where_it_is_named(settings):
    settings.ORM_VIEWS = {"SYNC_ON_MIGRATE": True, "GRANT_SELECT_TO": ["nobody at all"]}
    declare("One")
    with pytest.raises(
        CommandError, match=r"no role 'nobody at all'.*ORM_VIEWS\['GRANT_SELECT_TO'\]"
    ) as caught:
        migrate()
    assert isinstance(caught.value.__cause__, MissingRoleError)


class TestMigratingNotToTheEnd:
    """`migrate payments zero` drops the tables of `payments`, and with CASCADE the views that read them."""

    def test_views_whose_tables_are_gone_wait_for_the_migrations_that_bring_them(self, execute, synced):
        declare("Payments", "SELECT id FROM payments_repayment")
        migrate()
        said = migrate("payments", "zero", drop_views=True)
        assert relations(execute) == []
        assert "Not synced, because 1 migration is yet to be applied: payments.0001_initial." in said
        assert "Run migrate without arguments; it syncs the views too." in said
        assert 'relation "payments_repayment" does not exist' in said
        assert "1 to create" in migrate()
        assert relations(execute) == ["payments"]
        assert synced == ["default", "default"]

    def test_it_is_said_at_verbosity_0_too_because_the_views_are_not_there(self):
        declare("Payments", "SELECT id FROM payments_repayment")
        assert "Not synced" in migrate("payments", "zero", verbosity=0)

    def test_several_views_are_said_together(self):
        declare("One")
        declare("Two")
        migrate()
        declare("One", "SELECT id FROM payments_repayment")
        declare("Two", "SELECT id FROM payments_repayment")
        said = migrate("payments", "zero")
        assert "Not synced" in said
        assert said.count('relation "payments_repayment" does not exist') == 2

    def test_views_that_need_nothing_of_it_are_synced(self, execute):
        declare("One")
        assert "1 to create" in migrate("payments", "zero")
        assert relations(execute) == ["one"]

    def test_a_role_may_come_with_a_migration_too(self, settings):
        settings.ORM_VIEWS = {"SYNC_ON_MIGRATE": True, "GRANT_SELECT_TO": ["nobody at all"]}
        declare("One")
        assert "no role 'nobody at all'" in migrate("payments", "zero")

    def test_what_no_migration_can_mend_is_raised(self):
        declare("Wrong", sql=7)
        with pytest.raises(CommandError) as caught:
            migrate("payments", "zero")
        assert isinstance(caught.value.__cause__, InvalidViewError)


def test_sync_views_finds_nothing_to_do_afterwards(execute):
    declare("One")
    migrate()
    (result,) = sync_views()
    assert result.plan.is_empty
