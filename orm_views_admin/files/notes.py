"""What a file of rows lacks, or has in another form than the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Notes:
    """What is to be said of a file.

    Attributes:
        cut: how many texts are cut, because a cell of the format has no room for them.
        as_text: the columns that are texts, because a value of theirs is none of the format's type.
    """

    cut: int = 0
    as_text: list[str] = field(default_factory=list)


class DoesNotFitError(Exception):
    """Values are none of the types that a format has for their columns.

    Attributes:
        columns: the columns. Their values can be written as texts.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(", ".join(columns))
        self.columns = columns
