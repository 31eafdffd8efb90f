"""What the guard says of the views of a test."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from orm_views_core.exceptions import PlanBlockedError
from orm_views_core.plan.steps import Plan
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views.identity import label_of
from orm_views_core.views.options import ViewOptions
from tests.translations.spoken import untranslated

#: A view that shows a personal column, what is said of it if it is called ``v``, and the four ways out.
EMAIL = "SELECT id, email, city FROM lending_customer"
HOW = "column 'email' of views.v shows lending.Customer.email as it is. It may be read by 'analyst_of_test'."
ADVICE = (
    "Leave the column out, hide the view with HiddenViewMixin, reduce it to what is not personal and write "
    'not_personal = ("{0}",), or write exposes = ("{0}",) to show it on purpose.'
)
ADVICE_COMPUTED = (
    'Leave the column out, hide the view with HiddenViewMixin, write not_personal = ("{0}",) if it is not '
    'personal any more, or write exposes = ("{0}",) to show it on purpose.'
)

_COLUMN = re.compile(r"[cC]olumn '([^']*)' of ([\w.]+) ")


def where(view: type) -> str:
    """Return how messages name a class: its label, its file and its line."""
    return f"{label_of(view)} ({ViewOptions(view).source})"


def plan(**arguments: Any) -> Plan:
    """Return the plan of the default database."""
    (found,) = (
        plan_views(databases=["default"], **arguments)
        if "views" not in arguments
        else plan_views(**arguments)
    )
    assert not (english := untranslated(found)), english
    return found


def problems(**arguments: Any) -> list[str]:
    """Return why a sync is refused. A sync says the same as its plan, and it changes nothing."""
    said = list(plan(**arguments).problems)
    if said:
        with pytest.raises(PlanBlockedError) as refused:
            sync_views(databases=["default"], **arguments)
        assert list(refused.value.problems) == said
    return said


def problem(**arguments: Any) -> str:
    """Return the only reason why a sync is refused."""
    (said,) = problems(**arguments)
    return said


def warnings(**arguments: Any) -> list[str]:
    """Return the warnings of a plan that has no problems."""
    found = plan(**arguments)
    assert found.problems == ()
    return list(found.warnings)


def warning(**arguments: Any) -> str:
    """Return the only warning of a plan that has no problems."""
    (said,) = warnings(**arguments)
    return said


def columns(messages: list[str]) -> list[str]:
    """Return the columns that messages are about, each with its view."""
    return [f"{view}.{column}" for message in messages for column, view in _COLUMN.findall(message)[:1]]


def to_whom(message: str) -> str:
    """Return who may read a column, as a message says it."""
    return message.partition("It may be read by ")[2].partition(". ")[0]


def call(*arguments: str, **options: Any) -> str:
    """Run a command; return what it printed."""
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out, no_color=True, **options)
    return out.getvalue()
