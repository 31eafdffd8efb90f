"""The permissions. Each action needs its own permission and the one to view."""

from __future__ import annotations

import enum
from typing import Any


class Permission(enum.Enum):
    """A permission; the value is the verb in its codename."""

    VIEW = "view"
    PREVIEW = "preview"
    VIEW_PERSONAL = "view_personal"
    EXPORT = "export"
    REFRESH = "refresh"
    CANCEL = "cancel"
    SYNC = "sync"

    @property
    def full_name(self) -> str:
        """The name for ``user.has_perm``."""
        return f"orm_views_admin.{self.value}_registeredview"


def may(user: Any, permission: Permission) -> bool:
    """Return whether a user has a permission and the one to view."""
    return bool(user.has_perms({Permission.VIEW.full_name, permission.full_name}))
