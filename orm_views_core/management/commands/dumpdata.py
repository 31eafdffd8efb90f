from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.commands.dumpdata import Command as DumpData

from orm_views_core.views.readable import is_readable


class Command(DumpData):
    """Leaves out readable views unless they are named, because ``loaddata`` could not restore their rows."""

    def handle(self, *app_labels: str, **options: Any) -> None:
        named = {label.lower() for label in app_labels}
        views = [model._meta.label_lower for model in apps.get_models() if is_readable(model)]
        options["exclude"] = [*options["exclude"], *(label for label in views if label not in named)]
        super().handle(*app_labels, **options)
