"""All that is done otherwise than the page says, and all that may differ in what is printed.

A page names the reader's server, port and package index. A run of it has a server, a port and a wheel of its
own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: What the page installs.
PACKAGE = "django-orm-views-admin"
#: What the page creates on the server. They are dropped before and after.
DATABASES = ("orm_views_tutorial", "test_orm_views_tutorial")
ROLES = ("tutorial_ana", "tutorial_analysts", "tutorial_owner")

#: What differs from run to run: a pattern, and what it is compared as.
VARYING = (
    (re.compile(r"\b\d+\.\d{3} ?s\b"), "0.000s"),  # durations
    (re.compile(r" +$", re.MULTILINE), ""),  # psql fills its columns with spaces
)
ANY_LINES = "…"


@dataclass(frozen=True)
class Replacements:
    """What is run in the place of some of the page's commands.

    Args:
        server: the variables of libpq that lead to the server.
        port: where the site is served.
        requirement: the wheel or sdist; none if nothing is installed.
        extra: what else is installed with it.
        uninstalled: what is uninstalled again.
        borrowed: the site-packages that an environment sees in which nothing is installed.
    """

    server: dict[str, str]
    port: int
    requirement: str = ""
    extra: Sequence[str] = field(default=())
    uninstalled: Sequence[str] = field(default=())
    borrowed: Sequence[Path] = field(default=())

    def of(self, command: str) -> str:
        """The command to run."""
        if command.startswith("export PGHOST="):
            return "export " + " ".join(f"{name}='{value}'" for name, value in self.server.items())
        if command.startswith("python manage.py runserver"):
            return f"{command} --noreload 127.0.0.1:{self.port}"
        if command == "python -m venv .venv" and not self.requirement:
            paths = "\\n".join(map(str, self.borrowed))
            return (
                f"{command} --without-pip && "
                f"printf '{paths}\\n' > $(echo .venv/lib/python*/site-packages)/borrowed.pth"
            )
        if command == f"pip install {PACKAGE}":
            return self._installing()
        return command

    def _installing(self) -> str:
        if not self.requirement:
            # What pip would put there besides the packages.
            program = ".venv/bin/django-admin"
            return f"echo 'exec python -m django \"$@\"' >{program} && chmod +x {program}"
        install = ["pip", "--disable-pip-version-check", "install", "--quiet", self.requirement, *self.extra]
        command = " ".join(f"'{each}'" for each in install)
        if self.uninstalled:
            command += f" && pip uninstall --quiet --yes {' '.join(self.uninstalled)}"
        return command


def may_fail(output: Sequence[str]) -> bool:
    """Whether the page shows that a command fails."""
    return bool(output) and output[0].startswith("ERROR:")


def difference(expected: Sequence[str], printed: str) -> str | None:
    """Say how what was printed is not what the page shows; nothing if it is."""
    wanted = _alike("\n".join(expected)).strip("\n").split("\n")
    pieces = [re.escape(line).replace(re.escape(ANY_LINES), ".*") for line in wanted]
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line.strip() == ANY_LINES else piece + r"\n"
        for line, piece in zip(wanted, pieces, strict=True)
    )
    if re.fullmatch(pattern, _alike(printed).strip("\n") + "\n"):
        return None
    return "\n".join(["The page shows:", *expected, "", "It printed:", printed])


def _alike(text: str) -> str:
    for pattern, replacement in VARYING:
        text = pattern.sub(replacement, text)
    return text
