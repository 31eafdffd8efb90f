"""`manage.py load_demo`: the data to look at, and two members of staff to look at it as."""

import time
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management.base import BaseCommand, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from tests.demo import data


class Command(BaseCommand):
    help = "Fills the demonstration's tables and creates its staff users, unless that has been done."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scale", type=float, default=1.0, help="Size of the data; 1 is 200,000 loans.")
        parser.add_argument("--force", action="store_true", help="Replace what is loaded.")

    def handle(self, *, scale: float, force: bool, **options: Any) -> None:
        self._load(DEFAULT_DB_ALIAS, scale, force)
        self._load("warehouse", scale * data.TAKEN_OVER, force)
        create_staff()
        self.stdout.write("Staff: admin / admin may do everything, viewer / viewer may only look.")

    def _load(self, alias: str, scale: float, force: bool) -> None:
        connection = connections[alias]
        if not force and data.is_loaded(connection):
            self.stdout.write(f"The data of {alias!r} is loaded already; --force replaces it.")
            return
        began = time.perf_counter()
        data.load(connection, scale)
        seconds = time.perf_counter() - began
        with connection.cursor() as cursor:
            for table in reversed(data.TABLES):
                cursor.execute(f"SELECT count(*) FROM {table}")
                self.stdout.write(f"  {cursor.fetchone()[0]:>9,} rows in {table}")
        self.stdout.write(self.style.SUCCESS(f"The data of {alias!r} is loaded, in {seconds:.1f} s."))


def create_staff() -> None:
    """Create `admin`, a superuser, and `viewer`, who may see the views and their rows, and nothing else."""
    users = get_user_model().objects
    if not users.filter(username="admin").exists():
        users.create_superuser("admin", password="admin")
    if not users.filter(username="viewer").exists():
        users.create_user("viewer", password="viewer", is_staff=True)
    views = ("view_registeredview", "view_loanbook", "view_activeloans", "view_loanstakenover")
    users.get(username="viewer").user_permissions.set(Permission.objects.filter(codename__in=views))
