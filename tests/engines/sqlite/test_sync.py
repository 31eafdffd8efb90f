"""Syncs of a file: what is created, replaced and dropped, and what is left alone."""

from __future__ import annotations

import gc
import re

import pytest
from django.db import connections, transaction

from orm_views_core.exceptions import (
    CyclicDependencyError,
    DatabaseUnavailableError,
    DuplicateViewError,
    InvalidViewsError,
    LockNotAvailableError,
    OrmViewsError,
    PlanBlockedError,
    SyncFailedError,
    ViewSQLError,
)
from orm_views_core.sync import plan_views, sync_views

from .files import ALIAS, declare, plan, reasons, states, sync

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture(autouse=True)
def items(file):
    """A table with a row."""
    file.run("CREATE TABLE item (id integer PRIMARY KEY, code text, price real)")
    file.run("INSERT INTO item VALUES (1, 'one', 1.5)")


def test_a_second_sync_finds_nothing_to_do(file):
    declare("One", "SELECT id, code FROM item")
    declare("Two", "SELECT count(*) AS n FROM views.one")
    assert sync() == ["create views.one", "create views.two"]
    assert sync() == plan() == []
    assert states() == {"views.one": "synced", "views.two": "synced"}
    assert file.run('SELECT n FROM "views_two"') == [(1,)]


ODD = [
    'with "quotes"',
    "*/ SELECT 1; --",
    "ünïcödé",
    "Capital",
    "x" * 63,
    "a.b",
    "100%",
    "it's",
    "[a] `b`",
    "[orm_views x]",
]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("schema", ["views", "Other */ schema"])
def test_odd_names(file, registered, name, schema):
    view = declare("Odd", "SELECT id FROM item", name=name, schema=schema)
    quoted = name.replace('"', '""')
    declare("Reader", f'SELECT id FROM "{schema}"."{quoted}"')
    declare("Other", "SELECT 1 AS a", schema=schema)
    assert len(sync()) == 3
    assert sync() == []
    assert file.run("SELECT id FROM views_reader") == [(1,)]
    registered.unregister(view)
    with pytest.raises(
        ViewSQLError, match=r"Reader \(.*\.py, line \d+\): SQLite refuses its SQL: no such table"
    ):
        sync()
    declare("Reader", "SELECT 1 AS id")
    assert len(sync()) == 2
    assert set(file.texts()) == {"views_reader", f"{schema}_other"}


@pytest.mark.parametrize("end", ["-- line", "/* block */", "-- it's 100%%", "/* open", ";", "; -- after"])
def test_sql_that_ends_with_a_comment(file, end):
    declare("Commented", f"SELECT id FROM item {end}")
    assert sync() == ["create views.commented"]
    assert sync() == []
    assert file.run("SELECT * FROM views_commented") == [(1,)]


def test_sql_that_ends_like_a_sync_state(file):
    declare("Commented", "SELECT id FROM item\n/* views.commented [orm_views a b smx1izs9l] */")
    assert sync() == ["create views.commented"]
    assert sync() == []


def test_what_was_changed_by_hand_is_replaced(file):
    declare("One", "SELECT id FROM item")
    sync()
    was = file.texts()
    comment = was["views_one"].rpartition("\n")[2]
    file.run('DROP VIEW "views_one"')
    file.run(f'CREATE VIEW "views_one" AS SELECT 7 AS id\n{comment}')
    assert states() == {"views.one": "drifted"}
    assert sync() == ["replace views.one"]
    assert file.run('SELECT * FROM "views_one"') == [(1,)]


def test_an_orphan_is_dropped(file, registered):
    view = declare("One", "SELECT id FROM item")
    declare("Two", "SELECT id FROM item")
    sync()
    registered.unregister(view)
    assert states() == {"views.one": "orphaned", "views.two": "synced"}
    assert sync() == ["drop views.one"]
    assert list(file.texts()) == ["views_two"]


def test_wrong_sql_is_named_with_its_file_and_line_and_nothing_is_changed(file):
    declare("First", "SELECT id FROM item")
    sync()
    before = file.texts()
    declare("First", "SELECT code FROM item")
    declare("Wrong", "SELECT nowhere FROM item")
    with pytest.raises(ViewSQLError, match=r"Wrong \(tests/.*\.py, line \d+\): SQLite refuses"):
        sync()
    assert file.texts() == before


