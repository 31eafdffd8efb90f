"""A sync changes only what differs."""

from __future__ import annotations

import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from orm_views_core.exceptions import DropAllRefusedError, PlanBlockedError
from orm_views_core.names import ViewName
from orm_views_core.plan.steps import Action
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import (
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
)
from tests.demo.lending.models import Customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("db")]

DDL = re.compile(
    r"^\s*(CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE|REFRESH|TRUNCATE|INSERT|UPDATE|DELETE)\b", re.IGNORECASE
)


def declare(name, sql, *bases, **attributes):
    """Declare a view as a class statement in a postgres_views.py would."""
    return type(name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def states():
    return {str(view.name): view.state for view in get_statuses(["default"])[0].views}


def done(results=None):
    """The action and the view of each step of a sync."""
    (result,) = sync_views() if results is None else results
    return [(r.step.action.verb, r.step.target) for r in result.steps]


def three_levels(registered, bottom="SELECT id, city FROM lending_customer"):
    declare("Bottom", bottom)
    declare("Middle", "SELECT id, city FROM views.bottom", PostgresMaterialisedViewMixin, pk_field="id")
    declare("Top", "SELECT city, count(*) AS customers FROM views.middle GROUP BY city")


def test_the_first_sync_creates_everything_in_order(registered):
    three_levels(registered)
    declare("AAlone", "SELECT 1 AS one")
    steps = done()
    assert steps[0] == ("schema", "views")
    assert set(steps) == {
        ("schema", "views"),
        *(("create", f"views.{n}") for n in ("bottom", "middle", "top", "aalone")),
    }
    order = [target for _, target in steps]
    assert order.index("views.bottom") < order.index("views.middle") < order.index("views.top")
    assert set(states().values()) == {State.SYNCED}


def test_a_second_sync_executes_no_ddl_and_leaves_every_oid(registered, take_picture):
    three_levels(registered)
    sync_views()
    before = take_picture()
    with CaptureQueriesContext(connection) as queries:
        assert done() == []
    assert [q["sql"] for q in queries if DDL.match(q["sql"])] == []
    assert take_picture() == before


@pytest.mark.parametrize("count", [3, 60])
def test_a_second_sync_takes_the_same_number_of_queries_for_any_number_of_views(registered, count):
    for i in range(count):
        declare(f"V{i}", f"SELECT id, {i} AS i FROM lending_customer")
    sync_views()
    with CaptureQueriesContext(connection) as queries:
        sync_views()
    # Includes the savepoint, because the test has a transaction of its own, and two statements that
    # restore its lock_timeout.
    assert len(queries) == 11 + 2


def test_a_compatible_change_replaces_and_keeps_oid_grants_and_readers(registered, execute, make_role):
    role = make_role("reader")
    declare("V", "SELECT id FROM lending_customer")
    sync_views()
    execute(f'GRANT SELECT ON views.v TO "{role}"; CREATE VIEW public.theirs AS SELECT * FROM views.v')
    (before,) = execute(
        "SELECT 'views.v'::regclass::oid, relacl FROM pg_class WHERE oid = 'views.v'::regclass"
    )
    declare("V", "SELECT id, city FROM lending_customer")
    assert done() == [("replace", "views.v")]
    (after,) = execute(
        "SELECT 'views.v'::regclass::oid, relacl FROM pg_class WHERE oid = 'views.v'::regclass"
    )
    assert before == after
    assert execute("SELECT count(*) FROM public.theirs") == [(0,)]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT city FROM lending_customer", "column id is removed"),
        ("SELECT city, id FROM lending_customer", "column city comes before id"),
        ("SELECT id::int FROM lending_customer", "column id bigint becomes id integer"),
        ("SELECT id, city FROM lending_customer", None),
    ],
)
def test_an_incompatible_change_rebuilds_and_says_which_column(registered, sql, why):
    declare("V", "SELECT id FROM lending_customer")
    sync_views()
    declare("V", sql)
    (plan,) = plan_views()
    (step,) = plan.steps
    assert step.action is (Action.REBUILD if why else Action.REPLACE)
    assert step.reason == "its class has changed" + (f": {why}" if why else "")
    sync_views()
    assert states() == {"views.v": State.SYNCED}


