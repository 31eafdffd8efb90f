"""What is personal in these tests, and who may read what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orm_views_core.privacy import marks, personal
from tests.core.keeping import run
from tests.demo.lending.models import Customer

#: The fields that the demonstration marks.
OF_DEMONSTRATION = ("email", "first_name", "last_name", "date_of_birth")


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that marks fields of the demonstration's customers for the length of a test."""

    def mark_fields(*names: str) -> None:
        monkeypatch.setattr(marks, "_used", True)
        for name in names:
            field: Any = Customer._meta.get_field(name)
            monkeypatch.setattr(field, marks.ATTRIBUTE, True, raising=False)
            assert personal(field) is field

    return mark_fields


@pytest.fixture
def email_is_personal(mark: Callable[..., None]) -> None:
    """Only the e-mail is personal, so that a test says all that its messages name."""
    mark("email")


@pytest.fixture
def analyst(make_role: Callable[[str], str]) -> str:
    """A role that may read what it is granted and nothing else. It may use the schema of the views."""
    run("CREATE SCHEMA IF NOT EXISTS views")
    run(f"GRANT USAGE ON SCHEMA views TO {make_role('analyst_of_test')}")
    return "analyst_of_test"


@pytest.fixture
def all_is_granted(settings: Any, analyst: str) -> None:
    """That role may read every view that is not hidden."""
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": [analyst]}
