"""Pages have no words of ours that cannot be translated: outside of the brackets are names and values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connections
from django.utils import translation

from orm_views_core.views.identity import name_of
from orm_views_core.views.registry import registry
from tests.admin.browse import LIST, Browse, key
from tests.admin.languages import pseudo
from tests.browser import scene
from tests.browser.visits import REFUSED

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

#: What is the same in every language.
UNTRANSLATED = {
    *("CSV", "JSON", "lines", "XLSX", "Parquet"),  # names of formats
    *("SELECT", "PUBLIC", "NULL"),  # SQL
    "Europe/London",  # a time zone
}
#: The names of people in the scene.
OTHERS = {"Ann", "Bob", "Example", "ann", "admin", "a.very.long.name@example.org"}
#: What PostgreSQL says in the scene, and the SQL that it points at. Elsewhere such words are ours.
QUOTED = ("division by zero", "nonsense FROM lending_customer")
#: Pages that are those of Django's admin, and pages of a class that is broken after all others were seen.
LATER = ("plan, refused", "detail, invalid", "row")


@pytest.fixture
def in_brackets(settings: Any, tmp_path: Any, browse: Browse) -> Iterator[Browse]:
    """The pages in the language of brackets."""
    pseudo.write_catalog(tmp_path)
    settings.LANGUAGES = [("en-gb", "English"), (pseudo.CODE, "Brackets")]
    settings.LOCALE_PATHS = [str(tmp_path)]
    browse.client.defaults["HTTP_ACCEPT_LANGUAGE"] = pseudo.CODE
    with translation.override(translation.get_language()):  # a request leaves its language to the thread
        yield browse


def names() -> set[str]:
    """Return the names of all relations and columns, and of what they are in."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class UNION SELECT attname FROM pg_attribute"
            " UNION SELECT nspname FROM pg_namespace UNION SELECT rolname FROM pg_roles"
        )
        found = {name for (name,) in cursor.fetchall()}
    declared = {each for view in registry.views() for each in (view.__name__, name_of(view).name)}
    return found | declared | {"lending", "default", "warehouse"}


def words_of_ours(html: str, known: Collection[str]) -> list[str]:
    """Return the words outside of the brackets that are no names, and are not the same in every language."""

    def is_fine(word: pseudo.Word) -> bool:
        if word.text in UNTRANSLATED or word.text in OTHERS:
            return True
        return (word.is_name or "." in word.text) and set(word.text.split(".")) <= set(known)

    for said in QUOTED:
        html = html.replace(said, "")
    return [word.text for word in pseudo.outside(html) if not is_fine(word)]


def test_a_word_that_cannot_be_translated_is_found():
    html = (
        '<div id="content" title="Ages of views.ages"><p>⟦Rows of <b>all</b>⟧ Views <bdi>ages</bdi> ages</p>'
        '<code>Name</code><input type="submit" value="⟦Go⟧ now"><p>division by zero: by ⟦Ann⟧</p></div>'
        "<p>Django</p>"
    )
    assert words_of_ours(html, {"views", "ages"}) == ["Views", "ages", "by", "Ages", "of", "now"]


def test_pages_have_no_words_that_cannot_be_translated(in_brackets, admin_user):
    scene.set_up()
    scene.set_up_changes()
    scene.set_up_accesses()
    scene.set_up_personal()
    known, found = names(), {}
    pages = {name: path for name, path in scene.PAGES.items() if not name.startswith(LATER)}
    for name, path in pages.items():
        response = in_brackets.client.get(path)
        # A superuser is refused nothing that is personal.
        assert response.status_code in {200, REFUSED.get(name)}, name
        html = response.content.decode()
        assert 'dir="rtl"' in html
        assert html.count(pseudo.OPEN) > 10, name
        found[name] = words_of_ours(html, known)
    found |= _said_later(in_brackets, known)
    scene.break_one()
    found["plan, refused"] = words_of_ours(in_brackets.get(scene.PAGES["plan, refused"]), known)
    assert {name: words for name, words in found.items() if words} == {}


def _said_later(pages: Browse, known: Collection[str]) -> dict[str, list[str]]:
    """Return the words of what the script shows, and of the messages after forms were sent."""
    state = pages.client.get(f"{LIST}runs/{scene.SYNCED}/state/").json()
    texts = [state["standing"], state["title"]]
    for run in state["runs"]:
        texts += [text for name, text in run["texts"].items() if name != "sql"]
        texts += [step[part] for step in run["steps"] for part in ("text", "word", "seconds")]
    count = pages.client.get(f"{LIST}view/default/views/ages/count/").json()
    stale = {"confirm": "1", "view": key("missing"), "default-fingerprint": "of before"}
    responses = (
        pages.post(f"{LIST}sync/", **stale),
        pages.post(f"{LIST}refresh/", selected="1"),
        pages.post(f"{LIST}refresh/", confirm="1", shown=key("summary")),
        pages.post(f"{LIST}refresh/", stale="1"),
    )
    messages = {str(each) for response in responses for each in get_messages(response.wsgi_request)}
    assert len(messages) == len(responses)
    found = {"state": texts, "count": [count["text"], count["title"]], "messages": sorted(messages)}
    page = '<div id="content"><p>{}</p></div>'
    return {name: words_of_ours(page.format("</p><p>".join(texts)), known) for name, texts in found.items()}
