"""The page of one whole value: who sees it, that it is the one that was shown, and what leaves the server."""

from __future__ import annotations

import html as markup
import re

import pytest
from django.db import connections

from orm_views_core.sync import sync_views
from tests.admin.browse import declare, declare_materialised, text_of, url

pytestmark = pytest.mark.django_db

TEXTS = "SELECT n AS id, repeat(n || ' é ', 2000) AS essay, 'x' AS short FROM generate_series(1, 120) AS n"


@pytest.fixture
def texts():
    declare("Texts", TEXTS)
    sync_views()
    return url("preview", "texts")


def whole_links(html):
    return [markup.unescape(each) for each in re.findall(r'<a href="([^"]*)">Show the whole', html)]


def value_of(html):
    found = re.search(r'<pre dir="auto">\n(.*?)</pre>', html, re.DOTALL)
    return markup.unescape(found[1]) if found else None


def test_a_cut_value_is_shown_whole(browse, texts):
    page = browse.get(texts, sort="-id", page="2")
    html = browse.get(whole_links(page)[2])
    assert value_of(html) == "68 é " * 2000
    assert "essay of row 53 of views.texts" in text_of(html)
    assert "10,000 characters." in text_of(html)
    assert markup.escape(f"{texts}?sort=-id&page=2") in html


def test_only_that_value_leaves_the_server(browse, texts):
    (link, *_) = whole_links(browse.get(texts, sort="id"))
    sent = []

    def look(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        cursor = context["cursor"]
        if "AS written" in sql:
            sent.extend(cursor.fetchall())
            cursor.scroll(0, mode="absolute")
        return result

    with connections["default"].execute_wrapper(look):
        browse.get(link)
    assert len(sent) == 1
    assert sum(len(str(value)) for value in sent[0]) < 15_000


def test_filters_lead_to_the_same_row(browse, texts):
    page = browse.get(texts, **{"column.id.at_least": "117", "column.essay.contains": "118"})
    (link,) = whole_links(page)
    html = browse.get(link)
    assert value_of(html) == "118 é " * 2000
    assert "column.id.at_least=117" in html


def test_a_value_is_saved_as_a_text_file(browse, texts):
    (link, *_) = whole_links(browse.get(texts, sort="id"))
    file_url = re.search(r'<a href="([^"]*)">Download', browse.get(link))[1]
    response = browse.client.get(url("cell", "texts") + markup.unescape(file_url))
    assert response.content.decode() == "1 é " * 2000
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="texts-1-essay.txt"'
    assert response["X-Content-Type-Options"] == "nosniff"


def test_the_line_break_that_a_value_begins_with_is_kept(browse):
    declare("Broken", "SELECT E'\\n' || repeat('x', 3000) AS essay")
    sync_views()
    (link,) = whole_links(browse.get(url("preview", "broken")))
    assert value_of(browse.get(link)) == "\n" + "x" * 3000


def test_another_value_in_its_place_is_not_shown(browse, texts, execute):
    links = whole_links(browse.get(texts, sort="id"))
    changed = re.sub(r"row=1\b", "row=2", links[0])
    for link in (
        changed,
        re.sub(r"row=1\b", "row=5000", links[0]),
        re.sub(r"digest=\w+", "digest=0", links[0]),
    ):
        html = browse.get(link, expect=409)
        assert "The rows have changed." in text_of(html)
        assert value_of(html) is None
        assert "Back to the rows" in html


@pytest.mark.parametrize(
    "parameters",
    [{}, {"column": "essay"}, {"row": "1"}, {"column": "essay", "row": "0"}, {"column": "essay", "row": "-1"}]
    + [{"column": "essay", "row": row} for row in ("x", "²", "1.5", "9" * 40, "\0", "0" * 4400 + "1")],
)
def test_an_address_without_a_value_is_not_found(browse, texts, parameters):
    assert browse.client.get(url("cell", "texts"), parameters).status_code == 404


def test_a_filter_that_is_not_understood_shows_no_value(browse, texts):
    text = browse.read(url("cell", "texts"), column="essay", row="1", **{"column.id.equals": "x"})
    assert "The value cannot be shown. “x” is no value of the type integer." in text
    text = browse.read(url("cell", "texts"), column="essay", row="1", **{"column.id.equals": "99999999999"})
    assert "The value cannot be shown." in text


def test_a_column_that_does_not_exist_is_an_error_on_the_page(browse, texts):
    assert "has no column" in browse.read(url("cell", "texts"), column="absent", row="1")


@pytest.mark.parametrize("held", [("view",), ("view", "view_personal"), ("preview",)])
def test_it_needs_the_permission_to_see_rows(browse, staff, texts, held):
    (link, *_) = whole_links(browse.get(texts, sort="id"))
    assert staff(*held).get(link).status_code == 403


@pytest.mark.usefixtures("demo_data", "personal")
def test_what_is_masked_is_masked_here_too(browse, staff):
    declare("Contacts", "SELECT id, repeat(email, 500) AS mails FROM lending_customer")
    sync_views()
    (link, *_) = whole_links(browse.get(url("preview", "contacts"), sort="id"))
    response = staff("view", "preview").get(link)
    assert response.status_code == 403
    html = response.content.decode()
    assert "are masked" in text_of(html)
    assert "@" not in html
    assert staff("view", "preview", "view_personal").get(link).status_code == 200


@pytest.mark.parametrize("make", [declare, declare_materialised])
def test_every_value_of_a_page_that_is_sorted_by_a_column_with_ties_is_shown(browse, make):
    """Rows with the same state come in the same order again."""
    make("Tied", "SELECT n % 3 AS s, n AS id, repeat(n || ' ', 2000) AS essay FROM generate_series(1, 120) n")
    sync_views()
    links = whole_links(browse.get(url("preview", "tied"), sort="s", page="2"))
    assert len(links) == 50
    assert all(value_of(browse.get(link)) for link in links)
