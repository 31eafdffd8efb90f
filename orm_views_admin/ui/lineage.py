"""What columns of views are made of and what hangs on them, as HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui import wording
from orm_views_admin.ui.graph.drawing import PERSON
from orm_views_core.lineage import ColumnLineage, Found, RelationColumn, Way, ways
from orm_views_core.names import ViewName
from orm_views_core.status.surroundings import Target

#: So many names are shown at once. The rest is unfolded by a click.
_MOST = 6

_MADE_OF = {Way.SHOWS: _("shows"), Way.COMPUTED_FROM: _("is computed from"), Way.MAY_SHOW: _("may show")}
_GOES_TO = {
    Way.SHOWS: _("is shown by"),
    Way.COMPUTED_FROM: _("goes into"),
    Way.MAY_SHOW: _("may be shown by"),
    Way.USES: _("decides the rows of"),
}


def anchor(column: str) -> str:
    """Return the id of a column on the page of its view."""
    return "column-" + re.sub(r"[^A-Za-z0-9_-]", lambda match: f".{ord(match[0]):x}.", column)


def personal_mark(word: str | Promise) -> SafeString:
    """Return a mark of personal data, an icon and a word."""
    return format_html(
        '<span class="ov-personal"><svg class="ov-icon" viewBox="0 0 16 16" aria-hidden="true">'
        '<path d="{}"/></svg>{}</span>',
        PERSON,
        word,
    )


class LineageMarkup:
    """Writes names of columns, with links to the pages of views.

    Args:
        url: returns the URL of the page of a view; "" if it has none.
        personal: the columns of tables that are marked.
        sees: returns whether the user may see a relation.
        shown: returns a text as the user may read it.
    """

    def __init__(
        self,
        url: Callable[[ViewName], str],
        personal: Collection[RelationColumn] = (),
        *,
        sees: Callable[[ViewName], bool] = lambda name: True,
        shown: Callable[[str], str] = str,
    ) -> None:
        self._url, self._personal, self._sees, self._shown = url, personal, sees, shown

    def made_of(self, column: ColumnLineage, direct: ColumnLineage | None) -> SafeString:
        """Return what a column is made of.

        Args:
            column: its lineage, followed to the columns of tables.
            direct: what its own SELECT says. Views in it are named besides.
        """
        lines: list[tuple[object, SafeString]] = []
        lines += [(_MADE_OF[way], self._names(sorted(sources))) for way, sources in ways(column)]
        if column.because:
            possible = "" if column.may_show else gettext("may show a column of any table")
            because = self._shown(column.because)
            lines.append((possible, format_html('<span class="ov-because">{}</span>', because)))
        between = sorted((direct.sources if direct else frozenset()) - column.sources)
        if between:
            lines.append((_("by way of"), self._names(between)))
        return _lines(lines)

    def goes_to(self, targets: Iterable[Target]) -> SafeString:
        """Return what is made of a column."""
        by_way: dict[Way, list[RelationColumn]] = {}
        for way, column in targets:
            by_way.setdefault(way, []).append(column)
        return _lines((_GOES_TO[way], self._names(by_way[way])) for way in _GOES_TO if way in by_way)

    def _names(self, columns: Sequence[RelationColumn]) -> SafeString:
        seen = [each for each in columns if self._sees(each.relation)]
        if len(seen) < len(columns):  # what cannot be seen is there once
            columns = [*seen, next(each for each in columns if each not in seen)]
        first, rest = columns[:_MOST], columns[_MOST:]
        names = format_html_join("", "{}", ((self._name(each),) for each in first))
        if not rest:
            return names
        words = ngettext("and %(count)s more", "and %(count)s more", len(rest))
        return format_html(
            '{}<details class="ov-more"><summary>{}</summary>{}</details>',
            names,
            words % {"count": wording.number(len(rest))},
            format_html_join("", "{}", ((self._name(each),) for each in rest)),
        )

    def _name(self, column: RelationColumn) -> SafeString:
        """Return the name of a column, on a line of its own."""
        relation, name = column
        if not self._sees(relation):
            return format_html('<span class="ov-name">{}</span>', wording.UNSEEN)
        text = wording.breakable(str(column) if name else str(relation))
        url = self._url(relation)
        if url:
            text = format_html('<a href="{}{}">{}</a>', url, f"#{anchor(name)}" if name else "", text)
        mark = personal_mark(_("personal")) if column in self._personal else ""
        return format_html('<span class="ov-name"><code>{}</code> {}</span>', text, mark)


def why_found(found: Found, view: ViewName, text: str) -> str:
    """Return why a search finds a view, in words.

    Args:
        found: what hangs on what was searched for.
        view: a view that does.
        text: what was searched for, as it was written.
    """
    names = {"name": text}
    if not found.column:
        if found.relation in found.reads[view]:
            return gettext("reads %(name)s") % names
        through = [str(each) for each in sorted(found.reads[view])[:2]] or [str(wording.UNSEEN)]
        words = gettext("reads %(name)s, by way of %(views)s")
        return words % {**names, "views": wording.listed(through)}
    of_view = found.views[view]
    sentences = (
        (gettext("%(columns)s: shows %(name)s"), [each for each in of_view.columns if each.shows]),
        (
            gettext("%(columns)s: is computed from %(name)s"),
            [each for each in of_view.columns if each.computed_from],
        ),
        (
            gettext("%(columns)s: may show %(name)s"),
            [each for each in of_view.columns if not (each.shows or each.computed_from)],
        ),
    )
    parts = [
        words % {**names, "columns": wording.listed(each.column for each in columns)}
        for words, columns in sentences
        if columns
    ]
    if of_view.uses:
        parts.append(gettext("%(name)s decides which rows it has") % names)
    return "; ".join(parts)


def _lines(lines: Iterable[tuple[object, SafeString]]) -> SafeString:
    """Return a list of words, each with names behind."""
    items = format_html_join("", '<li><span class="ov-way">{}</span> {}</li>', lines)
    return format_html('<ul class="ov-ways">{}</ul>', items) if items else SafeString()
