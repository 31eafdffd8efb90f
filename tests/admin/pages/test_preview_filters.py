"""Filters of a preview: by the type of the column, in the words of people, in the URL."""

from __future__ import annotations

import html as markup
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from orm_views_core.sync import sync_views
from tests.admin.browse import declare, text_of, url

pytestmark = pytest.mark.django_db

LOANS = """
SELECT n AS id, n % 7 AS customer_id, n * 1000.5 AS amount, date '2026-06-01' + n AS opened_on,
       timestamptz '2026-06-01 12:00+00' + n * interval '6 hours' AS changed, n % 2 = 0 AS active,
       CASE WHEN n % 5 > 0 THEN 'loan ' || n END AS note, jsonb_build_object('n', n) AS document,
       CASE n WHEN 1 THEN '' WHEN 2 THEN 'a,b' WHEN 3 THEN ' x ' ELSE 'plain' END AS word
FROM generate_series(1, 60) AS n
"""


@pytest.fixture
def loans():
    declare("Loans", LOANS)
    sync_views()
    return url("preview", "loans")


def ids(html):
    """The first value of each row."""
    rows = re.findall(r'<tr role="row"><td[^>]*>(.*?)</td>', html, re.DOTALL)
    return [int(re.sub(r"<[^>]*>", "", cell)) for cell in rows]


def filters(html):
    """The filters that are in force, as text."""
    found = re.search(r'<ul class="ov-active">(.*?)</ul>', html, re.DOTALL)
    lines = re.findall(r"<li\b.*?>(.*?)</li>", found[1], re.DOTALL) if found else []
    return [text_of(line).partition(" Remove")[0] for line in lines]


def problem(html):
    """What the form says is wrong."""
    found = re.search(r'<p class="ov-problem" id="filter-problem"[^>]*>(.*?)</p>', html, re.DOTALL)
    return markup.unescape(found[1]) if found else ""


def links(html, word):
    """The addresses of the links that begin with a word."""
    return [markup.unescape(each) for each in re.findall(rf'<a href="([^"]*)"[^>]*>{word}', html)]


@pytest.mark.parametrize(
    ("parameters", "wanted", "said"),
    [
        ({"column.id.equals": "5"}, [5], "id equals 5"),
        ({"column.id.equals": " 5 "}, [5], "id equals 5 (typed: 5 )"),
        ({"column.id.in": "5, 7,9"}, [5, 7, 9], "id is one of 5, 7, 9"),
        ({"column.id.not_equals": "5", "column.id.at_most": "6"}, [1, 2, 3, 4, 6], "id does not equal 5"),
        ({"column.id.contains": "5"}, [5, 15, 25, 35, 45, *range(50, 60)], "id contains 5"),
        ({"column.amount.equals": "5,002.5"}, [5], "amount equals 5002.5 (typed: 5,002.5)"),
        ({"column.opened_on.equals": "05/06/2026"}, [4], "opened_on equals 2026-06-05 (typed: 05/06/2026)"),
        ({"column.opened_on.contains": "05/06/2026"}, [4], "opened_on contains 2026-06-05"),
        ({"column.opened_on.begins": "2026-07-3"}, [59, 60], "opened_on begins with 2026-07-3"),
        ({"column.active.equals": "No", "column.id.at_most": "4"}, [1, 3], "active equals f (typed: No)"),
        ({"column.note.is_null": "yes", "column.id.at_most": "12"}, [5, 10], "note is NULL"),
        ({"column.note.is_not_null": "yes", "column.id.at_most": "6"}, [1, 2, 3, 4, 6], "note is not NULL"),
        ({"column.note.begins": "loan 1"}, [1, 11, 12, 13, 14, 16, 17, 18, 19], "note begins with loan 1"),
        ({"column.note.contains": "LOAN 5"}, [51, 52, 53, 54, 56, 57, 58, 59], "note contains LOAN 5"),
        ({"column.word.equals": ""}, [1], "word equals"),
        ({"column.word.equals": " x "}, [3], "word equals x"),
        ({"column.word.in": '"a,b"'}, [2], "word is one of a,b"),
        ({"column.document.equals": '{"n":5}'}, [5], "document equals {&quot;n&quot;:5}"),
    ],
)
def test_a_filter_finds_what_people_mean(browse, loans, parameters, wanted, said):
    html = browse.get(loans, sort="id", **parameters)
    assert ids(html) == wanted
    assert any(line.startswith(said) for line in filters(html)), filters(html)


