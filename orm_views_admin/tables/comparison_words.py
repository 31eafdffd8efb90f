"""What a plan does to the rows of a view, in translated words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin.ui.wording import breakable, moment, name_list, number, with_names
from orm_views_core.comparison import Action, ComparedColumn, ComparedView
from orm_views_core.database.rows import RowColumn


def sentence(view: ComparedView) -> SafeString | str:
    """Return what happens to the rows of a view, in one sentence; "" if they were not compared."""
    counts = view.counts
    if counts is None:
        return ""
    if view.action is Action.NEW:
        words = ngettext("The view is new, with %(n)s row.", "The view is new, with %(n)s rows.", counts.new)
        return words % {"n": number(counts.new)}
    if view.action is Action.DROPPED:
        words = ngettext(
            "The view is dropped, with its only row.",
            "The view is dropped, with all of its %(n)s rows.",
            counts.old,
        )
        return words % {"n": number(counts.old)}

    def about(count: int) -> str:
        return f"≈ {number(count)}" if view.is_estimate else number(count)

    if not counts.differ:
        words = ngettext("No row differs, of %(n)s.", "No row differs, of %(n)s.", counts.new)
        return words % {"n": about(counts.new)}
    parts: list[object] = []
    if counts.added:
        words = ngettext("%(n)s row added", "%(n)s rows added", counts.added)
        parts.append(words % {"n": about(counts.added)})
    if counts.removed:
        words = ngettext("%(n)s row removed", "%(n)s rows removed", counts.removed)
        parts.append(words % {"n": about(counts.removed)})
    if counts.changed:
        words = ngettext("%(n)s of %(all)s row changed", "%(n)s of %(all)s rows changed", counts.old)
        parts.append(words % {"n": about(counts.changed), "all": about(counts.old)})
    rows = format_html_join(_(", "), "{}", ((part,) for part in parts))
    if not counts.by_column:
        return with_names(_("%(rows)s."), rows=rows)
    columns = format_html_join(
        _(", "),
        "{}",
        (
            (with_names(_("%(column)s in %(n)s"), column=name, n=about(n)),)
            for name, n in counts.by_column.items()
        ),
    )
    return with_names(_("%(rows)s; %(columns)s."), rows=rows, columns=columns)


def notes(view: ComparedView) -> Iterator[SafeString | str]:
    """Yield what else is to be known of a comparison, a sentence each."""
    if added := view.added_columns:
        yield with_names(_("New columns: %(names)s."), names=_names(added))
    if removed := view.removed_columns:
        yield with_names(_("Columns that go: %(names)s."), names=_names(removed))
    for column in view.retyped_columns:
        types = {"old": _type(column.old), "new": _type(column.new)}
        yield with_names(_("%(column)s changes its type: %(old)s → %(new)s."), column=column.name, **types)
    if view.counts is None or view.action in (Action.NEW, Action.DROPPED):
        return
    if view.key:
        yield with_names(_("Rows with the same %(names)s are compared."), names=name_list(view.key))
    elif view.why_no_key:
        yield with_names(_("Rows are compared as a whole: %(why)s."), why=view.why_no_key)
    else:
        yield _("Rows are compared as a whole, because no column was found that identifies them.")
    if view.is_estimate:
        yield _("≈ stands for an estimate by 1 % of the rows: to compare all of them takes too long.")
    if by_text := [column for column in view.columns if column.by_text]:
        yield with_names(_("Compared by their text: %(names)s."), names=_names(by_text))
    if view.stored:
        age = moment(view.refreshed) or _("at an unknown time")
        yield with_names(
            _("The rows before are the stored ones, refreshed %(age)s. What has changed since counts too."),
            age=age,
        )
    if view.unrepeatable:
        yield with_names(
            _("Not repeatable: %(names)s. Computed twice, the new definition gives other values there."),
            names=name_list(view.unrepeatable),
        )
    elif view.repeats is None:
        yield _("Whether the new definition gives the same rows each time could not be found out in time.")
    elif view.action is Action.SAME:
        yield _("The definition stays as it is, and gives the same rows each time.")


def _names(columns: Iterable[ComparedColumn]) -> SafeString:
    return name_list(column.name for column in columns)


def _type(column: RowColumn | None) -> SafeString:
    assert column is not None
    return breakable(f"{column.type} COLLATE {column.collation}" if column.collation else column.type)
