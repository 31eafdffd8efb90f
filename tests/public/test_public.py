"""Nothing that a project may use has changed since the code was divided into packages."""

from __future__ import annotations

import json
import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import django
import pytest
from django.db import connections

from orm_views_core.database.sync_state import split_comment

from . import facts

BEFORE = Path(__file__).with_name("before.json")
WRITE = bool(os.environ.get("WRITE_FACTS"))

PAGES = [facts.ROOT / "README.md", *sorted((facts.ROOT / "docs").rglob("*.md"))]
IMPORT = re.compile(r"^\s*from (orm_views_\w[\w.]*) import (\([^)]*\)|[^\n#(]+)", re.MULTILINE)
DOTTED = re.compile(r"`(orm_views_(?:core|admin)(?:\.[a-z_]+)+(?:\.[A-Z]\w+)?)`")

#: Looks like a module in README and docs, and is none: checks, permissions, template paths.
NO_MODULE = re.compile(r"\.[EW]\d|_registeredview$|_rowaccess$")


def compare(name: str, found: Any) -> None:
    """Compare a fact with that of before; write it instead, if asked to."""
    found = json.loads(json.dumps(found))
    if WRITE:
        known = json.loads(BEFORE.read_text()) if BEFORE.exists() else {}
        BEFORE.write_text(json.dumps({**known, name: found}, indent=1, sort_keys=True) + "\n")
        return
    assert found == json.loads(BEFORE.read_text())[name]


@pytest.mark.parametrize(
    "fact",
    [
        facts.names_and_signatures,
        facts.errors,
        facts.signal_names,
        facts.settings,
        facts.commands,
        facts.check_ids,
        facts.pages,
    ],
    ids=lambda fact: fact.__name__,
)
def test_what_a_project_may_use_is_as_before(fact):
    compare(fact.__name__, fact())


@pytest.mark.django_db(transaction=True, databases=["default"])
def test_what_commands_print_and_how_they_exit_is_as_before(committed_views, demo_data):
    exits, printed = [], {}

    def run(*arguments: str) -> str:
        code, text = facts.run(*arguments, "--database", "default")
        exits.append([" ".join(arguments), code])
        return text

    run("sync_views", "--check")
    printed["plan"] = facts.loads(run("sync_views", "--plan", "--json"))
    printed["missing"] = facts.loads(run("show_views", "--json"))
    printed["sync"] = facts.loads(run("sync_views", "--json"))
    run("sync_views", "--check")
    run("refresh_views", "--plan")
    printed["refresh plan"] = facts.loads(run("refresh_views", "--plan", "--json"))
    printed["refresh"] = facts.loads(run("refresh_views", "--json"))
    run("refresh_views", "nothing")
    run("refresh_views", "--jobs", "0")
    run("refresh_views", "--due")
    printed["status"] = facts.loads(run("show_views", "--json"))
    printed["metrics"] = facts.metrics(run("show_views", "--openmetrics"))
    run("show_views", "nothing")
    run("show_views", "--check-freshness")
    printed["inspect"] = facts.loads(run("inspect_view", "product_catalogue", "--json"))
    run("inspect_view", "nothing")
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, obj_description(c.oid, 'pg_class') FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'views' AND c.relkind IN ('v', 'm')"
        )
        states = {name: split_comment(text)[1] for name, text in cursor.fetchall()}
        cursor.execute("COMMENT ON VIEW views.product_catalogue IS 'mine'")
    run("sync_views", "--check")
    run("sync_views", "--force")
    compare("exit codes", exits)
    compare("printed", printed)
    # Else the first sync after an update would build every view anew. The SQL of a queryset is Django's.
    if django.VERSION[:2] == (5, 2):
        compare("fingerprints", {name: state.code for name, state in states.items()})


def imports() -> set[tuple[str, str]]:
    """Every name that README and docs import from us."""
    return {
        (module, name.strip())
        for page in PAGES
        for module, names in IMPORT.findall(page.read_text())
        for name in names.strip("()").split(",")
        if name.strip()
    }


def imported() -> list[tuple[str, str]]:
    """Every name that README and docs import from us or mention, and every public name."""
    found = [*imports()]
    for page in PAGES:
        for dotted in DOTTED.findall(page.read_text()):
            if not NO_MODULE.search(dotted):
                module, _, name = dotted.rpartition(".")
                found.append((module, name))
    return sorted(set(found) | {(module, name) for module, names in facts.NAMES.items() for name in names})


def test_each_public_module_says_the_same_in_all():
    said = {name: import_module(name) for name in facts.NAMES if name not in facts.UNLOADED}
    assert {name: sorted(getattr(module, "__all__", [])) for name, module in said.items()} == {
        name: names for name, names in facts.NAMES.items() if name in said
    }


def test_the_pages_import_public_names_only():
    public = {(module, name) for module, names in facts.NAMES.items() for name in names}
    modules = {tuple(module.rpartition(".")[::2]) for module in facts.NAMES}
    assert not {each for each in imports() if each not in public | modules}


def test_the_pages_mention_names_of_ours():
    assert len(imported()) > 40


@pytest.mark.parametrize(("module", "name"), imported(), ids=".".join)
def test_what_readme_and_docs_mention_is_where_they_say(module, name):
    loaded = import_module(module)
    if not hasattr(loaded, name):
        import_module(f"{module}.{name}")
