"""The source text of view classes, from views that only the database has. Pure."""

from __future__ import annotations

import ast
import inspect
import keyword
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orm_views_core.database.extras import Extra
from orm_views_core.database.relations import InstalledIndex, InstalledView
from orm_views_core.definitions.definition import TABLESPACE
from orm_views_core.names import ViewKind, printable
from orm_views_core.plan.diff import is_reader
from orm_views_core.sql.lexer import tokenize

#: Where PostgreSQL stores what names no tablespace, unless the database has another one.
_DEFAULT_TABLESPACE = "pg_default"
_BASES = ("PostgresMaterialisedViewMixin", "PostgresViewFromSQL")
_INDEX_CLASSES = {
    "btree": ("django.db", "models"),
    **{
        method: ("django.contrib.postgres.indexes", f"{word}Index")
        for method, word in {
            "brin": "Brin",
            "gin": "Gin",
            "gist": "Gist",
            "hash": "Hash",
            "spgist": "SpGist",
        }.items()
    },
}
# What a class may have as the value of an option, as PostgreSQL stores it.
_OPTION_VALUES = {"true": "True", "false": "False", "local": "'local'", "cascaded": "'cascaded'"}
# A field can have this name without being renamed.
_PLAIN_COLUMN = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class Surroundings:
    """What a class need not say, or cannot.

    Attributes:
        database: the alias.
        default_database: the alias of a class that names none.
        schema: the schema of a class that names none.
        readers: the roles that the settings grant SELECT to.
        schema_users: the roles that have USAGE on the view's schema; "" for PUBLIC.
        role: the role that syncs.
        tablespace: where Django's settings store tables.
        index_tablespace: where Django's settings store indexes; "" for the tablespace of the table.
    """

    database: str
    default_database: str
    schema: str
    readers: Sequence[str] = ()
    schema_users: Collection[str] = ()
    role: str = ""
    tablespace: str = ""
    index_tablespace: str = ""


@dataclass(frozen=True)
class DraftedClass:
    """The source text of a class, without imports.

    Attributes:
        lines: its lines, not indented.
        imports: the modules and the names to import from them.
    """

    lines: tuple[str, ...]
    imports: frozenset[tuple[str, str]]


def class_name(view: str, used: Collection[str] = ()) -> str:
    """Return a name for the class of a view: ``LoanBook`` for ``loan_book``."""
    words = "".join(word[:1].upper() + word[1:] for word in re.split(r"[\W_]+", view) if word)
    name = words if words.isidentifier() and not keyword.iskeyword(words) else f"View{words}"
    number, free = 2, name
    while free in used or free in {*_BASES, "models"}:
        free, number = f"{name}{number}", number + 1
    return free