def test_a_rebuild_points_its_readers_at_the_new_version_and_keeps_grants_made_by_hand(
    registered, execute, make_role
):
    role = make_role("by hand")
    three_levels(registered)
    sync_views()
    execute(f'GRANT SELECT ON views.bottom, views.top TO "{role}"')
    execute(f'GRANT SELECT ON views.middle TO "{role}" WITH GRANT OPTION')
    before = execute("SELECT 'views.top'::regclass::oid")
    three_levels(registered, "SELECT city, id FROM lending_customer")
    (plan,) = plan_views()
    assert [(s.action.verb, str(s.name), s.indirect) for s in plan.steps] == [
        ("rebuild", "views.bottom", False),
        ("rebuild", "views.middle", True),
        ("replace", "views.top", True),
    ]
    assert plan.lock_order == tuple(ViewName("views", name) for name in ("top", "middle", "bottom"))
    sync_views()
    assert states() == dict.fromkeys(states(), State.SYNCED)
    granted = execute(
        "SELECT c.relname, a.is_grantable FROM pg_class c, aclexplode(c.relacl) a, pg_roles r "
        "WHERE r.oid = a.grantee AND r.rolname = 'by hand' AND a.privilege_type = 'SELECT' ORDER BY 1"
    )
    assert granted == [("bottom", False), ("middle", True), ("top", False)]
    assert execute("SELECT 'views.top'::regclass::oid") == before
    assert done() == []


def test_a_view_that_has_changed_and_that_a_materialised_one_is_built_from_says_both(registered):
    three_levels(registered)
    sync_views()
    three_levels(registered, "SELECT id, upper(city)::varchar(60) AS city FROM lending_customer")
    bottom = next(step for step in plan_views()[0].steps if step.target == "views.bottom")
    assert (bottom.action, bottom.indirect) == (Action.REBUILD, False)
    assert (
        bottom.reason
        == "its class has changed, and views.middle is built from its new version before the swap"
    )


def test_a_materialised_view_below_which_something_changes_is_computed_anew(registered, execute):
    three_levels(registered)
    sync_views()
    Customer.objects.create(
        email="a@b.c", city="Leeds", date_of_birth="2000-01-01", registered_on="2020-01-01"
    )
    three_levels(registered, "SELECT id, upper(city)::varchar(60) AS city FROM lending_customer")
    assert done() == [("rebuild", "views.bottom"), ("rebuild", "views.middle"), ("replace", "views.top")]
    assert execute("SELECT * FROM views.top") == [("LEEDS", 1)]
    assert done() == []


def test_a_materialised_view_that_is_not_affected_is_not_computed_anew(registered, execute):
    three_levels(registered)
    declare("Aside", "SELECT 1 AS one", PostgresMaterialisedViewMixin)
    sync_views()
    before = execute("SELECT relfilenode FROM pg_class WHERE oid = 'views.aside'::regclass")
    three_levels(registered, "SELECT id, upper(city)::varchar(60) AS city FROM lending_customer")
    sync_views()
    assert execute("SELECT relfilenode FROM pg_class WHERE oid = 'views.aside'::regclass") == before


def test_whitespace_in_a_class_is_recorded_without_touching_the_view(registered, execute):
    declare("M", "SELECT id FROM lending_customer", PostgresMaterialisedViewMixin)
    sync_views()
    before = execute("SELECT oid, relfilenode FROM pg_class WHERE oid = 'views.m'::regclass")
    declare("M", "SELECT  id\nFROM lending_customer -- all of them", PostgresMaterialisedViewMixin)
    assert states() == {"views.m": State.CHANGED}
    assert done() == [("adopt", "views.m")]
    assert execute("SELECT oid, relfilenode FROM pg_class WHERE oid = 'views.m'::regclass") == before
    assert states() == {"views.m": State.SYNCED}


def test_a_view_altered_by_hand_is_drifted_and_a_sync_repairs_it(registered, execute):
    declare("V", "SELECT id, city FROM lending_customer")
    sync_views()
    execute("CREATE OR REPLACE VIEW views.v AS SELECT id, 'x'::varchar(60) AS city FROM lending_customer")
    # COMMENT survives CREATE OR REPLACE, and with it the sync state.
    assert states() == {"views.v": State.DRIFTED}
    with pytest.raises(CommandError) as failure:
        call_command("sync_views", "--check", verbosity=0)
    assert failure.value.returncode == 1
    assert done() == [("replace", "views.v")]
    assert states() == {"views.v": State.SYNCED}
    assert execute("SELECT pg_get_viewdef('views.v'::regclass) LIKE '%city%'") == [(True,)]


