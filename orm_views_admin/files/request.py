"""What an export was asked for, as its run stores it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from orm_views_admin.models import Run
from orm_views_core.database.rows import Condition, Operator, Span
from orm_views_core.sentences import NOTHING, Sentence, from_json, listed, says, to_json


@dataclass(frozen=True)
class ExportRequest:
    """What an export was asked for.

    Attributes:
        form: the key of the format.
        conditions: what the rows have to fulfil.
        order_by: the columns to sort by; a ``-`` in front means descending.
        about: the order in words.
        query: the query string of the preview that shows the same rows.
    """

    form: str
    conditions: Sequence[Condition] = ()
    order_by: Sequence[str] = ()
    about: Sentence = NOTHING
    query: str = ""

    @property
    def words(self) -> Sentence:
        """The order and the format: “sorted by amount, as csv”."""
        return listed(filter(None, (self.about, says("as %(format)s", format=self.form))))

    @classmethod
    def of(cls, run: Run) -> ExportRequest:
        """Return what an export was asked for."""
        options = run.options
        return cls(
            options.get("format", ""),
            tuple(_condition(*each) for each in options.get("conditions", ())),
            tuple(options.get("order_by", ())),
            from_json(options.get("said"), options.get("about", "")),
            options.get("query", ""),
        )

    def as_options(self) -> dict[str, Any]:
        """Return the options of the run; :meth:`of` is the inverse."""
        return {
            "format": self.form,
            "conditions": [
                [each.column, each.operator.value, [_stored(value) for value in each.values]]
                for each in self.conditions
            ],
            "order_by": list(self.order_by),
            "about": str(self.about),
            "said": to_json(self.about),
            "query": self.query,
        }


def _stored(value: str | Span) -> str | list[str]:
    return list(value) if isinstance(value, Span) else value


def _condition(column: str, operator: str, values: Iterable[Any]) -> Condition:
    read = tuple(value if isinstance(value, str) else Span(*value) for value in values)
    return Condition(column, Operator(operator), read)


@dataclass(frozen=True)
class ExportResult:
    """What is to be said of the file of an export.

    Attributes:
        has_more: whether there were more rows than it has.
        masked: the columns that it lacks, because they have personal data.
        personal: the columns with personal data that it has.
        cut: how many texts are cut.
        as_text: the columns that are texts, because a value of theirs is none of the format's type.
    """

    has_more: bool = False
    masked: Sequence[str] = ()
    personal: Sequence[str] = ()
    cut: int = 0
    as_text: Sequence[str] = ()

    @classmethod
    def of(cls, run: Run) -> ExportResult:
        """Return what is to be said of the file of an export; of one that has not ended, nothing."""
        return cls(**run.options.get("result", {}))

    def as_options(self) -> dict[str, Any]:
        """Return it as the run stores it; :meth:`of` is the inverse."""
        return asdict(self)


def number_of(run: Run) -> int:
    """Return what tells an export from others in the database that it reads: 31 bits of its random id."""
    return run.request.int & 0x7FFFFFFF