@pytest.mark.parametrize("sql", ['SELECT "nowhere" FROM item', 'SELECT id FROM item WHERE code = "one"'])
def test_a_name_in_double_quotes_is_no_string(file, sql):
    """SQLite takes it for one when there is no such column."""
    assert len(file.run(sql)) == 1
    declare("Wrong", sql)
    with pytest.raises(ViewSQLError, match=r"Wrong \(.*, line \d+\): SQLite refuses .* no such column"):
        sync()
    declare("Wrong", 'SELECT "id" AS "an id", "code" "a code" FROM "item" ORDER BY "an id"')
    assert sync() == ["create views.wrong"]
    assert sync() == []
    assert file.run('SELECT "an id", "a code" FROM views_wrong') == [(1, "one")]
    file.run("DROP TABLE item")
    file.run("CREATE TABLE item (id integer PRIMARY KEY)")
    assert states() == {"views.wrong": "cannot be read"}


def test_what_sqlite_refuses_besides_the_sql_of_views_is_named_and_all_is_rolled_back(file):
    declare("First", "SELECT id FROM item")
    declare("Second", "SELECT id FROM item")
    sync()
    before = file.texts()
    declare("First", "SELECT code FROM item")
    declare("Second", "SELECT code FROM item")
    why = r"Second \(.*, line \d+\) could not be changed.* Nothing was changed"
    with connections[ALIAS].execute_wrapper(_refuse_drop), pytest.raises(SyncFailedError, match=why):
        sync()
    assert file.texts() == before
    assert sync() == ["replace views.first", "replace views.second"]


def _refuse_drop(execute, sql, params, many, context):
    """Have SQLite refuse the second drop, as a full disk would."""
    if sql == 'DROP VIEW main."views_second"':
        sql = 'DROP VIEW main."views_nowhere"'
    return execute(sql, params, many, context)


def test_an_orphan_that_cannot_be_dropped_is_named(file, registered):
    view = declare("Second", "SELECT id FROM item")
    declare("First", "SELECT id FROM item")
    sync()
    before = file.texts()
    registered.unregister(view)
    why = "views.second could not be changed. SQLite says: no such view.* Nothing was changed"
    with connections[ALIAS].execute_wrapper(_refuse_drop), pytest.raises(SyncFailedError, match=why):
        sync()
    assert file.texts() == before


def test_an_index_with_the_name_of_a_view(file):
    declare("First", "SELECT id FROM item")
    declare("One", "SELECT id FROM item")
    file.run("CREATE INDEX views_one ON item (code)")
    with pytest.raises(ViewSQLError, match=r"One \(.*, line \d+\): SQLite refuses .*index.*views_one"):
        sync()
    assert file.texts() == {}


def test_triggers_of_a_view_stay(file):
    declare("One", "SELECT id, code FROM item")
    sync()
    trigger = (
        "CREATE TRIGGER put INSTEAD OF INSERT ON VIEWS_one BEGIN "
        "INSERT INTO item (id, code) VALUES (NEW.id, NEW.code); END"
    )
    file.run(trigger)
    declare("One", "SELECT id, code, price FROM item")
    assert sync() == ["replace views.one"]
    assert file.texts("trigger") == {"put": trigger}
    file.run("INSERT INTO views_one (id, code) VALUES (2, 'two')")
    assert file.run("SELECT count(*) FROM item") == [(2,)]
    assert sync(force=True) == ["replace views.one"]
    assert file.texts("trigger") == {"put": trigger}


def test_views_of_others_are_left_alone(file, registered):
    theirs = {
        "theirs": 'CREATE VIEW theirs AS SELECT id FROM "views_one"',
        "views_looks_like_ours": "CREATE VIEW views_looks_like_ours AS SELECT 1 AS a",
        "broken": "CREATE VIEW broken AS SELECT * FROM nowhere",
    }
    view = declare("One", "SELECT id FROM item")
    sync()
    for sql in theirs.values():
        file.run(sql)
    assert states() == {"views.one": "synced"}
    declare("One", "SELECT id, code FROM item")
    assert sync() == ["replace views.one"]
    assert theirs.items() <= file.texts().items()
    registered.unregister(view)
    declare("Two", "SELECT id FROM item")
    file.run("DROP VIEW theirs")
    assert sync() == ["drop views.one", "create views.two"]
    assert file.texts()["broken"] == theirs["broken"]


