"""Declaring views, and requesting pages so that a redirect to the login form fails the test."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from orm_views_core.names import ViewName
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from orm_views_core.views.registry import Registry

LIST = "/admin/orm-views/"


def declare(name: str, sql: str, /, *bases: type, **attributes: Any) -> type:
    """Declare a view, as a class statement in a postgres_views.py does."""
    module = attributes.pop("module", "tests.demo.lending.postgres_views")
    return type(name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": module, **attributes})


def declare_materialised(name: str, sql: str, /, **attributes: Any) -> type:
    return declare(name, sql, PostgresMaterialisedViewMixin, **attributes)


def forget(registered: Registry, *names: str) -> None:
    """Take the view classes of some names out of the registry; all when there are none."""
    for view in registered.views():
        if not names or view.__name__ in names:
            registered.unregister(view)


def url(page: str, name: str, schema: str = "views", database: str = "default") -> str:
    """Return the address of a page about a view."""
    return reverse(f"orm_views_admin:{page}", kwargs={"database": database, "schema": schema, "name": name})


def key(name: str, schema: str = "views", database: str = "default") -> str:
    """Return the key of a view in forms."""
    from orm_views_admin.addresses import ViewAddress

    return ViewAddress(database, ViewName(schema, name)).key


def text_of(html: str) -> str:
    """Return the text of a page: without markup, and with spaces collapsed."""
    return " ".join(re.sub(r"<[^>]*>", " ", bare(html)).split())


def bare(html: str) -> str:
    """Return HTML without what isolates and breaks names."""
    return re.sub(r"</?(?:wbr|bdi)\b[^>]*>", "", html)


class Browse:
    """A client that checks which page it got.

    Args:
        client: a client of a user who is logged in.
        committing: pytest-django's ``django_capture_on_commit_callbacks``. The transaction of a test is never
            committed, so callbacks that wait for the commit would not be called.
    """

    def __init__(self, client: Client, committing: Any) -> None:
        self.client = client
        self._committing = committing

    def get(self, path: str, /, expect: int = 200, **parameters: Any) -> str:
        """Return the page at a path. A redirect, for example to the login form, fails."""
        response = self.client.get(path, parameters)
        assert response.status_code == expect, response.headers.get("Location", response.content[:2000])
        assert response.request["PATH_INFO"].startswith(LIST)
        return str(response.content.decode())

    def read(self, path: str, /, expect: int = 200, **parameters: Any) -> str:
        """Return the text of the page at a path."""
        return text_of(self.get(path, expect, **parameters))

    def post(self, path: str, **data: Any) -> Any:
        """Send data to a page, and return its response."""
        with self._committing(execute=True):
            response = self.client.post(path, data)
        assert not response.headers.get("Location", "").startswith("/admin/login")
        return response


def run_page(response: Any) -> str:
    """Return the address that a response redirects to. It must be the page of a run."""
    location = str(response.headers.get("Location"))
    assert response.status_code == 302, text_of(response.content.decode())
    assert re.match(rf"{LIST}runs/[0-9a-f-]{{36}}/(\?|$)", location), location
    return location


def hidden_fields(html: str) -> dict[str, Any]:
    """Return the hidden fields of a page's form, without the CSRF token."""
    fields: dict[str, Any] = {}
    for state in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", html):
        name = re.search(r'name="([^"]*)"', state)
        value = re.search(r'value="([^"]*)"', state)
        if name and value and name[1] != "csrfmiddlewaretoken":
            fields.setdefault(name[1], []).append(value[1])
    return fields
