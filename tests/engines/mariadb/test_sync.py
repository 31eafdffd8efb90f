"""Syncs of a MariaDB: what is created, replaced and dropped, and what is left alone."""

from __future__ import annotations

import pytest
from django.db import connections, transaction

from orm_views_core.exceptions import InvalidViewError, InvalidViewsError, PlanBlockedError, ViewSQLError
from orm_views_core.status import get_detail
from orm_views_core.sync import sync_views

from .server import declare, plan, reasons, states, sync, warnings

pytestmark = pytest.mark.usefixtures("server", "registered")

STATE = "orm_views_sync_state"


def test_a_second_sync_finds_nothing_to_do(server):
    declare("One", "SELECT id, code FROM item")
    declare("Two", "SELECT count(*) AS n FROM views.one")
    assert sync() == ["create views.one", "create views.two"]
    assert sync() == plan() == []
    assert states() == {"views.one": "synced", "views.two": "synced"}
    assert server.run("SELECT n FROM views_two") == [(2,)]


def test_the_table_of_states_comes_with_the_first_view(server, registered):
    assert sync() == []
    assert STATE not in server.relations()
    view = declare("One", "SELECT id FROM item")
    sync()
    assert server.run(f"SELECT name, view FROM {STATE}") == [("views_one", "views.one")]
    registered.unregister(view)
    assert sync(allow_drop_all=True) == ["drop views.one"]
    assert server.run(f"SELECT name FROM {STATE}") == []


ODD = ["with `backticks`", 'with "quotes"', "*/ SELECT 1; --", "ünïcödé", "Capital", "100%", "it's", "a.b"]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("schema", ["views", "Other */ schema", "a.b"])
def test_odd_names(server, registered, name, schema):
    view = declare("Odd", "SELECT id FROM item", name=name, schema=schema)
    declare("Reader", "SELECT 1 AS x", view_dependencies=[view])
    assert sync() == [f"create {schema}.{name}", "create views.reader"]
    assert f"{schema}_{name}".lower() in {each.lower() for each in server.views()}
    assert sync() == []
    declare("Reader", f"SELECT id FROM `{schema.replace('`', '``')}`.`{name.replace('`', '``')}`")
    assert sync() == ["replace views.reader"]
    registered.unregister(view)
    declare("Odd", "SELECT code FROM item", name=name, schema=schema)
    with pytest.raises(ViewSQLError, match="Reader"):
        plan()


def test_what_was_recorded_of_a_view_that_is_gone_is_forgotten(server, registered):
    view = declare("One", "SELECT id FROM item")
    declare("Two", "SELECT id FROM item")
    sync()
    server.run("DROP VIEW views_one")
    registered.unregister(view)
    assert sync() == []
    assert server.run(f"SELECT name FROM {STATE}") == [("views_two",)]


def test_what_was_changed_by_hand_is_put_back(server):
    declare("One", "SELECT id FROM item")
    sync()
    before = server.views()
    server.run("CREATE OR REPLACE VIEW views_one AS SELECT 7 AS id")
    assert states() == {"views.one": "drifted"}
    assert sync() == ["replace views.one"]
    assert server.views() == before


@pytest.mark.parametrize("option", ["SQL SECURITY INVOKER", "ALGORITHM = TEMPTABLE"])
def test_an_option_that_was_changed_by_hand_is_put_back(server, option):
    declare("One", "SELECT id FROM item")
    sync()
    server.run(f"ALTER {option} VIEW views_one AS SELECT id FROM item")
    assert states() == {"views.one": "drifted"}
    assert sync() == ["replace views.one"]
    assert sync() == []


def test_what_somebody_created_as_its_class_says_is_adopted(server):
    declare("One", "SELECT id FROM item")
    server.run("CREATE VIEW views_one AS SELECT `id` FROM `item`")
    before = server.views()
    assert sync() == ["adopt views.one"]
    assert server.views() == before
    assert sync() == []


