"""A comparison locks nobody out, leaves nothing behind, changes nothing, and runs nothing of strangers."""

from __future__ import annotations

import pytest
from django.db import connection, connections

from orm_views_core.comparison import compare_views
from orm_views_core.privacy import marks
from orm_views_core.sync import plan_views, sync_views
from tests.core.comparison.changing import change, compare, declare, texts
from tests.demo.lending.models import Customer

pytestmark = pytest.mark.django_db

# What another session sees: relations that are not there for it are those of the comparison itself.
LOCKS = """
SELECT DISTINCT l.locktype, n.nspname || '.' || c.relname, l.mode
FROM pg_locks l
LEFT JOIN pg_class c ON c.oid = l.relation
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = %s AND (l.locktype <> 'relation' OR c.oid IS NOT NULL)
  AND (l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) OR l.database IS NULL)
"""


@pytest.fixture
def committed(transactional_db, committed_views, registered, execute):
    execute("CREATE TABLE goods AS SELECT g AS id, g * 10 AS price FROM generate_series(1, 100) g")
    yield
    execute("DROP TABLE goods CASCADE")


@pytest.fixture
def changed(committed):
    """Two views of which one is stored and reads the other."""
    declare("Base", "SELECT id, price FROM goods")
    declare("Kept", "SELECT id, price FROM views.base", stored=True, pk_field="id")
    sync_views()
    declare("Base", "SELECT id, price + 1 AS price FROM goods")
    (plan,) = plan_views(["default"])
    return plan


@pytest.mark.django_db(transaction=True)
def test_nobody_waits(changed, other):
    seen = []

    def look(name):
        """While the views are staged, and one of them has been compared already."""
        other.execute(LOCKS, [connection.connection.info.backend_pid])
        seen.append(other.fetchall())
        other.execute("SET lock_timeout = '1s'")
        for statement in (
            "SELECT * FROM views.kept, views.base",
            "INSERT INTO goods VALUES (1000, 1)",
            "UPDATE goods SET price = 7 WHERE id = 3",
            "CREATE INDEX ON views.kept (price)",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY views.kept",
            "COMMENT ON VIEW views.base IS 'new'",
            "GRANT SELECT ON views.base TO PUBLIC",
        ):
            other.execute("SAVEPOINT before")
            other.execute(statement)
            other.execute("ROLLBACK TO SAVEPOINT before")
        return True

    found = compare_views(changed, with_samples=look)
    assert [view.counts.changed for view in found.views] == [100, 100]
    assert len(seen) == 2
    for locks in seen:
        ours = {(what, mode) for kind, what, mode in locks if what and not what.startswith("pg_catalog.")}
        assert {what for what, _ in ours} == {"public.goods"}
        assert {mode for _, mode in ours} == {"AccessShareLock"}
        strong = {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}
        own = ("virtualxid", "transactionid")
        assert not [lock for lock in locks if lock[2] in strong and lock[0] not in (*own, "object")]


@pytest.mark.django_db(transaction=True)
def test_all_views_are_of_one_moment(changed, other):
    def insert(name):
        other.execute("INSERT INTO goods SELECT g, 0 FROM generate_series(2000, 2009) g")
        other.connection.commit()
        return True

    found = compare_views(changed, with_samples=insert)
    assert [view.counts.old for view in found.views] == [100, 100]
    assert [view.counts.old for view in compare_views(changed).views] == [120, 120]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left(changed, take_picture, execute):
    before = take_picture()
    compare_views(changed)
    compare_views(changed, stored=True)
    assert take_picture() == before
    assert execute(
        "SELECT current_setting('statement_timeout'), current_setting('transaction_read_only')"
    ) == [("0", "off")]
    assert not connection.in_atomic_block


def test_nothing_is_left_in_a_transaction_of_the_caller(registered, execute, take_picture):
    execute("CREATE TABLE goods AS SELECT 1 AS id, 2 AS price")
    settings = "SELECT name, setting FROM pg_settings ORDER BY name"
    declare("Shown", "SELECT id, price FROM goods", stored=True)
    sync_views()
    declare("Shown", "SELECT id, 1 / (price - 2) AS price FROM goods", stored=True)
    before, values = take_picture(), execute(settings)
    assert "division by zero" in compare()["shown"].why_not
    assert take_picture() == before
    assert execute(settings) == values


def test_a_view_that_writes_is_refused(registered, execute):
    execute("CREATE TABLE goods AS SELECT 1 AS id")
    execute("CREATE TABLE written (at timestamptz)")
    execute(
        "CREATE FUNCTION public.note() RETURNS int LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO written VALUES (now()); RETURN 1; END'"
    )
    found = change("SELECT id, 1 AS one FROM goods", "SELECT id, public.note() AS one FROM goods")
    assert "read-only transaction" in found.why_not


@pytest.fixture
def stranger(make_role, execute):
    """A role that we do not trust, and whose function counts how often it is called."""
    role = make_role("stranger")
    execute("CREATE SCHEMA lair")
    execute("CREATE SEQUENCE lair.called")
    execute(
        "CREATE FUNCTION lair.evil(n int) RETURNS int LANGUAGE sql AS"
        " $$SELECT n + 0 * nextval('lair.called')::int$$"
    )
    execute(f"ALTER FUNCTION lair.evil(int) OWNER TO {role}")
    return role


def called(execute):
    return execute("SELECT is_called FROM lair.called") == [(True,)]


