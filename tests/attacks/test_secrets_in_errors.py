"""PostgreSQL's errors quote rows: those who may see views but not their rows must not read them there."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connections

from orm_views_admin.models import Run
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresViewFromQueryset
from orm_views_core.views.registry import registry
from tests.admin.browse import LIST, declare, declare_materialised, hidden_fields, key, url
from tests.demo import data
from tests.demo.lending.postgres_views import ActiveLoans
from tests.sampling import sample

from .attacker import query
from .staff import ALL_BUT_PERSONAL, ALL_BUT_PREVIEW, SEES_ROWS, finding, log_in, pages, walk

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "secret.person@example.org"

#: A function that raises an error, by what of the error has the row.
_RAISE = """
CREATE FUNCTION tell(email text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION USING {}; END $$
"""

#: What PostgreSQL does with the row, and what has to exist for it.
WAYS = {
    "a cast to a number": ("email::int", ""),
    "a cast to a date": ("email::date", ""),
    "a cast to JSON": ("email::json::text", ""),
    "a cast to an enum": ("email::mood", "CREATE TYPE mood AS ENUM ('good')"),
    "a number out of range": ("('9999999999' || length(email))::int", ""),
    "a regular expression": ("(email ~ ('(' || email))::text", ""),
    "the message of a function": ("tell(email)", _RAISE.format("MESSAGE = email")),
    "the detail of a function": ("tell(email)", _RAISE.format("MESSAGE = 'no', DETAIL = email")),
    "the hint of a function": ("tell(email)", _RAISE.format("MESSAGE = 'no', HINT = email")),
    "a lock time-out of a function": ("tell(email)", _RAISE.format("MESSAGE = email, ERRCODE = '55P03'")),
    "a deadlock of a function": ("tell(email)", _RAISE.format("MESSAGE = email, ERRCODE = '40P01'")),
    "a time-out of a function": ("tell(email)", _RAISE.format("MESSAGE = email, ERRCODE = '57014'")),
    "a missing privilege of a function": ("tell(email)", _RAISE.format("MESSAGE = email, ERRCODE = '42501'")),
    "a missing column of a function": ("tell(email)", _RAISE.format("MESSAGE = email, ERRCODE = '42703'")),
    "a missing table of a function": ("tell(email)", _RAISE.format("MESSAGE = email, ERRCODE = '42P01'")),
    "a view without rows of a function": ("tell(email)", _RAISE.format("MESSAGE = email, ERRCODE = '55000'")),
    "a full disk of a function": ("tell(email)", _RAISE.format("MESSAGE = email, ERRCODE = '53100'")),
    "an error code of its own": ("tell(email)", _RAISE.format("MESSAGE = email, ERRCODE = 'ZZ123'")),
    "a statement in the context": (
        "tell(email)",
        (
            "CREATE FUNCTION tell(email text) RETURNS int LANGUAGE plpgsql AS $$"
            "DECLARE n int; BEGIN EXECUTE format('SELECT 1 / 0 AS %I', email) INTO n; RETURN n; END $$"
        ),
    ),
    "a row that a function inserts": (
        "tell(email)",
        (
            "CREATE TABLE public.notes (email text CHECK (length(email) < 3));"
            "CREATE FUNCTION tell(email text) RETURNS int LANGUAGE plpgsql AS $$"
            "BEGIN INSERT INTO public.notes VALUES (email); RETURN 1; END $$"
        ),
    ),
    "the check of a domain": (
        "email::told",
        _RAISE.format("MESSAGE = email") + ";CREATE DOMAIN told AS text CHECK (tell(VALUE) > 0)",
    ),
}
#: Of these, we say in our own words what they mean, or PostgreSQL does not quote all of the row.
_QUIET = {
    "a cast to JSON",
    "a number out of range",
    "a regular expression",
    "a lock time-out of a function",
    "a deadlock of a function",
}
#: Of these, only some are told with their SQLSTATE.
_OWN_WORDS = {*_QUIET, "a view without rows of a function"}


@pytest.fixture(autouse=True)
def unrecorded() -> None:
    """Here the receivers of the admin record what happens."""


@pytest.fixture(autouse=True)
def people(transactional_db: None, settings: Any) -> Iterator[None]:
    """A table that nobody has written into yet."""
    settings.ORM_VIEWS = {"LOCK_WAIT": 0.2, "LOCK_TIMEOUT": 0.05}
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline"}
    query("CREATE TABLE people (email text)")
    yield
    query(
        "DROP SCHEMA IF EXISTS views CASCADE; DROP TABLE IF EXISTS people, notes CASCADE; "
        "DROP DOMAIN IF EXISTS told; DROP FUNCTION IF EXISTS tell(text); DROP TYPE IF EXISTS mood"
    )


def fail_everything(refreshes: bool = True) -> dict[str, str]:
    """Have a sync, a refresh, a count and a preview fail; return what those who call functions are told."""
    told = {}
    if refreshes:
        log_in("view", "refresh").post(f"{LIST}refresh/", {"view": key("ages"), "confirm": "yes"})
        with pytest.raises(OrmViewsError) as refreshed:
            refresh_views()
        told["refresh_views()"] = str(refreshed.value)
    with pytest.raises(OrmViewsError) as synced:
        sync_views(force=True)
    told["sync_views()"] = str(synced.value)
    out = io.StringIO()
    for command, options in (("sync_views", {"force": True}), ("refresh_views", {"json": True})):
        with pytest.raises(CommandError) as caught:
            call_command(command, stdout=out, stderr=out, **options)
        told[command] = str(caught.value) + json.dumps(out.getvalue())
    return told


@pytest.mark.parametrize("way", sample(WAYS, 10))
def test_a_row_that_an_error_quotes(way: str) -> None:
    """Somebody without the permission to see rows reads one in the error of a refresh, a sync or a count."""
    expression, objects = WAYS[way]
    query(f"{objects}; SELECT 1")
    computed = f"SELECT * FROM (SELECT {expression} AS n FROM people OFFSET 0) AS s WHERE n IS NOT NULL"
    declare_materialised("Ages", computed)
    declare("Plain", computed)
    sync_views()
    query("INSERT INTO people VALUES (%s)", [SECRET])
    told = fail_everything()
    paths = pages("ages", "plain")
    for verbs in (("view",), ALL_BUT_PREVIEW, ALL_BUT_PERSONAL):
        shown = walk(log_in(*verbs), paths)
        assert finding(SECRET, shown) == []
        assert finding("secret", shown) == []
        assert sum("SQLSTATE" in text for text in shown.values()) >= (0 if way in _OWN_WORDS else 5)
    assert SECRET not in str([*Run.objects.values_list("error_summary", "waiting_for", "summary", "steps")])
    assert SECRET not in str([*LogEntry.objects.values_list()])
    if way in _QUIET:
        return
    assert finding(SECRET, told) == list(told), "the command line has all"
    for client in (log_in(*SEES_ROWS), log_in()):
        seen = finding(SECRET, walk(client, paths))
        assert {f"{LIST}runs/export/json/", f"{LIST}runs/export/csv/"} <= {*seen}
        assert sum("/state/" in path for path in seen) >= 3
    if expression == "tell(email)":
        summaries = Run.objects.filter(state="failed").values_list("error_summary", flat=True)
        assert way in _OWN_WORDS or all("in function tell." in summary for summary in summaries)


@pytest.mark.parametrize("kind", ["key", "unique index"])
def test_a_key_that_is_not_unique(kind: str) -> None:
    """Somebody without the permission to see rows reads the duplicate of an index."""
    declare_materialised(
        "Ages", "SELECT email FROM people", **({"pk_field": "email"} if kind == "key" else {})
    )
    sync_views()
    if kind == "unique index":
        query("CREATE UNIQUE INDEX ON views.ages (email)")
    query("INSERT INTO people VALUES (%s), (%s)", [SECRET, SECRET])
    told = fail_everything()
    assert finding(SECRET, told) == list(told)
    paths = pages("ages")
    assert finding(SECRET, walk(log_in(*ALL_BUT_PERSONAL), paths)) == []
    shown = walk(log_in(*ALL_BUT_PREVIEW), paths)
    assert finding(SECRET, shown) == []
    assert sum("SQLSTATE 23505 (unique violation)" in text for text in shown.values()) >= 5
    assert finding(SECRET, walk(log_in(*SEES_ROWS), paths))


def test_a_function_that_has_the_name_of_a_value() -> None:
    """A row that looks like a call of a function is shown as the function in which the error occurred."""
    query("""
        CREATE FUNCTION tell(email text) RETURNS int LANGUAGE plpgsql AS $$
        DECLARE n int; BEGIN EXECUTE format('SELECT %s', email) INTO n; RETURN n; END $$
    """)
    declare_materialised("Ages", "SELECT tell(email) AS n FROM people")
    sync_views()
    query("INSERT INTO people VALUES ('1 / 0 AS \"secret.person(boss)\"')")
    fail_everything()
    shown = walk(log_in("view"), pages("ages"))
    assert finding("secret", shown) == []
    assert finding("in function tell.", shown)


class _Evaluating(PostgresViewFromQueryset, should_register=False):
    """A class whose queryset depends on rows."""

    @classmethod
    def get_queryset(cls) -> Any:
        cls.fail()

    @classmethod
    def fail(cls) -> None:
        (email,) = query("SELECT email FROM people")[0]
        int(email)


class _Casting(_Evaluating, should_register=False):
    @classmethod
    def fail(cls) -> None:
        query("SELECT email::int FROM people")


@pytest.mark.parametrize("base", [_Evaluating, _Casting], ids=["Python", "PostgreSQL"])
def test_a_class_that_reads_rows(base: Any) -> None:
    """The queryset of a class reads rows and fails, and the state of the view quotes one."""
    query("INSERT INTO people VALUES (%s)", [SECRET])
    type("Wrong", (base,), {"__module__": "tests.demo.lending.postgres_views"})
    with pytest.raises(OrmViewsError, match=SECRET):
        plan_views()
    paths = [path for path in pages("wrong") if "/view/" not in path or path.endswith("wrong/")]
    shown = walk(log_in(*ALL_BUT_PREVIEW), paths)
    assert finding(SECRET, shown) == []
    assert len(finding("its SQL cannot be created: ", shown)) >= 3
    assert {LIST, f"{LIST}sync/", url("detail", "wrong")} <= {*finding(SECRET, walk(log_in(), paths))}


def test_what_a_view_loses_and_why() -> None:
    """The plan quotes what PostgreSQL says of the indexes and the views of other people."""
    declare_materialised("Ages", "SELECT 1 AS age, 2 AS secret_column")
    sync_views()
    query("CREATE INDEX odd ON views.ages (secret_column)")
    query("CREATE SCHEMA lair; CREATE VIEW lair.theirs AS SELECT secret_column AS one FROM views.ages")
    with registry.isolated():
        declare_materialised("Ages", "SELECT 1 AS age")
        (plan,) = plan_views()
        said = "\n".join([*plan.problems, *(lost for step in plan.steps for lost in step.lost)])
        texts = {
            verbs: "".join(walk(log_in(*verbs), [f"{LIST}sync/"]).values())
            for verbs in (ALL_BUT_PREVIEW, ALL_BUT_PERSONAL, (*ALL_BUT_PERSONAL, "view_personal"))
        }
    query("DROP SCHEMA lair CASCADE")
    quote = "does not exist"
    assert quote in said
    assert texts[(*ALL_BUT_PERSONAL, "view_personal")].count(quote) >= 2
    for verbs in (ALL_BUT_PREVIEW, ALL_BUT_PERSONAL):
        assert quote not in texts[verbs]
        assert "SQLSTATE 42703 (undefined column)" in texts[verbs]


@pytest.mark.parametrize("way", ["a cast to a number", "the message of a function"])
def test_a_row_in_the_admin_of_a_readable_view(way: str, registered: Any) -> None:
    """Somebody may see the rows of one readable view, and its error quotes those of what it reads."""
    expression, objects = WAYS[way]
    query(f"{objects}; SELECT 1")
    registered.register(ActiveLoans)
    sync_views()
    query(
        "CREATE OR REPLACE VIEW views.active_loans AS SELECT id, product_id, principal, annual_rate, "
        f"term_months, status, opened_on FROM lending_loan, people WHERE ({expression}) IS NOT NULL"
    )
    query("INSERT INTO people VALUES (%s)", [SECRET])
    data.load(connections["default"], scale=0.001)
    path = "/admin/lending/activeloans/"
    shown = walk(log_in("view", models=("activeloans",)), [path])
    assert "The rows cannot be shown" in shown[path]
    assert finding(SECRET, shown) == []
    assert finding(SECRET, walk(log_in(), [path])) == [path]


def test_a_run_that_was_stored_before() -> None:
    """A run of the release before has the whole message, and no summary."""
    declare_materialised("Ages", "SELECT 1 AS age")
    sync_views()
    Run.objects.update(
        state=Run.State.FAILED, error=f"Key (email)=({SECRET}) is duplicated.", error_summary=""
    )
    paths = pages("ages")
    shown = walk(log_in("view"), paths)
    assert finding(SECRET, shown) == []
    assert len(finding("It failed.", shown)) >= 4
    assert len(finding(SECRET, walk(log_in(*SEES_ROWS), paths))) >= 4


def test_a_run_that_the_release_before_writes(settings: Any) -> None:
    """While a release is rolled out, processes of the one before write runs into the new table."""
    declare_materialised("Ages", "SELECT 1 AS age")
    sync_views()
    columns = [
        field.column for field in Run._meta.concrete_fields if field.name not in {"id", "error_summary"}
    ]
    names = ", ".join(f'"{column}"' for column in columns)
    query(f"INSERT INTO orm_views_admin_run ({names}) SELECT {names} FROM orm_views_admin_run")
    assert {*Run.objects.values_list("error_summary", flat=True)} == {""}


def refuse(request: str) -> None:
    raise ConnectionError(f"amqp://shop:{SECRET}@queue does not answer")


def test_the_password_of_a_queue(settings: Any) -> None:
    """The queue does not answer, and its error has the address with the password."""
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": f"{__name__}.refuse"}
    declare_materialised("Ages", "SELECT 1 AS age")
    sync_views()
    log_in("view", "refresh").post(f"{LIST}refresh/", {"view": key("ages"), "confirm": "yes"})
    paths = pages("ages")
    shown = walk(log_in("view"), paths)
    assert finding(SECRET, shown) == []
    assert finding("ConnectionError", shown)
    assert SECRET in Run.objects.get(state="failed").error


@pytest.mark.parametrize("length", [9_000, 3_000_000])
def test_a_long_message(length: int) -> None:
    """A function fills the history with megabytes of text."""
    query(_RAISE.format(f"MESSAGE = repeat('x', {length}), DETAIL = repeat('y', {length})"))
    declare_materialised("Ages", "SELECT tell(email) AS n FROM people")
    sync_views()
    query("INSERT INTO people VALUES (%s)", [SECRET])
    with pytest.raises(OrmViewsError):
        refresh_views()
    run = Run.objects.get(state="failed")
    assert len(run.error) <= 10_001
    assert len(run.error_summary) < 1000
    assert len(walk(log_in(), [f"{LIST}runs/"])[f"{LIST}runs/"]) < 40_000


def test_a_confirmed_plan_that_fails() -> None:
    """Somebody without the permission to see rows syncs, and reads a row in the message after the POST."""
    declare_materialised("Ages", "SELECT email::int AS n FROM people")
    query("INSERT INTO people VALUES (%s)", [SECRET])
    client = log_in("view", "sync")
    fields = hidden_fields(client.get(f"{LIST}sync/").content.decode())
    response = client.post(f"{LIST}sync/", {**fields, "confirm": "yes"}, follow=True)
    text = response.content.decode()
    assert "SQLSTATE 22P02 (invalid text representation)" in text
    assert SECRET not in text
    assert SECRET in Run.objects.get().error
