"""Something to look at: a view in every state, committed, so that the server's own threads see it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.utils import timezone

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.files.request import ExportRequest, ExportResult
from orm_views_admin.models import RowAccess, Run, ViewChange
from orm_views_admin.origins import started_by
from orm_views_admin.runs.accesses import record
from orm_views_core.database.rows import Cell, Condition, Operator, digest
from orm_views_core.names import ViewName
from orm_views_core.plan.steps import Action
from orm_views_core.sentences import listed, says
from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry
from tests.admin.browse import LIST, declare, declare_materialised, key, url
from tests.admin.histories import make_run
from tests.demo import data
from tests.demo.lending.postgres_views import ActiveLoans, Customers, DataAsOf, LoanBook

ENDED, SYNCED, QUEUED, EXPORTED, EXPORTING = (uuid.UUID(int=n) for n in range(1, 6))
#: The primary keys of changes of views.
CREATED, CHANGED, DROPPED = 10_001, 10_002, 10_003

_LAST_WORD = f"{url('cell', 'ages')}?sort=-id&column=word&row=1"

PAGES = {
    "list": LIST,
    "list, nothing found": f"{LIST}?q=absent",
    "list, filtered": f"{LIST}?kind=view&status=attention&sort=-view",
    "graph": f"{LIST}graph/?tables=on",
    "graph of a view": f"{LIST}graph/?view={key('summary')}",
    "graph of a column": f"{LIST}graph/?view={key('ages')}&column=id",
    "detail, synced": url("detail", "ages"),
    "detail, changed": url("detail", "towns"),
    "detail, invalid": url("detail", "broken"),
    "detail, personal": url("detail", "contacts"),
    "detail, on purpose": url("detail", "mailing"),
    "list, personal": f"{LIST}?q=lending_customer.email",
    "preview, masked": url("preview", "contacts"),
    "preview, masked and refused": f"{url('preview', 'contacts')}?sort=email",
    "detail, materialised": url("detail", "summary"),
    "plan": f"{LIST}sync/?view={key('towns')}&view={key('above')}&view={key('gone')}&view={key('missing')}",
    "plan, refused": f"{LIST}sync/",
    "plan, nothing to do": f"{LIST}sync/?view={key('ages')}",
    "compare": f"{LIST}sync/compare/?view={key('towns')}&view={key('above')}&view={key('gone')}",
    "compare, nothing to do": f"{LIST}sync/compare/?view={key('ages')}&stored=on",
    "refresh": f"{LIST}refresh/",
    "refresh, nothing": f"{LIST}refresh/?view={key('ages')}",
    "preview": url("preview", "ages"),
    "preview, filtered": f"{url('preview', 'ages')}?sort=-id&column.word=long",
    "preview, filtered badly": f"{url('preview', 'ages')}?column.moment.at_least=soon&column.id.in=1,2",
    "preview, refused": f"{url('preview', 'ages')}?sort=absent",
    "cell, whole": f"{_LAST_WORD}&digest={digest(Cell('long ' * 120, 600))}",
    "cell, changed": f"{_LAST_WORD}&digest=0",
    "preview, not populated": url("preview", "empty"),
    "rows": "/admin/lending/loanbook/?id__lt=30",
    "rows, filtered": "/admin/lending/loanbook/?opened_on__year=2024&q=o&o=-3&_facets=True",
    "rows, linked": "/admin/lending/activeloans/?id__lt=30",
    "rows, estimated": "/admin/lending/activeloans/?o=1",
    "rows, not populated": "/admin/lending/loanbook/?p=1",
    "row": "/admin/lending/loanbook/5/change/",
    "row, linked": "/admin/lending/activeloans/5/change/",
    "history": f"{LIST}runs/",
    "history, of a view": f"{LIST}runs/?view={key('summary')}",
    "history, nothing found": f"{LIST}runs/?state=lost&view={key('above')}",
    "accesses": f"{LIST}accesses/",
    "accesses, of rows": f"{LIST}accesses/?view={key('ages')}&column.id.equals=5",
    "accesses, nothing found": f"{LIST}accesses/?column.id.equals=absent&from=soon&rows=other",
    "run, ended": f"{LIST}runs/{ENDED}/",
    "run, of a sync": f"{LIST}runs/{SYNCED}/",
    "run, in the queue": f"{LIST}runs/{QUEUED}/",
    "run, an export": f"{LIST}runs/{EXPORTED}/",
    "run, an export under way": f"{LIST}runs/{EXPORTING}/",
    "changes": url("changes", "branches"),
    "change": f"{url('changes', 'branches')}{CHANGED}/",
    "change, the first": f"{url('changes', 'branches')}{CREATED}/",
    "changes, dropped": url("changes", "former"),
    "change, dropped": f"{url('changes', 'former')}{DROPPED}/",
}


_STEPS = [
    {"action": action.value, "target": f"views.{name}", "text": action.value, "state": state, "seconds": 0.25}
    for action, name, state in (
        (Action.CREATE, "ages", "done"),
        (Action.REBUILD, "summary", "running"),
        (Action.DROP, "gone", "pending"),
    )
]


def set_up() -> None:
    """Declare and sync views, then bring some of them out of step."""
    declare(
        "Ages",
        """SELECT n AS id, repeat('long ', n) AS word, NULL::text AS nothing, '{"a": [1, 2]}'::jsonb AS json,
        now() AS moment FROM generate_series(1, 120) AS n WHERE n <> 7 -- but seven""",
        __doc__="Ages of customers, in bands.",
        grant_select_to=["analyst"],
    )
    declare("Towns", "SELECT 1 AS id, 'York' AS town")
    declare_materialised("Above", "SELECT town FROM views.towns")
    declare_materialised("Summary", "SELECT id FROM views.ages", pk_field="id", __doc__="One row for each.")
    declare_materialised("Empty", "SELECT 1 AS one", with_data=False)
    gone = declare("Gone", "SELECT 1 AS one")
    sync_views()
    registry.unregister(gone)
    declare("Towns", "SELECT 1 AS id, 'Leeds' AS town")
    declare("Missing", "SELECT 1 AS one")
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE VIEW views.theirs AS SELECT 1 AS one")
    _write_history()


def _write_history() -> None:
    """Runs of every result, and some that have not ended."""
    results = [Run.State.SUCCEEDED] * 5 + [state for state in Run.State if state not in Run.ACTIVE]
    for n in range(40):
        state = results[n % len(results)]
        make_run(
            "summary",
            ago=3600 * n,
            state=state,
            seconds=None if state in {Run.State.LOST, Run.State.SKIPPED} else 20 + 7 * (n % 5) + n / 3,
            who="Ann Example",
            origin=list(Run.Origin)[n % 4],
            concurrently=n % 3 > 0,
            why_not="" if n % 3 else says("it has no rows yet, so there is nothing to go on reading"),
            waited=n % 4 * 0.4,
            rows_before=1_234_567 + n,
            rows_after=1_234_567 - n,
            size_before=123_456_789,
            size_after=123_456_789 + n * 100_000,
            error="division by zero" if state == Run.State.FAILED else "",
            cancelled_by="Bob Example" if state == Run.State.CANCELLED else "",
        )
    for name, state in (
        ("summary", Run.State.SUCCEEDED),
        ("above", Run.State.FAILED),
        ("empty", Run.State.SKIPPED),
    ):
        make_run(
            name,
            request=ENDED,
            state=state,
            concurrently=True,
            error="division by zero" * (state == "failed"),
        )
    make_run("", request=SYNCED, state=Run.State.FAILED, steps=_STEPS, error="division by zero")
    for name in ("summary", "above"):
        make_run(name, request=QUEUED, state=Run.State.QUEUED, ago=1)
    set_up_exports()


def set_up_exports() -> None:
    """Write an export that has ended, and one under way. Its files are not there."""
    order = says("sorted by %(column)s, descending", column="id")
    asked = ExportRequest("xlsx", [Condition("id", Operator.AT_LEAST, ("5",))], ["-id"], order)
    result = ExportResult(True, ["email"], [], 3, [])
    done = {**asked.as_options(), "result": result.as_options()}
    user = get_user_model().objects.filter(is_superuser=True).first()
    common = {"kind": Run.Kind.EXPORT, "user": user, "who": "ann"}
    ended = {"rows_after": 1_000_000, "rows_exact": True, "size_after": 23_456_789, "file": "none.xlsx"}
    make_run("ages", request=EXPORTED, options=done, **ended, **common)
    options = {**asked.as_options(), "estimate": 3_000_000}
    running = {"state": Run.State.RUNNING, "ago": 12, "rows_after": 1_234_567}
    make_run("ages", request=EXPORTING, options=options, **running, **common)


def set_up_accesses() -> None:
    """Let several people have read rows in every way, by several conditions, some of them days ago."""
    conditions = [
        [Condition("id", Operator.EQUALS, ("5",))],
        [],
        [Condition("id", Operator.AT_MOST, ("90",)), Condition("word", Operator.CONTAINS, ("long " * 30,))],
        [Condition("id", Operator.IN, ("4", "5", "6"))],
        [Condition("id", Operator.EQUALS, ("77",))],
    ]
    views = [ViewAddress("default", ViewName("views", name)) for name in ("ages", "towns", "summary")]
    for n in range(70):
        names = ["Ann Example", "Bob Example", "a.very.long.name@example.org"]
        user = get_user_model()(username=names[n % 3])
        order = says("sorted by %(column)s, descending", column="moment")
        about = [listed([order, says("page %(number)s", number=3)]), says("as %(format)s", format="csv"), ""]
        record(
            user,
            views[n % 7 % 3],
            list(RowAccess.Kind)[n % 5],
            conditions=conditions[n % 4 if n % 7 else 4],
            about=about[n % 3],
            rows=None if n % 11 == 0 else n * 1234,
            with_personal=n % 4 == 0,
        )
    for n, access in enumerate(RowAccess.objects.order_by("-pk")):
        RowAccess.objects.filter(pk=access.pk).update(at=timezone.now() - dt.timedelta(hours=7 * n))


def set_up_changes() -> None:
    """Change a view by a sync after somebody has changed it by hand, and drop another one."""
    data.load(connections["default"], scale=0.001)
    views = [ViewName("views", name) for name in ("branches", "former")]
    sql = "SELECT id, status, opened_on AS {} FROM lending_loan WHERE status <> '{}' -- but {}"
    declare("Branches", sql.format("opened", "closed", "which"), __doc__="Loans by their branch.")
    former = declare_materialised("Former", sql.format("opened", "closed", "all"), pk_field="id")
    sync_views(only=views, databases=["default"])
    with connections["default"].cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE VIEW views.branches AS {sql.format('opened', 'late', 'why')}")
    registry.unregister(former)
    declare("Branches", sql.format("since", "closed", "x"), __doc__="Loans.", grant_select_to=["analyst"])
    with started_by(Run.Origin.ADMIN, who="Ann Example"):
        sync_views(only=views, databases=["default"])
    for name, action, pk in (
        ("branches", Action.CREATE, CREATED),
        ("branches", Action.REBUILD, CHANGED),
        ("former", Action.DROP, DROPPED),
    ):
        assert ViewChange.objects.filter(name=name, actions=[action.value]).update(id=pk)
    changed = ViewChange.objects.get(pk=CHANGED)
    why = says("its owner is not trusted, and it differs from its class")
    changed.lost = [says("%(extra)s: %(why)s", extra="by_hand", why=why)]
    changed.save()


def set_up_personal() -> None:
    """Load some customers, and sync views that show what is personal: by mistake, and on purpose."""
    data.load(connections["default"], scale=0.001)
    declare(
        "Contacts",
        """SELECT customer.id, customer.email, lower(customer.first_name) AS called, customer.city,
        loan.principal / 12 AS monthly, to_jsonb(loan) AS loan
        FROM lending_customer AS customer JOIN lending_loan AS loan ON loan.customer_id = customer.id""",
        __doc__="Whom to call about which loan.",
    )
    declare(
        "Mailing",
        "SELECT email, city, monthly FROM views.contacts WHERE city <> 'York'",
        grant_select_to=["analyst"],
        exposes=("email",),
    )
    declare_materialised("Monthly", "SELECT city, sum(monthly) AS monthly FROM views.mailing GROUP BY city")
    sync_views(views=["contacts", "mailing", "monthly"])
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE VIEW views.theirs_too AS SELECT loan ->> 'status' AS s FROM views.contacts")
        cursor.execute("GRANT SELECT ON views.contacts TO PUBLIC")


def make_staff(*verbs: str) -> Any:
    """Return a member of staff with some permissions."""
    user = get_user_model().objects.create_user(f"staff-{'-'.join(verbs)}", is_staff=True)
    codenames = [f"{verb}_registeredview" for verb in verbs]
    found = Permission.objects.filter(content_type__app_label="orm_views_admin", codename__in=codenames)
    user.user_permissions.set(found)
    return user


def break_one() -> None:
    """Declare a view whose SQL PostgreSQL refuses, which holds up every plan of all views."""
    declare("Broken", "SELECT nonsense FROM lending_customer")


def set_up_rows(name: str) -> None:
    """Load the demonstration's data, and sync those of its views whose rows are in the admin."""
    data.load(connections["default"], scale=0.001)
    for view in (DataAsOf, Customers, LoanBook, ActiveLoans):
        registry.register(view)
    sync_views()
    with connections["default"].cursor() as cursor:
        if name == "rows, not populated":
            cursor.execute("REFRESH MATERIALIZED VIEW views.loan_book WITH NO DATA")
        else:
            slow = "WHERE pg_sleep(0.005) IS NOT NULL" if name == "rows, estimated" else ""
            cursor.execute(
                "CREATE OR REPLACE VIEW views.active_loans AS SELECT id, product_id, principal, annual_rate,"
                f" term_months, status, opened_on FROM lending_loan {slow}"
            )