def draft_class(view: InstalledView, name: str, extras: Sequence[Extra], where: Surroundings) -> DraftedClass:
    """Return the class with which a sync adopts a view.

    Args:
        view: the view, with its definition.
        name: the name of the class.
        extras: all extras of the view.
        where: what surrounds it.
    """
    is_materialised = view.kind is ViewKind.MATERIALISED_VIEW
    bases = _BASES if is_materialised else _BASES[1:]
    docstring = _docstring(view.text)
    tablespace = dict(view.options).get(TABLESPACE, "")
    indexes = _Indexes(view.indexes, where.index_tablespace or tablespace or where.tablespace)
    readers = [role or "public" for role in sorted(view.readers) if {role, ""} & set(where.schema_users)]
    missing = [role for role in where.readers if not is_reader(role, view)]
    is_hidden = bool(missing) and not view.readers
    storage = {
        "db_tablespace": "" if tablespace == where.tablespace else repr(tablespace or _DEFAULT_TABLESPACE),
        "index_tablespace": indexes.tablespace,
        "storage_parameters": _parameters(view),
    }
    options = {option: _OPTION_VALUES[value] for option, value in view.options if value in _OPTION_VALUES}
    attributes = {
        "name": repr(view.name.name) if view.name.name != name.lower() else "",
        "schema": repr(view.name.schema) if view.name.schema != where.schema else "",
        "database": repr(where.database) if where.database != where.default_database else "",
        **(storage if is_materialised else options),
        "pk_field": repr(indexes.key[0] if len(indexes.key) == 1 else indexes.key) if indexes.key else "",
        "indexes": f"[{', '.join(indexes.sources)}]" if indexes.sources else "",
        "with_data": "" if view.populated else "False",
        "hidden": "True" if is_hidden else "",
        "grant_select_to": repr([role for role in readers if role not in where.readers] or ""),
        "sql": _sql(view.definition or ""),
    }
    drafted = {("index", index) for index in indexes.drafted} | {("comment", "")}
    drafted |= {("grant", f"of SELECT to {role}") for role in readers}
    if is_materialised:
        drafted |= {("storage parameter", f"{option}={value}") for option, value in view.options}
        drafted |= {("tablespace", tablespace), *(("index tablespace", name) for name in indexes.drafted)}
    notes = [
        f"{extra} is not part of the class. Syncs keep it."
        for extra in extras
        if (extra.kind, extra.name) not in drafted and extra.kind not in {"revocation", "owner"}
    ]
    if not is_materialised:
        notes += [
            f"option {option}={printable(value)} is not part of the class. Syncs keep it."
            for option, value in view.options
            if option not in options
        ]
    if docstring is None:
        notes.append("Its comment cannot be written as a docstring. Syncs keep it.")
    if missing and not is_hidden:
        notes.append(
            f"A sync grants SELECT to {', '.join(missing)} too: ORM_VIEWS['GRANT_SELECT_TO'] says so."
        )
    notes += _ownership(view, where)
    lines = [f"class {name}({', '.join(bases)}):"]
    lines += [*([f"    {docstring}", ""] if docstring else []), *(f"    # {note}" for note in notes)]
    lines += [
        f"    {attribute} = {source}" for attribute, source in attributes.items() if source not in ("", "''")
    ]
    imports = {("orm_views_core.views", base) for base in bases} | indexes.imports
    return DraftedClass(tuple("\n".join(lines).split("\n")), frozenset(imports))


def _parameters(view: InstalledView) -> str:
    parameters = {name: _value(text) for name, text in view.options if name != TABLESPACE}
    return repr(parameters) if parameters else ""


def _value(text: str) -> object:
    """Return the value that is written like the text of a storage parameter."""
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if text.isdecimal() and str(int(text)) == text else text


def _ownership(view: InstalledView, where: Surroundings) -> Iterator[str]:
    if not view.is_ours_to_change:
        yield (
            f"It belongs to {printable(view.owner)}, and {printable(where.role)} is not a member of that "
            "role: only its owner can change it, so a sync cannot adopt it."
        )
    elif not view.is_trusted:
        yield (
            f"It belongs to {printable(view.owner)}, a role that is not trusted, so no sync records it. "
            "Hand it over to the role that syncs, or name its owner in ORM_VIEWS['TRUSTED_OWNERS']."
        )


