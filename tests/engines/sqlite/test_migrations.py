"""Migrations beneath views: SQLite remakes a table for most of them, and refuses that if a view reads it."""

from __future__ import annotations

import sys
from contextlib import nullcontext

import pytest
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from orm_views_core.engines.sqlite.aside import STEP_ASIDE

from .files import ALIAS, declare, reasons, states, sync
from .migrating import Package, migrate

#: Views of others, with the odd texts that people write.
THEIRS = {
    "theirs": "CREATE VIEW theirs AS\n  SELECT  id, code /* of them */ FROM shop_item  -- till here",
    "theirs_too": "CREATE VIEW theirs_too (c) AS SELECT code FROM theirs WHERE code <> 'x'",
    "elsewhere": 'CREATE VIEW elsewhere AS SELECT name FROM "shop_owner"',
}
TRIGGERS = {
    "of_view": (
        "CREATE TRIGGER of_view INSTEAD OF DELETE ON theirs BEGIN "
        "DELETE FROM shop_item WHERE id = OLD.id; END"
    ),
    "of_table": (
        "CREATE TRIGGER of_table AFTER INSERT ON shop_owner BEGIN "
        "UPDATE shop_owner SET name = (SELECT count(*) FROM theirs) WHERE 0; END"
    ),
}

REMAKING = {
    "AlterField": 'migrations.AlterField("item", "title", models.CharField(max_length=100, null=True)),',
    "AddField": 'migrations.AddField("item", "size", models.IntegerField(default=3)),',
    "AddField, null": 'migrations.AddField("item", "size", models.IntegerField(null=True)),',
    "RemoveField": 'migrations.RemoveField("item", "price"),',
    "RemoveField, indexed": 'migrations.RemoveField("item", "owner"),',
    "AlterUniqueTogether": 'migrations.AlterUniqueTogether("item", {("code", "title")}),',
    "AddConstraint": (
        'migrations.AddConstraint("item", models.CheckConstraint(condition=models.Q(id__gte=0), name="c")),'
    ),
    "AddIndex": 'migrations.AddIndex("item", models.Index(fields=["code"], name="i")),',
    "RunSQL": (
        'migrations.RunSQL("CREATE TABLE new (id integer PRIMARY KEY, code, title, price, owner_id);'
        "INSERT INTO new SELECT * FROM shop_item; DROP TABLE shop_item;"
        ' ALTER TABLE new RENAME TO shop_item", migrations.RunSQL.noop),'
    ),
}


@pytest.fixture
def package(file, tmp_path, monkeypatch, settings):
    """Migrations of the app `shop`. The first one is applied, each table has a row, and there are views."""
    monkeypatch.syspath_prepend(tmp_path)
    package = Package(tmp_path)
    settings.MIGRATION_MODULES = {**settings.MIGRATION_MODULES, "shop": package.name}
    assert migrate("0001") == ""
    file.run("INSERT INTO shop_owner VALUES (1, 'Ann')")
    file.run("INSERT INTO shop_item VALUES (1, 'a', 'A', 5, 1)")
    declare("Codes", "SELECT id, code FROM shop_item")
    declare("Counted", "SELECT count(*) AS n FROM views.codes")
    sync()
    for sql in [*THEIRS.values(), *TRIGGERS.values()]:
        file.run(sql)
    return package


def rows(file):
    """Read all views."""
    names = ["views_codes", "views_counted", *THEIRS]
    return {name: file.run(f'SELECT * FROM "{name}"') for name in names}


@pytest.mark.parametrize("atomic", [True, False], ids=["atomic", "not atomic"])
@pytest.mark.parametrize("operation", REMAKING)
def test_views_have_their_exact_texts_after_a_migration(file, package, operation, atomic):
    package.add(REMAKING[operation], atomic=atomic)
    before, shown = file.texts("view", "trigger"), rows(file)
    assert migrate() == ""
    assert file.texts("view", "trigger") == before
    assert rows(file) == shown
    assert sync() == []
    assert migrate("0001") == ""
    assert file.texts("view", "trigger") == before
    assert rows(file) == shown
    assert file.is_whole()


