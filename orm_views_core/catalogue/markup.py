"""What the templates of the catalogue need to write texts of others: every one is escaped here or by them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

from django.template import Library
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from orm_views_core.names import ViewName, printable
from orm_views_core.sentences import translate

from .values import Personal

register = Library()


#: How columns that are made of personal data are marked: a word, and a person on a grid of 16 by 16, who is
#: filled where the data itself is shown, and crossed out where it is declared as no longer personal.
_PERSONAL = {
    Personal.SHOWN: _("personal data"),
    Personal.COMPUTED: _("computed from personal data"),
    Personal.NO_LONGER: _("declared as not personal"),
}
_PERSON = "M8 2a2.8 2.8 0 1 1 0 5.6A2.8 2.8 0 0 1 8 2zM2.2 14c0-3.2 2.6-4.6 5.8-4.6s5.8 1.4 5.8 4.6z"
_CROSSED_OUT = f"{_PERSON}M1 1l14 14"


@register.filter
def name(text: str | ViewName) -> SafeString:
    """Return a name, or words with names, in which a line may break after each dot, underscore and slash."""
    parts = re.split(r"(?<=[._/])", printable(translate(text)))
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts if part))


@register.filter
def personal_mark(personal: Personal | None) -> SafeString | str:
    """Return the mark of a column that is made of personal data; "" for any other."""
    if personal is None:
        return ""
    return format_html(
        ' <span class="personal personal-{}"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="{}"/></svg>'
        "{}</span>",
        personal.value.replace(" ", "-"),
        _CROSSED_OUT if personal is Personal.NO_LONGER else _PERSON,
        _PERSONAL[personal],
    )


@register.filter
def prose(text: str) -> SafeString:
    """Return a description as paragraphs. Each is set in the direction of its own language."""
    return format_html_join("\n", '<p dir="auto">{}</p>', ((each,) for each in _paragraphs(text)))


@register.filter
def first_paragraph(text: str) -> str:
    """Return the beginning of a description, on one line."""
    return next((" ".join(each.split()) for each in _paragraphs(text)), "")


@register.filter
def code(text: str) -> str:
    """Return SQL with everything written out that cannot be seen, or that would change what is seen."""
    return "".join(each if each in "\n\t" else printable(each) for each in text.replace("\r\n", "\n"))


@register.filter
def moment(when: dt.datetime) -> SafeString:
    """Return a time in UTC, to the minute."""
    utc = when.astimezone(dt.timezone.utc)
    return format_html(
        '<time datetime="{}">{}</time>',
        utc.isoformat(timespec="seconds").replace("+00:00", "Z"),
        utc.strftime("%Y-%m-%d %H:%M UTC"),
    )


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text of others, with control characters written out."""
    lines = text.replace("\r\n", "\n")
    seen = "".join(ascii(each)[1:-1] if _is_control(each) else each for each in lines)
    return [each for each in re.split(r"\n\s*\n", seen.strip()) if each]


def _is_control(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) in {"Cc", "Cs"}
