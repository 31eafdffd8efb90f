"""`django-admin visit`: opens the list page and its style sheet, and prints what it met as JSON."""

import json

from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.views import serve
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.test import Client, RequestFactory
from django.test.utils import setup_databases, setup_test_environment, teardown_databases

import orm_views_admin
import orm_views_core

STYLE_SHEET = "orm_views_admin/orm_views.css"


class Command(BaseCommand):
    def handle(self, **options):
        setup_test_environment()
        databases = setup_databases(verbosity=0, interactive=False)
        try:
            visit = self.visit()
        finally:
            teardown_databases(databases, verbosity=0)
        self.stdout.write(json.dumps(visit))

    def visit(self):
        call_command("sync_views", stdout=self.stderr)
        client = Client()
        client.force_login(get_user_model().objects.create_superuser("staff", password="staff"))
        page = client.get("/admin/orm-views/")
        style_sheet = serve(RequestFactory().get("/"), STYLE_SHEET, insecure=True)
        return {
            "packages": [orm_views_core.__file__, orm_views_admin.__file__],
            "status": page.status_code,
            "page": page.content.decode(),
            "style sheet found at": finders.find(STYLE_SHEET),
            "style sheet": b"".join(style_sheet.streaming_content).decode(),
        }