def test_a_dump_that_was_restored_into_another_database_is_as_recorded(server):
    declare("One", "SELECT id FROM item")
    declare("Two", "SELECT o.id, item.code FROM views.one o JOIN item ON item.id = o.id")
    sync()
    other = f"{server.name}_restored"
    connections["default"].close()
    try:
        server.run(f"CREATE DATABASE {other}")
        for table in ("item", STATE):
            server.run(f"CREATE TABLE {other}.{table} SELECT * FROM {table}")
        with server.connection() as cursor:
            for view in ("views_one", "views_two"):
                cursor.execute(f"SHOW CREATE VIEW {view}")
                text = cursor.fetchone()[1]
                cursor.execute(f"USE {other}")
                cursor.execute(text)
                cursor.execute(f"USE {server.name}")
        connections["default"].settings_dict["NAME"] = other
        assert states() == {"views.one": "synced", "views.two": "synced"}
        assert sync() == []
    finally:
        connections["default"].close()
        connections["default"].settings_dict["NAME"] = other.removesuffix("_restored")
        server.run(f"DROP DATABASE {other}")


def test_a_base_column_that_is_gone_is_found(server):
    declare("One", "SELECT id, price FROM item")
    declare("Two", "SELECT id FROM views.one")
    declare("Three", "SELECT code FROM item")
    sync()
    server.run("ALTER TABLE item DROP COLUMN price")
    assert states() == {
        "views.one": "cannot be read",
        "views.two": "cannot be read",
        "views.three": "synced",
    }
    assert "price" in reasons()["views.one"]
    assert "views_one" in reasons()["views.two"]
    assert plan() == []
    assert [line.partition(":")[0] for line in warnings()] == ["views.one", "views.two"]
    server.run("ALTER TABLE item ADD COLUMN price int")
    assert set(states().values()) == {"synced"}


def test_why_a_view_is_broken_is_found_whatever_its_text(server):
    declare("One", "SELECT id, price, 'a\nb' AS x,\n1 +\n 1 FROM item WHERE price > 1", check_option="local")
    assert sync() == ["create views.one"]
    assert sync() == []
    server.run("ALTER TABLE item DROP COLUMN price")
    assert "Unknown column 'item.price'" in reasons()["views.one"]


def test_looking_at_a_broken_view_commits_nothing(server):
    declare("One", "SELECT price FROM item")
    sync()
    server.run("ALTER TABLE item DROP COLUMN price")
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("INSERT INTO item (id) VALUES (3)")
        assert states() == {"views.one": "cannot be read"}
        transaction.set_rollback(True)
    assert server.run("SELECT count(*) FROM item") == [(2,)]


def test_wrong_sql_is_named_and_nothing_is_changed(server):
    declare("One", "SELECT id FROM item")
    sync()
    before = server.views()
    declare("One", "SELECT code FROM item")
    declare("Two", "SELECT wrong FROM views.one")
    with pytest.raises(ViewSQLError, match=r"(?s)Two.*server\.py, line.*MariaDB refuses its SQL.*wrong"):
        sync()
    assert states() == {"views.one": "changed", "views.two": "invalid"}
    assert server.views() == before


def test_what_is_said_of_wrong_sql_does_not_name_the_views_that_are_tried(server):
    declare("One", "SELECT id FROM item")
    declare("Two", "SELECT views_one.wrong FROM views_one")
    with pytest.raises(ViewSQLError) as refused:
        sync()
    assert "Unknown column 'views_one.wrong'" in str(refused.value)


def test_several_wrong_views_are_all_named(server):
    declare("One", "SELECT wrong FROM item")
    declare("Two", "SELECT FROM item")
    with pytest.raises(InvalidViewsError, match=r"(?s)One.*Two"):
        sync()
    assert server.views() == {}


def test_a_name_that_is_too_long_is_refused_in_words(server):
    declare("One", "SELECT 1 AS x", name="x" * 60)
    with pytest.raises(ViewSQLError, match="66 characters, and 64 are possible"):
        sync()


