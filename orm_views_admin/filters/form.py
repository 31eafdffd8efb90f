"""The form that adds a filter to a preview, and the list of the filters that are in force."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from orm_views_admin.ui.wording import listed, with_names
from orm_views_core.database.rows import Operator, RowColumn

from .columns import COLUMN, OPERATOR, OPERATORS, PREFIX, VALUE, WORDS, ColumnFilter, Problem, parameter_of
from .values import examples

_FIELDS = (COLUMN, OPERATOR, VALUE)


class Option(NamedTuple):
    """A choice of a ``<select>``."""

    value: str
    word: object
    is_selected: bool


@dataclass(frozen=True)
class Active:
    """A filter in the list of those that are in force.

    Attributes:
        column: the name of its column.
        words: what was understood, as HTML.
        typed: what was typed, if that differs; "" if it does not.
        is_quick: whether an index finds its rows.
        problem: what is wrong; "" if it is right.
        remove_url: the page without this filter.
    """

    column: str
    words: SafeString
    typed: str
    is_quick: bool
    problem: str
    remove_url: str


class FilterForm:
    """The form as the template shows it. It has the first filter that is wrong, to be corrected.

    Args:
        parameters: those of the page.
        columns: the columns of the view.
        filters: the filters of the page.
        quick: the columns for which an index finds the rows that have a value; None if that is unknown.
        masked: the columns by which the user may not filter.
    """

    def __init__(
        self,
        parameters: QueryDict,
        columns: Sequence[RowColumn],
        filters: Sequence[ColumnFilter],
        quick: Collection[str] | None = None,
        masked: Collection[str] = (),
    ) -> None:
        self._parameters, self._filters = parameters, filters
        self._open = [column.name for column in columns if column.name not in masked]
        self._quick = quick
        self._edited = next((each for each in filters if each.wrong), None)

    @property
    def is_offered(self) -> bool:
        """Whether there is a column to filter by."""
        return bool(self._open)

    @property
    def wrong(self) -> Problem | None:
        """What is wrong with the filter in the form."""
        if self._edited:
            return self._edited.wrong
        if COLUMN in self._parameters:
            return Problem(COLUMN, _("Choose a column."))
        return None

    @property
    def columns(self) -> list[tuple[str, list[Option]]]:
        """The groups of columns, with their titles: those that are quick, and the others."""
        chosen = self._edited.column if self._edited else ""
        options = [Option(name, name, name == chosen) for name in self._open]
        quick = [option for option in options if option.value in (self._quick or ())]
        others = [option for option in options if option not in quick]
        groups = [(_("Quick"), quick), (_("Other columns"), others)]
        return [(title if quick else "", options) for title, options in groups if options]

    @property
    def operators(self) -> list[Option]:
        """The ways to compare."""
        chosen = self._edited.operator if self._edited else Operator.EQUALS
        return [Option(operator.value, word, operator is chosen) for operator, word in WORDS.items()]

    @property
    def value(self) -> str:
        """What was typed into the form."""
        return self._edited.text if self._edited else self._parameters.get(VALUE, "")

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The parameters of the page with the filter that is added, except for that filter."""
        return _without_filters(self._parameters) + _parameters(self._without(self._edited))

    @property
    def active(self) -> list[Active]:
        """The filters of the page."""
        return [
            Active(
                each.column,
                condition_words(each.column, each.words),
                "" if each.is_as_typed else each.text,
                each.column in (self._quick or ()) and not each.wrong,
                each.problem,
                self._url(self._without(each)),
            )
            for each in self._filters
        ]

    @property
    def clear_url(self) -> str:
        """The page without filters."""
        return self._url([])

    @property
    def help(self) -> list[str]:
        """Sentences about what can be typed and what is quick."""
        shown = listed(text for category in "DN" for text in list(examples(category))[:1])
        sentences = [
            _("Write values as the table shows them, or as you are used to: %(examples)s.")
            % {"examples": shown},
            _("“Is one of” takes values with commas between them."),
        ]
        if self._quick:
            sentences.append(_("Quick columns have an index that finds the rows. Others have all rows read."))
        elif self._quick is not None:
            sentences.append(_("No column has an index that finds its rows, so a filter has all rows read."))
        return sentences

    def _without(self, filter_: ColumnFilter | None) -> list[ColumnFilter]:
        return [each for each in self._filters if each is not filter_]

    def _url(self, filters: Iterable[ColumnFilter]) -> str:
        return _query_string(_without_filters(self._parameters) + _parameters(filters))


def condition_words(column: str, words: Sequence[tuple[object, str]]) -> SafeString:
    """Return what is asked of a column as HTML: “amount is at least 5”.

    Args:
        column: its name.
        words: how it is compared, and with which value, which is "" for none; of a day both of its ends.
    """
    (operator, value), *second = words
    parts: dict[str, object] = {"operator": _plain(operator), "value": _value(value)}
    if second:
        sentence = pgettext("a filter", "%(column)s %(operator)s %(value)s and %(other)s %(last)s")
        parts |= {"other": _plain(second[0][0]), "last": _value(second[0][1])}
    elif value:
        sentence = pgettext("a filter", "%(column)s %(operator)s %(value)s")
    else:
        sentence = pgettext("a filter", "%(column)s %(operator)s")
    return with_names(sentence, column=column, **parts)


def _plain(words: object) -> SafeString:
    return format_html("{}", words)


def _value(text: str) -> SafeString:
    return format_html('<bdi class="ov-value">{}</bdi>', text)


def added(parameters: QueryDict) -> str | None:
    """Return the query string of the page with the filter that the form adds; None if none is added."""
    column = parameters.get(COLUMN, "").replace("\0", "")
    if not column:
        return None
    operator = OPERATORS.get(parameters.get(OPERATOR, ""), Operator.EQUALS)
    new = parameter_of(column, operator, parameters.get(VALUE, "").replace("\0", ""))
    kept = [(name, text) for name, texts in parameters.lists() if name.startswith(PREFIX) for text in texts]
    return _query_string(_without_filters(parameters) + list(dict.fromkeys([*kept, new])))


def without_parameter(parameters: QueryDict, removed: tuple[str, str]) -> str:
    """Return the query string of the page without one of its filters."""
    filters = [
        (name, text) for name, texts in parameters.lists() if name.startswith(PREFIX) for text in texts
    ]
    return _query_string(_without_filters(parameters) + [each for each in filters if each != removed])


def _without_filters(parameters: QueryDict) -> list[tuple[str, str]]:
    """Return the parameters that are no filters. Other rows have other pages, so the page is left out."""
    return [
        (name, str(value))
        for name, value in parameters.items()
        if value and name != "page" and name not in _FIELDS and not name.startswith(PREFIX)
    ]


def _parameters(filters: Iterable[ColumnFilter]) -> list[tuple[str, str]]:
    return [each.parameter for each in filters]


def _query_string(pairs: Iterable[tuple[str, str]]) -> str:
    query = QueryDict(mutable=True)
    for name, value in pairs:
        query.appendlist(name, value)
    # Always with the question mark: a link to "" would keep the parameters of the current page.
    return "?" + query.urlencode(safe="/:")
