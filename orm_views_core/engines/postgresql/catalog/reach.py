"""Finds what views reach that belongs to roles that we do not trust.

Whoever owns a function, a type or a relation may change it. Reading a view, or only planning that with
EXPLAIN, then runs what they wrote with our rights.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from typing import NamedTuple

from .fetch import array, fetch
from .search_path import CatalogCursor

# An object by its catalog and its oid, as in pg_depend.
_Node = tuple[int, int]

# The objects that have an owner and that a query can run or read. The row type of a relation and the indexes
# of a table have the same owner.
_OWNED = {
    "pg_class": ("relowner", "relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')"),
    "pg_proc": ("proowner", "true"),
    "pg_type": ("typowner", "typtype <> 'c'"),
    "pg_operator": ("oprowner", "true"),
    "pg_opclass": ("opcowner", "true"),
    "pg_opfamily": ("opfowner", "true"),
    "pg_foreign_server": ("srvowner", "true"),
}

# What is run or read together with something, although that does not depend on it in pg_depend: the catalog
# of the part, where to look it up, and what it is a part of. Each line was tried with a function that notices
# when it is called. EXPLAIN calls immutable functions in the expressions and predicates of indexes, in
# extended statistics, partition keys, policies, and in CHECK constraints of tables and domains. It does not
# call those in defaults, stored generated columns, triggers, foreign keys, and rules for INSERT, UPDATE and
# DELETE. PostgreSQL 18 still refuses functions of users in virtual generated columns.
_PARTS = [
    ("pg_rewrite", "pg_rewrite", "oid", "pg_class", "ev_class", "rulename = '_RETURN'"),
    ("pg_class", "pg_index", "indexrelid", "pg_class", "indrelid", "true"),
    ("pg_class", "pg_inherits", "inhrelid", "pg_class", "inhparent", "true"),
    ("pg_class", "pg_class", "oid", "pg_type", "reltype", "relkind = 'c'"),
    ("pg_constraint", "pg_constraint", "oid", "pg_class", "conrelid", "contype = 'c'"),
    ("pg_constraint", "pg_constraint", "oid", "pg_type", "contypid", "contype = 'c'"),
    ("pg_policy", "pg_policy", "oid", "pg_class", "polrelid", "polcmd IN ('r', '*')"),
    ("pg_statistic_ext", "pg_statistic_ext", "oid", "pg_class", "stxrelid", "true"),
    (
        "pg_attrdef",
        "pg_attrdef JOIN pg_catalog.pg_attribute a ON a.attrelid = adrelid AND a.attnum = adnum",
        "oid",
        "pg_class",
        "adrelid",
        "a.attgenerated = 'v'",
    ),
    # The planner replaces an operator by its commutator or its negator.
    ("pg_operator", "pg_operator", "oid", "pg_operator", "oprcom", "true"),
    ("pg_operator", "pg_operator", "oid", "pg_operator", "oprnegate", "true"),
    # Sorting, grouping and joining call the functions of an operator class, or of others of its family.
    ("pg_amop", "pg_amop", "oid", "pg_opfamily", "amopfamily", "true"),
    ("pg_amproc", "pg_amproc", "oid", "pg_opfamily", "amprocfamily", "true"),
    ("pg_opfamily", "pg_amop", "amopfamily", "pg_operator", "amopopr", "true"),
    ("pg_opclass", "pg_opclass", "oid", "pg_type", "opcintype", "opcdefault"),
    # Django's admin searches a column cast to text.
    ("pg_cast", "pg_cast", "oid", "pg_type", "castsource", "casttarget = 'pg_catalog.text'::regtype"),
]


def _of(catalog: str) -> str:
    return f"'pg_catalog.{catalog}'::regclass"


# A member of an extension is left out, unless the owner of the extension is not trusted: they may add a
# function of their own to it.
_UNTRUSTED = " UNION ALL ".join(
    f"""
    SELECT {_of(catalog)}::oid AS classid, o.oid AS objid, o.{owner} AS owner FROM pg_catalog.{catalog} o
    WHERE o.{owner} <> ALL(%(trusted)s::oid[]) AND {condition} AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid
        WHERE e.classid = {_of(catalog)} AND e.objid = o.oid AND e.deptype = 'e'
          AND e.refclassid = {_of("pg_extension")} AND x.extowner = ANY(%(trusted)s::oid[]))"""
    for catalog, (owner, condition) in _OWNED.items()
)

# What runs or reads the object ``o``. One relation depends on another only as its index, child or sequence;
# a foreign key depends on the table that it refers to, and nothing runs it.
_USERS = f"""
SELECT d.classid, d.objid FROM pg_catalog.pg_depend d
WHERE d.refclassid = o.classid AND d.refobjid = o.objid AND d.deptype NOT IN ('e', 'x')
  AND NOT (d.classid = {_of("pg_class")} AND d.refclassid = {_of("pg_class")})
