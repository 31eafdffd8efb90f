"""What users may do with views, and what each of these needs besides."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class Permission(enum.Enum):
    """A permission; the value is the verb in its codename, and the name of the action."""

    VIEW = "view"
    PREVIEW = "preview"
    PREVIEW_HIDDEN = "preview_hidden"
    VIEW_PERSONAL = "view_personal"
    EXPORT = "export"
    REFRESH = "refresh"
    CANCEL = "cancel"
    SYNC = "sync"

    @property
    def full_name(self) -> str:
        """The name for ``user.has_perm``."""
        return f"orm_views_admin.{self.value}_registeredview"


#: The names of all actions.
ACTIONS = tuple(permission.value for permission in Permission)

_ROWS = (Permission.VIEW, Permission.PREVIEW)
#: What must be allowed of a view for each action, that itself included. Whoever exports rows sees them.
NEEDED: Mapping[Permission, tuple[Permission, ...]] = {
    Permission.VIEW: (Permission.VIEW,),
    Permission.PREVIEW: _ROWS,
    Permission.PREVIEW_HIDDEN: (*_ROWS, Permission.PREVIEW_HIDDEN),
    Permission.VIEW_PERSONAL: (*_ROWS, Permission.VIEW_PERSONAL),
    Permission.EXPORT: (*_ROWS, Permission.EXPORT),
    Permission.REFRESH: (Permission.VIEW, Permission.REFRESH),
    Permission.CANCEL: (Permission.VIEW, Permission.CANCEL),
    Permission.SYNC: (Permission.VIEW, Permission.SYNC),
}
