"""The SQL of statements: quoted so that PostgreSQL accepts any name and any text."""

from __future__ import annotations

import pytest
from django.db import transaction

from orm_views_core.engines.postgresql import ddl
from orm_views_core.names import ViewName
from tests.core.values import MATERIALISED, VIEW, define

ODD = ViewName('sche"ma', 'vi ew"; DROP TABLE x; --')
STRINGS = [
    "",
    "plain",
    "it's",
    "back\\slash",
    "\\'",
    "'",
    "a\\",
    "100%",
    "%s %(x)s",
    "$$",
    "größe\n\t",
    "E'x'",
]


@pytest.mark.django_db
@pytest.mark.parametrize("standard_conforming_strings", ["on", "off"])
@pytest.mark.parametrize("value", STRINGS)
def test_a_literal_is_read_back_as_it_is(value, standard_conforming_strings, execute):
    execute(f"SET LOCAL standard_conforming_strings = {standard_conforming_strings}")
    assert execute(f"SELECT{ddl.quote_literal(value)}") == [(value,)]


@pytest.mark.django_db
def test_every_statement_takes_odd_names(execute, make_role):
    role = make_role('An "odd" role')
    execute(ddl.create_schema(ODD.schema))
    plain = define("x", 'SELECT 1 AS "co ""l"', options=(("security_barrier", "true"),))
    execute(ddl.create_view(plain, at=ODD))
    execute(ddl.create_view(plain, at=ODD, replace=True))
    execute(ddl.comment_on_view(VIEW, ODD, "it's"))
    execute(ddl.comment_on_column(ODD, 'co "l', "it's"))
    execute(ddl.set_options(ODD, [("security_barrier", "false")]))
    execute(ddl.reset_options(ODD, ["security_barrier"]))
    execute(ddl.grant_usage(ODD.schema, [role, "public"]))
    execute(ddl.grant_select(ODD, [role, "public"]))
    execute(ddl.revoke_select(ODD, [role]))
    execute(ddl.lock_view(VIEW, ODD, owner=execute("SELECT current_user")[0][0]))
    execute(ddl.drop_view(VIEW, ODD))
    execute(ddl.create_view(define("x", "SELECT 1 AS a", kind=MATERIALISED), at=ODD, with_data=False))
    execute(f'CREATE UNIQUE INDEX "in""dex" ON {ODD.quoted} (a)')
    execute(ddl.refresh(ODD, concurrently=False))
    execute(ddl.refresh(ODD, concurrently=True))
    execute(ddl.analyze(ODD))
    execute(ddl.lock_view(MATERIALISED, ODD))
    execute(ddl.rename_index(ViewName(ODD.schema, 'in"dex'), 'an "other'))
    execute(ddl.create_schema('sche"ma 2'))
    execute(ddl.open_schema('sche"ma 2'))
    execute(ddl.set_schema(MATERIALISED, ODD, 'sche"ma 2'))
    execute(ddl.drop_schema(ODD.schema))
    moved = ViewName('sche"ma 2', ODD.name)
    execute(ddl.drop_index(ViewName(moved.schema, 'an "other')))
    execute(ddl.drop_view(MATERIALISED, moved))
    execute(ddl.drop_schema(moved.schema))
    assert execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sche%'") == []


LOCKS = """
SELECT relname FROM pg_locks JOIN pg_class c ON c.oid = relation
WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock' AND relnamespace <> 'pg_catalog'::regnamespace
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
@pytest.mark.parametrize("kind", [VIEW, MATERIALISED])
@pytest.mark.parametrize("by_owner", [True, False], ids=["by its owner", "by its schema"])
def test_a_view_is_locked_against_readers_by_what_changes_nothing(
    kind, execute, make_role, take_picture, by_owner
):
    role = make_role("boss")
    execute("CREATE SCHEMA views")
    execute(ddl.create_view(define("v", "SELECT id FROM lending_loan", kind=kind)))
    execute(f"ALTER TABLE views.v OWNER TO {role}; GRANT SELECT ON views.v TO PUBLIC")
    before = take_picture()
    with transaction.atomic():
        execute(ddl.lock_view(kind, ViewName("views", "v"), owner=role if by_owner else None))
        assert execute(LOCKS) == [("v",)], "what it reads is left alone"
    assert take_picture() == before


@pytest.mark.django_db
def test_everybody_may_look_up_names_in_a_staging_schema_and_create_nothing(execute, make_role):
    role = make_role("somebody")
    execute(ddl.create_schema("stage"))
    rights = "SELECT has_schema_privilege(%s, 'stage', 'USAGE'), has_schema_privilege(%s, 'stage', 'CREATE')"
    rights = rights.replace("%s", f"'{role}'")
    assert execute(rights) == [(False, False)]
    execute(ddl.open_schema("stage"))
    assert execute(rights) == [(True, False)]


@pytest.mark.django_db
def test_a_schema_with_something_in_it_is_not_dropped(execute):
    execute(ddl.create_schema("stage"))
    execute("CREATE VIEW stage.v AS SELECT 1 AS a")
    with pytest.raises(Exception, match="other objects depend on it"):
        execute(ddl.drop_schema("stage"))


def test_options_set_by_hand_come_behind_those_of_the_class():
    definition = define("x", "SELECT 1", options=(("security_barrier", "true"),))
    replaced = ddl.create_view(definition, replace=True, further_options=[("security_invoker", "true")])
    assert replaced.splitlines()[0] == (
        'CREATE OR REPLACE VIEW "views"."x" WITH (security_barrier=true, security_invoker=true) AS'
    )


@pytest.mark.django_db
def test_a_select_that_ends_in_a_comment_swallows_nothing(execute):
    execute("CREATE SCHEMA views")
    execute(ddl.create_view(define("x", "SELECT 1 AS a -- the end", kind=MATERIALISED), with_data=False))
    assert execute("SELECT relispopulated FROM pg_class WHERE oid = 'views.x'::regclass") == [(False,)]


@pytest.mark.django_db
def test_dropping_a_view_that_is_read_fails(execute):
    execute("CREATE SCHEMA views; CREATE VIEW views.a AS SELECT 1 AS a; CREATE VIEW views.b AS TABLE views.a")
    with pytest.raises(Exception, match="other objects depend on it"):
        execute(ddl.drop_view(VIEW, ViewName("views", "a")))


@pytest.mark.parametrize("word", ["public", "PUBLIC", ""])
def test_public_is_everybody_and_no_role(word):
    assert ddl.quote_role(word) == "PUBLIC"


@pytest.mark.parametrize("role", ["current_user", "session_user", "all", "Analyst"])
def test_any_other_word_is_the_name_of_a_role(role):
    assert ddl.quote_role(role) == f'"{role}"'


def test_the_select_begins_on_the_line_that_errors_count_from():
    for definition in (define("x", "SELECT\n1"), define("x", "SELECT\n1", kind=MATERIALISED)):
        lines = ddl.create_view(definition).splitlines()
        assert lines[ddl.HEAD_LINES :][:2] == ["SELECT", "1"]


def test_a_staged_copy_has_its_own_name_and_text():
    staged = ddl.create_view(define("x", "SELECT 1"), at=ViewName("stage", "x"), sql="SELECT 2")
    assert staged == 'CREATE VIEW "stage"."x" AS\nSELECT 2'