@pytest.mark.parametrize("has_temporary", [False, True])
def test_views_of_others_that_will_break_are_named_in_the_plan(file, has_temporary):
    declare("One", "SELECT id, code FROM item")
    sync()
    theirs = "CREATE VIEW theirs AS SELECT code FROM views_one"
    file.run(theirs)
    file.run("CREATE VIEW theirs_too AS SELECT * FROM theirs")
    file.run("CREATE VIEW broken AS SELECT nowhere FROM views_one")
    if has_temporary:
        file.run("CREATE TEMP TABLE thing (x)")
    declare("One", "SELECT id, price FROM item")
    (made,) = plan_views(databases=[ALIAS])
    assert [str(warning) for warning in made.warnings] == [
        f"{name}, which no class declares, will break. It cannot be read: SQLite says: no such column: code. "
        "Change it too."
        for name in ("theirs", "theirs_too")
    ]
    assert sync() == ["replace views.one"]
    assert file.texts()["theirs"] == theirs
    declare("One", "SELECT id, code, price FROM item")
    (made,) = plan_views(databases=[ALIAS])
    assert made.warnings == ()


def test_a_sync_state_that_names_another_view_is_ignored(file):
    """A copy of a view has its comment too. It is the copy of somebody."""
    declare("One", "SELECT id FROM item")
    sync()
    text = file.texts()["views_one"]
    copy = text.replace('VIEW "views_one"', 'VIEW "views_copy"')
    file.run(copy)
    assert states() == {"views.one": "synced"}
    assert sync() == []
    assert file.texts()["views_copy"] == copy


def test_a_sync_state_that_names_another_view_is_not_believed_of_a_registered_one(file):
    declare("One", "SELECT id FROM item")
    sync()
    text = file.texts()["views_one"]
    file.run('DROP VIEW "views_one"')
    file.run(text.replace("/* views.one ", "/* views.other "))
    assert states() == {"views.one": "changed"}
    assert sync() == ["replace views.one"]
    assert file.texts()["views_one"].count("orm_views") == 1


def test_a_sync_state_that_no_sync_writes_is_none(file):
    declare("One", "SELECT id FROM item")
    sync()
    text = file.texts()["views_one"]
    file.run('DROP VIEW "views_one"')
    file.run(text.replace(" smx", " s?!"))
    assert states() == {"views.one": "changed"}
    assert sync() == ["replace views.one"]
    assert file.texts()["views_one"].count("orm_views") == 1


@pytest.mark.parametrize("schema", ["main", "temp"])
def test_a_schema_called_like_one_of_sqlite_is_not_that_one(file, registered, schema):
    """`main.one` of a class is `main_one`, and `one` is somebody's."""
    view = declare("One", "SELECT id FROM item", schema=schema)
    file.run("CREATE VIEW one AS SELECT 'theirs' AS id")
    assert sync() == [f"create {schema}.one"]
    assert sync() == []
    registered.unregister(view)
    declare("Two", "SELECT id FROM item", schema=schema)
    assert sync() == [f"drop {schema}.one", f"create {schema}.two"]
    assert file.run("SELECT * FROM one") == [("theirs",)]


def test_letters_that_sqlite_tells_apart(file):
    declare("Small", "SELECT id FROM item", name="ä")
    file.run('CREATE VIEW "views_Ä" AS SELECT 1 AS theirs')
    assert sync() == ["create views.ä"]
    assert sync() == []
    assert file.run('SELECT * FROM "views_Ä"') == [(1,)]


def test_a_table_with_the_name_of_a_view(file):
    declare("One", "SELECT id FROM item")
    file.run("CREATE TABLE VIEWS_one (x)")
    assert states() == {"views.one": "wrong kind"}
    with pytest.raises(
        PlanBlockedError, match=r"One \(.*, line \d+\): the name of views.one belongs to a table"
    ):
        sync()


