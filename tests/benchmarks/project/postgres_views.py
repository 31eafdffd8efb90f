"""Defines the views with the package that the settings name: nothing but its import root differs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings

from tests.benchmarks.project.definitions import Definition, FromSQL, definitions

package = import_module(f"{settings.BENCHMARK_PACKAGE}.views")


def define(definition: Definition) -> None:
    """What `class Report00001(PostgresViewFromQueryset): ...` would do in this module."""
    namespace: dict[str, Any] = {"__module__": __name__}
    if isinstance(definition, FromSQL):
        base = package.PostgresViewFromSQL
        namespace["sql"] = definition.sql
        if definition.reads:
            namespace["view_dependencies"] = [globals()[definition.reads]]
    else:
        base = package.PostgresViewFromQueryset
        namespace["get_queryset"] = staticmethod(definition.get_queryset)
    globals()[definition.class_name] = type(definition.class_name, (base,), namespace)


for each in definitions(settings.BENCHMARK_VIEWS):
    define(each)
