"""What the tests do to a database of any engine, as somebody at its prompt would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps.registry import Apps
from django.db import connections, models

from orm_views_core.names import ViewName
from orm_views_core.spelling import Spelling, spelling_on
from orm_views_core.views.identity import name_of

#: The text of every view of a database.
_VIEWS = {
    "postgresql": "SELECT n.nspname || '.' || c.relname,"
    " pg_get_viewdef(c.oid) || obj_description(c.oid, 'pg_class')"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')",
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'view'",
    "mysql": "SELECT table_name, view_definition FROM information_schema.views"
    " WHERE table_schema = database()",
}


def _alone(field: models.Field[Any, Any]) -> models.Field[Any, Any]:
    """Return a field for a table without relations to others."""
    if field.remote_field:
        return models.BigIntegerField(db_column=field.column, null=field.null)
    return field.clone()


@dataclass(frozen=True)
class Database:
    """One database.

    Attributes:
        alias: its alias.
    """

    alias: str = "default"

    @property
    def vendor(self) -> str:
        """Django's word for the engine."""
        return connections[self.alias].vendor

    @property
    def spelling(self) -> Spelling:
        """How the engine writes names, and what it can do."""
        return spelling_on(self.alias)

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement."""
        with connections[self.alias].cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def place(self, view: type | ViewName) -> str:
        """Return a view as SQL names it."""
        return self.spelling.place(view if isinstance(view, ViewName) else name_of(view))

    def rows(self, view: type | ViewName) -> list[tuple[Any, ...]]:
        """Read a view without its class."""
        return sorted(self.run(f"SELECT * FROM {self.place(view)}"))

    def views(self) -> dict[str, str]:
        """Return the texts of all views: a picture to compare with a later one."""
        return dict(self.run(_VIEWS[self.vendor]))

    def has(self, view: type | ViewName) -> bool:
        """Return whether a view is there."""
        wanted = self.place(view).replace('"', "").replace("`", "")
        return wanted in {name.replace('"', "").replace("`", "") for name in self.views()}

    def drop(self, view: type) -> None:
        """Drop a view by hand."""
        self.run(f"DROP {self.kind_of(view)} {self.place(view)}")

    def change(self, view: type, sql: str, columns: Sequence[str] = ()) -> None:
        """Give a view another definition by hand, where it stands if the engine can do that."""
        if self.vendor == "sqlite" or self.kind_of(view) != "VIEW":
            self.drop(view)
            self.create(view, sql, columns)
        else:
            self.run(f"CREATE OR REPLACE VIEW {self.place(view)}{self._listed(columns)} AS {sql}")

    def create(self, view: type, sql: str, columns: Sequence[str] = ()) -> None:
        """Create a view by hand."""
        self._prepare(view)
        self.run(f"CREATE {self.kind_of(view)} {self.place(view)}{self._listed(columns)} AS {sql}")

    def _listed(self, columns: Sequence[str]) -> str:
        return f" ({', '.join(map(self.quoted, columns))})" if columns else ""

    def quoted(self, name: str) -> str:
        """Return a name with quotes."""
        mark = "`" if self.vendor == "mysql" else '"'
        return mark + name.replace(mark, mark * 2) + mark

    def _prepare(self, view: type) -> None:
        if self.spelling.abilities.schemas:
            self.run(f'CREATE SCHEMA IF NOT EXISTS "{name_of(view).schema}"')

    def kind_of(self, view: type) -> str:
        """Return what SQL calls the kind of a view."""
        stored = self.spelling.abilities.materialised and hasattr(view, "with_data")
        return "MATERIALIZED VIEW" if stored else "VIEW"

    def remake(self, model: type[models.Model], *without: str) -> None:
        """Create a table anew, without some columns. Views that read it stay, where the engine lets them."""
        kept = [field for field in model._meta.local_fields if field.name not in without]
        fields = {field.name: _alone(field) for field in kept}
        meta = type("Meta", (), {"app_label": "shop", "apps": Apps(), "db_table": model._meta.db_table})
        smaller = type(model.__name__, (models.Model,), {**fields, "Meta": meta, "__module__": __name__})
        cascade = " CASCADE" if self.vendor == "postgresql" else ""
        connection = connections[self.alias]
        with connection.constraint_checks_disabled():
            self.run(f"DROP TABLE {connection.ops.quote_name(model._meta.db_table)}{cascade}")
            self.run(connection.schema_editor().table_sql(smaller)[0])

    def make_whole(self, model: type[models.Model]) -> None:
        """Give a table all its columns again, if it lacks some."""
        if set(self.columns(model)) != {field.column for field in model._meta.local_fields}:
            self.remake(model)

    def columns(self, model: type[models.Model]) -> list[str]:
        """Return the names of the columns that a table has."""
        connection = connections[self.alias]
        with connection.cursor() as cursor:
            found = connection.introspection.get_table_description(cursor, model._meta.db_table)
        return [column.name for column in found]

    def make_table(self, view: type) -> None:
        """Create a table in the place of a view."""
        self._prepare(view)
        self.run(f"CREATE TABLE {self.place(view)} (id integer)")

    def tables(self) -> set[str]:
        """Return the names of all tables."""
        connection = connections[self.alias]
        with connection.cursor() as cursor:
            return {info.name for info in connection.introspection.get_table_list(cursor) if info.type == "t"}

    def clear(self, tables: set[str]) -> None:
        """Drop all views, and the tables that are not among some."""
        if self.vendor == "postgresql":
            for (schema,) in self.run(
                "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|public$)'"
            ):
                self.run(f"DROP SCHEMA {self.quoted(schema)} CASCADE")
        else:
            for name in self.views():
                self.run(f"DROP VIEW {self.quoted(name)}")
        for table in self.tables() - tables:
            self.run(f"DROP TABLE {self.quoted(table)}")
