"""A project with PostgreSQL in production whose tests run on SQLite, in memory, without code for views."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import clean_environment
from tests.public.facts import ROOT

COMMANDS = {
    "manage.py test": ["-W", "error", "manage.py", "test", "--settings", "company.settings_for_tests"],
    "pytest": ["-m", "pytest", "-q", "-p", "no:cacheprovider"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_tests_of_a_project(tmp_path, command):
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(__file__).with_name("sample"), tmp_path, dirs_exist_ok=True, ignore=ignore)
    done = subprocess.run(
        [sys.executable, *COMMANDS[command]],
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert {"manage.py test": "Ran 6 tests", "pytest": "10 passed"}[command] in done.stdout