def test_functions_of_strangers_are_not_run(registered, execute, stranger):
    execute("CREATE TABLE goods AS SELECT 1 AS id, 2 AS price")
    for before, after in (("lair.evil(price)", "price"), ("price", "lair.evil(price)")):
        found = change(f"SELECT id, {before} AS price FROM goods", f"SELECT id, {after} AS price FROM goods")
        assert found.why_not.startswith(
            "The rows of views.shown are not read, because it depends on function lair.evil(integer), which "
            "belongs to the role 'stranger'."
        )
        assert found.counts is None
    assert not called(execute)


def test_functions_of_trusted_owners_are_run(registered, execute, stranger, settings):
    settings.ORM_VIEWS = {"TRUSTED_OWNERS": ["stranger"]}
    execute("CREATE TABLE goods AS SELECT 1 AS id, 2 AS price")
    found = change("SELECT id, price FROM goods", "SELECT id, pg_catalog.abs(price) + 1 AS price FROM goods")
    assert found.counts.changed == 1


def test_views_of_strangers_are_not_read(registered, execute, stranger):
    execute("CREATE TABLE goods AS SELECT 1 AS id, 2 AS price")
    declare("Shown", "SELECT id, price FROM goods")
    sync_views()
    execute(f"ALTER VIEW views.shown OWNER TO {stranger}")
    declare("Shown", "SELECT id, price + 1 AS price FROM goods")
    found = compare("shown")["shown"]
    assert found.why_not.startswith(
        "The rows of views.shown are not read, because it belongs to the role 'stranger'."
    )


def test_a_role_that_may_not_read(registered, execute, make_role, settings):
    role = make_role("builder")
    execute("CREATE TABLE goods AS SELECT 1 AS id, 2 AS price")
    execute(f"GRANT CREATE ON DATABASE {connection.settings_dict['NAME']} TO {role}")
    settings.ORM_VIEWS = {"SYNC_ROLE": role}
    execute(f"GRANT SELECT ON goods TO {role}")
    declare("Shown", "SELECT id, price FROM goods")
    sync_views()
    execute(f"REVOKE SELECT ON goods FROM {role}")
    declare("Shown", "SELECT id, price + 1 AS price FROM goods")
    found = compare("shown")["shown"]
    assert found.why_not == "The rows of views.shown cannot be read: permission denied for table goods."
    assert connections["default"].in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_what_is_locked_is_not_waited_for(changed, other):
    other.execute("LOCK TABLE views.base IN ACCESS EXCLUSIVE MODE")
    found = {view.name.name: view for view in compare_views(changed).views}
    assert "locked: it is being refreshed or changed" in found["base"].why_not


def test_views_that_read_what_is_locked_wait_once(committed, other):
    for sql in ("SELECT id FROM goods", "SELECT id + 1 AS id FROM goods"):
        for number in range(20):
            declare(f"Shown{number}", sql)
        if "+" not in sql:
            sync_views()
    (plan,) = plan_views(["default"])
    other.execute("LOCK TABLE goods IN ACCESS EXCLUSIVE MODE")
    found = compare_views(plan)
    assert all("locked" in view.why_not for view in found.views)
    assert found.seconds < 10  # 40 waits of half a second would be 20


def test_personal_columns_are_masked(registered, execute, monkeypatch, demo_data):
    field = Customer._meta.get_field("email")
    monkeypatch.setattr(field, marks.ATTRIBUTE, True, raising=False)
    monkeypatch.setattr(marks, "_used", True)
    declare("Shown", "SELECT id, email, city FROM lending_customer", exposes=["email"])
    sync_views()
    sql = "SELECT id, upper(email) AS email, lower(city) AS city, md5(email) AS hash FROM lending_customer"
    declare("Shown", sql, exposes=["email", "hash"])
    found = compare()["shown"]
    assert found.masked == {"email", "hash"}
    assert found.counts.by_column == {"email": 50, "city": 50}
    sample = found.samples[0]
    assert texts(sample.old)[1] is None
    assert texts(sample.new)[1] is None
    assert texts(sample.new)[2]
    assert "@" not in repr(found.samples)
    (found,) = compare("shown", with_personal=lambda name: True).values()
    assert "@" in repr(found.samples)


def test_no_samples_are_read_for_whom_they_are_not(registered, execute):
    execute("CREATE TABLE goods AS SELECT g AS id, g AS price FROM generate_series(1, 3) g")
    found = change(
        "SELECT id, price FROM goods", "SELECT id, 0 AS price FROM goods", with_samples=lambda name: False
    )
    assert (found.counts.changed, found.samples) == (3, ())


def test_what_is_no_longer_personal_was_personal_before(registered, execute, monkeypatch, demo_data):
    """The new class says so of the new definition. The old rows have what it is made of."""
    monkeypatch.setattr(Customer._meta.get_field("email"), marks.ATTRIBUTE, True, raising=False)
    monkeypatch.setattr(marks, "_used", True)
    declare("Shown", "SELECT id, lower(email) AS mark FROM lending_customer", exposes=["mark"])
    sync_views()
    declare("Shown", "SELECT id, md5(email) AS mark FROM lending_customer", not_personal=["mark"])
    assert compare()["shown"].masked == {"mark"}
    sync_views()
    declare("Shown", "SELECT id, md5(email) AS mark, 1 AS one FROM lending_customer", not_personal=["mark"])
    assert compare()["shown"].masked == {"mark"}
    sync_views()
    assert compare("shown")["shown"].masked == set()
