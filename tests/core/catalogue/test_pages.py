"""The pages: whole, linked, the same each time, and nothing that others have named becomes a part of them."""

from __future__ import annotations

import json
import posixpath
import re

import pytest

from orm_views_core.catalogue import write_catalogue
from orm_views_core.catalogue.api import read_catalogue
from orm_views_core.catalogue.pages import render
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import sync_views
from tests.core.catalogue.scene import Page, catalogue, declare, declare_materialised

pytestmark = pytest.mark.django_db

#: Elements and attributes that the templates have. Anything else would come from the database.
TAGS = """
    html head meta title link script body header a p strong main h1 h2 h3 div label input nav ul li span
    section code dl dt dd table thead tbody tr th td pre svg path time wbr
"""
ATTRIBUTES = """
    lang dir charset name content http-equiv rel href src defer class role hidden data-search for type id
    spellcheck data-found aria-label aria-labelledby data-group data-entry data-found-by scope
    tabindex viewbox aria-hidden d datetime
"""
EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></head><body>",
    "</pre><script>",
    "{{ settings.SECRET_KEY }}{% debug %}",
    "javascript:alert(1)",
    "<!--",
    "&lt;b&gt;",
    "\x1b[31mred",
    "\u202etxt.exe",
    "line\nbreak",
]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture
def lender(execute, make_role):
    """Views of all kinds, of two apps and of somebody else."""
    declare("Customers", "SELECT id, city, upper(city) AS loud FROM lending_customer", __doc__="Who.\n\nAll.")
    declare_materialised("Loans", "SELECT l.id, c.city FROM lending_loan l JOIN views.customers c USING (id)")
    declare("Late", "SELECT count(*) AS n FROM lending_loan WHERE status = 'late'")
    declare("Takings", "SELECT paid_on FROM payments_repayment", __module__="tests.demo.payments.views")
    sync_views()
    execute("CREATE VIEW views.theirs AS SELECT * FROM views.loans")
    execute(
        f"ALTER VIEW views.theirs OWNER TO {make_role('stranger')}; GRANT SELECT ON views.theirs TO PUBLIC"
    )


def test_every_link_leads_to_a_file_and_a_place_in_it(lender):
    files = render(catalogue(sql=True))
    pages = {path: Page(text) for path, text in files.items() if path.endswith(".html")}
    assert len(pages) == 1 + 5 + 3
    links = 0
    for path, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            target, _, anchor = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) if target else path
            assert target in files, (path, link)
            assert not anchor or anchor in pages[target].ids, (path, link)
            links += 1
    assert links > 50


def test_the_index_lists_views_by_app_then_those_that_no_class_declares_then_tables(lender):
    index = Page(render(catalogue())["index.html"]).text
    places = [
        index.index(text)
        for text in (
            *("\n      Lending\n", "views.customers", "views.late", "views.loans"),
            *("\n      Payments\n", "views.takings"),
            *("\n      Views that no class declares\n", "views.theirs", "belongs to stranger"),
            *(
                "\n      Tables\n",
                "public.lending_customer",
                "public.lending_loan",
                "public.payments_repayment",
            ),
        )
    ]
    assert places == sorted(places)
    assert "5 views. They read 3 tables." in index


def test_the_page_of_a_view_has_what_is_known_of_it(lender):
    page = " ".join(Page(render(catalogue())["views/views.customers.html"]).text.split())
    for text in (
        "Who. All.",
        "Kindview",
        "Rows computed whenever it is read",
        "Classlending.Customers",
        "city character varying(60) shows public.lending_customer.city",
        "loud text computed from public.lending_customer.city",
        "Is read by views.loans",
        "None besides the rights of its owner.",
    ):
        assert text in page, text
    loans = " ".join(Page(render(catalogue())["views/views.loans.html"]).text.split())
    assert re.search(r"Kindmaterialised view Rows as of \d{4}-\d\d-\d\d \d\d:\d\d UTC Class", loans)
    assert "What decides on its rows It uses these columns" in loans
    assert "SQL" not in page


