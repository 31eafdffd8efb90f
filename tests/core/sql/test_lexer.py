"""Telling names from strings and comments, as PostgreSQL's own lexer does."""

from __future__ import annotations

import itertools
import re

import pytest

from orm_views_core.sql import lexer
from orm_views_core.sql.lexer import has_star, strip_statement, tokenize
from orm_views_core.sql.rules import SQLITE_RULES

# PostgreSQL ends each of these in `AS mark`: whatever comes before is text that names nothing.
HIDING_PLACES = {
    "standard string": "SELECT 'views.hidden' AS mark",
    "doubled quote": "SELECT 'it''s views.hidden' AS mark",
    "backslash at the end of a standard string": r"SELECT 'c:\', 'views.hidden' AS mark",
    "escape string": r"SELECT E'it\'s views.hidden' AS mark",
    "escape string with doubled quote": r"SELECT e'it''s \'views.hidden' AS mark",
    "escape string that ends in an escaped backslash": r"SELECT E'\\', 'views.hidden' AS mark",
    "unicode string": r"SELECT U&'\0061 views.hidden' AS mark",
    "national string": "SELECT n'views.hidden' AS mark",
    "bit string": "SELECT B'101', X'1F', 'views.hidden' AS mark",
    "dollar quotes": "SELECT $$it's views.hidden$$ AS mark",
    "tagged dollar quotes": "SELECT $q$ $$ 'views.hidden $qq$ $q$ AS mark",
    "dollar quotes tagged with a letter that is not English": "SELECT $größe$ views.hidden $größe$ AS mark",
    "line comment": "SELECT 1 -- views.hidden, it's\n AS mark",
    "line comment that a carriage return ends": "SELECT 1 -- it's\r AS mark",
    "block comment": "SELECT 1 /* views.hidden ' */ AS mark",
    "nested block comment": "SELECT 1 /* a /* b */ views.hidden ' */ AS mark",
    "block comment that opens with a slash": "SELECT 1 /*/ views.hidden */ AS mark",
    "comment marks in a string": "SELECT '/* views.hidden' , '*/ --' AS mark",
    "string in a comment in a string": "SELECT ' /* '' */ views.hidden' AS mark",
    "comment behind an operator": "SELECT 1 +-- views.hidden '\n 2 AS mark",
}


@pytest.mark.parametrize("sql", HIDING_PLACES.values(), ids=HIDING_PLACES)
def test_nothing_inside_a_string_or_comment_is_a_name(sql):
    words = [token.identifier for token in tokenize(sql) if token.kind == "identifier"]
    assert "hidden" not in words
    assert words[-2:] == ["as", "mark"]


@pytest.mark.django_db
@pytest.mark.parametrize("sql", HIDING_PLACES.values(), ids=HIDING_PLACES)
def test_postgresql_reads_those_texts_in_the_same_way(sql, execute):
    """Guards the table above: each is one SELECT of one row whose last column is called mark."""
    execute(f"CREATE TEMPORARY VIEW witness AS SELECT * FROM ({sql}\n) AS t (a) LIMIT 1")
    last = (
        "SELECT attname FROM pg_attribute WHERE attrelid = 'witness'::regclass ORDER BY attnum DESC LIMIT 1"
    )
    assert execute(last)[0][0] in {"a", "mark"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("loans", "loans"),
        ("Loans", "loans"),
        ("_loans$1", "_loans$1"),
        ('"Loans"', "Loans"),
        ('"a.b"', "a.b"),
        ('"say ""hi"""', 'say "hi"'),
        ('"two words"', "two words"),
        ("größe", "größe"),
        ("kredite€", "kredite€"),
        (r'U&"l\006Fans"', "loans"),
        (r'u&"l\+00006Fans"', "loans"),
        (r'U&"a\\b"', r"a\b"),
    ],
)
def test_an_identifier_is_one_token_with_the_name_of_the_catalogs(text, name, db, execute):
    (token,) = tokenize(text)
    assert (token.kind, token.identifier) == ("identifier", name)
    execute(f"CREATE TEMPORARY TABLE {text} ()")
    ours = "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'"
    assert execute(ours) == [(name,)]


def test_only_english_letters_are_folded_as_postgresql_does(db, execute):
    execute("CREATE TEMPORARY TABLE ÜBERSICHT ()")
    (token,) = tokenize("ÜBERSICHT")
    assert execute("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()") == [
        (token.identifier,)
    ]
    assert token.identifier == "Übersicht"


def test_an_e_at_the_end_of_a_name_does_not_open_an_escape_string():
    texts = [token.text for token in tokenize(r"date'\'||x")]
    assert texts == ["date", r"'\'", "|", "|", "x"]


