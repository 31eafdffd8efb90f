"""Exports from the page of a view's rows: the form, the run, and the file."""

from __future__ import annotations

import datetime as dt
import json
import re
from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.checks.registry import registry
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orm_views_admin.checks import check_exports
from orm_views_admin.files.formats import FORMATS
from orm_views_admin.models import RowAccess, Run
from orm_views_admin.runs import prune
from orm_views_core.sync import sync_views
from tests.admin.browse import declare, declare_materialised, run_page, text_of, url
from tests.admin.exports.exported import csv_rows, json_rows, parquet_table, xlsx_rows

pytestmark = pytest.mark.django_db

NUMBERS = "SELECT n AS id, 'number ' || n AS word, -n AS negative FROM generate_series(1, 30) AS n"
EXPORTS = ("view", "preview", "export")


@pytest.fixture
def numbers():
    """A view, and the address of its exports."""
    declare("Numbers", NUMBERS)
    sync_views()
    Run.objects.all().delete()
    return url("export", "numbers")


@pytest.fixture
def export(browse):
    """A function that exports a view as the superuser, and returns its run."""

    def ask(path, query="", form="csv"):
        response = browse.post(f"{path}?{query}" if query else path, format=form)
        run_page(response)
        return Run.objects.get(kind=Run.Kind.EXPORT, request=response["Location"].split("/")[-2])

    return ask


def path_of(page, run):
    return reverse(f"orm_views_admin:{page}", kwargs={"run_request": run.request})


def file_of(run):
    return path_of("run_file", run)


def content(client, run):
    response = client.get(file_of(run))
    assert response.status_code == 200, text_of(response.content.decode())
    return b"".join(response.streaming_content)


def test_the_rows_that_a_page_is_filtered_and_sorted_for_are_exported(browse, numbers, export):
    query = "column.id.at_least=21&column.word.contains=2&sort=-id&page=3"
    page = browse.get(url("preview", "numbers"), **{"column.id.at_least": "21", "sort": "-id", "page": "1"})
    (action,) = re.findall(r'<form method="post" action="([^"]*)" class="ov-export"', page)
    assert "page=" not in action
    assert "sort=-id" in action
    run = export(numbers, query)
    assert run.state == Run.State.SUCCEEDED, run.error
    rows = csv_rows(content(browse.client, run))
    assert rows == [["id", "word", "negative"]] + [
        [str(n), f"number {n}", str(-n)] for n in range(29, 20, -1)
    ]
    assert (run.rows_after, run.rows_exact) == (9, True)
    assert run.size_after == len(content(browse.client, run))
    assert run.user.is_superuser
    assert LogEntry.objects.get().change_message == "Started an export."


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_has_the_rows(browse, numbers, export, form):
    run = export(numbers, "sort=id", form)
    response = browse.client.get(file_of(run))
    data = b"".join(response.streaming_content)
    first = ["1", "number 1", "-1"]
    if form == "csv":
        assert csv_rows(data)[1] == first
    elif form == "jsonl":
        assert list(json_rows(data)[0].values()) == first
    elif form == "xlsx":
        assert xlsx_rows(data)[1] == [1, "number 1", -1]
    else:
        assert parquet_table(data).to_pylist()[0] == {"id": 1, "word": "number 1", "negative": -1}
    assert (
        response["Content-Disposition"] == f'attachment; filename="numbers-{timezone.now():%Y-%m-%d}.{form}"'
    )
    assert response["X-Content-Type-Options"] == "nosniff"
    assert {"private", "no-store"} <= set(re.split(r",\s*", response["Cache-Control"]))
    assert response["Content-Length"] == str(len(data))
    assert response["Content-Type"] == FORMATS[form].content_type


def test_an_export_is_recorded_with_who_which_filter_and_how_many_rows(numbers, export):
    run = export(numbers, "column.id.at_most=7&sort=-id", "jsonl")
    access = RowAccess.objects.get(kind=RowAccess.Kind.EXPORT)
    assert (access.who, access.rows, access.run) == (run.who, 7, run)
    assert (access.view_name, access.with_personal) == (run.view_name, False)
    assert access.about == "id is at most 7, sorted by id, descending, as jsonl"


def test_rows_that_cannot_be_recorded_are_not_exported(numbers, export, kept, monkeypatch, execute):
    execute("ALTER TABLE orm_views_admin_rowaccess RENAME TO elsewhere")
    try:
        run = export(numbers)
    finally:
        execute("ALTER TABLE elsewhere RENAME TO orm_views_admin_rowaccess")
    assert run.state == Run.State.FAILED
    assert "could not be recorded" in run.error
    assert run.file == ""
    assert list(kept.iterdir()) == []


