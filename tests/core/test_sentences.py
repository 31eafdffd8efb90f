"""Sentences: English wherever they are texts, and in the language of the reader where that is asked for."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.html import format_html

from orm_views_core.exceptions import (
    BadConditionError,
    InvalidViewError,
    InvalidViewsError,
    PlanBlockedError,
    RefreshError,
    UnknownViewError,
)
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.quoting import Quoting, Report, because, embedded, joined
from orm_views_core.sentences import (
    NOTHING,
    Sentence,
    as_sentence,
    blanks,
    enumerated,
    from_json,
    listed,
    number,
    says,
    says_in,
    says_n,
    to_json,
    translate,
)
from tests.translations.catalogs import Message, write_compiled

LOANS = ViewName("views", "loans")
MESSAGES = {
    "%(view)s has rows": "In %(view)s sind Zeilen",
    "why: %(why)s": "darum: %(why)s",
    "it reads %(names)s": "sie liest %(names)s",
    "fails": "scheitert",
    " or ": " oder ",
    "%(most)s and %(last)s": "%(most)s und %(last)s",
    "100 %% of it": "100 %% davon",
    "PostgreSQL reports SQLSTATE %(code)s (%(condition)s).": "PostgreSQL meldet %(code)s (%(condition)s).",
}


@pytest.fixture
def german(tmp_path, settings):
    """A context manager for a catalog of the messages above."""
    entries = [(Message("", words, "", (), False), (text,)) for words, text in MESSAGES.items()]
    entries.append((Message("", "%(n)s row", "%(n)s rows", (), False), ("%(n)s Zeile", "%(n)s Zeilen")))
    entries.append((Message("in a test", "view", "", (), False), ("Ansicht",)))
    write_compiled(entries, tmp_path / "de_AT" / "LC_MESSAGES" / "django.mo")
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = [("de-at", "Austrian"), ("en", "English")]
    return translation.override("de-at")


def rows() -> Sentence:
    return says("%(view)s has rows", view=LOANS)


def test_a_sentence_is_its_english_text(german):
    with german:
        said = rows()
        assert said == "views.loans has rows"
        assert hash(said) == hash("views.loans has rows")
        assert (str(said), f"{said}", repr(said)) == (*["views.loans has rows"] * 2, repr(str(said)))
        assert json.dumps({"said": said}) == '{"said": "views.loans has rows"}'
        assert not NOTHING


def test_a_sentence_is_translated_when_it_is_asked_for(german):
    said = rows()
    assert translate(said) == "views.loans has rows"
    with german:
        assert translate(said) == "In views.loans sind Zeilen"
        assert translate("%(view)s has rows") == "%(view)s has rows", "a text that is no sentence stays"
        assert translate(Sentence("fails")) == "fails"
        assert translate(says("100 %% of it")) == "100 % davon"
    with translation.override(None):
        assert translate(said) == "views.loans has rows"


def test_sentences_in_sentences_are_translated_too(german):
    inner = says("why: %(why)s", why=listed([rows(), says("fails"), "PL"], " or "))
    assert inner == "why: views.loans has rows or fails or PL"
    with german:
        assert translate(inner) == "darum: In views.loans sind Zeilen oder scheitert oder PL"
        assert translate(says("it reads %(names)s", names=enumerated(["a", "b", rows()]))) == (
            "sie liest a, b und In views.loans sind Zeilen"
        )
        assert translate(enumerated([LOANS])) == "views.loans"


def test_numbers_choose_the_form_and_have_separators(german):
    one, many = (says_n("%(n)s row", "%(n)s rows", n, n=number(n)) for n in (1, 12_345))
    assert (one, many, number(0.25), number(10.0)) == ("1 row", "12,345 rows", "0.25", "10")
    with german:
        assert [translate(each) for each in (one, many)] == ["1 Zeile", "12.345 Zeilen"]
        assert [translate(number(each)) for each in (0.25, 10.0, 3)] == ["0,25", "10", "3"]


def test_a_word_has_its_context(german):
    with german:
        assert translate(says_in("in a test", "view")) == "Ansicht"
        assert translate(says("view")) == "view"


def test_templates_show_the_language_of_the_reader(german):
    said = says("why: %(why)s", why="a < b")
    with german:
        assert Template("{{ said }}").render(Context({"said": said})) == "darum: a &lt; b"
        assert format_html("<p>{}</p>", said) == "<p>darum: a &lt; b</p>"


def test_blanks_are_as_wide_as_what_they_stand_below(german):
    assert blanks(says("fails")) == "     "
    with german:
        assert translate(blanks(says("fails"))) == " " * len("scheitert")


def test_errors_are_translated_and_read_in_english(german):
    error = UnknownViewError(says("fails"))
    blocked = PlanBlockedError([rows(), says("fails")])
    assert (str(error), str(blocked)) == ("fails", "views.loans has rows\nfails")
    with german:
        assert (translate(error), str(error)) == ("scheitert", "fails")
        assert translate(blocked) == "In views.loans sind Zeilen\nscheitert"
        assert translate(error.summary) == "scheitert"
        assert translate(ValueError("other")) == "other"


def test_what_is_quoted_has_a_summary_in_every_language(german):
    quote = Quoting(
        says("why: %(why)s", why="Key (a)=(ann)"), says("fails"), Report("23505", "unique violation")
    )
    whole = embedded(says("it reads %(names)s", names=quote))
    error = RefreshError(joined([whole, rows()]))
    assert "ann" in whole
    with german:
        assert translate(whole) == "sie liest darum: Key (a)=(ann)"
        summary = "sie liest scheitert\nPostgreSQL meldet 23505 (unique violation)."
        assert translate(whole.summary) == summary
        assert translate(error.summary) == f"{summary}\nIn views.loans sind Zeilen"
        assert "ann" not in str(error.summary)
        followed = quote.followed_by(says("fails"))
        assert translate(followed) == "darum: Key (a)=(ann) scheitert"


def test_names_can_be_replaced(german):
    said = says("why: %(why)s", why=Quoting(rows(), rows())).replaced("views.", "library.")
    assert said == "why: library.loans has rows"
    assert said.summary == said
    with german:
        assert translate(said) == "darum: In library.loans sind Zeilen"


SENTENCES = [
    rows(),
    NOTHING,
    Sentence("SELECT 1 %"),
    says("100 %% of it"),
    says("why: %(why)r", why="it's"),
    says("why: %(why)s", why=None),
    listed([rows(), ViewKind.VIEW.label, number(1.5)], "; "),
    says_n("%(n)s row", "%(n)s rows", 2, n=number(2_000)),
    says_in("in a test", "view"),
    blanks(says("fails")),
    Quoting(rows(), says("fails"), Report("23505", "unique violation")),
]


@pytest.mark.parametrize("said", SENTENCES, ids=range(len(SENTENCES)))
def test_sentences_can_be_stored_copied_and_sent(said, german):
    stored = from_json(json.loads(json.dumps(to_json(said))), str(said))
    for other in (stored, pickle.loads(pickle.dumps(said)), copy.deepcopy(said)):
        assert other == said
        with german:
            assert translate(other) == translate(said)


def doubled(times):
    """Return data that would make a text of 2 ** times letters."""
    data = "a"
    for _ in range(times):
        data = {"says": "%(a)s%(a)s", "with": {"a": data}}
    return data


@pytest.mark.parametrize(
    "data",
    [
        {"says": "%(view)s has rows", "with": {"view": "other"}},
        {"says": "%(view)999999999s", "with": {"view": "a"}},
        {"says": "%(view)s", "with": {}},
        {"says": "%(view)s", "with": ["a"]},
        {"says": 1},
        {"listed": "text", "by": ", "},
        {"number": "many"},
        {},
        [],
        None,
        {"plural": "a", "says": "b"},
        doubled(60),
    ],
)
def test_stored_data_that_does_not_fit_its_text_is_not_used(data):
    said = from_json(data, "views.loans has rows")
    assert said == "views.loans has rows"
    assert translate(said) == "views.loans has rows"


def test_data_that_is_nested_too_deeply_is_not_used(german):
    data = "fails"
    for _ in range(100):
        data = {"says": "%(a)s", "with": {"a": data}}
    assert to_json(from_json(data, "fails")) == "fails"


def test_a_plural_that_the_catalog_has_with_other_values_stays_english(german):
    said = says_n("%(n)s row", "%(number)s rows", 2, number=2)
    with german:
        assert translate(said) == "2 rows"


def test_a_number_of_any_size_is_translated(german):
    with german:
        assert translate(number(10**400)).startswith("10.000.")


@pytest.mark.parametrize(
    "error",
    [
        UnknownViewError(says("fails")),
        PlanBlockedError([rows(), says("fails")]),
        InvalidViewsError([InvalidViewError(says("fails"))]),
        BadConditionError(says("fails"), column="a", type_="integer", value="b"),
        RefreshError(because(says("fails"), BadConditionError(says("a"), column="", type_="", value=""))),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_can_be_sent(error, german):
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(other), str(other), other.__dict__.keys()) == (
            type(error),
            str(error),
            error.__dict__.keys(),
        )
        with german:
            assert translate(other) == translate(error) != str(error)


def test_an_error_in_a_sentence_is_translated(german):
    with german:
        assert translate(because(says("a"), ValueError(says("fails")))) == "a: ValueError: scheitert"


def test_a_text_becomes_a_sentence_that_stays_as_it_is():
    said = rows()
    assert as_sentence(said) is said
    assert isinstance(as_sentence("text"), Sentence)
    assert to_json("text") == "text"
