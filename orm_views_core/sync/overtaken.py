"""Finds out whether others have changed what a plan is made from, when PostgreSQL refuses something.

Others may drop, rename and replace views while we plan and build. We take no locks against that, because
readers would queue behind whoever waits for them. Whatever is refused then is planned and done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.names_in_use import Taken
from orm_views_core.database.relations import Catalog
from orm_views_core.engines.postgresql.catalog.preconditions import read_oids
from orm_views_core.engines.postgresql.errors.diagnostics import (
    INTERNAL_ERROR,
    INVALID_SCHEMA,
    UNDEFINED_TABLE,
    primary_message,
    sqlstate,
)
from orm_views_core.engines.postgresql.locking.locks import Overtaken
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.plan.steps import Plan
from orm_views_core.sentences import says

# An undefined table or schema. PostgreSQL reports what goes between two of its own looks at it as an internal
# error.
_GONE = {INTERNAL_ERROR, UNDEFINED_TABLE, INVALID_SCHEMA}
# What it reports of an object that is not there, is there already, or is another one: violated constraints,
# which its catalogs have too, dependent objects, invalid schemas, undefined and duplicate objects.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_CLASSES = ("23", "2B", "3F", "42", "XX")


@contextmanager
def read_consistently() -> Iterator[None]:
    """Raise Overtaken when an object is dropped while it is read."""
    try:
        yield
    except DatabaseError as error:
        if sqlstate(error) in _GONE:
            raise Overtaken(
                says("something was dropped while it was read (%(message)s)", message=primary_message(error))
            ) from error
        raise


def check_relations(connection: BaseDatabaseWrapper, catalog: Catalog) -> None:
    """Check that the relations of a catalog are still there.

    Raises:
        Overtaken: when one was dropped, renamed or replaced by another one.
    """
    oids = read_oids(connection, list(catalog.relations))
    for name, view in catalog.relations.items():
        if oids.get(name) != view.oid:
            raise Overtaken(says("%(view)s was dropped, renamed or replaced meanwhile", view=name))


def check_missing(missing: Iterable[ViewName], taken: Mapping[ViewName, Taken]) -> None:
    """Check that the views which were not in the catalog are still missing.

    Raises:
        Overtaken: when one was created.
    """
    for name in missing:
        if name in taken and taken[name].is_relation:
            raise Overtaken(says("%(view)s was created meanwhile", view=name))


@contextmanager
def applied_as_planned(
    connection: BaseDatabaseWrapper, plan: Plan, plan_again: Callable[[], Plan]
) -> Iterator[None]:
    """Raise Overtaken when PostgreSQL refuses a step of a plan, and the plan would be another one by now.

    Args:
        connection: the database, inside a transaction.
        plan: the plan that the block carries out.
        plan_again: makes the plan again.
    """
    if not plan.steps:
        yield
        return
    try:
        with transaction.atomic(using=connection.alias):
            yield
    except (OrmViewsError, DatabaseError) as error:
        refused = error if isinstance(error, DatabaseError) else error.__cause__
        code = sqlstate(refused) if refused is not None else None
        if (code or "").startswith(_CLASSES) and plan_again().fingerprint != plan.fingerprint:
            raise Overtaken(says("somebody has changed the views while they were synced")) from error
        raise