def test_two_views_with_one_name(file):
    declare("One", "SELECT 1 AS a", schema="a_b", name="c")
    declare("Two", "SELECT 2 AS a", schema="a", name="b_c")
    with pytest.raises(DuplicateViewError, match=r"a_b_c"):
        sync()
    assert file.texts() == {}


def test_a_base_column_that_is_gone(file):
    declare("One", "SELECT code FROM item")
    declare("Two", "SELECT code FROM views.one")
    declare("Three", "SELECT id FROM item")
    sync()
    file.run("DROP TABLE item")
    file.run("CREATE TABLE item (id integer PRIMARY KEY)")
    assert states() == {
        "views.one": "cannot be read",
        "views.two": "cannot be read",
        "views.three": "synced",
    }
    assert "no such column: code" in reasons()["views.one"]
    declare("One", "SELECT code AS c FROM item")
    with pytest.raises(InvalidViewsError) as refused:
        sync(views=["one"])
    for name, line in zip(("One", "Two"), str(refused.value).splitlines(), strict=True):
        assert re.fullmatch(
            rf"tests\.{name} \(.*, line \d+\): SQLite refuses its SQL: no such column: code.", line
        )


@pytest.mark.parametrize("top", ["changed", "new"])
def test_a_view_between_two_that_cannot_be_read_before_the_sync(file, top):
    """`two` is as its class says. What it reads was dropped, and what reads it changes in the same sync."""
    declare("One", "SELECT id FROM item")
    declare("Two", "SELECT id FROM views.one")
    if top == "changed":
        declare("Three", "SELECT id FROM views.two")
    sync()
    file.run("DROP VIEW views_one")
    declare("Three", "SELECT id + 1 AS id FROM views.two")
    expected = ["create views.one", f"{'replace' if top == 'changed' else 'create'} views.three"]
    assert plan() == expected
    assert "invalid" not in states().values()
    assert sync() == expected
    assert sync() == []
    assert file.run("SELECT * FROM views_three") == [(2,)]


def test_views_that_read_one_another_in_a_circle(file):
    declare("One", "SELECT * FROM views.two")
    declare("Two", "SELECT * FROM views.one")
    with pytest.raises(CyclicDependencyError, match=r"views.one → views.two → views.one"):
        sync()
    file.run('CREATE VIEW "views_one" AS SELECT * FROM "views_two"')
    file.run('CREATE VIEW "views_two" AS SELECT * FROM "views_one"')
    declare("One", "SELECT 1 AS a")
    declare("Two", "SELECT a FROM views.one")
    assert sync() == ["replace views.one", "replace views.two"]


def test_a_view_that_an_orphan_was_for_is_named(file, registered):
    view = declare("One", "SELECT id, code FROM item")
    declare("Two", "SELECT id FROM views.one")
    sync()
    registered.unregister(view)
    declare("Two", 'SELECT code FROM "views_one"')
    with pytest.raises(PlanBlockedError, match=r"views.one has to be dropped.*Two \(.*, line \d+\)"):
        sync()


@pytest.mark.parametrize("what", ["TABLE item (id, code)", "VIEW views_one AS SELECT 'temporary' AS id"])
def test_what_is_temporary_is_not_taken_for_what_is_in_the_file(file, what):
    declare("One", "SELECT id, price FROM item")
    file.run(f"CREATE TEMP {what}")
    assert plan() == ["create views.one"]
    assert sync() == ["create views.one"]
    declare("One", "SELECT id, nowhere FROM item")
    with pytest.raises(ViewSQLError, match="no such column: nowhere"):
        sync()
    declare("One", "SELECT id, code FROM item")
    assert sync() == ["replace views.one"]
    assert sync() == []
    assert file.run("SELECT * FROM main.views_one") == [(1, "one")]
    assert len(file.run("SELECT name FROM temp.sqlite_master")) == 1


