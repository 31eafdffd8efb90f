"""What `make test-matrix` tries is what the package says that it supports."""

import ast
import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
#: The first Python of each Django after the LTS.
FIRST_PYTHON = {"6.0": "3.12", "6.1": "3.12"}


def rows():
    """The rows in `noxfile.py`, which imports what the suite does without."""
    for node in ast.parse((CHECKOUT / "noxfile.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROWS":
            return [tuple(map(ast.literal_eval, call.args)) for call in node.value.elts]
    raise AssertionError("noxfile.py has no ROWS")


def number(version):
    return tuple(map(int, version.split(".")))


def test_every_python_is_tried_with_every_django_that_runs_on_it():
    metadata = (CHECKOUT / "pyproject.toml").read_text()
    pythons = re.findall(r'"Programming Language :: Python :: (\d+\.\d+)"', metadata)
    djangos = re.findall(r'"Framework :: Django :: (\d+\.\d+)"', metadata)
    supported = {
        (python, django)
        for python in pythons
        for django in djangos
        if number(python) >= number(FIRST_PYTHON.get(django, "3.10"))
    }
    found = [(python, django) for python, django, _, _ in rows()]
    assert sorted(found) == sorted(supported)
    assert {server for *_, server in rows()} == {"14", "15", "16", "17", "18"}
    assert {driver for *_, driver, _ in rows()} == {"psycopg2", "psycopg3"}
