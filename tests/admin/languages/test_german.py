"""The pages in German: whole sentences, plural forms, numbers; and words that Django's own pages have too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.db import connection
from django.utils import translation

from orm_views_admin.models import Run
from orm_views_core.sync import plan_views, sync_views
from tests.admin.browse import LIST, Browse, declare, declare_materialised, key, url
from tests.admin.histories import make_run, path_of
from tests.translations.catalogs import compiled, read
from tests.translations.catalogs import path_of as catalog_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def german(browse: Browse) -> Iterator[Browse]:
    """The pages, as a browser that prefers German gets them."""
    browse.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de-AT,de;q=0.9,en;q=0.5"
    with translation.override(translation.get_language()):  # a request leaves its language to the thread
        yield browse


def test_the_list_counts_views_in_the_forms_of_german(german):
    declare("One", "SELECT 1 AS n")
    assert "Die einzige Sicht braucht Aufmerksamkeit: fehlt: 1." in german.read(LIST)
    declare("Two", "SELECT 1 AS n")
    sync_views(views=["two"])
    text = german.read(LIST)
    assert "1 Sicht von 2 braucht Aufmerksamkeit: fehlt: 1. Die anderen: abgeglichen: 1." in text
    assert "2 Sichten" in text
    assert "Datenbanksichten" in text  # the name of the app, among the breadcrumbs


def test_numbers_of_rows_have_the_separators_of_german(german):
    declare("Many", "SELECT n, n / 4.0 AS quarter FROM generate_series(1, 1234) AS n")
    sync_views()
    assert "Zeilen 1.001 bis 1.050" in german.read(url("preview", "many"), page="21")
    counted = german.client.get(url("count", "many")).json()
    assert (counted["text"], counted["title"]) == ("1.234", "Gerade gezählt")
    # The values of rows stay PostgreSQL's own.
    assert "250.2500000000000000" in german.read(url("preview", "many"), page="21")


def test_a_refresh_of_one_view_and_of_several_is_told_in_whole_sentences(german):
    declare_materialised("First", "SELECT 1 AS n")
    declare_materialised("Second", "SELECT 1 AS n")
    sync_views()
    one = german.read(f"{LIST}refresh/", view=key("first"))
    assert "1 materialisierte Sicht wird aktualisiert." in one
    assert "Leser einer davon warten während ihrer Aktualisierung." in one
    both = german.read(f"{LIST}refresh/")
    assert "2 materialisierte Sichten werden aktualisiert, in dieser Reihenfolge." in both
    assert "Leser von 2 davon warten während deren Aktualisierung." in both


def test_a_plan_and_its_steps_are_in_the_order_of_german(german):
    declare("New", "SELECT 1 AS n")
    text = german.read(f"{LIST}sync/")
    assert "1 anzulegen, 0 unverändert" in text
    run = make_run("", steps=[_step("+ create", "views.new"), _step("- drop", "views.old")])
    text = german.read(path_of(run))
    assert "views.new anlegen" in text
    assert "views.old löschen" in text
    assert "Abgleich der Datenbank „default“" in text


def test_a_plan_that_was_shown_in_german_is_the_one_that_is_confirmed(german):
    declare("Old", "SELECT 1 AS n")
    sync_views()
    declare("New", "SELECT 1 AS n")
    shown = _fingerprint(german, "de")
    assert shown == _fingerprint(german, "en")
    german.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    german.post(f"{LIST}sync/", confirm="yes", **{"default-fingerprint": shown})
    assert "Keine der 2 Sichten braucht Aufmerksamkeit" in german.read(LIST)


def test_the_problems_of_a_plan_are_confirmed_in_english(german):
    declare("Old", "SELECT 1 AS n")
    sync_views()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE views.taken ()")
    declare("Taken", "SELECT 1 AS n")
    plans = []
    for language in ("de", "en"):
        with translation.override(language):
            plans += plan_views(["default"])
    assert plans[0].problems
    assert plans[0].fingerprint == plans[1].fingerprint


def _fingerprint(pages: Browse, language: str) -> str:
    pages.client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    html = pages.client.get(f"{LIST}sync/").content.decode()
    assert f'<html lang="{language}' in html
    (found,) = re.findall(r'name="default-fingerprint" value="(\w+)"', html)
    return str(found)


def _step(action: str, target: str) -> dict[str, Any]:
    return {"action": action, "target": target, "text": "", "state": "done", "seconds": 1.0}


def test_runs_tell_their_states_durations_and_quantities(german):
    done = make_run("ages", seconds=1.5, rows_before=1_234_567, rows_after=1_234_000)
    make_run("towns", request=done.request, state=Run.State.FAILED, error="division by zero")
    text = german.read(path_of(done))
    assert "Alle sind beendet: erfolgreich: 1, fehlgeschlagen: 1." in text
    assert "1,5 s" in text
    assert "1.234.567 → ~ 1.234.000" in text
    state = german.client.get(path_of(done, "state/")).json()
    assert state["title"] == "Beendet: erfolgreich, fehlgeschlagen"
    assert "Nach Ergebnis" in german.read(f"{LIST}runs/")


def test_a_filter_and_what_is_wrong_with_it_are_told_in_german(german):
    declare("Many", "SELECT n FROM generate_series(1, 9) AS n")
    sync_views()
    text = german.read(url("preview", "many"), **{"column.n.at_least": "1.000"})
    assert "n ist mindestens 1000 (eingegeben: 1.000)" in text
    text = german.read(url("preview", "many"), **{"column.n.equals": "viele"})
    assert "„viele“ ist kein Wert des Typs integer. Erwartet wird eine Zahl wie 1.234 oder 1234." in text


def test_words_that_django_has_too_have_its_translation():
    """Catalogs of all apps are one, so that ours would change Django's own pages."""
    ours = {
        message.words: message.translations[0]
        for message in read(catalog_of("orm_views_admin"))
        if not message.context and not message.plural
    }
    for path in Path(django.__file__).parent.glob("**/locale/de/LC_MESSAGES/django.mo"):
        theirs = compiled(path)
        for words in ours.keys() & theirs.keys():
            assert ours[words] == theirs[words], (path, words)