def test_a_view_cannot_read_an_attached_database(file, tmp_path):
    file.run(f"ATTACH '{tmp_path / 'other.sqlite3'}' AS other")
    file.run("CREATE TABLE other.thing (id)")
    declare("Mine", "SELECT id FROM item")
    assert sync() == ["create views.mine"]
    declare("Theirs", "SELECT id FROM other.thing")
    for run in (plan, sync):
        with pytest.raises(ViewSQLError, match=r"Theirs \(.*, line \d+\): SQLite refuses .* database other"):
            run()
    assert list(file.texts()) == ["views_mine"]


def test_a_file_that_another_process_writes_to(file, settings):
    settings.ORM_VIEWS = {"LOCK_WAIT": 0.1}
    declare("One", "SELECT id FROM item")
    with file.elsewhere() as other:
        other.execute("BEGIN IMMEDIATE")
        assert plan() == ["create views.one"]
        with pytest.raises(LockNotAvailableError, match=r"'fresh': SQLite could not write .* 0.1 s"):
            sync()
        other.execute("ROLLBACK")
    assert connections[ALIAS].transaction_mode is None
    assert file.run("PRAGMA busy_timeout") == [(5000,)]
    assert sync() == ["create views.one"]


def test_a_file_that_another_process_reads_until_the_commit(file, settings):
    settings.ORM_VIEWS = {"LOCK_WAIT": 0.1}
    declare("One", "SELECT id FROM item")
    with file.elsewhere() as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM item").fetchall()
        with pytest.raises(LockNotAvailableError, match="reading or writing"):
            sync()
        other.execute("ROLLBACK")
    assert file.texts() == {}
    assert not connections[ALIAS].in_atomic_block
    assert sync() == ["create views.one"]


def test_a_file_that_is_read_only(file, settings):
    settings.ORM_VIEWS = {"LOCK_WAIT": 0.1}
    declare("One", "SELECT id FROM item")
    connections[ALIAS].close()
    there = connections.settings[ALIAS]
    connections.settings[ALIAS] = {
        **there,
        "NAME": f"file:{file.path}?mode=ro",
        "OPTIONS": {"uri": True},
    }
    del connections[ALIAS]
    assert plan() == ["create views.one"]
    assert states() == {"views.one": "missing"}
    with pytest.raises(SyncFailedError, match=r"One \(.*, line \d+\) .*Nothing was changed"):
        sync()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Django leaves it open
@pytest.mark.parametrize(
    "options", [{}, {"init_command": "PRAGMA synchronous = OFF"}], ids=["", "init_command"]
)
def test_a_file_that_is_none(file, options):
    """It is found out when Django connects, or with the first statement."""
    connections[ALIAS].close()
    connections.settings[ALIAS] = {**connections.settings[ALIAS], "OPTIONS": options}
    del connections[ALIAS]
    declare("One", "SELECT 1 AS a")
    file.path.write_text("no database" * 1000)
    assert states() == {"views.one": "cannot be read"}
    assert "file is not a database" in reasons()["views.one"]
    for run in (plan, sync):
        with pytest.raises(OrmViewsError, match=r"'fresh'.*file is not a database"):
            run()
    gc.collect()


def test_a_file_that_another_process_writes_to_while_views_are_tried_in_it(file):
    declare("One", "SELECT id FROM item")
    connections.settings[ALIAS] = {**connections.settings[ALIAS], "OPTIONS": {"timeout": 0.1}}
    connections[ALIAS].close()
    del connections[ALIAS]
    file.run("CREATE TEMP TABLE thing (x)")
    with file.elsewhere() as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailableError, match=r"'fresh'.* cannot be read: .*locked"):
            plan()
        other.execute("ROLLBACK")
    assert plan() == ["create views.one"]


def test_a_sync_inside_a_transaction_of_the_caller(file):
    declare("One", "SELECT id FROM item")
    with transaction.atomic(using=ALIAS):
        file.run("INSERT INTO item VALUES (2, 'two', 2)")
        assert sync() == ["create views.one"]
        assert file.run("SELECT count(*) FROM views_one") == [(2,)]
        declare("Wrong", "SELECT nowhere FROM item")
        with pytest.raises(ViewSQLError):
            sync()
        assert file.run("SELECT count(*) FROM views_one") == [(2,)]
        transaction.set_rollback(True, using=ALIAS)
    assert file.texts() == {}
    assert file.run("SELECT count(*) FROM item") == [(1,)]


