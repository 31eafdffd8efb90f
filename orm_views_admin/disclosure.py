"""What a user may read of an error: PostgreSQL's words may quote rows, and need the permissions to see them.

An error may quote any row that was read, of whichever table, also where the view shows nothing of it: a cast
in WHERE names the value that it refuses. So once anything is personal in the project, the words need the
permission to see personal data too, whatever view they are about.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from orm_views_core.engines.postgresql.errors.diagnostics import report_of
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.privacy.marks import are_used
from orm_views_core.quoting import summary_of

from .models import Run
from .permissions import Permission, may


def error_text(error: BaseException) -> str:
    """Return the whole message of an error; the name of its class when the message is empty."""
    return str(error).strip() or type(error).__name__


def error_summary(error: BaseException) -> str:
    """Return an error without what may quote rows."""
    if isinstance(error, OrmViewsError):
        return error.summary.strip()
    report = report_of(error)
    return " ".join([f"{type(error).__name__}.", *([str(report)] if report else [])])


def error_for(user: Any, error: BaseException) -> str:
    """Return the message of an error as a user may read it."""
    return _chosen(user, error_text(error), error_summary(error))


def text_for(user: Any, text: str) -> str:
    """Return a text of core as a user may read it."""
    return _chosen(user, text, summary_of(text))


def run_error_for(user: Any, run: Run) -> str:
    """Return the error of a run as a user may read it. Runs of before have no summary."""
    return _chosen(user, run.error, run.error_summary or (_("It failed.") if run.error else ""))


def _chosen(user: Any, text: str, summary: str) -> str:
    if text == summary:
        return text
    if not may(user, Permission.PREVIEW):
        hint = _("Those who may see rows of views can read the whole message.")
    elif are_used() and not may(user, Permission.VIEW_PERSONAL):
        hint = _("Those who may see personal data in rows of views can read the whole message.")
    else:
        return text
    return f"{summary}\n{hint}"
