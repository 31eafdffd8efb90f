"""What is asked of the rows of a view: whether it can be, whatever the engine is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from orm_views_core.exceptions import BadConditionError, MaskedColumnError, RowsUnavailableError
from orm_views_core.names import ViewName
from orm_views_core.quoting import unquoted
from orm_views_core.sentences import Sentence, listed, says

from .rows import Condition, Operator, RowColumn, Span, operators_for

#: Conditions, or what returns them once the columns are known; None for no rows.
Conditions = Sequence[Condition] | Callable[[Sequence[RowColumn]], Sequence[Condition] | None]

_TAKES_SPANS = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN)


def undeclared(view: ViewName) -> Sentence:
    """Return that the rows of a view are not read, because no class declares it."""
    return says("No class declares %(view)s, so its rows are neither counted nor shown.", view=view)


def no_view(view: ViewName) -> Sentence:
    """Return that the rows of what has the name of a view are not read, because it is none."""
    return says("%(view)s is not a view that a sync has created, so its rows are not read.", view=view)


def absent(view: ViewName) -> Sentence:
    """Return that there is nothing of that name to read."""
    return says("%(view)s is not in the database. Sync it first.", view=view)


def changed(view: ViewName) -> Sentence:
    """Return that a row is not in the place where a page has shown it."""
    return says(
        "The rows of %(view)s have changed since the page was shown. Open the page again, then the value.",
        view=view,
    )


def sorted_by(columns: Collection[str], key: str) -> tuple[str, bool]:
    """Return the column of a sort key, and whether it is descending. A name may have a hyphen too."""
    if key in columns:
        return key, False
    return key.removeprefix("-"), key.startswith("-")


def require_open(
    view: ViewName, columns: Collection[str], masked: Collection[str], used: Sequence[str], why_not: Sentence
) -> None:
    """Make sure that columns exist and are not masked.

    Args:
        view: the view.
        columns: all its columns.
        masked: those whose values stay in the database.
        used: the columns that are asked for.
        why_not: what is not done with a masked one.

    Raises:
        RowsUnavailableError: one of them does not exist.
        MaskedColumnError: one of them is masked.
    """
    for column in used:
        if column not in columns:
            known = listed(sorted(columns))
            raise RowsUnavailableError(
                says(
                    "%(view)s has no column %(column)r; it has %(known)s.",
                    view=view,
                    column=column,
                    known=known,
                )
            )
        if column in masked:
            raise MaskedColumnError(
                says("The values of %(column)r are masked, so %(why_not)s.", column=column, why_not=why_not)
            )


def require_fitting(column: RowColumn, condition: Condition) -> None:
    """Make sure that a condition can be asked of a column, and that its values can be sent.

    Raises:
        BadConditionError: the operator does not apply to the column, or has too many or too few values, or
            one of them cannot be sent.
    """
    takes, given = condition.operator.takes, len(condition.values)
    if condition.operator not in operators_for(column):
        message = says(
            "The column %(column)r has the type %(type)s, which the operator %(operator)r does not apply to.",
            column=condition.column,
            type=column.type,
            operator=condition.operator.value,
        )
        raise _bad(column, "", message)
    if (takes is None and not given) or (takes is not None and given != takes):
        message = says(
            "The operator %(operator)r takes %(wanted)s values, and %(given)s are given for the column "
            "%(column)r.",
            operator=condition.operator.value,
            wanted=says("at least 1") if takes is None else takes,
            given=given,
            column=condition.column,
        )
        raise _bad(column, "", message)
    is_span = any(isinstance(each, Span) for each in condition.values)
    if is_span and (not column.is_ordered or condition.operator not in _TAKES_SPANS):
        message = says(
            "The operator %(operator)r takes no span of values of %(column)r, which has the type %(type)s.",
            operator=condition.operator.value,
            column=condition.column,
            type=column.type,
        )
        raise _bad(column, "", message)
    for value in condition.texts:
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            message = says(
                "%(value)r has characters that no text in the database has, so no value of %(column)r is "
                "compared with it.",
                value=value,
                column=condition.column,
            )
            raise _bad(column, value, message)


def _bad(column: RowColumn, value: str, message: Sentence) -> BadConditionError:
    return BadConditionError(unquoted(message), column=column.name, type_=column.type, value=value)
