"""The views of the matrix, of every kind, each with words of its own; and staff of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client, override_settings

from orm_views_admin.models import RowAccess, Run, ViewChange
from orm_views_core.names import ViewName
from orm_views_core.sync import sync_views
from orm_views_core.views import HiddenViewMixin
from orm_views_core.views.registry import Registry
from tests.admin.browse import declare, declare_materialised, forget
from tests.admin.histories import make_run
from tests.core.readables import lend
from tests.demo.lending.postgres_views import ActiveLoans

from .rules import View, Who

GROUPS = ("zq analysts", "zq operators")
ANALYSTS, OPERATORS = ((name,) for name in GROUPS)

PLAIN = View("zq_plain")
HIDDEN = View("zq_hidden", is_hidden=True)
STORED = View("zq_stored", is_materialised=True)
FAR = View("zq_far", database="warehouse")
#: Only analysts may see that it is there.
SECRET = View("zq_secret", is_materialised=True, staff={"view": ANALYSTS})
#: Everybody may see that it is there.
ROWS = View(
    "zq_rows",
    is_materialised=True,
    staff={
        "preview": ANALYSTS,
        "export": OPERATORS,
        "refresh": OPERATORS,
        "cancel": OPERATORS,
        "sync": OPERATORS,
    },
)
READABLE = View("active_loans", django="view_activeloans")
#: It reads the secret one.
READER = View("zq_reader")
ORPHAN = View("zq_orphan", declared=False)
DROPPED = View("zq_dropped", there=False, declared=False)
#: It is declared, and a sync would create it.
NEW = View("zq_new", there=False, staff={"view": ANALYSTS})

VIEWS = (PLAIN, HIDDEN, STORED, FAR, SECRET, ROWS, READABLE, READER, ORPHAN, DROPPED, NEW)
#: The value of a row that nothing else shows.
ROW_OF_READABLE = "73119.25"


def row_of(view: View) -> str:
    """Return the value in the only row of a view."""
    return ROW_OF_READABLE if view is READABLE else f"row.of.{view.name}"


def words_of(view: View) -> tuple[str, ...]:
    """Return what tells that a view is there: its name, its class, its column and its docstring."""
    if view is READABLE:
        return ("active_loans", "ActiveLoans", "run as agreed")
    short = view.name.removeprefix("zq_")
    return (view.name, f"Zq_{short}", f"col_{short}_zq", f"docof{short}zq")


def build(registered: Registry, execute: Callable[..., Any]) -> None:
    """Declare and sync the views, and write their history."""
    lend()
    for alias in ("default", "warehouse"):
        execute("CREATE TABLE zq_values (name text, value text)", alias)
        rows = ", ".join(f"('{view.name}', '{row_of(view)}')" for view in VIEWS)
        execute(f"INSERT INTO zq_values VALUES {rows}", alias)
    execute(f"UPDATE lending_loan SET principal = {ROW_OF_READABLE} WHERE principal = 100")
    _declare(PLAIN, "FROM zq_values")
    _declare(HIDDEN, "FROM zq_values", HiddenViewMixin)
    _declare(STORED, "FROM zq_values")
    _declare(FAR, "FROM zq_values")
    _declare(SECRET, "FROM zq_values CROSS JOIN views.zq_plain")
    _declare(ROWS, "FROM zq_values")
    declare(
        "Zq_reader",
        "SELECT value AS col_reader_zq, (SELECT count(*) FROM views.zq_secret) AS n FROM zq_values "
        "WHERE name = 'zq_reader'",
        __doc__="It is docofreaderzq.",
    )
    _declare(ORPHAN, "FROM zq_values")
    registered.register(ActiveLoans)
    sync_views(databases=["default", "warehouse"])
    forget(registered, "Zq_orphan")
    _declare(NEW, "FROM zq_values")
    Run.objects.all().delete()
    ViewChange.objects.all().delete()
    steps = [
        {"action": "+ create", "target": f"views.{view.name}", "text": f"create views.{view.name}"}
        for view in VIEWS
    ]
    sync = make_run("", steps=[{**step, "state": "done", "seconds": 1.0} for step in steps])
    for n, view in enumerate(VIEWS, 1):
        make_run(view.name, database=view.database, state=Run.State.QUEUED, ago=1)
        make_run(
            view.name,
            database=view.database,
            state=Run.State.FAILED,
            ago=100,
            error=f"views.{view.name} failed: Key ({row_of(view)}) is wrong.",
            error_summary=f"views.{view.name} failed.",
        )
        RowAccess.objects.create(who="zoe", database=view.database, schema="views", name=view.name)
        ViewChange.objects.create(
            id=n,
            run=sync,
            database=view.database,
            schema="views",
            name=view.name,
            actions=["+ create"],
            reason=f"because of {view.name}",
            sql=f"CREATE VIEW views.{view.name} AS SELECT 1 AS {words_of(view)[-2]}",
        )
    for group in GROUPS:
        Group.objects.get_or_create(name=group)


def _declare(view: View, source: str, *bases: type) -> type:
    _name, label, column, word = words_of(view)
    make = declare_materialised if view.is_materialised else declare
    attributes: dict[str, Any] = {"__doc__": f"It is {word}.", "database": view.database}
    if view.staff:
        attributes["staff"] = {action: list(groups) for action, groups in view.staff.items()}
    sql = f"SELECT value AS {column} {source} WHERE name = '{view.name}'"
    if view.is_materialised:
        return make(label, sql, **attributes)
    return declare(label, sql, *bases, **attributes)


def name_of(view: View) -> ViewName:
    return ViewName("views", view.name)


@contextmanager
def logged_in(who: Who) -> Iterator[Client]:
    """Log somebody in, with the function of the project if that is set."""
    user = get_user_model().objects.create_user("zoe", is_staff=True, is_superuser=who.is_superuser)
    codenames = [f"{verb}_registeredview" for verb in who.verbs]
    found = list(Permission.objects.filter(content_type__app_label="orm_views_admin", codename__in=codenames))
    assert len(found) == len(who.verbs)
    if who.django:
        found.append(Permission.objects.get(codename=READABLE.django))
    if who.sees_accesses:
        found.append(Permission.objects.get(codename="view_rowaccess"))
    user.user_permissions.set(found)
    user.groups.set(Group.objects.filter(name__in=who.groups))
    client = Client(raise_request_exception=True)
    client.force_login(user)
    admin: dict[str, Any] = {"EXECUTOR": "inline"}
    if who.has_hook:
        admin["PERMISSION"] = "tests.admin.rights.rules.asked"
    with override_settings(ORM_VIEWS_ADMIN=admin):
        yield client
    user.delete()
