"""What a caller asks a sync for, as one value from the public functions to the plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import KW_ONLY, dataclass

from orm_views_core.names import ViewName


@dataclass(frozen=True)
class SyncOptions:
    """What a sync is asked for.

    Attributes:
        grant_select_to: further roles to grant SELECT to, besides those of the settings and of the classes.
        only: the views to sync; all when None.
        force: replace or rebuild views although nothing differs.
        allow_drop_all: go on when no view is registered and every view would be dropped.
        drop_dependents: drop external dependents that do not fit the changed views.
        leave: views that stay as they are although what their classes read changes, unless ``only`` names
            them. What is installed reads none of that.
        tells_meanings: whether to find out which columns of which views mean something else afterwards.
        is_confirmed: whether somebody confirms the plan before it is carried out, so that its fingerprint has
            to tell every change that is made in between.
    """

    grant_select_to: tuple[str, ...]
    only: Collection[ViewName] | None
    _: KW_ONLY
    force: bool
    allow_drop_all: bool
    drop_dependents: bool
    leave: Collection[ViewName] = ()
    tells_meanings: bool = False
    is_confirmed: bool = False


def role_names(roles: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the names of one role or of several, without duplicates."""
    return (roles,) if isinstance(roles, str) else tuple(dict.fromkeys(roles or ()))
