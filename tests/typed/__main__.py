"""Check the project with mypy, strictly, and beside it a module that imports every public name.

It is copied out of the checkout, so that mypy finds the package where it is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.public.facts import NAMES, UNLOADED

PROJECT = Path(__file__).with_name("project")


def every_name() -> Iterator[str]:
    """Yield a module that imports each public name, and each public module that has none."""
    for module, names in NAMES.items():
        yield from (f"from {module} import {name} as {module.replace('.', '_')}_{name}" for name in names)
        if not names and module not in UNLOADED:
            yield f"import {module}"


def main() -> int:
    """Print what mypy prints, and return its exit code."""
    with tempfile.TemporaryDirectory() as directory:
        project = Path(directory) / "project"
        shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__"))
        (project / "shop" / "every_name.py").write_text("\n".join(every_name()) + "\n")
        checked = ["--package", "shop", "--module", "settings"]
        return subprocess.call([sys.executable, "-m", "mypy", *checked], cwd=project)


if __name__ == "__main__":
    sys.exit(main())
