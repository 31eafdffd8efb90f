"""Why rows could not be compared, in words."""

from __future__ import annotations

from django.db import DatabaseError

from orm_views_core.engines.postgresql.errors.diagnostics import (
    is_canceled,
    is_lock_timeout,
    primary_message,
    quoting,
)
from orm_views_core.quoting import Quoting, unquoted
from orm_views_core.sentences import Sentence, says

LOCKED = says("what it reads is locked: it is being refreshed or changed. Try again later.")


def why_failed(what: Sentence, error: DatabaseError) -> Quoting:
    """Return that something failed, with what PostgreSQL says. That may quote rows.

    Args:
        what: what failed, in words, without a full stop.
        error: what Django raised from the driver's error.
    """
    if is_lock_timeout(error):
        return unquoted(says("%(what)s: %(why)s", what=what, why=LOCKED))
    if is_canceled(error):
        return unquoted(says("%(what)s: it was cancelled on request.", what=what))
    whole = says("%(what)s: %(message)s.", what=what, message=primary_message(error))
    return quoting(whole, says("%(what)s.", what=what), error)
