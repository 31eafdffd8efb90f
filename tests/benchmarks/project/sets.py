"""The definitions of every set of views, those that are read before those that read them."""

from __future__ import annotations

from tests.benchmarks.project import large, plain
from tests.benchmarks.project.definitions import Definition
from tests.benchmarks.views import Views


def definitions(views: Views) -> list[Definition]:
    if views.kind == "plain":
        return plain.definitions(views.count, views.variant)
    if views.kind == "materialised":
        return large.materialised()
    if views.kind == "refreshed":
        return large.refreshed()
    return large.read(views.variant)