def test_a_sync_inside_a_test_case(db, registered):
    view = declare("One", "SELECT id FROM shop_parcel", database="default")
    (result,) = sync_views(databases=["default"])
    assert [step.step.target for step in result.steps] == ["views.one"]
    registered.unregister(view)
    declare("Two", "SELECT id FROM shop_parcel", database="default")
    (result,) = sync_views(databases=["default"])
    assert [step.step.action.verb for step in result.steps] == ["drop", "create"]


def test_a_transaction_of_the_caller_that_cannot_be_written_in(file):
    connections.settings[ALIAS] = {**connections.settings[ALIAS], "OPTIONS": {"timeout": 0.1}}
    connections[ALIAS].close()
    del connections[ALIAS]
    declare("One", "SELECT id FROM item")
    with file.elsewhere() as other:
        other.execute("BEGIN IMMEDIATE")
        with transaction.atomic(using=ALIAS):
            file.run("SELECT * FROM item")
            with pytest.raises(SyncFailedError, match=r"One \(.*, line \d+\) could not be changed.*locked"):
                sync()
        other.execute("ROLLBACK")
    assert sync() == ["create views.one"]


def test_a_transaction_that_django_does_not_begin(file):
    """Without autocommit, SQLite would commit each statement that creates a view."""
    declare("One", "SELECT id FROM item")
    transaction.set_autocommit(False, using=ALIAS)
    assert sync() == ["create views.one"]
    declare("Two", "SELECT id FROM item")
    declare("Wrong", "SELECT nowhere FROM item")
    with pytest.raises(ViewSQLError):
        sync()
    transaction.rollback(using=ALIAS)
    transaction.set_autocommit(True, using=ALIAS)
    assert list(file.texts()) == ["views_one"]


def test_a_file_that_is_restored_from_a_dump(file):
    declare("One", "SELECT id, code FROM item -- the end")
    sync()
    with file.elsewhere() as other:
        dump = "\n".join(other.iterdump())
    connections[ALIAS].close()
    file.path.unlink()
    with file.elsewhere() as other:
        other.executescript(dump)
    assert states() == {"views.one": "synced"}
    assert sync() == []


WAYS = [
    "SELECT id FROM views.one",
    'SELECT id FROM "views"."one"',
    "SELECT id FROM `views`.`one`",
    "SELECT id FROM [views].[one]",
    "SELECT id FROM VIEWS.One",
    "SELECT id FROM views . one",
    "SELECT one.id FROM views.one WHERE one.id = 1",
    "SELECT one.id FROM views.one, item WHERE item.id = one.id",
    "SELECT one.id FROM views.one LEFT JOIN item ON item.id = one.id",
    "SELECT views.one.id FROM views.one GROUP BY views.one.id",
    "SELECT o.id FROM views.one AS o WHERE o.id IN (SELECT one.id FROM views.one)",
    "SELECT one.id FROM views.one one ORDER BY one.id",
    "SELECT id FROM (SELECT one.* FROM views.one) UNION SELECT one.id FROM views.one",
    "WITH one AS (SELECT id FROM views.one) SELECT one.id FROM one",
    "SELECT id FROM views.one WHERE 'views.one' <> 'views_one' -- views.one",
    "SELECT id FROM views_one",
    "SELECT count(*) AS id FROM views.one",
    "SELECT id FROM item WHERE EXISTS (SELECT 1 FROM views.one)",
]


@pytest.mark.parametrize("sql", WAYS)
def test_ways_to_name_a_view_in_sql(file, sql):
    declare("Reader", sql)
    declare("One", "SELECT id, code FROM item")
    assert sync() == ["create views.one", "create views.reader"]
    assert sync() == []
    assert file.run("SELECT id FROM views_reader") == [(1,)]
    text = file.texts()["views_reader"]
    declare("One", "SELECT id FROM item")
    assert plan() == ["replace views.one"]
    file.run("DROP VIEW views_one")
    assert states()["views.reader"] == "cannot be read"
    assert ("'views.one'" in text) is ("'views.one'" in sql)
