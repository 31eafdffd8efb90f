"""Extras that people add to views survive every sync; a plan names those that cannot."""

from __future__ import annotations

import re

import pytest
from django.db import models

from orm_views_core.database.sync_state import split_comment
from orm_views_core.exceptions import PlanBlockedError
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db


def declare(class_name, sql, *bases, **attributes):
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def done(**asked):
    (result,) = sync_views(**asked)
    return [(r.step.action.verb, r.step.target) for r in result.steps]


def states():
    return {str(view.name): view.state for view in get_statuses(["default"])[0].views}


def options(execute, view="views.v"):
    return execute(f"SELECT reloptions FROM pg_class WHERE oid = '{view}'::regclass")[0][0]


def comment(execute, view="views.v"):
    """The text of a view's comment, without the sync state."""
    found = execute(f"SELECT obj_description('{view}'::regclass, 'pg_class')")[0][0]
    return split_comment(found)[0]


SAME, REPLACED, REBUILT = (
    "SELECT id FROM lending_customer",
    "SELECT id, city FROM lending_customer",
    "SELECT city FROM lending_customer",
)


@pytest.mark.parametrize(("sql", "verb"), [(REPLACED, "replace"), (REBUILT, "rebuild")])
def test_an_option_that_somebody_set_is_no_drift_and_survives_every_change(sql, verb, execute):
    declare("V", SAME)
    sync_views()
    execute("ALTER VIEW views.v SET (security_barrier = true)")
    assert states() == {"views.v": State.SYNCED}
    assert done() == []
    declare("V", sql)
    assert done() == [(verb, "views.v")]
    assert options(execute) == ["security_barrier=true"]
    assert states() == {"views.v": State.SYNCED}
    assert done() == []
    execute("ALTER VIEW views.v RESET (security_barrier)")
    assert done() == []


def test_an_option_of_the_class_is_added_to_one_by_hand_and_goes_without_it(execute):
    declare("V", SAME)
    sync_views()
    execute("ALTER VIEW views.v SET (check_option = local)")
    declare("V", SAME, security_barrier=True)
    assert done() == [("options", "views.v")]
    assert sorted(options(execute)) == ["check_option=local", "security_barrier=true"]
    declare("V", SAME)
    assert done() == [("options", "views.v")]
    assert options(execute) == ["check_option=local"]
    assert done() == []


@pytest.mark.parametrize(("sql", "verb"), [(REPLACED, "replace"), (REBUILT, "rebuild")])
def test_a_comment_by_hand_survives_where_the_class_has_no_docstring(sql, verb, execute):
    declare("V", SAME)
    sync_views()
    execute("COMMENT ON VIEW views.v IS 'Mine.'")
    assert done() == [("adopt", "views.v")], "the sync state went with the old comment"
    assert comment(execute) == "Mine."
    assert done() == []
    declare("V", sql)
    assert done() == [(verb, "views.v")]
    assert comment(execute) == "Mine."
    declare("V", sql, __doc__="Ours.")
    assert done() == [("comment", "views.v")]
    assert comment(execute) == "Ours."
    declare("V", sql)
    assert done() == [("comment", "views.v")]
    assert comment(execute) == "tests.V"
    assert done() == []


def test_an_index_made_by_hand_is_on_the_new_version(execute):
    declare("M", "SELECT id, city FROM lending_customer", PostgresMaterialisedViewMixin, pk_field="id")
    sync_views()
    execute("CREATE INDEX by_hand ON views.m (lower(city)); COMMENT ON INDEX views.by_hand IS 'Mine.'")
    declare(
        "M",
        "SELECT id, 'x' || city AS city FROM lending_customer",
        PostgresMaterialisedViewMixin,
        pk_field="id",
    )
    (plan,) = plan_views()
    (step,) = plan.steps
    assert step.reason == "its class has changed"
    assert (step.kept, step.lost) == (("index by_hand", "index comment by_hand"), ())
    assert done() == [("rebuild", "views.m")]
    assert execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'views' ORDER BY 1") == [
        ("by_hand",),
        ("m_id_key",),
    ]
    assert execute("SELECT obj_description('views.by_hand'::regclass)") == [("Mine.",)]
    assert done() == []


