"""The project that is attacked: a table, a plain view, a materialised view, and a change of both."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command

from orm_views_core.views import PostgresViewFromSQL
from orm_views_core.views.registry import registry
from tests.core.keeping import declare

from .attacker import query

#: What a rebuild takes away, and what CREATE OR REPLACE can add.
BEFORE, REBUILT, REPLACED = "id, city, born", "id, city", "id, city, born, 1 AS further"


def begin(*readers: str) -> None:
    """Make the table with fifty people, sync version one, and let some roles read the views."""
    query("DROP TABLE IF EXISTS public.people CASCADE")
    query("CREATE TABLE public.people (id int PRIMARY KEY, city text, born int)")
    query("INSERT INTO public.people SELECT i, 'c' || i % 7, 1960 + i FROM generate_series(1, 50) i")
    sync(BEFORE)
    for role in readers:
        query(f"GRANT USAGE ON SCHEMA views TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA views TO {role}")


def end() -> None:
    """Take the table away, and what reads it."""
    query("DROP TABLE IF EXISTS public.people CASCADE")


@contextmanager
def declared(columns: str, *, materialised: bool = False) -> Iterator[type[PostgresViewFromSQL]]:
    """Register ``views.people``, which has some columns of the table."""
    with registry.isolated():
        yield declare("People", f"SELECT {columns} FROM public.people", materialised=materialised)


def sync(columns: str, *arguments: str, materialised: bool = False) -> str:
    """Run ``sync_views`` for a version; return what it prints."""
    out = io.StringIO()
    with declared(columns, materialised=materialised):
        call_command("sync_views", *arguments, stdout=out, stderr=out)
    return out.getvalue()
