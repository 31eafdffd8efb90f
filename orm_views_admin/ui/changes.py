"""A change of a view in words, and what it changed besides the definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from orm_views_admin.models import Facts, ViewChange
from orm_views_core.names import ViewKind
from orm_views_core.plan.steps import Action

from .run_wording import where
from .wording import action_badge, kind_word, listed, with_names

_ACTIONS = {action.value: action for action in Action}


class FactChange(NamedTuple):
    """A fact before and after a change; "" stands for none."""

    what: str
    before: str
    after: str


def actions_of(change: ViewChange) -> list[Action]:
    """Return what was done to the view, in the order in which it was done."""
    return [_ACTIONS[value] for value in change.actions if value in _ACTIONS]


def action_badges(change: ViewChange) -> SafeString:
    """Return the badges of what was done to the view, as HTML."""
    return format_html_join(" ", "{}", ((action_badge(action),) for action in actions_of(change)))


def who(change: ViewChange) -> SafeString:
    """Return who started the sync, and from where, as HTML."""
    place = format_html("{}", where(change))
    return with_names(_("%(who)s, %(where)s"), who=change.who, where=place) if change.who else place


def is_drop(change: ViewChange) -> bool:
    """Return whether the view is gone after a change."""
    return actions_of(change)[-1:] == [Action.DROP]


def by_hand_words(change: ViewChange) -> str:
    """Return what somebody did before a change whose view was not as the change before had left it."""
    actions = actions_of(change)
    if actions[:1] == [Action.CREATE]:
        return _("Dropped by hand before")
    return _("Changed by hand since the version before")


def fact_changes(change: ViewChange) -> list[FactChange]:
    """Return what a change has changed besides the definition, or what a dropped view had."""
    if change.facts_after is None and not is_drop(change):
        return []
    found = _compare(*(_known(facts) for facts in (change.facts_before, change.facts_after)))
    return [fact for fact in found if fact.before != fact.after]


def _known(facts: Facts | None) -> Facts:
    return Facts() if facts is None else facts


def _compare(before: Facts, after: Facts) -> Iterator[FactChange]:
    if before and after:
        kinds = {kind.value: kind_word(kind) for kind in ViewKind}
        yield FactChange(_("Kind"), *(kinds.get(facts.get("kind", ""), "") for facts in (before, after)))
        yield FactChange(_("Owner"), before.get("owner", ""), after.get("owner", ""))
    yield FactChange(_("Comment"), before.get("comment", ""), after.get("comment", ""))
    if "columns" in before and "columns" in after:
        columns = [dict(facts["columns"]) for facts in (before, after)]
        yield from _each(_("Column “%(name)s”"), *columns)
        yield from _order(*columns)
    comments = [facts.get("column_comments", {}) for facts in (before, after)]
    yield from _each(_("Comment on “%(name)s”"), *comments)
    yield from _each(_("Option “%(name)s”"), *(facts.get("options", {}) for facts in (before, after)))
    yield from _each(_("Index “%(name)s”"), *(facts.get("indexes", {}) for facts in (before, after)))
    grants = [
        {role or "PUBLIC": ", ".join(given) for role, given in facts.get("grants", {}).items()}
        for facts in (before, after)
    ]
    yield from _each(_("Privileges of “%(name)s”"), *grants)


def _order(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[FactChange]:
    """Yield the order of the columns if those that stayed are in another one."""
    if [name for name in before if name in after] != [name for name in after if name in before]:
        yield FactChange(_("Order of columns"), listed(before), listed(after))


def _each(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[FactChange]:
    for name in {**before, **after}:
        yield FactChange(what % {"name": name}, before.get(name, ""), after.get(name, ""))
