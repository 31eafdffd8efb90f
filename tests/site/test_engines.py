"""The page of engines names a test for each of its promises, on each engine, and these tests are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import dropwhile, takewhile

import pytest

from tests.public import facts

PAGE = facts.ROOT / "docs" / "engines.md"
_TEST = re.compile(r"`(\S+\.py)::(\w+)`")


def table() -> list[list[str]]:
    """Return the cells of the first table, without the line below its head."""
    rows = takewhile(bool, dropwhile(lambda line: line[:1] != "|", PAGE.read_text().splitlines()))
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if "---" not in row]


ENGINES = table()[0][1:]
ROWS = [row[0] for row in table()[1:]]


def named_for(row: str) -> dict[str, list[tuple[str, str]]]:
    """Return the tests that the section of a row names, by engine."""
    _, _, rest = PAGE.read_text().partition(f"\n### {row}\n")
    section = rest.partition("\n### ")[0]
    found: dict[str, list[tuple[str, str]]] = {engine: [] for engine in ENGINES}
    for item in re.findall(r"^- (.*?)(?=^- |\Z)", section, re.MULTILINE | re.DOTALL):
        who = item.partition(":")[0]
        for engine in ENGINES if who == "Every engine" else who.split(", "):
            found[engine] += _TEST.findall(item)
    return found


@cache
def functions(path: str) -> set[str]:
    """Return the names of the functions and methods of a module below `tests/`."""
    tree = ast.parse((facts.ROOT / "tests" / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_table_has_ten_promises_on_three_engines() -> None:
    assert ENGINES == ["PostgreSQL", "SQLite", "MariaDB"]
    assert len(ROWS) == 10
    assert all(len(row) == 4 and all(row) for row in table()[1:])


@pytest.mark.parametrize("row", ROWS)
def test_each_cell_has_a_test_that_is_there(row: str) -> None:
    for engine, named in named_for(row).items():
        assert named, f"{row} on {engine}"
        for path, name in named:
            assert name in functions(path), f"{path}::{name}"


def test_every_section_is_that_of_a_row() -> None:
    _, _, sections = PAGE.read_text().partition("\n## Where it is tested\n")
    assert re.findall(r"^### (.*)$", sections, re.MULTILINE) == ROWS
