"""Pages when a database accepts connections and never answers: each waits for it once, and says so."""

from __future__ import annotations

import pytest

from orm_views_admin.models import Run
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised, key, url
from tests.admin.histories import make_run
from tests.conftest import WHOLE
from tests.silence import watched

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "warehouse"]),
    pytest.mark.usefixtures("committed_views"),
]


@pytest.fixture
def silent(proxy):
    """A view here, and two of the database that says nothing, one of which is being refreshed."""
    declare("Here", "SELECT 1 AS id")
    sync_views(databases=["default"])
    declare("There", "SELECT 1 AS id", database="warehouse")
    declare_materialised("Stored", "SELECT 1 AS id", database="warehouse")
    make_run("stored", database="warehouse", state=Run.State.RUNNING, ago=600)
    proxy.silent_after = 0
    return proxy


PAGES = {
    "list": LIST,
    "list, searched": f"{LIST}?q=here",
    "list, sorted": f"{LIST}?sort=-seconds",
    "detail": url("detail", "there", database="warehouse"),
    "preview": url("preview", "there", database="warehouse"),
    "plan": f"{LIST}sync/",
    "plan of one": f"{LIST}sync/?view={key('there', database='warehouse')}",
    "refresh": f"{LIST}refresh/",
    "graph": f"{LIST}graph/?database=warehouse",
    "history": f"{LIST}runs/",
}


#: `nox --session attacks` tries all. Each takes as long as the limit.
TRIED = PAGES if WHOLE else ["list, searched", "detail", "plan", "refresh", "history"]


@pytest.mark.parametrize("page", TRIED)
def test_a_page_waits_once_for_a_database_that_says_nothing(browse, silent, page):
    with watched():
        text = browse.read(PAGES[page])
    assert silent.accepted <= 1
    if page != "history":
        assert silent.accepted == 1
        assert "does not answer" in text
    if page in {"list", "list, sorted"}:
        assert "2 of 3 views need attention: 2 cannot be read. The others: 1 synced." in text
        assert "no answer within 0.5 s (ORM_VIEWS['CONNECT_TIMEOUT'])" in text.replace("&#x27;", "'")
