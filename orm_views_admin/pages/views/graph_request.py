"""What a request wants to see of the dependency graph."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.pages.selection import PARAMETER
from orm_views_admin.ui.graph.relations import Relations
from orm_views_core.engines.connections import view_databases
from orm_views_core.names import ViewName

DATABASE, TABLES, COLUMN = "database", "tables", "column"


@dataclass(frozen=True)
class GraphRequest:
    """What a request wants to see.

    Attributes:
        databases: the aliases with views.
        database: the alias of the database.
        view: a relation as the request names it: the key of an address, ``schema.name``, or a name alone; ""
            for the whole graph.
        tables: whether tables are drawn.
        column: the column whose way is shown; "" for none.
    """

    databases: tuple[str, ...]
    database: str
    view: str = ""
    tables: bool = False
    column: str = ""

    @classmethod
    def read(cls, parameters: QueryDict) -> GraphRequest:
        """Read a request.

        Raises:
            Http404: if the project has no views in the database that it names.
        """
        databases = tuple(view_databases())
        view = parameters.get(PARAMETER, "").strip()
        database = parameters.get(DATABASE, "") or databases[0]
        if (address := _address(view)) and address.database in databases:
            database = address.database
        if database not in databases:
            raise Http404(_("There are no views in database “%(alias)s”.") % {"alias": database})
        tables = parameters.get(TABLES) == "on"
        return cls(databases, database, view, tables, parameters.get(COLUMN, "") if view else "")

    def find(self, relations: Relations) -> ViewName | None:
        """Return the relation that the request names; None if there is none, or several."""
        address = _address(self.view)
        if address and address.database == self.database and address.name in relations.names:
            return address.name
        for spelling in (str, lambda name: name.name):
            named = [name for name in relations.names if spelling(name) == self.view]
            if len(named) == 1:
                return named[0]
        return None

    def query(self, name: ViewName | None = None, column: str = "") -> str:
        """Return the query string of the same graph about another relation, or about a column of it."""
        parameters = {DATABASE: self.database} if name is None and len(self.databases) > 1 else {}
        if name is not None:
            parameters[PARAMETER] = ViewAddress(self.database, name).key
        parameters |= {TABLES: "on"} if self.tables else {}
        parameters |= {COLUMN: column} if column else {}
        return "?" + urlencode(parameters, safe="/~")


def _address(key: str) -> ViewAddress | None:
    """Return the address of a key; None if it is not the key of an address."""
    with suppress(ValueError):
        return ViewAddress.parse(key)
    return None