def test_several_conditions_on_a_column_make_a_range(browse, loans):
    html = browse.get(
        loans,
        sort="id",
        **{"column.opened_on.at_least": "10/06/2026", "column.opened_on.at_most": "12/06/2026"},
    )
    assert ids(html) == [9, 10, 11]
    html = browse.get(loans, sort="id", **{"column.note.contains": ["1", "2"]})
    assert ids(html) == [12, 21]


def test_a_day_stands_for_all_of_its_times(browse, loans):
    html = browse.get(loans, sort="id", **{"column.changed.equals": "03/06/2026"})
    assert ids(html) == [6, 7, 8, 9]
    (line,) = filters(html)
    assert line.startswith(
        "changed is at least 2026-06-03 00:00:00 and is at most 2026-06-03 23:59:59.999999"
    )
    html = browse.get(loans, sort="-id", **{"column.changed.at_most": "03/06/2026"})
    assert ids(html)[0] == 9
    html = browse.get(loans, sort="id", **{"column.changed.at_least": "03/06/2026"})
    assert ids(html)[0] == 6


MOMENTS = """
SELECT n AS id, stamp::timestamptz AS zoned, stamp::timestamp(3) AS plain, stamp::views.moment AS made,
       ARRAY[stamp::timestamp] AS several, tomorrow AS soon
FROM (SELECT n, timestamptz '2026-06-30 22:00+00' + n * interval '1 hour' AS stamp,
             pg_catalog.date_trunc('day', pg_catalog.now()) + n * interval '1 hour' AS tomorrow
      FROM generate_series(1, 30) AS n) AS t
UNION ALL SELECT 99, NULL, NULL, NULL, NULL, NULL
"""


@pytest.fixture
def moments(execute):
    """A view whose rows 2 to 25 are of the first of July, in UTC, in columns of all types of moments."""
    execute("CREATE SCHEMA IF NOT EXISTS views; CREATE DOMAIN views.moment AS timestamptz(3)")
    declare("Moments", MOMENTS)
    sync_views()
    return url("preview", "moments")


THAT_DAY = list(range(2, 26))
OTHERS = [1, *range(26, 31), 99]


@pytest.mark.parametrize("column", ["zoned", "plain", "made"])
@pytest.mark.parametrize(
    ("operator", "value", "wanted"),
    [
        ("equals", "2026-07-01", THAT_DAY),
        ("equals", "1 Jul 2026", THAT_DAY),
        ("not_equals", "2026-07-01", OTHERS),
        ("not_equals", "2026-07-01 03:00", [*range(1, 5), *range(6, 31), 99]),
        ("in", "2026-07-01", THAT_DAY),
        ("in", "2026-06-30, 2026-07-01 03:00, 02/07/2026", [1, 5, *range(26, 31)]),
        ("at_least", "2026-07-01", range(2, 31)),
        ("at_most", "2026-07-01", range(1, 26)),
    ],
)
def test_a_day_is_all_of_its_times_for_each_condition(browse, moments, column, operator, value, wanted):
    html = browse.get(moments, sort="id", **{f"column.{column}.{operator}": value})
    assert ids(html) == list(wanted)


@pytest.mark.parametrize(
    ("operator", "value", "wanted"),
    [
        ("equals", "today", range(1, 24)),
        ("equals", "tomorrow", range(24, 31)),
        ("not_equals", "today", [*range(24, 31), 99]),
        ("in", "today, tomorrow", range(1, 31)),
        ("at_most", "today", range(1, 24)),
    ],
)
def test_today_is_all_of_its_times(browse, moments, operator, value, wanted):
    html = browse.get(moments, sort="id", **{f"column.soon.{operator}": value})
    assert ids(html) == list(wanted)


def test_the_page_says_which_times_a_day_has(browse, moments):
    html = browse.get(moments, **{"column.zoned.not_equals": "2026-07-01"})
    (line,) = filters(html)
    said = "zoned does not equal 2026-07-01 00:00:00 to 2026-07-01 23:59:59.999999 (typed: 2026-07-01)"
    assert line.startswith(said)


