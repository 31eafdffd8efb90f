"""Everything that reads sync states: each command and each page must do, whatever a comment contains."""

from __future__ import annotations

import io
import json
import re
from contextlib import suppress
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client

from orm_views_core.names import ViewName
from tests.admin.browse import LIST, key, url

#: Ids of runs, and what is behind a point and two digits: there, any digits may stand by chance.
_CHANCE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=\.\d\d)\d+")

_COMMANDS = [
    ("sync_views", "--plan"),
    ("sync_views", "--plan", "--json"),
    ("show_views",),
    ("show_views", "--json"),
    ("show_views", "--openmetrics"),
    ("refresh_views", "--plan"),
    ("refresh_views", "--plan", "--due"),
    ("refresh_views", "--due"),
    ("refresh_views",),
    ("check", "--database", "default"),
]


def command(*arguments: str) -> str:
    """Return what a command prints."""
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out, no_color=True)
    return out.getvalue()


def statuses() -> dict[str, Any]:
    """Return what ``show_views --json`` says of each view."""
    (database,) = json.loads(command("show_views", "--json"))
    return {view["view"]: view for view in database["views"]}


def log_in() -> Client:
    """Return a client of somebody who may do everything."""
    users = get_user_model().objects
    client = Client()
    client.force_login(users.filter(is_superuser=True).first() or users.create_superuser("root"))
    return client


def everything_works(*views: ViewName) -> str:
    """Run every command, and open every page, those of some views too. Return what they do not say by chance.

    Only ``show_views --check-freshness`` may fail: rows may be stale.
    """
    said = [command(*arguments) for arguments in _COMMANDS]
    with suppress(CommandError):
        said.append(command("show_views", "--check-freshness"))
    client = log_in()
    pages = [LIST, f"{LIST}sync/", f"{LIST}runs/"]
    pages += [url("detail", view.name, view.schema) for view in views]
    pages += [f"{LIST}refresh/?view={key(view.name, view.schema)}" for view in views]
    for page in pages:
        response = client.get(page)
        assert response.status_code == 200, (page, response.content[:2000])
        said.append(response.content.decode())
    said.append(command("sync_views"))
    assert command("sync_views", "--check")
    return _CHANCE.sub("", "\n".join(said))
