"""The filters of a preview: conditions on the columns of a view, in the URL.

``?column.id.equals=5&column.opened_on.at_least=30/06/2026``. A column may have any name, also one with dots.
So the operator is what follows the last dot. ``column.NAME=text`` of older links asks for what contains it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orm_views_admin.ui.wording import listed
from orm_views_core.database.rows import Condition, Operator, RowColumn, Span, operators_for
from orm_views_core.exceptions import BadConditionError
from orm_views_core.sentences import translate

from .values import NotUnderstoodError, refusal, split_list, understand, whole_day

#: The prefix of the parameters: a column may have the name of another parameter.
PREFIX = "column."
#: The parameters of the form that adds a filter. Its answer is a redirection to the page with that filter.
COLUMN, OPERATOR, VALUE = "filter", "operator", "value"

WORDS: Mapping[Operator, object] = {
    Operator.EQUALS: gettext_lazy("equals"),
    Operator.NOT_EQUALS: gettext_lazy("does not equal"),
    Operator.CONTAINS: gettext_lazy("contains"),
    Operator.BEGINS: gettext_lazy("begins with"),
    Operator.AT_LEAST: gettext_lazy("is at least"),
    Operator.AT_MOST: gettext_lazy("is at most"),
    Operator.IN: gettext_lazy("is one of"),
    Operator.IS_NULL: gettext_lazy("is NULL"),
    Operator.IS_NOT_NULL: gettext_lazy("is not NULL"),
}
OPERATORS: Mapping[str, Operator] = {operator.value: operator for operator in Operator}
#: What a filter without a value has in the URL.
_ANY = "yes"


class Problem(NamedTuple):
    """What is wrong with a filter, and which field of the form it is about."""

    field: str
    words: str


@dataclass(frozen=True)
class ColumnFilter:
    """A filter as somebody has written it.

    Attributes:
        column: the name of the column.
        operator: how it is compared.
        text: what was typed.
        parameter: its name and its value in the URL.
        conditions: what is asked of the database; none if something is wrong.
        wrong: what is wrong; None if it is right.
    """

    column: str
    operator: Operator
    text: str
    parameter: tuple[str, str]
    conditions: tuple[Condition, ...] = ()
    wrong: Problem | None = None

    @property
    def problem(self) -> str:
        """What is wrong; "" if it is right."""
        return self.wrong.words if self.wrong else ""

    @property
    def words(self) -> list[tuple[object, str]]:
        """What was understood: words for each condition, and its values."""
        if not self.conditions:
            return [(WORDS[self.operator], self.text if self.operator.takes != 0 else "")]
        return [
            (WORDS[condition.operator], listed(map(_shown, condition.values)))
            for condition in self.conditions
        ]

    @property
    def is_as_typed(self) -> bool:
        """Whether what was understood is what was typed."""
        return len(self.conditions) < 2 and all(value in ("", self.text) for _word, value in self.words)


def asked_filters(parameters: QueryDict) -> list[tuple[str, str]]:
    """Return the names and values of the parameters that filter, without the prefix."""
    return [
        (name.removeprefix(PREFIX), text.replace("\0", ""))
        for name, texts in parameters.lists()
        if name.startswith(PREFIX)
        for text in texts
    ]


def parameter_of(column: str, operator: Operator, text: str) -> tuple[str, str]:
    """Return the name and the value of the parameter that filters by a column."""
    return f"{PREFIX}{column}.{operator.value}", _ANY if operator.takes == 0 else text


def read_filters(asked: Iterable[tuple[str, str]], columns: Sequence[RowColumn]) -> list[ColumnFilter]:
    """Return the filters that a URL asks for, understood as far as that can be."""
    known = {column.name: column for column in columns}
    filters = []
    for name, text in asked:
        found = _split(name, text, known)
        if found:
            filters.append(_understood(found, known.get(found.column)))
    return filters


def _split(name: str, text: str, known: Mapping[str, RowColumn]) -> ColumnFilter | None:
    """Return which column and operator a parameter is about; None for an older form's empty field."""
    column, dot, last = name.rpartition(".")
    operator = OPERATORS.get(last) if dot else None
    parameter = f"{PREFIX}{name}", text
    if operator and (column in known or name not in known):
        return ColumnFilter(column, operator, text, parameter)
    return ColumnFilter(name, Operator.CONTAINS, text, parameter) if text else None


def _understood(asked: ColumnFilter, column: RowColumn | None) -> ColumnFilter:
    if column is None:
        problem = _("The view has no column “%(name)s”.") % {"name": asked.column}
        return replace(asked, wrong=Problem(COLUMN, problem))
    operator = asked.operator
    if operator not in operators_for(column):
        values = {
            "word": WORDS[operator],
            "type": column.type,
            "others": listed(WORDS[each] for each in operators_for(column)),
        }
        problem = _("“%(word)s” cannot be asked of the type %(type)s. Choose one of: %(others)s.") % values
        return replace(asked, wrong=Problem(OPERATOR, problem))
    try:
        return replace(asked, conditions=_conditions(asked, column))
    except NotUnderstoodError as error:
        return replace(asked, wrong=Problem(VALUE, str(error)))


def _conditions(asked: ColumnFilter, column: RowColumn) -> tuple[Condition, ...]:
    """Return what a filter asks of the database.

    Raises:
        NotUnderstoodError: if its value is no value of the column.
    """
    operator, text = asked.operator, asked.text
    if operator.takes == 0:
        return (Condition(asked.column, operator),)
    if not text and (operator not in (Operator.EQUALS, Operator.NOT_EQUALS) or column.category != "S"):
        raise NotUnderstoodError(_("Type a value."))
    if operator is Operator.IN:
        values = tuple(_value(each, column) for each in split_list(text))
        if not values:
            raise NotUnderstoodError(_("Type a value."))
        return (Condition(asked.column, operator, values),)
    if operator in (Operator.CONTAINS, Operator.BEGINS):
        return (Condition(asked.column, operator, (_part(text, column),)),)
    value = _value(text, column)
    if not isinstance(value, Span) or operator is Operator.NOT_EQUALS:
        return (Condition(asked.column, operator, (value,)),)
    bounds = {Operator.AT_LEAST: value.first, Operator.AT_MOST: value.last}
    wanted = bounds if operator is Operator.EQUALS else {operator: bounds[operator]}
    return tuple(Condition(asked.column, each, (bound,)) for each, bound in wanted.items())


def _value(text: str, column: RowColumn) -> str | Span:
    """Return a value as PostgreSQL writes it; of a day in a column of moments, the first and the last one.

    Raises:
        NotUnderstoodError: if it is no value of the column.
    """
    value = understand(text, column)
    return whole_day(value, column) or value


def _shown(value: str | Span) -> str:
    if isinstance(value, Span):
        return _("%(first)s to %(last)s") % {"first": value.first, "last": value.last}
    return value


def _part(text: str, column: RowColumn) -> str:
    """Return a part of a value. A whole one may be written as people write it in the active language."""
    try:
        return understand(text, column)
    except NotUnderstoodError:
        return text


def with_refusal(
    filters: Iterable[ColumnFilter], error: BadConditionError, columns: Sequence[RowColumn]
) -> list[ColumnFilter]:
    """Return filters with what PostgreSQL has refused marked as wrong."""
    known = {column.name: column for column in columns}
    marked = []
    for each in filters:
        values = [text for condition in each.conditions for text in condition.texts]
        if each.column == error.column and (error.value in values or not values):
            problem = refusal(error.value, known[each.column]) if each.column in known else translate(error)
            each = replace(each, conditions=(), wrong=Problem(VALUE, problem))
        marked.append(each)
    return marked
