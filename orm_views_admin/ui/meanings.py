"""What means something else once a plan is carried out, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_core.names import ViewName
from orm_views_core.plan.meanings import ChangedMeaning

from .wording import breakable, name_list, with_names


@dataclass(frozen=True)
class ShownMeaning:
    """A view that means something else afterwards.

    Attributes:
        name: its name, with a link to its page if it has one.
        is_ours: whether a class declares it.
        what: what of it means something else, a sentence without its subject.
    """

    name: SafeString
    is_ours: bool
    what: SafeString


def show_meaning(meaning: ChangedMeaning, url: Callable[[ViewName], str]) -> ShownMeaning:
    """Return in words what of a view means something else.

    Args:
        meaning: what core has found.
        url: returns the URL of the page of a view; "" if it has none.
    """
    parts = []
    if meaning.columns:
        words = ngettext("column %(names)s", "columns %(names)s", len(meaning.columns))
        parts.append(with_names(words, names=name_list(meaning.columns)))
    if meaning.rows:
        parts.append(SafeString(_("its rows")))
    what = parts[0] if parts else SafeString()
    if len(parts) == 2:
        what = with_names(_("%(one)s and %(other)s"), one=parts[0], other=parts[1])
    if meaning.by_way_of:
        what = with_names(_("%(what)s, by way of %(names)s"), what=what, names=name_list(meaning.by_way_of))
    if not meaning.is_exact:
        unsure = _("%(what)s; its SELECT could not be read to the end, so perhaps not all of that")
        what = with_names(unsure, what=what)
    name, address = breakable(str(meaning.view)), url(meaning.view)
    link = format_html('<a href="{}">{}</a>', address, name) if address else name
    return ShownMeaning(link, meaning.is_ours, what)