class _Indexes:
    """The indexes of a view, as far as a class can declare them.

    Attributes:
        key: the columns of ``pk_field``.
        sources: the source text of the other indexes.
        drafted: the names of the indexes that the class declares.
        imports: the modules and the names to import from them.
        tablespace: the source of ``index_tablespace``; "" where that need not be said.
    """

    def __init__(self, indexes: Sequence[InstalledIndex], default: str) -> None:
        self.tablespace = ""
        self.key: tuple[str, ...] = ()
        self.sources: list[str] = []
        self.drafted: list[str] = []
        self.imports: set[tuple[str, str]] = set()
        parsed = {index.name: _parse_index(index.tail) for index in indexes}
        keys = [
            index.name
            for index in indexes
            if index.allows_concurrent_refresh
            and parsed[index.name].method == "btree"
            and not any(is_descending for _, is_descending in parsed[index.name].columns)
        ]
        if keys:
            key = min(keys, key=lambda name: len(parsed[name].columns))
            self.key = tuple(column for column, _ in parsed[key].columns)
            self.drafted.append(key)
            (own,) = (index.tablespace for index in indexes if index.name == key)
            if own != default:
                default, self.tablespace = own, repr(own or _DEFAULT_TABLESPACE)
        for index in indexes:
            method, columns = parsed[index.name]
            if not index.unique and columns and all(_PLAIN_COLUMN.fullmatch(column) for column, _ in columns):
                place = "" if index.tablespace == default else repr(index.tablespace or _DEFAULT_TABLESPACE)
                self._declare(index.name, method, columns, place)

    def _declare(self, name: str, method: str, columns: Sequence[tuple[str, bool]], place: str) -> None:
        module, imported = _INDEX_CLASSES[method]
        call = "models.Index" if method == "btree" else imported
        fields = [f"-{column}" if is_descending else column for column, is_descending in columns]
        further = f", db_tablespace={place}" if place else ""
        self.sources.append(f"{call}(fields={fields!r}, name={name!r}{further})")
        self.drafted.append(name)
        self.imports.add((module, imported))


class _ParsedIndex(NamedTuple):
    """The method of an index, and its columns, each with whether it is descending.

    Both are empty if the index has anything else: an expression, a condition, an operator class.
    """

    method: str
    columns: Sequence[tuple[str, bool]]


def _parse_index(tail: str) -> _ParsedIndex:
    method, *tokens = [token for token in tokenize(tail) if not token.is_blank]
    if method.text not in _INDEX_CLASSES or [t.text for t in (*tokens[:1], *tokens[-1:])] != ["(", ")"]:
        return _ParsedIndex("", ())
    columns: list[tuple[str, bool]] = []
    part: list[str] = []
    for token in tokens[1:]:
        if token.text not in {",", ")"}:
            part.append(token.identifier if token.kind == "identifier" and not part else token.text)
            continue
        if not part or part[1:] not in ([], ["DESC"]) or (token.text == ")") != (token is tokens[-1]):
            return _ParsedIndex("", ())
        columns.append((part[0], len(part) == 2))
        part = []
    return _ParsedIndex(method.text, columns)


def _docstring(text: str) -> str | None:
    """Return the docstring that gives a comment; "" for no comment, None when none gives it."""
    if not text:
        return ""
    body = text.replace("\\", "\\\\").replace('"', '\\"' if '"""' in text or text.endswith('"') else '"')
    body = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in body)
    first, *more = body.split("\n")
    indented = "".join(f"\n    {line}".rstrip(" ") for line in more)
    source = f'"""{first}{indented}' + ('\n    """' if more else '"""')
    return source if inspect.cleandoc(ast.literal_eval(source)) == text else None


def _sql(definition: str) -> str:
    """Return the SELECT as a literal. Its lines stay as they are, because a string may go over several."""
    sql = definition.strip().removesuffix(";")
    # PostgresViewFromSQL reads %% as %.
    sql = sql.replace("%", "%%") if "%%" in sql else sql
    source = f'{"r" if chr(92) in sql else ""}"""\n{sql}\n"""'
    try:
        is_same = ast.literal_eval(source) == f"\n{sql}\n"
    except (SyntaxError, ValueError):
        is_same = False
    return source if is_same else repr(sql)


def module_lines(drafted: Sequence[DraftedClass], heading: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a module: a heading, the imports, the classes."""
    yield from (f"# {line}" for line in heading)
    imports = {pair for each in drafted for pair in each.imports}
    for module in sorted({module for module, _ in imports}):
        yield f"from {module} import {', '.join(sorted(name for of, name in imports if of == module))}"
    for each in drafted:
        yield from ("", "", *each.lines)