def test_an_index_on_a_column_that_goes_is_said_to_be_lost(execute):
    declare("M", "SELECT id, city FROM lending_customer", PostgresMaterialisedViewMixin)
    sync_views()
    execute("CREATE INDEX by_hand ON views.m (city); CREATE INDEX kept ON views.m (id)")
    declare("M", "SELECT id FROM lending_customer", PostgresMaterialisedViewMixin)
    (step,) = plan_views()[0].steps
    assert step.kept == ("index kept",)
    assert step.lost == ('index by_hand: column "city" does not exist',)
    sync_views()
    assert execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'views'") == [("kept",)]


def test_an_index_that_changes_takes_its_name_over(execute):
    def declare_with(field):
        index = models.Index(fields=[field], name="by_city")
        declare("M", "SELECT id, city FROM lending_customer", PostgresMaterialisedViewMixin, indexes=[index])

    declare_with("city")
    sync_views()
    declare_with("-city")
    (step,) = plan_views()[0].steps
    assert [sent.sql.split()[0] for sent in step.statements] == ["CREATE", "DROP", "ALTER"]
    assert done() == [("index", "views.m")]
    ((definition,),) = execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'views'")
    assert definition.endswith("INDEX by_city ON views.m USING btree (city DESC)")
    assert done() == []


def test_a_new_view_takes_the_name_of_an_index_that_goes(registered, execute):
    gone = declare(
        "Gone",
        "SELECT 1 AS id",
        PostgresMaterialisedViewMixin,
        indexes=[models.Index(fields=["id"], name="i")],
    )
    declare("Kept", "SELECT 1 AS a")
    sync_views()
    registered.unregister(gone)
    declare(
        "New",
        "SELECT 2 AS id",
        PostgresMaterialisedViewMixin,
        indexes=[models.Index(fields=["id"], name="i")],
    )
    assert sorted(done()) == [("create", "views.new"), ("drop", "views.gone")]
    assert execute("SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'views'") == [("new", "i")]
    assert done() == []


ADDED = """
CREATE FUNCTION public.do_nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
ALTER VIEW views.v ALTER COLUMN city SET DEFAULT 'Leeds';
CREATE RULE r AS ON DELETE TO views.v DO INSTEAD NOTHING;
CREATE TRIGGER t INSTEAD OF INSERT ON views.v FOR EACH ROW EXECUTE FUNCTION public.do_nothing();
COMMENT ON COLUMN views.v.city IS 'Town.';
GRANT UPDATE (city) ON views.v TO friend;
"""
LEFT = """
SELECT (SELECT array_agg(rulename ORDER BY 1) FROM pg_rules WHERE schemaname = 'views'),
       (SELECT array_agg(tgname) FROM pg_trigger WHERE tgrelid = 'views.v'::regclass),
       (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'views.v'::regclass),
       col_description('views.v'::regclass, (SELECT attnum FROM pg_attribute
                                             WHERE attrelid = 'views.v'::regclass AND attname = 'city')),
       has_column_privilege('friend', 'views.v', 'city', 'UPDATE'),
       (SELECT relowner::regrole::text FROM pg_class WHERE oid = 'views.v'::regclass)
"""


@pytest.mark.parametrize(
    ("sql", "verb"),
    [
        ("SELECT id, city, 1 AS one FROM lending_customer", "replace"),
        ("SELECT city, id FROM lending_customer", "rebuild"),
    ],
)
def test_a_plain_view_keeps_rules_triggers_defaults_column_comments_grants_and_owner(
    sql, verb, execute, make_role
):
    make_role("friend")
    make_role("boss")
    declare("V", REPLACED)
    sync_views()
    execute(ADDED)
    execute("GRANT CREATE, USAGE ON SCHEMA views TO boss; GRANT SELECT ON lending_customer TO boss")
    execute("ALTER VIEW views.v OWNER TO boss")
    before = execute(LEFT)
    assert None not in before[0]
    declare("V", sql)
    assert done() == [(verb, "views.v")]
    assert execute(LEFT) == before
    assert done() == []


