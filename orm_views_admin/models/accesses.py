"""That somebody has read rows of a view: who, when, which rows were asked for."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypedDict

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from orm_views_core.database.rows import Condition, Operator, Span
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, as_sentence, listed, number, says, says_n

from .runs import Run
from .telling import Telling

#: How many conditions of an access are kept, how many values of each, and how many characters of a text.
_MOST_CONDITIONS, _MOST_VALUES, _LONGEST = 50, 100, 400
#: How many values the words of a condition have, and how many characters all words.
_IN_WORDS, _LONGEST_WORDS = 10, 2000
_WORDS_OF = {
    Operator.EQUALS: gettext_noop("%(column)s = %(value)s"),
    Operator.NOT_EQUALS: gettext_noop("%(column)s is not %(value)s"),
    Operator.CONTAINS: gettext_noop("%(column)s contains %(value)s"),
    Operator.BEGINS: gettext_noop("%(column)s begins with %(value)s"),
    Operator.AT_LEAST: gettext_noop("%(column)s is at least %(value)s"),
    Operator.AT_MOST: gettext_noop("%(column)s is at most %(value)s"),
    Operator.IN: gettext_noop("%(column)s is one of %(value)s"),
    Operator.IS_NULL: gettext_noop("%(column)s is NULL"),
    Operator.IS_NOT_NULL: gettext_noop("%(column)s is not NULL"),
}
#: A number whose canonical form is not longer than itself by much.
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_UUID = re.compile(r"\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.ASCII | re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
#: So many digits a fraction has at most that is told from all others, as ``real`` has it.
_DIGITS = 6
#: A value with one of these may be of a type that writes it in several ways, such as a day or a list; or
#: it was cut.
_IN_MANY_WAYS = re.compile(r"[\d{\[(<=:\\]")
#: Words with another spelling in columns of truth values, numbers and moments; the first ones also shorter.
_SHORTER = ("true", "false", "yes", "no", "off")
_WORDS = {
    *(word[: n + 1] for word in _SHORTER for n in range(len(word))),
    *("on", "nan", "inf", "infinity", "now", "today", "tomorrow", "yesterday", "epoch", "allballs"),
}


class StoredCondition(TypedDict):
    """A condition, as an access stores it.

    Attributes:
        column: the name of the column.
        operator: the value of its ``Operator``.
        values: the texts of its values. Of a long one, its beginning and its digest.
        keys: what these are compared by: see :func:`key_of`.
        is_whole: whether rows with other keys were surely not asked for: all values are there, and each of
            them :func:`has_one_key`.
    """

    column: str
    operator: str
    values: list[str]
    keys: list[str]
    is_whole: bool


def stored(conditions: Iterable[Condition]) -> list[StoredCondition]:
    """Return conditions as an access stores them: the first fifty, with the first hundred values of each."""
    found: list[StoredCondition] = []
    for each in list(conditions)[:_MOST_CONDITIONS]:
        texts = [as_text(value) for value in each.values[:_MOST_VALUES]]
        found.append(
            {
                "column": clean(each.column),
                "operator": each.operator.value,
                "values": texts,
                "keys": [key_of(text) for text in texts],
                "is_whole": len(each.values) <= _MOST_VALUES and all(map(has_one_key, texts)),
            }
        )
    return found


def as_text(value: str | Span) -> str:
    """Return a value of a condition as it is stored."""
    return clean(" to ".join(value) if isinstance(value, Span) else value)


def clean(text: str) -> str:
    """Return a text that the table can store; of a long one, its beginning and what tells it from others."""
    text = text.replace("\0", "").encode(errors="replace").decode()
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{text[:_LONGEST]}… (cut: {len(text):,} characters, digest {digest})"


def key_of(text: str) -> str:
    """Return what a value is compared by, the same for ``5`` and ``5.00``, and for a UUID in any form.

    Columns may ignore case, accents and blanks at the end, so the key of a text does.
    """
    stripped = text.strip()
    if _UUID.fullmatch(stripped):
        return str(uuid.UUID(stripped))
    if _NUMBER.fullmatch(stripped):
        number = Decimal(stripped)
        digits = f"{number:f}" if number else "0"
        return digits.rstrip("0").rstrip(".") if "." in digits else digits
    decomposed = unicodedata.normalize("NFKD", stripped).casefold()
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def has_one_key(text: str) -> bool:
    """Return whether a value has the same key in all ways to write it, whatever the type of its column."""
    stripped, key = text.strip(), key_of(text)
    if _UUID.fullmatch(stripped) or _EMAIL.fullmatch(stripped):
        return True
    if _NUMBER.fullmatch(stripped):
        return "." not in key or len(key.lstrip("-0.").replace(".", "")) <= _DIGITS
    return key not in _WORDS and not _IN_MANY_WAYS.search(stripped)


def in_words(conditions: Sequence[Condition], about: str = "") -> Sentence:
    """Return what was asked for: “customer_id = 5, city contains York, sorted by amount”.

    Args:
        conditions: what rows had to fulfil.
        about: what follows them.
    """
    words = []
    for each in conditions[:_MOST_CONDITIONS]:
        texts = [as_text(value) for value in each.values]
        more = len(texts) - _IN_WORDS
        shown = [*texts[:_IN_WORDS], *([says("%(count)s more", count=number(more))] if more > 0 else [])]
        values = {"column": clean(each.column), "value": listed(shown)}
        words.append(says(_WORDS_OF[each.operator], **values))
    if (more := len(conditions) - _MOST_CONDITIONS) > 0:
        words.append(
            says_n("%(count)s more condition", "%(count)s more conditions", more, count=number(more))
        )
    text = listed(words)
    if len(text) > _LONGEST_WORDS:
        text = Sentence(f"{text[:_LONGEST_WORDS]}… (cut)")
    rest = clean(about)
    return listed(filter(None, (text, as_sentence(about) if rest == about else rest)))


class RowAccess(Telling):
    """A reading of rows of a view by a member of staff.

    ``rows`` and ``conditions`` say what was asked for, not which rows came: a page without a condition may
    have shown any row.

    Attributes:
        at: when.
        user: the user of Django's; None for one who has been deleted.
        who: the user's name then.
        kind: a :class:`RowAccess.Kind`.
        database: the alias.
        schema: the schema of the view.
        name: its name.
        conditions: a list of objects with column, operator, values, keys and is_whole. All hold.
        about: what was asked for, in words.
        rows: how many rows were given; None when unknown.
        with_personal: whether columns with personal data were shown.
        run: the :class:`Run` of an export; else None.
        sentences: what ``about`` is made of, to be translated.
    """

    class Kind(models.TextChoices):
        """How the rows were read.

        Attributes:
            PREVIEW: on the page of a view.
            VALUE: a whole value of one cell.
            EXPORT: as a file.
            ADMIN: in the pages of a ``ReadableViewAdmin``.
            COMPARISON: as samples of rows that a plan changes.
        """

        PREVIEW = "preview", _("preview")
        VALUE = "value", _("whole value")
        EXPORT = "export", _("export")
        ADMIN = "admin", _("page of the admin")
        COMPARISON = "comparison", _("comparison of data")

    at = models.DateTimeField(_("at"), default=timezone.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    who = models.CharField(_("who"), max_length=255, blank=True, help_text=_("The user's name then."))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.PREVIEW)
    database = models.CharField(_("database"), max_length=255)
    schema = models.CharField(_("schema"), max_length=63)
    name = models.CharField(_("name"), max_length=63)
    conditions = models.JSONField(
        _("conditions"),
        default=list,
        blank=True,
        help_text=_("Objects with column, operator, values, keys, is_whole. All hold."),
    )
    about = models.TextField(
        _("about"), blank=True, help_text=_("What was asked for, in words: for people and for searches.")
    )
    rows = models.BigIntegerField(_("rows"), null=True, blank=True, help_text=_("How many were given."))
    with_personal = models.BooleanField(
        _("with personal data"), default=False, help_text=_("Whether columns with personal data were shown.")
    )
    run = models.ForeignKey(
        Run,
        # As with changes of views: one statement deletes old runs, which leave their numbers here.
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="accesses",
        verbose_name=_("run"),
        help_text=_("The export."),
    )

    class Meta:
        default_permissions = ("view",)
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=("at",), name="orm_views_access_at"),
            models.Index(fields=("database", "schema", "name", "at"), name="orm_views_access_view"),
            models.Index(fields=("who", "at"), name="orm_views_access_who"),
        )
        verbose_name = _("access to rows")
        verbose_name_plural = _("accesses to rows")

    @property
    def view_name(self) -> ViewName:
        """The view whose rows were read."""
        return ViewName(self.schema, self.name)
