"""The built site: what it loads, where its links lead, its search, and how it looks."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import check_accessibility

from .conftest import SITE

if not SITE.is_dir():
    pytest.skip("the site is not built: nox --session docs", allow_module_level=True)

HTML = sorted(SITE.rglob("*.html"))
#: Pages of each kind: long references, one of docstrings, a how-to guide, one of a file of the checkout.
LOOKED_AT = [
    "index.html",
    "tutorial.html",
    "reference/commands.html",
    "reference/states.html",
    "reference/api/sync.html",
    "how-to/readable-views.html",
    "explanation/how-sync-works.html",
    "project/changelog.html",
    "search.html",
]
#: What the search is asked, and pages that it has to find.
SEARCHES = {
    "lock_timeout": ["Settings", "How a sync works"],
    "refresh_every": ["View classes", "Refreshing"],
    "W017": ["System checks"],
    "postgres_views": ["Tutorial", "View classes"],
    "plan_views": ["Syncing"],
    "pgbouncer": ["Security"],
}


class Parsed(HTMLParser):
    """What a page has: its anchors, where it links, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        found = {name: value or "" for name, value in attributes}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag != "a":
            self.loads += [
                found[name] for name in ("src", "href", "srcset", "data", "poster") if name in found
            ]


PARSED = {path: Parsed(path) for path in HTML}


def test_the_site_has_every_page() -> None:
    sources = {
        path.relative_to("docs").with_suffix(".html").as_posix() for path in Path("docs").rglob("*.md")
    }
    assert len(sources) > 40
    assert sources <= {path.relative_to(SITE).as_posix() for path in HTML}


def test_no_page_loads_anything_from_another_host() -> None:
    for path, page in PARSED.items():
        assert [address for address in page.loads if urlsplit(address).netloc] == [], path
    for path in [*SITE.rglob("*.css"), *SITE.rglob("*.js")]:
        text = path.read_text()
        assert re.findall(r"(?:url\(|@import|importScripts\(|fetch\()\s*[\"']?(?:https?:)?//", text) == [], (
            path
        )


def test_every_link_inside_leads_to_a_page_and_an_anchor() -> None:
    checked = 0
    for path, page in PARSED.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), f"{path}: {link}"
            if target in PARSED and parts.fragment:
                assert unquote(parts.fragment) in PARSED[target].anchors, f"{path}: {link}"
            checked += 1
    assert checked > 2000


@pytest.mark.parametrize("words", SEARCHES)
def test_the_search_finds_pages_and_asks_no_other_host(words: str, page: Page, asked: list[str]) -> None:
    page.goto("index.html")
    page.get_by_placeholder("Search").fill(words)
    page.keyboard.press("Enter")
    results = page.locator("#search-results li > a")
    results.first.wait_for()
    page.get_by_text("Search finished").first.wait_for()
    titles = [title.partition(" > ")[0].partition(" (Python")[0] for title in results.all_inner_texts()]
    assert [wanted for wanted in SEARCHES[words] if wanted not in titles] == []
    assert asked == []


@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_page_is_accessible_light_and_dark_on_a_screen_and_on_a_phone(
    name: str, page: Page, asked: list[str]
) -> None:
    response = page.goto(name)
    assert response is not None
    assert response.ok
    check_accessibility(page)
    assert asked == []
