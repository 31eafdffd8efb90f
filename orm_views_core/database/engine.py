"""What the plan knows of a database engine: the statements that it can write."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Protocol

from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind, ViewName


class StatementKind(enum.Enum):
    """What a statement is made of. It decides what an error says when the database refuses the statement.

    QUERY: creates or fills a view, which runs the SQL of its class.
    INDEX: creates an index of a view.
    COMMENT: sets a comment.
    OTHER: contains nothing that a class declares, except names and roles.
    """

    QUERY = "query"
    INDEX = "index"
    COMMENT = "comment"
    OTHER = "other"


class Dialect(Protocol):
    """The functions that write SQL for a plan; :mod:`orm_views_core.engines.postgresql.ddl` has them.

    Another engine implements the same functions. None of them touches a connection.
    """

    def create_schema(self, schema: str) -> str: ...
    def grant_usage(self, schema: str, roles: Iterable[str]) -> str: ...
    def create_view(
        self,
        definition: ViewDefinition,
        *,
        at: ViewName | None = None,
        sql: str | None = None,
        replace: bool = False,
        with_data: bool = True,
        further_options: Iterable[tuple[str, str]] = (),
    ) -> str: ...
    def drop_view(self, kind: ViewKind, name: ViewName) -> str: ...
    def rename_view(self, kind: ViewKind, name: ViewName, new: str) -> str: ...
    def set_schema(self, kind: ViewKind, name: ViewName, schema: str) -> str: ...
    def refresh(self, name: ViewName, *, concurrently: bool) -> str: ...
    def analyze(self, name: ViewName) -> str: ...
    def set_options(
        self, name: ViewName, options: Iterable[tuple[str, str]], *, kind: ViewKind = ViewKind.VIEW
    ) -> str: ...
    def reset_options(
        self, name: ViewName, options: Iterable[str], *, kind: ViewKind = ViewKind.VIEW
    ) -> str: ...
    def rename_index(self, index: ViewName, name: str) -> str: ...
    def drop_index(self, index: ViewName) -> str: ...
    def comment_on_view(self, kind: ViewKind, name: ViewName, text: str) -> str: ...
    def comment_on_column(self, name: ViewName, column: str, text: str) -> str: ...
    def grant_select(self, name: ViewName, roles: Iterable[str]) -> str: ...
    def revoke_select(self, name: ViewName, roles: Iterable[str]) -> str: ...
