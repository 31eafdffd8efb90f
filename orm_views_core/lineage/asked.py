"""Finds what a name stands for: a view, a table, a model, or a column of one of these."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.lineage import RelationColumn
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor, read_search_path
from orm_views_core.engines.postgresql.rules.named import NamedRelation, read_all_named, read_named
from orm_views_core.exceptions import UnknownNameError
from orm_views_core.names import ViewName, parse_db_table, quote_identifier
from orm_views_core.sentences import Sentence
from orm_views_core.views.identity import label_of
from orm_views_core.views.readable import is_readable

from .written import ALL_COLUMNS, Part, parts_of, relations_of, write_column, write_relation


@dataclass(frozen=True)
class Asked:
    """A relation, or a column of one, that somebody asks about.

    Attributes:
        relation: its full name. A partition counts as its partitioned table.
        column: one of its columns; "" for the whole relation.
        is_view: whether the relation is a view or a materialised view.
        partition: the partition that was named; None when none was.
    """

    relation: ViewName
    column: str = ""
    is_view: bool = False
    partition: ViewName | None = None

    def __str__(self) -> str:
        if not self.column:
            return write_relation(self.relation)
        return write_column(RelationColumn(self.relation, self.column))


@dataclass(frozen=True)
class _Candidate:
    """What a name may stand for, before the database was asked.

    Attributes:
        relation: the relation; its schema is "" where none is known.
        column: the column; "" for the whole relation.
        origin: the model or the view class that has this relation; "" when the name is that of the relation.
        is_registered: whether it is the view of a class.
    """

    relation: ViewName
    column: str = ""
    origin: str = ""
    is_registered: bool = False


def find_asked(connections: Sequence[BaseDatabaseWrapper], text: str) -> dict[str, Asked]:
    """Return what a name stands for, by alias. A database that does not have it is left out.

    Args:
        connections: the databases.
        text: a view (``loan_book``, ``views.loan_book``, ``lending.LoanBook``), a model
            (``lending.Loan``), a table (``lending_loan``, ``public.lending_loan``), or one of these with a
            column or a field. What has no schema is looked up along the search path.

    Raises:
        UnknownNameError: no database has it, or the name stands for several things in one of them.
    """
    parts = parts_of(text)
    if len(parts) > 3:
        raise UnknownNameError(
            Sentence(
                f"{text!r} has {len(parts)} parts. A column is named by its schema, its table and its own "
                "name: public.lending_loan.status."
            )
        )
    found: dict[str, Asked] = {}
    lacking: list[str] = []
    for connection in connections:
        candidates = [
            *_of_models(parts, lacking),
            *_of_views(connection.alias, parts),
            *(_Candidate(*each) for each in relations_of(parts)),
        ]
        several = list(dict.fromkeys(_existing(connection, candidates, lacking)))
        if len(several) > 1:
            raise _ambiguous(text, connection.alias, several)
        if several:
            found[connection.alias] = several[0]
    if not found:
        raise _unknown(connections, text, lacking)
    return found


def _of_views(alias: str, parts: Sequence[Part]) -> Iterator[_Candidate]:
    """Yield the registered views, and their columns, that the parts may be."""
    texts = [part.text for part in parts]
    is_label = len(parts) > 1 and not any(part.is_quoted for part in parts[:2])
    for name, classes in registered_views(alias).by_name.items():
        for view in classes:
            label = label_of(view)
            if name.name == texts[0] and len(parts) < 3:
                yield _Candidate(name, _column_of(parts[1:]), label, is_registered=True)
            if name == tuple(texts[:2]) or (is_label and label == ".".join(texts[:2])):
                yield _Candidate(name, _column_of(parts[2:]), label, is_registered=True)


def _column_of(rest: Sequence[Part]) -> str:
    """Return the column that follows the name of a relation; "" for none, and for all."""
    return rest[0].text if rest and rest[0] != Part(ALL_COLUMNS, False) else ""


def _of_models(parts: Sequence[Part], lacking: list[str]) -> Iterator[_Candidate]:
    """Yield the table of the model, or of the model's field, that the parts name; note what is lacking."""
    if len(parts) < 2 or any(part.is_quoted for part in parts):
        return
    try:
        model = apps.get_model(parts[0].text, parts[1].text)
    except LookupError:
        return
    label, name = model._meta.label, _column_of(parts[2:])
    if not name:
        yield _Candidate(parse_db_table(model._meta.db_table), origin=label)
        return
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        if not is_readable(model):  # a view's columns need not have fields
            names = [each.name for each in model._meta.get_fields() if not each.auto_created or each.concrete]
            lacking.append(f"{label} has no field {name!r}. {_hint(name, names)}")
        return
    if field.many_to_many or getattr(field, "column", None) is None:
        lacking.append(f"{label}.{field.name} has no column of its own. {_elsewhere(field)}".rstrip())
    else:
        # A field of a parent has its column in the parent's table.
        yield _Candidate(parse_db_table(field.model._meta.db_table), field.column, origin=label)