def test_two_runs_write_the_same_and_a_refresh_changes_only_times(lender):
    refresh_views(["loans"])
    first = render(catalogue(sql=True))
    assert render(catalogue(sql=True)) == first
    timeless = render(catalogue(times=False))
    refresh_views(["loans"])
    assert render(catalogue(times=False)) == timeless
    changed = [path for path, text in render(catalogue(sql=True)).items() if first[path] != text]
    assert changed in ([], ["views/views.loans.html"])  # the pages have minutes


def test_a_page_says_when_only_some_columns_may_be_read(lender, execute, make_role):
    execute(
        f"GRANT USAGE ON SCHEMA views TO {make_role('reader')}; GRANT SELECT (city) ON views.loans TO reader"
    )
    files = render(catalogue(role="reader"))
    assert "SELECT * is refused." in Page(files["views/views.loans.html"]).text
    assert "SELECT: on" not in files["views/views.loans.html"]
    assert "reader: SELECT on city" in Page(files["views/views.loans.html"]).text
    assert "as reader may read them" in Page(files["index.html"]).text
    assert "views.customers" not in "".join(files.values())
    assert "SELECT * is refused." not in Page(render(catalogue())["views/views.loans.html"]).text


def test_a_catalogue_without_views_says_so(make_role):
    files = render(catalogue(role=make_role("reader")))
    assert "There is no view that may be read." in Page(files["index.html"]).text
    assert sorted(files) == ["catalogue.css", "catalogue.js", "index.html"]


def test_a_function_that_may_read_anything_is_named(execute):
    execute("CREATE SCHEMA shown")
    execute("CREATE FUNCTION shown.fmt(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1'")
    execute("CREATE VIEW shown.through AS SELECT shown.fmt(city) AS town FROM public.lending_customer")
    page = Page(render(catalogue())["views/shown.through.html"]).text
    assert "It may show more: it reads through shown.fmt(text), which may read any table." in page


def test_columns_of_personal_data_are_marked_in_words_and_shape(settings):
    settings.ORM_VIEWS = {"PERSONAL": ["lending.Customer.city"]}
    declare("Towns", "SELECT city, upper(city) AS loud FROM lending_customer")
    declare(
        "Loud",
        "SELECT lower(city) AS quiet, left(city, 1) AS first FROM lending_customer",
        not_personal=["first"],
    )
    sync_views()
    files = render(catalogue())
    towns, loud = (
        " ".join(Page(files[f"views/views.{name}.html"]).text.split()) for name in ("towns", "loud")
    )
    assert "city personal data character varying(60)" in towns
    assert (
        "loud computed from personal data text computed from public.lending_customer.city personal data"
        in towns
    )
    assert "first declared as not personal text" in loud
    index = " ".join(Page(files["index.html"]).text.split())
    assert "views.towns view personal data Columns" in index
    assert "views.loud view computed from personal data Columns" in index
    assert "city personal data shown by views.towns.city" in " ".join(
        Page(files["tables/public.lending_customer.html"]).text.split()
    )
    assert files["views/views.towns.html"].count("<svg") == 4


def test_a_page_has_no_blank_lines_but_those_of_its_sql(execute):
    execute("CREATE SCHEMA shown; CREATE VIEW shown.lines AS SELECT E'one\\n\\n\\ntwo' AS lines")
    page = render(catalogue(sql=True))["views/shown.lines.html"]
    outside = re.sub(r"(?s)<pre.*</pre>", "SQL", page)
    assert [line for line in outside.splitlines() if not line.strip()] == []
    assert "one\n\n\ntwo" in page


