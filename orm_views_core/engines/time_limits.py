"""How long rows may be read, and the error of what took longer."""

from __future__ import annotations

from typing import NamedTuple

from django.db import OperationalError

from orm_views_core.conf import get_settings
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, number, says


class TooSlowError(OperationalError):
    """An engine other than PostgreSQL has ended a statement, and its time was over."""


class TimeLimit(NamedTuple):
    """How long rows may be read.

    Attributes:
        seconds: the limit.
        setting: the setting that it comes from, as a message names it.
    """

    seconds: float
    setting: str

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def sentence(self) -> Sentence:
        """It in words."""
        return says("%(seconds)s s (%(setting)s)", seconds=number(self.seconds), setting=self.setting)


def page_limit() -> TimeLimit:
    """Return the limit of a page."""
    return TimeLimit(get_settings().PREVIEW_TIMEOUT, "ORM_VIEWS['PREVIEW_TIMEOUT']")


def too_slow(name: ViewName, limit: TimeLimit) -> Sentence:
    """Return the message about rows that did not come in time."""
    return says("The rows of %(view)s did not come within %(limit)s.", view=name, limit=limit.sentence)
