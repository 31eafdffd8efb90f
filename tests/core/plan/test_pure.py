"""The plan and the values that it is made of need neither Django settings, nor a database, nor an engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("orm_views_core.plan", "orm_views_core.database", "orm_views_core.sql")
PROGRAM = f"""
import importlib, pkgutil, sys

names = ["orm_views_core.definitions.definition"]
for package in {PACKAGES}:
    names.append(package)
    path = importlib.import_module(package).__path__
    names += [module.name for module in pkgutil.walk_packages(path, package + ".")]
for name in names:
    importlib.import_module(name)
print(len(names))
print(*sorted(name for name in sys.modules if name.startswith(("django.db", "orm_views_core.engines"))))
"""


def test_the_plan_is_imported_without_settings_a_database_or_an_engine():
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, forbidden = done.stdout.splitlines()
    assert int(count) > len(PACKAGES) + 1, "the packages have modules"
    assert forbidden == ""
