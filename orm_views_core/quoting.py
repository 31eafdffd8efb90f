"""Messages that quote PostgreSQL, and the same without the quotes. Pure.

What PostgreSQL says of an error may quote rows (``Key (email)=(…)``), and a function may say anything. Those
who may not see rows are told the rest of the message, the SQLSTATE and the name of the function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .sentences import Json, Sentence, as_sentence, listed, replaced, says


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

    @property
    def sentence(self) -> Sentence:
        """The report in words."""
        words = {"code": self.sqlstate, "condition": self.condition}
        if not self.function:
            return says("PostgreSQL reports SQLSTATE %(code)s (%(condition)s).", **words)
        return says(
            "PostgreSQL reports SQLSTATE %(code)s (%(condition)s) in function %(function)s.",
            **words,
            function=self.function,
        )

    def __str__(self) -> str:
        return str(self.sentence)


class Quoting(Sentence):
    """A message that quotes PostgreSQL or another error.

    Attributes:
        whole: the message as it was made. It is a :class:`Sentence` if it can be translated.
        rest: the message without the quotes.
        report: what PostgreSQL reported; None when it was not PostgreSQL.
        context: PostgreSQL's CONTEXT, in which the function is looked for.
    """

    __slots__ = ("context", "report", "rest", "whole")

    whole: str
    rest: Sentence
    report: Report | None
    context: str

    def __new__(cls, text: str, rest: str = "", report: Report | None = None, context: str = "") -> Quoting:
        quoting = super().__new__(cls, text)
        quoting.whole = text.whole if isinstance(text, Quoting) else text
        quoting.rest, quoting.report, quoting.context = as_sentence(rest), report, context
        return quoting

    def translated(self) -> str:
        return as_sentence(self.whole).translated()

    def with_parts(self, changed: Callable[[object], object]) -> Quoting:
        whole, rest = (as_sentence(part).with_parts(changed) for part in (self.whole, self.rest))
        return Quoting(whole, rest, self.report, self.context)

    def as_json(self) -> Json:
        return as_sentence(self.whole).as_json()

    def replaced(self, old: str, new: str) -> Quoting:
        return self.with_parts(lambda part: replaced(part, old, new))

    def followed_by(self, words: str, separator: str = " ") -> Quoting:
        """Return the message with words of our own behind it. What PostgreSQL reported stays known."""
        whole, rest = (listed([part, words], separator) for part in (self.whole, self.rest))
        return Quoting(whole, rest, self.report, self.context)

    @property
    def summary(self) -> Sentence:
        """The message for those who may not see rows."""
        return listed([self.rest, self.report.sentence], "\n") if self.report else self.rest


def because(what: str, error: BaseException) -> Quoting:
    """Return that something failed, with the error that Python raised."""
    name = type(error).__name__
    return Quoting(
        says("%(what)s: %(name)s: %(error)s", what=what, name=name, error=as_sentence(error)),
        says("%(what)s: %(name)s.", what=what, name=name),
    )


def unquoted(text: str) -> Quoting:
    """Return the message of an error that has a cause and quotes nothing of it."""
    return Quoting(text, text)


def summary_of(text: str) -> Sentence:
    """Return a message without its quotes."""
    return as_sentence(text).summary


def embedded(message: Sentence) -> Quoting:
    """Return a message of ours, among whose values are messages that quote something."""
    return Quoting(message, message.summary)


def joined(texts: Iterable[str]) -> Quoting:
    """Return messages as one, a line or more for each."""
    texts = list(texts)
    return Quoting(listed(texts, "\n"), listed(map(summary_of, texts), "\n"))
