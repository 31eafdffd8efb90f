"""A terminal: commands share its directory, its variables and its activated environment."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

_MARK = "--- done:"


class Done(NamedTuple):
    """What a command printed, and its exit status."""

    output: str
    status: int


class Shell:
    """One bash that runs a command after another.

    Args:
        directory: where it starts.
        environment: all of its variables.
    """

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> Done:
        """Run a command to its end. It has nobody to ask: its input is empty."""
        assert self._bash.stdin
        assert self._bash.stdout
        # Braces run it in this bash itself, so that `cd` and `export` last.
        self._bash.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n{_MARK}%s\\n' $?\n")
        self._bash.stdin.flush()
        lines = []
        for line in self._bash.stdout:
            if line.startswith(_MARK):
                return Done("".join(lines).removesuffix("\n"), int(line.removeprefix(_MARK)))
            lines.append(line)
        raise RuntimeError(f"The shell ended in `{command}`:\n{''.join(lines)}")

    def start(self, command: str) -> None:
        """Start a command in the background; what it prints goes nowhere."""
        self.run(f"{command} >/dev/null 2>&1 &")

    def close(self) -> None:
        """End the shell, and everything that it started."""
        os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.communicate()
