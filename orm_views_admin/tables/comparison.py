"""The table of rows that a plan adds, removes and changes."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orm_views_admin.ui.cells import is_number, render_cell, render_mask
from orm_views_admin.ui.lineage import personal_mark
from orm_views_admin.ui.wording import breakable
from orm_views_core.comparison import Change, ComparedColumn, ComparedView, Sample

from .base import Header

_WORDS = {
    Change.ADDED: (_("added"), "success", "+"),
    Change.REMOVED: (_("removed"), "error", "-"),
    Change.CHANGED: (_("changed"), "warning", "~"),
}


class SampleTable:
    """Samples of rows that differ, with the old and the new value where these differ.

    It is no table of django-tables2, as that of a preview is none.

    Args:
        view: what was found of a view.

    Attributes:
        label: the table's accessible name.
    """

    def __init__(self, view: ComparedView) -> None:
        self._view = view
        self.label = _("Rows of %(name)s that differ") % {"name": view.name}

    def headers(self) -> Iterator[Header]:
        """Yield the header cells."""
        yield Header(pgettext_lazy("of a row", "Change"))
        for column in self._view.columns:
            name: SafeString | str = breakable(column.name)
            if column.name in self._view.masked:
                name = format_html("{} {}", name, personal_mark(_("personal")))
            yield Header(name, css_class="ov-number" if is_number(column.shown) else "")

    def lines(self) -> Iterator[SafeString]:
        """Yield the cells of each row, as HTML."""
        for sample in self._view.samples:
            cells = (self._cell(n, column, sample) for n, column in enumerate(self._view.columns))
            yield mark_safe(_badge(sample.change) + "".join(cells))  # noqa: S308 - each part is HTML already

    def _cell(self, n: int, column: ComparedColumn, sample: Sample) -> SafeString:
        is_numeric = is_number(column.shown)
        return format_html(
            '<td role="cell"{}>{}</td>',
            mark_safe(' class="ov-number"') if is_numeric else "",
            self._content(n, column, sample),
        )

    def _content(self, n: int, column: ComparedColumn, sample: Sample) -> SafeString | str:
        if column.name in self._view.masked:
            return render_mask()
        old = None if sample.change is Change.ADDED else column.old
        new = None if sample.change is Change.REMOVED else column.new
        before = render_cell(cell, old) if old and (cell := sample.old[n]) else ""
        after = render_cell(cell, new) if new and (cell := sample.new[n]) else ""
        if sample.change is not Change.CHANGED or not (before and after):
            return before or after
        if sample.old[n] == sample.new[n]:
            return after
        return format_html('<del>{}</del> <span class="ov-to">→</span> <ins>{}</ins>', before, after)


def _badge(change: Change) -> SafeString:
    word, colour, sign = _WORDS[change]
    return format_html(
        '<td role="cell"><span class="ov-badge ov-{}"><span class="ov-sign" aria-hidden="true">{}</span>{}'
        "</span></td>",
        colour,
        sign,
        word,
    )
