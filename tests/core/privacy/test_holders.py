"""Roles that may read the table itself, and views that read it with the rights of their readers."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from orm_views_core.privacy.api import judge_views
from orm_views_core.sync import sync_views
from tests.core.keeping import declare, run

from .saying import EMAIL, columns, plan, problem, problems, to_whom, warning, warnings, where

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal")]


def holder(view: type, role: str) -> str:
    return (
        f"{where(view)}: column 'email' of views.v shows lending.Customer.email as it is. It may be read by "
        f"'{role}', who may read that in the table itself too. Nothing has to be done, unless they lose that "
        "privilege."
    )


@pytest.mark.parametrize("privilege", ["SELECT", "SELECT (email)", "ALL"])
def test_a_role_that_may_read_the_table_itself_is_a_warning(analyst, privilege):
    run(f"GRANT {privilege} ON lending_customer TO {analyst}")
    view = declare("V", EMAIL, grant_select_to=[analyst])
    assert warnings() == [holder(view, analyst)]
    sync_views()
    run(f"REVOKE {privilege} ON lending_customer FROM {analyst}")
    assert columns(problems()) == ["views.v.email"]


def test_a_role_that_may_read_it_as_a_member_of_another(analyst, make_role):
    run(f"GRANT SELECT ON lending_customer TO {make_role('group_of_test')}; GRANT group_of_test TO {analyst}")
    view = declare("V", EMAIL, grant_select_to=[analyst])
    assert warnings() == [holder(view, analyst)]


def test_a_role_that_may_read_other_columns_of_the_table_only(analyst):
    run(f"GRANT SELECT (id, city) ON lending_customer TO {analyst}")
    declare("V", EMAIL, grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.email"]


def test_a_role_that_may_not_use_the_schema_of_the_table(analyst):
    run(
        f"""
        CREATE SCHEMA closed; ALTER TABLE lending_customer SET SCHEMA closed;
        GRANT SELECT ON closed.lending_customer TO {analyst};
        SET LOCAL search_path = public, closed
        """
    )
    view = declare("V", EMAIL, grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.email"]
    run(f"GRANT USAGE ON SCHEMA closed TO {analyst}")
    assert warnings() == [holder(view, analyst)]


def test_a_table_that_everybody_may_read(analyst):
    run("GRANT SELECT ON lending_customer TO PUBLIC")
    declare("V", EMAIL, grant_select_to=[analyst, "public"])
    assert to_whom(warning()) == (
        "everybody (PUBLIC) and 'analyst_of_test', who may read that in the table itself too"
    )


def test_one_role_has_the_table_and_another_has_not(analyst, make_role):
    run(f"GRANT SELECT ON lending_customer TO {make_role('boss')}")
    view = declare("V", EMAIL, grant_select_to=[analyst, "boss"])
    assert to_whom(problem()) == "'analyst_of_test'"
    assert plan().warnings == (holder(view, "boss"),)


def test_a_role_has_one_of_two_columns_that_are_needed(analyst, mark):
    mark("last_name")
    run(f"GRANT SELECT (email) ON lending_customer TO {analyst}")
    declare("V", "SELECT email || last_name AS both FROM lending_customer", grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.both"]


def test_nobody_is_known_to_have_all_that_a_function_may_read(analyst):
    run(
        f"""
        CREATE FUNCTION public.any_of_them() RETURNS text STABLE LANGUAGE sql AS $$SELECT 'a'$$;
        GRANT SELECT ON lending_customer TO {analyst}
        """
    )
    declare("V", "SELECT public.any_of_them() AS x", grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.x"]


def test_row_level_security_shows_a_role_less_than_a_view(analyst):
    """A policy keeps the rows of others from a role. A view shows what its owner may see."""
    run(
        f"""
        GRANT SELECT ON lending_customer TO {analyst};
        ALTER TABLE lending_customer ENABLE ROW LEVEL SECURITY
        """
    )
    declare("V", EMAIL, grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.email"]
    run(f"ALTER ROLE {analyst} BYPASSRLS")
    assert len(warnings()) == 1


def test_row_level_security_is_not_for_the_owner_of_a_table(analyst):
    run(
        f"""
        GRANT CREATE ON SCHEMA public TO {analyst};
        ALTER TABLE lending_customer OWNER TO {analyst}, ENABLE ROW LEVEL SECURITY
        """
    )
    declare("V", EMAIL, grant_select_to=[analyst])
    assert len(warnings()) == 1
    run("ALTER TABLE lending_customer FORCE ROW LEVEL SECURITY")
    assert columns(problems()) == ["views.v.email"]


@pytest.fixture
def has_invokers(db):
    if connection.pg_version < 150000:
        pytest.skip("PostgreSQL 15 and newer have security_invoker")


@pytest.mark.usefixtures("has_invokers")
def test_a_view_that_reads_with_the_rights_of_its_readers_shows_nobody_more(analyst, registered):
    view = declare("V", EMAIL, security_invoker=True, grant_select_to=[analyst])
    assert problems() == warnings() == []
    sync_views()
    assert warnings() == []
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        run(f"SET LOCAL ROLE {analyst}; SELECT email FROM views.v")
    registered.unregister(view)
    declare("V", EMAIL, grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.email"]


@pytest.mark.usefixtures("has_invokers")
def test_a_view_that_reads_such_a_view_reads_it_with_the_rights_of_its_own_owner(analyst):
    declare("V", EMAIL, security_invoker=True, grant_select_to=[analyst])
    declare("W", "SELECT email FROM views.v", grant_select_to=[analyst])
    assert columns(problems()) == ["views.w.email"]


@pytest.mark.usefixtures("has_invokers")
def test_that_option_taken_away_by_hand(analyst):
    declare("V", EMAIL, security_invoker=True, grant_select_to=[analyst])
    sync_views()
    run("ALTER VIEW views.v RESET (security_invoker)")
    assert problems() == []  # this sync would set it again
    assert len(judge_views(connection).problems) == 1