def test_the_page_of_the_run_has_the_file(browse, numbers, export, settings):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline", "EXPORT_ROWS": 10}
    run = export(numbers, "column.id.at_least=3", "xlsx")
    html = browse.get(path_of("run", run))
    text = text_of(html)
    assert f'href="{file_of(run)}"' in html
    assert "Export of views.numbers" in text
    assert "The file has only the first 10 rows: there are more." in text
    assert "What was asked for id is at least 3" in text
    assert "Format XLSX" in text
    assert "Refresh again" not in text
    assert f'href="{url("preview", "numbers")}?column.id.at_least=3"' in html
    state = json.loads(browse.get(path_of("run_state", run)))["runs"][0]
    assert state["texts"]["file"].startswith("numbers-")
    assert state["share"] is None


def test_exactly_as_many_rows_as_may_be_are_all(numbers, export, settings, browse):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline", "EXPORT_ROWS": 30}
    for form in FORMATS:
        run = export(numbers, "sort=id", form)
        assert not run.options["result"]["has_more"], form
        assert run.rows_after == 30
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline", "EXPORT_ROWS": 29}
    for form in FORMATS:
        run = export(numbers, "sort=id", form)
        assert run.options["result"]["has_more"], form
        assert run.rows_after == 29
    assert csv_rows(content(browse.client, export(numbers, "sort=id")))[-1][0] == "29"


def test_an_export_needs_its_own_permission(staff, numbers, kept):
    for verbs in (("view", "preview"), ("view", "export")):
        client = staff(*verbs)
        assert client.post(numbers, {"format": "csv"}).status_code == 403, verbs
    page = Client.get(staff("view", "preview", "cancel"), url("preview", "numbers"))
    assert b"ov-export" not in page.content
    assert not Run.objects.exists()
    client = staff(*EXPORTS)
    assert b"ov-export" in client.get(url("preview", "numbers")).content


def test_the_file_is_for_who_made_it_and_for_superusers(
    staff, numbers, admin_client, django_capture_on_commit_callbacks
):
    own, other = staff(*EXPORTS), staff(*EXPORTS, "cancel")
    with django_capture_on_commit_callbacks(execute=True):
        own.post(f"{numbers}?column.id.equals=17", {"format": "csv"})
    run = Run.objects.get()
    assert len(csv_rows(content(own, run))) == 2
    assert RowAccess.objects.count() == 1
    assert other.get(file_of(run)).status_code == 403
    assert Client().get(file_of(run)).status_code == 302
    page = text_of(other.get(path_of("run", run)).content.decode())
    assert "Export of views.numbers" in page
    assert "id = 17" not in page
    assert "id = 17" in text_of(own.get(path_of("run", run)).content.decode())
    assert len(csv_rows(content(admin_client, run))) == 2
    again = RowAccess.objects.order_by("pk").last()
    assert (again.who, again.rows, again.run) == ("admin", 1, run)
    assert "the export of staff-view-preview-export" in again.about