def test_a_dollar_inside_a_name_does_not_open_a_string():
    tokens = list(tokenize("a$b$ || c$b$"))
    assert [t.text for t in tokens if t.kind == "identifier"] == ["a$b$", "c$b$"]


def test_a_parameter_is_no_dollar_quote():
    assert [t.text for t in tokenize("$1$2") if t.kind == "string"] == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'never closed",
        r"SELECT E'never closed\'",
        'SELECT "never closed',
        "SELECT $$never closed",
        "SELECT $a$ never closed $b$",
        "SELECT /* never /* closed */",
        "SELECT U&'never",
        '""',
        "\0\x01 \ud800",
        "",
    ],
)
def test_whatever_the_text_its_tokens_put_together_are_the_text_again(sql):
    tokens = list(tokenize(sql))
    assert "".join(token.text for token in tokens) == sql
    assert [token.start for token in tokens] == [0, *(token.end for token in tokens)][: len(tokens)]


def test_every_hiding_place_is_given_back_as_it_was():
    for sql in HIDING_PLACES.values():
        assert "".join(token.text for token in tokenize(sql)) == sql


@pytest.mark.parametrize(
    ("sql", "statement", "another"),
    [
        ("SELECT 1", "SELECT 1", False),
        ("  SELECT 1 ;\n", "SELECT 1", False),
        ("SELECT 1;;  ;", "SELECT 1", False),
        ("SELECT 1; -- the end", "SELECT 1", False),
        ("SELECT 1; /* the ; end */ ;", "SELECT 1", False),
        ("SELECT ';' AS a", "SELECT ';' AS a", False),
        ('SELECT 1 AS ";"', 'SELECT 1 AS ";"', False),
        ("SELECT $$;$$ -- ;\n;", "SELECT $$;$$ -- ;", False),
        ("SELECT 1; SELECT 2", "SELECT 1", True),
        ("SELECT 1; -- one\n DROP TABLE lending_loan", "SELECT 1", True),
        (r"SELECT '\'; DROP TABLE lending_loan --'", r"SELECT '\'", True),
        (r"SELECT E'\'; DROP TABLE lending_loan --'", r"SELECT E'\'; DROP TABLE lending_loan --'", False),
        ("", "", False),
        (" ; ", "", False),
        ("; SELECT 1", "", True),
    ],
)
def test_a_statement_ends_at_its_first_semicolon_outside_of_text(sql, statement, another):
    assert strip_statement(sql) == (statement, another)


@pytest.mark.parametrize(
    ("sql", "expands"),
    [
        ("SELECT * FROM loans", True),
        ("SELECT loans.*, 1 FROM loans", True),
        ("SELECT 1, * FROM loans", True),
        ("SELECT DISTINCT * FROM loans", True),
        ("SELECT DISTINCT ON (id) * FROM loans", True),
        ("SELECT ALL /* of them */ * FROM loans", True),
        ("SELECT count(*) FROM loans", False),
        ("SELECT 2 * id, (id) * 2 FROM loans", False),
        ("SELECT '*' AS star, \"*\" FROM loans -- SELECT *", False),
        ("SELECT id FROM loans", False),
    ],
)
def test_a_star_is_told_from_a_product_a_count_and_a_text(sql, expands):
    assert has_star(sql) is expands


STAR_CONTEXT = [
    "select",
    "SELECT ",
    "distinct\n",
    "All\u00a0",
    "x",
    " ",
    "1.",
    ".",
    ",",
    "(",
    ") ",
    "'*'",
    "/**/",
    "--\n",
]


def test_a_text_that_is_spared_the_lexer_has_no_star(monkeypatch):
    """Whatever stands around it: sparing it gives what the lexer would have given."""
    texts = [
        "".join([*before, "*", behind])
        for before in itertools.product(STAR_CONTEXT, repeat=3)
        for behind in ("", " FROM loans", ",", " 2")
    ]
    spared = [has_star(sql) for sql in texts]
    assert {True, False} == set(spared)
    monkeypatch.setattr(lexer, "_may_have_star", lambda sql: True)
    monkeypatch.setattr(lexer, "_CERTAIN_STAR", re.compile("(?!)"))
    assert [has_star(sql) for sql in texts] == spared


def test_a_name_in_brackets_ends_at_the_first_of_them_that_closes():
    tokens = tokenize('[a[[b] `c``d` "e""f"', SQLITE_RULES)
    assert [token.identifier for token in tokens if not token.is_blank] == ["a[[b", "c`d", 'e"f']
