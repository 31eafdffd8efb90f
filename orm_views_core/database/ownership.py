"""What is said of the owners of views: that one is not trusted, or may not read what his view reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from orm_views_core.names import ViewName

from .relations import InstalledView


def why_not_believed(view: InstalledView) -> str:
    """Return why the sync state of a view is not believed, a sentence."""
    return f"It belongs to {view.owner!r}, a role that is not trusted, so its sync state is not believed."


def how_to_trust(view: InstalledView) -> str:
    """Return what to do about the owner of a view."""
    return (
        f"Hand it over to the role that syncs: ALTER TABLE {view.name.quoted} OWNER TO …. Or name "
        f"{view.owner!r} in ORM_VIEWS['TRUSTED_OWNERS'], if what that role writes may run with the rights of "
        "the role that syncs."
    )


def owner_warnings(views: Iterable[InstalledView]) -> Iterator[str]:
    """Yield a warning for each owner of views that is not trusted; ``views`` may have others too."""
    by_owner: dict[str, list[InstalledView]] = {}
    for view in views:
        if view.kind and not view.is_trusted:
            by_owner.setdefault(view.owner, []).append(view)
    for _, owned in sorted(by_owner.items()):
        names = ", ".join(sorted(str(view.name) for view in owned))
        yield (
            f"{names}: {why_not_believed(owned[0])} Each sync tries the SQL and changes what differs. "
            f"{how_to_trust(owned[0])}"
        )


class Closed(NamedTuple):
    """A relation that a role would have to read to compute rows, and may not."""

    role: str
    relation: ViewName


def why_closed(closed: Iterable[Closed]) -> str:
    """Return that rows cannot be computed because of missing rights, and what to do."""
    by_role: dict[str, list[ViewName]] = {}
    for role, relation in closed:
        by_role.setdefault(role, []).append(relation)
    return " ".join(
        f"its rows are computed with the rights of {role}, who may not read {', '.join(map(str, names))}. "
        f"GRANT SELECT ON {', '.join(map(str, names))} TO {role}."
        for role, names in by_role.items()
    )


def why_not_refreshed(owner: str) -> str:
    """Return that our role may not refresh a view, and what to do."""
    return (
        f"it belongs to {owner}, and only a member of that role may refresh it, or since PostgreSQL 17 a "
        "role with the privilege MAINTAIN on it"
    )
