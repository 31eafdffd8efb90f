"""Boxes as SVG: how large they are, what they say, and that nothing in a name is markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from django.utils import translation

from orm_views_admin.ui.graph.boxes import Boxes, Focus
from orm_views_admin.ui.graph.drawing import FONT_SIZE, draw, path_of
from orm_views_admin.ui.graph.layout import Point, Route, lay_out
from orm_views_admin.ui.graph.nodes import BAND, HEAD, LINE, PADDING, ROW, Node, Row, Shape, size_of
from orm_views_admin.ui.graph.relations import Relations
from orm_views_admin.ui.graph.text import shorten, width_of
from orm_views_admin.ui.graph.way import ColumnWay
from orm_views_admin.ui.wording import look_of
from orm_views_core.lineage import RelationColumn, Way
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.status import Condition, State, ViewStatus

SVG = "{http://www.w3.org/2000/svg}"
OURS, BASE, THEIRS = ViewName("views", "ours"), ViewName("public", "base"), ViewName("theirs", "report")


def node(name="views.ages", **attributes):
    given = {"url": "?a=1&b=2", "label": name, "shape": Shape.VIEW, "kind": "plain", "what": "plain · synced"}
    return Node(name, **{**given, "look": look_of(State.SYNCED), **attributes})


def picture(nodes, edges=()):
    """Draw boxes; return the picture as an XML tree."""
    layout = lay_out({name: size_of(each) for name, each in nodes.items()}, edges)
    html = draw(layout, nodes, "Views")
    return ET.fromstring(html.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def texts(tree):
    return [each.text for each in tree.iter(f"{SVG}text")]


def test_a_box_is_a_link_with_its_name_and_what_it_is():
    tree = picture({1: node()})
    (link,) = tree.iter(f"{SVG}a")
    assert link.get("href") == "?a=1&b=2"
    assert link.get("aria-label") == "views.ages"
    assert texts(link) == ["views.ages", "plain · synced"]
    assert tree.get("role") == "list"
    assert [each.get("role") for each in tree.iter(f"{SVG}g")] == [None, "listitem"]


def test_edges_are_hidden_from_screen_readers():
    tree = picture({1: node("a"), 2: node("b")}, [(1, 2)])
    (edge,) = (each for each in tree.iter(f"{SVG}path") if "ov-edge" in each.get("class"))
    (hidden,) = (each for each in tree.iter(f"{SVG}g") if each.get("aria-hidden") == "true")
    assert edge in list(hidden)


def test_the_picture_is_as_large_as_what_it_shows_and_grows_with_the_text():
    tree = picture({1: node("a"), 2: node("b")}, [(1, 2)])
    _, _, width, height = map(float, tree.get("viewBox").split())
    assert float(tree.get("width").removesuffix("em")) * FONT_SIZE == pytest.approx(width, abs=0.1)
    assert float(tree.get("height").removesuffix("em")) * FONT_SIZE == pytest.approx(height, abs=0.1)
    assert width > 2 * size_of(node("a")).width


@pytest.mark.parametrize("evil", ["<script>", '"><b>', "'", "&amp;", "{{ 7 }}"])
def test_names_are_text(evil):
    row = Row(evil, evil, evil, note=evil)
    drawn = node(evil, url=evil, label=evil, what=evil, warning=evil, rows=(row,), rest=evil)
    tree = picture({1: drawn})
    assert {each.tag for each in tree.iter()} == {
        f"{SVG}{name}" for name in ("svg", "g", "a", "title", "rect", "path", "text")
    }
    assert set(texts(tree)) == {evil}
    assert [link.get("href") for link in tree.iter(f"{SVG}a")] == [evil, evil]


def test_numbers_are_written_as_svg_wants_them_in_every_language(settings):
    settings.USE_THOUSAND_SEPARATOR = True
    nodes = {n: node(f"view_number_{n}") for n in range(40)}
    with translation.override("de"):
        tree = picture(nodes, [(n, n + 1) for n in range(39)])
    assert float(tree.get("viewBox").split()[2]) > 1000
    for element in tree.iter():
        for name in ("x", "y", "width", "height", "d"):
            assert "," not in element.get(name, "")


@pytest.mark.parametrize("state", State)
def test_each_state_has_its_icon_and_its_word(state):
    look = look_of(state)
    tree = picture({1: node(look=look, what=f"plain · {look.word}")})
    icons = [each.get("d") for each in tree.iter(f"{SVG}path") if each.get("class") == "ov-node-icon"]
    assert icons == [look.icon]
    assert texts(tree)[1] == f"plain · {look.word}"


def test_kinds_differ_by_the_shape_of_their_boxes():
    drawn = {}
    for shape in Shape:
        tree = picture({1: node(shape=shape)})
        boxes = [each for each in tree.iter(f"{SVG}rect") if "ov-box" in each.get("class")]
        (group,) = (each for each in tree.iter(f"{SVG}g") if "ov-node" in each.get("class", ""))
        is_dashed = "ov-node-other" in group.get("class")  # by the style sheet
        drawn[shape] = (len(boxes), boxes[-1].get("rx"), is_dashed)
    assert len(set(drawn.values())) == len(Shape)


def test_columns_are_links_large_enough_for_a_finger():
    rows = tuple(Row(name, f"?column={name}", f"Show {name}") for name in ("id", "town"))
    tree = picture({1: node(rows=rows, rest="and 3 more")})
    links = [each for each in tree.iter(f"{SVG}a") if "ov-row" in each.get("class", "")]
    assert [each.get("href") for each in links] == ["?column=id", "?column=town"]
    heights = [float(rect.get("height")) for link in links for rect in link.iter(f"{SVG}rect")]
    assert heights == [ROW, ROW]
    assert ROW >= 24
    assert texts(tree)[-1] == "and 3 more"
    assert size_of(node(rows=rows, rest="and 3 more")).height == HEAD + 3 * ROW + PADDING


def test_personal_columns_have_a_mark_and_a_word():
    person = "ov-person"
    rows = (Row("id", "", "id"), Row("email", "", "email", is_personal=True))
    tree = picture({1: node(warning="1 personal column", rows=rows)})
    marks = [each for each in tree.iter(f"{SVG}path") if each.get("class") == person]
    assert len(marks) == 2
    assert "1 personal column" in texts(tree)
    assert size_of(node(warning="1 personal column")).height == HEAD + LINE
    (marked,) = (a for a in tree.iter(f"{SVG}a") if a.get("aria-label") == "email")
    assert [each.get("class") for each in marked.iter(f"{SVG}path")] == [person]


def test_edges_on_the_way_are_drawn_over_the_others():
    nodes = {name: node(name, is_on_way=name != "c") for name in "abc"}
    tree = picture(nodes, [("a", "b"), ("a", "c"), ("b", "c")])
    classes = [each.get("class") for each in tree.iter(f"{SVG}path") if "ov-edge" in each.get("class")]
    assert classes == ["ov-edge ov-aside", "ov-edge ov-aside", "ov-edge ov-on-way"]


def test_an_edge_has_its_arrow_where_it_leads():
    points = (Point(0, 10), Point(50, 20), Point(90, 20), Point(140, 5))
    ahead = path_of(Route("a", "b", points))
    assert ahead == "M0 10C25 10 25 20 50 20H90C115 20 115 5 140 5M134 1L140 5l-6 4"
    back = path_of(Route("b", "a", points, is_backwards=True))
    assert back.endswith("M6 6L0 10l6 4")


def test_long_names_are_shortened_in_their_middle():
    assert shorten("short", 10, 100) == "short"
    short = shorten("a_very_long_name_of_a_view", 10, 100)
    assert width_of(short, 10) <= 100
    first, last = short.split("…")
    assert "a_very_long_name_of_a_view".startswith(first)
    assert "a_very_long_name_of_a_view".endswith(last)
    assert 0 <= len(first) - len(last) <= 1
    assert shorten("anything", 10, 0) == "…"
    assert width_of("データ", 10) == 30
    assert width_of("e\u0301", 10) == width_of("e", 10)


def test_a_box_is_no_wider_than_it_may_be():
    widest = size_of(node("x" * 300)).width
    assert widest == size_of(node("x" * 63)).width < 300
    assert size_of(node("x")).width > BAND + 2 * PADDING


def relations():
    """A view of ours on a table, and one of somebody else on it."""
    ours = ViewStatus("default", OURS, "app.Ours", ViewKind.VIEW, (Condition(State.STALE, ""),))
    reads = {OURS: {BASE}, THEIRS: {OURS}}
    return Relations({OURS: ours}, {THEIRS: ViewKind.VIEW}, reads)


def address(name, column):
    return f"?view={name}&column={column}"


def test_boxes_tell_tables_and_views_of_others_apart():
    boxes = Boxes(relations(), address).of([BASE, OURS, THEIRS])
    assert [(box.shape, box.kind, box.what) for box in boxes.values()] == [
        (Shape.TABLE, "table", "table"),
        (Shape.VIEW, "plain", "plain · stale"),
        (Shape.OTHER, "not registered here", "not registered here"),
    ]
    # The schema of all views of ours is not shown, but the link names it.
    assert [box.name for box in boxes.values()] == ["public.base", "ours", "theirs.report"]
    assert boxes[OURS].label == "views.ours, plain · stale"


def test_boxes_mark_what_is_personal():
    personal = [RelationColumn(BASE, "email"), RelationColumn(OURS, "email"), RelationColumn(OURS, "name")]
    makes = Boxes(relations(), address, focus=Focus(OURS, ["id", "email", "name"]), personal=personal)
    boxes = makes.of([BASE, OURS, THEIRS])
    assert [box.warning for box in boxes.values()] == ["1 personal column", "2 personal columns", ""]
    assert "2 personal columns" in boxes[OURS].label
    assert [row.is_personal for row in boxes[OURS].rows] == [False, True, True]
    assert boxes[OURS].rows[1].label == "Show the way of views.ours.email, personal"
    assert makes.personal_of(OURS) == "email, name"
    assert makes.is_personal(RelationColumn(BASE, "email"))


def test_boxes_show_the_way_of_the_chosen_column():
    way = ColumnWay({RelationColumn(BASE, "born"): Way.COMPUTED_FROM}, frozenset([THEIRS]))
    makes = Boxes(relations(), address, "/page/", Focus(OURS, ["id", "age"], "age", way))
    boxes = makes.of([BASE, OURS, THEIRS])
    assert all(box.is_on_way for box in boxes.values())
    assert boxes[OURS].is_focus
    assert (boxes[OURS].url, boxes[BASE].url) == ("/page/", address(BASE, ""))
    assert [(row.name, row.is_on_way) for row in boxes[OURS].rows] == [("id", False), ("age", True)]
    assert [(row.name, row.note, row.url) for row in boxes[BASE].rows] == [
        ("born", "computed", address(BASE, "born"))
    ]
    assert boxes[THEIRS].rest == "its rows hang on it"
    assert [makes.way_of(name) for name in boxes] == ["born (computed)", "age", "its rows"]
