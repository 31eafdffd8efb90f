"""Who may do what, written once more from the documentation: tables, and one short function.

Nothing here is taken from the package. The tests compare its answers with what pages do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

VERBS = (
    "view",
    "preview",
    "preview_hidden",
    "view_personal",
    "export",
    "refresh",
    "cancel",
    "sync",
)
#: The actions that give rows.
ROWS = {"preview", "preview_hidden", "view_personal", "export"}


@dataclass(frozen=True)
class View:
    """A view of the tests, with what restricts it.

    Attributes:
        name: its name; no page has it by chance.
        there: whether the database has it.
        declared: whether a class declares it.
        django: the permission of Django's that its rows need too.
    """

    name: str
    database: str = "default"
    is_materialised: bool = False
    is_hidden: bool = False
    there: bool = True
    declared: bool = True
    django: str = ""
    staff: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def has_rows(self) -> bool:
        """Whether its rows are shown to those who may see them."""
        return self.there and self.declared


@dataclass(frozen=True)
class Who:
    """A member of staff.

    Attributes:
        verbs: the permissions of the pages.
        groups: the groups.
        django: whether the user has Django's own permission of readable views.
        sees_accesses: whether the user has the permission to see who has read rows.
        has_hook: whether the function of the project is set.
    """

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    django: bool = False
    sees_accesses: bool = False
    is_superuser: bool = False
    has_hook: bool = False

    def __str__(self) -> str:
        words = ["superuser" if self.is_superuser else "+".join(self.verbs) or "nothing", *self.groups]
        words += ["django"] if self.django else []
        words += ["accesses"] if self.sees_accesses else []
        return " ".join([*words, *(["hook"] if self.has_hook else [])])


#: What the function of the project forbids: everything with some views, and some actions with others.
FORBIDDEN = {
    "zq_plain": {"view"},
    "zq_far": {"preview"},
    "zq_stored": {"refresh", "cancel"},
    "zq_rows": {"sync", "export"},
    "zq_hidden": {"preview_hidden"},
    "active_loans": {"preview"},
    "zq_orphan": {"view"},
    "zq_dropped": {"view"},
}


def asked(user: object, action: str, view: object) -> bool:
    """The function of the project: ``ORM_VIEWS_ADMIN["PERMISSION"]``."""
    return action not in FORBIDDEN.get(view.name, ())  # type: ignore[attr-defined]


def can(who: Who, action: str, view: View | None = None) -> bool:
    """Return whether somebody may do something, with a view or at all."""
    needed = {"view", action} | ({"preview"} if action in ROWS else set())
    if not (who.is_superuser or needed <= {*who.verbs}):
        return False
    if view is None:
        return True
    if action in ROWS and view.declared:
        if view.django and not (who.django or who.is_superuser):
            return False
        if view.is_hidden:
            if not (who.is_superuser or "preview_hidden" in who.verbs):
                return False
            needed |= {"preview_hidden"}
    for each in needed:
        groups = view.staff.get(each) if view.declared and not who.is_superuser else None
        if groups is not None and not {*groups} & {*who.groups}:
            return False
        if who.has_hook and each in FORBIDDEN.get(view.name, ()):
            return False
    return True


def can_read_in_admin(who: Who, view: View) -> bool:
    """Return whether somebody may see rows of a readable view on a page of the project's own admin."""
    forbidden = FORBIDDEN.get(view.name, set()) if who.has_hook else set()
    return (who.django or who.is_superuser) and not forbidden & {"view", "preview"}