def test_an_array_of_times_is_written_as_an_array(browse, moments):
    html = browse.get(moments, sort="id", **{"column.several.equals": '{"2026-07-01 03:00:00"}'})
    assert ids(html) == [5]
    html = browse.get(moments, **{"column.several.equals": "2026-07-01"})
    assert "“2026-07-01” is no value of the type timestamp without time zone[]." in problem(html)


def test_values_are_understood_in_the_language_of_the_page(browse, loans):
    how = {"headers": {"accept-language": "de"}}
    asked = {
        "column.opened_on.equals": "5.6.2026",
        "column.amount.equals": "4.002,0",
        "column.active.equals": "ja",
    }
    html = browse.client.get(loans, asked, **how).content.decode()
    assert ids(html) == [4]
    assert [line.partition(" (")[0].split()[-1] for line in filters(html)[:3]] == [
        "2026-06-05",
        "4002.0",
        "t",
    ]


def test_older_links_ask_for_what_contains_the_text(browse, loans):
    html = browse.get(loans, sort="id", **{"column.note": "loan 2", "column.word": ""})
    assert ids(html) == [2, 21, 22, 23, 24, 26, 27, 28, 29]
    assert filters(html)[0] == "note contains loan 2"
    assert len(filters(html)) == 1


def test_the_form_adds_a_filter_to_those_in_the_url(browse, loans):
    response = browse.client.get(
        loans,
        {
            "sort": "-id",
            "page": "2",
            "column.active.equals": "yes",
            "filter": "opened_on",
            "operator": "at_least",
            "value": "30/06/2026",
        },
    )
    assert response.status_code == 302
    assert response["Location"] == "?sort=-id&column.active.equals=yes&column.opened_on.at_least=30/06/2026"
    html = browse.get(loans + response["Location"])
    assert ids(html) == list(range(60, 28, -2))
    assert '<input type="hidden" name="column.opened_on.at_least" value="30/06/2026">' in html
    assert '<input type="hidden" name="sort" value="-id">' in html


def test_the_same_filter_is_added_once(browse, loans):
    sent = {"column.id.equals": "5", "filter": "id", "operator": "equals", "value": "5"}
    assert browse.client.get(loans, sent)["Location"] == "?column.id.equals=5"


def test_a_filter_without_a_value_needs_none(browse, loans):
    sent = {"filter": "note", "operator": "is_null", "value": "", "sort": "id"}
    location = browse.client.get(loans, sent)["Location"]
    assert location == "?sort=id&column.note.is_null=yes"
    assert ids(browse.get(loans + location)) == list(range(5, 61, 5))


def test_a_column_has_to_be_chosen(browse, loans):
    html = browse.get(loans, filter="", operator="equals", value="lost")
    assert problem(html) == "Choose a column."
    assert 'value="lost"' in html


def test_each_filter_is_removed_by_a_link_and_all_by_another(browse, loans):
    asked = {"column.active.equals": "yes", "column.note.contains": ["1", "2"], "sort": "id"}
    html = browse.get(loans, page="2", **asked)
    kept = [parse_qsl(urlsplit(each).query) for each in links(html, "Remove")]
    assert kept == [
        [("sort", "id"), ("column.note.contains", "1"), ("column.note.contains", "2")],
        [("sort", "id"), ("column.active.equals", "yes"), ("column.note.contains", "2")],
        [("sort", "id"), ("column.active.equals", "yes"), ("column.note.contains", "1")],
    ]
    assert links(html, "Clear all filters") == ["?sort=id"]


def test_order_and_pages_keep_the_filters(browse, loans):
    html = browse.get(loans, **{"column.id.at_least": "2", "column.word.equals": "plain", "sort": "id"})
    (next_page,) = links(html, "Next")
    assert parse_qsl(urlsplit(next_page).query) == [
        ("column.id.at_least", "2"),
        ("column.word.equals", "plain"),
        ("sort", "id"),
        ("page", "2"),
    ]
    assert ids(browse.get(loans + next_page)) == [54, 55, 56, 57, 58, 59, 60]
    assert "?column.id.at_least=2&amp;column.word.equals=plain&amp;sort=-id" in html


