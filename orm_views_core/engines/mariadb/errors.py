"""MariaDB's errors by their numbers. Their words are quoted, and nothing is decided on them.

https://mariadb.com/kb/en/mariadb-error-code-reference/
"""

from __future__ import annotations

from django.db import DatabaseError

from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import ViewSQLError
from orm_views_core.sentences import says

#: A lock could not be had in time, or only by breaking a deadlock.
NO_LOCK = frozenset({1205, 1213})
#: The role may not read something: a database, a table, a column.
DENIED = frozenset({1044, 1142, 1143})
#: There is no such table.
NO_TABLE = 1146
#: There is no such grant: of an account, or on a table.
NO_GRANT = frozenset({1141, 1147})
#: The server writes nothing: of MariaDB and MySQL, and of a storage engine.
READ_ONLY = frozenset({1290, 1836})
#: A statement took too long: of MariaDB, and of MySQL.
TOO_SLOW = frozenset({1969, 3024})
#: The longest name, in characters.
LONGEST_NAME = 64


def number_of(error: BaseException) -> int:
    """Return the number of an error; 0 when it has none, because it is the driver's own."""
    number = error.args[0] if error.args else 0
    return number if isinstance(number, int) else 0


def said(error: DatabaseError) -> str:
    """Return what MariaDB said of an error, without a full stop."""
    words = str(error.args[1]) if number_of(error) and len(error.args) > 1 else str(error)
    return words.strip().removesuffix(".")


def too_long(definition: ViewDefinition, flat: str) -> ViewSQLError:
    """Return the error to raise when the name of a view is too long in the database."""
    why = says(
        "its name in the database is %(name)r, which has %(length)s characters, and %(longest)s are "
        "possible. Give it a shorter name.",
        name=flat,
        length=len(flat),
        longest=LONGEST_NAME,
    )
    return ViewSQLError(says("%(where)s: %(why)s", where=definition.where, why=why), why)