@pytest.mark.parametrize(
    "by_hand",
    [
        "ALTER VIEW views.v RESET (security_barrier)",
        "ALTER VIEW views.v SET (security_barrier = false)",
        "ALTER VIEW views.v RENAME COLUMN id TO number",
        "REVOKE SELECT ON views.v FROM lender_reader",
        "COMMENT ON VIEW views.v IS 'mine now'",
        "DROP VIEW views.v",
    ],
)
def test_whatever_is_changed_by_hand_is_put_back(registered, execute, make_role, take_picture, by_hand):
    make_role("lender_reader")
    declare(
        "V",
        "SELECT id FROM lending_customer",
        grant_select_to=["lender_reader"],
        security_barrier=True,
        __doc__="Ids.",
    )
    sync_views()
    execute(by_hand)
    assert states().get("views.v") is not State.SYNCED
    sync_views()
    assert states() == {"views.v": State.SYNCED}
    (row,) = execute(
        "SELECT reloptions, has_table_privilege('lender_reader', oid, 'SELECT'), "
        "obj_description(oid, 'pg_class') LIKE 'Ids.%', pg_get_viewdef(oid) "
        "FROM pg_class WHERE oid = 'views.v'::regclass"
    )
    assert row[:3] == (["security_barrier=true"], True, True)
    assert "AS number" not in row[3]


def test_a_star_follows_the_columns_of_what_it_reads(registered, execute):
    execute("CREATE TABLE base (a int)")
    declare("Wide", "SELECT * FROM base")
    declare("Wider", "SELECT w.* FROM views.wide w")
    declare("Narrow", "SELECT a, 2 * a AS twice FROM base")
    declare("Counted", "SELECT count(*) AS n FROM base")
    declare("Stored", "SELECT DISTINCT ON (a) * FROM base", PostgresMaterialisedViewMixin)
    sync_views()
    assert done() == []
    execute("ALTER TABLE base ADD COLUMN b text")
    assert {name for name, state in states().items() if state is State.CHANGED} == {
        "views.wide",
        "views.stored",
    }
    assert sorted(done()) == [
        ("rebuild", "views.stored"),
        ("replace", "views.wide"),
        ("replace", "views.wider"),
    ]
    execute("INSERT INTO base VALUES (1, 'x')")
    assert execute("SELECT * FROM views.wider") == [(1, "x")]
    assert done() == []
    assert set(states().values()) == {State.SYNCED}


def test_a_star_whose_source_has_changed_without_effect_is_only_recorded(registered, execute):
    execute("CREATE TABLE base (a int); CREATE TABLE aside (a int)")
    declare("Wide", "SELECT base.* FROM base WHERE a IN (SELECT a FROM aside)", PostgresMaterialisedViewMixin)
    sync_views()
    before = execute("SELECT oid, relfilenode FROM pg_class WHERE oid = 'views.wide'::regclass")
    execute("ALTER TABLE aside ADD COLUMN b text")
    assert done() == [("adopt", "views.wide")]
    assert execute("SELECT oid, relfilenode FROM pg_class WHERE oid = 'views.wide'::regclass") == before
    assert done() == []


def test_a_check_option_inside_the_sql_is_no_drift(registered, execute):
    declare("V", "SELECT id FROM lending_customer WHERE id > 7 WITH LOCAL CHECK OPTION")
    sync_views()
    execute("ALTER VIEW views.v RESET (check_option)")
    assert states() == {"views.v": State.DRIFTED}
    assert done() == [("options", "views.v")]
    assert execute("SELECT reloptions FROM pg_class WHERE oid = 'views.v'::regclass") == [
        (["check_option=local"],)
    ]
    assert done() == []


def test_a_renamed_base_column_is_recorded_and_nothing_is_rebuilt(registered, execute):
    declare("M", "SELECT * FROM base", PostgresMaterialisedViewMixin)
    execute("CREATE TABLE base (a int)")
    sync_views()
    before = execute("SELECT oid, relfilenode FROM pg_class WHERE oid = 'views.m'::regclass")
    execute("ALTER TABLE base RENAME COLUMN a TO b")
    declare("M", "SELECT b AS a FROM base", PostgresMaterialisedViewMixin)
    assert done() == [("adopt", "views.m")]
    assert execute("SELECT oid, relfilenode FROM pg_class WHERE oid = 'views.m'::regclass") == before


