"""Words for the steps of a plan. Pages show them translated, and runs store them in English."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import formats
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from orm_views_core.plan.steps import Action

_ACTIONS = {
    Action.MIGRATE: pgettext_lazy("a step of a plan", "migrate"),
    Action.SCHEMA: pgettext_lazy("a step of a plan", "schema"),
    Action.CREATE: pgettext_lazy("a step of a plan", "create"),
    Action.REPLACE: pgettext_lazy("a step of a plan", "replace"),
    Action.REBUILD: pgettext_lazy("a step of a plan", "rebuild"),
    Action.DROP: pgettext_lazy("a step of a plan", "drop"),
    Action.ADOPT: pgettext_lazy("a step of a plan", "adopt"),
    Action.OPTIONS: pgettext_lazy("a step of a plan", "set options"),
    Action.INDEX: pgettext_lazy("a step of a plan", "re-index"),
    Action.GRANT: pgettext_lazy("a step of a plan", "grant"),
    Action.REVOKE: pgettext_lazy("a step of a plan", "revoke"),
    Action.COMMENT: pgettext_lazy("a step of a plan", "comment"),
}

#: The steps with the names of views, as languages put them in different orders.
_STEPS = {
    Action.MIGRATE: _("migrate %(target)s"),
    Action.SCHEMA: _("schema %(target)s"),
    Action.CREATE: _("create %(target)s"),
    Action.REPLACE: _("replace %(target)s"),
    Action.REBUILD: _("rebuild %(target)s"),
    Action.DROP: _("drop %(target)s"),
    Action.ADOPT: _("adopt %(target)s"),
    Action.OPTIONS: _("set options %(target)s"),
    Action.INDEX: _("re-index %(target)s"),
    Action.GRANT: _("grant %(target)s"),
    Action.REVOKE: _("revoke %(target)s"),
    Action.COMMENT: _("comment %(target)s"),
}

#: How many steps do the same.
_COUNTS = {
    Action.MIGRATE: _("%(count)s to migrate"),
    Action.SCHEMA: _("%(count)s schema to prepare"),
    Action.CREATE: _("%(count)s to create"),
    Action.REPLACE: _("%(count)s to replace"),
    Action.REBUILD: _("%(count)s to rebuild"),
    Action.DROP: _("%(count)s to drop"),
    Action.ADOPT: _("%(count)s to adopt"),
    Action.OPTIONS: _("%(count)s to set options of"),
    Action.INDEX: _("%(count)s to re-index"),
    Action.GRANT: _("%(count)s to grant access to"),
    Action.REVOKE: _("%(count)s to revoke access to"),
    Action.COMMENT: _("%(count)s to comment"),
}


def action_word(action: Action) -> str:
    """Return the word for an action."""
    return str(_ACTIONS[action])


def count_words(action: Action, count: int) -> str:
    """Return how many steps a plan has that do the same: “2 to create”."""
    return str(_COUNTS[action]) % {"count": _number(count)}


def describe_step(action: Action, target: str) -> str:
    """Return a step in words: “create views.loans”."""
    return str(_STEPS[action]) % {"target": target}


def summarise(counts: Mapping[Action, int]) -> str:
    """Return the steps of a plan in one line: “schema: 1, create: 2”."""
    words = [f"{action_word(action)}: {_number(count)}" for action, count in counts.items()]
    return gettext(", ").join(words) or gettext("Nothing to do.")


def _number(count: int) -> str:
    return str(formats.number_format(count, use_l10n=True, force_grouping=True))
