"""Reads the views of MariaDB from ``information_schema``: their texts, what each one reads, which are broken.

CHECK TABLE is not used: it commits a transaction of the caller.
https://mariadb.com/kb/en/sql-statements-that-cause-an-implicit-commit/
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings
from orm_views_core.database.relations import Catalog, Column, InstalledView, Session
from orm_views_core.definitions.definition import Definitions
from orm_views_core.engines.base import PlainCatalog
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import says_in
from orm_views_core.spelling.flat import flat_name

from .accounts import Accounts, read_accounts, recorded_grants
from .broken import read_broken
from .server import is_mariadb
from .state import Recorded, read_states
from .texts import rule_of, stored_statement, without_database
from .trials import is_trial

_FACTS = "SELECT DATABASE(), CURRENT_USER(), @@lower_case_table_names"
_VIEWS = """
SELECT TABLE_NAME, VIEW_DEFINITION, {algorithm}, SECURITY_TYPE, CHECK_OPTION, DEFINER
FROM information_schema.VIEWS WHERE TABLE_SCHEMA = %s"""
_TABLES = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_TYPE <> 'VIEW'"
_COLUMNS = """
SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = %s{which} ORDER BY TABLE_NAME, ORDINAL_POSITION"""

Columns = Mapping[str, tuple[Column, ...]]


class Facts(NamedTuple):
    """What is known of a connection.

    Attributes:
        database: the name of its database.
        account: its user and host, as views name their definer.
        folds: whether names of tables are in small letters.
    """

    database: str
    account: str
    folds: bool

    def place(self, name: ViewName) -> str:
        """Return the name that the database has for a view."""
        flat = flat_name(name)
        return flat.lower() if self.folds else flat

    def trusts(self, definer: str) -> bool:
        """Return whether a definer is us, or one whom the settings trust: with its host, or on any."""
        user = definer.rpartition("@")[0]
        return definer == self.account or bool({definer, user} & {*get_settings().TRUSTED_OWNERS})


class StoredView(NamedTuple):
    """A view as it is stored.

    Attributes:
        flat: its name.
        statement: a statement that would create it; None when the role may not know.
        options: those that a class may set.
        definer: the user with whose rights it is read, unless it is the reader's.
        reads: the tables and views that it reads.
        calls: the functions that it seems to call: the database and the name, in small letters.
    """

    flat: str
    statement: str | None
    options: tuple[tuple[str, str], ...]
    definer: str
    reads: frozenset[str]
    calls: frozenset[tuple[str, str]]


def read_facts(cursor: CursorWrapper) -> Facts:
    """Read what is known of a connection."""
    cursor.execute(_FACTS)
    database, account, folds = cursor.fetchone()
    return Facts(database, account, bool(folds))


def read_views(cursor: CursorWrapper, facts: Facts, only: str = "") -> list[StoredView]:
    """Read the views of the database, or the one of a name."""
    sql = _VIEWS.format(algorithm="ALGORITHM" if is_mariadb(cursor.db) else "'UNDEFINED'")
    cursor.execute(
        sql + (" AND TABLE_NAME = %s" if only else ""), [facts.database, *([only] if only else [])]
    )
    views = []
    for flat, select, algorithm, security, check, definer in cursor.fetchall():
        sql, reads, calls = without_database(select or "", facts.database)
        options = [("security_invoker", "true")] if security == "INVOKER" else []
        options += [("check_option", check.lower())] if check != "NONE" else []
        statement = stored_statement(flat, sql, algorithm, security, check) if select else None
        views.append(StoredView(flat, statement, tuple(sorted(options)), definer, reads, calls))
    return views


def read_columns(cursor: CursorWrapper, facts: Facts, names: Collection[str] | None = None) -> Columns:
    """Return the columns of tables and views; a view that is broken has none."""
    which = f" AND TABLE_NAME IN ({', '.join(['%s'] * len(names))})" if names else ""
    if names is not None and not names:
        return {}
    cursor.execute(_COLUMNS.format(which=which), [facts.database, *(names or ())])
    found = defaultdict(list)
    for flat, column, type_ in cursor.fetchall():
        found[flat].append(Column(column, type_))
    return {flat: tuple(columns) for flat, columns in found.items()}


def sources_of(reads: Iterable[str], columns: Columns) -> str:
    """Return a hash of the names of the columns of what a view reads."""
    described = [(name, [column.name for column in columns.get(name, ())]) for name in sorted(reads)]
    return hashlib.sha256(repr(described).encode(errors="surrogatepass")).hexdigest()[:16]


def read_catalog(
    connection: BaseDatabaseWrapper, definitions: Definitions, roles: Collection[str]
) -> PlainCatalog:
    """Read all views, and the tables with names of registered views."""
    with connection.cursor() as cursor:
        facts = read_facts(cursor)
        stored = [view for view in read_views(cursor, facts) if not is_trial(view.flat)]
        cursor.execute(_TABLES, [facts.database])
        tables = [name for (name,) in cursor.fetchall()]
        states, columns = read_states(cursor), read_columns(cursor, facts)
        accounts = read_accounts(cursor, facts.database, roles)
        names = _names_of([*(view.flat for view in stored), *tables], states, facts, definitions)
        read_by: defaultdict[str, set[ViewName]] = defaultdict(set)
        for view in stored:
            for flat in view.reads:
                read_by[flat].add(names[view.flat])
        reader = _Reader(facts, states, columns, accounts, names, read_by)
        relations = {names[view.flat]: reader.installed(view) for view in stored}
        registered = {facts.place(name) for name in definitions.names}
        relations |= {names[flat]: _table(names[flat]) for flat in tables if flat in registered}
        ours = [view for view in stored if relations[names[view.flat]].is_trusted]
        broken = read_broken(connection, cursor, {view.flat: view.statement for view in ours}, columns)
    return PlainCatalog(
        Catalog(
            relations,
            schemas=frozenset(definitions.schemas),
            roles=accounts.roles,
            session=Session(role=facts.account),
        ),
        {names[flat]: why for flat, why in broken.items()},
    )


def _names_of(
    flats: Iterable[str], states: Mapping[str, Recorded], facts: Facts, definitions: Definitions
) -> dict[str, ViewName]:
    """Return the names of relations: those of registered views, and those that syncs have recorded."""
    registered = {facts.place(name): name for name in definitions.names}
    recorded = {flat: each.name for flat, each in states.items() if facts.place(each.name) == flat}
    return {flat: registered.get(flat) or recorded.get(flat) or _foreign(facts, flat) for flat in flats}


def _foreign(facts: Facts, flat: str) -> ViewName:
    return ViewName(facts.database, flat)


def _table(name: ViewName) -> InstalledView:
    return InstalledView(oid=0, name=name, kind=None, relation=says_in("in a database", "table"), owner="")


class _Reader(NamedTuple):
    """Everything that was read, from which the views are put together."""

    facts: Facts
    states: Mapping[str, Recorded]
    columns: Columns
    accounts: Accounts
    names: Mapping[str, ViewName]
    read_by: Mapping[str, set[ViewName]]

    def installed(self, view: StoredView) -> InstalledView:
        """Return a view. That of a definer who is not trusted has no sync state that is believed."""
        is_trusted = self.facts.trusts(view.definer)
        recorded = self.states.get(view.flat) if is_trusted else None
        state = recorded.state if recorded else None
        granted = [*state.granted, *state.granted_by_command] if state else []
        grants = self.accounts.grants
        return InstalledView(
            oid=0,
            name=self.names[view.flat],
            kind=ViewKind.VIEW,
            relation=says_in("in a database", "view"),
            owner=view.definer,
            is_ours_to_change=is_trusted,
            is_trusted=is_trusted,
            rule=rule_of(view.statement) if view.statement is not None else None,
            definition=view.statement,
            state=state,
            options=view.options,
            grants=recorded_grants(granted) if grants is None else grants.get(view.flat, frozenset()),
            sources=sources_of(view.reads, self.columns) if state and state.sources else None,
            reads=frozenset(self.names.get(flat) or _foreign(self.facts, flat) for flat in view.reads),
            read_by=frozenset(self.read_by.get(view.flat, ())),
        )
