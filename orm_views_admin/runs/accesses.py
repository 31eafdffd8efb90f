"""Recording that somebody reads rows of a view, before the rows are given."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import DatabaseError, router

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.conf import get_settings
from orm_views_admin.models import RowAccess, Run
from orm_views_admin.models.accesses import in_words, stored
from orm_views_core.database.rows import Condition, Operator, Span
from orm_views_core.engines.postgresql.errors.diagnostics import quoting
from orm_views_core.engines.short_transactions import in_short_transaction
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.sentences import listed, says

_LONGEST_NAME = 255  # the max_length of RowAccess.who


class NotRecordedError(OrmViewsError):
    """Rows are not shown, because it could not be recorded that somebody reads them."""


def is_recorded() -> bool:
    """Return whether it is recorded who reads rows."""
    return get_settings().RECORD_PREVIEWS


def record(
    user: Any,
    address: ViewAddress,
    kind: RowAccess.Kind,
    *,
    conditions: Iterable[Condition] = (),
    about: str = "",
    rows: int | None = None,
    with_personal: bool = False,
    run: Run | None = None,
) -> None:
    """Record that somebody reads rows of a view, unless the project does not want that.

    Call it before the rows are given. Long values are cut; the words say so.

    Args:
        user: who reads; None for a user who has been deleted since the run was started.
        address: the view.
        kind: how.
        conditions: what the rows have to fulfil. They are also put in words, in front of ``about``.
        about: what else was asked for, in English: “sorted by amount, page 3”.
        rows: how many rows are given, if that is known.
        with_personal: whether columns with personal data are shown.
        run: the export.

    Raises:
        NotRecordedError: if it cannot be recorded. The rows must not be given then.

    Example:
        >>> from django.contrib.auth.models import User
        >>> from orm_views_admin.models import RowAccess
        >>> from orm_views_admin.runs.accesses import Condition, Operator, ViewAddress, record
        >>> from orm_views_core.names import ViewName
        >>> address = ViewAddress("default", ViewName("views", "loan_book"))
        >>> wanted = Condition("city", Operator.EQUALS, ("York",))
        >>> record(User(username="ada"), address, RowAccess.Kind.ADMIN, conditions=[wanted])
        >>> RowAccess.objects.get(who="ada").about
        'city = York'
    """
    if not is_recorded():
        return
    conditions = list(conditions)
    who = user.get_username() if user else run.who if run else ""
    access = RowAccess(
        user=user if user and user.pk else None,
        who=who[:_LONGEST_NAME],
        kind=kind,
        database=address.database,
        **address.name._asdict(),
        conditions=stored(conditions),
        about=in_words(conditions, about),
        rows=rows,
        with_personal=with_personal,
        run=run,
    )
    try:
        in_short_transaction(router.db_for_write(RowAccess), partial(access.save, force_insert=True))
    except DatabaseError as error:
        what = says(
            "Rows are not shown, because it could not be recorded that you read them: %(error)s",
            error=str(error).strip(),
        )
        rest = says("Rows are not shown, because it could not be recorded that you read them.")
        advice = says(
            "If the table is missing, run migrate. "
            "ORM_VIEWS_ADMIN['RECORD_PREVIEWS'] = False records nothing."
        )
        words = quoting(listed([what, advice], "\n"), listed([rest, advice], " "), error)
        raise NotRecordedError(words) from error


__all__ = [
    "Condition",
    "NotRecordedError",
    "Operator",
    "Span",
    "ViewAddress",
    "record",
]
