"""Finds the accesses with a condition: by containment of JSON. SQLite lacks that and looks piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections, models, router
from django.db.models import Q

from orm_views_admin.models import RowAccess
from orm_views_core.database.rows import Operator

_PART = "json_extract(asked.value, '$.{name}') = {value}"
_KEY = "EXISTS (SELECT 1 FROM json_each(asked.value, '$.keys') AS part WHERE part.value = {value})"


def has_condition(
    column: str, operator: Operator, *, keys: Sequence[str] = (), is_whole: bool | None = None
) -> Q:
    """Return the condition for the accesses that have one on a column.

    Args:
        column: the name of the column.
        operator: how it is compared.
        keys: those of values that it has, among others.
        is_whole: whether rows with other keys were surely not asked for; None if that does not matter.
    """
    facts: dict[str, Any] = {"column": column, "operator": operator.value}
    if is_whole is not None:
        facts["is_whole"] = is_whole
    if connections[router.db_for_read(RowAccess)].features.supports_json_field_contains:
        return Q(conditions__contains=[{**facts, "keys": list(keys)}])
    return Q(_AmongConditions(facts, keys))


class _AmongConditions(models.Func):
    """Whether one of the conditions of an access has some facts and keys, in functions of SQLite.

    https://www.sqlite.org/json1.html#jeach
    """

    conditional = True
    output_field = models.BooleanField()

    def __init__(self, facts: dict[str, Any], keys: Sequence[str]) -> None:
        values = [models.Value(value) for value in (*facts.values(), *keys)]
        super().__init__(models.F("conditions"), *values)
        self._parts = [
            *(_PART.format(name=name, value="{value}") for name in facts),
            *([_KEY] * len(keys)),
        ]

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        conditions, *values = self.get_source_expressions()
        sql, found = compiler.compile(conditions)
        params, parts = list(found), []
        for part, value in zip(self._parts, values, strict=True):
            text, more = compiler.compile(value)
            parts.append(part.format(value=text))
            params += more
        return f"EXISTS (SELECT 1 FROM json_each({sql}) AS asked WHERE {' AND '.join(parts)})", params
