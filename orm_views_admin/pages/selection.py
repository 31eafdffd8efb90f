"""The views that a request is about: those that it names, or all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress, by_database
from orm_views_core.engines.connections import view_databases
from orm_views_core.names import ViewName
from orm_views_core.spelling import spelling_on

PARAMETER = "view"
#: The form of the list sends this field. A request with it and without views selects nothing, not all views.
FROM_LIST = "selected"


def about_views(addresses: Iterable[ViewAddress]) -> str:
    """Return the query string that names some views."""
    return "?" + urlencode([(PARAMETER, address.key) for address in addresses], safe="/~")


def address_or_404(database: str, schema: str, name: str) -> ViewAddress:
    """Return the address that a request contains.

    Raises:
        Http404: if the project has no views in that database. Other databases are never queried.
    """
    if database not in view_databases():
        raise Http404(_("There are no views in database “%(alias)s”.") % {"alias": database})
    return ViewAddress(database, ViewName(schema, name))


@dataclass(frozen=True)
class Selection:
    """Some views; no addresses stand for all views."""

    addresses: tuple[ViewAddress, ...] = ()

    @classmethod
    def from_request(cls, parameters: QueryDict) -> Selection:
        """Read the views that a request names.

        Raises:
            Http404: if one of the names is not a view's address, or if the project has no views in its
                database.
        """
        return cls._of(parameters.getlist(PARAMETER))

    @classmethod
    def from_text(cls, text: str) -> Selection:
        """Read the views of a text that :attr:`text` has returned.

        Raises:
            Http404: as :meth:`from_request` does.
        """
        segments = text.split("/") if text else []
        return cls._of("/".join(segments[n : n + 3]) for n in range(0, len(segments), 3))

    @classmethod
    def _of(cls, keys: Iterable[str]) -> Selection:
        addresses = []
        for key in keys:
            try:
                database, name = ViewAddress.parse(key)
            except ValueError:
                raise Http404(_("“%(key)s” is not the address of a view.") % {"key": key}) from None
            addresses.append(address_or_404(database, *name))
        return cls(tuple(dict.fromkeys(addresses)))

    @property
    def can_be_compared(self) -> bool:
        """Whether one of the databases can compute rows beside those in use."""
        return any(spelling_on(alias).abilities.staging for alias in self.by_database)

    @property
    def single(self) -> ViewAddress | None:
        """The selected view, if exactly one is selected."""
        return self.addresses[0] if len(self.addresses) == 1 else None

    @property
    def by_database(self) -> dict[str, list[ViewName] | None]:
        """The names of the selected views by database; None stands for all views of a database."""
        if not self.addresses:
            return dict.fromkeys(view_databases())
        return {**by_database(self.addresses)}

    @property
    def keys(self) -> list[str]:
        """The addresses as a form contains them."""
        return [address.key for address in self.addresses]

    @property
    def text(self) -> str:
        """The addresses as one field of a form. Django accepts 1,000 fields."""
        return "/".join(self.keys)
