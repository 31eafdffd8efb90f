"""The search of the list finds the views that hang on tables, on views and on columns, however deep."""

from __future__ import annotations

import re

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, forget, text_of

pytestmark = pytest.mark.django_db

BOOK = """
SELECT loan.id, loan.principal, customer.city, loan.term_months + 1 AS months
FROM lending_loan AS loan JOIN lending_customer AS customer ON customer.id = loan.customer_id
WHERE loan.status <> 'settled'
"""


@pytest.fixture(autouse=True)
def views(execute):
    """Views on views. Only the SQL of the first one names a table; none of those on top names it."""
    declare("Book", BOOK)
    declare(
        "Cities", "SELECT city, sum(principal) AS lent, max(months) AS longest FROM views.book GROUP BY city"
    )
    declare("Top", "SELECT city AS town, lent FROM views.cities")
    declare("Goods", "SELECT code, name FROM lending_product")
    declare("Kept", "SELECT 'lending_loan is only a word here' AS word")
    sync_views()


def rows(html):
    """The rows of the table, as text, by the name of their view."""
    found = re.findall(r'<th role="rowheader"[^>]*>(.*?)</th>', html.partition("<tbody")[2], re.DOTALL)
    texts = [text_of(cell) for cell in found]
    return {text.partition(" ")[0]: text.partition(" ")[2] for text in texts}


def find(browse, text):
    return rows(browse.get(LIST, q=text))


def test_a_table_finds_all_views_that_hang_on_it_and_says_why(browse):
    assert find(browse, "lending_loan") == {
        "book": "reads lending_loan",
        "cities": "reads lending_loan, by way of views.book",
        "kept": "",  # its text has the word
        "top": "reads lending_loan, by way of views.cities",
    }
    assert "3 views hang on public.lending_loan." in browse.read(LIST, q="lending_loan")


def test_a_column_finds_the_views_that_show_it_compute_with_it_or_use_it(browse):
    assert find(browse, "lending_loan.principal") == {
        "book": "principal: shows lending_loan.principal",
        "cities": "lent: is computed from lending_loan.principal",
        "top": "lent: is computed from lending_loan.principal",
    }
    assert find(browse, "lending_loan.status") == {
        "book": "lending_loan.status decides which rows it has",
        "cities": "lending_loan.status decides which rows it has",
        "top": "lending_loan.status decides which rows it has",
    }
    assert find(browse, "lending_loan.term_months") == {
        "book": "months: is computed from lending_loan.term_months",
        "cities": "longest: is computed from lending_loan.term_months",
    }
    assert find(browse, "lending_loan.annual_rate") == {}
    assert "0 views hang on public.lending_loan.annual_rate." in browse.read(
        LIST, q="lending_loan.annual_rate"
    )


@pytest.mark.parametrize(
    "text",
    [
        "public.lending_loan",
        '"lending_loan"',
        "LENDING_LOAN",
        "lending.Loan",
        "lending.loan",
        "lending_loan.*",
        "public.lending_loan.*",
        "lending.Loan.*",
        "  lending_loan  ",
    ],
)
def test_a_table_has_several_names(browse, text):
    assert set(find(browse, text)) >= {"book", "cities", "top"}


@pytest.mark.parametrize(
    "text",
    [
        "public.lending_loan.customer_id",
        "lending.Loan.customer",
        "lending.loan.customer_id",
    ],
)
def test_a_column_has_several_names(browse, text):
    assert find(browse, text)["book"] == f"{text} decides which rows it has"


def test_names_without_quotes_are_read_in_lower_case_too(browse):
    assert find(browse, "Lending_Loan.STATUS")["book"] == "lending_loan.status decides which rows it has"


def test_a_view_finds_what_hangs_on_it(browse):
    assert find(browse, "cities") == {"cities": "", "top": "reads cities"}
    assert find(browse, "views.book")["top"] == "reads views.book, by way of views.cities"
    assert find(browse, "lending.Book")["top"] == "reads lending.Book, by way of views.cities"
    assert find(browse, "book.months") == {"cities": "longest: is computed from book.months"}


def test_other_words_and_filters_narrow_it_further(browse):
    assert set(find(browse, "lending_loan top")) == {"top"}
    assert set(find(browse, "lending_loan lending_product")) == set()
    assert set(rows(browse.get(LIST, q="lending_loan", kind="materialised_view"))) == set()
    text = browse.read(LIST, q="lending_loan", kind="view")
    assert "plain (4)" in text


