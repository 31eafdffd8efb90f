"""The dependency graph: which relations it shows, how they stand, and the way of a column."""

from __future__ import annotations

import re
from contextlib import ExitStack
from urllib.parse import quote

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_admin.pages.views import graph
from orm_views_admin.ui.graph.boxes import MOST_ROWS
from orm_views_admin.ui.wording import DASH
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, bare, declare, declare_materialised, forget, key, text_of, url

pytestmark = pytest.mark.django_db(databases=["default", "warehouse"])

GRAPH = f"{LIST}graph/"


@pytest.fixture
def chain(execute):
    """A table, and views that read one another: a column of each is made of the one before."""
    execute("CREATE TABLE customers (id int, email text, born date)")
    declare("First", "SELECT id, email, date_part('year', born) AS year FROM customers")
    declare_materialised("Second", "SELECT id, email AS address, year FROM views.first WHERE id > 0")
    declare("Third", "SELECT count(*) AS n, max(address) AS last FROM views.second WHERE year > 1900")
    declare("Fourth", "SELECT last FROM views.third")
    declare("Alone", "SELECT 1 AS one")
    sync_views()


def boxes(html):
    """The accessible names of the links of the picture's boxes, by the name of their relation."""
    picture = html.partition('<svg class="ov-graph"')[2].partition("</svg>")[0]
    labels = re.findall(r'role="listitem">.*?<a href="[^"]*" aria-label="([^"]*)"', picture)
    return {label.partition(",")[0]: label for label in labels}


def emphasised(html):
    """The names of the boxes that are emphasised."""
    found = re.findall(r'<g class="ov-node [^"]*ov-on-way" role="listitem">.*?aria-label="([^",]*)', html)
    return set(found)


def rows(html):
    """The texts of the rows of the table with what the picture shows, by the name of the relation."""
    table = html.partition('id="table-heading"')[2].partition("<tbody")[2]
    texts = [text_of(row) for row in re.findall(r'<tr role="row">(.*?)</tr>', table, re.DOTALL)]
    return {text.partition(" ")[0]: text for text in texts}


def edges(html):
    return len(re.findall(r'<path class="ov-edge', html))


def test_the_list_has_a_button_that_leads_to_the_graph(browse):
    assert f'<a href="{GRAPH}">Graph</a>' in browse.get(LIST)
    html = browse.get(GRAPH)
    assert f'<a href="{LIST}">Views</a>' in html.partition("breadcrumbs")[2]
    assert "<h1>Graph</h1>" in html


def test_the_whole_graph_shows_every_view_and_its_status(browse, chain):
    html = browse.get(GRAPH)
    assert boxes(html) == {
        "views.first": "views.first, plain · synced",
        "views.second": "views.second, materialised · synced",
        "views.third": "views.third, plain · synced",
        "views.fourth": "views.fourth, plain · synced",
        "views.alone": "views.alone, plain · synced",
    }
    assert edges(html) == 3
    assert "There are 5 views." in text_of(html)


def test_the_table_says_what_the_picture_shows(browse, chain):
    html = browse.get(GRAPH)
    assert rows(html).keys() == boxes(html).keys()
    assert rows(html)["views.second"] == "views.second materialised synced views.first views.third"
    assert "public.customers" not in text_of(html)


def test_tables_are_shown_on_request(browse, chain):
    html = browse.get(GRAPH, tables="on")
    assert boxes(html)["public.customers"] == "public.customers, table"
    assert rows(html)["public.customers"] == f"public.customers table {DASH} {DASH} views.first"
    assert edges(html) == 4
    assert re.search(r'name="tables" value="on" checked', html)
    focused = re.search(r'<a href="([^"]*)" aria-label="views.first,', html)[1]
    assert "public.customers" in boxes(browse.get(focused.replace("&amp;", "&")))


def test_each_status_is_a_word_and_a_shape(browse, registered, chain, execute):
    declare("Missing", "SELECT id FROM views.second")
    forget(registered, "Alone")
    execute("CREATE OR REPLACE VIEW views.fourth AS SELECT last || '' AS last FROM views.third")
    html = browse.get(GRAPH)
    assert boxes(html)["views.missing"] == "views.missing, plain · missing"
    assert boxes(html)["views.alone"] == "views.alone, plain · orphaned"
    assert boxes(html)["views.fourth"] == "views.fourth, plain · drifted"
    icons = re.findall(r'<path class="ov-node-icon"[^>]* d="([^"]*)"', html)
    assert len(icons) == 6
    assert len(set(icons)) == 4
    # What a missing view reads, its class says.
    assert rows(html)["views.missing"].endswith(f"missing views.second {DASH}")


