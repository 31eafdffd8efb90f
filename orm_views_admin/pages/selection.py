"""Which views a request is about: those that it names, or all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_core.engines.connections import view_databases
from orm_views_core.names import ViewName

PARAMETER = "view"
#: Sent by the form of the list: nothing ticked is then a mistake and does not mean everything.
FROM_LIST = "selected"


def about_views(addresses: Iterable[ViewAddress]) -> str:
    """Return the query string that names some views."""
    return "?" + urlencode([(PARAMETER, address.key) for address in addresses], safe="/~")


@dataclass(frozen=True)
class Selection:
    """Some views, or all when there are no addresses."""

    addresses: tuple[ViewAddress, ...] = field(default=())

    @classmethod
    def from_request(cls, parameters: QueryDict) -> Selection:
        """Read the views that a request names.

        Raises:
            Http404: when one of them could be no view, so that no other database is looked at.
        """
        known = view_databases()
        addresses = []
        for key in parameters.getlist(PARAMETER):
            try:
                address = ViewAddress.parse(key)
            except ValueError:
                raise Http404(_("“%(key)s” names no view.") % {"key": key}) from None
            if address.database not in known:
                raise Http404(_("There are no views in database “%(alias)s”.") % {"alias": address.database})
            addresses.append(address)
        return cls(tuple(dict.fromkeys(addresses)))

    @property
    def by_database(self) -> dict[str, list[ViewName] | None]:
        """The names of each database that is concerned; None stands for all of its views."""
        if not self.addresses:
            return dict.fromkeys(view_databases())
        names: defaultdict[str, list[ViewName] | None] = defaultdict(list)
        for address in self.addresses:
            names[address.database].append(address.name)  # type: ignore[union-attr]
        return dict(names)

    @property
    def keys(self) -> list[str]:
        """The addresses as a form carries them."""
        return [address.key for address in self.addresses]