def test_a_view_without_its_class_is_orphaned_then_dropped(registered, execute):
    kept, gone = declare("Kept", "SELECT 1 AS a"), declare("Gone", "SELECT * FROM views.kept")
    declare("AlsoGone", "SELECT * FROM views.gone")
    sync_views()
    registered.unregister(gone)
    registered.unregister(next(v for v in registered.views() if v.__name__ == "AlsoGone"))
    assert states() == {
        "views.kept": State.SYNCED,
        "views.gone": State.ORPHANED,
        "views.alsogone": State.ORPHANED,
    }
    assert done() == [("drop", "views.alsogone"), ("drop", "views.gone")]
    assert states() == {"views.kept": State.SYNCED}
    assert kept in registered.views()


def test_an_orphan_that_a_registered_view_still_reads_stops_the_sync(registered, take_picture):
    gone = declare("Gone", "SELECT 1 AS a")
    declare("Reader", "SELECT * FROM views.gone")
    sync_views()
    registered.unregister(gone)
    before = take_picture()
    with pytest.raises(PlanBlockedError, match=r"views\.gone has to be dropped.*Reader.*still reads it"):
        sync_views()
    assert take_picture() == before


def test_what_is_not_ours_in_the_schema_is_shown_and_never_touched(registered, execute, take_picture):
    declare("V", "SELECT 1 AS a")
    sync_views()
    execute(
        "CREATE TABLE views.somebodys_table (a int);"
        "CREATE VIEW views.somebodys_view AS SELECT * FROM views.v;"
        "CREATE MATERIALIZED VIEW views.somebodys_rows AS SELECT 1 AS a;"
        "CREATE SEQUENCE views.somebodys_numbers"
    )
    before = take_picture()
    assert states()["views.somebodys_view"] is State.UNMANAGED
    declare("W", "SELECT 2 AS b")
    sync_views(force=True)
    after = take_picture()
    theirs = [name for name in before if "somebodys" in name]
    assert len(theirs) == 4
    assert {name: after[name] for name in theirs} == {name: before[name] for name in theirs}


def test_someone_elses_view_and_grants_on_an_unchanged_view_survive(
    registered, execute, make_role, take_picture
):
    role = make_role('an "odd" Role')
    declare("V", "SELECT id FROM lending_customer")
    declare("Changing", "SELECT 1 AS a")
    sync_views()
    execute(
        'GRANT SELECT ON views.v TO "an ""odd"" Role"; CREATE VIEW public.theirs AS SELECT * FROM views.v'
    )
    before = take_picture()
    declare("Changing", "SELECT 'x' AS a")
    assert done() == [("rebuild", "views.changing")]
    after = take_picture()
    for name in ("views.v", "public.theirs"):
        assert after[name] == before[name]
    assert role == 'an "odd" Role'


def test_a_view_in_the_way_that_is_a_table_is_never_replaced(registered, execute, take_picture):
    execute("CREATE SCHEMA views; CREATE TABLE views.v (a int)")
    declare("V", "SELECT 1 AS a")
    before = take_picture()
    with pytest.raises(PlanBlockedError, match=r"views\.v is a table, which is not ours to replace"):
        sync_views()
    assert states()["views.v"] is State.WRONG_KIND
    assert take_picture() == before


@pytest.mark.parametrize("first", [(), (PostgresMaterialisedViewMixin,)])
def test_a_change_of_kind_rebuilds_with_what_reads_it(registered, first):
    second = () if first else (PostgresMaterialisedViewMixin,)
    declare("V", "SELECT 1 AS a", *first)
    declare("Reader", "SELECT a FROM views.v")
    sync_views()
    declare("V", "SELECT 1 AS a", *second)
    assert states() == {"views.v": State.WRONG_KIND, "views.reader": State.SYNCED}
    assert done() == [("rebuild", "views.v"), ("replace", "views.reader")]
    assert set(states().values()) == {State.SYNCED}
    assert done() == []


def test_two_views_can_swap_which_reads_which(registered):
    declare("A", "SELECT 1 AS x")
    declare("B", "SELECT x FROM views.a")
    sync_views()
    declare("A", "SELECT x FROM views.b")
    declare("B", "SELECT 1 AS x")
    sync_views()
    assert set(states().values()) == {State.SYNCED}


