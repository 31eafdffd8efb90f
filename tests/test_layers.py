"""The walls of pyproject.toml hold: `make lint` fails on an import that goes through one."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys

import pytest

from tests.public.facts import PACKAGES, ROOT

LINT = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"


def lint(checkout):
    """Check the imports of a checkout as `make lint` does; return the exit code and what was printed."""
    run = subprocess.run(
        [sys.executable, "-P" if sys.version_info >= (3, 11) else "-s", "-c", LINT],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
    )
    return run.returncode, run.stdout + run.stderr


@pytest.fixture
def checkout(tmp_path):
    """A copy of the code and of its configuration."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_import_keeps_the_layers(checkout):
    code, printed = lint(checkout)
    assert code == 0, printed


@pytest.mark.parametrize(
    ("module", "imports", "broken"),
    [
        ("orm_views_core/plan/steps.py", "orm_views_core.engines.connections", "the plan knows no engine"),
        (
            "orm_views_core/database/relations.py",
            "orm_views_core.engines.postgresql.ddl",
            "core imports downwards",
        ),
        ("orm_views_core/engines/connections.py", "orm_views_core.sync.api", "core imports downwards"),
        ("orm_views_core/graph.py", "orm_views_admin.permissions", "core knows nothing of the admin"),
        ("orm_views_core/output/plans.py", "sqlparse", "core needs Django and nothing else"),
        ("orm_views_admin/trends.py", "psycopg2", "the admin takes the driver of the connection"),
        ("orm_views_admin/ui/cells.py", "orm_views_admin.pages.base", "the admin imports downwards"),
    ],
)
def test_an_import_through_a_wall_is_found(checkout, module, imports, broken):
    with (checkout / module).open("a") as file:
        file.write(f"\nimport {imports}\n")
    code, printed = lint(checkout)
    assert code == 1
    assert f"{broken} BROKEN" in printed


def test_a_circle_inside_a_package_of_the_admin_is_found(checkout):
    package = checkout / "orm_views_admin" / "ui"
    (package / "first.py").write_text("from . import second\n")
    (package / "second.py").write_text("\n\ndef later():\n    from . import first\n")
    code, printed = lint(checkout)
    assert code == 1
    assert "no circles BROKEN" in printed


def imported(path):
    """Yield the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
PURE = [path for path in MODULES if "Pure." in (ast.get_docstring(ast.parse(path.read_text())) or "")]


def test_modules_say_that_they_are_pure():
    assert len(PURE) >= 20


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_that_says_it_is_pure_never_imports_a_database(path):
    assert [name for name in imported(path) if name.startswith("django.db")] == []


def test_the_admin_sends_no_sql():
    for path in MODULES:
        if PACKAGES[1] in path.parts:
            tree = ast.parse(path.read_text())
            calls = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            assert calls.isdisjoint({"cursor", "execute", "executemany", "raw"}), path


def test_no_folder_is_crowded_and_no_module_is_long():
    for folder in {path.parent for path in MODULES}:
        assert len(list(folder.glob("*.py"))) <= 16, folder
    for path in MODULES:
        assert len(path.read_text().splitlines()) <= 320, path


def test_only_the_engines_ask_which_engine_a_database_has():
    for path in MODULES:
        if not {"engines", "spelling"} & set(path.parent.relative_to(ROOT).parts):
            tree = ast.parse(path.read_text())
            asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            assert asked.isdisjoint({"vendor", "mysql_is_mariadb"}), path
