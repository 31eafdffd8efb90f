"""What one user may do with each view, besides the permissions that apply to all views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from django.contrib.auth import get_permission_codename

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import RowAccess, Run, ViewChange
from orm_views_core.definitions.registered import RegisteredViews, registered_views
from orm_views_core.definitions.staff import problems_of
from orm_views_core.engines.connections import view_databases
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.views.identity import label_of, name_of
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.readable import is_readable

from .actions import ACTIONS, NEEDED, Permission
from .hook import ViewInfo, ask, find_function
from .unseen import NOTHING, Unseen

#: The attribute of a user object that keeps its rights. Like Django's permissions, they last as long as it.
_ATTRIBUTE = "_orm_views_rights"


def rights_of(user: Any) -> Rights:
    """Return the rights of a user. The groups of a user are read once for each user object, if at all."""
    known = getattr(user, _ATTRIBUTE, None)
    if not isinstance(known, Rights):
        known = Rights(user)
        setattr(user, _ATTRIBUTE, known)
    return known


class _Known:
    """What is known of the views of a database, for as long as the same classes are registered."""

    def __init__(self, registered: RegisteredViews) -> None:
        self.registered = registered
        self.function = find_function()
        self.answers: dict[tuple[Permission, ViewName], bool] = {}
        self.unseen: Unseen | None = None


class Rights:
    """What a user may do with each view: nothing here gives a permission that the user lacks.

    No query is sent for a view.
    """

    def __init__(self, user: Any) -> None:
        self._user = user
        self._databases: dict[str, _Known] = {}

    def allow(self, permission: Permission, address: ViewAddress) -> bool:
        """Return whether nothing about a view forbids an action.

        Raises:
            RightsError: if the function of the project does not answer.
        """
        known = self._known(address.database)
        key = permission, address.name
        if key not in known.answers:
            classes = known.registered.by_name.get(address.name, ())
            known.answers[key] = self._decide(permission, address, classes, known)
        return known.answers[key]

    def allow_class(self, permission: Permission, view: Any) -> bool:
        """Return the same of a class, which may have no valid name, or be read in another database.

        Raises:
            RightsError: likewise.
        """
        name = ViewName("", "")
        with suppress(OrmViewsError):
            name = name_of(view)
        database = ViewOptions(view).database
        return self._decide(permission, ViewAddress(database, name), (view,), self._known(database))

    def allow_label(self, permission: Permission, database: str, label: str) -> bool:
        """Return the same of the classes with a label; False if no class has it."""
        views = self._known(database).registered.by_handle.get(label, ())
        return bool(views) and all(self.allow_class(permission, view) for view in views)

    def allow_in_all(self, permission: Permission, databases: Iterable[str] | None = None) -> bool:
        """Return whether an action is allowed with all registered views of some databases, or of all."""
        return all(
            self.allow(permission, ViewAddress(alias, name))
            for alias in (view_databases() if databases is None else databases)
            for name in self._known(alias).registered.by_name
        )

    def unseen(self, database: str) -> Unseen:
        """Return the views of a database that the user may not see.

        Those that no class declares are among them if a function of the project forbids them and the history
        has them.
        """
        known = self._known(database)
        if known.unseen is None:
            names = [name for name in known.registered.by_name if not self._sees(database, name)]
            if known.function is not None:
                further = self._recorded.get(database, frozenset()) - known.registered.names
                names += [name for name in further if not self._sees(database, name)]
            known.unseen = self._describe(known, frozenset(names))
        return known.unseen

    @property
    def databases(self) -> list[str]:
        """The aliases of the databases that have views, and of those that only the history has."""
        recorded = () if find_function() is None else self._recorded
        return [*dict.fromkeys([*view_databases(), *recorded])]

    def _sees(self, database: str, name: ViewName) -> bool:
        return self.allow(Permission.VIEW, ViewAddress(database, name))

    def _describe(self, known: _Known, names: frozenset[ViewName]) -> Unseen:
        nameless = [view for view in known.registered.nameless if not self.allow_class(Permission.VIEW, view)]
        if not names and not nameless:
            return NOTHING
        classes = [view for name in names for view in known.registered.by_name.get(name, ())]
        seen = {name.name for name in known.registered.names - names}
        return Unseen.of(names, map(label_of, (*classes, *nameless)), seen)

    def _known(self, database: str) -> _Known:
        registered = registered_views(database)
        known = self._databases.get(database)
        if known is None or known.registered is not registered:
            known = self._databases[database] = _Known(registered)
        return known

    def _decide(
        self, permission: Permission, address: ViewAddress, classes: Sequence[type], known: _Known
    ) -> bool:
        needed = [*NEEDED[permission]]
        if Permission.PREVIEW in needed:
            if not all(self._may_read(view) for view in classes):
                return False
            if any(ViewOptions(view).hidden for view in classes):
                if not self._user.has_perm(Permission.PREVIEW_HIDDEN.full_name):
                    return False
                needed.append(Permission.PREVIEW_HIDDEN)
        if not all(self._is_in_staff(view, action) for view in classes for action in needed):
            return False
        if known.function is None:
            return True
        label = label_of(classes[0]) if classes else ""
        info = ViewInfo(address.database, *address.name, label, classes[0] if classes else None)
        return all(ask(known.function, self._user, action.value, info) for action in dict.fromkeys(needed))

    def _may_read(self, view: Any) -> bool:
        """Return whether Django lets the user view a readable model; True for other classes."""
        if not is_readable(view):
            return True
        app, opts = view._meta.app_label, view._meta
        return any(  # as Django's admin has it: whoever may change rows may see them
            self._user.has_perm(f"{app}.{get_permission_codename(action, opts)}")
            for action in ("view", "change")
        )

    def _is_in_staff(self, view: type, action: Permission) -> bool:
        """Return whether the ``staff`` of a class lets the user do something. A wrong one lets nobody."""
        staff: Any = ViewOptions(view).staff
        if getattr(self._user, "is_superuser", False):
            return True
        if any(problems_of(staff)) or not staff.keys() <= {*ACTIONS}:
            return False
        return action.value not in staff or not self._groups.isdisjoint(staff[action.value])

    @cached_property
    def _groups(self) -> frozenset[str]:
        groups = getattr(self._user, "groups", None)  # a user model of a project may have none
        return frozenset(groups.values_list("name", flat=True)) if groups is not None else frozenset()

    @cached_property
    def _recorded(self) -> Mapping[str, frozenset[ViewName]]:
        """The views that the history has, by database."""
        found: dict[str, set[ViewName]] = {}
        facts = ("database", "schema", "name")
        for model in (Run, ViewChange, RowAccess):
            recorded = model._default_manager.exclude(name="").order_by().values_list(*facts).distinct()
            for database, schema, name in recorded:
                found.setdefault(database, set()).add(ViewName(schema, name))
        return {database: frozenset(names) for database, names in found.items()}
