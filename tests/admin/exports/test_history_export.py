"""The history as a file: the runs that the page would list, in a form that programs and spreadsheets read."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import uuid

import pytest
from asgiref.sync import async_to_sync
from django.db import connections
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from orm_views_admin.models import Run
from tests.admin.browse import LIST, key, text_of
from tests.admin.histories import make_run

pytestmark = pytest.mark.django_db
HISTORY = f"{LIST}runs/"
EXPORT = f"{HISTORY}export/"
REQUEST = uuid.UUID(int=7)


def save(client, form, **parameters):
    """The response and the text of an export."""
    response = client.get(f"{EXPORT}{form}/", parameters)
    assert response.status_code == 200
    assert response.streaming
    return response, b"".join(response).decode()


def take_times(record):
    """Take the times out of a record."""
    names = [name for name in record if name.endswith("_at")]
    return {name: dt.datetime.fromisoformat(record.pop(name)) for name in names}


def records(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def run():
    return make_run(
        "ages",
        request=REQUEST,
        who="ann",
        origin=Run.Origin.COMMAND,
        concurrently=False,
        why_not="it has no unique index",
        seconds=2.5,
        waited=1.25,
        rows_before=1000,
        rows_after=1234,
        rows_exact=True,
        size_before=8192,
        state=Run.State.FAILED,
        error='division by zero, "quoted"\nCONTEXT: somewhere',
    )


EXPECTED = {
    "request": str(REQUEST),
    "kind": "refresh",
    "database": "default",
    "schema": "views",
    "view": "ages",
    "state": "failed",
    "origin": "command",
    "who": "ann",
    "cancelled_by": "",
    "concurrently": False,
    "why_not_concurrently": "it has no unique index",
    "queue_seconds": 0.0,
    "seconds": 2.5,
    "waited_seconds": 1.25,
    "rows_before": 1000,
    "rows_after": 1234,
    "rows_exact": True,
    "size_before_bytes": 8192,
    "size_after_bytes": None,
    "summary": "",
    "error": 'division by zero, "quoted"\nCONTEXT: somewhere',
}


def test_json_has_every_run_with_its_facts(admin_client, run):
    response, text = save(admin_client, "json")
    (record,) = json.loads(text)
    times = take_times(record)
    assert record == EXPECTED
    assert times == {"queued_at": run.queued_at, "started_at": run.started_at, "finished_at": run.finished_at}
    assert response["Content-Type"] == "application/json"
    assert 'attachment; filename="runs-' in response["Content-Disposition"]


def test_csv_has_the_same(admin_client, run):
    response, text = save(admin_client, "csv")
    (record,) = records(text)
    times = take_times(record)
    assert times["queued_at"] == run.queued_at
    words = {None: "", True: "true", False: "false"}
    assert record == {
        name: words[value] if value is None or isinstance(value, bool) else str(value)
        for name, value in EXPECTED.items()
    }
    assert response["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("form", ["csv", "json"])
def test_nothing_is_a_file_as_well(admin_client, form):
    _, text = save(admin_client, form)
    assert (json.loads(text) if form == "json" else records(text)) == []


def test_it_has_the_runs_that_the_page_lists_in_its_order_and_all_of_them(admin_client):
    for n in range(120):
        make_run("ages", ago=60 * n, who="ann", summary=str(n))
    make_run("towns", who="ann")
    make_run("ages", who="bob")
    _, text = save(admin_client, "csv", who="ann", view=key("ages"), page="2")
    assert [record["summary"] for record in records(text)] == [str(n) for n in range(120)]


def test_the_page_leads_to_it_with_its_filters(admin_client, run):
    page = admin_client.get(HISTORY, {"who": "ann", "view": key("ages"), "page": "1"}).content.decode()
    for form in ("csv", "json"):
        (link,) = [part.partition('"')[0] for part in page.split('href="') if f"export/{form}/" in part[:80]]
        response = admin_client.get(link.replace("&amp;", "&"))
        assert response.status_code == 200
        assert str(REQUEST) in b"".join(response).decode()
        assert "who=ann" in link
        assert "page" not in link
    assert "CSV" in text_of(page)


def test_a_page_without_runs_offers_no_file(admin_client):
    assert "export/" not in admin_client.get(HISTORY).content.decode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])  # noqa: RUF001
def test_no_text_is_a_formula_for_a_spreadsheet(admin_client, text):
    make_run("ages", who=text, seconds=2.5)
    (record,) = records(save(admin_client, "csv")[1])
    assert record["who"] == f"'{text}"
    (as_json,) = json.loads(save(admin_client, "json")[1])
    assert as_json["who"] == text


def test_it_takes_as_many_queries_for_a_thousand_runs_as_for_ten(admin_client):
    counts = []
    for count in (10, 1000):
        Run.objects.all().delete()
        base = make_run("ages")
        Run.objects.bulk_create(
            Run(request=base.request, kind=base.kind, database="default", name="a", state=Run.State.FAILED)
            for _ in range(count - 1)
        )
        with CaptureQueriesContext(connections["default"]) as queries:
            _, text = save(admin_client, "csv")
        assert len(records(text)) == count
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["csv", "json"])
def test_it_is_streamed_by_an_asynchronous_server_as_well(admin_user, form):
    for _ in range(3):
        make_run("ages", who="ann")
    client = AsyncClient()
    client.force_login(admin_user)

    async def ask():
        response = await client.get(f"{EXPORT}{form}/")
        assert response.is_async
        return b"".join([piece async for piece in response]).decode()

    assert async_to_sync(ask)().count("ann") == 3


def test_another_form_is_not_found(admin_client):
    assert admin_client.get(f"{EXPORT}xls/").status_code == 404
    assert admin_client.post(f"{EXPORT}csv/").status_code == 405


def test_without_time_zones(admin_client, settings, run):
    settings.USE_TZ = False
    (record,) = json.loads(save(admin_client, "json")[1])
    assert dt.datetime.fromisoformat(record["queued_at"]).tzinfo is not None
