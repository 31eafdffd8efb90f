"""What plain ``migrate`` would do to views: fail because of them, or drop them without a word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.engines.postgresql.errors.diagnostics import detail_of, sqlstate
from orm_views_core.engines.postgresql.stand_ins.standing import find_described
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import find_orphans

from .foresee import Foresight
from .outlook import find_hanging
from .reaction import REFUSED

#: What to run in place of ``migrate``.
ADVICE = "Run instead: manage.py migrate_views. It puts them aside, and brings them back."


@dataclass(frozen=True)
class Danger:
    """What migrations would do to views.

    Attributes:
        lost: the views that they would drop, each with the migration and why.
        orphans: those that they would drop and that no class declares any more.
        in_the_way: the views that they would fail because of.
        hanging: what hangs on the columns and tables that they alter, drop or rename, in words.
    """

    lost: dict[ViewName, str]
    orphans: dict[ViewName, str]
    in_the_way: dict[ViewName, str]
    hanging: list[str] = field(default_factory=list)

    @property
    def lines(self) -> Iterator[str]:
        """The danger in words, a line each."""
        for views, what in (
            (self.in_the_way, "migrate would fail because of these views:"),
            (self.lost, "migrate would drop these views:"),
            (self.orphans, "migrate drops these views, which no class declares any more:"),
        ):
            if views:
                yield what
                yield from (f"  {name} ({why})" for name, why in sorted(views.items()))
        yield from self.hanging
        if self.lost or self.in_the_way:
            yield ADVICE


def find_danger(connection: BaseDatabaseWrapper, foresight: Foresight) -> Danger:
    """Return what migrations would do to the views of a database."""
    danger = Danger({}, {}, {})
    if not foresight.standing:
        return danger
    definitions = compile_definitions(connection, anew=False)
    with transaction.atomic(using=connection.alias):
        catalog = read_catalog(connection, definitions.schemas)
    orphans = set(find_orphans(definitions, catalog))
    for each in foresight.migrations:
        for name, alteration in each.standing.items():
            is_lost = name in each.lost
            of_kind = danger.orphans if name in orphans else danger.lost
            (of_kind if is_lost else danger.in_the_way).setdefault(name, f"{each}: {alteration}")
    for hanging in find_hanging(connection, foresight).values():
        danger.hanging.extend(line for each in hanging for line in each.lines)
    return danger


def named_in(connection: BaseDatabaseWrapper, error: DatabaseError) -> list[ViewName]:
    """Return the views because of which PostgreSQL refused a statement, outside of its transaction."""
    if sqlstate(error) not in REFUSED:
        return []
    with connection.cursor() as cursor:
        return find_described(cursor, detail_of(error))
