"""What the pages say at a glance: names, one numbering, what a relation is, the state in the title."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import timezone

from orm_views_admin.models import Run
from orm_views_admin.ui.sql_markup import SHOWN_LINES, highlight_sql
from orm_views_admin.ui.wording import DASH
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, bare, declare, declare_materialised, text_of, url
from tests.admin.histories import make_run, path_of

pytestmark = pytest.mark.django_db

SYNC = f"{LIST}sync/"
HISTORY = f"{LIST}runs/"


def test_a_plan_has_one_numbering_in_the_order_in_which_it_is_done(browse):
    declare("Bottom", "SELECT id FROM lending_customer")
    declare_materialised("Middle", "SELECT id FROM views.bottom")
    declare("Top", "SELECT id FROM views.middle")
    declare("Other", "SELECT 1 AS one")
    sync_views()
    declare("Bottom", "SELECT id FROM lending_customer WHERE id > 5")
    declare("Other", "SELECT 2 AS two")
    page = browse.get(SYNC)
    cells = re.findall(r'<td role="cell" data-label="No." class="ov-number">(\d+)</td>', page)
    assert sorted(map(int, cells)) == list(range(1, len(cells) + 1))
    assert page.count("<ol") == page.count('<ol class="breadcrumbs"')
    numbered = re.findall(r">(\d+)</td>.*?<span class=\"ov-target\"><a [^>]*>([^<]*)", bare(page), re.DOTALL)
    planned = [name for _, name in sorted(numbered, key=lambda pair: int(pair[0]))]
    response = browse.post(SYNC, confirm="yes", **_fingerprint(page))
    assert response.status_code == 302
    run = Run.objects.order_by("pk").last()
    assert [step["target"] for step in run.steps] == planned


def _fingerprint(page):
    return {"default-fingerprint": re.search(r'name="default-fingerprint" value="([^"]*)"', page)[1]}


def test_a_plan_marks_views_of_others_and_links_those_that_have_a_page(browse, execute):
    declare_materialised("Stored", "SELECT id FROM lending_customer")
    sync_views()
    execute(
        "CREATE SCHEMA reports; CREATE VIEW reports.theirs AS SELECT id FROM views.stored;"
        "CREATE VIEW views.beside AS SELECT id FROM views.stored"
    )
    declare_materialised("Stored", "SELECT id FROM lending_customer WHERE id > 5")
    targets = re.findall(
        r'<span class="ov-target">(.*?)</span>\s*(<span class="ov-tag">)?', bare(browse.get(SYNC))
    )
    assert targets == [
        (f'<a href="{url("detail", "stored")}">views.stored</a>', ""),
        ("reports.theirs", '<span class="ov-tag">'),
        (f'<a href="{url("detail", "beside")}">views.beside</a>', '<span class="ov-tag">'),
    ]


def test_a_plan_says_what_means_something_else_afterwards(browse):
    declare("Bottom", "SELECT id, city FROM lending_customer")
    declare("Top", "SELECT city FROM views.bottom")
    sync_views()
    declare("Bottom", "SELECT id, upper(city) AS city FROM lending_customer")
    text = browse.read(SYNC).partition("What means something else afterwards")[2]
    assert text.startswith(
        f" views.bottom {DASH} column city views.top {DASH} column city, by way of views.bottom "
    )


def test_the_sql_of_a_plan_is_formatted(browse):
    declare("Ages", "SELECT id, city FROM lending_customer WHERE id > 5")
    page = re.sub(r"</?span[^>]*>", "", browse.get(SYNC))
    assert "SELECT id,\n       city\nFROM lending_customer\nWHERE id &gt; 5" in page


def test_what_a_view_reads_is_called_what_it_is(browse, execute):
    execute(
        "CREATE FOREIGN DATA WRAPPER none; CREATE SERVER nowhere FOREIGN DATA WRAPPER none;"
        "CREATE FOREIGN TABLE far (id int) SERVER nowhere;"
        "CREATE TABLE parts (id int) PARTITION BY LIST (id); CREATE TABLE alone (id int);"
        "CREATE SCHEMA archive; CREATE TABLE archive.lending_loan (id int);"
        "CREATE MATERIALIZED VIEW kept AS SELECT 1 AS id; CREATE VIEW seen AS SELECT 1 AS id"
    )
    names = ["far", "parts", "alone", "archive.lending_loan", "kept", "seen", "lending_loan"]
    declare("All_", " UNION ALL ".join(f"SELECT id FROM {name}" for name in names), name="all")
    sync_views()
    text = browse.read(url("detail", "all"))
    for said in (
        "public.far foreign table",
        "public.parts partitioned table",
        "public.alone table",
        "archive.lending_loan table public.alone",
        "public.kept materialised view, not registered here",
        "public.seen plain view, not registered here",
        "public.lending_loan table of lending.Loan",
    ):
        assert said in text


def test_who_and_from_where_are_never_the_same_words(browse):
    run = make_run("ages", who="admin", origin=Run.Origin.ADMIN)
    assert "Requested by admin, in the admin, 1 minute ago" in browse.read(path_of(run))
    assert "admin in the admin" in browse.read(HISTORY)


@pytest.mark.parametrize(
    ("state", "title"), [("queued", "Queued"), ("succeeded", "Ended: succeeded"), ("failed", "Ended: failed")]
)
def test_the_title_of_a_run_says_its_state(browse, state, title):
    page = browse.get(path_of(make_run("ages", state=state, ago=1)))
    assert f"<title>{title} {DASH} Refresh of views.ages | " in page


def test_the_title_of_several_runs_says_every_state_once(browse):
    first = make_run("ages", state="failed")
    for name in ("years", "days"):
        make_run(name, request=first.request)
    assert f"<title>Ended: failed, succeeded {DASH} Refresh of 3 views | " in browse.get(path_of(first))


def test_the_chart_has_round_numbers_dates_and_its_scale_in_its_label(browse):
    for n, seconds in enumerate((0.5, 20, 500)):
        make_run("ages", ago=86_400 * 10 * n, seconds=seconds)
    page = browse.get(HISTORY)
    (picture,) = re.findall(r'<svg class="ov-chart-picture".*?</svg>', page, re.DOTALL)
    texts = re.findall(r'<text class="ov-tick-text"[^>]*>([^<]*)</text>', picture)
    assert texts[:5] == ["100 ms", "1 s", "10 s", "1 min", "10 min"]
    today = timezone.localdate()
    assert texts[5:] == [f"{today - dt.timedelta(days=10 * n):%d/%m/%Y}" for n in (2, 1, 0)]
    assert "The scale is logarithmic." in re.search(r'aria-label="([^"]*)"', picture)[1]
    assert "ov-chart" not in page.partition('id="changelist"')[0].partition("<body")[2]


def test_long_sql_is_folded_and_nothing_is_lost():
    lines = [f"SELECT {n} /* {n}\n*/ AS \"n{n}\" -- '{n}'" for n in range(200)]
    sql = "\n".join(lines)
    folded = highlight_sql(sql)
    assert folded.more == 2 * 200 - SHOWN_LINES
    assert f"{folded.first}\n{folded.rest}" == folded
    for part in (folded.first, folded.rest):
        assert part.count("<span") == part.count("</span>")
    short = highlight_sql("\n".join(lines[: SHOWN_LINES // 2]))
    assert (short.first, short.rest, short.more) == (short, "", 0)


def test_the_first_line_of_a_docstring_is_below_the_name(browse):
    declare("Ages", "SELECT 1 AS one", __doc__="Ages of customers.\n\nAnd nothing else.")
    text = text_of(browse.get(LIST))
    assert "ages Ages of customers." in text
    assert "nothing else" not in text


def test_a_name_keeps_its_spaces_where_it_has_to_be_typed(browse, registered):
    declare("Kept", "SELECT 1 AS one")
    gone = declare("Gone", "SELECT 1 AS one", name="two  spaces")
    sync_views()
    registered.unregister(gone)
    assert 'Type “<bdi class="ov-short">views.two  spaces</bdi>” to confirm' in browse.get(SYNC)


def test_a_column_without_any_value_is_left_out(browse):
    declare("Plain", "SELECT 1 AS one")
    sync_views()
    assert "Last refresh" not in _headers(browse.get(LIST))
    declare_materialised("Stored", "SELECT 1 AS one")
    sync_views()
    assert {"Size", "Last refresh", "Usual duration"} <= _headers(browse.get(LIST))
    assert "Readable" not in _headers(browse.get(LIST))


def _headers(page):
    return {text_of(cell) for cell in re.findall(r"<th role=\"columnheader\".*?</th>", page, re.DOTALL)}
