"""The definitions of every set of views, those that are read before those that read them."""

from __future__ import annotations

from tests.benchmarks.project import large, mixed, plain
from tests.benchmarks.project.definitions import Definition
from tests.benchmarks.views import Views


def definitions(views: Views) -> list[Definition]:
    if views.kind == "plain":
        return plain.definitions(views.count, views.variant)
    if views.kind == "materialised":
        return large.materialised()
    if views.kind == "refreshed":
        return large.refreshed()
    if views.kind == "read":
        return large.read(views.variant)
    return mixed.definitions(views.count, views.variant, materialised=views.kind == "mixed materialised")
