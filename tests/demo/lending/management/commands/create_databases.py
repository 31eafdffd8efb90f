"""`manage.py create_databases`: the databases of DATABASES that the server does not have yet."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connections


class Command(BaseCommand):
    help = "Creates the databases that are missing, beside the default one."

    def handle(self, **options: Any) -> None:
        default = connections[DEFAULT_DB_ALIAS]
        with default.cursor() as cursor:
            for alias in connections:
                name = connections[alias].settings_dict["NAME"]
                cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [name])
                if not cursor.fetchone()[0]:
                    cursor.execute(f"CREATE DATABASE {default.ops.quote_name(name)}")
                    self.stdout.write(f"Database {name} is created.")
