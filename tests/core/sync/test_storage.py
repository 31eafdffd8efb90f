"""Where and how materialised views are stored is part of their classes."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import models

from orm_views_core.exceptions import InvalidViewError, ViewSQLError
from orm_views_core.status import get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL, ReadableViewFromSQL

pytestmark = pytest.mark.django_db
FAST = "the fast one"
PARAMETERS = {"fillfactor": 70, "autovacuum_enabled": False, "autovacuum_vacuum_scale_factor": 0.1}


def declare(sql="SELECT 1 AS id, 'a'::text AS city", *bases, **attributes):
    bases = bases or (PostgresMaterialisedViewMixin, PostgresViewFromSQL)
    return type("Stored", bases, {"sql": sql, "__module__": __name__, **attributes})


def done(**options):
    (plan,) = plan_views(**options)
    (result,) = sync_views(expected_fingerprint=plan.fingerprint, **options)
    assert result.plan.problems == ()
    assert plan_views()[0].is_empty
    return [step.action.verb for step in result.plan.steps if step.name.name]


@pytest.fixture
def stored(execute):
    """A function that returns the options of the view, and the tablespaces of the view and its indexes."""

    def stored():
        ((options,),) = execute("SELECT reloptions FROM pg_class WHERE oid = 'views.stored'::regclass")
        places = execute(
            "SELECT relname, spcname FROM pg_class c JOIN pg_tablespace t ON t.oid = reltablespace "
            "WHERE relnamespace = 'views'::regnamespace"
        )
        return sorted(options or []), dict(places)

    return stored


def oid(execute):
    return execute("SELECT 'views.stored'::regclass::oid")[0][0]


def test_storage_parameters_are_set_and_a_change_of_them_rebuilds_nothing(stored, execute):
    declare(storage_parameters=PARAMETERS)
    assert done() == ["create"]
    before = oid(execute)
    expected = ["autovacuum_enabled=false", "autovacuum_vacuum_scale_factor=0.1", "fillfactor=70"]
    assert stored() == (expected, {})
    declare(storage_parameters={"fillfactor": 80})
    assert done() == ["options"]
    assert stored() == (["fillfactor=80"], {})
    declare()
    assert done() == ["options"]
    assert stored() == ([], {})
    assert oid(execute) == before


def test_parameters_that_somebody_set_by_hand_stay_unless_the_class_sets_them(stored, execute):
    declare(storage_parameters={"fillfactor": 70})
    sync_views()
    execute("ALTER MATERIALIZED VIEW views.stored SET (autovacuum_enabled = off)")
    assert plan_views()[0].is_empty
    declare("SELECT 2 AS id, 'b'::text AS city", storage_parameters={"fillfactor": 70})
    assert done() == ["rebuild"]
    assert stored() == (["autovacuum_enabled=off", "fillfactor=70"], {})
    declare("SELECT 2 AS id, 'b'::text AS city", storage_parameters={"fillfactor": 60})
    assert done() == ["options"]
    assert stored() == (["autovacuum_enabled=off", "fillfactor=60"], {})


def test_a_parameter_of_the_class_that_somebody_changed_is_put_back(stored, execute):
    declare(storage_parameters={"fillfactor": 70})
    sync_views()
    execute("ALTER MATERIALIZED VIEW views.stored SET (fillfactor = 50)")
    (database,) = get_statuses()
    assert [view.state.value for view in database.views] == ["drifted"]
    assert done() == ["options"]
    assert stored() == (["fillfactor=70"], {})


def test_what_no_sync_has_recorded_gets_the_parameters_of_its_class(stored, execute):
    execute(
        "CREATE SCHEMA views; CREATE MATERIALIZED VIEW views.stored WITH (fillfactor = 50) AS SELECT 1 AS id"
    )
    declare("SELECT 1 AS id", storage_parameters={"fillfactor": 70})
    assert "options" in done()
    assert stored() == (["fillfactor=70"], {})


def test_a_rebuild_keeps_what_the_class_declares(tablespace, stored, execute):
    index = models.Index(fields=["city"], name="stored_city")
    attributes = {"db_tablespace": FAST, "storage_parameters": {"fillfactor": 70}, "indexes": [index]}
    declare(pk_field="id", **attributes)
    assert done() == ["create"]
    places = dict.fromkeys(["stored", "stored_id_key", "stored_city"], FAST)
    assert stored() == (["fillfactor=70"], places)
    declare("SELECT 2 AS id, 'b'::text AS city", pk_field="id", **attributes)
    assert done() == ["rebuild"]
    assert stored() == (["fillfactor=70"], places)
    assert execute("SELECT id FROM views.stored") == [(2,)]


@pytest.mark.parametrize("by_setting", [True, False])
def test_a_changed_tablespace_is_carried_out(by_setting, tablespace, stored, settings):
    attributes = {} if by_setting else {"db_tablespace": FAST}
    declare(pk_field="id")
    assert done() == ["create"]
    settings.DEFAULT_TABLESPACE = FAST if by_setting else ""
    declare(pk_field="id", **attributes)
    (plan,) = plan_views()
    assert [step.reason for step in plan.steps] == [
        "its class has changed: it moves to tablespace the fast one"
    ]
    assert done() == ["rebuild"]
    assert stored() == ([], {"stored": FAST, "stored_id_key": FAST})
    settings.DEFAULT_TABLESPACE = ""
    declare(pk_field="id")
    assert done() == ["rebuild"]
    assert stored() == ([], {})


@pytest.mark.parametrize("by_setting", [True, False])
def test_indexes_have_a_tablespace_of_their_own(by_setting, tablespace, stored, settings, execute):
    attributes = {"indexes": [models.Index(fields=["city"], name="stored_city")], "pk_field": "id"}
    declare(**attributes)
    sync_views()
    before = oid(execute)
    settings.DEFAULT_INDEX_TABLESPACE = FAST if by_setting else ""
    declare(**attributes, **({} if by_setting else {"index_tablespace": FAST}))
    assert done() == ["index"]
    assert stored() == ([], {"stored_city": FAST, "stored_id_key": FAST})
    settings.DEFAULT_INDEX_TABLESPACE = ""
    declare(**attributes)
    assert done() == ["index"]
    assert stored() == ([], {})
    declare(
        **{**attributes, "indexes": [models.Index(fields=["city"], name="stored_city", db_tablespace=FAST)]}
    )
    assert done() == ["index"]
    assert stored() == ([], {"stored_city": FAST})
    assert oid(execute) == before


def test_what_somebody_moved_by_hand_stays_there(tablespace, stored, execute):
    declare(pk_field="id")
    sync_views()
    execute(f"ALTER MATERIALIZED VIEW views.stored SET TABLESPACE {tablespace}")
    execute(f"ALTER INDEX views.stored_id_key SET TABLESPACE {tablespace}")
    assert plan_views()[0].is_empty
    declare(pk_field="id", storage_parameters={"fillfactor": 70})
    assert done() == ["options"]
    declare("SELECT 2 AS id, 'b'::text AS city", pk_field="id", storage_parameters={"fillfactor": 70})
    assert done() == ["rebuild"]
    assert stored() == (["fillfactor=70"], {"stored": FAST, "stored_id_key": FAST})


def test_what_somebody_moved_away_is_moved_back(tablespace, stored, execute):
    declare(pk_field="id", db_tablespace=FAST)
    sync_views()
    execute("ALTER MATERIALIZED VIEW views.stored SET TABLESPACE pg_default")
    assert done() == ["rebuild"]
    execute("ALTER INDEX views.stored_id_key SET TABLESPACE pg_default")
    assert done() == ["index"]
    assert stored() == ([], {"stored": FAST, "stored_id_key": FAST})


@pytest.mark.parametrize("name", ["pg_default"])
def test_the_tablespace_of_the_database_is_no_difference(name, stored):
    declare(pk_field="id", db_tablespace=name)
    assert done() == ["create"]
    declare(pk_field="id")
    done()
    assert stored() == ([], {})


def test_an_index_that_the_class_gives_another_name_is_renamed(execute):
    query = (
        "SELECT c.relname, c.oid FROM pg_class c JOIN pg_index i ON indexrelid = c.oid WHERE indrelid = %s"
    )
    declare(indexes=[models.Index(fields=["city"], name="before")])
    sync_views()
    ((_, index),) = execute(query % oid(execute))
    declare(indexes=[models.Index(fields=["city"], name="after")])
    assert done() == ["index"]
    assert execute(query % oid(execute)) == [("after", index)]


def test_two_indexes_that_change_names_are_both_there(execute):
    declare(indexes=[models.Index(fields=["city"], name="one"), models.Index(fields=["id"], name="two")])
    sync_views()
    declare(indexes=[models.Index(fields=["city"], name="two"), models.Index(fields=["id"], name="one")])
    assert done() == ["index"]
    tails = dict(execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'views'"))
    assert {name: tail.partition("(")[2] for name, tail in tails.items()} == {"one": "id)", "two": "city)"}
    declare(indexes=[models.Index(fields=["city"], name="three"), models.Index(fields=["city"], name="four")])
    assert done() == ["index"]
    tails = dict(execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'views'"))
    assert {name: tail.partition("(")[2] for name, tail in tails.items()} in (
        {"three": "city)", "four": "city)"},
        {"three": "city)"},
        {"four": "city)"},
    )


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"storage_parameters": ["fillfactor"]}, r"its storage_parameters is \['fillfactor'\], not a dict"),
        (
            {"storage_parameters": {"toast.x": 1}},
            "its storage_parameters has 'toast.x'.*TOAST are set by hand",
        ),
        ({"storage_parameters": {"fillfactor": "70); DROP"}}, "has 'fillfactor': '70\\); DROP'"),
        ({"storage_parameters": {"fillfactor": None}}, "has 'fillfactor': None. Give a number"),
        ({"db_tablespace": 3}, "its db_tablespace is 3. Give it the name"),
        ({"index_tablespace": ""}, "its index_tablespace is ''. Give it the name"),
    ],
)
def test_mistakes_are_errors_that_name_the_value(attributes, message):
    declare(**attributes)
    with pytest.raises(InvalidViewError, match=r"tests\.Stored \(.*" + message):
        plan_views()


@pytest.mark.parametrize(
    "attributes",
    [{"storage_parameters": {"fillfactor": 70}}, {"db_tablespace": "x"}, {"index_tablespace": "x"}],
)
def test_a_plain_view_is_not_stored(attributes, settings):
    settings.DEFAULT_TABLESPACE = settings.DEFAULT_INDEX_TABLESPACE = "nowhere"
    declare("SELECT 1 AS id", PostgresViewFromSQL)
    assert done() == ["create"]
    declare("SELECT 1 AS id", PostgresViewFromSQL, **attributes)
    with pytest.raises(
        InvalidViewError, match=f"it sets {next(iter(attributes))}, and only materialised views"
    ):
        plan_views()


@pytest.mark.parametrize(
    "attributes",
    [
        {"storage_parameters": {"nonsense": 1}},
        {"db_tablespace": "nowhere"},
        {"storage_parameters": {"fillfactor": 3}},
    ],
)
def test_what_postgresql_does_not_know_is_refused_with_the_class(attributes):
    declare(**attributes)
    with pytest.raises(ViewSQLError, match=r"tests\.Stored \(.*PostgreSQL refuses"):
        plan_views()


def test_a_readable_view_has_them_too(tablespace, stored):
    class Stored(PostgresMaterialisedViewMixin, ReadableViewFromSQL):
        db_tablespace = FAST
        storage_parameters = {"fillfactor": 70}
        pk_field = "id"
        sql = "SELECT 1 AS id, 'a'::text AS city"
        id = models.IntegerField(primary_key=True)
        city = models.TextField()

        class Meta:
            app_label = "lending"
            indexes = [models.Index(fields=["city"], name="stored_city")]

    assert done() == ["create"]
    assert stored() == (["fillfactor=70"], dict.fromkeys(["stored", "stored_id_key", "stored_city"], FAST))


@pytest.mark.parametrize("default", ["", FAST])
@pytest.mark.parametrize("place", ["", FAST])
@pytest.mark.parametrize("index_place", ["", FAST])
def test_a_draft_declares_them_and_is_adopted(
    default, place, index_place, tablespace, stored, execute, capsys, settings
):
    settings.DEFAULT_TABLESPACE = default
    execute(
        "CREATE SCHEMA views; CREATE MATERIALIZED VIEW views.stored "
        "WITH (fillfactor = 70, autovacuum_enabled = false) AS SELECT 1 AS id, 'a'::text AS city;"
        "CREATE UNIQUE INDEX k ON views.stored (id); CREATE INDEX c ON views.stored (city)"
    )
    if place:
        execute(f"ALTER MATERIALIZED VIEW views.stored SET TABLESPACE {tablespace}")
    if index_place:
        execute(f"ALTER INDEX views.c SET TABLESPACE {tablespace}")
    before, places = oid(execute), stored()
    call_command("inspect_view", "views.stored")
    found = {"__name__": __name__}
    exec(compile(capsys.readouterr().out, "drafted", "exec"), found)
    assert found["Stored"].storage_parameters == {"fillfactor": 70, "autovacuum_enabled": False}
    assert done() == ["adopt"]
    assert (oid(execute), stored()) == (before, places)