@pytest.fixture
def hostile(execute, make_role):
    """A view, a table, columns, comments and roles of every name that could become a part of a page."""
    execute("CREATE SCHEMA shown")
    for number, evil in enumerate(EVIL):
        name, text = quoted(evil), evil.replace("'", "''")
        role = quoted(make_role(evil))
        execute(f"CREATE TABLE shown.{quoted(f'{evil} t')} ({name} text)")
        execute(
            f"CREATE VIEW shown.{name} AS SELECT {name}, {name} || '{text}' AS {quoted(f'{evil} {number}')}"
            f" FROM shown.{quoted(f'{evil} t')} WHERE {name} <> '{text}'"
        )
        execute(
            f"COMMENT ON VIEW shown.{name} IS '{text}'; COMMENT ON COLUMN shown.{name}.{name} IS '{text}'"
        )
        execute(f"GRANT SELECT ON shown.{name} TO {role}; GRANT UPDATE ({name}) ON shown.{name} TO {role}")
        execute(f"GRANT CREATE ON SCHEMA shown TO {role}; ALTER VIEW shown.{name} OWNER TO {role}")


def test_nothing_that_others_have_named_becomes_markup(hostile, tmp_path):
    found = read_catalogue(["default"], sql=True)
    written = write_catalogue(tmp_path, found)
    assert len(written.files) == 4 + 2 * len(EVIL)
    for path in written.files:
        text = (tmp_path / path).read_text()
        if path.endswith(".html"):
            page = Page(text)
            assert set(page.tags) <= set(TAGS.split()), path
            assert page.attributes <= set(ATTRIBUTES.split()), path
            assert page.tags.count("script") == (path == "index.html")
            assert all(not re.match(r"\w+:", link) for link in page.links), path
            assert "\x1b" not in text
    index = Page((tmp_path / "index.html").read_text()).text
    for evil in EVIL[:9]:
        assert f"shown.{evil}" in index
    assert "shown.\\x1b[31mred" in index
    assert "shown.\\u202etxt.exe" in index
    assert "shown.line\\nbreak" in index
    document = json.loads((tmp_path / "catalogue.json").read_text())
    assert {view["name"] for view in document["databases"][0]["views"]} == set(EVIL)
    assert {view["description"] for view in document["databases"][0]["views"]} == set(EVIL)


def test_the_json_file_has_the_facts_of_the_pages(lender, tmp_path):
    write_catalogue(tmp_path, catalogue(role="public", sql=True))
    execute_role = json.loads((tmp_path / "catalogue.json").read_text())
    assert (execute_role["format"], execute_role["role"]) == (1, "public")
    write_catalogue(tmp_path, catalogue())
    (database,) = json.loads((tmp_path / "catalogue.json").read_text())["databases"]
    assert database["database"] == "default"
    views = {view["name"]: view for view in database["views"]}
    assert views["customers"] == {
        "schema": "views",
        "name": "customers",
        "page": "views/views.customers.html",
        "kind": "view",
        "class": "lending.Customers",
        "owner": views["late"]["owner"],
        "description": "Who.\n\nAll.",
        "columns": [
            column("id", "bigint", shows="id"),
            column("city", "character varying(60)", shows="city"),
            column("loud", "text", computed_from="city"),
        ],
        "whole": True,
        "security_invoker": False,
        "uses": [],
        "exact": True,
        "reads": [{"schema": "public", "name": "lending_customer"}],
        "read_by": [{"schema": "views", "name": "loans"}],
        "grants": [],
        "populated": True,
        "refresh_every_seconds": None,
        "refreshed": None,
        "sql": None,
    }
    assert [table["name"] for table in database["tables"]] == [
        "lending_customer",
        "lending_loan",
        "payments_repayment",
    ]
    assert database["tables"][2]["columns"] == [
        {
            "name": "paid_on",
            "personal": False,
            "shown_by": [{"schema": "views", "name": "takings", "column": "paid_on"}],
            "computed_into": [],
            "maybe_shown_by": [],
            "used_by": [],
        }
    ]


def column(name, type_, **sources):
    found = {how: [] for how in ("shows", "computed_from", "may_show")}
    for how, of in sources.items():
        found[how] = [{"schema": "public", "name": "lending_customer", "column": of}]
    return {
        "name": name,
        "type": type_,
        "collation": None,
        "description": "",
        **found,
        "because": None,
        "personal": None,
    }
