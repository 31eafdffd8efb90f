"""Modules that cannot be imported, as where they are not installed.

Django imports sqlparse itself, and pytest imports Pygments. So neither can be left out of an environment.
They are blocked after these have imported them, and before anything of ours is imported.
"""

from __future__ import annotations

import sys
from importlib import import_module

#: What only the pages need.
PAGES = ("django_tables2", "pygments", "sqlparse")
#: What of Django imports sqlparse; the models first, which some of it needs.
_OF_DJANGO = (
    "django.db.models",
    "django.db.backends.base.operations",
    "django.db.backends.sqlite3.base",
    "django.test.runner",
)
#: What pytest has imported already. It imports nothing but pytest.
_PLUGIN = {"orm_views_core", "orm_views_core.pytest_plugin"}


def block(*names: str) -> None:
    """Have each later import of these modules fail, wherever it stands."""
    ours = {name for name in sys.modules if name.startswith(("orm_views_core", "orm_views_admin"))}
    assert ours <= _PLUGIN, f"too late: {min(ours - _PLUGIN)} is imported"
    for name in _OF_DJANGO:
        import_module(name)
    for name in names:
        for known in [each for each in sys.modules if each.startswith(f"{name}.")]:
            del sys.modules[known]
        sys.modules[name] = None  # type: ignore[assignment]  # as the manual of importlib says
