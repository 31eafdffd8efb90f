"""Reads a page: what it has the reader write, run and look at, in order.

- A block of code is a file. Its first line is a comment with the path, and where it goes in the file:
  `# config/settings.py, at the end`, `# hire/models.py, in the place of Rider`, or only the path. A file that
  is there already, whole or in part, is shown as `# hire/models.py, before`.
- A block called `console` has commands, after `$`, each with what it prints. A line `…` stands for any lines.
- A row of a table that begins with an address of the site has a page to open, and in code what is on it.

A block that is none of these is a mistake, so that nothing on the page goes untried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Where the page says that the site is.
SITE = "http://127.0.0.1:8000"

_FENCE = re.compile(r"(?P<indent> *)```(?P<kind>\S*)\s*")
_PLACE = re.compile(
    r"# (?P<path>\S+?)(?:, (?P<end>at the end)|, (?P<before>before)|, in the place of (?P<name>\w+))?"
)
_ROW = re.compile(rf"\| <{re.escape(SITE)}(?P<path>/\S*)> \|(?P<shown>.*)\|\s*")
_CODE = re.compile(r"`([^`]+)`")


class WrongPageError(Exception):
    """The page says something that does not hold, in a line that the message names."""


@dataclass(frozen=True)
class File:
    """A file to write.

    `at_end` adds `text` to what is there. `name` is the class or the variable whose place `text` takes.
    `before` writes nothing: the file has `text` already. Otherwise it is the whole file.
    """

    line: int
    path: str
    text: str
    at_end: bool = False
    before: bool = False
    name: str = ""


@dataclass(frozen=True)
class Command:
    """A command to run, and the lines that it prints; none if the page shows nothing."""

    line: int
    command: str
    output: tuple[str, ...]


@dataclass(frozen=True)
class Visit:
    """A page of the site to open, and what is on it."""

    line: int
    path: str
    shown: tuple[str, ...]


Part = File | Command | Visit


def read(text: str) -> Iterator[Part]:
    """Give the parts of a page in order.

    Raises:
        WrongPageError: for a block that is neither a file nor commands.
    """
    lines = enumerate(text.splitlines(), start=1)
    for number, line in lines:
        if row := _ROW.fullmatch(line):
            yield Visit(number, row["path"], tuple(_CODE.findall(row["shown"])))
        elif fence := _FENCE.fullmatch(line):
            block = []
            for _, inside in lines:
                if inside.strip() == "```":
                    break
                block.append(inside.removeprefix(fence["indent"]))
            if fence["kind"] == "console":
                yield from _commands(number, block)
            else:
                yield _file(number, block)


def _commands(number: int, block: list[str]) -> Iterator[Command]:
    command, output, begun = "", [], number
    for line_number, line in enumerate(block, start=number + 1):
        if line.startswith("$ "):
            if command:
                yield Command(begun, command, tuple(output))
            command, output, begun = line[2:], [], line_number
        elif line.startswith("> ") and not output:
            command += "\n" + line[2:]
        elif command:
            output.append(line)
        else:
            raise WrongPageError(f"line {line_number}: a console has to begin with a command, after $")
    if command:
        yield Command(begun, command, tuple(output))


def _file(number: int, block: list[str]) -> File:
    place = _PLACE.fullmatch(block[0]) if block else None
    if place is None:
        raise WrongPageError(f"line {number}: a block is a console, or begins with `# path/of/the/file.py`")
    text = "\n".join(block[1:]).strip("\n") + "\n"
    return File(number, place["path"], text, bool(place["end"]), bool(place["before"]), place["name"] or "")
