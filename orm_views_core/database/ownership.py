"""What is said of the owners of views: that one is not trusted, or may not read what his view reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, listed, says

from .relations import InstalledView


def why_not_believed(view: InstalledView) -> Sentence:
    """Return why the sync state of a view is not believed, a sentence."""
    return says(
        "It belongs to %(owner)r, a role that is not trusted, so its sync state is not believed.",
        owner=view.owner,
    )


def how_to_trust(view: InstalledView) -> Sentence:
    """Return what to do about the owner of a view."""
    return says(
        "Hand it over to the role that syncs: ALTER TABLE %(view)s OWNER TO …. Or name %(owner)r in "
        "ORM_VIEWS['TRUSTED_OWNERS'], if what that role writes may run with the rights of the role that "
        "syncs.",
        view=view.name.quoted,
        owner=view.owner,
    )


def owner_warnings(views: Iterable[InstalledView]) -> Iterator[Sentence]:
    """Yield a warning for each owner of views that is not trusted; ``views`` may have others too."""
    by_owner: dict[str, list[InstalledView]] = {}
    for view in views:
        if view.kind and not view.is_trusted:
            by_owner.setdefault(view.owner, []).append(view)
    for _, owned in sorted(by_owner.items()):
        names = ", ".join(sorted(str(view.name) for view in owned))
        yield says(
            "%(views)s: %(why)s Each sync tries the SQL and changes what differs. %(advice)s",
            views=names,
            why=why_not_believed(owned[0]),
            advice=how_to_trust(owned[0]),
        )


class Closed(NamedTuple):
    """A relation that a role would have to read to compute rows, and may not."""

    role: str
    relation: ViewName


def why_closed(closed: Iterable[Closed]) -> Sentence:
    """Return that rows cannot be computed because of missing rights, and what to do."""
    by_role: dict[str, list[ViewName]] = {}
    for role, relation in closed:
        by_role.setdefault(role, []).append(relation)
    return listed(
        (
            says(
                "its rows are computed with the rights of %(role)s, who may not read %(names)s. "
                "GRANT SELECT ON %(names)s TO %(role)s.",
                role=role,
                names=", ".join(map(str, names)),
            )
            for role, names in by_role.items()
        ),
        " ",
    )


def why_not_refreshed(owner: str) -> Sentence:
    """Return that our role may not refresh a view, and what to do."""
    return says(
        "it belongs to %(owner)s, and only a member of that role may refresh it, or since PostgreSQL 17 a "
        "role with the privilege MAINTAIN on it",
        owner=owner,
    )
