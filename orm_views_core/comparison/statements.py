"""The statements that compare rows: each counts what differs, and brings samples of it. Pure.

One statement sees one state of the database, and computes each definition as seldom as it can. The project's
search path is in force, so everything has its schema.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from orm_views_core.engines.postgresql.rows.cells import SHORT, beginning, whole_text
from orm_views_core.names import ViewName

from .columns import Pair, in_both
from .values import SAMPLED_FROM, SAMPLES, Change

#: So many keys are collected at most to choose samples from, as far as the planner's estimate is right.
MOST_KEYS = 1_000_000

# The values of a row have a hash that is the same for what is equal. Some types have none.
# https://www.postgresql.org/docs/current/functions-comparison.html
_HASH = "pg_catalog.hash_record_extended(ROW({values}), 0)"
_TEXT_HASH = 'pg_catalog.hashtextextended({text} COLLATE pg_catalog."C", 0)'
_COUNT = "pg_catalog.count(*)"
_NO_CELLS = "NULL::pg_catalog.text[]"


@dataclass(frozen=True)
class Sides:
    """The two relations that are compared.

    Attributes:
        old: what is read for the old rows.
        new: what is read for the new rows.
        is_costly: whether they are computed once and kept meanwhile, because computing them takes longer.
        rows: how many rows the planner expects.
    """

    old: ViewName
    new: ViewName
    is_costly: bool = False
    rows: int = 0


@dataclass(frozen=True)
class Part:
    """Which rows are compared, and what is read of those that differ.

    Attributes:
        is_sample: whether only every hundredth row is compared, chosen by the hash of its key.
        by_text: whether that hash is one of texts, because a type has none.
        samples: how many rows of each change are read.
        masked: the columns whose values stay in the database.
    """

    is_sample: bool = False
    by_text: bool = False
    samples: int = SAMPLES
    masked: Collection[str] = ()


def compare_by_key(sides: Sides, pairs: Sequence[Pair], key: Sequence[Pair], part: Part) -> str:
    """Return the statement that compares the rows that have the same key.

    One of its rows has a list of counts: old rows, new rows, joined rows, rows without a key, added, removed
    and changed rows, and then for each compared column that is not in the key in how many rows it differs.
    The others are as in :func:`compare_whole`.
    """
    others = [pair for pair in in_both(pairs) if pair not in key]
    differs = _any([f"j.{pair.alias}" for pair in others])
    matched = "j.is_old AND j.is_new"
    filters = {
        Change.ADDED: "j.is_new AND NOT j.is_old",
        Change.REMOVED: "j.is_old AND NOT j.is_new",
        Change.CHANGED: f"{matched} AND {differs}",
    }
    selected = [f"{_is_there(side, key)} AS is_{name}" for side, name in (("o", "old"), ("n", "new"))]
    # A row that is not in one of the sides has its key from the other.
    selected += [
        f"CASE WHEN {_is_there('o', key)} THEN o.{k.alias} ELSE n.{k.alias} END AS {k.alias}" for k in key
    ]
    selected += [f"{pair.differs} AS {pair.alias}" for pair in others]
    on = " AND ".join(f"o.{k.alias} {k.equals} n.{k.alias}" for k in key)
    counts = [
        _COUNT,
        _filtered("NOT j.is_old AND NOT j.is_new"),
        *(_number(filters[change], key, sides, part) for change in Change),
        *(_filtered(f"j.{pair.alias} AND {matched}") for pair in others),
    ]
    keys = _collected(filters, key, sides) if part.samples else []
    # With OFFSET 0 each comparison would be made once, and nothing would be joined in parallel.
    joined = f"SELECT {', '.join(selected)} FROM o FULL JOIN n ON {on}"
    counted = f"SELECT ARRAY[{', '.join(counts)}] AS counts{''.join(keys)} FROM ({joined}) AS j"
    ctes = [*_sides(sides, pairs, part, key), f"counted AS MATERIALIZED ({counted})"]
    # Within the SELECT that counts, they would keep the planner from counting in parallel.
    sizes = f"ARRAY[(SELECT {_COUNT} FROM o), (SELECT {_COUNT} FROM n)]"
    counts_of_all = f"pg_catalog.array_cat({sizes}, counted.counts)"
    selects = [f"SELECT 0, {counts_of_all}, NULL, {_NO_CELLS}, {_NO_CELLS} FROM counted"]
    if part.samples:
        ctes.append(f"chosen AS MATERIALIZED ({_chosen(filters, key, part)})")
        join = " LEFT JOIN {side} ON {on}"
        is_not = "chosen.change OPERATOR(pg_catalog.<>)"
        old, new = (
            f"CASE WHEN {is_not} '{lacks.value}' THEN {_cells(side, pairs, part)} END"
            for side, lacks in (("o", Change.ADDED), ("n", Change.REMOVED))
        )
        number = "pg_catalog.row_number() OVER (PARTITION BY chosen.change ORDER BY chosen.place) AS number"
        rows = f"SELECT chosen.place, chosen.change, {old} AS old, {new} AS new, {number} FROM chosen"
        rows += "".join(
            join.format(side=s, on=" AND ".join(f"{s}.{k.alias} {k.equals} chosen.{k.alias}" for k in key))
            for s in ("o", "n")
        )
        # A key that only one of the sides has may be there many times.
        few = f"WHERE number OPERATOR(pg_catalog.<=) {part.samples}"
        selects.append(f"SELECT place, NULL, change, old, new FROM ({rows}) AS shown {few}")
    return f"WITH {', '.join(ctes)} {' UNION ALL '.join(selects)} ORDER BY 3, 1"


def compare_whole(sides: Sides, pairs: Sequence[Pair], part: Part) -> str:
    """Return the statement that compares rows as a whole, as EXCEPT ALL does, in both directions at once.

    One of its rows has a list of counts: old rows, new rows, added and removed. Each other row has its place,
    NULL, the change, and the cells of the old and of the new row.
    """
    common = in_both(pairs)
    columns = ", ".join(pair.alias for pair in common)
    both = f"SELECT {columns}, -1::pg_catalog.int8 AS side FROM o UNION ALL SELECT {columns}, 1 FROM n"
    surplus = "pg_catalog.sum(side)::pg_catalog.int8"
    grouped = (
        f"SELECT {columns}, {surplus} AS side FROM ({both}) AS both_sides GROUP BY {columns}"
        f" HAVING {surplus} OPERATOR(pg_catalog.<>) 0"
    )
    added, removed = ("side OPERATOR(pg_catalog.>) 0", "side OPERATOR(pg_catalog.<) 0")
    counts = [
        f"(SELECT {_COUNT} FROM o)",
        f"(SELECT {_COUNT} FROM n)",
        f"COALESCE((SELECT {surplus} FROM differing WHERE {added}), 0)",
        f"COALESCE((SELECT OPERATOR(pg_catalog.-) {surplus} FROM differing WHERE {removed}), 0)",
    ]
    ctes = [*_sides(sides, pairs, part, common), f"differing AS MATERIALIZED ({grouped})"]
    selects = [f"SELECT 0, ARRAY[{', '.join(counts)}], NULL, {_NO_CELLS}, {_NO_CELLS}"]
    for change, where, has_old, has_new in (
        (Change.ADDED, added, False, True),
        (Change.REMOVED, removed, True, False),
    ):
        if part.samples:
            old, new = (_cells("d", common, part, pairs) if has else "NULL" for has in (has_old, has_new))
            selects.append(
                f"SELECT 1, NULL, '{change.value}', {old}, {new} FROM (SELECT * FROM differing WHERE {where}"
                f" LIMIT {part.samples}) AS d"
            )
    return f"WITH {', '.join(ctes)} {' UNION ALL '.join(selects)}"


def _sides(sides: Sides, pairs: Sequence[Pair], part: Part, hashed: Sequence[Pair]) -> list[str]:
    """Return both sides as common table expressions, ``o`` and ``n``."""
    how = "MATERIALIZED" if sides.is_costly else "NOT MATERIALIZED"
    found = []
    for name, relation, side in (("o", sides.old, "old"), ("n", sides.new, "new")):
        columns = [(getattr(pair, side), pair.alias) for pair in pairs]
        selected = ", ".join(f"{written} AS {alias}" for written, alias in columns if written)
        select = f"SELECT {selected} FROM {relation.quoted}"
        if part.is_sample:
            select = f"SELECT * FROM ({select}) AS whole WHERE {_in_sample(hashed, part)}"
        found.append(f"{name} AS {how} ({select})")
    return found


def _in_sample(hashed: Sequence[Pair], part: Part) -> str:
    aliases = [pair.alias for pair in hashed]
    written = _HASH.format(values=", ".join(aliases))
    if part.by_text:
        # A function has at most 100 arguments.
        texts = ", ".join(f"pg_catalog.concat({alias})" for alias in aliases)
        written = _TEXT_HASH.format(text=f"pg_catalog.array_to_string(ARRAY[{texts}], '|')")
    return f"({written} OPERATOR(pg_catalog.%) {SAMPLED_FROM}) OPERATOR(pg_catalog.=) 0"


def _collected(filters: dict[Change, str], key: Sequence[Pair], sides: Sides) -> list[str]:
    """Return the aggregates that collect the keys of the rows that differ, each with a comma in front."""
    return [
        f", {_keys(where, each, key, sides)} AS {change.value}_{each.alias}"
        for change, where in filters.items()
        for each in key
    ]


def _keys(where: str, column: Pair, key: Sequence[Pair], sides: Sides) -> str:
    thinned = ""
    if sides.rows > MOST_KEYS:
        mask = (1 << (sides.rows // MOST_KEYS).bit_length()) - 1
        keys = ", ".join(f"j.{k.alias}" for k in key)
        text = f"pg_catalog.concat_ws('|', {keys}) COLLATE pg_catalog.\"C\""
        thinned = f"(pg_catalog.hashtext({text}) OPERATOR(pg_catalog.&) {mask}) OPERATOR(pg_catalog.=) 0 AND "
    return f"pg_catalog.array_agg(j.{column.alias}) FILTER (WHERE {thinned}{where})"


def _number(where: str, key: Sequence[Pair], sides: Sides, part: Part) -> str:
    """Return the number of rows that fulfil a condition: of their keys, if all of these are collected."""
    if not part.samples or sides.rows > MOST_KEYS:
        return _filtered(where)
    return f"COALESCE(pg_catalog.cardinality({_keys(where, key[0], key, sides)}), 0)"


def _chosen(filters: dict[Change, str], key: Sequence[Pair], part: Part) -> str:
    """Return the SELECT of the keys of the samples, the first ones in their order."""
    keys = order = ", ".join(k.alias for k in key)
    if any(k.column.name in part.masked for k in key):
        # Their order would tell something of values that are not shown.
        order = f"pg_catalog.md5(pg_catalog.concat_ws('|', {keys})) COLLATE pg_catalog.\"C\""
    selects = []
    for change in filters:
        arrays = ", ".join(f"pg_catalog.unnest(counted.{change.value}_{k.alias})" for k in key)
        found = f"SELECT {keys} FROM counted CROSS JOIN LATERAL ROWS FROM ({arrays}) AS k ({keys})"
        selects.append(
            f"(SELECT pg_catalog.row_number() OVER (ORDER BY {order}) AS place,"
            f" '{change.value}' AS change, {keys}"
            f" FROM ({found} GROUP BY {keys} ORDER BY {order} LIMIT {part.samples}) AS first)"
        )
    return " UNION ALL ".join(selects)


def _cells(row: str, pairs: Sequence[Pair], part: Part, all_pairs: Sequence[Pair] = ()) -> str:
    """Return the array of the cells of a row; NULL in the place of what it has not, or may not show.

    Args:
        row: ``o``, ``n``, or what has the columns of some pairs only.
        pairs: these.
        all_pairs: the pairs that the array has places for.
    """
    side = {"o": "old", "n": "new"}.get(row)
    cells = []
    for pair in all_pairs or pairs:
        has = pair in pairs if side is None else bool(getattr(pair, side))
        if has and pair.column.name not in part.masked:
            cells.append(beginning(f"({whole_text(f'{row}.{pair.alias}')})", SHORT))
        else:
            cells.append("NULL")
    return f"ARRAY[{', '.join(cells)}]::pg_catalog.text[]"


def _is_there(side: str, key: Sequence[Pair]) -> str:
    return "(" + " AND ".join(f"{side}.{k.alias} IS NOT NULL" for k in key) + ")"


def _any(conditions: Sequence[str]) -> str:
    return f"({' OR '.join(conditions)})" if conditions else "false"


def _filtered(where: str) -> str:
    return f"{_COUNT} FILTER (WHERE {where})"