""" + "".join(
    f"""
UNION ALL
SELECT {_of(whole)}, {column} FROM pg_catalog.{relation}
WHERE o.classid = {_of(part)} AND {relation.partition(" ")[0]}.{key} = o.objid AND {condition}"""
    for part, relation, key, whole, column, condition in _PARTS
)

# From what is not trusted to the views, because usually nothing of it is reached. The set is made of objects
# without the way to them, or many ways would make it grow with the square of their number. The ways are only
# read if one of the views is in the set: planning a query with both takes twice as long.
_SET = f"""
WITH RECURSIVE untrusted AS MATERIALIZED ({_UNTRUSTED}),
reached AS (
    SELECT classid, objid FROM untrusted
    UNION
    SELECT u.classid, u.objid FROM reached o CROSS JOIN LATERAL ({_USERS}) AS u (classid, objid)
)
"""
_REACHED = f"""{_SET}
SELECT objid FROM reached WHERE classid = {_of("pg_class")} AND objid = ANY(%(views)s::oid[]) LIMIT 1
"""
_WAYS = f"""{_SET}
SELECT classid, objid, NULL::oid, NULL::oid FROM untrusted
UNION ALL
SELECT u.classid, u.objid, o.classid, o.objid
FROM reached o CROSS JOIN LATERAL ({_USERS}) AS u (classid, objid)
"""

_DESCRIBE = f"""
SELECT o.classid, o.objid, COALESCE(pg_catalog.pg_describe_object(o.classid, o.objid, 0), ''),
       COALESCE(pg_catalog.pg_get_userbyid(o.owner), '')
FROM ({_UNTRUSTED}) AS o
WHERE (o.classid, o.objid) IN (SELECT * FROM unnest(%(classids)s::oid[], %(objids)s::oid[]))
"""


class Untrusted(NamedTuple):
    """Something that belongs to a role that we do not trust.

    Attributes:
        oid: its oid; that of a view if it is the view itself.
        what: what it is, as PostgreSQL describes it, such as ``function lair.f(integer)``.
        owner: the role.
    """

    oid: int
    what: str
    owner: str


def read_untrusted(
    cursor: CatalogCursor, oids: Collection[int], trusted: Iterable[int]
) -> dict[int, Untrusted]:
    """Return something that each of some relations reaches and that is not trusted, by the relation's oid.

    What reaches nothing of the kind is left out. The number of queries does not depend on how many relations
    there are.

    Args:
        cursor: sends the queries.
        oids: the relations.
        trusted: the oids of the roles that we trust.
    """
    params = {"views": array(oids), "trusted": array(trusted)}
    if not fetch(cursor, _REACHED, params):
        return {}
    nearest = _nearest(fetch(cursor, _WAYS, params))
    found = {oid: nearest[_PG_CLASS, oid] for oid in oids if (_PG_CLASS, oid) in nearest}
    wanted = sorted(set(found.values()))
    params |= {"classids": array(c for c, _ in wanted), "objids": array(o for _, o in wanted)}
    described = {
        (classid, oid): Untrusted(oid, what, owner)
        for classid, oid, what, owner in fetch(cursor, _DESCRIBE, params)
    }
    return {oid: described.get(node, Untrusted(node[1], "", "")) for oid, node in found.items()}


#: The oid of the catalog ``pg_class`` itself, which is the same in every version.
_PG_CLASS = 1259


def _nearest(rows: Iterable[tuple[int, int, int | None, int | None]]) -> dict[_Node, _Node]:
    """Return for each object that is reached the nearest one that is not trusted."""
    users: defaultdict[_Node, list[_Node]] = defaultdict(list)
    nearest: dict[_Node, _Node] = {}
    for classid, oid, from_class, from_oid in rows:
        if from_class is None or from_oid is None:
            nearest[classid, oid] = (classid, oid)
        else:
            users[from_class, from_oid].append((classid, oid))
    queue = deque(nearest)
    while queue:
        node = queue.popleft()
        for user in users[node]:
            if user not in nearest:
                nearest[user] = nearest[node]
                queue.append(user)
    return nearest
