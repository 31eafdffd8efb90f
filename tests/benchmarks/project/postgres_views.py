"""Defines the views with this package or its predecessor: nothing but the import root differs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings

from tests.benchmarks.project.definitions import Definition
from tests.benchmarks.project.sets import definitions

package = import_module(f"{settings.BENCHMARK_PACKAGE}.views")


def define(definition: Definition) -> None:
    """What `class Report00001(PostgresViewFromQueryset): ...` would do in this module."""
    namespace: dict[str, Any] = {"__module__": __name__}
    bases: tuple[type, ...]
    if definition.get_queryset is None:
        bases = (package.PostgresViewFromSQL,)
        namespace["sql"] = definition.sql
    else:
        bases = (package.PostgresViewFromQueryset,)
        namespace["get_queryset"] = staticmethod(definition.get_queryset)
    if definition.reads:
        namespace["view_dependencies"] = [globals()[definition.reads]]
    if definition.key:
        bases = (package.PostgresMaterialisedViewMixin, *bases)
        namespace["pk_field"] = definition.key
    globals()[definition.class_name] = type(definition.class_name, bases, namespace)


for each in definitions(settings.BENCHMARK_VIEWS):
    define(each)
