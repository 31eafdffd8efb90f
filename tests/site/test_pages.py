"""The reference pages name everything that there is, and links lead somewhere. Nothing is built here."""

from __future__ import annotations

import ast
import contextlib
import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest
from django.core.management import BaseCommand, get_commands, load_command_class

from orm_views_admin.conf import Settings as AdminSettings
from orm_views_admin.exports import accesses, runs
from orm_views_admin.models import Run
from orm_views_admin.rights.actions import NEEDED
from orm_views_admin.standings import STATES
from orm_views_core.conf import Settings
from orm_views_core.documentation import page_address
from orm_views_core.plan.steps import Action
from orm_views_core.views.options import OPTION_NAMES
from tests.public import facts

DOCS = facts.ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = sorted(DOCS.rglob("*.md"))
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
LINKS = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")


def page(name: str) -> str:
    """Return the text of a page of the reference."""
    return (REFERENCE / f"{name}.md").read_text()


def sections(text: str, level: int = 2) -> dict[str, str]:
    """Return the sections of a page by their headings."""
    parts = re.split(rf"^{'#' * level} (.*)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def written(field: Field[Any]) -> str:
    """Return the default of a setting as a project would write it."""
    if isinstance(field.default, dt.timedelta):
        return f"timedelta(days={field.default.days})"
    if isinstance(field.default, tuple):
        return json.dumps(list(field.default))
    if isinstance(field.default, str):
        return f'"{field.default}"'
    if isinstance(field.default, int) and field.default > 9999:
        return f"{field.default:_}"
    return repr(field.default)


@pytest.mark.parametrize("settings", [Settings, AdminSettings])
def test_every_setting_has_a_section_with_its_default(settings: type) -> None:
    found = sections(page("settings"), level=3)
    for field in fields(settings):
        assert f"default is `{written(field)}`." in found[f"`{field.name}`"]


def flags(command: BaseCommand) -> set[str]:
    """Return the long options of a command, without those that every command has."""
    found, plain = (
        {flag for action in each.create_parser("manage.py", "it")._actions for flag in action.option_strings}
        for each in (command, BaseCommand())
    )
    return {flag for flag in found - plain if flag.startswith("--")}


COMMANDS = sorted(name for name, app in get_commands().items() if getattr(app, "name", app) in facts.PACKAGES)


def options_of_ours() -> list[tuple[str, str]]:
    """Return each option of each command, without those that Django's command of that name has."""
    found = []
    for name in COMMANDS:
        app = get_commands()[name]
        ours = flags(app if isinstance(app, BaseCommand) else load_command_class(app, name))
        with contextlib.suppress(ModuleNotFoundError):  # Django has no command of most names
            ours -= flags(load_command_class("django.core", name))
        found += [(name, flag) for flag in sorted(ours)]
    return found


@pytest.mark.parametrize(("command", "flag"), options_of_ours())
def test_every_option_is_in_the_section_of_its_command(command: str, flag: str) -> None:
    (text,) = [text for title, text in sections(page("commands")).items() if f"`{command}`" in title]
    assert re.search(rf"`{flag}\b", text)


def test_every_command_has_a_section() -> None:
    assert {*COMMANDS} == {*re.findall(r"`(\w+)`", " ".join(sections(page("commands"))))}


def test_every_check_has_a_section_and_there_are_no_others() -> None:
    titles = re.findall(r"^### `(orm_views_\w+\.[EW]\d+)`: \S", page("checks"), re.MULTILINE)
    assert sorted(titles) == facts.check_ids()


def test_every_state_and_every_sign_is_explained() -> None:
    found = sections(page("states"))
    for state in STATES:
        assert re.search(rf"^\| `{state.value}` \| \S", found["States of views"], re.MULTILINE)
    for state in Run.State.values:
        assert re.search(rf"^\| `?{state}`? \| \S", found["States of runs"], re.MULTILINE)
    for action in Action:
        assert f"`{action.sign} {action.verb}`" in found["Signs in a plan"]


def test_every_attribute_of_a_view_class_is_explained() -> None:
    table = sections(page("view-classes"))["Attributes"]
    named = set(
        re.findall(r"`([\w.]+)(?:\(\))?`", " ".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE)))
    )
    assert OPTION_NAMES | {"refresh_every", "get_queryset"} <= named


