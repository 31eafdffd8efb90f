"""Moves the sample of a package over, as its guide says. The package's docstring tells the arguments."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.demo.postgres import database_settings
from tests.tutorial.__main__ import find_psql, variables
from tests.tutorial.page import WrongPageError, read
from tests.tutorial.rules import Replacements
from tests.tutorial.shell import Shell
from tests.tutorial.walk import Walk, free_port
from tests.tutorial.workplace import psql, workplace

from . import __doc__ as description
from .observing import records_of, relations_of, views_of
from .packages import PACKAGES, ROOT, ROWS, ROWS_AFTER, Package

DATABASE, FRESH = "orm_views_moving", "orm_views_moving_fresh"
ROLES = ("moving_analysts",)
#: The heading of a guide below which it leads back.
BACK = "## How to go back"


def main(arguments: Sequence[str] | None = None) -> int:
    """Move one sample over; return the exit status."""
    parser = argparse.ArgumentParser("tests.moving", description=description)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("package", choices=[package.name for package in PACKAGES])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--requirement", type=Path, default=ROOT)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(arguments)
    package = next(each for each in PACKAGES if each.name == options.package)
    server = variables(database_settings())
    find_psql()
    replacements = Replacements(server, free_port(), str(options.requirement.resolve()))
    with workplace(options.python, server, (DATABASE, FRESH), ROLES, keep=options.keep) as (folder, shell):
        walk = Walk(folder, shell, replacements, verbose=options.verbose)
        try:
            move(package, walk)
        except WrongPageError as error:
            print(f"{package.guide}, {error}", file=sys.stderr)
            return 1
    return 0


def move(package: Package, walk: Walk) -> None:
    """Create a database with the package, move it over, and move it back.

    Raises:
        WrongPageError: where the guide is not right.
        AssertionError: when something is not as it was.
    """
    server = walk.replacements.server
    _create(package, walk.directory, walk.shell, server)
    before, tables = views_of(server, DATABASE), relations_of(server, DATABASE)
    records, read_before = records_of(server, DATABASE), _run(walk.shell, _reading(package))
    assert read_before.count("2026") == 4, read_before
    there, back = package.guide.read_text().split(BACK)
    first = there.count("\n") + 1

    walk.along(read(there))
    after = views_of(server, DATABASE)
    assert after == before, _difference(before, after)
    assert relations_of(server, DATABASE) == tables
    assert records_of(server, DATABASE) == records
    read_after = _run(walk.shell, _reading(package))
    assert read_after == read_before, read_after + read_before
    assert not _naming(package.module, walk.directory)
    comment = psql(server, f"SELECT obj_description('{package.view}'::regclass)", database=DATABASE)
    assert "orm_views" in comment, comment
    psql(server, f"CREATE DATABASE {FRESH}")
    _run(walk.shell, f"MUSEUM={FRESH} python manage.py migrate_views -v 0")
    fresh = views_of(server, FRESH)
    of_ours = {name: view["definition"] for name, view in before.items() if not name.startswith("finance.")}
    assert {name: view["definition"] for name, view in fresh.items()} == of_ours

    walk.along(read("\n" * (first - 1) + back))
    returned = views_of(server, DATABASE)
    assert {name: returned[name]["definition"] for name in of_ours} == of_ours
    assert _naming(package.module, walk.directory)
    print(f"{package.name}: {len(before)} views of {len(tables)} tables are as they were; there and back.")


def _create(package: Package, directory: Path, shell: Shell, server: dict[str, str]) -> None:
    """A project in version control, and a database with views, rows, grants and a view of somebody else."""
    shutil.copytree(package.sample.with_name("project"), directory, dirs_exist_ok=True)
    shutil.copytree(package.sample, directory, dirs_exist_ok=True)
    psql(server, f"CREATE DATABASE {DATABASE}", "CREATE ROLE moving_analysts")
    requirements = " ".join(f"'{each}'" for each in package.requirements)
    _run(shell, "export " + " ".join(f"{name}='{value}'" for name, value in server.items()))
    _run(
        shell, "git init -q && git add . && git -c user.name=m -c user.email=m@example.com commit -qm theirs"
    )
    _run(shell, "python -m venv .venv && . .venv/bin/activate")
    _run(shell, f"pip --disable-pip-version-check install --quiet {requirements}")
    _run(shell, "python manage.py migrate -v 0")
    psql(server, ROWS, database=DATABASE)
    for command in package.creates:
        _run(shell, command)
    psql(server, ROWS_AFTER, database=DATABASE)
    psql(
        server,
        f"GRANT SELECT ON {package.view}, {package.materialised} TO moving_analysts",
        "CREATE SCHEMA finance",
        f"CREATE VIEW finance.towns AS SELECT town FROM {package.materialised}",
        database=DATABASE,
    )


def _run(shell: Shell, command: str) -> str:
    done = shell.run(command)
    assert done.status == 0, f"{command}\n{done.output}"
    return done.output


def _reading(package: Package) -> str:
    """A command that reads a view through the ORM, and prints its rows."""
    rows = f"apps.get_model('museum', '{package.model}').objects.order_by('pk').values()"
    start = "import django; django.setup(); from django.apps import apps"
    program = f"{start}; print(*[sorted(row.items()) for row in {rows}])"
    return f'PYTHONWARNINGS=ignore DJANGO_SETTINGS_MODULE=config.settings python -c "{program}"'


def _naming(module: str, directory: Path) -> list[Path]:
    """The files of the project that name a module."""
    return [
        path
        for path in directory.rglob("*.py")
        if ".venv" not in path.parts and module in path.read_text(encoding="utf-8")
    ]


def _difference(before: dict[str, dict[str, object]], after: dict[str, dict[str, object]]) -> str:
    return "\n".join(
        f"{name}: {before.get(name)}\nnow {after.get(name)}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


if __name__ == "__main__":
    sys.exit(main())
