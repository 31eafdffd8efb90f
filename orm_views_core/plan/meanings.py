"""What means something else once a plan is carried out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from orm_views_core.names import ViewName


@dataclass(frozen=True)
class ChangedMeaning:
    """What of a view means something else afterwards.

    Attributes:
        is_ours: whether a class declares the view.
        columns: its columns whose values mean something else, in their order.
        rows: whether other rows may be in it, or the same in another order.
        by_way_of: the views that it has that from; empty when only its own definition changes.
        is_exact: whether its definition could be compared. If not, everything of it may mean something else.
    """

    view: ViewName
    is_ours: bool
    columns: tuple[str, ...] = ()
    rows: bool = False
    by_way_of: tuple[ViewName, ...] = ()
    is_exact: bool = True
