"""The catalogue of the demonstration, from the file system: without a server, a network, or a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, Route, expect

from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry
from tests.browser.accessibility import check_accessibility, looks

pytestmark = pytest.mark.django_db(databases=["default", "warehouse"])

POLICY = "default-src 'self'"
#: One of each kind: a plain view, a materialised one, tables, a view and a table of the other database.
KINDS = [
    "index.html",
    "views/views.board_portfolio.html",
    "views/views.customers_by_era.html",
    "views/views.loan_book.html",
    "views/warehouse.views.loans_taken_over.html",
    "tables/public.lending_customer.html",
    "tables/public.lending_loan.html",
]


@pytest.fixture
def site(db: None, demo_data: None, tmp_path: Path) -> Iterator[Path]:
    """The catalogue of the demonstration as its analysts see it, with SQL."""
    demonstration = [view for view in registry.views() if view.__module__.startswith("tests.demo.")]
    with registry.isolated():
        for view in demonstration:
            registry.register(view)
        sync_views()
        call_command("view_catalogue", "--output", str(tmp_path), "--role", "analyst", "--sql", verbosity=0)
        yield tmp_path


@pytest.fixture
def requested() -> list[str]:
    """The addresses that the browser has asked for."""
    return []


@pytest.fixture
def opened(browser: Browser, context_options: dict[str, Any], requested: list[str]) -> Iterator[Page]:
    """An empty page of a browser without a network, whose every request is noted. Errors fail the test."""
    context = browser.new_context(**context_options)
    context.set_default_timeout(10_000)
    context.set_offline(True)
    context.on("request", lambda request: requested.append(request.url))
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    # axe asks for style sheets again, to look at their rules, and the page does not allow that.
    assert [text for text in said if "connect-src" not in text and "preload assets" not in text] == []


def shown(page: Page) -> list[str]:
    """The names in the index that can be seen."""
    return page.locator("[data-entry] h3:visible").all_inner_texts()


@pytest.mark.parametrize("path", KINDS)
def test_a_page_breaks_no_rule_of_wcag_and_fits_a_phone(site, opened, path):
    opened.goto(site.joinpath(path).as_uri())
    assert opened.url.endswith(path)
    check_accessibility(opened, looks(KINDS.index(path)))


def test_no_page_asks_for_anything_but_its_own_files(site, opened, requested):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) == 1 + 18 + 6
    for page in pages:
        opened.goto(page.as_uri())
        loaded = opened.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
        assert all(address.startswith(site.as_uri()) for address in loaded)
        assert opened.evaluate("getComputedStyle(document.querySelector('.bar')).display") == "flex"
    assert {Path(address).suffix for address in requested} == {".html", ".css", ".js"}
    assert [address for address in requested if not address.startswith(site.as_uri())] == []
    assert len(requested) == len(pages) * 2 + 1


def test_the_search_finds_names_descriptions_columns_and_tables(site, opened):
    opened.goto(site.joinpath("index.html").as_uri())
    field, status = opened.get_by_role("searchbox"), opened.get_by_role("status")
    everything = shown(opened)
    assert len(everything) == 18 + 6

    field.fill("LOAN_book")
    assert shown(opened) == ["views.loan_book"]
    expect(status).to_have_text("1 of 24 found")
    expect(opened.get_by_role("heading", name="Payments")).to_be_hidden()
    field.fill("place to begin")  # the description
    assert shown(opened) == ["views.loan_book"]
    field.fill("months_on_book")  # a column
    assert shown(opened) == ["views.cohort_performance"]
    field.fill("Amount lent")  # what a column is
    assert set(shown(opened)) == {"views.active_loans", "views.loan_book", "views.loans_taken_over"}
    field.fill("lending_customer city")  # every word
    assert {"views.customers", "public.lending_customer"} <= set(shown(opened)) < set(everything)
    field.fill("no such thing")
    assert shown(opened) == []
    expect(status).to_have_text("0 of 24 found")
    field.fill("")
    assert shown(opened) == everything
    expect(status).to_have_text("")


def test_what_was_searched_is_there_again_when_one_comes_back(site, opened):
    opened.goto(site.joinpath("index.html").as_uri())
    opened.get_by_role("searchbox").fill("loan_book")
    opened.get_by_role("link", name="views.loan_book").click()
    expect(opened.get_by_role("heading", level=1)).to_have_text("views.loan_book")
    opened.go_back()
    expect(opened.get_by_role("searchbox")).to_have_value("loan_book")
    assert shown(opened) == ["views.loan_book"]


def test_from_the_index_to_a_column_of_a_table_and_to_who_shows_it(site, opened):
    opened.goto(site.joinpath("index.html").as_uri())
    opened.get_by_role("link", name="views.geo_cities").click()
    opened.get_by_role("row", name="age_band").get_by_role("link", name="date_of_birth").click()
    assert opened.url.endswith("/tables/public.lending_customer.html#column-date_of_birth")
    row = opened.get_by_role("row", name="date_of_birth")
    expect(row).to_contain_text("personal data")
    row.get_by_role("link", name="views.customers.age_band").click()
    assert opened.url.endswith("/views/views.customers.html#column-age_band")
    expect(opened.get_by_role("row", name="age_band")).to_contain_text("declared as not personal")
    opened.get_by_role("link", name="Catalogue of views").click()
    assert opened.url == site.joinpath("index.html").as_uri()


class TestWithoutJavaScript:
    @pytest.fixture
    def context_options(self) -> dict[str, Any]:
        return {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, "java_script_enabled": False}

    def test_the_index_is_whole_and_has_no_search(self, site, opened):
        opened.goto(site.joinpath("index.html").as_uri())
        expect(opened.locator("input")).to_be_hidden()
        expect(opened.get_by_text("Search")).to_be_hidden()
        assert len(shown(opened)) == 18 + 6


def test_a_server_with_a_strict_content_security_policy_changes_nothing(site, browser, context_options):
    def serve(route: Route) -> None:
        path = route.request.url.removeprefix("http://catalogue.test/")
        route.fulfill(path=site / path, headers={"content-security-policy": POLICY})

    context = browser.new_context(**context_options)
    context.route("http://catalogue.test/**", serve)
    context.add_init_script(
        "window.violations = [];"
        "addEventListener('securitypolicyviolation',"
        " e => violations.push(e.violatedDirective + ' ' + e.blockedURI))"
    )
    page = context.new_page()
    for path in KINDS:
        page.goto(f"http://catalogue.test/{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("violations") == [], path
        assert page.evaluate("getComputedStyle(document.querySelector('.bar')).display") == "flex"
    page.goto("http://catalogue.test/index.html")
    page.get_by_role("searchbox").fill("loan_book")
    assert shown(page) == ["views.loan_book"]
    context.close()


def test_what_others_have_named_is_a_text_in_the_browser_too(opened, execute, tmp_path):
    evil = "\"><img src=x onerror=document.title='caught'><script>document.title='caught'</script>"
    name = '"' + evil[:60].replace('"', '""') + '"'
    text = evil.replace("'", "''")
    execute(f"CREATE SCHEMA shown; CREATE VIEW shown.{name} AS SELECT 1 AS {name}")
    execute(f"COMMENT ON VIEW shown.{name} IS '{text}'; COMMENT ON COLUMN shown.{name}.{name} IS '{text}'")
    with registry.isolated():
        call_command(
            "view_catalogue", "--output", str(tmp_path), "--sql", "--database", "default", verbosity=0
        )
    for position, file in enumerate(sorted(tmp_path.rglob("*.html"))):
        opened.goto(file.as_uri())
        assert "Catalogue of views" in opened.title()
        assert opened.locator("img").count() == 0
        check_accessibility(opened, looks(position))


def test_paper_gets_light_colours_a_whole_table_and_no_search(site, opened):
    opened.emulate_media(media="print", color_scheme="dark")
    opened.set_viewport_size({"width": 680, "height": 960})  # A4 without its margins
    opened.goto(site.joinpath("index.html").as_uri())
    expect(opened.get_by_role("searchbox")).to_be_hidden()
    opened.goto(site.joinpath("views/views.loan_book.html").as_uri())
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.evaluate("getComputedStyle(document.querySelector('tbody tr')).display") == "table-row"
    assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert opened.pdf().startswith(b"%PDF")
