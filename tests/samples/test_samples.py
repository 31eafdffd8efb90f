"""Two projects whose tests read views without any code that syncs them, run as their users run them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import connections

from tests.environment import clean_environment

SAMPLES = Path(__file__).parent


class Project(NamedTuple):
    """A copy of a sample, and the name of its test database."""

    directory: Path
    database: str

    def run(self, *command: str, database: str = "postgres") -> str:
        """Run it with nothing in the environment that leads to this suite; return all that it printed.

        Args:
            command: Python's arguments.
            database: the database that is no test's.
        """
        settings = connections["default"].settings_dict
        keys = ("ENGINE", "HOST", "PORT", "USER", "PASSWORD", "OPTIONS")
        connection = {key: settings[key] for key in keys}
        connection |= {"NAME": database, "TEST": {"NAME": self.database}}
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.directory,
            env={**clean_environment(), "DATABASE": json.dumps(connection), "PYTHONWARNINGS": "error"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return f"{done.stdout}\nexit {done.returncode}"

    def pytest(self, *arguments: str) -> str:
        return self.run("-m", "pytest", "-p", "no:cacheprovider", *arguments)


@pytest.fixture
def ask(django_db_blocker: Any) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """A function that asks the server, in a database that no sample uses."""
    connection = connections.create_connection("default")
    connection.settings_dict = {**connection.settings_dict, "NAME": "postgres"}

    def run(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    yield run
    connection.close()


@pytest.fixture
def find(ask: Callable[..., Any], project: Project) -> Callable[[], dict[str, int]]:
    """A function that says which databases of the project there are, with their oids."""

    def run() -> dict[str, int]:
        return dict(
            ask("SELECT datname, oid FROM pg_database WHERE starts_with(datname, %s)", project.database)
        )

    return run


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path, ask: Callable[..., Any]) -> Iterator[Project]:
    """The sample that the test names, with test databases of its own on the server of this suite."""
    directory = shutil.copytree(
        SAMPLES / request.param, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__")
    )
    name = f"{connections['default'].settings_dict['NAME']}_{request.param}"
    drop = [f'DROP DATABASE IF EXISTS "{name}{clone}" WITH (FORCE)' for clone in ("", "_1", "_2")]
    for statement in drop:  # a run that was killed may have left them
        ask(statement)
    yield Project(directory, name)
    for statement in drop:
        ask(statement)


with_pytest = pytest.mark.parametrize("project", ["with_pytest"], indirect=True)
with_unittest = pytest.mark.parametrize("project", ["with_unittest"], indirect=True)


@pytest.mark.parametrize("sample", ["with_pytest", "with_unittest"])
def test_no_sample_says_how_to_sync(sample):
    for path in (SAMPLES / sample).rglob("*.py"):
        assert set(re.findall(r"\w*sync\w*", path.read_text(), re.IGNORECASE)) <= {"SYNC_ON_MIGRATE", "syncs"}


@with_pytest
@pytest.mark.parametrize("arguments", [(), ("--no-migrations",)], ids=["plain", "no-migrations"])
def test_pytest_finds_the_views_there(project, find, arguments):
    said = project.pytest(*arguments)
    assert "9 passed" in said, said
    assert find() == {}


@with_pytest
def test_without_the_setting_they_are_not(project):
    said = project.pytest("--ds=settings")
    assert 'relation "views.orderlines" does not exist' in said
    assert "Set ORM_VIEWS['SYNC_ON_MIGRATE'] to True in the settings of your tests." in said


@with_pytest
def test_a_database_that_is_kept_follows_its_views(project, find):
    for _ in range(2):  # the second finds no rows of the first
        said = project.pytest("--reuse-db")
        assert "9 passed" in said, said
    kept = find()
    views = project.directory / "shop" / "postgres_views.py"
    views.write_text(views.read_text().replace("'pounds'", "'euros'"))
    said = project.pytest("--reuse-db")
    # Nothing else than the view has changed, so the test that knows its rows fails.
    assert "1 failed, 8 passed" in said, said
    assert "assert 'euros' == 'pounds'" in said
    assert find() == kept
    assert len(kept) == 1


@with_unittest
def test_parallel_databases_have_the_views_too(project, find):
    said = project.run("manage.py", "test", "--parallel", "2")
    assert said.count("Cloning test database for alias 'default'...") == 2, said
    assert "Ran 10 tests" in said
    assert "\nOK\n" in said
    assert find() == {}


@with_unittest
def test_one_after_the_other_they_are_there_as_well_and_what_is_done_is_said(project):
    said = project.run("manage.py", "test", "-v", "2")
    assert "Syncing views in database 'default':\n  1 schema to prepare, 4 to create, 0 unchanged" in said
    assert "Ran 10 tests" in said
    assert "\nOK\n" in said, said


@with_unittest
def test_without_the_setting_the_mixin_says_what_to_set(project):
    said = project.run("manage.py", "test", "--settings", "settings")
    assert "Set ORM_VIEWS['SYNC_ON_MIGRATE'] to True in the settings of your tests." in said


@with_unittest
def test_migrate_says_what_it_syncs_and_what_has_to_wait(project, ask):
    ask(f'CREATE DATABASE "{project.database}"')

    def migrate(*arguments: str) -> str:
        command = ("manage.py", "migrate", "--settings", "settings_for_tests", *arguments)
        return project.run(*command, database=project.database)

    said = migrate()
    assert "1 schema to prepare, 4 to create, 0 unchanged" in said
    assert said.endswith("exit 0")
    said = migrate("shop", "zero", "--drop-views")
    assert "Not synced, because 1 migration is yet to be applied: shop.0001_initial." in said
    assert 'relation "shop_customer" does not exist' in said
    assert said.endswith("exit 0")
    said = migrate("--fake")
    assert "CommandError: Database 'default' is migrated, but its views could not be synced" in said
    assert said.endswith("exit 1")