def test_a_file_that_cannot_be_given_says_why(
    staff, numbers, browse, execute, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        staff(*EXPORTS).post(numbers, {"format": "csv"})
    run = Run.objects.get()
    execute("ALTER TABLE orm_views_admin_rowaccess RENAME TO elsewhere")
    try:
        response = browse.client.get(file_of(run))
    finally:
        execute("ALTER TABLE elsewhere RENAME TO orm_views_admin_rowaccess")
    assert response["Location"] == path_of("run", run)
    assert "could not be recorded that you read them" in browse.read(path_of("run", run))


def test_permissions_are_checked_at_each_download(staff, numbers, django_capture_on_commit_callbacks):
    client = staff(*EXPORTS)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(numbers, {"format": "csv"})
    run = Run.objects.get()
    assert content(client, run)
    user = get_user_model().objects.get(pk=run.user_id)
    gone = user.user_permissions.get(codename="preview_registeredview")
    user.user_permissions.remove(gone)
    assert client.get(file_of(run)).status_code == 403


def test_a_right_that_is_gone_when_the_export_begins_ends_it(
    staff, numbers, django_capture_on_commit_callbacks
):
    client = staff(*EXPORTS)
    with django_capture_on_commit_callbacks(execute=False) as callbacks:
        client.post(numbers, {"format": "csv"})
    run = Run.objects.get()
    run.user.user_permissions.clear()
    assert len(callbacks) == 1
    for callback in callbacks:
        callback()
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert "may not export rows of views.numbers any more" in run.error


def test_files_are_kept_for_a_while(browse, numbers, export, kept):
    run = export(numbers)
    assert len(list(kept.iterdir())) == 1
    prune()
    assert content(browse.client, run)
    Run.objects.update(finished_at=timezone.now() - dt.timedelta(days=1, minutes=1))
    assert browse.client.get(file_of(run)).status_code == 404
    prune()
    assert list(kept.iterdir()) == []
    run.refresh_from_db()
    assert run.file == ""
    assert "The file is no longer kept." in browse.read(path_of("run", run))


def test_a_file_goes_with_its_run(numbers, export, kept, django_capture_on_commit_callbacks):
    run = export(numbers)
    with django_capture_on_commit_callbacks(execute=True):
        Run.objects.filter(pk=run.pk).update(queued_at=timezone.now() - dt.timedelta(days=91))
        prune()
    assert not Run.objects.exists()
    assert list(kept.iterdir()) == []


def test_a_user_has_at_most_three_under_way(browse, numbers, export):
    for _ in range(3):
        run = export(numbers)
        Run.objects.filter(pk=run.pk).update(
            state=Run.State.QUEUED, claimed_at=timezone.now(), finished_at=None, file=""
        )
    response = browse.post(numbers, format="csv")
    assert response["Location"] == url("preview", "numbers")
    assert "3 exports of yours are under way." in browse.read(url("preview", "numbers"))
    assert Run.objects.count() == 3


def test_a_wrong_filter_is_shown_and_nothing_is_exported(browse, numbers):
    response = browse.post(f"{numbers}?column.id.equals=many", format="csv")
    assert response["Location"] == f"{url('preview', 'numbers')}?column.id.equals=many"
    assert not Run.objects.exists()
    assert browse.client.post(numbers, {"format": "exe"}).status_code == 404
    assert browse.client.get(f"{numbers}?sort=id")["Location"] == f"{url('preview', 'numbers')}?sort=id"


def test_a_value_that_postgresql_refuses_ends_the_export(browse, numbers, export):
    run = export(numbers, "column.id.equals=99999999999999999999")
    assert run.state == Run.State.FAILED
    assert "is not a value of the type integer" in run.error


@pytest.mark.usefixtures("demo_data", "personal")
class TestPersonalData:
    """Columns with personal data are left out of the files of those who may not see them."""

    @pytest.fixture
    def contacts(self):
        declare("Contacts", "SELECT id, email, city FROM lending_customer")
        sync_views()
        Run.objects.all().delete()
        return url("export", "contacts")

    @pytest.fixture
    def exporting(self, staff, contacts, django_capture_on_commit_callbacks):
        def ask(*verbs, query="", form="csv"):
            client = staff(*EXPORTS, *verbs)
            with django_capture_on_commit_callbacks(execute=True):
                response = client.post(f"{contacts}?{query}", {"format": form})
            return client, response, Run.objects.filter(kind=Run.Kind.EXPORT).last()

        return ask

    @pytest.mark.parametrize("form", FORMATS)
    def test_masked_columns_are_left_out_and_it_is_said(self, exporting, form):
        client, _response, run = exporting(form=form)
        data = content(client, run)
        assert b"email" not in data
        assert b"@" not in data or form not in ("csv", "jsonl")
        page = text_of(client.get(path_of("run", run)).content.decode())
        assert "A column with personal data is left out: email." in page
        assert not RowAccess.objects.get().with_personal

    def test_who_may_see_them_has_them_and_that_is_recorded(self, exporting):
        client, _response, run = exporting("view_personal")
        assert csv_rows(content(client, run))[0] == ["id", "email", "city"]
        assert RowAccess.objects.get().with_personal
        assert run.options["result"]["personal"] == ["email"]

    def test_a_file_with_personal_data_needs_the_permission_at_each_download(self, exporting):
        client, _response, run = exporting("view_personal")
        user = run.user
        user.user_permissions.remove(user.user_permissions.get(codename="view_personal_registeredview"))
        assert client.get(file_of(run)).status_code == 403

    @pytest.mark.parametrize("query", ["sort=email", "column.email.contains=a"])
    def test_rows_are_neither_sorted_nor_filtered_by_them(self, exporting, query):
        _client, response, run = exporting(query=query)
        assert response["Location"].startswith(url("preview", "contacts"))
        assert run is None

    def test_a_right_that_is_gone_masks_them_when_the_export_begins(
        self, staff, contacts, django_capture_on_commit_callbacks
    ):
        client = staff(*EXPORTS, "view_personal")
        with django_capture_on_commit_callbacks() as callbacks:
            client.post(contacts, {"format": "csv"})
        user = Run.objects.get().user
        user.user_permissions.remove(user.user_permissions.get(codename="view_personal_registeredview"))
        callbacks[0]()
        assert csv_rows(content(client, Run.objects.get()))[0] == ["id", "city"]


def test_what_is_marked_since_a_file_was_made_is_personal(staff, request, django_capture_on_commit_callbacks):
    declare("Contacts", "SELECT id, email, city FROM lending_customer")
    sync_views()
    client = staff(*EXPORTS)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url("export", "contacts"), {"format": "csv"})
    run = Run.objects.get(kind=Run.Kind.EXPORT)
    assert content(client, run) == b"id,email,city\n"
    request.getfixturevalue("personal")
    assert client.get(file_of(run)).status_code == 403


