"""The SVG of the dependency graph.

Its unit is a pixel as long as the reader has not enlarged the text of pages: its width and height are
multiples of the size of its font, so that it grows with that.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .layout import Box, Layout, Route
from .nodes import (
    BAND,
    COLUMN,
    HEAD,
    MARK,
    NAME,
    PADDING,
    ROW,
    SMALL,
    Node,
    Row,
    Shape,
    fitting,
    height_of_head,
    note_width,
)

N = TypeVar("N", bound=Hashable)

#: The size of the font of the picture, in pixels, that the style sheet sets.
FONT_SIZE = 13
#: The room around the picture, for the outline of what has the focus.
_MARGIN = 8
#: The length of an arrow's head.
_HEAD = 6
#: How far inside of a box its parts begin.
_INSIDE = 1.5
#: The distance of the box behind that of a materialised view.
_BEHIND = 4
#: Of a person: the mark of personal data, on a grid of 16 by 16.
PERSON = "M8 1.5a3 3 0 1 1 0 6 3 3 0 0 1 0-6M2 14.5c0-3.6 2.6-5.6 6-5.6s6 2 6 5.6z"


def draw(layout: Layout[N], nodes: Mapping[N, Node], label: str) -> SafeString:
    """Return a graph as SVG.

    Args:
        layout: where its nodes and edges are.
        nodes: what its nodes show.
        label: the accessible name of the list of nodes.
    """
    has_way = any(node.is_on_way for node in nodes.values())
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN
    # Those that are emphasised are drawn over the others.
    edges = sorted((_edge(route, nodes, has_way) for route in layout.routes), key=lambda edge: edge[0])
    return format_html(
        '<svg class="ov-graph" width="{}em" height="{}em" viewBox="{} {} {} {}" role="list" aria-label="{}">'
        '<g aria-hidden="true">{}</g>{}</svg>',
        *(f"{length / FONT_SIZE:.3f}" for length in (width, height)),
        *(-_MARGIN, -_MARGIN, _number(width), _number(height)),
        label,
        format_html_join("", '<path class="ov-edge{}" d="{}"/>', edges),
        format_html_join("", "{}", ((_node(nodes[name], box),) for name, box in layout.boxes.items())),
    )


def _number(value: float) -> str:
    """Return a coordinate, whatever the active language is."""
    return f"{value:.1f}".removesuffix(".0")


def _edge(route: Route[N], nodes: Mapping[N, Node], has_way: bool) -> tuple[str, str]:
    """Return the further class of an edge and its path. In their order, emphasised ones are the last."""
    if not has_way:
        return "", path_of(route)
    is_on_way = nodes[route.source].is_on_way and nodes[route.target].is_on_way
    return " ov-on-way" if is_on_way else " ov-aside", path_of(route)


def path_of(route: Route[N]) -> str:
    """Return the path of an edge, with the head of its arrow.

    Between two columns all edges have the same curve, so that two of them cross once or never.
    """
    first, *others = route.points
    path = [f"M{_number(first.x)} {_number(first.y)}"]
    for number, (one, other) in enumerate(zip(route.points, others, strict=False)):
        if number % 2:
            path.append(f"H{_number(other.x)}")
        else:
            middle, x = _number((one.x + other.x) / 2), _number(other.x)
            path.append(f"C{middle} {_number(one.y)} {middle} {_number(other.y)} {x} {_number(other.y)}")
    tip = route.points[0] if route.is_backwards else route.points[-1]
    back = _HEAD if route.is_backwards else -_HEAD
    path.append(f"M{_number(tip.x + back)} {_number(tip.y - 4)}L{_number(tip.x)} {_number(tip.y)}l{back} 4")
    return "".join(path)


def _node(node: Node, box: Box) -> SafeString:
    middle = box.x + BAND + PADDING
    behind = ""
    if node.shape is Shape.STORED:
        behind = _rectangle(box._replace(x=box.x + _BEHIND, y=box.y + _BEHIND), "ov-box ov-behind", 6)
    lines = [
        _text(middle, box.y + 19, "ov-node-name", fitting(node.name, NAME)),
        _text(middle, box.y + 35, "ov-node-what", fitting(node.what, SMALL)),
    ]
    if node.warning:
        y = box.y + HEAD + 8
        lines += [
            _icon(middle, y - 9, PERSON, "ov-person"),
            _text(middle + MARK, y, "ov-node-what", fitting(node.warning, SMALL, MARK)),
        ]
    radius = 0 if node.shape is Shape.TABLE else 6
    head = height_of_head(node)
    rows = [_row(row, box, box.y + head + ROW * number) for number, row in enumerate(node.rows)]
    if node.rest:
        y = box.y + head + ROW * len(rows)
        rows.append(_text(middle, y + 16, "ov-node-what", node.rest))
    return format_html(
        '<g class="ov-node ov-node-{}{}{}" role="listitem">{}{}'
        '<a href="{}" aria-label="{}"{}><title>{}</title>'
        '<rect class="ov-node-link" x="{}" y="{}" width="{}" height="{}"/>{}{}</a>{}</g>',
        node.shape.value,
        " ov-focus" if node.is_focus else "",
        " ov-on-way" if node.is_on_way else "",
        behind,
        _rectangle(box, "ov-box", radius),
        node.url,
        node.label,
        SafeString(' aria-current="true"') if node.is_focus else "",
        node.label,
        *(_number(box.x), _number(box.y), _number(box.width), head),
        _band(node, box, radius),
        format_html_join("", "{}", ((line,) for line in lines)),
        format_html_join("", "{}", ((row,) for row in rows)),
    )


def _band(node: Node, box: Box, radius: int) -> SafeString:
    """Return the band at the left of a box, in the colour of its status and with its icon."""
    if node.look is None:
        return SafeString("")
    # Inside the line of the box, also where that is thick.
    x, y, height, r = box.x + _INSIDE, box.y + _INSIDE, box.height - 2 * _INSIDE, max(0, radius - _INSIDE)
    path = (
        f"M{_number(box.x + BAND)} {_number(y)}v{_number(height)}H{_number(x + r)}"
        f"a{r} {r} 0 0 1 {-r} {-r}v{_number(2 * r - height)}a{r} {r} 0 0 1 {r} {-r}z"
    )
    return format_html(
        '<path class="ov-band ov-band-{}" d="{}"/>{}',
        node.look.colour,
        path,
        _icon(box.x + 7, box.y + 16, node.look.icon, "ov-node-icon"),
    )


def _row(row: Row, box: Box, y: float) -> SafeString:
    """Return a column as a link that is as wide as its box."""
    x = box.x + BAND + PADDING
    person = _icon(x, y + 6, PERSON, "ov-person") if row.is_personal else ""
    marked = MARK * row.is_personal
    note = ""
    if row.note:
        note = _text(box.x + box.width - PADDING, y + 16, "ov-node-what ov-node-note", row.note)
    return format_html(
        '<a class="ov-row{}" href="{}" aria-label="{}"{}><title>{}</title>'
        '<rect class="ov-row-back" x="{}" y="{}" width="{}" height="{}"/>{}{}{}</a>',
        " ov-on-way" if row.is_on_way else "",
        row.url,
        row.label,
        SafeString(' aria-current="true"') if row.is_chosen else "",
        row.label,
        *(_number(box.x + BAND + _INSIDE), _number(y), _number(box.width - BAND - 3 * _INSIDE), ROW),
        person,
        _text(x + marked, y + 16, "ov-row-name", fitting(row.name, COLUMN, marked + note_width(row))),
        note,
    )


def _rectangle(box: Box, css_class: str, radius: int) -> SafeString:
    return format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="{}"/>',
        css_class,
        *map(_number, box),
        radius,
    )


def _text(x: float, y: float, css_class: str, text: str) -> SafeString:
    return format_html('<text class="{}" x="{}" y="{}">{}</text>', css_class, _number(x), _number(y), text)


def _icon(x: float, y: float, path: str, css_class: str) -> SafeString:
    """Return an icon of 12 by 12."""
    return format_html(
        '<path class="{}" transform="translate({} {}) scale(.75)" d="{}"/>',
        css_class,
        _number(x),
        _number(y),
        path,
    )
