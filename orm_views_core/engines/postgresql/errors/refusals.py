"""PostgreSQL's errors as errors that name the view, the file, the line and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.database.engine import StatementKind
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql.ddl import HEAD_LINES
from orm_views_core.exceptions import SyncFailedError, ViewSQLError
from orm_views_core.names import ViewKind
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import NOTHING, Sentence, blanks, listed, says

from .diagnostics import (
    INSUFFICIENT_PRIVILEGE,
    context_of,
    is_aborted,
    is_canceled,
    is_deadlock,
    is_in_sql,
    is_lock_timeout,
    is_of_statement,
    is_out_of_locks,
    primary_message,
    quoting,
    sqlstate,
)
from .endings import Stopwatch, ended
from .strings import view_in_string

#: Classes of errors that are no fault of a view: of resources, and of the system. After these, and after what
#: concurrent transactions or another server cause, a refused batch is not sent again.
_RESOURCES, _SYSTEM = "53", "58"
_PASSING = {_RESOURCES, _SYSTEM, "08", "40", "57", "HV"}
#: Classes of errors in SQL: wrong names and types, and what PostgreSQL cannot do.
_SQL = ("42", "0A")

NOT_COMPUTED = says("its rows could not be computed")
_REFUSED = {
    StatementKind.INDEX: says("PostgreSQL refuses one of its indexes"),
    StatementKind.COMMENT: says("PostgreSQL refuses the help_text of a field"),
}


#: What else PostgreSQL may say of an error, by the attribute that has it.
_QUOTED: tuple[tuple[str, Callable[[str | None], Sentence]], ...] = (
    ("message_detail", lambda text: says("Detail: %(text)s", text=text) if text else NOTHING),
    ("message_hint", lambda text: says("Hint: %(text)s", text=text) if text else NOTHING),
    ("context", lambda text: says("Context: %(text)s", text=text) if text else NOTHING),
)


def view_refused(
    definition: ViewDefinition,
    kind: StatementKind,
    statement: str,
    error: DatabaseError,
    *,
    computes: bool = False,
) -> ViewSQLError:
    """Return the error to raise when PostgreSQL refuses what a view's class declares.

    Args:
        definition: the view.
        kind: what the statement is made of.
        statement: the SQL that was sent. If it creates the view, its SELECT begins on the second line.
        error: what Django raised from the driver's error.
        computes: whether the statement computes rows.
    """
    diagnostics = getattr(error.__cause__, "diag", None)
    refused = _REFUSED.get(kind) or says("PostgreSQL refuses its SQL")
    if computes and kind is StatementKind.QUERY and is_of_rows(error):
        refused = NOT_COMPUTED
    said: str = primary_message(error)
    place: list[str] = []
    if kind in _REFUSED:
        place.append(statement)
    elif position := getattr(diagnostics, "statement_position", None):
        advice = view_in_string(definition, statement, int(position))
        said, position = _as_written(definition, statement, said, int(position))
        place += [_point_at(definition.sql, statement, position), *([advice] if advice else [])]
    if definition.skipped_sources:
        place.append(definition.skipped_sources)
    quotes = [
        words for attribute, label in _QUOTED if (words := label(getattr(diagnostics, attribute, None)))
    ]
    why = Quoting(
        says("%(refused)s: %(message)s.", refused=refused, message=said),
        says("%(refused)s.", refused=refused),
    )
    whole = listed([says("%(where)s: %(why)s", where=definition.where, why=why), *place], "\n")
    return ViewSQLError(quoting(listed([whole, *quotes], "\n"), whole.summary, error), why)


def database_refused(
    connection: BaseDatabaseWrapper, what: Sentence, error: DatabaseError
) -> SyncFailedError:
    """Return the error to raise when PostgreSQL refuses something that no class declares.

    Args:
        connection: the database.
        what: what failed, in words; may be empty.
        error: what Django raised from the driver's error.
    """
    advice = [says("Nothing was changed.")]
    if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
        role = (
            get_settings().SYNC_ROLE or connection.settings_dict.get("USER") or says("The role of the sync")
        )
        advice.append(
            says(
                "%(role)s needs CREATE on the database (changed views are tried in a schema of their own) "
                "and has to own the schema and its views, or be a member of the role that does.",
                role=role,
            )
        )
    if is_out_of_locks(error):
        advice.append(
            says(
                "The server's lock table is full: raise max_locks_per_transaction in its configuration, and "
                "restart it; or sync fewer views at once."
            )
        )
    begin = [says("Database %(database)r", database=connection.alias), *([what] if what else [])]
    whole = listed([listed([*begin, str(error).strip()], ": "), listed(advice, " ")], "\n")
    rest = listed([*begin, says("PostgreSQL refuses it.")], ": ")
    return SyncFailedError(quoting(whole, listed([rest, listed(advice, " ")], "\n"), error))


def is_refusal(error: DatabaseError) -> bool:
    """Return whether PostgreSQL refuses the statement itself: not for want of a lock or of a connection.

    The class of the exception says nothing. Django raises OperationalError for a lost connection, but also
    for an index row that is too long, a statement that is too deep, and a full disk. The SQLSTATE alone says
    little: the functions and foreign servers of a view report any, those of lost connections and locks too.
    """
    if sqlstate(error) is None:  # of the driver: it has lost the connection, or it did not send the statement
        return not isinstance(error, OperationalError)
    is_passing = is_lock_timeout(error) or is_deadlock(error) or is_canceled(error) or is_aborted(error)
    return is_of_statement(error) and not is_passing


def is_of_rows(error: DatabaseError) -> bool:
    """Return whether a statement that computes rows failed at that, and not because of its SQL."""
    is_of_sql = (sqlstate(error) or "").startswith(_SQL) and not context_of(error)
    return not is_in_sql(error) and not is_of_sql


@contextmanager
def telling(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Turn what PostgreSQL refuses or ends in a block into errors that say so."""
    last = Stopwatch(connection)
    try:
        yield
    except DatabaseError as error:
        if is_refusal(error):
            raise database_refused(connection, NOTHING, error) from error
        if (end := ended(connection, error, last)) is not None:
            raise end from error
        raise


