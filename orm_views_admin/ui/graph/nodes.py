"""What the boxes of the graph show, and how large they are. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from orm_views_admin.ui.wording import Look

from .layout import Size
from .text import shorten, width_of


class Shape(enum.Enum):
    """The shape of a box; the value is the last part of its CSS class.

    VIEW has round corners, STORED another box behind it, TABLE square corners, and OTHER a dashed line.
    """

    VIEW = "view"
    STORED = "stored"
    TABLE = "table"
    OTHER = "other"


@dataclass(frozen=True)
class Row:
    """A column, as a line of a box.

    Attributes:
        name: its name.
        url: where its link leads.
        label: the accessible name of the link.
        note: what it is on the way of the chosen column, in a word; "" if it is not on it.
        is_chosen: whether it is the chosen column.
        is_personal: whether it shows personal data.
    """

    name: str
    url: str
    label: str
    note: str = ""
    is_chosen: bool = False
    is_personal: bool = False

    @property
    def is_on_way(self) -> bool:
        """Whether it is the chosen column, or one that it is made of or goes to."""
        return bool(self.note) or self.is_chosen


@dataclass(frozen=True)
class Node:
    """A relation, as a box.

    Attributes:
        name: its name, as it is shown if there is room.
        url: where its link leads.
        label: the accessible name of the link; it has the whole name.
        shape: the shape of its box.
        kind: what it is, in words.
        what: the same and its status, in words.
        look: the icon and the colour of its status; None if it has none.
        warning: a further line, with a mark in front; "" for none.
        rows: the columns that are shown.
        rest: a last line; "" for none.
        is_focus: whether the graph is about it.
        is_on_way: whether the chosen column is made of something of it, or something of it hangs on that.
    """

    name: str
    url: str
    label: str
    shape: Shape
    kind: str
    what: str
    look: Look | None = None
    warning: str = ""
    rows: tuple[Row, ...] = ()
    rest: str = ""
    is_focus: bool = False
    is_on_way: bool = False


#: The sizes of the fonts of names, of columns and of the other words.
NAME, COLUMN, SMALL = 13, 12, 11
#: The band at the left of a box, which has the icon; and the room between a text and what is beside it.
BAND, PADDING = 26, 9
#: The heights of the head of a box, with its name and what it is; of a further line; and of a column, which
#: is a target for a finger.
HEAD, LINE, ROW = 44, 18, 24
#: The mark of personal data in front of a column takes this room.
MARK = 16
_WIDEST_TEXT = 240


def size_of(node: Node) -> Size:
    """Return the size of a node's box."""
    texts = [
        width_of(node.name, NAME),
        width_of(node.what, SMALL),
        MARK + width_of(node.warning, SMALL) if node.warning else 0,
        width_of(node.rest, SMALL),
        *(_width_of_row(row) for row in node.rows),
    ]
    width = BAND + 2 * PADDING + min(max(texts), _WIDEST_TEXT)
    return Size(round(width), height_of_head(node) + _height_of_rows(node))


def height_of_head(node: Node) -> int:
    """Return the height of a box above its columns."""
    return HEAD + LINE * bool(node.warning)


def fitting(text: str, font_size: float, taken: float = 0) -> str:
    """Return a text of a box as there is room for it.

    Args:
        text: the text.
        font_size: the size of its font.
        taken: the room that something else takes on the same line.
    """
    return shorten(text, font_size, _WIDEST_TEXT - taken)


def _width_of_row(row: Row) -> float:
    return MARK * row.is_personal + width_of(row.name, COLUMN) + note_width(row)


def note_width(row: Row) -> float:
    """Return the room that the note of a column takes."""
    return PADDING + width_of(row.note, SMALL) if row.note else 0


def _height_of_rows(node: Node) -> int:
    lines = len(node.rows) + bool(node.rest)
    return ROW * lines + PADDING * bool(lines)
