"""Puts pictures beside one another, in rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

#: The room between two pictures.
_GAP = 32
#: Rows are as wide as the widest picture, and at least as this.
_WIDTH = 860


def pack(sizes: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the upper left corner of each picture. They are put into rows in their order.

    Args:
        sizes: the width and the height of each picture.
    """
    room = max([_WIDTH, *(width for width, _ in sizes)])
    places = []
    x = y = row_height = 0.0
    for width, height in sizes:
        if x and x + width > room:
            x, y, row_height = 0.0, y + row_height + _GAP, 0.0
        places.append((x, y))
        x += width + _GAP
        row_height = max(row_height, height)
    return places
