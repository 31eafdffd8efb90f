"""What people have added to a view is read, and made again on another, as PostgreSQL has it."""

from __future__ import annotations

import dataclasses

import pytest
from django.db import connections

from orm_views_core.database.extras import SCHEMA, TABLE, Extra, without_twins, worth_keeping
from orm_views_core.database.relations import InstalledIndex
from orm_views_core.definitions.definition import IndexDefinition
from orm_views_core.engines.postgresql.catalog.extras import read_extras
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.names import ViewName
from tests.core.values import MATERIALISED, VIEW, define, install, state_of

pytestmark = pytest.mark.django_db

KINDS = {VIEW: "VIEW", MATERIALISED: "MATERIALIZED VIEW"}
SELECT = 'SELECT id, city, \'x\'::text AS "Odd ""name" FROM lending_customer'


@pytest.fixture(autouse=True)
def schemas(execute):
    execute("CREATE SCHEMA views; CREATE SCHEMA stage")


def oid_of(execute, view):
    return execute(f"SELECT '{view}'::regclass::oid")[0][0]


def read(execute, view):
    """What a view has beyond its definition."""
    oid = oid_of(execute, view)
    with catalog_cursor(connections["default"]) as cursor:
        return read_extras(cursor, [oid]).get(oid, ())


def role_of(execute):
    return execute("SELECT current_user")[0][0]


def hand_over(execute, kind=VIEW):
    """Read what ``views.v`` has, and make it again on ``stage.v``; return it."""
    found = read(execute, "views.v")
    execute(f"CREATE {KINDS[kind]} stage.v AS {SELECT}")
    for extra in found:
        for statement in extra.statements(ViewName("stage", "v"), role_of(execute)):
            execute(statement)
    return found


