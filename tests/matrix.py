"""Run the suite on every combination that is supported and at hand; `make test-matrix`.

Only the standard library: this runs before anything is installed. Each combination gets an environment of its
own below `.venvs/`. The first runs everything; the others leave out browser, packaging and benchmarks, which
do not depend on what varies. The table at the end says what each run found itself on, not what it was meant
for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENVS = ROOT / ".venvs"

PYTHONS = ("3.13", "3.12", "3.11", "3.10")
DJANGO_OLDEST, DJANGO_MIDDLE, DJANGO_NEWEST = "5.2", "6.0", "6.1"

QUICK = ("--ignore=tests/benchmarks", "--ignore=tests/browser", "--ignore=tests/packaging")

# Asked of the combination itself; the keys are the table's columns.
QUESTION = """
import json, platform, django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW server_version")
    server = cursor.fetchone()[0]
print(json.dumps({
    "Python": platform.python_version(),
    "Django": django.get_version(),
    "driver": connection.Database.__name__ + " " + connection.Database.__version__.split()[0],
    "PostgreSQL": server,
}))
"""
COLUMNS = ("Python", "Django", "driver", "PostgreSQL", "result")


@dataclass(frozen=True)
class Combination:
    """One row of the matrix: an environment, and the embedded server that it runs on."""

    interpreter: str
    python: str
    django: str
    psycopg3: bool = False
    postgres: str = "18"

    @property
    def venv(self) -> Path:
        driver = "-psycopg3" if self.psycopg3 else ""
        return VENVS / f"python{self.python}-django{self.django}{driver}"

    @property
    def executable(self) -> Path:
        return self.venv / "bin" / "python"


def find_interpreters() -> dict[str, str]:
    """A working interpreter for each supported version that the machine has, newest first."""
    found = {}
    for version in PYTHONS:
        directories = os.environ.get("PATH", "").split(os.pathsep)
        candidates = [Path(directory) / f"python{version}" for directory in directories]
        candidates += sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), reverse=True)
        for candidate in candidates:
            if candidate.exists() and _runs(candidate, version):
                found[version] = str(candidate)
                break
    return found


def _runs(interpreter: Path, version: str) -> bool:
    program = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    run = subprocess.run([interpreter, "-c", program], capture_output=True, text=True)
    return run.returncode == 0 and run.stdout.strip() == version


def newest_django(python: str) -> str:
    """The newest supported Django that runs on a Python."""
    return DJANGO_NEWEST if python in {"3.12", "3.13"} else DJANGO_OLDEST


def combinations(interpreters: dict[str, str]) -> list[Combination]:
    """Every Python with its newest Django; and on the newest Python the other Django, driver and server."""
    rows = [Combination(path, python, newest_django(python)) for python, path in interpreters.items()]
    first = rows[0]
    if first.django != DJANGO_OLDEST:
        rows.append(Combination(first.interpreter, first.python, DJANGO_MIDDLE))
    rows.append(Combination(first.interpreter, first.python, first.django, psycopg3=True))
    rows.append(Combination(first.interpreter, first.python, first.django, postgres="16"))
    return rows


def install(row: Combination) -> None:
    """Make the row's environment, unless it was made from the same `pyproject.toml` before."""
    stamp = row.venv / "pyproject.toml"
    project = ROOT / "pyproject.toml"
    if stamp.exists() and stamp.read_bytes() == project.read_bytes():
        return
    pip = [str(row.executable), "-m", "pip"]
    package = ".[psycopg3]" if row.psycopg3 else "."
    for command in (
        [row.interpreter, "-m", "venv", "--clear", str(row.venv)],
        [*pip, "install", "--quiet", "--upgrade", "pip>=25.1"],
        [*pip, "install", "--quiet", "--editable", package, "--group", "test", f"django~={row.django}.0"],
        *([[*pip, "uninstall", "--quiet", "--yes", "psycopg2-binary"]] if row.psycopg3 else []),
    ):
        subprocess.run(command, cwd=ROOT, check=True)
    shutil.copy(project, stamp)


def run(row: Combination, arguments: tuple[str, ...]) -> dict[str, str]:
    """Run the suite on a row; returns its line of the table."""
    environment = {
        **os.environ,
        "EMBEDDED_POSTGRES": row.postgres,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    environment.pop("DATABASE_URL", None)
    wanted = {
        "Python": row.python,
        "Django": row.django,
        "driver": "psycopg" if row.psycopg3 else "psycopg2",
        "PostgreSQL": row.postgres,
    }
    print(f"\n=== {', '.join(f'{name} {value}' for name, value in wanted.items())}", flush=True)
    try:
        install(row)
        command = [row.executable, "-c", QUESTION]
        asked = subprocess.run(
            command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
    except subprocess.CalledProcessError as error:
        return {**wanted, "result": f"not run: {error}"}
    found = json.loads(asked.stdout)
    if not all(found[name].startswith(value) for name, value in wanted.items()):
        return {**found, "result": f"not run: wanted {wanted}"}
    tests = subprocess.run([row.executable, "-m", "pytest", "-q", *arguments], cwd=ROOT, env=environment)
    return {**found, "result": "passed" if tests.returncode == 0 else f"failed ({tests.returncode})"}


def print_table(results: list[dict[str, str]]) -> None:
    lines = [dict(zip(COLUMNS, COLUMNS, strict=True)), *results]
    widths = {column: max(len(line[column]) for line in lines) for column in COLUMNS}
    print()
    for line in lines:
        print("  ".join(line[column].ljust(widths[column]) for column in COLUMNS).rstrip())


def main(arguments: list[str]) -> int:
    interpreters = find_interpreters()
    if not interpreters:
        print(f"None of Python {', '.join(PYTHONS)} was found.", file=sys.stderr)
        return 1
    rows = combinations(interpreters)
    results = [run(row, (*(QUICK if position else ()), *arguments)) for position, row in enumerate(rows)]
    print_table(results)
    return int(any(result["result"] != "passed" for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