def test_views_of_others_are_shown_if_they_have_to_do_with_ours(browse, chain, execute):
    execute("CREATE SCHEMA theirs")
    execute("CREATE TABLE theirs.plans (n int)")
    execute("CREATE VIEW theirs.report AS SELECT s.id FROM views.second s, theirs.plans")
    execute("CREATE VIEW theirs.summary AS SELECT count(*) FROM theirs.report")
    execute("CREATE VIEW theirs.unrelated AS SELECT 1 AS one")
    html = browse.get(GRAPH)
    assert boxes(html)["theirs.report"] == "theirs.report, not registered here"
    assert "theirs.summary" in boxes(html)
    assert "theirs.unrelated" not in text_of(html)
    assert "theirs.plans" not in boxes(html)
    html = browse.get(GRAPH, tables="on")
    assert rows(html)["theirs.report"].endswith("theirs.plans views.second theirs.summary")
    assert "theirs.summary" in boxes(browse.get(GRAPH, view="theirs.report"))


def test_ours_may_read_those_of_others(browse, execute):
    execute("CREATE SCHEMA theirs")
    execute("CREATE VIEW theirs.base AS SELECT 1 AS one")
    declare("Ours", "SELECT one FROM theirs.base")
    sync_views()
    assert rows(browse.get(GRAPH))["views.ours"].endswith(f"synced theirs.base {DASH}")


def test_a_view_is_shown_with_what_is_up_to_two_steps_away(browse, chain):
    html = browse.get(GRAPH, view="views.first")
    assert set(boxes(html)) == {"views.first", "views.second", "views.third"}
    assert "up to 2 steps away" in text_of(html)
    assert "Graph of views.first" in text_of(html)
    html = browse.get(GRAPH, view="views.third")
    assert set(boxes(html)) == {"views.first", "views.second", "views.third", "views.fourth"}
    html = browse.get(GRAPH, view="views.third", tables="on")
    assert "public.customers" not in boxes(html)
    html = browse.get(GRAPH, view="views.second", tables="on")
    assert "public.customers" in boxes(html)


@pytest.mark.parametrize("spelling", ["views.second", "second", " views.second ", key("second")])
def test_a_view_can_be_named_in_several_ways(browse, chain, spelling):
    html = browse.get(GRAPH, view=spelling)
    assert "Graph of views.second" in text_of(html)
    assert re.search(r'name="view"[^>]* value="views.second"', html)


def test_the_view_of_the_graph_links_to_its_page_and_others_to_their_graphs(browse, chain):
    html = browse.get(GRAPH, view="views.second")
    links = dict(re.findall(r'<a href="([^"]*)" aria-label="(views\.\w+), ', html))
    assert {label: link for link, label in links.items()} == {
        "views.first": f"{GRAPH}?view={key('first')}",
        "views.second": url("detail", "second"),
        "views.third": f"{GRAPH}?view={key('third')}",
        "views.fourth": f"{GRAPH}?view={key('fourth')}",
    }
    for link in links:
        browse.get(link)


@pytest.mark.parametrize(
    "name", ["views.absent", "absent", "views", "nonsense/a/b", "<b>", "a\0b", "x" * 5000]
)
def test_a_view_that_is_not_there_is_said(browse, chain, name):
    text = browse.read(GRAPH, 404, view=name)
    assert "There is no view or table" in text
    assert "<b>" not in browse.get(GRAPH, 404, view=name)


def test_a_name_that_several_relations_have_has_to_be_complete(browse, execute):
    declare("Twice", "SELECT 1 AS one")
    sync_views()
    execute("CREATE SCHEMA theirs")
    execute("CREATE VIEW theirs.twice AS SELECT one FROM views.twice")
    assert "There is no view or table twice." in browse.read(GRAPH, 404, view="twice")
    browse.get(GRAPH, view="theirs.twice")


def test_a_table_has_a_graph_with_the_columns_that_views_read(browse, chain):
    html = browse.get(GRAPH, view="public.customers")
    assert set(boxes(html)) == {"public.customers", "views.first", "views.second"}
    assert "Columns of public.customers" in text_of(html)
    assert re.findall(r'class="ov-row-name"[^>]*>(\w+)<', html) == ["born", "email", "id"]
    html = browse.get(GRAPH, view="public.customers", column="email")
    assert emphasised(html) == {
        "public.customers",
        "views.first",
        "views.second",
        "views.third",
        "views.fourth",
    }


