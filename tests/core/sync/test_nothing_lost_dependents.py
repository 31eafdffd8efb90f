"""External dependents are kept, or named before anything is changed."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from orm_views_core.exceptions import PlanBlockedError
from orm_views_core.plan.steps import Action
from orm_views_core.sync import plan_views, sync_views
from tests.core.keeping import (
    BELOW_PLAIN,
    LATE,
    MATERIALISED,
    PLAIN,
    REBUILD_MATERIALISED,
    REBUILD_PLAIN,
    REPLACE,
    TO_MATERIALISED,
    TO_PLAIN,
    declare,
    each,
    oid,
    run,
)

pytestmark = pytest.mark.django_db

EVERY = [*PLAIN, *MATERIALISED, TO_MATERIALISED, TO_PLAIN]
REBUILDS = [change for change in EVERY if change is not REPLACE]

#: All that the catalogs have of somebody else's relation but its oid, and what its indexes are.
PICTURE = """
SELECT c.relkind, c.relowner::regrole::text, c.relacl::text, c.reloptions::text, c.relispopulated,
       obj_description(c.oid, 'pg_class'), pg_get_viewdef(c.oid),
       ARRAY(SELECT attname || ' ' || format_type(atttypid, atttypmod) || COALESCE(attacl::text, '')
                    || COALESCE(col_description(attrelid, attnum), '') FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 ORDER BY attnum),
       ARRAY(SELECT pg_get_indexdef(indexrelid) || COALESCE(obj_description(indexrelid, 'pg_class'), '')
             FROM pg_index WHERE indrelid = c.oid ORDER BY 1)
