"""The fixtures of core, and some rows to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.core.conftest import forget_models, plain_settings, registered, unrecorded
from tests.oldstyle.models import Table1

__all__ = ["forget_models", "plain_settings", "registered", "unrecorded"]


@pytest.fixture
def table(db: None) -> type[Table1]:
    """A table with two rows."""
    Table1.objects.create(id=1, name="one", col_a="a", col_b=10)
    Table1.objects.create(id=2, name="two", col_a="b", col_b=20)
    return Table1


@pytest.fixture
def oid(execute: Callable[..., Any]) -> Callable[[str], int]:
    """A function that returns the oid of a view: it stays as long as the view is not built again."""
    return lambda view: execute(f"SELECT 'views.{view}'::regclass::oid")[0][0]
