"""`manage.py fill_views`: the first refresh of what was created empty, as a site's monthly job does it."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connections


class Command(BaseCommand):
    help = "Refreshes the materialised views that have never been, and no others."

    def handle(self, **options: Any) -> None:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(
                "SELECT format('%s.%s', schemaname, matviewname) FROM pg_matviews"
                " WHERE schemaname = 'views' AND NOT ispopulated"
            )
            empty = [name for (name,) in cursor.fetchall()]
        if empty:
            call_command("refresh_views", *empty, stdout=self.stdout)