# What somebody adds to a view, and how it is called.
PLAIN = {
    "a default": (
        "ALTER VIEW views.v ALTER COLUMN city SET DEFAULT 'Leeds ON views.v'",
        ["default city"],
    ),
    "a rule": (
        'CREATE RULE "to nothing" AS ON INSERT TO views.v DO INSTEAD NOTHING',
        ["rule to nothing"],
    ),
    "a rule that names the view twice": (
        (
            "CREATE RULE r AS ON UPDATE TO views.v WHERE old.city = ' TO views.v' "
            "DO INSTEAD UPDATE lending_customer SET city = new.city WHERE id IN (SELECT id FROM views.v)"
        ),
        ["rule r"],
    ),
    "a trigger": (
        (
            'CREATE TRIGGER "on ON views.v" INSTEAD OF INSERT OR DELETE ON views.v FOR EACH ROW '
            "EXECUTE FUNCTION public.do_nothing('an ON views.v argument')"
        ),
        ["trigger on ON views.v"],
    ),
    "comments": (
        (
            "COMMENT ON VIEW views.v IS 'It''s \\x01 mine.';"
            'COMMENT ON COLUMN views.v."Odd ""name" IS \'Odd.\';'
            "CREATE RULE r AS ON INSERT TO views.v DO INSTEAD NOTHING;"
            "COMMENT ON RULE r ON views.v IS 'Nothing.';"
            "CREATE TRIGGER t INSTEAD OF UPDATE ON views.v FOR EACH ROW EXECUTE FUNCTION public.do_nothing();"
            "COMMENT ON TRIGGER t ON views.v IS 'Nothing either.'"
        ),
        ['column comment Odd "name', "comment", "rule r", "rule comment r", "trigger t", "trigger comment t"],
    ),
    "grants": (
        (
            'GRANT SELECT ON views.v TO "a Friend", PUBLIC; GRANT UPDATE (city) ON views.v TO "a Friend";'
            'GRANT INSERT ON views.v TO "a Friend" WITH GRANT OPTION'
        ),
        [
            "grant of INSERT to a Friend with grant option",
            "grant of SELECT to a Friend",
            "grant of SELECT to public",
            "grant of UPDATE (city) to a Friend",
        ],
    ),
    "an owner": ('ALTER VIEW views.v OWNER TO "a Friend"', ["owner a Friend"]),
    "what its owner has revoked from himself": (
        "REVOKE INSERT, TRUNCATE ON views.v FROM current_user",
        ["revocation INSERT from {me}", "revocation TRUNCATE from {me}"],
    ),
}
STORED = {
    "storage parameters": (
        "ALTER MATERIALIZED VIEW views.v SET (fillfactor = 70, autovacuum_enabled = false)",
        ["storage parameter autovacuum_enabled=false", "storage parameter fillfactor=70"],
    ),
    "parameters of long values": (
        "ALTER MATERIALIZED VIEW views.v SET (toast.autovacuum_enabled = false)",
        ["storage parameter toast.autovacuum_enabled=false"],
    ),
    "how columns are stored": (
        'ALTER MATERIALIZED VIEW views.v ALTER COLUMN "Odd ""name" SET STORAGE EXTERNAL',
        ['column storage Odd "name'],
    ),
    "how columns are compressed": (
        "ALTER MATERIALIZED VIEW views.v ALTER COLUMN city SET COMPRESSION pglz",
        ["column storage city"],
    ),
    "statistics": (
        (
            "ALTER MATERIALIZED VIEW views.v ALTER COLUMN city SET STATISTICS 500;"
            "ALTER MATERIALIZED VIEW views.v ALTER COLUMN id SET (n_distinct = 7, n_distinct_inherited = 8)"
        ),
        ["statistics target city", "column option id", "column option id"],
    ),
    "indexes": (
        (
            'CREATE UNIQUE INDEX " ON views.v USING" ON views.v (id) INCLUDE (city) WITH (fillfactor = 80);'
            "CREATE INDEX partial ON views.v USING hash (city) WHERE city <> ' ON views.v USING '"
        ),
        ["index  ON views.v USING", "index partial"],
    ),
    "what belongs to an index": (
        (
            "CREATE INDEX i ON views.v (id, lower(city));"
            "COMMENT ON INDEX views.i IS 'Mine.';"
            "ALTER INDEX views.i ALTER COLUMN 2 SET STATISTICS 300;"
            "ALTER MATERIALIZED VIEW views.v CLUSTER ON i"
        ),
        ["index i", "index statistics i", "index comment i", "cluster on i"],
    ),
    "comments": (
        "COMMENT ON MATERIALIZED VIEW views.v IS 'Mine.'; COMMENT ON COLUMN views.v.city IS 'Town.'",
        ["column comment city", "comment"],
    ),
    "grants and an owner": (
        'ALTER MATERIALIZED VIEW views.v OWNER TO "a Friend"; GRANT SELECT (id) ON views.v TO PUBLIC',
        ["owner a Friend", "grant of SELECT (id) to public"],
    ),
}


@pytest.fixture
def friend(execute, make_role):
    body = "BEGIN RETURN NULL; END"
    execute(f"CREATE FUNCTION public.do_nothing() RETURNS trigger LANGUAGE plpgsql AS '{body}'")
    role = make_role("a Friend")
    execute(f'GRANT CREATE ON SCHEMA views, stage TO "{role}"')
    return role


CASES = [pytest.param(VIEW, *case, id=f"plain: {what}") for what, case in PLAIN.items()]
CASES += [pytest.param(MATERIALISED, *case, id=f"materialised: {what}") for what, case in STORED.items()]


@pytest.mark.parametrize(("kind", "by_hand", "said"), CASES)
def test_extras_are_read_and_can_be_created_again(kind, by_hand, said, execute, friend):
    execute(f"CREATE {KINDS[kind]} views.v AS {SELECT}")
    assert read(execute, "views.v") == ()
    execute(by_hand)
    found = hand_over(execute, kind)
    assert sorted(map(str, found)) == sorted(word.format(me=role_of(execute)) for word in said)
    assert read(execute, "stage.v") == found