def test_views_of_a_connection_do_not_prevent_a_migration_either(file, package):
    package.add(REMAKING["AlterField"])
    file.run("CREATE TEMP VIEW mine AS SELECT code FROM shop_item")
    file.run("CREATE TEMP TRIGGER t INSTEAD OF DELETE ON mine BEGIN SELECT 1; END")
    before = file.run("SELECT name, sql FROM temp.sqlite_master")
    assert migrate() == ""
    assert file.run("SELECT name, sql FROM temp.sqlite_master") == before
    assert file.run("SELECT * FROM mine") == [("a",)]


def test_what_sqlite_can_rename_in_views_it_renames(file, package):
    package.add('migrations.RenameModel("item", "thing"),')
    package.add('migrations.AlterField("thing", "title", models.CharField(max_length=100, null=True)),')
    shown, before = rows(file), file.texts()
    assert migrate() == ""
    assert rows(file) == shown
    assert file.texts()["theirs"] == THEIRS["theirs"].replace("shop_item", '"shop_thing"')
    declare("Codes", "SELECT id, code FROM shop_thing")
    assert sync() == ["replace views.codes"]
    assert file.texts("trigger")["of_view"].count("shop_thing") == 1
    assert migrate("0001") == ""
    assert rows(file) == shown
    assert file.texts()["theirs"] == before["theirs"].replace("shop_item", '"shop_item"')
    assert file.texts()["elsewhere"] == before["elsewhere"]


def test_a_field_is_renamed_in_views_too(file, package):
    file.run("DROP VIEW theirs_too")
    file.run("DROP TRIGGER of_table")
    package.add('migrations.RenameField("item", "code", "sku"),')
    assert migrate() == ""
    assert file.texts()["theirs"] == THEIRS["theirs"].replace("code", '"sku"')
    assert file.run("SELECT sku FROM theirs") == [("a",)]


def test_a_field_whose_new_name_does_not_fit_everywhere(file, package):
    """The column of `theirs` would be called otherwise, so that `theirs_too` could not read it."""
    package.add('migrations.RenameField("item", "code", "sku"),')
    before = file.texts("view", "trigger")
    said = migrate()
    assert file.texts("view", "trigger") == before
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        "theirs",
        "theirs_too",
        "views.codes",
        "views.counted",
    ]
    assert migrate("0001") == ""
    assert rows(file)["theirs_too"] == [("a",)]


@pytest.mark.parametrize(
    "operation",
    ['migrations.RemoveField("item", "code"),', 'migrations.DeleteModel("Item"),'],
)
def test_views_that_do_not_fit_any_more_are_named_and_stay(file, package, operation):
    package.add(operation)
    package.add('migrations.AlterField("owner", "name", models.TextField(null=True)),')
    package.add('migrations.RenameModel("owner", "person"),')
    before = file.texts("view", "trigger")
    said = migrate().splitlines()
    assert len(said) == 4
    assert "theirs: It cannot be read: SQLite says: no such" in said[0]
    assert "No class declares it" in said[0]
    assert "views.codes: It cannot be read: SQLite says: no such" in said[2]
    assert "Change its class, tests.Codes (tests/engines/sqlite/files.py, line" in said[2]
    assert "Then run sync_views" in said[2]
    after = file.texts("view", "trigger")
    assert after.pop("elsewhere") == before.pop("elsewhere").replace("shop_owner", "shop_person")
    assert {n: t for n, t in after.items() if n != "of_table"} == {
        n: t for n, t in before.items() if n != "of_table"
    }
    assert states()["views.codes"] == "cannot be read"
    assert "no such" in reasons()["views.codes"]
    declare("Codes", "SELECT 1 AS id")
    assert sync() == ["replace views.codes"]
    assert states() == {"views.codes": "synced", "views.counted": "synced"}
    assert migrate() == ""


def test_a_migration_that_goes_back_makes_views_fit_again(file, package):
    package.add('migrations.RemoveField("item", "code"),'.replace("code", "price"))
    package.add('migrations.AlterField("item", "title", models.TextField()),')
    declare("Priced", "SELECT price FROM shop_item")
    sync()
    before = file.texts("view", "trigger")
    assert "views.priced: It cannot be read" in migrate("0002")
    assert migrate() == ""
    file.run("DELETE FROM shop_item")
    assert migrate("0001") == ""
    assert file.texts("view", "trigger") == before
    assert sync() == []
    assert file.run("SELECT * FROM views_priced") == []


