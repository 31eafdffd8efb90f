"""Something to look at: a view in every state, committed, so that the server's own threads see it."""

from __future__ import annotations

from django.db import connections

from orm_views_core.registry import registry
from orm_views_core.sync import sync_views
from tests.admin.pages import LIST, declare, declare_materialised, key, url
from tests.demo import data
from tests.demo.lending.postgres_views import ActiveLoans, Customers, DataAsOf, LoanBook

PAGES = {
    "list": LIST,
    "list, nothing found": f"{LIST}?q=absent",
    "list, filtered": f"{LIST}?kind=view&status=attention&sort=-view",
    "detail, synced": url("detail", "ages"),
    "detail, changed": url("detail", "towns"),
    "detail, invalid": url("detail", "broken"),
    "detail, materialised": url("detail", "summary"),
    "plan": f"{LIST}sync/?view={key('towns')}&view={key('above')}&view={key('gone')}&view={key('missing')}",
    "plan, refused": f"{LIST}sync/",
    "plan, nothing to do": f"{LIST}sync/?view={key('ages')}",
    "refresh": f"{LIST}refresh/",
    "refresh, nothing": f"{LIST}refresh/?view={key('ages')}",
    "preview": url("preview", "ages"),
    "preview, filtered": f"{url('preview', 'ages')}?sort=-id&column.word=long",
    "preview, refused": f"{url('preview', 'ages')}?sort=absent",
    "preview, not populated": url("preview", "empty"),
    "rows": "/admin/lending/loanbook/?id__lt=30",
    "rows, filtered": "/admin/lending/loanbook/?opened_on__year=2024&q=o&o=-3&_facets=True",
    "rows, linked": "/admin/lending/activeloans/?id__lt=30",
    "rows, estimated": "/admin/lending/activeloans/?o=1",
    "rows, not populated": "/admin/lending/loanbook/?p=1",
    "row": "/admin/lending/loanbook/5/change/",
    "row, linked": "/admin/lending/activeloans/5/change/",
}


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