def test_a_view_that_nobody_touched_has_nothing(execute):
    execute(f"CREATE VIEW views.v AS {SELECT}; CREATE MATERIALIZED VIEW views.m AS {SELECT}")
    assert read(execute, "views.v") == read(execute, "views.m") == ()


def test_nothing_is_read_of_no_views(django_assert_num_queries):
    with django_assert_num_queries(0), connections["default"].cursor() as cursor:
        assert read_extras(cursor, []) == {}


def test_several_views_are_read_together_and_each_has_its_own(execute, django_assert_num_queries):
    execute(
        f"CREATE VIEW views.a AS {SELECT}; CREATE VIEW views.b AS {SELECT};"
        f"CREATE VIEW views.c AS {SELECT};"
        "COMMENT ON VIEW views.a IS 'A.'; GRANT SELECT ON views.b TO PUBLIC"
    )
    oids = {name: oid_of(execute, f"views.{name}") for name in "abc"}
    # Two of them are the search path's.
    with django_assert_num_queries(4), catalog_cursor(connections["default"]) as cursor:
        found = read_extras(cursor, list(oids.values()))
    assert {oid: [str(b) for b in extras] for oid, extras in found.items()} == {
        oids["a"]: ["comment"],
        oids["b"]: ["grant of SELECT to public"],
    }


def test_extended_statistics_get_their_name_once_it_is_free(execute):
    execute(f"CREATE MATERIALIZED VIEW views.v AS {SELECT}")
    execute("CREATE STATISTICS public.s (ndistinct) ON id, city FROM views.v")
    (found,) = hand_over(execute, MATERIALISED)
    assert str(found) == "extended statistics s"
    execute("DROP MATERIALIZED VIEW views.v; ALTER MATERIALIZED VIEW stage.v SET SCHEMA views")
    for statement in found.last_statements(ViewName("stage", "v")):
        execute(statement)
    assert [str(extra) for extra in read(execute, "views.v")] == ["extended statistics s"]


def test_an_index_that_could_not_be_finished_is_not_kept(execute):
    execute(f"CREATE MATERIALIZED VIEW views.v AS {SELECT}; CREATE INDEX i ON views.v (id)")
    execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'views.i'::regclass")
    assert read(execute, "views.v") == ()


def test_what_a_role_has_passed_on_is_passed_on_by_that_role_again(execute, make_role):
    for role in ("one", "two", "three"):
        make_role(role)
    execute(f"GRANT USAGE ON SCHEMA views, stage TO one, two, three; CREATE VIEW views.v AS {SELECT}")
    execute("GRANT SELECT ON views.v TO two WITH GRANT OPTION")
    execute("SET LOCAL ROLE two; GRANT SELECT ON views.v TO one WITH GRANT OPTION; RESET ROLE")
    execute("SET LOCAL ROLE one; GRANT SELECT ON views.v TO three; RESET ROLE")
    acl = "SELECT relacl::text FROM pg_class WHERE oid = '{}.v'::regclass"
    found = hand_over(execute)
    assert [extra.grantor for extra in found] == ["", "two", "one"]
    assert execute(acl.format("stage")) == execute(acl.format("views"))
    assert execute("SELECT current_user") != [("one",)]


def test_a_privilege_of_a_grantor_is_granted_as_that_role_which_is_left_again():
    grant = Extra("grant", "of SELECT to x", f"GRANT SELECT ON {TABLE} TO x", grantor='the "boss"')
    assert grant.statements(ViewName("stage", "v"), "deployer") == (
        'SET LOCAL ROLE "the ""boss"""',
        'GRANT SELECT ON "stage"."v" TO x',
        'SET LOCAL ROLE "deployer"',
    )
    ours = dataclasses.replace(grant, grantor="")
    assert ours.statements(ViewName("stage", "v"), "deployer") == ('GRANT SELECT ON "stage"."v" TO x',)