def test_columns_of_the_view_are_links_that_show_their_way(browse, chain):
    html = browse.get(GRAPH, view="views.second")
    assert re.findall(r'class="ov-row-name"[^>]*>(\w+)<', html) == ["id", "address", "year"]
    assert emphasised(html) == set()
    link = re.search(
        r'<a class="ov-row" href="([^"]*)" aria-label="Show the way of views.second.address"', html
    )
    html = browse.get(link[1].replace("&amp;", "&"))
    assert emphasised(html) == {
        "public.customers",
        "views.first",
        "views.second",
        "views.third",
        "views.fourth",
    }
    assert "What column address is made of, and what is made of it, is emphasised." in text_of(html)
    shown = rows(html)
    assert shown["public.customers"].endswith("email (as it is)")
    assert shown["views.first"].endswith("email (as it is)")
    assert shown["views.second"].endswith(" address")
    assert shown["views.third"].endswith("last (computed)")
    # It shows what was computed, so on the whole way it is computed.
    assert shown["views.fourth"].endswith("last (computed)")
    assert boxes(html)["views.first"].endswith("on the way: email (as it is)")


def test_what_is_not_on_the_way_is_not_emphasised(browse, chain):
    html = browse.get(GRAPH, view="views.second", column="id")
    assert emphasised(html) == {"public.customers", "views.first", "views.second"}
    assert html.count('class="ov-edge ov-on-way"') == 2
    assert html.count('class="ov-edge ov-aside"') == 2
    assert rows(html)["views.third"].endswith(DASH)


def test_a_view_whose_rows_hang_on_the_column_says_so(browse, chain):
    html = browse.get(GRAPH, view="views.second", column="year")
    assert emphasised(html) == {"public.customers", "views.first", "views.second", "views.third"}
    assert rows(html)["public.customers"].endswith("born (computed)")
    assert rows(html)["views.third"].endswith(" its rows")
    assert "its rows hang on it" in text_of(html)


def test_the_columns_are_in_a_table_too(browse, chain):
    html = browse.get(GRAPH, view="views.third")
    table = html.partition('id="columns-heading"')[2].partition("</table>")[0]
    found = [text_of(row) for row in re.findall(r'<tr role="row">(.*?)</tr>', table, re.DOTALL)][1:]
    assert found == [f"n {DASH} {DASH} {DASH}", f"last {DASH} views.second.address views.fourth.last"]
    assert 'aria-current="true"' not in table
    html = browse.get(GRAPH, view="views.third", column="last")
    assert re.search(r'aria-current="true"><code>last</code>', bare(html))


@pytest.mark.parametrize("column", ["absent", "<b>", "\0"])
def test_a_column_that_is_not_there_is_said(browse, chain, column):
    html = browse.get(GRAPH, 404, view="views.first", column=column)
    assert "views.first has no column" in text_of(html)
    assert "<b>" not in html
    assert emphasised(html) == set()


def test_the_way_is_shown_beyond_two_steps(browse, execute):
    execute("CREATE TABLE far (a int)")
    declare("V0", "SELECT a FROM far")
    for n in range(1, 7):
        declare(f"V{n}", f"SELECT a FROM views.v{n - 1}")
    sync_views()
    assert len(boxes(browse.get(GRAPH, view="views.v3"))) == 5
    assert len(boxes(browse.get(GRAPH, view="views.v3", column="a"))) == 8


def test_views_that_read_one_another_are_a_graph_too(browse, execute):
    declare("One", "SELECT 1 AS a")
    declare("Two", "SELECT a FROM views.one")
    sync_views()
    execute("CREATE OR REPLACE VIEW views.one AS SELECT a FROM views.two")
    html = browse.get(GRAPH)
    assert edges(html) == 2
    for name in ("one", "two"):
        html = browse.get(GRAPH, view=name, column="a")
        assert emphasised(html) == {"views.one", "views.two"}


def test_many_columns_are_all_in_the_table(browse):
    columns = ", ".join(f"{n} AS c{n:03}" for n in range(MOST_ROWS + 7))
    declare("Wide", f"SELECT {columns}")
    sync_views()
    html = browse.get(GRAPH, view="views.wide")
    assert len(re.findall(r'class="ov-row-name"', html)) == MOST_ROWS
    assert "and 7 more, in the table below" in text_of(html)
    assert f"<code>c{MOST_ROWS + 6:03}</code>" in bare(html)
    html = browse.get(GRAPH, view="views.wide", column=f"c{MOST_ROWS + 6:03}")
    assert len(re.findall(r'class="ov-row-name"', html)) == MOST_ROWS + 1