def is_refusal_of_one(error: DatabaseError) -> bool:
    """Return whether a refused batch may be sent again one by one, to find out what is refused in it."""
    return is_refusal(error) and (sqlstate(error) or "")[:2] not in _PASSING


def is_fault_of_view(error: DatabaseError, *, was_tried: bool = False) -> bool:
    """Return whether PostgreSQL refuses what a class declares, not for want of ownership or resources.

    PostgreSQL has one SQLSTATE for “permission denied” and “must be owner”.

    Args:
        error: what Django raised from the driver's error.
        was_tried: whether a dry run has accepted the statement. Then privileges on what it reads are not
            what is missing.
    """
    is_ownership = was_tried and sqlstate(error) == INSUFFICIENT_PRIVILEGE
    is_of_server = (sqlstate(error) or "")[:2] in {_RESOURCES, _SYSTEM}
    return is_refusal(error) and not is_of_server and not is_ownership


def _as_written(definition: ViewDefinition, statement: str, said: str, position: int) -> tuple[str, int]:
    """Leave what stands behind the SELECT of a materialised view out of an error: no class has written it.

    Args:
        said: what PostgreSQL says.
        position: the error's character in the statement, counted from 1.
    """
    if definition.kind is ViewKind.VIEW:
        return said, position
    select, line, end = statement.rpartition("\n")
    if position > len(select):
        return says("it ends where more has to follow"), len(select) + 1
    return said.replace(line + end, ""), position


def _point_at(sql: str, statement: str, position: int) -> Sentence:
    """Return the line of the class's SQL at which an error occurred, with a mark below the place.

    Moving references to a staging schema changes columns but never lines. So the mark is left out where the
    line was changed.

    Args:
        sql: the SQL of the class.
        statement: the statement that was sent.
        position: the error's character in the statement, counted from 1.
    """
    before = statement[: position - 1]
    line = before.count("\n") - HEAD_LINES
    lines = sql.splitlines()
    if not 0 <= line < len(lines):
        return says("At character %(n)s of: %(sql)s", n=position, sql=statement)
    label = says("Line %(n)s of the sql: ", n=line + 1)
    if statement.splitlines()[line + HEAD_LINES] != lines[line]:
        return listed([label, lines[line].strip()], "")
    column = len(before) - (before.rfind("\n") + 1)
    return listed([label, lines[line], "\n", blanks(label), " " * column, "^"], "")