def test_what_is_of_an_index_is_found_in_the_schema_of_its_view():
    comment = Extra("index comment", "i", f"COMMENT ON INDEX {SCHEMA}.i IS 'x'")
    assert comment.statements(ViewName('st"age', "v"), "deployer") == (
        """COMMENT ON INDEX "st""age".i IS 'x'""",
    )


def test_default_privileges_of_the_role_do_not_reach_the_new_version(execute, make_role):
    """The old view was made before them, or they were revoked from it."""
    role = make_role("newcomer")
    execute(f"CREATE VIEW views.v AS {SELECT}; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO newcomer")
    found = hand_over(execute)
    assert "revocation newcomer" in [str(extra) for extra in found]
    for view in ("views.v", "stage.v"):
        assert execute(f"SELECT has_table_privilege('{role}', '{view}', 'SELECT')") == [(False,)]


def test_default_privileges_that_the_old_view_had_are_kept(execute, make_role):
    role = make_role("newcomer")
    execute(f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO newcomer; CREATE VIEW views.v AS {SELECT}")
    hand_over(execute)
    assert execute(f"SELECT has_table_privilege('{role}', 'stage.v', 'SELECT')") == [(True,)]


TOTALS = define(
    "totals",
    kind=MATERIALISED,
    indexes=(IndexDefinition("ours", True, '("id")'),),
    column_comments={"id": "Number."},
)
EVERYTHING = [
    Extra("storage parameter", "fillfactor=70", ""),
    Extra("index", "ours", "", tail="btree (id)"),
    Extra("index", "was ours", "", tail="btree (city)"),
    Extra("index", "by hand", "", tail="btree (city)"),
    Extra("index comment", "ours", ""),
    Extra("index comment", "was ours", ""),
    Extra("cluster on", "by hand", ""),
    Extra("column comment", "id", ""),
    Extra("column comment", "city", ""),
    Extra("comment", "", ""),
    Extra("grant", "of SELECT to analyst", ""),
    Extra("grant", "of SELECT to lender with grant option", ""),
    Extra("grant", "of UPDATE to analyst", ""),
]
RECORDED = install(TOTALS, state=state_of(TOTALS, indexes=("ours", "was ours")))


def kept(definition=TOTALS, installed=RECORDED, **asked):
    return [str(extra) for extra in worth_keeping(EVERYTHING, definition, installed, **asked)]


def test_what_the_class_declares_is_not_an_extra_to_keep():
    assert kept() == [
        "storage parameter fillfactor=70",
        "index by hand",
        "index comment ours",
        "cluster on by hand",
        "column comment city",
        "grant of SELECT to analyst",
        "grant of SELECT to lender with grant option",
        "grant of UPDATE to analyst",
    ]


def test_a_role_that_should_no_longer_read_it_loses_its_grant_and_no_other_privilege():
    words = kept(revoked=["analyst", "lender"])
    assert [word for word in words if "grant" in word] == ["grant of UPDATE to analyst"]


def test_an_index_of_a_view_that_no_sync_recorded_was_made_by_hand():
    unrecorded = install(TOTALS, state=None)
    assert [word for word in kept(installed=unrecorded) if word.startswith("index ")] == [
        "index was ours",
        "index by hand",
        "index comment ours",
        "index comment was ours",
    ]


def test_all_extras_of_an_external_dependent_are_kept():
    assert kept(is_external=True, revoked=["analyst"]) == [str(extra) for extra in EVERYTHING]


def test_indexes_equal_to_the_classs_own_are_left_out_unless_a_sync_recorded_the_view():
    wanted = [InstalledIndex("ours", True, "btree (city)")]
    indexes = [extra for extra in EVERYTHING if extra.kind == "index"]
    left = without_twins(indexes, wanted, install(TOTALS, state=None))
    assert [extra.name for extra in left] == ["ours"]
    assert without_twins(indexes, wanted, RECORDED) == indexes