def test_every_permission_and_every_action_is_explained() -> None:
    text = page("permissions")
    names = [name for name, _ in facts.pages()["permissions"]]
    for name in ["view_registeredview", "view_rowaccess", *names, *(action.value for action in NEEDED)]:
        assert f"`{name}`" in text


def keys(value: Any) -> Iterator[str]:
    """Yield the keys of objects in objects and lists."""
    for each in value if isinstance(value, list) else []:
        yield from keys(each)
    for key, each in value.items() if isinstance(value, dict) else []:
        yield key
        yield from keys(each)


def test_every_key_that_commands_print_is_explained() -> None:
    printed = json.loads((facts.ROOT / "tests" / "public" / "before.json").read_text())["printed"]
    text = page("json")
    found = {key for name, value in printed.items() if name != "metrics" for key in keys(value)}
    assert len(found) > 60
    missing = sorted(key for key in {*found, *runs.COLUMNS, *accesses.COLUMNS} if f"`{key}`" not in text)
    assert missing == []


def modules(pattern: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the modules of both packages whose text has something."""
    for package in facts.PACKAGES:
        for path in (facts.ROOT / package).rglob("*.py"):
            if re.search(pattern, text := path.read_text()):
                yield path, ast.parse(text)


def addressed() -> list[str]:
    """Return the pages that our code names by their addresses."""
    name = page_address.__name__
    calls = [node for _, tree in modules(name) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [ast.literal_eval(call.args[0]) for call in calls if getattr(call.func, "id", "") == name]


def test_addresses_in_messages_are_those_of_pages() -> None:
    assert len(addressed()) >= 4
    for name in addressed():
        assert (DOCS / f"{name}.md").exists(), name
        assert page_address(name).endswith(f".readthedocs.io/page/{name}.html")


def test_no_message_names_a_file_of_the_checkout() -> None:
    file_of_ours = r"\bdocs/(?!current|stable)[a-z-]+/[a-z-]+\.md|README|CONTRIBUTING"
    for path, tree in modules(file_of_ours):
        documented = [node for node in ast.walk(tree) if isinstance(node, DOCUMENTED)]
        docstrings = {ast.get_docstring(node, clean=False) for node in documented}
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        said = [text for text in texts if isinstance(text, str) and text not in docstrings]
        assert [text for text in said if re.search(file_of_ours, text)] == [], path


def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings of a page, as a code host makes them."""
    prose = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(
    "path", [*facts.ROOT.glob("*.md"), *PAGES], ids=lambda path: path.relative_to(facts.ROOT).as_posix()
)
def test_links_between_files_lead_somewhere_on_a_code_host(path: Path) -> None:
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in filter(None, (part for pair in LINKS.findall(prose) for part in pair)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(DOCS).as_posix())
def test_every_column_of_a_table_has_a_name(path: Path) -> None:
    """A screen reader says it before each cell."""
    for head in re.findall(r"^\|(.*)\|\n\|[-| :]+\|$", path.read_text(), re.MULTILINE):
        assert "" not in [name.strip() for name in head.split("|")], head


def test_the_readme_is_short_and_has_a_picture() -> None:
    text = (facts.ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 250
    assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == list("12345")
    assert '<img src="docs/images/' in text
    for command in ("make demo", "make test"):
        assert f"| `{command}` |" in text


def test_every_page_begins_with_a_title_and_what_it_helps_with() -> None:
    for path in PAGES:
        text = path.read_text()
        if text.startswith("```{include}"):
            text = (path.parent / text.splitlines()[0].split()[1]).read_text()
        title, _, rest = text.partition("\n\n")
        assert title.startswith("# "), path
        assert re.match(r"[A-Z]|```{eval-rst}\n.. automodule::", rest), path
