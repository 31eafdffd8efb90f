"""`manage.py create_databases`: the roles and the databases that the server does not have yet."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections

from tests.demo.roles import FOREIGN_TABLES, IN_DATABASE, IN_SERVER, OWNER


class Command(BaseCommand):
    help = "Creates the roles and the databases that are missing. It runs as a user who may do so."

    def handle(self, **options: Any) -> None:
        default = connections[DEFAULT_DB_ALIAS]
        with default.cursor() as cursor:
            cursor.execute(IN_SERVER)
            for alias in connections:
                name = connections[alias].settings_dict["NAME"]
                cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [name])
                if not cursor.fetchone()[0]:
                    cursor.execute(f"CREATE DATABASE {default.ops.quote_name(name)}")
                    self.stdout.write(f"Database {name} is created.")
                cursor.execute(f"ALTER DATABASE {default.ops.quote_name(name)} OWNER TO {OWNER}")
        for alias in connections:
            self._prepare(alias)

    def _prepare(self, alias: str) -> None:
        with connections[alias].cursor() as cursor:
            cursor.execute(FOREIGN_TABLES)
            if count := cursor.fetchone()[0]:
                name = connections[alias].settings_dict["NAME"]
                raise CommandError(
                    f"Database {name!r} has {count} tables that do not belong to {OWNER}. An earlier version "
                    "of the demonstration made them. Drop the database, or run make clean, and begin anew."
                )
            cursor.execute(IN_DATABASE)