def test_a_materialised_view_is_filled_as_its_owner(execute, make_role):
    """SQL that another role wrote must not run as our role."""
    make_role("boss")
    declare("M", "SELECT 1 AS id", PostgresMaterialisedViewMixin)
    sync_views()
    execute("GRANT CREATE, USAGE ON SCHEMA views TO boss; ALTER MATERIALIZED VIEW views.m OWNER TO boss")
    declare("M", "SELECT current_user::text AS who", PostgresMaterialisedViewMixin)
    assert done() == [("rebuild", "views.m")]
    assert execute("SELECT who FROM views.m") == [("boss",)]


def test_storage_parameters_and_statistics_targets_survive_a_rebuild(execute):
    declare("M", "SELECT id, city FROM lending_customer", PostgresMaterialisedViewMixin)
    sync_views()
    execute(
        "ALTER MATERIALIZED VIEW views.m SET (fillfactor = 70);"
        "ALTER MATERIALIZED VIEW views.m ALTER COLUMN city SET STATISTICS 300;"
        "CREATE STATISTICS views.together ON id, city FROM views.m"
    )
    declare("M", "SELECT id, city, 1 AS one FROM lending_customer", PostgresMaterialisedViewMixin)
    (step,) = plan_views()[0].steps
    assert set(step.kept) == {
        "storage parameter fillfactor=70",
        "statistics target city",
        "extended statistics together",
    }
    assert done() == [("rebuild", "views.m")]
    assert options(execute, "views.m") == ["fillfactor=70"]
    assert execute("SELECT stxrelid::regclass::text FROM pg_statistic_ext WHERE stxname = 'together'") == [
        ("views.m",)
    ]
    assert execute(
        "SELECT attstattarget FROM pg_attribute WHERE attrelid = 'views.m'::regclass AND attname = 'city'"
    ) == [(300,)]


def test_somebody_elses_plain_view_keeps_its_oid_and_reads_the_new_version(execute, take_picture):
    declare("V", REPLACED)
    sync_views()
    execute(
        "CREATE SCHEMA reports; CREATE VIEW reports.theirs AS SELECT city FROM views.v;"
        "CREATE VIEW reports.on_theirs AS SELECT city FROM reports.theirs"
    )
    before = take_picture()
    declare("V", "SELECT city, 5 AS five FROM lending_customer")
    assert done() == [("rebuild", "views.v"), ("replace", "reports.theirs")]
    after = take_picture()
    for name in ("reports.theirs", "reports.on_theirs"):
        assert after[name] == before[name]
    assert after["views.v"] != before["views.v"]
    assert done() == []


def test_somebody_elses_materialised_view_is_built_again_with_all_that_it_had(
    execute, make_role, take_picture
):
    make_role("friend")
    declare("V", REPLACED)
    sync_views()
    execute(
        "CREATE SCHEMA reports; CREATE MATERIALIZED VIEW reports.theirs WITH (fillfactor = 70) AS "
        "SELECT city FROM views.v; CREATE INDEX i ON reports.theirs (city);"
        "COMMENT ON MATERIALIZED VIEW reports.theirs IS 'Mine.'; GRANT SELECT ON reports.theirs TO friend"
    )
    before = take_picture()["reports.theirs"]
    declare("V", "SELECT city, 5 AS five FROM lending_customer")
    assert done() == [("rebuild", "views.v"), ("rebuild", "reports.theirs")]
    assert take_picture()["reports.theirs"][1:] == before[1:], "all but its oid"
    assert done() == []


def test_a_rebuild_that_someone_elses_view_does_not_fit_stops_and_names_it(execute, take_picture):
    declare("V", "SELECT id FROM lending_customer")
    declare("W", "SELECT id FROM views.v")
    sync_views()
    execute("CREATE SCHEMA reports; CREATE VIEW reports.theirs AS SELECT * FROM views.w")
    declare("V", "SELECT city FROM lending_customer")
    declare("W", "SELECT city FROM views.v")
    before = take_picture()
    (plan,) = plan_views()
    (problem,) = plan.problems
    assert "reports.theirs, which is not ours, reads it and no longer fits" in problem
    assert re.search(r'column (w\.id|"id") does not exist', problem)
    with pytest.raises(PlanBlockedError, match=r"reports\.theirs"):
        sync_views()
    assert take_picture() == before
    assert done(drop_dependents=True) == [
        ("drop", "reports.theirs"),
        ("rebuild", "views.v"),
        ("rebuild", "views.w"),
    ]
    assert execute("SELECT to_regclass('reports.theirs')") == [(None,)]
