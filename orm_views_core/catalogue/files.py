"""Writes the files of a catalogue into a directory, and takes away those that it wrote before.

Each file says of itself that it is a file of a catalogue, and under which path. So what somebody else has put
into the directory is known from what is in it, and no list has to be kept.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orm_views_core.exceptions import CatalogueError
from orm_views_core.sentences import Sentence

from .addresses import JSON, TABLES, VIEWS

_HEAD = 1000  # bytes, in which the mark of a file has to be
_NAMED = 3


def mark(path: str) -> str:
    """Return what a file of a catalogue has in its beginning.

    Args:
        path: its path in the directory.
    """
    return f"view_catalogue: {path}"


@dataclass(frozen=True)
class Written:
    """What came of writing a catalogue: the paths of its files.

    Attributes:
        files: all of them.
        changed: those that were new or different.
        removed: those of an earlier catalogue that are gone.
    """

    directory: Path
    files: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def write_files(directory: Path, files: Mapping[str, str]) -> Written:
    """Write files into a directory, which is created if it is missing.

    All are written beside the old ones before the first of them is replaced. A file that stays the same is
    left alone.

    Args:
        directory: an empty one, or that of an earlier catalogue. Names that begin with a dot do not count.
        files: their texts by their paths. Each has its mark.

    Raises:
        CatalogueError: the directory has other files, or the system refuses.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _refuse_others(directory, files)
        removed = tuple(path for path in _pages_in(directory) if path not in files)
        changed = {path: text for path, text in files.items() if not _is_same(directory / path, text)}
        _replace(directory, changed)
        for path in removed:
            (directory / path).unlink()
    except OSError as error:
        raise CatalogueError(
            Sentence(f"The catalogue cannot be written to {directory}: {_reason(error)}.")
        ) from error
    return Written(directory, tuple(files), tuple(changed), removed)


def _refuse_others(directory: Path, files: Mapping[str, str]) -> None:
    """Refuse a directory in which something else is, and files that a catalogue has not written."""
    others = sorted(each.name for each in directory.iterdir() if not each.name.startswith("."))
    if others and not _is_ours(directory, JSON):
        named = ", ".join(others[:_NAMED]) + (", …" if len(others) > _NAMED else "")
        raise CatalogueError(
            Sentence(
                f"{directory} has other files ({named}) and no catalogue. Name a new or an empty directory, "
                "or one with an earlier catalogue."
            )
        )
    strangers = [path for path in files if _exists(directory / path) and not _is_ours(directory, path)]
    if strangers:
        raise CatalogueError(
            Sentence(
                f"{directory / strangers[0]} is not of a catalogue, and would be replaced. Move it away."
            )
        )


def _replace(directory: Path, files: Mapping[str, str]) -> None:
    """Write files beside the old ones, then put them in their places."""
    if not files:
        return
    aside = Path(tempfile.mkdtemp(prefix=".catalogue-", dir=directory))
    try:
        for number, text in enumerate(files.values()):
            (aside / str(number)).write_bytes(text.encode())
        for folder in sorted({Path(path).parent for path in files}):
            (directory / folder).mkdir(exist_ok=True)
        # The file that a catalogue is known by comes first: what is interrupted can be repeated.
        for path, number in sorted(zip(files, range(len(files)), strict=True), key=lambda f: f[0] != JSON):
            (aside / str(number)).replace(directory / path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _pages_in(directory: Path) -> Iterator[str]:
    """Yield the paths of the pages of views and tables that a catalogue has written."""
    for folder in (VIEWS, TABLES):
        paths = sorted(f"{folder}/{page.name}" for page in (directory / folder).glob("*.html"))
        yield from (path for path in paths if _is_ours(directory, path))


def _is_ours(directory: Path, path: str) -> bool:
    """Return whether a catalogue has written a file under this very path."""
    file = directory / path
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return f'{mark(path)}"'.encode() in opened.read(_HEAD)


def _exists(file: Path) -> bool:
    """Return whether anything has this name, even a link that leads nowhere."""
    return file.exists() or file.is_symlink()


def _is_same(file: Path, text: str) -> bool:
    return file.is_file() and not file.is_symlink() and file.read_bytes() == text.encode()


def _reason(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{reason}: {error.filename}" if error.filename else reason
