"""The system checks of the pages that ask the database. Each test is named after the id that it is about."""

from __future__ import annotations

import pytest
from django.core.checks import WARNING, run_checks
from django.db import connections

from orm_views_admin.checks import check_roles

pytestmark = pytest.mark.django_db


@pytest.fixture
def role(execute):
    """A role that is no superuser."""
    execute("CREATE ROLE plain_reader")
    return "plain_reader"


def test_w001_the_pages_connect_as_a_superuser(execute):
    (message,) = [m for m in run_checks(databases=["default"]) if m.id == "orm_views_admin.W001"]
    ((superuser,),) = execute("SELECT session_user")
    assert message.level == WARNING
    assert message.msg == f"Database 'default': Django connects as {superuser!r}, which is a superuser."
    assert "as a role that only reads the views" in message.hint


def test_w001_set_role_is_no_protection(role, execute):
    execute(f"SET LOCAL ROLE {role}")
    assert [message.id for message in check_roles(None, databases=["default"])] == ["orm_views_admin.W001"]


def test_w001_another_role_is_right(role, execute):
    execute(f"SET LOCAL SESSION AUTHORIZATION {role}")
    assert check_roles(None, databases=["default"]) == []


def test_w001_asks_only_the_databases_that_are_checked(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert check_roles(None) == check_roles(None, databases=["warehouse"]) == []


def test_w001_a_database_that_does_not_answer_is_left_to_others(cut_off):
    cut_off("default")
    assert check_roles(None, databases=["default"]) == []
    assert connections["default"].settings_dict["HOST"] == "/nonexistent"
