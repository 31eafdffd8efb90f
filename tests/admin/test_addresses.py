"""Any name makes an address, and any address gives its name back."""

import pytest
from django.urls import resolve, reverse

from orm_views_admin.addresses import ViewAddress
from orm_views_core.names import ViewName

NAMES = [
    "loan_book",
    'with "quotes"',
    "it's",
    "a/b",
    "a//b/",
    "a~2Fb",
    "~",
    ".",
    "..",
    "100%",
    "%2F",
    "Capitals And Spaces",
    "日本語 ü",
    "a?b#c&d=e;f",
    "back\\slash",
    "new\nline",
    "<script>alert(1)</script>",
]


@pytest.mark.parametrize("name", NAMES)
def test_an_address_survives_its_way_through_a_url(name):
    parts = {"database": "default", "schema": name, "name": name}
    path = reverse("orm_views_admin:detail", kwargs=parts)
    from urllib.parse import unquote

    # What a server hands to Django has been decoded once.
    match = resolve(unquote(path))
    assert (match.view_name, match.kwargs) == ("orm_views_admin:detail", parts)
    assert not {"/../", "/./"} & {path[i : i + 4] for i in range(len(path))}


@pytest.mark.parametrize("name", NAMES)
def test_an_address_survives_its_way_through_a_form(name):
    address = ViewAddress("default", ViewName(name, name))
    assert ViewAddress.parse(address.key) == address


@pytest.mark.parametrize("key", ["", "a", "a/b", "a/b/c/d"])
def test_what_is_no_key_is_an_error(key):
    with pytest.raises(ValueError, match="unpack"):
        ViewAddress.parse(key)


@pytest.mark.parametrize("name", ["a\0", "a~00"])
def test_no_name_has_a_nul(name):
    with pytest.raises(ValueError, match="NUL"):
        ViewAddress.parse(f"default/views/{name}")
    match = resolve(f"/admin/orm-views/view/default/views/{name}/")
    assert match.namespaces == ["admin"], "it is left to whatever else the admin has there: nothing"
