"""Who looked at the rows of a customer: two clicks for those who may know, and no way for others."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone
from playwright.sync_api import Page, expect

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import RowAccess
from orm_views_admin.runs.accesses import record
from orm_views_core.database.rows import Condition, Operator
from orm_views_core.names import ViewName
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, url
from tests.browser.visits import address_of

from .test_tasks import Clicks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

#: The customer's rows, as somebody looks at them who has been asked.
ROWS = f"{url('preview', 'loans')}?column.customer_id.equals=5"


@pytest.fixture(autouse=True)
def past() -> None:
    """Two looked at the customer's rows, one of them long ago; others looked at other rows, or at any."""
    declare("Loans", "SELECT n AS id, n % 10 AS customer_id FROM generate_series(1, 100) AS n")
    sync_views()
    address = ViewAddress("default", ViewName("views", "loans"))
    for who, days, values in (("Ann", 2, "5"), ("Ben", 30, "5"), ("Cid", 1, "6"), ("Dan", 3, "")):
        conditions = [Condition("customer_id", Operator.EQUALS, (values,))] if values else []
        record(get_user_model()(username=who), address, RowAccess.Kind.PREVIEW, conditions=conditions)
        RowAccess.objects.filter(who=who).update(at=timezone.now() - dt.timedelta(days=days))


@pytest.fixture
def open_as(page: Page, log_in: Any) -> Any:
    """A function that opens an address as somebody with some permissions, and returns the status as well."""

    def open_as(path: str, *codenames: str) -> tuple[Page, int]:
        user = get_user_model().objects.create_user("Eve", is_staff=True)
        found = Permission.objects.filter(content_type__app_label="orm_views_admin", codename__in=codenames)
        assert len(found) == len(codenames)
        user.user_permissions.set(found)
        response = log_in(user).goto(path)
        assert response is not None
        assert address_of(page) == path
        return page, response.status

    return open_as


def test_who_looked_at_a_customer_s_rows_last_week_takes_two_clicks(open_as: Any) -> None:
    rights = ("view_registeredview", "preview_registeredview", "view_rowaccess")
    page, status = open_as(ROWS, *rights)
    assert status == 200
    task = Clicks(page)
    task.click(page.get_by_role("link", name="Who has read these rows"))
    task.click(page.get_by_role("link", name="the last 7 days"))
    assert task.count == 2
    expect(page.get_by_role("heading", name="Who read rows of views.loans")).to_be_visible()
    # Whoever asks has just read them, too.
    expect(page.locator("td.ov-who")).to_have_text(["Eve", "Ann"])
    expect(page.get_by_text("1 further access may have shown these rows")).to_be_visible()
    page.get_by_role("link", name="Show them").click()
    expect(page.locator("td.ov-who")).to_have_text(["Dan"])


def test_without_the_permission_there_is_neither_a_link_nor_a_page(open_as: Any) -> None:
    page, status = open_as(ROWS, "view_registeredview", "preview_registeredview")
    assert status == 200
    for path in (ROWS, LIST, url("detail", "loans")):
        page.goto(path)
        assert address_of(page) == path
        expect(page.get_by_text("loans").first).to_be_visible()
        assert page.locator("a[href*=accesses]").count() == 0
    response = page.goto(f"{LIST}accesses/")
    assert response is not None
    assert response.status == 403
