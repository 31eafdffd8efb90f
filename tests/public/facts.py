"""What a project may rely on, as plain values: names, signatures, options, JSON keys, exit codes.

`before.json` was written by the code before it was divided into packages. `test_public.py` compares it with
what the code says now. A fact that changes on purpose is written anew with `WRITE_FACTS=1 make test
ARGS=tests/public`.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import io
import json
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.db.models import Model

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("orm_views_core", "orm_views_admin")

#: The pages that list the public names: the only place that does.
PAGES = sorted((ROOT / "docs" / "reference" / "api").glob("*.md"))
_DIRECTIVE = re.compile(r"^\.\. (auto\w+|py:module):: (orm_views_[\w.]+)$", re.MULTILINE)


def _listed() -> dict[str, list[str]]:
    """Return every public name on the pages, by the module that it is imported from."""
    names: dict[str, list[str]] = {}
    for page in PAGES:
        for directive, dotted in _DIRECTIVE.findall(page.read_text()):
            if directive in ("automodule", "py:module"):
                names.setdefault(dotted, [])
            else:
                module, _, name = dotted.rpartition(".")
                names.setdefault(module, []).append(name)
    return {module: sorted(found) for module, found in sorted(names.items())}


NAMES = _listed()
#: Its import looks at the setting TASKS, which a project need not have.
UNLOADED = {"orm_views_admin.tasks"}
_ERRORS, _SIGNALS = "orm_views_core.exceptions", "orm_views_core.signals"


def public() -> Iterator[tuple[str, str, Any]]:
    """Yield each public name: its module, the name, and what it stands for."""
    for module, names in NAMES.items():
        if module not in UNLOADED:
            loaded = import_module(module)
            yield from ((module, name, getattr(loaded, name)) for name in names)


def names_and_signatures() -> dict[str, Any]:
    """Say of each public name the arguments, the fields, or the members that it has."""
    elsewhere = {_ERRORS, _SIGNALS}
    return {
        f"{module}.{name}": _describe(thing) for module, name, thing in public() if module not in elsewhere
    }


def _describe(thing: Any) -> Any:
    if isinstance(thing, type) and dataclasses.is_dataclass(thing):
        return [field.name for field in dataclasses.fields(thing)]
    if isinstance(thing, type) and issubclass(thing, tuple):
        return list(thing._fields)  # type: ignore[attr-defined]
    if isinstance(thing, type) and hasattr(thing, "__members__"):
        return {name: member.value for name, member in thing.__members__.items()}
    if isinstance(thing, type) and issubclass(thing, Model):
        return sorted(field.name for field in thing._meta.get_fields())
    if isinstance(thing, type):
        ours = [base for base in thing.__mro__ if base.__module__.startswith(PACKAGES)]
        return sorted({name for base in ours for name in vars(base) if not name.startswith("_")})
    return [
        [each.name, each.kind.name, None if each.default is each.empty else repr(each.default)]
        for each in inspect.signature(thing).parameters.values()
    ]


def errors() -> dict[str, list[str]]:
    """Say which exceptions there are, each with its parents."""
    return {
        name: [base.__name__ for base in thing.__mro__[:-3]]
        for module, name, thing in public()
        if module == _ERRORS
    }


def signal_names() -> list[str]:
    """Name the signals."""
    return sorted(name for module, name, _ in public() if module == _SIGNALS)


def settings() -> dict[str, dict[str, str]]:
    """Say which keys the two settings have, with their defaults."""
    return {
        package: {
            field.name: repr(field.default)
            for field in dataclasses.fields(import_module(f"{package}.conf").Settings)
        }
        for package in PACKAGES
    }


def commands() -> dict[str, Any]:
    """Say which arguments each command has, besides those of every Django command."""
    plain = {action.dest for action in BaseCommand().create_parser("manage.py", "plain")._actions}
    found = {}
    for name, app in sorted(get_commands().items()):
        app_name = app if isinstance(app, str) else app.name
        if app_name not in PACKAGES:
            continue
        parser = load_command_class(app_name, name).create_parser("manage.py", name)
        arguments = [_argument(action) for action in parser._actions if action.dest not in plain]
        found[name] = sorted(arguments, key=lambda argument: argument["dest"])
    return found


def _argument(action: argparse.Action) -> dict[str, Any]:
    return {
        "options": action.option_strings,
        "dest": action.dest,
        "nargs": action.nargs,
        "default": repr(action.default),
        "choices": None if action.choices is None else sorted(map(str, action.choices)),
        "kind": type(action).__name__,
    }


def check_ids() -> list[str]:
    """Name the system checks that the code has."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            text = re.sub(r"#.*", "", path.read_text())
            found |= {f"{package}.{number}" for number in re.findall(r"\b[EW]\d{3}\b", text)}
    return sorted(found)


def pages() -> dict[str, Any]:
    """Say which addresses, templates and permissions the admin has."""
    urls = import_module("orm_views_admin.urls")
    run = import_module("orm_views_admin.models").Run
    return {
        "urls": {pattern.name: str(pattern.pattern) for pattern in urls.urlpatterns},
        "templates": sorted(
            path.relative_to(ROOT).as_posix() for path in (ROOT / "templates").rglob("*.html")
        ),
        "permissions": [
            list(each) for each in apps.get_model("orm_views_admin", "RegisteredView")._meta.permissions
        ],
        "choices": {
            name: getattr(run, name).values for name in ("Kind", "Origin", "State") if hasattr(run, name)
        },
        "migrations": {
            path.name: path.read_text() for path in (ROOT / "orm_views_admin" / "migrations").glob("0*.py")
        },
    }


def run(*arguments: str) -> tuple[int, str]:
    """Run a command; return its exit code and what it printed."""
    out = io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return error.returncode, out.getvalue()
    except SystemExit as error:
        return int(error.code or 0), out.getvalue()
    return 0, out.getvalue()


def shape(value: Any) -> Any:
    """Return the keys of a JSON value, with those of all members of a list taken together."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in sorted(value.items())}
    if isinstance(value, list):
        return [_merge(map(shape, value))]
    return None


def _merge(shapes: Iterable[Any]) -> Any:
    merged: Any = None
    for each in shapes:
        if isinstance(merged, dict) and isinstance(each, dict):
            merged = {key: _merge([merged.get(key), each.get(key)]) for key in {**merged, **each}}
        else:
            merged = merged or each
    return merged


def metrics(text: str) -> list[str]:
    """Return the names of the metrics, and of their labels."""
    return sorted(set(_metrics(text)))


def _metrics(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, labels = line.partition("{")
            yield " ".join([name.split()[0], *re.findall(r"(\w+)=", labels)])


def loads(printed: str) -> Any:
    """Return the shape of JSON that a command printed."""
    return shape(json.loads(printed))
