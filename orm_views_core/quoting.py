"""Messages that quote PostgreSQL, and the same without the quotes. Pure.

What PostgreSQL says of an error may quote rows (``Key (email)=(…)``), and a function may say anything. Those
who may not see rows are told the rest of the message, the SQLSTATE and the name of the function.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """What PostgreSQL reported of an error, without what may quote rows.

    Attributes:
        sqlstate: the code of the error.
        condition: the name of the code, in words.
        function: the function in which the error occurred; "" when there is none, or it is not known.
    """

    sqlstate: str
    condition: str
    function: str = ""

    def __str__(self) -> str:
        where = f" in function {self.function}" if self.function else ""
        return f"PostgreSQL reports SQLSTATE {self.sqlstate} ({self.condition}){where}."


class Quoting(str):
    """A message that quotes PostgreSQL or another error.

    Attributes:
        rest: the message without the quotes.
        report: what PostgreSQL reported; None when it was not PostgreSQL.
        context: PostgreSQL's CONTEXT, in which the function is looked for.
    """

    rest: str
    report: Report | None
    context: str

    def __new__(cls, text: str, rest: str = "", report: Report | None = None, context: str = "") -> Quoting:
        quoting = super().__new__(cls, text)
        quoting.rest, quoting.report, quoting.context = rest, report, context
        return quoting

    def replaced(self, old: str, new: str) -> Quoting:
        """Return the message with another name in it."""
        return Quoting(self.replace(old, new), self.rest.replace(old, new), self.report, self.context)

    def followed_by(self, words: str) -> Quoting:
        """Return the message with words of our own behind it. What PostgreSQL reported stays known."""
        return Quoting(f"{self}{words}", f"{self.rest}{words}", self.report, self.context)

    @property
    def summary(self) -> str:
        """The message for those who may not see rows."""
        return f"{self.rest}\n{self.report}" if self.report else self.rest


def because(what: str, error: BaseException) -> Quoting:
    """Return that something failed, with the error that Python raised."""
    name = type(error).__name__
    return Quoting(f"{what}: {name}: {error}", f"{what}: {name}.")


def unquoted(text: str) -> Quoting:
    """Return the message of an error that has a cause and quotes nothing of it."""
    return Quoting(text, text)


def summary_of(text: str) -> str:
    """Return a message without its quotes."""
    return text.summary if isinstance(text, Quoting) else text


def embedded(before: str, text: str, after: str = "") -> Quoting:
    """Return a message with our own words around it."""
    return Quoting(f"{before}{text}{after}", f"{before}{summary_of(text)}{after}")


def joined(texts: Iterable[str]) -> Quoting:
    """Return messages as one, a line or more for each."""
    texts = list(texts)
    return Quoting("\n".join(texts), "\n".join(map(summary_of, texts)))
