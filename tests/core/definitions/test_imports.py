"""What has to be importable without Django: the value of a view, and everything about SQL text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
MODULES = ["orm_views_core.definitions.definition"] + [
    f"orm_views_core.sql.{path.stem}" for path in (CHECKOUT / "orm_views_core" / "sql").glob("[!_]*.py")
]


def test_the_definition_and_the_sql_package_need_no_django():
    code = f"import sys, {', '.join(MODULES)}; print([m for m in sys.modules if m.split('.')[0] == 'django'])"
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment["PYTHONPATH"] = str(CHECKOUT)
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert run.stdout == "[]\n", run.stderr
