"""Where a page is tried: an empty directory with a terminal, and a server without what the page creates."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.environment import clean_environment

from .shell import Shell


@contextmanager
def workplace(
    python: str,
    server: dict[str, str],
    databases: Sequence[str],
    roles: Sequence[str],
    *,
    keep: bool = False,
) -> Iterator[tuple[Path, Shell]]:
    """Give an empty directory and a terminal in it; drop databases and roles before and after.

    Args:
        python: what `python` is there.
        server: the variables of libpq that lead to the server.
        databases: what is dropped on it.
        roles: what is dropped after these.
        keep: leave the directory, the databases and the roles.
    """
    drops = [f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in databases]
    drops += [f"DROP ROLE IF EXISTS {role}" for role in roles]
    psql(server, *drops)
    directory = Path(tempfile.mkdtemp(prefix="tutorial-"))
    shell = Shell(directory, _environment(directory, python))
    try:
        yield directory, shell
    finally:
        shell.close()
        if keep:
            print(f"Everything is in {directory}.")
        else:
            shutil.rmtree(directory)
            psql(server, *drops)


def psql(server: dict[str, str], *statements: str, database: str = "postgres") -> str:
    """Run statements; return what they print, without decoration."""
    commands = [argument for statement in statements for argument in ("-c", statement)]
    done = subprocess.run(
        ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database, *commands],
        env={**os.environ, **server, "PGOPTIONS": "-c client_min_messages=error"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def _environment(directory: Path, python: str) -> dict[str, str]:
    clean = clean_environment()
    programs = directory / ".programs"
    programs.mkdir()
    program = programs / "python"
    program.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    program.chmod(0o755)
    return {
        **clean,
        "PATH": f"{programs}{os.pathsep}{clean['PATH']}",
        "LC_ALL": "C.UTF-8",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONWARNINGS": "default",
    }