def _elsewhere(field: Any) -> str:
    """Say where the values of a field without a column are."""
    through = getattr(field, "through", None) or getattr(field.remote_field, "through", None)
    if through:
        return f"Its values are in {through._meta.label}."
    if field.auto_created and not field.concrete:
        return f"It is the other side of {field.field.model._meta.label}.{field.field.name}."
    return ""


def _existing(
    connection: BaseDatabaseWrapper, candidates: Sequence[_Candidate], lacking: list[str]
) -> Iterator[Asked]:
    """Yield the candidates that a database has, and note of the others what is lacking."""
    _, path = read_search_path(connection)
    with catalog_cursor(connection) as cursor:
        known = read_named(cursor, {each.relation for each in candidates}, path)
    for each in candidates:
        relation = known.get(each.relation)
        if relation is None:
            if each.origin:
                lacking.append(_not_there(connection.alias, each))
        elif each.column and each.column not in relation.columns:
            lacking.append(_no_column(relation, each.column))
        else:
            name = relation.root or relation.name
            yield Asked(name, each.column, relation.is_view, relation.name if relation.root else None)


def _not_there(alias: str, candidate: _Candidate) -> str:
    relation = candidate.relation
    name = write_relation(relation) if relation.schema else relation.name
    todo = " Run sync_views first." if candidate.is_registered else ""
    return f"Database {alias!r} has no relation {name}, which is that of {candidate.origin}.{todo}"


def _no_column(relation: NamedRelation, column: str) -> str:
    return f"{write_relation(relation.name)} has no column {column!r}. {_hint(column, relation.columns)}"


def _hint(text: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(text, names, n=3)
    return f"Did you mean {' or '.join(close)}?" if close else f"It has {', '.join(names)}."


def _ambiguous(text: str, alias: str, several: Iterable[Asked]) -> UnknownNameError:
    exact = []
    for each in several:
        name = str(each)
        if name == text:  # quoted, it is neither a model nor a class, and with a star no column
            name = f"{each.relation.quoted}.{quote_identifier(each.column) if each.column else ALL_COLUMNS}"
        exact.append(name)
    return UnknownNameError(
        Sentence(f"{text!r} stands for several things in database {alias!r}. Write {' or '.join(exact)}.")
    )


def _unknown(
    connections: Sequence[BaseDatabaseWrapper], text: str, lacking: Iterable[str]
) -> UnknownNameError:
    """Return the error for a name that stands for nothing. It says what is lacking, or suggests names."""
    if said := list(dict.fromkeys(lacking)):
        return UnknownNameError(Sentence("\n".join(said)))
    names = dict.fromkeys(model._meta.label for model in apps.get_models())
    for connection in connections:
        _, path = read_search_path(connection)
        with catalog_cursor(connection) as cursor:
            relations = read_all_named(cursor)
        for relation in relations:
            names[write_relation(relation)] = None
            if relation.schema in path:
                names[relation.name] = None
        for handle in registered_views(connection.alias).by_handle:
            names[handle] = None
    close = difflib.get_close_matches(text, list(names), n=3)
    hint = f"Did you mean {' or '.join(close)}?" if close else "Without a name, view_lineage lists all views."
    databases = " or ".join(repr(connection.alias) for connection in connections)
    return UnknownNameError(
        Sentence(f"No view, table or model is called {text!r} in database {databases}. {hint}")
    )
