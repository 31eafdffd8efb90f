"""The ways from a view of ours to what an attacker wrote: what the planner or the executor runs on a read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .attacker import Attacker, query

PLAIN = "SELECT id, word FROM views.base"

#: These exist in each attack, and notice when somebody else runs them.
_FUNCTIONS = {
    "lair.evil(int)": ("int", "$1"),
    "lair.is_fine(int)": ("boolean", "true"),
    "lair.evil()": ("int", "1"),
}

_FUNCTION = "FUNCTION lair.{} IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM lair.strike(); RETURN {}; END'"


class Way(NamedTuple):
    """A way from a view of ours to what the attacker wrote.

    Attributes:
        sql: the SELECT of the view.
        steps: how it is built: whose step it is ("them" or "us"), and what that does. "view" creates the
            view, which otherwise comes last.
        named: a part of what the message names.
        kind: the kind of the view.
    """

    sql: str
    steps: tuple[tuple[str, str], ...] = ()
    named: str = "lair."
    kind: str = "VIEW"

    def build(self, attacker: Attacker) -> None:
        """Create the functions of the attacker, the steps, and the view ``views.victim``."""
        arm(attacker)
        view = ("us", f"CREATE {self.kind} views.victim AS {self.sql}")
        take(attacker, [view if step == VIEW else step for step in self.steps])
        if VIEW not in self.steps:
            take(attacker, [view])


def arm(attacker: Attacker) -> None:
    """Create the functions of the attacker."""
    for signature, (returns, value) in _FUNCTIONS.items():
        attacker.function(signature, returns, value)


def take(attacker: Attacker, steps: Iterable[tuple[str, str]]) -> None:
    """Take some steps, each as the attacker or as the role of the suite."""
    for who, sql in steps:
        run = attacker.run if who == "them" else query
        run(sql.replace("{attacker}", attacker.role))


VIEW = ("view", "")
_DOMAIN = ("them", "CREATE DOMAIN lair.positive AS int CHECK (lair.is_fine(VALUE))")
_PAIR = ("us", "GRANT USAGE ON SCHEMA views TO PUBLIC; CREATE TYPE views.pair AS (a int)")
_SIGNS = {1: "<", 2: "<=", 3: "=", 4: ">=", 5: ">"}

WAYS = {
    "an immutable function": Way("SELECT id, lair.evil(1)::text AS word FROM views.base"),
    "a function of each row": Way("SELECT id, lair.evil(id)::text AS word FROM views.base"),
    "a function in FROM": Way("SELECT evil AS id, '' AS word FROM lair.evil(1)"),
    "a function in a condition": Way(f"{PLAIN} WHERE lair.is_fine(1)"),
    "an aggregate": Way(
        "SELECT lair.total(id) AS id, '' AS word FROM views.base",
        (
            ("them", f"CREATE {_FUNCTION.format('add(int, int) RETURNS int', '$1')}"),
            ("them", "CREATE AGGREGATE lair.total(int) (SFUNC = lair.add, STYPE = int, INITCOND = '0')"),
        ),
    ),
    "an operator": Way(
        "SELECT id, (1 OPERATOR(lair.###) 2)::text AS word FROM views.base",
        (
            ("them", f"CREATE {_FUNCTION.format('op(int, int) RETURNS int', '$1')}"),
            ("them", "CREATE OPERATOR lair.### (LEFTARG = int, RIGHTARG = int, FUNCTION = lair.op)"),
        ),
    ),
    "an operator of ours with their function": Way(
        "SELECT id, (OPERATOR(views.###) 2)::text AS word FROM views.base",
        (("us", "CREATE OPERATOR views.### (RIGHTARG = int, FUNCTION = lair.evil)"),),
    ),
    "the negator of an operator": Way(
        f"{PLAIN} WHERE NOT (1 OPERATOR(views.===) 2)",
        (
            ("them", f"CREATE {_FUNCTION.format('differ(int, int) RETURNS boolean', 'true')}"),
            (
                "us",
                "CREATE FUNCTION views.same(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = $2'",
            ),
            (
                "us",
                (
                    "CREATE OPERATOR views.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = views.same,"
                    " NEGATOR = OPERATOR(views.!==))"
                ),
            ),
            (
                "us",
                (
                    "CREATE OPERATOR views.!== (LEFTARG = int, RIGHTARG = int, FUNCTION = lair.differ,"
                    " NEGATOR = OPERATOR(views.===))"
                ),
            ),
        ),
    ),
    "a domain": Way(
        "SELECT id, (id::lair.positive)::text AS word FROM views.base",
        (_DOMAIN,),
        named="type lair.positive",
    ),
    "a domain of ours that checks with their function": Way(
        "SELECT id, (id::views.positive)::text AS word FROM views.base",
        (("us", "CREATE DOMAIN views.positive AS int CHECK (lair.is_fine(VALUE))"),),
    ),
    "an array of a domain": Way(
        "SELECT id, ARRAY[id]::lair.positive[]::text AS word FROM views.base", (_DOMAIN,)
    ),
    "a composite type with a domain": Way(
        "SELECT id, (ROW(id)::views.pair)::text AS word FROM views.base",
        (_DOMAIN, ("us", "CREATE TYPE views.pair AS (a lair.positive)")),
    ),
    "a range with a function": Way(
        "SELECT id, views.span(id, 9)::text AS word FROM views.base",
        (
            ("them", f"CREATE {_FUNCTION.format('distance(int, int) RETURNS float8', '1')}"),
            ("us", "CREATE TYPE views.span AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = lair.distance)"),
        ),
    ),
    "a cast of a column to text": Way(
        "SELECT id, ROW(id)::views.pair AS word FROM views.base",
        (
            _PAIR,
            ("them", f"CREATE {_FUNCTION.format('to_text(views.pair) RETURNS text', '1')}"),
            ("us", "CREATE CAST (views.pair AS text) WITH FUNCTION lair.to_text(views.pair)"),
        ),
    ),
    "an operator class that sorts": Way(
        "SELECT id, ROW(id)::views.pair AS word FROM views.base",
        (
            _PAIR,
            ("them", f"CREATE {_FUNCTION.format('compare(views.pair, views.pair) RETURNS int', '0')}"),
            (
                "us",
                "CREATE FUNCTION views.less(views.pair, views.pair) RETURNS boolean IMMUTABLE LANGUAGE sql"
                " AS 'SELECT ($1).a < ($2).a';"
                + "".join(
                    f"CREATE OPERATOR views.{sign} (LEFTARG = views.pair, RIGHTARG = views.pair,"
                    " FUNCTION = views.less);"
                    for sign in _SIGNS.values()
                )
                + "CREATE OPERATOR CLASS views.pairs DEFAULT FOR TYPE views.pair USING btree AS"
                + "".join(f" OPERATOR {n} views.{sign}," for n, sign in _SIGNS.items())
                + " FUNCTION 1 lair.compare(views.pair, views.pair)",
            ),
        ),
    ),
    "a function of ours that calls theirs": Way(
        "SELECT id, views.ours(1)::text AS word FROM views.base",
        (
            (
                "us",
                "CREATE FUNCTION views.ours(int) RETURNS int BEGIN ATOMIC SELECT lair.evil($1); END",
            ),
        ),
    ),
    "a function of ours with their default": Way(
        "SELECT id, views.ours()::text AS word FROM views.base",
        (
            (
                "us",
                "CREATE FUNCTION views.ours(a int DEFAULT lair.evil()) RETURNS int LANGUAGE sql RETURN a",
            ),
        ),
    ),
    "their table": Way(
        "SELECT * FROM lair.numbers",
        (
            ("them", "CREATE TABLE lair.numbers AS SELECT 1 AS id, '' AS word"),
            ("them", "CREATE INDEX ON lair.numbers (lair.evil(id)) WHERE lair.is_fine(1)"),
        ),
        named="table lair.numbers",
    ),
    "a table that they were given": Way(
        PLAIN,
        (
            ("us", "ALTER TABLE views.base OWNER TO {attacker}"),
            ("us", "CREATE INDEX ON views.base (lair.evil(id))"),
        ),
        named="table views.base",
    ),
    "their view": Way(
        "SELECT * FROM lair.numbers",
        (("them", "CREATE VIEW lair.numbers AS SELECT lair.evil(1) AS id, '' AS word"),),
        named="view lair.numbers",
    ),
    "their materialised view": Way(
        "SELECT * FROM lair.numbers",
        (
            ("them", "CREATE MATERIALIZED VIEW lair.numbers AS SELECT 1 AS id, '' AS word"),
            ("them", "CREATE INDEX ON lair.numbers (lair.evil(id))"),
        ),
        named="materialized view lair.numbers",
    ),
    "their sequence": Way(
        "SELECT last_value AS id, '' AS word FROM lair.numbers",
        (("them", "CREATE SEQUENCE lair.numbers"),),
        named="sequence lair.numbers",
    ),
    "a materialised view that was computed from theirs": Way(
        "SELECT * FROM views.stored",
        (("us", "CREATE MATERIALIZED VIEW views.stored AS SELECT lair.evil(1) AS id, '' AS word"),),
    ),
    "a view that was given away": Way(
        "SELECT lair.evil(1) AS id, '' AS word",
        (VIEW, ("us", "ALTER VIEW views.victim OWNER TO {attacker}")),
        named="it belongs to the role",
    ),
    "a materialised view that was given away": Way(
        PLAIN,
        (
            VIEW,
            ("us", "ALTER MATERIALIZED VIEW views.victim OWNER TO {attacker}"),
            ("us", "CREATE INDEX ON views.victim (lair.evil(id))"),
        ),
        named="it belongs to the role",
        kind="MATERIALIZED VIEW",
    ),
    "an index of an expression": Way(PLAIN, (("us", "CREATE INDEX ON views.base (lair.evil(id))"),)),
    "the predicate of an index": Way(
        PLAIN, (("us", "CREATE INDEX ON views.base (id) WHERE lair.is_fine(1)"),)
    ),
    "an index of a materialised view": Way(
        PLAIN, (VIEW, ("us", "CREATE INDEX ON views.victim (lair.evil(id))")), kind="MATERIALIZED VIEW"
    ),
    "extended statistics": Way(
        PLAIN, (("us", "CREATE STATISTICS views.known ON (lair.evil(1) + id) FROM views.base"),)
    ),
    "a CHECK": Way(PLAIN, (("us", "ALTER TABLE views.base ADD CHECK (lair.is_fine(1)) NOT VALID"),)),
    "a CHECK of a child": Way(
        f"{PLAIN} WHERE id = 1",
        (("us", "CREATE TABLE views.child (CHECK (lair.is_fine(1))) INHERITS (views.base)"),),
    ),
    "a policy": Way(
        PLAIN,
        (
            ("us", "ALTER TABLE views.base ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"),
            ("us", "CREATE POLICY few ON views.base USING (lair.is_fine(1))"),
        ),
    ),
    "a child of theirs": Way(
        PLAIN,
        (
            ("them", "CREATE TABLE lair.child (id int, word text)"),
            ("them", "CREATE INDEX ON lair.child (lair.evil(id))"),
            ("us", "ALTER TABLE lair.child INHERIT views.base"),
        ),
        named="table lair.child",
    ),
    "a partition of theirs": Way(
        "SELECT id, '' AS word FROM views.parts",
        (
            ("them", "CREATE TABLE lair.part (id int); CREATE INDEX ON lair.part (lair.evil(id))"),
            ("us", "CREATE TABLE views.parts (id int) PARTITION BY LIST (id)"),
            ("us", "ALTER TABLE views.parts ATTACH PARTITION lair.part FOR VALUES IN (1)"),
        ),
        named="table lair.part",
    ),
    "the key of partitions": Way(
        "SELECT id, '' AS word FROM views.parts",
        (
            ("us", "CREATE TABLE views.parts (id int) PARTITION BY RANGE (lair.evil(id))"),
            ("us", "CREATE TABLE views.part PARTITION OF views.parts FOR VALUES FROM (1) TO (2)"),
        ),
    ),
    "the row type of their table": Way(
        "SELECT id, (NULL::lair.numbers)::text AS word FROM views.base",
        (("them", "CREATE TABLE lair.numbers (id int)"),),
    ),
    "a chain of views": Way(
        "SELECT * FROM views.chain_30",
        (
            ("us", "CREATE VIEW views.chain_0 AS SELECT lair.evil(1) AS id, '' AS word"),
            *(("us", f"CREATE VIEW views.chain_{n + 1} AS SELECT * FROM views.chain_{n}") for n in range(30)),
        ),
    ),
    "their foreign server": Way(
        "SELECT id, '' AS word FROM views.far",
        (
            ("us", "CREATE FOREIGN DATA WRAPPER far; CREATE SERVER far FOREIGN DATA WRAPPER far"),
            ("us", "CREATE FOREIGN TABLE views.far (id int) SERVER far"),
            ("us", "ALTER SERVER far OWNER TO {attacker}"),
        ),
        named="server far",
    ),
}

#: What depends on something of the attacker's, or belongs to them, and is not run on a read.
HARMLESS = {
    "a foreign key": (
        ("them", "CREATE TABLE lair.far (id int PRIMARY KEY)"),
        ("us", "ALTER TABLE views.base ADD FOREIGN KEY (id) REFERENCES lair.far NOT VALID"),
    ),
    "a default": (("us", "ALTER TABLE views.base ALTER id SET DEFAULT lair.evil(1)"),),
    "a stored column": (
        ("us", "ALTER TABLE views.base ADD extra int GENERATED ALWAYS AS (lair.evil(id)) STORED"),
    ),
    "a rule": (("us", "CREATE RULE beside AS ON UPDATE TO views.base DO ALSO SELECT lair.evil(1)"),),
    "a policy for INSERT": (
        ("us", "CREATE POLICY writing ON views.base FOR INSERT WITH CHECK (lair.is_fine(1))"),
    ),
    "a trigger": (
        ("them", "CREATE FUNCTION lair.fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"),
        ("us", "CREATE TRIGGER fired BEFORE INSERT ON views.base EXECUTE FUNCTION lair.fire()"),
    ),
    "readers of theirs": (
        ("us", "GRANT USAGE ON SCHEMA views TO PUBLIC; GRANT SELECT ON views.base TO PUBLIC"),
        ("them", "CREATE VIEW lair.reader AS SELECT lair.evil(id) FROM views.base"),
        ("them", "CREATE MATERIALIZED VIEW lair.stored AS SELECT base FROM views.base"),
    ),
    "a cast of theirs": (
        ("them", "CREATE TYPE lair.own AS (a int)"),
        ("them", f"CREATE {_FUNCTION.format('to_text(lair.own) RETURNS text', '1')}"),
        ("them", "CREATE CAST (lair.own AS text) WITH FUNCTION lair.to_text(lair.own)"),
        ("them", f"CREATE {_FUNCTION.format('to_own(text) RETURNS lair.own', 'NULL')}"),
        ("them", "CREATE CAST (text AS lair.own) WITH FUNCTION lair.to_own(text)"),
    ),
    "operators of theirs": (
        ("them", f"CREATE {_FUNCTION.format('plus(int, text) RETURNS text', '$2')}"),
        ("them", "CREATE OPERATOR lair.+ (LEFTARG = int, RIGHTARG = text, FUNCTION = lair.plus)"),
    ),
}
