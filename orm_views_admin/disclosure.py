"""What a user may read of an error, or of another text that core has written.

PostgreSQL's words may quote rows, and need the permission to see the rows of the view that they are about. An
error may quote any row that was read, of whichever table, also where the view shows nothing of it: a cast in
WHERE names the value that it refuses. So once anything is personal in the project, the words need the
permission to see personal data too. Words that are about a database may quote rows of each of its views.

Whatever the words are, they may name views that the user may not see. Then they are not shown.

What is returned for a user is in the active language. What is stored is in English.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from django.utils.translation import gettext as _

from orm_views_core.engines.connections import view_databases
from orm_views_core.engines.postgresql.errors.diagnostics import report_of
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.privacy.marks import are_used
from orm_views_core.quoting import summary_of
from orm_views_core.sentences import Sentence, listed, translate

from .addresses import ViewAddress
from .models import Run
from .permissions import Permission, may, may_see_accesses, may_with_all, unseen

#: What a text is about: a view, a database, or all of them when None.
About: TypeAlias = "ViewAddress | str | None"


def error_text(error: BaseException) -> Sentence:
    """Return the whole message of an error; the name of its class when the message is empty."""
    if isinstance(error, OrmViewsError) and error.message.strip():
        return error.message
    return Sentence(str(error).strip() or type(error).__name__)


def error_summary(error: BaseException) -> Sentence:
    """Return an error without what may quote rows."""
    if isinstance(error, OrmViewsError):
        return error.summary
    report = report_of(error)
    return listed([f"{type(error).__name__}.", *([report.sentence] if report else [])], " ")


def error_for(user: Any, error: BaseException, about: About = None) -> str:
    """Return the message of an error as a user may read it."""
    return _chosen(user, error_text(error), error_summary(error), about)


def text_for(user: Any, text: str, about: About = None) -> str:
    """Return a text of core as a user may read it."""
    return _chosen(user, text, summary_of(text), about)


def run_error_for(user: Any, run: Run) -> str:
    """Return the error of a run as a user may read it. Runs of before have no summary."""
    if not may_see_request(user, run):
        return _("It failed.") if run.error else ""
    about = ViewAddress.of(run) or run.database
    short = run.said("error_summary") or (_("It failed.") if run.error else "")
    return _chosen(user, run.said("error"), short, about)


def may_see_request(user: Any, run: Run) -> bool:
    """Return whether a user may see what a run was asked for: the filter of an export may tell of rows."""
    if run.kind != Run.Kind.EXPORT or run.user_id == user.pk:
        return True
    return may_see_accesses(user)


def names_unseen(user: Any, text: str, about: About = None) -> bool:
    """Return whether a text may name a view that a user may not see."""
    return any(unseen(user, alias).are_in(text) for alias in _databases(about))


def without_unseen(user: Any, text: str, about: About = None) -> str:
    """Return a text, or why it is not shown: it may name a view that the user may not see."""
    words = translate(text)
    return withheld() if names_unseen(user, words, about) else words


def withheld() -> str:
    """Return what stands in the place of a text that may name a view that the user may not see."""
    return _("It may name a view that you may not see, so it is not shown.")


def _chosen(user: Any, text: str, summary: str, about: About) -> str:
    hint = _why_not_whole(user, about) if text != summary else ""
    short = translate(summary)
    shown = short if hint else translate(text)
    if names_unseen(user, shown, about):
        return withheld() if names_unseen(user, short, about) else f"{short}\n{withheld()}"
    return f"{shown}\n{hint}" if hint else shown


def _why_not_whole(user: Any, about: About) -> str:
    """Return who may read the whole of a text that may quote rows; "" if the user may."""
    if not _may(user, Permission.PREVIEW, about):
        return _("Those who may see rows of views can read the whole message.")
    if are_used() and not _may(user, Permission.VIEW_PERSONAL, about):
        return _("Those who may see personal data in rows of views can read the whole message.")
    return ""


def _may(user: Any, permission: Permission, about: About) -> bool:
    if isinstance(about, ViewAddress):
        return may(user, permission, about)
    return may_with_all(user, permission, _databases(about))


def _databases(about: About) -> Iterable[str]:
    if about is None:
        return view_databases()
    return (about.database if isinstance(about, ViewAddress) else about,)
