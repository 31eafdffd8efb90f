"""Reading the extras of views, as the statements that create them on another view."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from orm_views_core.database.extras import Extra

from .extra_queries import EXTRAS, PRIVILEGES
from .fetch import fetch, group
from .search_path import CatalogCursor


def read_extras(cursor: CatalogCursor, oids: Collection[int]) -> dict[int, tuple[Extra, ...]]:
    """Return the extras of some views by oid, in the order in which they can be created.

    Args:
        oids: the views.
    """
    if not oids:
        return {}
    params = {"oids": list(oids)}
    extras = group(
        (oid, Extra(kind, name, template, tail=tail, finish=finish))
        for oid, kind, name, template, tail, finish in fetch(cursor, EXTRAS, params)
    )
    grants = group(
        (oid, _Grant(Extra("grant", name, template, grantor="" if is_owner else grantor), *words))
        for oid, grantor, is_owner, *words, name, template in fetch(cursor, PRIVILEGES, params)
    )
    return {oid: (*extras.get(oid, ()), *_in_order(grants.get(oid, ()))) for oid in {**extras, **grants}}


class _Grant(NamedTuple):
    """A privilege on a view or, if ``column`` is not empty, on that column."""

    given: Extra
    grantee: str
    privilege: str
    column: str
    is_grantable: bool


def _in_order(grants: Iterable[_Grant]) -> list[Extra]:
    """Order privileges so that each grantor has the grant option before he uses it."""
    pending = list(grants)
    ordered: list[Extra] = []
    may_grant: set[tuple[str, str, str]] = set()
    while pending:
        ready = [
            grant
            for grant in pending
            if not (by := grant.given.grantor)
            or not may_grant.isdisjoint({(by, grant.privilege, ""), (by, grant.privilege, grant.column)})
        ] or pending
        ordered += [grant.given for grant in ready]
        may_grant |= {(grant.grantee, grant.privilege, grant.column) for grant in ready if grant.is_grantable}
        pending = [grant for grant in pending if grant not in ready]
    return ordered
