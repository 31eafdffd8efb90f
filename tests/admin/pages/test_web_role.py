"""The pages, served by a role that may create nothing, with ``ORM_VIEWS["SYNC_ROLE"]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orm_views_admin import runs
from orm_views_admin.models import Run
from orm_views_core.exceptions import RefreshError
from orm_views_core.names import ViewName
from orm_views_core.refresh import refresh_views
from orm_views_core.status import get_detail
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, Browse, declare, declare_materialised, hidden_fields, run_page, url
from tests.admin.slow import wait_for_state
from tests.core.gates import Background, wait_until
from tests.roles import Roles, connected_as, query_as, three_roles

pytestmark = pytest.mark.django_db(transaction=True)

WHO = "SELECT current_user::text AS who, n FROM generate_series(1, 3) AS n"


@pytest.fixture
def web(transactional_db: None, browse: Browse, settings: Any) -> Iterator[Roles]:
    """The roles; the default connection is that of the web server."""
    with three_roles() as roles:
        settings.ORM_VIEWS = {"SYNC_ROLE": roles.owner}
        with connected_as(roles.web):
            yield roles


def confirm(browse: Browse, path: str) -> str:
    """Confirm the form at a path, and return the page of the run."""
    fields = hidden_fields(browse.get(path))
    return browse.read(run_page(browse.post(path, confirm="yes", **fields)))


def test_staff_sync_refresh_and_read(browse: Browse, web: Roles) -> None:
    declare("Plain", WHO)
    declare_materialised("Stored", WHO, pk_field="n")
    assert "2 to create" in browse.read(f"{LIST}sync/")
    assert "succeeded" in confirm(browse, f"{LIST}sync/")
    assert "synced 2" in browse.read(LIST)
    assert "succeeded" in confirm(browse, f"{LIST}refresh/")
    # Reads are those of the role that connects; the rows of the other view were computed by the owner.
    assert web.web in browse.read(url("preview", "plain"))
    assert web.owner in browse.read(url("preview", "stored"))
    assert browse.client.get(url("count", "plain")).json()["rows"] == 3
    assert "Nothing to do" in browse.read(f"{LIST}sync/")
    assert {run.state for run in Run.objects.all()} == {Run.State.SUCCEEDED}


def test_the_dry_run_of_a_changed_view(browse: Browse, web: Roles) -> None:
    view = declare("Plain", WHO)
    sync_views()
    view.sql = WHO + " WHERE n > 1"
    page = browse.read(url("detail", "plain"))
    assert "changed" in page
    assert get_detail("default", ViewName("views", "plain")).expected is not None


def test_the_list_says_what_postgresql_refuses_the_sync_role(browse: Browse, web: Roles) -> None:
    declare("Plain", WHO)
    declare("Wrong", "SELECT nope FROM nowhere")
    assert "2 of 2 views need attention: 1 invalid, 1 missing." in browse.read(LIST)


def test_a_web_role_that_is_no_member(browse: Browse, web: Roles) -> None:
    declare("Plain", WHO)
    query_as(web.boss, f"REVOKE {web.owner} FROM {web.web}")
    wrong = f"{web.web} cannot act as &#x27;{web.owner}&#x27;, the role that ORM_VIEWS[&#x27;SYNC_ROLE&#x27;]"
    assert wrong in browse.get(f"{LIST}sync/")
    assert "Missing" in browse.read(url("detail", "plain"))
    assert "missing 1" in browse.read(LIST)


@pytest.fixture
def refresh_of_owner(web: Roles) -> Iterator[Run]:
    """The run of a refresh that the owner has begun at the command line. It goes on until it is cancelled."""
    declare_materialised("Slow", "SELECT pg_sleep(60)::text AS slept", with_data=False)
    sync_views()
    with connected_as(web.owner):
        work = Background(refresh_views)
        wait_until("SELECT pid FROM pg_stat_activity WHERE query LIKE 'REFRESH%' AND wait_event = 'PgSleep'")
    run = Run.objects.get(kind=Run.Kind.REFRESH)
    yield run
    query_as(web.boss, f"SELECT pg_cancel_backend({run.pid})")
    with pytest.raises(RefreshError):
        work.join()


def test_a_refresh_of_the_command_line_is_seen_and_cancelled(refresh_of_owner: Run, ann: Any) -> None:
    run = refresh_of_owner
    runs.reconcile([run])
    assert run.state == Run.State.RUNNING
    assert runs.cancel(run, ann)
    assert wait_for_state(run).state == Run.State.CANCELLED


def test_a_refresh_of_a_role_that_we_are_no_member_of_is_not_lost(refresh_of_owner: Run, web: Roles) -> None:
    query_as(web.boss, f"REVOKE {web.owner} FROM {web.web}")
    runs.reconcile([refresh_of_owner])
    assert refresh_of_owner.state == Run.State.RUNNING
