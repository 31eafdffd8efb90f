"""The check of ``ORM_VIEWS["SYNC_ROLE"]``."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import WARNING, run_checks
from django.db import connections

from orm_views_core.checks.roles import check_sync_role

pytestmark = pytest.mark.django_db


def test_w017_a_role_that_does_not_exist(settings: Any) -> None:
    settings.ORM_VIEWS = {"SYNC_ROLE": "nobody_at_all"}
    (message,) = check_sync_role(None, databases=["default"])
    assert (message.id, message.level) == ("orm_views_core.W017", WARNING)
    assert message.msg.startswith("Database 'default': ")
    assert message.msg.endswith(
        " cannot act as 'nobody_at_all', the role that ORM_VIEWS['SYNC_ROLE'] names: "
        'role "nobody_at_all" does not exist. Create it, or name another role.'
    )
    assert "readthedocs.io/page/explanation/security.html" in str(message.hint)
    assert message in run_checks(tags=["database"], databases=["default"])


def test_w017_a_role_that_may_be_set(settings: Any, make_role: Any) -> None:
    settings.ORM_VIEWS = {"SYNC_ROLE": make_role("views owner")}
    assert check_sync_role(None, databases=["default"]) == []
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_setting('role')")
        assert cursor.fetchone() == ("none",)


def test_w017_only_the_databases_that_are_asked_for(settings: Any, django_assert_num_queries: Any) -> None:
    settings.ORM_VIEWS = {"SYNC_ROLE": "nobody_at_all"}
    with django_assert_num_queries(0):
        assert check_sync_role(None) == []
        assert check_sync_role(None, databases=["warehouse"]) == []


@pytest.mark.parametrize("wrong", [{}, {"SYNC_ROLE": 7}])
def test_w017_without_a_role(settings: Any, django_assert_num_queries: Any, wrong: dict[str, Any]) -> None:
    settings.ORM_VIEWS = wrong
    with django_assert_num_queries(0):
        assert check_sync_role(None, databases=["default"]) == []