def test_a_view_with_names_in_double_quotes_keeps_its_text(file, package):
    """SQLite would make a string of the name of the column that is gone, when it drops the next one."""
    theirs = 'CREATE VIEW quoted AS SELECT "title", "it is a string" AS s FROM shop_item'
    file.run(theirs)
    package.add('migrations.RemoveField("item", "title"),')
    package.add('migrations.RemoveField("item", "price"),')
    assert migrate() == ""
    assert file.texts()["quoted"] == theirs


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python cannot have SQLite tell names from strings")
def test_a_column_in_double_quotes_that_is_gone_is_noticed(file, package):
    file.run('CREATE VIEW quoted AS SELECT "title" FROM shop_item')
    package.add('migrations.RemoveField("item", "title"),')
    assert migrate().startswith("quoted: It cannot be read: SQLite says: no such column")


@pytest.mark.parametrize("atomic", [True, False], ids=["atomic", "not atomic"])
def test_views_are_there_after_a_migration_that_fails(file, package, atomic):
    package.add(REMAKING["AlterField"])
    package.add(
        REMAKING["AddField"] + 'migrations.RemoveField("item", "code"),migrations.RunPython(explode),',
        atomic=atomic,
    )
    before = file.texts("view", "trigger")
    with pytest.raises(ZeroDivisionError):
        migrate()
    assert file.texts("view", "trigger") == before
    assert states()["views.codes"] == ("synced" if atomic else "cannot be read")


def test_a_statement_that_fails_without_views_too_fails_as_before(file, package):
    package.add('migrations.RunSQL("ALTER TABLE nowhere RENAME TO somewhere"),')
    before = file.texts("view", "trigger")
    with pytest.raises(Exception, match="no such table: nowhere"):
        migrate()
    assert file.texts("view", "trigger") == before


def test_migrations_that_tests_run_without_signals(file, package):
    package.add(REMAKING["AlterField"])
    before = file.texts("view", "trigger")
    executor = MigrationExecutor(connections[ALIAS])
    executor.migrate([("shop", "0002")])
    assert file.texts("view", "trigger") == before


def test_whoever_else_wraps_statements_gets_their_own_wrapper_back(file, package):
    package.add(REMAKING["AlterField"])
    connections[ALIAS].execute_wrappers.clear()
    with connections[ALIAS].execute_wrapper(lambda execute, *arguments: execute(*arguments)):
        assert migrate() == ""
    assert connections[ALIAS].execute_wrappers == [STEP_ASIDE]


@pytest.mark.parametrize("option", ["plan", "check_unapplied", "fake"])
def test_what_changes_nothing(file, package, option):
    package.add(REMAKING["AlterField"])
    before = file.texts("view", "trigger")
    with pytest.raises(SystemExit) if option == "check_unapplied" else nullcontext():
        assert migrate(**{option: True}) == ""
    assert file.texts("view", "trigger") == before


def test_views_are_synced_after_the_migrations_if_the_project_has_it_so(file, package, settings):
    settings.ORM_VIEWS = {"SYNC_ON_MIGRATE": True}
    package.add('migrations.RemoveField("item", "code"),')
    declare("Codes", "SELECT id, title AS code FROM shop_item")
    said = migrate()
    assert [line.partition(":")[0] for line in said.splitlines()] == ["theirs", "theirs_too"]
    assert file.run("SELECT * FROM views_codes") == [(1, "A")]
    assert states() == {"views.codes": "synced", "views.counted": "synced"}


def test_migrate_views_migrates_and_syncs(file, package):
    package.add('migrations.RemoveField("item", "code"),')
    declare("Codes", "SELECT id, title AS code FROM shop_item")
    said = migrate(command="migrate_views")
    assert [line.partition(":")[0] for line in said.splitlines() if "cannot be read" in line][:2] == [
        "theirs",
        "theirs_too",
    ]
    assert file.run("SELECT * FROM views_codes") == [(1, "A")]
    assert states() == {"views.codes": "synced", "views.counted": "synced"}
    assert file.texts()["theirs"] == THEIRS["theirs"]
