"""The packages that are measured, and a Python environment for each that needs one of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ENVIRONMENTS = ROOT / ".nox"


@dataclass(frozen=True)
class Package:
    """A distribution that syncs views, and what it runs on.

    `requirements` are installed from the package index into an environment of its own, made with one of
    `pythons`, best first; without any the package is this checkout, and runs where the benchmark runs.
    `checkout` is another checkout of the same package, which runs there too.
    """

    distribution: str
    module: str
    requirements: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    checkout: Path = ROOT

    @property
    def is_before(self) -> bool:
        """Whether it is ours as another checkout has it."""
        return self.checkout != ROOT

    def interpreter(self) -> str:
        """The Python that has this package; its environment is made if it is not there yet."""
        return str(_environment(self)) if self.requirements else sys.executable


OURS = Package("django-orm-views-admin", "orm_views_core")


def before(checkout: Path) -> Package:
    """Ours as it is in another checkout, such as one of an older commit."""
    return Package("before", OURS.module, checkout=checkout)


PREDECESSOR = Package(
    "django-orm-views 2.0.3",
    "django_orm_views",
    requirements=("django-orm-views==2.0.3", "django~=4.2.0", "psycopg2-binary>=2.9.9"),
    pythons=("3.11", "3.10"),
)

PGVIEWS = Package(
    "django-pgviews-redux 1.3.0",
    "django_pgviews",
    requirements=("django-pgviews-redux==1.3.0", "django>=5.2,<6.2", "psycopg2-binary>=2.9.9"),
    pythons=("3.12", "3.13", "3.11"),
)

PACKAGES = (OURS, PREDECESSOR, PGVIEWS)


def _environment(package: Package) -> Path:
    folder = ENVIRONMENTS / f"bench-{package.distribution.split()[0]}"
    python = folder / "bin" / "python"
    stamp = folder / "requirements.txt"
    wanted = "\n".join(package.requirements) + "\n"
    if stamp.exists() and stamp.read_text() == wanted and python.exists():
        return python
    base = _find_python(package)
    print(f"Making an environment for {package.distribution} ...", file=sys.stderr)
    subprocess.run([base, "-m", "venv", "--clear", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *package.requirements], check=True)
    stamp.write_text(wanted)  # last, so that an interrupted attempt is made again
    return python


def _find_python(package: Package) -> str:
    """A Python of a version that the package runs on, from PATH or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in package.pythons:
        on_path = shutil.which(f"python{version}")
        candidates = [on_path] if on_path else []
        candidates += [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True)]
        for candidate in candidates:
            if _works(candidate, version):
                return candidate
    raise SystemExit(
        f"{package.distribution} needs Python {' or '.join(package.pythons)} for an environment of its own: "
        "none was found on PATH or among pyenv's versions. "
        f"Install one, for example with `pyenv install {package.pythons[0]}`."
    )


def _works(python: str, version: str) -> bool:
    """Whether it runs (pyenv's shims may not), is that version, and can make environments."""
    check = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    result = subprocess.run([python, "-c", check], capture_output=True, text=True, check=False)
    return result.returncode == 0 and result.stdout.strip() == version
