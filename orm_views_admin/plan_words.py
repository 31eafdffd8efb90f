"""Words for the steps of a plan. Pages show them translated, and runs store them in English."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orm_views_core.plan.steps import Action

_ACTIONS = {
    Action.MIGRATE: _("migrate"),
    Action.SCHEMA: _("schema"),
    Action.CREATE: _("create"),
    Action.REPLACE: _("replace"),
    Action.REBUILD: _("rebuild"),
    Action.DROP: _("drop"),
    Action.ADOPT: _("adopt"),
    Action.OPTIONS: _("set options"),
    Action.INDEX: _("re-index"),
    Action.GRANT: _("grant"),
    Action.REVOKE: _("revoke"),
    Action.COMMENT: _("comment"),
}

#: How many there are of actions whose words do not go on after “to”.
_COUNTS = {
    Action.SCHEMA: _("%(count)s schema to prepare"),
    Action.GRANT: _("%(count)s to grant access to"),
    Action.REVOKE: _("%(count)s to revoke access to"),
    Action.OPTIONS: _("%(count)s to set options of"),
}


def action_word(action: Action) -> str:
    """Return the word for an action."""
    return str(_ACTIONS[action])


def count_words(action: Action, count: int) -> str:
    """Return how many steps a plan has that do the same: “2 to create”."""
    words = _COUNTS.get(action, _("%(count)s to %(action)s"))
    number = formats.number_format(count, use_l10n=True, force_grouping=True)
    return str(words) % {"count": number, "action": action_word(action)}


def describe_step(action: Action, target: str) -> str:
    """Return a step in words: “create views.loans”."""
    return f"{action_word(action)} {target}"


def summarise(counts: Mapping[Action, int]) -> str:
    """Return the steps of a plan in one line: “schema: 1, create: 2”."""
    words = [
        f"{action_word(action)}: {formats.number_format(count, use_l10n=True, force_grouping=True)}"
        for action, count in counts.items()
    ]
    return ", ".join(words) or gettext("Nothing to do.")
