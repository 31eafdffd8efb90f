"""Defines the views with django-pgviews-redux. It takes SQL only, so querysets are compiled for it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections
from django_pgviews.view import MaterializedView, View

from tests.benchmarks.project.definitions import SCHEMA, Definition
from tests.benchmarks.project.sets import definitions

DEFINITIONS = definitions(settings.BENCHMARK_VIEWS)


def define(definition: Definition) -> None:
    """What `class Report00001(View): ...` would do in this module; its SQL comes later."""
    meta = type("Meta", (), {"managed": False, "db_table": definition.view_name})
    namespace: dict[str, Any] = {"__module__": __name__, "Meta": meta}
    if definition.reads:
        namespace["dependencies"] = [f"pgviews.{definition.reads}"]
    if definition.key:
        namespace["concurrent_index"] = definition.key
    base = MaterializedView if definition.key else View
    globals()[definition.class_name] = type(base)(definition.class_name, (base,), namespace)


def prepare() -> None:
    """What it leaves to others: the schema, and each queryset's SQL, which needs all models to be loaded."""
    with connections["default"].cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    for definition in DEFINITIONS:
        globals()[definition.class_name].sql = definition.select()


for each in DEFINITIONS:
    define(each)
