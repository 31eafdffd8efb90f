"""A process that runs a management command of the project with the gate: `python -m tests.attacks.project`.

Its arguments are the name of the database, the version of the views, and the command.
"""

from __future__ import annotations

import os
import sys


def declare_views(version: str) -> None:
    """Register a plain view, and a materialised one that stops at the gate while it is filled.

    Version 5 adds one that is filled in the swap, and version 7 one that stops there while it is indexed.
    """
    from django.db.models import F, Func, Index

    from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

    is_indexed, version = version.endswith("7"), version.removesuffix(" + 7")
    gated = "(SELECT open_gate() OFFSET 0) IS NOT NULL"

    class First(PostgresViewFromSQL):
        sql = f"SELECT id, {version} AS version FROM public.numbers"

    class Slow(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        pk_field = "id"
        sql = f"SELECT id, {version} AS version FROM public.numbers WHERE {gated}"

    if version.endswith("5"):  # reads the other one without naming it, so it is built in the swap

        class Hidden(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
            pk_field = "id"
            view_dependencies = [First]
            sql = f"SELECT id, {version} AS version FROM public.numbers WHERE {gated}"

    if is_indexed:

        class Indexed(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
            indexes = [Index(Func(F("id"), function="public.gated_key"), name="indexed_key")]
            sql = "SELECT id FROM public.numbers"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.conf import settings

    database, version, *command = sys.argv[1:]
    # The only one: system checks of Django 6.1 connect to all databases, and there may be no other one.
    settings.DATABASES = {"default": {**settings.DATABASES["default"], "NAME": database}}
    django.setup()
    from django.core.management import execute_from_command_line

    from orm_views_core.views.registry import registry

    with registry.isolated():
        declare_views(version)
        print("ready", flush=True)
        execute_from_command_line(["manage.py", *command])


if __name__ == "__main__":
    main()
