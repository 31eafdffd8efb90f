"""Who may do what: with views, and with one of them. Each action needs its permission and the one to view.

``docs/how-to/permissions.md`` has the rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from orm_views_admin.addresses import ViewAddress
from orm_views_core.status import ViewStatus

from .rights.actions import NEEDED
from .rights.actions import Permission as Permission
from .rights.deciding import rights_of
from .rights.hook import RightsError as RightsError
from .rights.hook import ViewInfo as ViewInfo
from .rights.unseen import Unseen

#: Django's own permission of the table: it shows who has read which rows, with the values of filters.
_SEES_ACCESSES = "orm_views_admin.view_rowaccess"


def may(user: Any, permission: Permission, address: ViewAddress | None = None) -> bool:
    """Return whether a user may do something: with some views, or with one of them.

    Args:
        user: the user.
        permission: what is to be done.
        address: the view. Without one, only the permissions count, which apply to all views.

    Raises:
        RightsError: if the function of ``ORM_VIEWS_ADMIN["PERMISSION"]`` does not answer.
    """
    if not user.has_perms({needed.full_name for needed in NEEDED[permission]}):
        return False
    return address is None or rights_of(user).allow(permission, address)


def may_see_accesses(user: Any) -> bool:
    """Return whether a user may see who has read rows of views."""
    return may(user, Permission.VIEW) and bool(user.has_perm(_SEES_ACCESSES))


def may_read_rows(user: Any, model: Any) -> bool:
    """Return whether a user may see rows of a readable view on pages of the project's own admin.

    There its ``view`` permission takes the place of those for all views. Whatever else forbids it counts.
    """
    return rights_of(user).allow_class(Permission.PREVIEW, model)


def may_with_all(user: Any, permission: Permission, databases: Iterable[str] | None = None) -> bool:
    """Return whether a user may do something with every registered view of some databases, or of all."""
    return may(user, permission) and rights_of(user).allow_in_all(permission, databases)


def visible(
    user: Any, addresses: Iterable[ViewAddress], permission: Permission = Permission.VIEW
) -> list[ViewAddress]:
    """Return those of some views that a user may see, or do something else with, in their order."""
    if not may(user, permission):
        return []
    rights = rights_of(user)
    return [address for address in addresses if rights.allow(permission, address)]


def visible_statuses(user: Any, statuses: Iterable[ViewStatus]) -> list[ViewStatus]:
    """Return those of some statuses whose views a user may see. A class may have no valid name."""
    rights, found = rights_of(user), []
    for status in statuses:
        if status.name:
            allowed = rights.allow(Permission.VIEW, ViewAddress(status.database, status.name))
        else:
            allowed = rights.allow_label(Permission.VIEW, status.database, status.label)
        if allowed:
            found.append(status)
    return found


def unseen(user: Any, database: str) -> Unseen:
    """Return the views of a database that a user may not see, as far as classes and the history tell."""
    return rights_of(user).unseen(database)


def of_visible_views(user: Any) -> Q:
    """Return the condition for what is recorded of views that a user may see, and of whole databases."""
    hidden = Q()
    for alias in rights_of(user).databases:
        names = unseen(user, alias).names
        for schema in {name.schema for name in names}:
            inside = [name.name for name in names if name.schema == schema]
            hidden |= Q(database=alias, schema=schema, name__in=inside)
    return ~hidden if hidden else Q()
