"""Turning PostgreSQL's refusal of a view's SQL into an error that says which view, which file, which line."""

from __future__ import annotations

from django.db import DatabaseError

from .ddl import HEAD_LINES
from .definition import ViewDefinition
from .exceptions import ViewSQLError


def view_refused(definition: ViewDefinition, statement: str, error: DatabaseError) -> ViewSQLError:
    """Return the error to raise.

    Args:
        definition: the view that was being created.
        statement: what was sent; its SELECT begins on the second line.
        error: what Django raised from the driver's error.
    """
    diagnostics = getattr(error.__cause__, "diag", None)
    message = getattr(diagnostics, "message_primary", None) or str(error).strip()
    parts = [f"{definition.where}: PostgreSQL refuses its SQL: {message}."]
    if position := getattr(diagnostics, "statement_position", None):
        parts.append(_point_at(definition.sql, statement, int(position)))
    if detail := getattr(diagnostics, "message_detail", None):
        parts.append(f"Detail: {detail}")
    if hint := getattr(diagnostics, "message_hint", None):
        parts.append(f"Hint: {hint}")
    return ViewSQLError("\n".join(parts))


def _point_at(sql: str, statement: str, position: int) -> str:
    """Show the line of the class's own SQL that an offset into the statement lies on.

    References may have been moved to a staging schema, which changes columns but never lines.
    """
    before = statement[: position - 1]
    line = before.count("\n") - HEAD_LINES
    lines = sql.splitlines()
    if not 0 <= line < len(lines):
        return f"At character {position} of: {statement}"
    sent = statement.splitlines()[line + HEAD_LINES]
    text = lines[line]
    label = f"Line {line + 1} of the sql: "
    if sent != text:
        return label + text.strip()
    column = len(before) - (before.rfind("\n") + 1)
    return f"{label}{text}\n{' ' * (len(label) + column)}^"
