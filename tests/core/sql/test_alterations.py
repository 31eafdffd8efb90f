"""What the text of a statement tells of what it does to relations."""

from __future__ import annotations

import pytest

from orm_views_core.names import ViewName
from orm_views_core.sql.alterations import read_script

SCRIPTS = {
    'ALTER TABLE "shop_order" ALTER COLUMN "total" TYPE bigint USING "total"::bigint;': [
        "shop_order.total gets another type"
    ],
    "alter table only shop.orders * alter total set data type bigint, alter b type int": [
        "shop.orders.total gets another type",
        "shop.orders.b gets another type",
    ],
    'ALTER TABLE IF EXISTS "a" DROP COLUMN IF EXISTS "b" CASCADE': ["a.b is dropped"],
    "ALTER TABLE a DROP b, DROP CONSTRAINT IF EXISTS c": ["a.b is dropped", "constraint c of a is dropped"],
    "ALTER TABLE a ALTER b DROP NOT NULL, ALTER b DROP DEFAULT, ALTER c SET DEFAULT f(1, 2)": [],
    "ALTER TABLE a ADD COLUMN b int, ADD CONSTRAINT c CHECK (b > 0)": [],
    'DROP TABLE IF EXISTS a, "B c"."d" CASCADE': ["a is dropped", "B c.d is dropped"],
    "DROP MATERIALIZED VIEW v; DROP VIEW IF EXISTS w": ["v is dropped", "w is dropped"],
    "-- DROP TABLE a\nSELECT 'DROP TABLE b'": [],
    "INSERT INTO a SELECT 'x; DROP TABLE b'": [],
    "ALTER TABLE type ALTER type TYPE int": ["type.type gets another type"],
    "ALTER TABLE a ALTER": [],
    "ALTER TABLE": [],
    "DROP": [],
    "": [],
}


@pytest.mark.parametrize("sql", SCRIPTS)
def test_what_it_takes_from_relations(sql):
    assert [str(each) for each in read_script(sql).alterations] == SCRIPTS[sql]


def test_new_names():
    script = read_script(
        "ALTER TABLE a RENAME TO b; ALTER TABLE s.b RENAME COLUMN c TO d; ALTER TABLE b RENAME e TO f;"
        "ALTER TABLE b SET SCHEMA t; ALTER TABLE b RENAME CONSTRAINT g TO h"
    )
    assert [tuple(each) for each in script.renamings] == [
        (("", "a"), ("", "b"), "", ""),
        (("s", "b"), ("s", "b"), "c", "d"),
        (("", "b"), ("", "b"), "e", "f"),
        (("", "b"), ("t", "b"), "", ""),
    ]


@pytest.mark.parametrize(
    ("sql", "locked", "read_only"),
    [
        ("ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES s.c (id)", ["a"], ["c"]),
        ("CREATE UNIQUE INDEX i ON ONLY a (b)", [], ["a"]),
        ("CREATE TABLE a (b int REFERENCES c, d int REFERENCES e (id))", [], ["c", "e"]),
        ("DROP TABLE a", ["a"], []),
    ],
)
def test_what_it_locks(sql, locked, read_only):
    script = read_script(sql)
    assert [name.name for name in script.locked] == locked
    assert [name.name for name in script.read_only] == read_only


@pytest.mark.parametrize(
    ("sql", "changes", "may_cascade"),
    [
        ("DROP TABLE a CASCADE", True, True),
        ("DROP TABLE a", True, False),
        ("DO $$ BEGIN DROP TABLE a; END $$", True, True),
        ("call f()", True, True),
        ("UPDATE a SET b = 'drop table c cascade'", False, False),
        ("CREATE TABLE a (b int REFERENCES c ON DELETE CASCADE)", False, True),
    ],
)
def test_whether_it_is_watched(sql, changes, may_cascade):
    script = read_script(sql)
    assert (script.changes, script.may_cascade) == (changes, may_cascade)


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT 1; COMMIT", "COMMIT"),
        ("BEGIN; SELECT 1", "BEGIN"),
        ("START TRANSACTION", "START"),
        ("PREPARE TRANSACTION 'x'", "PREPARE"),
        ("ROLLBACK", "ROLLBACK"),
        ("ROLLBACK TO SAVEPOINT s", ""),
        ("PREPARE q AS SELECT 1", ""),
        ("DO $$ BEGIN COMMIT; END $$", ""),
        ("SELECT CASE WHEN true THEN 1 END", ""),
    ],
)
def test_whether_it_ends_a_transaction(sql, word):
    assert read_script(sql).ends_transaction == word


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("CREATE INDEX CONCURRENTLY i ON a (b)", "CREATE … CONCURRENTLY"),
        ("DROP INDEX CONCURRENTLY i", "DROP … CONCURRENTLY"),
        ("ALTER TABLE a DETACH PARTITION b CONCURRENTLY", "ALTER … CONCURRENTLY"),
        ("VACUUM a", "VACUUM A"),
        ("CREATE DATABASE d", "CREATE DATABASE"),
        ("ALTER SYSTEM SET a = 1", "ALTER SYSTEM"),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", ""),
        ("CREATE INDEX concurrently_not ON a (b)", ""),
    ],
)
def test_whether_it_runs_alone(sql, words):
    assert read_script(sql).runs_alone == words


def test_views_that_are_dropped_by_name():
    assert read_script("DROP VIEW a.b CASCADE; DROP TABLE c").dropped_views == [ViewName("a", "b")]
