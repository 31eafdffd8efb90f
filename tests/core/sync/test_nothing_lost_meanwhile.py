"""What other sessions do to a view while its new version is being built is not lost."""

from __future__ import annotations

import threading

import pytest
from django.db import connections
from django.test import override_settings

from orm_views_core.exceptions import LockNotAvailableError
from orm_views_core.sync import sync_views
from orm_views_core.sync.executor import Progress
from tests.core.keeping import ACL, REBUILD_MATERIALISED, REBUILD_PLAIN, REPLACE, each, oid, run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

REBUILDS = [REBUILD_PLAIN, REBUILD_MATERIALISED]

CITY_COMMENT = """
SELECT col_description(attrelid, attnum) FROM pg_attribute
WHERE attrelid = 'views.v'::regclass AND attname = 'city'
"""


@pytest.fixture(autouse=True)
def clean(committed_views, make_role):
    make_role("bob")
    yield
    run("DROP SCHEMA IF EXISTS views CASCADE; DROP TABLE IF EXISTS public.things CASCADE")


@pytest.fixture
def other():
    """Another session of the same database."""
    connection = connections.create_connection("default")
    connection.inc_thread_sharing()
    connection.connect()
    with connection.cursor() as cursor:
        yield cursor
    connection.rollback()
    connection.close()


def meanwhile(work):
    """Do something once, when all is built and nothing is swapped yet; return what notices are given."""
    waited, calls = [], []

    def on_swap(plan):
        calls.append(plan)
        if len(calls) == 1:
            work()

    return Progress(on_swap=on_swap, on_wait=waited.append), waited


@each([*REBUILDS, REPLACE])
@pytest.mark.parametrize(
    ("sql", "query"),
    [
        ("GRANT SELECT ON views.v TO bob WITH GRANT OPTION", ACL),
        ("REVOKE INSERT ON views.v FROM CURRENT_USER", ACL),
        ("ALTER TABLE views.v OWNER TO bob", "SELECT relowner FROM pg_class WHERE oid = 'views.v'::regclass"),
        ("COMMENT ON COLUMN views.v.city IS 'x'", CITY_COMMENT),
    ],
    ids=["grant", "revoke", "owner", "column comment"],
)
def test_what_is_done_to_a_view_while_it_is_being_built(change, sql, query, other):
    change.begin()
    bare = run(query)
    change.change()
    progress, waited = meanwhile(lambda: other.execute(sql))
    sync_views(progress=progress)
    added = run(query)
    assert added != bare
    assert waited or change is REPLACE
    assert sync_views()[0].steps == ()
    assert run(query) == added
    assert run("SELECT count(*) FROM views.v") == [(50,)]


@each([REBUILD_MATERIALISED])
def test_an_index_that_is_made_while_the_new_version_is_being_built(change, other):
    change.begin()
    change.change()
    progress, waited = meanwhile(lambda: other.execute("CREATE INDEX by_city ON views.v (city)"))
    sync_views(progress=progress)
    assert waited
    assert run("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'views.v'::regclass") == [
        ("views.by_city",)
    ]


@each([REBUILD_MATERIALISED])
def test_what_is_added_during_builds_that_take_longer_than_lock_wait(change, other, settings):
    settings.ORM_VIEWS = {"LOCK_WAIT": 0.001}
    change.begin()
    change.change()
    names = iter(["first", "second", "third"])
    added = []

    def on_swap(plan):
        if name := next(names, None):
            other.execute(f"CREATE INDEX {name} ON views.v (city)")
            added.append((f"views.{name}",))

    sync_views(progress=Progress(on_swap=on_swap))
    query = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'views.v'::regclass ORDER BY 1"
    assert run(query) == added
    assert len(added) == 3


@each(REBUILDS)
def test_a_comment_that_is_made_while_the_new_version_is_being_built(change, other):
    change.begin()
    change.change()
    kind = "MATERIALIZED VIEW" if change.is_materialised else "VIEW"
    progress, _ = meanwhile(lambda: other.execute(f"COMMENT ON {kind} views.v IS 'by hand'"))
    sync_views(progress=progress)
    ((comment,),) = run("SELECT obj_description('views.v'::regclass, 'pg_class')")
    assert comment.startswith("by hand")


@each([REPLACE, REBUILD_PLAIN])
def test_an_option_that_is_set_while_the_new_version_is_being_built(change, other):
    change.begin()
    change.change()
    progress, _ = meanwhile(lambda: other.execute("ALTER VIEW views.v SET (security_barrier = true)"))
    sync_views(progress=progress)
    assert run("SELECT reloptions FROM pg_class WHERE oid = 'views.v'::regclass") == [
        (["security_barrier=true"],)
    ]


@each(REBUILDS)
def test_a_view_of_others_that_is_made_while_the_new_version_is_being_built(change, other):
    change.begin()
    change.change()
    progress, waited = meanwhile(
        lambda: other.execute("CREATE VIEW public.w AS SELECT id, city FROM views.v")
    )
    sync_views(progress=progress)
    assert waited
    assert run("SELECT count(*) FROM public.w") == [(50,)]


@each(REBUILDS)
def test_a_view_of_others_that_is_changed_while_the_new_version_is_being_built(change, other):
    change.begin()
    run("CREATE VIEW public.w AS SELECT id, city FROM views.v")
    was = oid("public.w")
    change.change()
    progress, waited = meanwhile(
        lambda: other.execute("CREATE OR REPLACE VIEW public.w AS SELECT -id AS id, city FROM views.v")
    )
    sync_views(progress=progress)
    assert waited
    assert oid("public.w") == was
    assert run("SELECT max(id) FROM public.w") == [(-1,)]


@each([REBUILD_MATERIALISED])
def test_a_refresh_while_the_new_version_is_being_built_makes_nothing_wait(change, other):
    change.begin()
    change.change()
    progress, waited = meanwhile(lambda: other.execute("REFRESH MATERIALIZED VIEW views.v"))
    sync_views(progress=progress)
    assert waited == []


@each(REBUILDS)
def test_a_grant_that_is_not_committed_yet_when_the_views_are_swapped(change, other):
    """The sync waits for it or fails: a grant that was committed is never lost."""
    change.begin()
    change.change()

    def grant():
        other.execute("BEGIN; GRANT SELECT ON views.v TO bob")
        threading.Timer(0.5, other.execute, ["COMMIT"]).start()

    progress, _ = meanwhile(grant)
    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 20}):
        sync_views(progress=progress)
    assert ("bob", "SELECT") in [(grantee, privilege) for _, grantee, privilege, _ in run(ACL)]
    assert sync_views()[0].steps == ()


def test_a_grant_that_is_never_committed_is_waited_for_no_longer_than_lock_wait(other, take_picture):
    REBUILD_PLAIN.begin()
    before = take_picture()
    REBUILD_PLAIN.change()
    progress, _ = meanwhile(lambda: other.execute("BEGIN; GRANT SELECT ON views.v TO bob"))
    with (
        override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 0.5}),
        pytest.raises(LockNotAvailableError),
    ):
        sync_views(progress=progress)
    other.execute("ROLLBACK")
    assert take_picture() == before


@each([*REBUILDS, REPLACE])
def test_a_session_that_alters_a_view_while_it_is_being_built_does_not_wait(change):
    """Nor do its readers, who would queue behind it: the view is not locked before the swap."""
    change.begin()
    change.change()
    held = []
    locks = "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'views.v'::regclass"
    sync_views(progress=Progress(on_swap=lambda plan: held.append(run(locks))))
    assert held == [[]]
