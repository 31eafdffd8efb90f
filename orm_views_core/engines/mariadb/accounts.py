"""Roles and users, and who has SELECT on which view.

A class names a role or a user by the name alone, or a user with the host: ``analyst``, ``bi@localhost``. A
name alone is that of the role, or that of the user of any host.
https://mariadb.com/kb/en/grant/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from django.db import DatabaseError
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.relations import Grant
from orm_views_core.spelling.mariadb import quoted

from .errors import DENIED, number_of

_PUBLIC = "PUBLIC"
_ANY_HOST = "%"
#: A role has no host on MariaDB. On MySQL it is a user of any host.
_HOSTS = ("", _ANY_HOST)


class Accounts(NamedTuple):
    """What could be read of roles and users.

    Attributes:
        roles: those of the roles that were asked for that may be granted something.
        grants: the grants on each view; None when they may not be read.
    """

    roles: frozenset[str]
    grants: Mapping[str, frozenset[Grant]] | None


def read_accounts(cursor: CursorWrapper, database: str, roles: Collection[str]) -> Accounts:
    """Read which roles there are, and the grants on tables and views.

    Only those may read that who may read the database ``mysql``. For others, each role counts as there:
    MariaDB refuses the GRANT if it is not.

    Args:
        cursor: of the database.
        database: its name.
        roles: those to look for, as classes and settings name them.
    """
    try:
        cursor.execute("SELECT User, Host FROM mysql.user")
        there = {(user, host) for user, host in cursor.fetchall()}
        cursor.execute(
            "SELECT User, Host, Table_name, Table_priv FROM mysql.tables_priv WHERE Db = %s", [database]
        )
        rows = cursor.fetchall()
    except DatabaseError as error:
        if number_of(error) not in DENIED:
            raise
        return Accounts(frozenset(roles), None)
    named = {role: _account(role, there) for role in roles if role.upper() != _PUBLIC}
    names = defaultdict(set)
    for role, account in named.items():
        names[account].add(role)
    grants: defaultdict[str, set[Grant]] = defaultdict(set)
    for user, host, table, privileges in rows:
        for role in names.get((user, host)) or {_name(user, host)}:
            grants[table] |= {Grant(role, privilege) for privilege in _privileges(privileges)}
    return Accounts(
        frozenset(role for role, account in named.items() if account in there),
        {table: frozenset(found) for table, found in grants.items()},
    )


def recorded_grants(roles: Collection[str]) -> frozenset[Grant]:
    """Return the grants of a sync, for when nothing else can be known."""
    return frozenset(Grant(role, "SELECT") for role in roles)


def grantee(role: str) -> str:
    """Return a role or a user as GRANT and REVOKE name it."""
    if role.upper() == _PUBLIC:
        return _PUBLIC
    user, separator, host = role.rpartition("@")
    return f"{quoted(user)}@{quoted(host)}" if separator else quoted(role)


def _account(role: str, there: Collection[tuple[str, str]]) -> tuple[str, str]:
    user, separator, host = role.rpartition("@")
    if separator:
        return user, host
    return next(((role, host) for host in _HOSTS if (role, host) in there), (role, ""))


def _name(user: str, host: str) -> str:
    if user == _PUBLIC and not host:
        return ""
    return user if host in _HOSTS else f"{user}@{host}"


def _privileges(words: str | Collection[str]) -> Iterator[str]:
    """Yield privileges in capitals. Drivers give a SET as a text or as a set."""
    for word in words.split(",") if isinstance(words, str) else words:
        if word:
            yield word.upper()
