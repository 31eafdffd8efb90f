"""A process for tests: `python -m tests.admin.worker DATABASE SETTINGS WHAT ...`.

It declares the slow views. Then it serves, performs a request, refreshes, or runs a management command.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time


def main(database: str, settings: str, what: str, *arguments: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.conf import settings as django_settings

    django_settings.DATABASES["default"]["NAME"] = database
    django_settings.ORM_VIEWS = {}
    for name, value in json.loads(settings).items():
        setattr(django_settings, name, value)
    django.setup()

    from orm_views_core.views.registry import registry
    from tests.admin.slow import declare_slow

    with registry.isolated():
        declare_slow()
        print("ready", flush=True)
        globals()[what](*arguments)


def serve(username: str) -> None:
    """Start a refresh as a page does, and go on serving."""
    from django.contrib.auth import get_user_model

    from orm_views_admin.runs import start_refresh
    from tests.admin.slow import SLOW

    (run,) = start_refresh(get_user_model().objects.get(username=username), [SLOW])
    print(run.pk, flush=True)
    time.sleep(600)


def refresh(*views: str) -> None:
    """Refresh views from code that states no origin."""
    from orm_views_core.refresh import refresh_views

    refresh_views(list(views) or None)


def die_when_done(request: str) -> None:
    """Perform a request, and die after the refresh and before it is recorded."""
    import uuid

    from orm_views_admin.runs import perform
    from orm_views_core import signals

    signals.view_refreshed.receivers = []
    signals.view_refreshed.connect(die)
    perform(uuid.UUID(request))


def die(**_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def perform(request: str) -> None:
    """Perform a request."""
    import uuid

    from orm_views_admin.runs import perform

    perform(uuid.UUID(request))


def command(name: str, *arguments: str) -> None:
    """Run a management command."""
    from django.core.management import call_command

    call_command(name, *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