@pytest.mark.parametrize(
    ("parameter", "value", "said", "field"),
    [
        (
            "column.opened_on.at_least",
            "soon",
            "“soon” is no value of the type date. Expected is a date such as 30/06",
            3,
        ),
        ("column.opened_on.equals", "2026-02-31", "“2026-02-31” is no value of the type date.", 3),
        (
            "column.id.equals",
            "five",
            "“five” is no value of the type integer. Expected is a number such as 1,234",
            3,
        ),
        ("column.id.equals", "1.5", "“1.5” is no value of the type integer", 3),
        ("column.id.equals", "99999999999", "“99999999999” is no value of the type integer", 3),
        ("column.id.in", "1,x", "“x” is no value of the type integer", 3),
        ("column.id.in", " , ", "Type a value.", 3),
        ("column.note.contains", "", "Type a value.", 3),
        ("column.active.equals", "maybe", "Expected is yes or no", 3),
        (
            "column.active.contains",
            "t",
            "“contains” cannot be asked of the type boolean. Choose one of: equals,",
            2,
        ),
        (
            "column.document.equals",
            "{",
            "“{” is no value of the type jsonb. Expected is a value as the table shows",
            3,
        ),
        ("column.absent.equals", "x", "The view has no column “absent”.", 1),
    ],
)
def test_what_is_not_understood_is_said_at_the_field(browse, loans, parameter, value, said, field):
    html = browse.get(loans, **{parameter: value, "column.customer_id.equals": "3", "sort": "id"})
    assert said in problem(html)
    assert ids(html) == []
    assert "The rows cannot be shown." in text_of(html)
    assert "customer_id equals 3" in filters(html)[1]
    assert '<input type="hidden" name="column.customer_id.equals" value="3">' in html
    assert f'name="{parameter}"' not in html
    tags = re.findall(r"<(?:select|input)\b[^>]*\bid=\"filter-[^>]*>", html)
    assert ["aria-invalid" in tag for tag in tags] == [field == n for n in (1, 2, 3)]
    assert 'aria-describedby="filter-problem' in tags[field - 1]


def test_of_two_wrong_filters_one_is_corrected_after_the_other(browse, loans):
    html = browse.get(loans, **{"column.id.equals": "x", "column.amount.equals": "y"})
    assert "“x”" in problem(html)
    assert '<option value="id" selected>' in html
    assert '<input type="hidden" name="column.amount.equals" value="y">' in html


def test_a_refused_value_is_kept_to_be_corrected(browse, loans):
    html = browse.get(loans, **{"column.opened_on.at_most": "so<on"})
    assert 'name="value" value="so&lt;on"' in html
    assert '<option value="at_most" selected>' in html


def test_columns_with_an_index_are_marked_as_quick(browse, execute):
    execute("CREATE TABLE public.ledger AS SELECT n AS id, n % 9 AS branch FROM generate_series(1, 100) AS n")
    execute("ALTER TABLE public.ledger ADD PRIMARY KEY (id)")
    declare("Ledger", "SELECT id, branch, id + branch AS both FROM public.ledger")
    sync_views()
    html = browse.get(url("preview", "ledger"), **{"column.id.equals": "5", "column.branch.equals": "5"})
    quick, others = re.findall(r"<optgroup label=\"([^\"]*)\">(.*?)</optgroup>", html, re.DOTALL)
    assert (quick[0], re.findall(r'value="(\w+)"', quick[1])) == ("Quick", ["id"])
    assert (others[0], re.findall(r'value="(\w+)"', others[1])) == ("Other columns", ["branch", "both"])
    assert filters(html)[:2] == ["id equals 5 quick", "branch equals 5"]
    assert "Quick columns have an index that finds the rows." in text_of(html)


def test_without_an_index_the_page_says_that_all_rows_are_read(browse, loans):
    html = browse.get(loans)
    assert "<optgroup" not in html
    assert "No column has an index that finds its rows, so a filter has all rows read." in text_of(html)


NAMES = [
    "page",
    "sort",
    "a.b",
    "is_null",
    "a.is_null",
    "equals",
    "filter",
    "it's",
    'say "no"',
    "100%",
    "-",
    "ש",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_column_may_have_any_name(browse, name):
    quoted = name.replace('"', '""')
    declare("Odd", f'SELECT n AS id, n AS "{quoted}", -n AS a, 0 AS "column" FROM generate_series(1, 3) AS n')
    sync_views()
    sent = {"filter": name, "operator": "equals", "value": "2"}
    location = browse.client.get(url("preview", "odd"), sent)["Location"]
    html = browse.get(url("preview", "odd") + location)
    assert ids(html) == [2]
    assert ids(browse.get(url("preview", "odd") + links(html, "Remove")[0])) == [1, 2, 3]