def test_too_many_views_are_no_picture_but_a_form(browse):
    for n in range(graph.MOST_WHOLE + 1):
        declare(f"View{n:03}", "SELECT 1 AS one" if n == 0 else "SELECT one FROM views.view000")
    sync_views()
    html = browse.get(GRAPH)
    assert boxes(html) == {}
    assert "61 are too many for one picture. Name a view to see what is near it." in text_of(html)
    assert '<option value="views.view060"></option>' in html
    assert len(boxes(browse.get(GRAPH, view="views.view007"))) == 2
    assert len(boxes(browse.get(GRAPH, view="views.view000"))) == graph.MOST_WHOLE + 1


def test_of_very_many_views_near_one_the_nearest_are_drawn(browse, monkeypatch):
    monkeypatch.setattr(graph, "MOST_NEAR", 5)
    declare("Hub", "SELECT 1 AS one")
    for n in range(8):
        declare(f"View{n}", "SELECT one FROM views.hub")
    declare("Further", "SELECT one FROM views.view0")
    sync_views()
    html = browse.get(GRAPH, view="views.hub")
    assert set(boxes(html)) == {"views.hub", *(f"views.view{n}" for n in range(4))}
    assert "Of 10 views and tables, the nearest 5 are shown." in text_of(html)


def test_no_views_are_no_picture(browse):
    html = browse.get(GRAPH)
    assert "There are no views yet." in text_of(html)
    assert "<svg class" not in html.partition('id="content-main"')[2]


def test_each_database_has_a_graph(browse):
    declare("Here", "SELECT 1 AS one")
    declare("There", "SELECT 1 AS one", database="warehouse")
    sync_views()
    assert set(boxes(browse.get(GRAPH))) == {"views.here"}
    html = browse.get(GRAPH, database="warehouse")
    assert set(boxes(html)) == {"views.there"}
    assert "<option selected>warehouse</option>" in html
    html = browse.get(GRAPH, view=key("there", database="warehouse"))
    assert set(boxes(html)) == {"views.there"}
    assert browse.get(GRAPH, 404, database="nonsense")
    assert "There is no view or table views.there." in browse.read(GRAPH, 404, view="views.there")


def test_a_database_that_does_not_answer_is_said(browse, cut_off):
    declare("There", "SELECT 1 AS one", database="warehouse")
    cut_off("warehouse")
    for parameters in ({}, {"view": "views.there"}):
        text = browse.read(GRAPH, database="warehouse", **parameters)
        assert "The views in database “warehouse” cannot be read." in text
        assert "does not answer" in text


NAMES = [
    "<script>alert(1)</script>",
    'q"uote',
    "it's 100% a/b",
    "日本語",
    "a~b",
    "a.b",
    "x&y=z;#?",
    "{{ 7 }}",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_shown_as_text_and_found_again(browse, name):
    column = name.replace('"', '""')
    declare("Odd", f'SELECT 1 AS "{column.replace("%", "%%")}"', name=name)
    sync_views()
    html = browse.get(GRAPH)
    assert "<script>alert" not in html
    link = re.search(r'role="listitem">.*?<a href="([^"]*)"', html)[1].replace("&amp;", "&")
    html = browse.get(link)
    assert "<script>alert" not in html
    link = re.search(r'<a class="ov-row" href="([^"]*)"', html)[1].replace("&amp;", "&")
    html = browse.get(link)
    assert "Show no column" in html
    assert "<script>alert" not in html
    assert len(boxes(browse.get(f"{GRAPH}?view={quote(f'views.{name}')}"))) == 1


@pytest.mark.parametrize("query", ["", "?tables=on", "?view=views.view0003", "?view=views.view0003&column=n"])
def test_the_graph_takes_as_many_queries_for_50_views_as_for_5(browse, execute, settings, query):
    settings.ORM_VIEWS = {"PERSONAL": ["auth.Group.id"]}
    execute("CREATE SCHEMA theirs")

    def load(number):
        execute("DROP SCHEMA theirs CASCADE; CREATE SCHEMA theirs")
        for n in range(number):
            make = declare_materialised if n % 5 == 1 else declare
            read = f"SELECT n FROM views.view{n // 2:04}" if n else "SELECT id AS n FROM auth_group"
            make(f"View{n:04}", read)
        sync_views()
        for n in range(number // 10 + 1):
            execute(f"CREATE VIEW theirs.view{n} AS SELECT n FROM views.view{n:04}")
        html = browse.get(GRAPH + query)
        assert "personal column" in html
        assert len(boxes(html)) > (2 if number == 5 else 5)
        with ExitStack() as stack:
            captured = {a: stack.enter_context(CaptureQueriesContext(connections[a])) for a in connections}
            browse.get(GRAPH + query)
        return {alias: len(queries) for alias, queries in captured.items()}

    assert load(5) == load(50)