def test_who_has_started_an_export_may_cancel_it(staff, numbers):
    own, other = staff(*EXPORTS), staff("view")
    own.post(numbers, {"format": "csv"})
    run = Run.objects.get()
    assert run.state == Run.State.QUEUED
    path = reverse("orm_views_admin:cancel", kwargs={"pk": run.pk})
    assert other.post(path).status_code == 403
    assert b"Cancel" in own.get(path_of("run", run)).content
    assert own.post(path).status_code == 302
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    assert [entry.change_message for entry in LogEntry.objects.order_by("pk")][-1] == "Cancelled an export."


def test_several_exports_are_on_one_page(browse, numbers, export):
    first, second = export(numbers), export(numbers)
    html = browse.get(path_of("run", first), **{"and": str(second.request)})
    assert "2 exports" in text_of(html)
    assert html.count(">Download ") == 2


def test_w003_exports_need_a_storage_that_all_servers_share(settings, kept):
    def found():
        messages = check_exports(None)
        assert {message.id for message in messages} <= {"orm_views_admin.W003"}
        return messages

    assert check_exports in registry.get_checks(include_deployment_checks=True)
    assert check_exports not in registry.get_checks()
    assert found() == []
    settings.MEDIA_ROOT = str(kept.parent)
    (message,) = found()
    assert "inside MEDIA_ROOT" in message.msg
    settings.STORAGES = {key: each for key, each in settings.STORAGES.items() if key != "orm_views_exports"}
    (message,) = found()
    assert message.msg.startswith("STORAGES has no 'orm_views_exports'.")
    assert "readthedocs.io/page/how-to/exports.html" in message.hint


def test_a_view_without_columns_has_nothing_to_export(browse, export):
    declare("Nothing", "SELECT FROM generate_series(1, 3)")
    sync_views()
    assert "ov-export" not in browse.get(url("preview", "nothing"))
    run = export(url("export", "nothing"))
    assert run.state == Run.State.FAILED
    assert "it has no columns" in run.error


def test_formats_without_their_library_say_so(browse, numbers, monkeypatch):
    monkeypatch.setattr("orm_views_admin.files.formats.find_spec", lambda name: None)
    html = browse.get(url("preview", "numbers"))
    assert '<option value="xlsx" disabled>' in html
    assert '<option value="csv">' in html
    assert 'pip install "django-orm-views-admin[parquet]"' in text_of(html).replace("&quot;", '"')
    assert browse.client.post(numbers, {"format": "xlsx"}).status_code == 404


def test_exports_do_not_count_as_refreshes(browse, export):
    declare_materialised("Stored", "SELECT 1 / n AS n FROM generate_series(0, 1) AS n WHERE n > 0")
    sync_views()
    Run.objects.all().delete()
    for state in (Run.State.FAILED, Run.State.LOST):
        run = export(url("export", "stored"))
        assert run.state == Run.State.SUCCEEDED, run.error
        Run.objects.filter(pk=run.pk).update(state=state, error="no", error_summary="no")
    run = export(url("export", "stored"))
    Run.objects.filter(pk=run.pk).update(state=Run.State.QUEUED, claimed_at=timezone.now())
    detail, listed = browse.read(url("detail", "stored")), browse.read("/admin/orm-views/")
    for words in ("has failed", "failed", "waits for its turn", "under way"):
        assert words not in detail, words
        assert words not in listed, words
    response = browse.post("/admin/orm-views/refresh/", view="default/views/stored", confirm="yes")
    assert response.status_code in (200, 302)
    history = browse.read("/admin/orm-views/runs/?kind=export")
    assert history.count("export views.stored") == 3


def test_values_of_conditions_are_literals_whatever_they_have(browse, export, execute):
    """COPY has no parameters."""
    values = ["'", "\\", "\\'", "%s", "%%", "$1", "{x}", "'; DROP SCHEMA views; --", "é🦊", "$$", "E'\\n'"]
    execute("CREATE TABLE literal (n integer, word text)")
    with connections["default"].cursor() as cursor:
        for n, value in enumerate(values):
            cursor.execute("INSERT INTO literal VALUES (%s, %s)", [n, value])
    declare("Literals", "SELECT n, word FROM literal")
    sync_views()
    forms = ("csv", "jsonl")
    for conforming in ("on", "off"):
        execute(
            f"SET LOCAL standard_conforming_strings = {conforming}; SET LOCAL escape_string_warning = off"
        )
        for n, value in enumerate(values):
            query = urlencode({"column.word.equals": value})
            run = export(url("export", "literals"), query, forms[n % 2])
            assert run.rows_after == 1, (conforming, value, run.error)
            assert str(n).encode() in content(browse.client, run)
