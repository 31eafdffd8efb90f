"""Everything public says what it is: each argument, attribute and member, its unit, and what is raised."""

from __future__ import annotations

import builtins
import dataclasses
import enum
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import django.db
from django.db.models import Model
from django.dispatch import Signal
from django.utils.functional import classproperty

from orm_views_core import signals

from . import facts

#: What a class has because Django, Python or a base class of theirs asks for it.
_FRAMEWORK = {"objects", "media", "Meta", "id", "setUp", "setUpClass", "tearDownClass"}
_UNITS = re.compile(r"second|duration|how long")


def described(thing: Any) -> str:
    """Return the docstring of a thing itself; that of a base class of others does not count."""
    if isinstance(thing, type):
        own = [
            vars(base).get("__doc__") or "" for base in thing.__mro__ if base.__module__.startswith("orm_")
        ]
        return "\n".join(map(inspect.cleandoc, own))
    return inspect.getdoc(thing) or ""


def says(text: str, name: str) -> bool:
    """Whether a docstring says what something of a name is."""
    return bool(re.search(rf"^ *\*?{name}: \S|``{name}``", text, re.MULTILINE))


def said_of(text: str, name: str) -> str:
    """Return what a docstring says of an argument or an attribute."""
    found = re.search(rf"^( *)\*?{name}: (.*(?:\n\1 +.*)*)", text, re.MULTILINE)
    return found[2] if found else ""


def members(thing: type) -> Iterator[tuple[str, Any]]:
    """Yield what a class of ours defines, and gives a name without an underscore."""
    for base in thing.__mro__:
        if base.__module__.startswith(facts.PACKAGES):
            yield from ((name, value) for name, value in vars(base).items() if name[0] != "_")


def functions(thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield a function, or the methods of a class that do not replace one of Django's."""
    if inspect.isfunction(thing):
        yield thing.__name__, thing
    elif isinstance(thing, type):
        for name, value in members(thing):
            function = getattr(value, "__func__", value)
            if inspect.isfunction(function) and not is_theirs(thing, name):
                yield name, function


def is_theirs(thing: type, name: str) -> bool:
    """Whether a class of Django or Python, from which this one derives, has an attribute of that name too."""
    theirs = (base for base in thing.__mro__ if not base.__module__.startswith(facts.PACKAGES))
    return any(name in vars(base) for base in theirs)


def arguments(function: Any) -> Iterator[inspect.Parameter]:
    for each in inspect.signature(function).parameters.values():
        if each.name not in ("self", "cls") and each.kind is not each.VAR_KEYWORD:
            yield each


def values(thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that a class has besides methods and properties, each with its annotation."""
    if isinstance(thing, type) and issubclass(thing, enum.Enum):
        yield from ((name, None) for name in thing.__members__)
    elif isinstance(thing, type) and issubclass(thing, Model) and not thing._meta.abstract:
        yield from ((field.name, None) for field in thing._meta.concrete_fields if field.name != "id")
    elif isinstance(thing, type) and dataclasses.is_dataclass(thing):
        yield from ((field.name, field.type) for field in dataclasses.fields(thing))
    elif isinstance(thing, type) and issubclass(thing, tuple):
        yield from ((name, None) for name in thing._fields)  # type: ignore[attr-defined]
    elif isinstance(thing, type):
        for name, value in members(thing):
            plain = not callable(value) and not hasattr(value, "__get__")
            if plain and name not in _FRAMEWORK and not is_theirs(thing, name):
                yield name, None


def faults(find: Callable[[Any], Iterable[str]]) -> dict[str, list[str]]:
    """Return what is wrong with public things, by their names; nothing that is right."""
    found = {f"{module}.{name}": [*find(thing)] for module, name, thing in facts.public()}
    assert len(found) > 100
    return {name: wrong for name, wrong in found.items() if wrong}


def test_everything_public_says_what_it_is():
    source = Path(signals.__file__).read_text()

    def unsaid(thing: Any) -> Iterator[str]:
        if isinstance(thing, Signal):
            return
        if not described(thing):
            yield "itself"
        told = {called: function.__doc__ for called, function in functions(thing)}
        if isinstance(thing, type):
            properties = (each for each in members(thing) if isinstance(each[1], property | classproperty))
            told |= {name: value.fget.__doc__ for name, value in properties}
        yield from (name for name, text in told.items() if not text and name not in _FRAMEWORK)

    assert faults(unsaid) == {}
    for name in facts.signal_names():
        assert re.search(rf"^#: .*\n(#: .*\n)*#: Arguments: .*\n(#: .*\n)*{name} = ", source, re.MULTILINE), (
            name
        )


def test_everything_public_says_what_it_takes_and_returns():
    def unsaid(thing: Any) -> Iterator[str]:
        for called, function in functions(thing):
            text = inspect.getdoc(function) or ""
            taken = [*arguments(function)]
            if "The arguments are those of" not in text:
                yield from (f"{called}({each.name})" for each in taken if not says(text, each.name))
            floats = [each.name for each in taken if "float" in str(each.annotation)]
            yield from (f"the unit of {each}" for each in floats if not _UNITS.search(said_of(text, each)))
            returned = inspect.signature(function).return_annotation
            is_told = re.search(r"^Returns:|^(Return|Yield)s? |; return ", text, re.MULTILINE)
            if called not in _FRAMEWORK and returned not in ("None", "Iterator[None]") and not is_told:
                yield f"what {called} returns"

    assert faults(unsaid) == {}


def test_everything_public_says_what_its_attributes_are():
    def unsaid(thing: Any) -> Iterator[str]:
        text = described(thing)
        for name, annotation in values(thing):
            if not says(text, name):
                yield name
            if "float" in str(annotation) and not _UNITS.search(said_of(text, name)):
                yield f"the unit of {name}"

    assert faults(unsaid) == {}


def test_what_is_raised_is_public():
    theirs = (f"django.db.{each}" for each in dir(django.db))
    known = {*dir(builtins), *facts.errors(), "NotRecordedError", *theirs}

    def unknown(thing: Any) -> Iterator[str]:
        for called, function in functions(thing):
            _, heading, section = (inspect.getdoc(function) or "").partition("Raises:\n")
            raised = re.findall(r"^    ([\w.]+): ", section, re.MULTILINE)
            yield from (each for each in raised if each not in known)
            if heading and not raised:
                yield f"what {called} raises"

    assert faults(unknown) == {}
