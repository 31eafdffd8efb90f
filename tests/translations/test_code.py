"""What the code shows: templates are literals, and what stays English is where commands speak."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.utils import translation

from orm_views_core.database.relations import why_not
from orm_views_core.names import ViewKind
from orm_views_core.sentences import translate

from .catalogs import PACKAGES, ROOT

#: What only commands, tests and checks say, or what is SQL.
ENGLISH = {
    "orm_views_core/catalogue/files.py",
    "orm_views_core/inspection/inspect.py",
    "orm_views_core/inspection/undeclared.py",
    "orm_views_core/lineage/asked.py",
    "orm_views_core/lineage/written.py",
    "orm_views_core/testing.py",
}
#: The functions with templates, each with the places of these among its arguments.
TEMPLATES = {"says": (0,), "says_n": (0, 1), "says_in": (0, 1)}
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


#: The functions whose calls are looked at.
LOOKED_AT = {*TEMPLATES, "Sentence"}


@cache
def calls(path: Path) -> list[tuple[str, ast.Call]]:
    """Return the calls of some functions in a module, each with the name of the function."""
    text = path.read_text("utf-8")
    if not any(f"{name}(" in text for name in LOOKED_AT):
        return []
    return [
        (node.func.id, node)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in LOOKED_AT
    ]


def words(node: ast.expr) -> list[str]:
    """Return the words in lower case of a string."""
    found = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return re.findall(r"\b[a-z]{2,}\b", " ".join(part for part in found if isinstance(part, str)))


def test_templates_are_literals():
    wrong = []
    for path in FILES:
        for name, call in calls(path):
            for place in TEMPLATES.get(name, ()) if "sentences" not in path.parts else ():
                argument = call.args[place]
                is_marked = isinstance(argument, ast.Subscript)  # of a table of marked templates
                if not is_marked and not (isinstance(argument, ast.Constant) and argument.value):
                    wrong.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert wrong == []


def test_english_stays_english_only_where_commands_speak():
    found = {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        for name, call in calls(path)
        if name == "Sentence" and call.args and len(words(call.args[0])) > 1
    }
    assert found == ENGLISH


@pytest.mark.parametrize("language", ["de", "de-at"])
def test_django_finds_the_german_of_core(language):
    with translation.override(language):
        assert translate(why_not(False, False)) == (
            "sie hat noch keine Zeilen, es gibt also nichts, was Leser weiterlesen könnten"
        )
        assert translate(ViewKind.MATERIALISED_VIEW.label) == "materialisierte Sicht"