def test_a_table_in_the_place_of_a_view_stays(server):
    declare("One", "SELECT id FROM item")
    server.run("CREATE TABLE views_one (id int)")
    with pytest.raises(PlanBlockedError, match="belongs to a table"):
        sync()
    assert server.relations()["views_one"] == "BASE TABLE"


def test_the_readers_of_a_dropped_view_change_first(server, registered):
    bottom = declare("Bottom", "SELECT id FROM item")
    declare("Reader", "SELECT id FROM views.bottom")
    sync()
    registered.unregister(bottom)
    declare("Reader", "SELECT id FROM item")
    assert sync() == ["replace views.reader", "drop views.bottom"]


def test_a_star_follows_what_it_reads(server):
    declare("One", "SELECT * FROM item")
    declare("Two", "SELECT * FROM views.one")
    declare("Three", "SELECT id FROM item")
    sync()
    assert sync() == []
    server.run("ALTER TABLE item ADD COLUMN size int")
    assert states() == {"views.one": "changed", "views.two": "synced", "views.three": "synced"}
    assert sync() == ["replace views.one", "replace views.two"]
    assert [column.name for column in get_detail("default", _name("two")).columns][-1] == "size"
    assert sync() == []
    server.run("ALTER TABLE item DROP COLUMN size")
    assert sync() == ["replace views.one", "replace views.two"]
    assert set(states().values()) == {"synced"}


def _name(name):
    from orm_views_core.names import ViewName

    return ViewName("views", name)


@pytest.mark.parametrize(("value", "stored"), [(True, "INVOKER NONE"), (False, "DEFINER NONE")])
def test_security_is_an_option_of_a_class(server, value, stored):
    declare("One", "SELECT id FROM item", security_invoker=value)
    assert sync() == ["create views.one"]
    assert server.views()["views_one"].startswith(stored)
    assert sync() == []
    declare("One", "SELECT id FROM item", security_invoker=not value)
    assert sync() == ["replace views.one"]


@pytest.mark.parametrize("check", ["local", "cascaded"])
def test_a_check_is_an_option_of_a_class(server, check):
    declare(
        "One", "SELECT id, price FROM item WHERE price > 1 -- not free", check_option=check, updatable=True
    )
    assert sync() == ["create views.one"]
    assert server.views()["views_one"].startswith(f"DEFINER {check.upper()}")
    assert sync() == []


def test_an_option_that_mariadb_lacks_is_refused_in_words(server):
    declare("One", "SELECT id FROM item", security_barrier=True)
    with pytest.raises(InvalidViewError, match="security_barrier, and MariaDB has no such option"):
        sync()


def test_the_columns_of_a_class_are_those_of_the_view(server):
    from django.db.models import Value

    from orm_views_core.views import ViewFromQueryset
    from tests.engines.shop.models import Parcel

    def get_queryset(cls):
        return Parcel.objects.annotate(a_b=Value("x")).values("shelf", "a_b")

    body = {"name": "one", "__module__": __name__, "get_queryset": classmethod(get_queryset)}
    type("One", (ViewFromQueryset,), body)
    assert sync() == ["create views.one"]
    assert [column.name for column in get_detail("default", _name("one")).columns] == ["shelf", "a_b"]
    assert sync() == []


def test_a_plan_says_that_each_view_is_committed_by_itself(server):
    declare("One", "SELECT id FROM item")
    (result,) = sync_views(databases=["default"])
    assert "commits each view by itself" in str(result.plan.warnings[0])
    assert warnings() == []


def test_what_no_sync_writes_is_no_state(server):
    declare("One", "SELECT id FROM item")
    sync()
    server.run(f"UPDATE {STATE} SET state = 'nonsense'")
    assert states() == {"views.one": "changed"}
    server.run(f"UPDATE {STATE} SET view = 'a.b.c'")
    assert sync() == ["adopt views.one"]
    assert states() == {"views.one": "synced"}
