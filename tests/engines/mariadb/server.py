"""A MariaDB, seen by the project and by others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.db import connections

from orm_views_core.status import get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import ViewFromSQL

ROOT = "root"


class Server:
    """The server of the tests. What is run goes through a connection that is not the project's."""

    @property
    def name(self) -> str:
        """The name of the test database."""
        return str(connections["default"].settings_dict["NAME"])

    @contextmanager
    def connection(self, user: str = ROOT) -> Iterator[Any]:
        """Give a cursor of a connection of a user."""
        import MySQLdb

        socket = connections["default"].settings_dict["HOST"]
        with closing(
            MySQLdb.connect(unix_socket=socket, user=user, db=self.name, charset="utf8mb4")
        ) as other:
            other.autocommit(True)
            yield other.cursor()

    def run(self, sql: str, user: str = ROOT) -> list[tuple[Any, ...]]:
        """Run a statement as a user."""
        with self.connection(user) as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def relations(self) -> dict[str, str]:
        """Return the kinds of all tables and views."""
        return dict(
            self.run(
                "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = database()"
            )
        )

    def views(self) -> dict[str, str]:
        """Return the texts of all views."""
        return dict(
            self.run(
                "SELECT table_name, concat(security_type, ' ', check_option, ' ', view_definition)"
                " FROM information_schema.views WHERE table_schema = database()"
            )
        )

    def definer(self, view: str) -> str:
        """Return the definer of a view."""
        return str(
            self.run(f"SELECT definer FROM information_schema.views WHERE table_name = '{view}'")[0][0]
        )

    def readers(self, view: str) -> set[str]:
        """Return who was granted SELECT on a view."""
        found = self.run(f"SELECT user, host FROM mysql.tables_priv WHERE table_name = '{view}'")
        return {f"{user}@{host}" if host else user for user, host in found}

    @staticmethod
    def spelled(name: str) -> tuple[str, str]:
        """Return the kind of an account, and its name as SQL has it."""
        user, separator, host = name.rpartition("@")
        return ("USER", f"`{user}`@`{host}`") if separator else ("ROLE", f"`{name}`")


def declare(class_name: str, sql: str, **attributes: Any) -> type:
    """Declare a view of SQL, which is called like its class in small letters."""
    body = {"sql": sql, "name": class_name.lower(), "__module__": __name__, **attributes}
    return type(class_name, (ViewFromSQL,), body)


def sync(**asked: Any) -> list[str]:
    """Sync, and return what was done."""
    (result,) = sync_views(databases=["default"], **asked)
    return [f"{each.step.action.verb} {each.step.target}" for each in result.steps]


def plan(**asked: Any) -> list[str]:
    """Return what a sync would do."""
    (made,) = plan_views(databases=["default"], **asked)
    return [f"{step.action.verb} {step.target}" for step in made.steps]


def warnings() -> list[str]:
    """Return the warnings of a plan."""
    (made,) = plan_views(databases=["default"])
    return [str(warning) for warning in made.warnings]


def states() -> dict[str, str]:
    """Return the states of all views."""
    (database,) = get_statuses(["default"])
    assert database.error is None
    return {str(view.name): view.state.value for view in database.views}


def reasons() -> dict[str, str]:
    """Return why views are in their states, and what to do."""
    (database,) = get_statuses(["default"])
    return {str(view.name): f"{view.reason} {view.advice}" for view in database.views}
