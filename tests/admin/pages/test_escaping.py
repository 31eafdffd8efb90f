"""Whatever stands in names, docstrings, SQL, comments and rows stays text."""

from __future__ import annotations

import pytest

from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised, forget, key, url

pytestmark = pytest.mark.django_db

EVIL = "<script>alert('x')</script>"
NAMES = [
    EVIL,
    'q"uote',
    "it's 100% a/b",
    "日本語",
    "a~b",
    "..",
    "Cap Ital",
    "{{ 7 }}{% x %}",
    "a\\b",
    "x&y=z;#?",
]


def declare_evil(name):
    return declare_materialised(
        "Evil",
        f"SELECT 1 AS id, '{EVIL.replace(chr(39), chr(39) * 2)}'::text AS \"{EVIL}\" /* {EVIL} */",
        __doc__=f"Doc {EVIL}",
        name=name,
        pk_field="id",
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_page_shows_text_and_works_for_any_name(browse, registered, execute, name):
    declare_evil(name)
    pages = [
        (LIST, {}),
        (LIST, {"q": EVIL, "status": EVIL, "sort": EVIL, "page": EVIL}),
        (f"{LIST}graph/", {"tables": EVIL}),
        (f"{LIST}graph/", {"view": key(name), "tables": "on"}),
        (f"{LIST}sync/", {}),
        (f"{LIST}sync/", {"view": key(name)}),
        (f"{LIST}refresh/", {"view": key(name)}),
        (url("detail", name), {}),
        (url("count", name), {}),
        (url("preview", name), {}),
        (url("preview", name), {"sort": EVIL, f"column.{EVIL}": EVIL, "column.id": EVIL}),
    ]

    def visit():
        for path, parameters in pages:
            html = browse.get(path, **parameters)
            assert EVIL not in html or path == url("count", name)
            assert "<script>" not in html or path == url("count", name)

    visit()
    sync_views()
    visit()
    quoted = name.replace('"', '""')
    execute(f"COMMENT ON COLUMN views.\"{quoted}\".id IS '{EVIL.replace(chr(39), '')}'")
    visit()
    forget(registered)
    visit()


def test_json_is_never_taken_for_a_page(admin_client):
    declare_evil(EVIL)
    response = admin_client.get(url("count", EVIL))
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_errors_and_messages_are_text(browse):
    declare_evil(EVIL)
    declare("Broken", f'SELECT "{EVIL}"')
    for path in (url("detail", "broken"), f"{LIST}sync/"):
        assert EVIL not in browse.get(path)
