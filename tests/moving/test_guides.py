"""The guides are about the samples. `nox --session moving` follows them; this reads them only."""

from __future__ import annotations

import pytest

from tests.tutorial.page import Command, File, read
from tests.tutorial.rules import PACKAGE

from .__main__ import BACK
from .packages import PACKAGES

GUIDES = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)


@GUIDES
def test_a_guide_shows_the_files_of_its_sample(package):
    shown = [part for part in read(package.guide.read_text()) if isinstance(part, File) and part.before]
    assert shown
    for part in shown:
        assert part.text in (package.sample / part.path).read_text()


@GUIDES
def test_a_guide_changes_every_file_of_its_sample_that_names_the_package(package):
    text = package.guide.read_text()
    changed = {part.path for part in read(text) if isinstance(part, File) and not part.before}
    sample = {path: path.relative_to(package.sample).as_posix() for path in package.sample.rglob("*.py")}
    naming = {name for path, name in sample.items() if package.module in path.read_text()}
    by_command = {name for name in naming if f"orm_views_core/' {name}" in text}
    assert naming - changed - by_command == set()


@GUIDES
def test_a_guide_leads_there_and_back(package):
    there, back = package.guide.read_text().split(BACK)
    assert _installed(there) == {PACKAGE}
    (name,) = _installed(back)
    assert name == next(each for each in package.requirements if each.startswith(package.name))


def test_every_guide_has_a_package():
    assert {package.guide for package in PACKAGES} == set(PACKAGES[0].guide.parent.glob("from-*.md"))


def _installed(text: str) -> set[str]:
    """What the commands of a page install first."""
    commands = [part.command.split() for part in read(text) if isinstance(part, Command)]
    return {
        next(word for word in words[2:] if not word.startswith("--"))
        for words in commands
        if words[:2] == ["pip", "install"]
    }
