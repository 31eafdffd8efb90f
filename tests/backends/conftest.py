"""The fixtures of the admin's tests: a slow view, a member of staff, an empty registry."""

from tests.admin.conftest import ann, pause, plain_settings, registered, staff

__all__ = ["ann", "pause", "plain_settings", "registered", "staff"]
