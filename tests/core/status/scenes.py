"""A view ``views.v`` in each state that core knows, made real, and in two states at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from orm_views_core.status import State
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from orm_views_core.views.registry import registry


def declare(class_name: str, sql: str | None, *bases: type, **attributes: Any) -> type:
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def stored(class_name: str, sql: str, **attributes: Any) -> type:
    return declare(class_name, sql, PostgresMaterialisedViewMixin, **attributes)


def over_an_empty_one(execute: Any) -> None:
    stored("Empty", "SELECT 1 AS id", with_data=False)
    declare("V", "SELECT id FROM views.empty")
    sync_views()


def over_one_over_an_empty_one(execute: Any) -> None:
    stored("Empty", "SELECT 1 AS id", with_data=False)
    declare("Between", "SELECT id FROM views.empty")
    declare("V", "SELECT id FROM views.between")
    sync_views()


def with_an_owner_who_may_not_read(execute: Any) -> None:
    declare("V", "SELECT id, city FROM lending_customer")
    sync_views()
    execute("GRANT SELECT (id) ON lending_customer TO analyst")
    execute("GRANT USAGE, CREATE ON SCHEMA views TO analyst; ALTER VIEW views.v OWNER TO analyst")


def refused_by_postgresql(execute: Any) -> None:
    declare("V", "SELECT absent FROM lending_customer")


def with_two_statements(execute: Any) -> None:
    declare("V", "SELECT 1; SELECT 2")


def in_a_circle(execute: Any) -> None:
    declare("V", "SELECT * FROM views.w")
    declare("W", "SELECT * FROM views.v")


def in_a_circle_with_an_installed_one(execute: Any) -> None:
    declare("W", "SELECT 1 AS id")
    sync_views()
    in_a_circle(execute)


def over_a_refused_one(execute: Any) -> None:
    declare("Source", "SELECT absent FROM lending_customer")
    declare("V", "SELECT * FROM views.source")


def of_another_kind(execute: Any) -> None:
    declare("V", "SELECT 1 AS id")
    sync_views()
    stored("V", "SELECT 1 AS id")


def without_rows(execute: Any) -> None:
    stored("V", "SELECT 1 AS id", with_data=False)
    sync_views()


def too_old(execute: Any) -> None:
    stored("V", "SELECT 1 AS id", refresh_every=dt.timedelta(microseconds=1))
    sync_views()


def changed(execute: Any) -> None:
    declare("V", "SELECT 1 AS id")
    sync_views()
    declare("V", "SELECT 2 AS id")


def drifted(execute: Any) -> None:
    declare("V", "SELECT 1 AS id")
    sync_views()
    execute("CREATE OR REPLACE VIEW views.v AS SELECT 3 AS id")


def missing(execute: Any) -> None:
    declare("V", "SELECT 1 AS id")


def orphaned(execute: Any) -> None:
    view = declare("V", "SELECT 1 AS id")
    declare("Other", "SELECT 1 AS id")
    sync_views()
    registry.unregister(view)


def unmanaged(execute: Any) -> None:
    declare("Other", "SELECT 1 AS id")
    sync_views()
    execute("CREATE VIEW views.v AS SELECT 1 AS id")


def synced(execute: Any) -> None:
    declare("V", "SELECT 1 AS id")
    sync_views()


def changed_over_an_empty_one(execute: Any) -> None:
    over_an_empty_one(execute)
    declare("V", "SELECT id, 2 AS two FROM views.empty")


def changed_and_drifted(execute: Any) -> None:
    drifted(execute)
    declare("V", "SELECT 2 AS id")


def refused_and_changed(execute: Any) -> None:
    changed(execute)
    declare("V", "SELECT absent FROM lending_customer")


def too_old_and_changed(execute: Any) -> None:
    too_old(execute)
    stored("V", "SELECT 2 AS id", refresh_every=dt.timedelta(microseconds=1))


def without_rows_and_changed(execute: Any) -> None:
    without_rows(execute)
    stored("V", "SELECT 2 AS id", with_data=False)


def refused_over_an_empty_one(execute: Any) -> None:
    over_an_empty_one(execute)
    declare("V", "SELECT absent FROM views.empty")


SCENES = {
    over_an_empty_one: [State.UNREADABLE],
    over_one_over_an_empty_one: [State.UNREADABLE],
    with_an_owner_who_may_not_read: [State.UNREADABLE, State.DRIFTED],
    refused_by_postgresql: [State.INVALID, State.MISSING],
    with_two_statements: [State.INVALID],
    in_a_circle: [State.INVALID, State.MISSING],
    in_a_circle_with_an_installed_one: [State.INVALID, State.MISSING],
    over_a_refused_one: [State.INVALID, State.MISSING],
    of_another_kind: [State.WRONG_KIND],
    without_rows: [State.NOT_POPULATED],
    too_old: [State.STALE],
    changed: [State.CHANGED],
    drifted: [State.DRIFTED],
    missing: [State.MISSING],
    orphaned: [State.ORPHANED],
    unmanaged: [State.UNMANAGED],
    synced: [State.SYNCED],
    changed_over_an_empty_one: [State.UNREADABLE, State.CHANGED],
    changed_and_drifted: [State.CHANGED, State.DRIFTED],
    refused_and_changed: [State.INVALID, State.CHANGED],
    too_old_and_changed: [State.STALE, State.CHANGED],
    without_rows_and_changed: [State.NOT_POPULATED, State.CHANGED],
    refused_over_an_empty_one: [State.UNREADABLE, State.INVALID, State.CHANGED],
}
