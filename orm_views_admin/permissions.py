"""Who may do what. Looking is one permission; every action needs it and one of its own."""

from __future__ import annotations

import enum
from typing import Any


class Permission(enum.Enum):
    """What the pages ask for; the value is the verb in the codename."""

    VIEW = "view"
    PREVIEW = "preview"
    EXPORT = "export"
    REFRESH = "refresh"
    CANCEL = "cancel"
    SYNC = "sync"

    @property
    def full_name(self) -> str:
        """The name that ``user.has_perm`` takes."""
        return f"orm_views_admin.{self.value}_registeredview"


def may(user: Any, permission: Permission) -> bool:
    """Say whether a user may do something; whoever may not look may do nothing."""
    return bool(user.has_perms({Permission.VIEW.full_name, permission.full_name}))
