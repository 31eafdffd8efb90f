"""The walls between the stages, as docs/architecture.md describes them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import orm_views_admin
import orm_views_core

CORE = Path(orm_views_core.__file__).parent
ADMIN = Path(orm_views_admin.__file__).parent

#: What decides and what writes text: none of it may get hold of a database.
PURE = [
    "names",
    "column_types",
    "declaring",
    "lexer",
    "tag",
    "queries",
    "belonging_queries",
    "installed",
    "references",
    "graph",
    "ddl",
    "changes",
    "steps",
    "statements",
    "decisions",
    "consequences",
    "building",
    "obstacles",
    "tagging",
    "drafting",
    "plan",
    "report",
    "refresh_results",
    "refresh_task",
    "view_status",
    "refresh_order",
    "freshness",
    "openmetrics",
    "refresh_report",
]

#: A module imports from its own row or from those above it.
ROWS = [
    "exceptions conf names lexer tag queries belonging_queries columns column_types sets signals",
    "source_key inference fields read_only readable routers registry views autodetector connections",
    "identity indexes definition compiling selection references graph refresh_order refresh_results",
    "installed fetching catalog catalog_questions belongings ddl refusal staging rehearsal holders locks",
    "type_questions step_facts declaring",
    "changes steps statements decisions consequences building obstacles tagging drafting plan freshness",
    (
        "recording apply rows refresh_locks backends refresh_facts refresh_task refreshing refresh_jobs "
        "refresh_planning refresh"
    ),
    "ahead outsiders planning sync view_status status report refresh_report openmetrics inspection",
    "checks class_checks value_checks database_checks view_permissions on_migrate testing pytest_plugin apps",
]


def imported(path):
    """Yield the modules that a file imports, those of its own package with a dot in front."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield from ([f".{node.module}"] if node.module else [f".{alias.name}" for alias in node.names])
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_never_gets_hold_of_a_database(module):
    assert [name for name in imported(CORE / f"{module}.py") if name.startswith("django.db")] == []


@pytest.mark.parametrize("path", sorted(CORE.glob("*.py")), ids=lambda path: path.stem)
def test_imports_go_one_way(path):
    if path.stem == "__init__":
        return
    row = {module: i for i, modules in enumerate(ROWS) for module in modules.split()}
    above = {f".{module}" for module, i in row.items() if i <= row[path.stem]}
    assert {name for name in imported(path) if name.startswith(".")} <= above


def test_core_knows_nothing_of_the_admin():
    for path in CORE.rglob("*.py"):
        assert not any(name.startswith("orm_views_admin") for name in imported(path)), path


def test_the_admin_sends_no_sql():
    for path in ADMIN.rglob("*.py"):
        calls = {
            node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)
        }
        assert calls.isdisjoint({"cursor", "execute", "executemany", "raw"}), path


def test_every_module_has_its_row():
    rows = [module for modules in ROWS for module in modules.split()]
    assert sorted(rows) == sorted(path.stem for path in CORE.glob("*.py") if path.stem != "__init__")