def test_views_are_found_from_the_sql_of_querysets_over_other_views(registered):
    declare("Cities", "SELECT id, city FROM lending_customer")

    class Zulu(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Customer.objects.filter(id__gt=0).values("id")

    declare("Early", "SELECT zulu.id FROM views.zulu JOIN views . cities USING (id)")
    order = [target for _, target in done()]
    assert order.index("views.early") > max(order.index("views.zulu"), order.index("views.cities"))


def test_an_empty_registry_refuses_to_drop_everything(registered, take_picture):
    view = declare("V", "SELECT 1 AS a")
    sync_views()
    registered.unregister(view)
    before = take_picture()
    with pytest.raises(DropAllRefusedError, match="--allow-drop-all"):
        sync_views()
    with pytest.raises(CommandError, match="INSTALLED_APPS"):
        call_command("sync_views")
    assert take_picture() == before
    assert done(sync_views(allow_drop_all=True)) == [("drop", "views.v")]


def test_docstring_and_help_text_become_comments_and_changing_them_touches_nothing_else(registered, execute):
    declare("V", "SELECT id FROM lending_customer", __doc__="Customers\n\n    of ours, 100 % 'quoted' \\ {}.")
    sync_views()
    (comment,) = execute("SELECT obj_description('views.v'::regclass, 'pg_class')")
    text, _, state = comment[0].rpartition("\n")
    assert text == "Customers\n\nof ours, 100 % 'quoted' \\ {}."
    assert state.startswith("[orm_views ")
    declare("V", "SELECT id FROM lending_customer", __doc__="Shorter.")
    assert done() == [("comment", "views.v")]
    assert execute("SELECT obj_description('views.v'::regclass, 'pg_class') LIKE 'Shorter.%'") == [(True,)]
    assert done() == []


def test_indexes_come_and_go_without_a_rebuild_and_those_made_by_hand_stay(registered, execute):
    def indexes():
        return {row[0] for row in execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'views'")}

    sql = "SELECT id, city FROM lending_customer"
    declare("M", sql, PostgresMaterialisedViewMixin, pk_field="id")
    sync_views()
    before = execute("SELECT relfilenode FROM pg_class WHERE oid = 'views.m'::regclass")
    execute("CREATE INDEX by_hand ON views.m (lower(city))")
    assert done() == []
    declare("M", sql, PostgresMaterialisedViewMixin, indexes=[models.Index(fields=["-city"], name="by_city")])
    assert done() == [("index", "views.m")]
    assert indexes() == {"by_hand", "by_city"}
    declare("M", sql, PostgresMaterialisedViewMixin, indexes=[models.Index(fields=["city"], name="by_city")])
    assert done() == [("index", "views.m")]
    execute("DROP INDEX views.by_city")
    assert states() == {"views.m": State.DRIFTED}
    assert done() == [("index", "views.m")]
    assert indexes() == {"by_hand", "by_city"}
    assert execute("SELECT relfilenode FROM pg_class WHERE oid = 'views.m'::regclass") == before
    assert done() == []


def test_with_data_false_leaves_it_unpopulated_until_refreshed_and_a_rebuild_keeps_it_filled(
    registered, execute
):
    declare("M", "SELECT 1 AS a", PostgresMaterialisedViewMixin, with_data=False)
    sync_views()
    assert states() == {"views.m": State.NOT_POPULATED}
    assert done() == []
    call_command("refresh_views", "m", verbosity=0)
    assert states() == {"views.m": State.SYNCED}
    declare("M", "SELECT 2 AS a", PostgresMaterialisedViewMixin, with_data=False)
    assert done() == [("rebuild", "views.m")]
    assert execute("SELECT a FROM views.m") == [(2,)]


def test_syncing_some_views_leaves_the_others_pending(registered):
    declare("A", "SELECT 1 AS x")
    declare("B", "SELECT x FROM views.a")
    declare("C", "SELECT 3 AS x")
    only = {ViewName("views", "b")}
    assert done(sync_views(only=only)) == [("schema", "views"), ("create", "views.a"), ("create", "views.b")]
    assert states()["views.c"] is State.MISSING


def test_force_builds_everything_again(registered):
    three_levels(registered)
    sync_views()
    assert done(sync_views(force=True)) == [
        ("rebuild", "views.bottom"),
        ("rebuild", "views.middle"),
        ("replace", "views.top"),
    ]
    assert done() == []
