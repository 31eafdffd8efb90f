"""`make` on a machine that lacks something says so before it starts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def test_a_python_without_ensurepip_is_told_of_before_anything_is_made(tmp_path):
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    # As Debian has it: the package python3 comes without ensurepip, and its venv stops half-way.
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    # `make test` tells those that it runs that they are below another make.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    run = subprocess.run(
        ["make", "demo", f"PYTHON={python}"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    said, stopped = run.stderr.splitlines()
    assert run.returncode == 2
    assert "python3-venv" in said
    assert f"python{sys.version_info.major}.{sys.version_info.minor}-venv" in said
    assert stopped.startswith("make: ***")
    assert not (tmp_path / ".venv").exists()
