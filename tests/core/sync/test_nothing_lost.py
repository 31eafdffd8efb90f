"""Grants made by hand, and the owner, are the same after every change of a view."""

from __future__ import annotations

import pytest

from orm_views_core.sync import sync_views
from tests.core.keeping import (
    ACL,
    COLUMN_ACL,
    KINDS,
    MATERIALISED,
    PLAIN,
    REBUILD_MATERIALISED,
    REBUILD_PLAIN,
    each,
    run,
    survives,
)

pytestmark = pytest.mark.django_db

EVERY = [*PLAIN, *MATERIALISED, *KINDS]


@pytest.fixture(autouse=True)
def people(make_role):
    for name in ("ann", "bob", "carol", "Dave's"):
        make_role(name)


@each(EVERY)
def test_grants(change):
    survives(change, 'GRANT SELECT, INSERT, UPDATE, TRIGGER ON views.v TO bob, "Dave\'s"', ACL)


@each(EVERY)
def test_grants_with_grant_option(change):
    survives(change, "GRANT SELECT, DELETE ON views.v TO bob WITH GRANT OPTION", ACL)


@each(EVERY)
def test_grants_keep_their_grantor(change):
    add = [
        "GRANT SELECT ON views.v TO bob WITH GRANT OPTION",
        "SET ROLE bob; GRANT SELECT ON views.v TO carol WITH GRANT OPTION; RESET ROLE",
        'SET ROLE carol; GRANT SELECT ON views.v TO "Dave\'s", PUBLIC; RESET ROLE',
    ]
    survives(change, add, ACL)
    grantors = {(grantor, grantee) for grantor, grantee, *_ in run(ACL)}
    assert {("bob", "carol"), ("carol", '"Dave\'s"'), ("carol", "-")} <= grantors


@each(EVERY)
def test_grants_from_several_grantors_whatever_their_names_are(change):
    """Ann got UPDATE from bob, who got it from carol; other things he got from the owner."""
    add = [
        "GRANT UPDATE ON views.v TO carol WITH GRANT OPTION; GRANT SELECT ON views.v TO bob",
        "SET ROLE carol; GRANT UPDATE ON views.v TO bob WITH GRANT OPTION",
        "SET ROLE bob; GRANT UPDATE ON views.v TO ann; RESET ROLE",
    ]
    survives(change, add, ACL)


@each(EVERY)
def test_grants_to_public(change):
    survives(change, "GRANT SELECT, REFERENCES ON views.v TO PUBLIC", ACL)


@each(EVERY)
def test_grants_on_columns(change):
    add = "GRANT SELECT (id, city), UPDATE (city) ON views.v TO bob, PUBLIC"
    survives(change, [add, "GRANT SELECT (id) ON views.v TO carol WITH GRANT OPTION"], COLUMN_ACL)


@each(EVERY)
def test_grants_on_columns_keep_their_grantor(change):
    add = [
        "GRANT SELECT (id, city) ON views.v TO bob WITH GRANT OPTION",
        "SET ROLE bob; GRANT SELECT (id) ON views.v TO ann; RESET ROLE",
    ]
    survives(change, add, COLUMN_ACL)


@each([REBUILD_PLAIN, REBUILD_MATERIALISED])
def test_a_grant_on_a_column_that_goes_is_reported_as_lost(change):
    change.begin()
    run("GRANT SELECT (other) ON views.v TO bob; GRANT SELECT (city) ON views.v TO bob")
    change.change()
    planned = change.plan()
    step = change.finish()
    assert step.lost == planned.lost
    (lost,) = step.lost
    assert "SELECT" in lost
    assert "other" in lost
    assert "bob" in lost
    assert [column for column, *_ in run(COLUMN_ACL)] == ["city"]


@each(EVERY)
def test_privileges_that_the_owner_revoked_from_himself(change):
    survives(change, "REVOKE INSERT, UPDATE, TRUNCATE ON views.v FROM CURRENT_USER", ACL)


@each(EVERY)
def test_privileges_that_another_owner_revoked_from_himself(change):
    survives(
        change,
        "ALTER TABLE views.v OWNER TO bob; SET ROLE bob; REVOKE DELETE ON views.v FROM bob; RESET ROLE",
        ACL,
    )


@each(EVERY)
@pytest.mark.parametrize("where", ["", "IN SCHEMA views"])
def test_default_privileges_add_no_grants(change, where):
    change.begin()
    run("GRANT SELECT ON views.v TO bob")
    granted = run(ACL)
    run(f"ALTER DEFAULT PRIVILEGES {where} GRANT SELECT, INSERT ON TABLES TO carol, PUBLIC")
    run(f"ALTER DEFAULT PRIVILEGES {where} GRANT SELECT ON TABLES TO bob WITH GRANT OPTION")
    change.finish()
    assert run(ACL) == granted


@each(EVERY)
def test_default_privileges_take_nothing_away(change):
    change.begin()
    granted = run(ACL)
    run("ALTER DEFAULT PRIVILEGES REVOKE INSERT, SELECT ON TABLES FROM CURRENT_USER")
    change.finish()
    assert run(ACL) == granted


@each(EVERY)
def test_default_privileges_of_the_owner_take_nothing_away_from_him(change):
    change.begin()
    run("ALTER TABLE views.v OWNER TO bob; REVOKE DELETE ON views.v FROM bob")
    granted = run(ACL)
    run("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO bob")
    change.finish()
    assert run(ACL) == granted


@each(EVERY)
def test_the_owner(change):
    """He needs no right to create anything in the schema."""
    owner = "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'views.v'::regclass"
    survives(change, "ALTER TABLE views.v OWNER TO bob", owner)
    assert run(owner) == [("bob",)]
    assert run("SELECT has_schema_privilege('bob', 'views', 'CREATE')") == [(False,)]


@each(EVERY)
def test_the_grants_of_another_owner(change):
    add = "ALTER TABLE views.v OWNER TO bob; GRANT SELECT, INSERT ON views.v TO carol, PUBLIC"
    survives(change, add, ACL)
    assert {grantor for grantor, *_ in run(ACL)} == {"bob"}


@each(MATERIALISED)
def test_a_materialised_view_is_filled_as_its_owner(change):
    """As REFRESH fills it: the policy on the table that it reads lets its owner see one row."""
    change.begin()
    run("ALTER TABLE views.v OWNER TO bob; ALTER TABLE public.things ENABLE ROW LEVEL SECURITY")
    run("CREATE POLICY one ON public.things USING (id = 1); ALTER TABLE public.things OWNER TO carol")
    if change.below:
        run("ALTER VIEW views.below OWNER TO bob")
    change.change()
    sync_views()
    assert run("SELECT id FROM views.v") == [(1,)]
    run("REFRESH MATERIALIZED VIEW views.v")
    assert run("SELECT id FROM views.v") == [(1,)]
