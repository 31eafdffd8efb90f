"""Goes through a page from top to bottom."""

from __future__ import annotations

import ast
import socket
import urllib.error
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .browser import Browser
from .page import Command, File, Part, Visit, WrongPageError
from .rules import Replacements, difference, may_fail
from .shell import Shell


@dataclass(frozen=True)
class Walk:
    """Does what a page says.

    Args:
        directory: where the files of the page are.
        shell: a terminal there.
        replacements: what is run instead of some commands.
        verbose: print the commands, and what they print.
    """

    directory: Path
    shell: Shell
    replacements: Replacements
    verbose: bool = False

    def along(self, parts: Iterable[Part]) -> None:
        """Write, run and look at everything, in order.

        Raises:
            WrongPageError: for the first line that does not hold.
        """
        browser = Browser(self.replacements.port)
        for part in parts:
            if isinstance(part, File):
                self._write(part)
            elif isinstance(part, Visit):
                _look(part, browser)
            elif "runserver" in part.command:
                self.shell.start(self.replacements.of(part.command))
                browser.log_in()
            else:
                self._run(part)

    def _run(self, part: Command) -> None:
        done = self.shell.run(self.replacements.of(part.command))
        if self.verbose:
            print(f"$ {part.command}\n{done.output}", flush=True)
        if bool(done.status) != may_fail(part.output):
            raise WrongPageError(
                f"line {part.line}: `{part.command}` ended with {done.status}:\n{done.output}"
            )
        if part.output and (found := difference(part.output, done.output)):
            raise WrongPageError(f"line {part.line}: `{part.command}`\n{found}")

    def _write(self, part: File) -> None:
        path = self.directory / part.path
        there = path.read_text() if path.exists() else ""
        if (part.at_end or part.before) and not there:
            raise WrongPageError(f"line {part.line}: there is no {part.path} yet")
        if part.before:
            if part.text not in there:
                raise WrongPageError(f"line {part.line}: {part.path} does not have this:\n{part.text}")
            return
        if part.name:
            text = _with_statement(there, part)
        else:
            text = f"{there}\n\n{part.text}" if part.at_end else part.text
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _with_statement(there: str, part: File) -> str:
    """The text of a file with another class, or another value of a variable."""
    for node in ast.parse(there).body:
        names = {target.id for target in getattr(node, "targets", ()) if isinstance(target, ast.Name)}
        if part.name in {getattr(node, "name", None), *names}:
            lines = there.splitlines(keepends=True)
            return "".join([*lines[: node.lineno - 1], part.text, *lines[node.end_lineno :]])
    raise WrongPageError(f"line {part.line}: there is no {part.name} in {part.path}")


def _look(part: Visit, browser: Browser) -> None:
    try:
        text = browser.text_of(part.path)
    except urllib.error.HTTPError as error:
        raise WrongPageError(f"line {part.line}: {part.path} answers {error.code}") from error
    if missing := [each for each in part.shown if each not in text]:
        raise WrongPageError(f"line {part.line}: {part.path} does not show {', '.join(missing)}:\n{text}")