def test_a_name_may_have_blanks_and_capitals(browse, execute):
    execute('CREATE TABLE public."Odd name" ("a b" int, "C" int)')
    declare("Odd", 'SELECT "a b" AS one, "C" AS two FROM public."Odd name"')
    declare("Above", "SELECT one FROM views.odd")
    sync_views()
    assert find(browse, "Odd name")["above"] == "reads Odd name, by way of views.odd"
    assert find(browse, "Odd name.a b") == {
        "above": "one: shows Odd name.a b",
        "odd": "one: shows Odd name.a b",
    }


def test_a_partition_counts_as_its_table(browse, execute):
    execute(
        """
        CREATE TABLE public.events (id int, day date) PARTITION BY RANGE (day);
        CREATE TABLE public.events_2026 PARTITION OF public.events
        FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
        """
    )
    declare("Whole", "SELECT id FROM public.events")
    declare("Part", "SELECT count(*) AS n FROM public.events_2026")
    sync_views()
    assert find(browse, "events") == {"part": "reads events", "whole": "reads events"}
    assert set(find(browse, "events_2026")) == {"part", "whole"}
    assert set(find(browse, "events_2026.id")) == {"whole"}


def test_views_that_the_list_does_not_have_are_named(browse, execute):
    execute("CREATE SCHEMA reports; CREATE VIEW reports.theirs AS SELECT town FROM views.top")
    text = browse.read(LIST, q="lending_loan")
    assert "4 views hang on public.lending_loan. Not in this list: reports.theirs." in text


def test_a_function_that_may_read_any_table_is_said(browse, execute):
    execute("CREATE FUNCTION public.tell(int) RETURNS text STABLE LANGUAGE sql AS 'SELECT $1::text'")
    declare("Told", "SELECT public.tell(id::int) AS told FROM lending_customer")
    sync_views()
    assert find(browse, "lending_customer.email") == {"told": "told: may show lending_customer.email"}


@pytest.mark.parametrize(
    "text",
    ["a.b.c.d", "a..b", '"', '"open', ".", "lending_loan.", "x" * 5000, "a " * 500, "\0", "%", "ü.ü", "'"],
)
def test_nonsense_breaks_nothing(browse, text):
    browse.get(LIST, q=text)


def count_queries(browse, **parameters):
    with CaptureQueriesContext(connections["default"]) as queries:
        browse.get(LIST, **parameters)
    return len(queries)


def test_rules_are_read_only_for_a_column_and_nothing_without_a_search(browse):
    browse.get(LIST)
    without = count_queries(browse)
    assert count_queries(browse, kind="view") == without

    def rules(text):
        with CaptureQueriesContext(connections["default"]) as queries:
            browse.get(LIST, q=text)
        return sum("WITH RECURSIVE views" in query["sql"] for query in queries)

    assert rules("haystack") == 0
    assert rules("lending_loan") == 0
    assert rules("lending_loan.status") == 1
    assert rules("lending_loan.status lending_loan.principal book.city") == 1


@pytest.mark.parametrize("text", ["haystack", "lending_loan", "lending_loan.principal"])
def test_the_number_of_queries_depends_on_no_number_of_views(browse, registered, text):
    def count(number):
        forget(registered)
        declare("Book", BOOK)
        for n in range(number):
            declare(f"Above{n}", "SELECT principal FROM views.book")
        sync_views(allow_drop_all=True)
        browse.get(LIST, q=text)
        return count_queries(browse, q=text)

    assert count(2) == count(40)


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_each_database_is_searched(browse, execute, cut_off):
    execute("CREATE TABLE public.old_loans (id int)", alias="warehouse")
    declare("Old", "SELECT id FROM public.old_loans", database="warehouse")
    declare("Older", "SELECT id FROM views.old", database="warehouse")
    sync_views()
    assert set(find(browse, "old_loans")) == {"old", "older"}
    assert "2 views hang on public.old_loans." in browse.read(LIST, q="old_loans")
    cut_off("warehouse")
    text = browse.read(LIST, q="lending_loan")
    assert "Database “warehouse” cannot be read." in text
    assert "3 views hang on public.lending_loan." in text
