"""What the pages have in common that show rows of a view, or one of their values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.filters.columns import ColumnFilter, asked_filters, read_filters, with_refusal
from orm_views_admin.pages.base import UNREADABLE, Page, find_status
from orm_views_admin.pages.selection import address_or_404
from orm_views_admin.permissions import Permission
from orm_views_admin.rights.personal import personal_columns
from orm_views_admin.runs.accesses import is_recorded
from orm_views_admin.tables.base import SORT
from orm_views_admin.ui.querystrings import page_number
from orm_views_core.database.rows import Condition, RowColumn
from orm_views_core.definitions.registered import registered_views
from orm_views_core.exceptions import BadConditionError, MaskedColumnError
from orm_views_core.sentences import NOTHING, Sentence, says

PER_PAGE = 50
#: Later pages are not read: their OFFSET would be too large.
LAST_PAGE = 1_000_000


@dataclass
class Query:
    """The rows that a request asks for.

    Attributes:
        sort: the column to sort by, with a hyphen in front if descending; "" for no order.
        asked: the parameters that filter.
        page: the number of the page, from 1.
        columns: the columns of the view, once they are known.
        filters: what was understood of ``asked``, once the columns are known.
    """

    sort: str
    asked: Sequence[tuple[str, str]]
    page: int
    columns: Sequence[RowColumn] = ()
    filters: Sequence[ColumnFilter] = field(default_factory=list)

    @classmethod
    def from_parameters(cls, parameters: QueryDict) -> Query:
        """Read the parameters of a page; a page number that is not a number counts as 1."""
        sort = parameters.get(SORT, "").replace("\0", "")
        return cls(sort, asked_filters(parameters), min(page_number(parameters), LAST_PAGE))

    @property
    def offset(self) -> int:
        """How many rows are before the page."""
        return (self.page - 1) * PER_PAGE

    @property
    def order_by(self) -> list[str]:
        """The columns to sort by."""
        return [self.sort] if self.sort else []

    @property
    def understood(self) -> list[Condition]:
        """What rows have to fulfil, once the columns are known."""
        return [condition for each in self.filters for condition in each.conditions]

    @property
    def wrong(self) -> list[ColumnFilter]:
        """The filters that are not understood, or that PostgreSQL has refused."""
        return [each for each in self.filters if each.wrong]

    @property
    def order(self) -> Sentence:
        """The order in words; "" for none. A column may have a name with a hyphen in front."""
        if not self.sort:
            return NOTHING
        is_named = any(column.name == self.sort for column in self.columns)
        if is_named or not self.sort.startswith("-"):
            return says("sorted by %(column)s", column=self.sort)
        return says("sorted by %(column)s, descending", column=self.sort[1:])

    @property
    def place(self) -> Sentence:
        """The page in words; "" for the first."""
        return says("page %(number)s", number=self.page) if self.page > 1 else NOTHING

    def conditions(self, columns: Sequence[RowColumn]) -> list[Condition] | None:
        """Return what rows have to fulfil; None if a filter is wrong, so that no rows are read."""
        self.columns = columns
        if not self.filters:  # or some are known to be refused
            self.filters = read_filters(self.asked, columns)
        if self.wrong:
            return None
        return self.understood

    def refuse(self, error: BadConditionError) -> None:
        """Mark the filter as wrong that PostgreSQL has refused."""
        self.filters = with_refusal(self.filters, error, self.columns)


class RowsPage(Page):
    """A page that shows values of rows. It records that it does, before it shows any."""

    permission = Permission.PREVIEW
    #: The columns with personal data, once :meth:`personal_columns` has looked for them.
    personal: Collection[str] = ()

    def demand(self, address: ViewAddress) -> None:
        """Likewise. Of a view that is not there, the same is said as of one that the user may not see."""
        super().demand(address)
        address_or_404(address.database, *address.name)
        if address.name not in registered_views(address.database).names:
            with suppress(*UNREADABLE):
                find_status(address)

    def personal_columns(self, address: ViewAddress) -> Collection[str]:
        """Return the columns of a view whose values the user may not see."""
        may_see = self.may(Permission.VIEW_PERSONAL, address)
        if may_see and not is_recorded():
            return ()
        self.personal = personal_columns(address)
        return () if may_see else self.personal

    def refusal(self, error: MaskedColumnError) -> str:
        """Return why rows are neither sorted nor filtered by a column, and what the user would need."""
        hint = _("You need the permission to see personal data in rows of views.")
        return f"{self.explain(error)} {hint}"