FROM pg_class c WHERE c.oid = '{}'::regclass
"""


def picture(name):
    return run(PICTURE.format(name))


@pytest.fixture(autouse=True)
def people(make_role):
    for name in ("ann", "bob"):
        make_role(name)


@each(EVERY)
def test_a_plain_view_of_others_stays_the_same_and_reads_the_new_version(change):
    change.begin()
    run(
        "CREATE SCHEMA theirs; CREATE VIEW theirs.w WITH (security_barrier) AS SELECT id, city c FROM views.v"
    )
    run("GRANT SELECT ON views.v TO ann; ALTER VIEW theirs.w OWNER TO ann; GRANT SELECT ON theirs.w TO bob")
    run("COMMENT ON VIEW theirs.w IS 'theirs'; COMMENT ON COLUMN theirs.w.c IS 'c'")
    run("ALTER VIEW theirs.w ALTER COLUMN c SET DEFAULT 'x'")
    before, was = picture("theirs.w"), oid("theirs.w")
    change.finish()
    assert (oid("theirs.w") == was) != change.by_function  # then it cannot be there before the new version
    assert picture("theirs.w") == before
    run("INSERT INTO public.things VALUES (51, 'new', 1)")
    if change.above or not change.is_materialised:
        assert run("SELECT c FROM theirs.w WHERE id = 51") == [("new",)]


@each(REBUILDS)
def test_a_materialised_view_of_others_is_made_again_with_all_that_it_had(change):
    change.begin()
    run("CREATE SCHEMA theirs; CREATE MATERIALIZED VIEW theirs.m AS SELECT id, city FROM views.v")
    run("CREATE UNIQUE INDEX one ON theirs.m (id); COMMENT ON INDEX theirs.one IS 'one'")
    run("GRANT SELECT ON views.v TO ann; ALTER MATERIALIZED VIEW theirs.m OWNER TO ann")
    run(
        "GRANT SELECT ON theirs.m TO bob WITH GRANT OPTION; COMMENT ON MATERIALIZED VIEW theirs.m IS 'theirs'"
    )
    run("COMMENT ON COLUMN theirs.m.city IS 'c'; ALTER MATERIALIZED VIEW theirs.m SET (fillfactor = 50)")
    before = picture("theirs.m")
    change.finish()
    assert picture("theirs.m") == before
    assert run("SELECT count(*) FROM theirs.m") == [(50,)]


def test_a_materialised_view_of_others_is_filled_as_its_owner(make_role):
    """The role that computes the rows decides which rows it sees and what functions may do."""
    REBUILD_PLAIN.begin()
    run("CREATE MATERIALIZED VIEW public.m AS SELECT id, current_user::text AS who FROM views.v")
    run("GRANT SELECT ON views.v TO ann; ALTER MATERIALIZED VIEW public.m OWNER TO ann")
    REBUILD_PLAIN.finish()
    assert run("SELECT DISTINCT who FROM public.m") == [("ann",)]


def test_a_materialised_view_of_others_that_was_never_filled_stays_so():
    REBUILD_PLAIN.begin()
    run("CREATE MATERIALIZED VIEW public.m AS SELECT id FROM views.v WITH NO DATA")
    REBUILD_PLAIN.finish()
    assert run("SELECT relispopulated FROM pg_class WHERE oid = 'public.m'::regclass") == [(False,)]


@each(REBUILDS)
def test_chains_of_views_of_others(change):
    change.begin()
    run("CREATE VIEW public.a AS SELECT id, city FROM views.v; CREATE SCHEMA theirs")
    run("CREATE MATERIALIZED VIEW theirs.b AS SELECT a.id, v.city FROM public.a JOIN views.v USING (id)")
    run("CREATE VIEW public.c AS SELECT b.id, a.city FROM theirs.b JOIN public.a USING (id)")
    run('CREATE MATERIALIZED VIEW theirs."D" AS SELECT count(*) AS n FROM public.c')
    names = ("public.a", "theirs.b", "public.c", 'theirs."D"')
    before = [picture(name) for name in names]
    change.finish()
    assert [picture(name) for name in names] == before
    assert run('SELECT n FROM theirs."D"') == [(50,)]


@pytest.mark.parametrize("theirs", ["VIEW", "MATERIALIZED VIEW"])
@pytest.mark.parametrize("materialised", [False, True])
def test_our_view_reads_an_external_dependent(theirs, materialised):
    """Our view reads the new version of the other one, through the external dependent."""
    REBUILD_PLAIN.begin()
    run(f"CREATE {theirs} public.between AS SELECT id, city FROM views.v")
    declare("Above", "SELECT id, city FROM public.between", materialised=materialised)
    sync_views()
    before = picture("public.between"), picture("views.above")[0][6:]
    REBUILD_PLAIN.finish()
    assert (picture("public.between"), picture("views.above")[0][6:]) == before
    assert run("SELECT count(*) FROM views.above") == [(50,)]


@each([REBUILD_PLAIN, REBUILD_MATERIALISED])
@pytest.mark.parametrize("theirs", ["VIEW", "MATERIALIZED VIEW"])
def test_an_external_dependent_that_no_longer_fits_stops_the_sync_before_anything_is_changed(
    change, theirs, take_picture
):
    change.begin()
    run(f"CREATE {theirs} public.w AS SELECT id, other FROM views.v")
    before = take_picture()
    change.change()
    (plan,) = plan_views()
    assert len(plan.problems) == 1
    for said in ("views.v", "public.w", "other", "does not exist", "--drop-dependents"):
        assert said in plan.problems[0]
    with pytest.raises(PlanBlockedError, match=r"public\.w"):
        sync_views()
    assert take_picture() == before
    with pytest.raises(CommandError, match=r"public\.w"):
        call_command("sync_views", verbosity=0)
    assert take_picture() == before


@each([REBUILD_PLAIN, REBUILD_MATERIALISED])
def test_drop_dependents_drops_what_no_longer_fits_and_keeps_what_does(change, capsys):
    change.begin()
    run("CREATE VIEW public.w AS SELECT id, other FROM views.v")
    run("CREATE VIEW public.x AS SELECT id FROM public.w")
    run("CREATE VIEW public.fits AS SELECT id FROM views.v")
    was = oid("public.fits")
    change.change()
    (plan,) = plan_views(drop_dependents=True)
    assert plan.problems == ()
    assert {s.target for s in plan.steps if s.action is Action.DROP} == {"public.w", "public.x"}
    call_command("sync_views", "--drop-dependents", verbosity=0)
    assert run("SELECT to_regclass('public.w'), to_regclass('public.x')") == [(None, None)]
    assert oid("public.fits") == was
    assert run("SELECT count(*) FROM public.fits") == [(50,)]


@each(REBUILDS)
def test_a_column_of_the_row_type_stops_the_sync_and_is_named(change, take_picture):
    change.begin()
    run("CREATE TABLE public.holder (v views.v)")
    stopped_by(change, "public.holder", take_picture)


@each(REBUILDS)
def test_a_column_of_an_array_of_the_row_type_stops_the_sync_and_is_named(change, take_picture):
    change.begin()
    run("CREATE TABLE public.holder (vs views.v[])")
    stopped_by(change, "public.holder", take_picture)


@each(REBUILDS)
def test_a_function_with_a_body_of_sql_stops_the_sync_and_is_named(change, take_picture):
    change.begin()
    run(
        "CREATE FUNCTION public.cities() RETURNS bigint LANGUAGE sql "
        "BEGIN ATOMIC SELECT count(city) FROM views.v; END"
    )
    stopped_by(change, "function public.cities()", take_picture)


@each([REBUILD_PLAIN, REBUILD_MATERIALISED, BELOW_PLAIN, LATE])
@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("CREATE FUNCTION public.f(v views.v) RETURNS int LANGUAGE sql AS 'SELECT 1'", "public.f(views.v)"),
        ("CREATE FUNCTION public.g() RETURNS SETOF views.v LANGUAGE plpgsql AS 'BEGIN END'", "public.g()"),
        ("CREATE POLICY p ON public.things USING (id IN (SELECT id FROM views.v))", "policy p"),
        ("CREATE RULE r AS ON DELETE TO public.things DO ALSO SELECT * FROM views.v", "rule r"),
        ("CREATE DOMAIN public.d AS views.v", "public.d"),
        ("CREATE TYPE public.t AS (v views.v)", "public.t"),
    ],
    ids=["argument", "result", "policy", "rule", "domain", "composite type"],
)
def test_other_things_that_need_the_view_stop_the_sync_and_are_named(change, sql, named, take_picture):
    change.begin()
    run(sql)
    stopped_by(change, named, take_picture)


def stopped_by(change, named, take_picture):
    before = take_picture()
    change.change()
    (plan,) = plan_views()
    assert len([problem for problem in plan.problems if named in problem]) == 1, plan.problems
    with pytest.raises(PlanBlockedError):
        sync_views()
    assert take_picture() == before


@each([REPLACE])
def test_what_keeps_a_view_from_being_dropped_does_not_keep_it_from_being_replaced(change):
    change.begin()
    run("CREATE FUNCTION public.n() RETURNS bigint LANGUAGE sql RETURN (SELECT count(city) FROM views.v)")
    change.finish()
    assert run("SELECT public.n()") == [(50,)]
