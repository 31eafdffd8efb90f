"""Pages and checks that count, estimate and read rows: they run nothing that a stranger wrote."""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.admin import AdminSite
from django.contrib.auth import get_user_model
from django.db import connections, models
from django.test import Client
from django.urls import path

from orm_views_admin.admin import ReadableViewAdmin
from orm_views_admin.models import RowAccess
from orm_views_core.checks.rows import check_values
from orm_views_core.checks.synced_views import read_registered_views, read_synced_views
from orm_views_core.database.rows import Condition, Operator, digest
from orm_views_core.database.sync_state import SyncState
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.engines.postgresql.rows import count_rows, estimate_rows, read_cell, read_rows
from orm_views_core.exceptions import BadConditionError
from orm_views_core.names import ViewName
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresViewFromSQL, ReadableViewFromSQL
from tests.admin.browse import LIST, text_of, url
from tests.sampling import sample

from .attacker import Attacker, query
from .conftest import WHOLE
from .ways import HARMLESS, PLAIN, WAYS, arm, take

pytestmark = pytest.mark.django_db(transaction=True)

Connect = Callable[[str], AbstractContextManager[None]]

VICTIM = ViewName("views", "victim")
#: What a sync writes into the comment of a view.
FORGED = SyncState("default", "code", "installed", dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)).dump()


@pytest.fixture(autouse=True)
def base(make_login: Any) -> Iterator[None]:
    """The schema of the views, and a table that they read. A foreign data wrapper is in no schema."""
    query("CREATE SCHEMA views; CREATE TABLE views.base (id int, word text)")
    query("INSERT INTO views.base SELECT n, 'word ' || n FROM generate_series(1, 5) AS n")
    yield
    query("DROP FOREIGN DATA WRAPPER IF EXISTS far CASCADE; SELECT pg_advisory_unlock_all()")


@pytest.fixture
def client(transactional_db: None) -> Client:
    """The pages, as a superuser of the site sees them."""
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


def forget() -> None:
    """Forget who has been struck: some statements that build a way run functions."""
    query("SELECT pg_advisory_unlock_all(), setval('lair.struck', 1, false)")


def declare(sql: str = PLAIN, name: str = "Victim") -> type:
    return type(name, (PostgresViewFromSQL,), {"sql": sql, "__module__": "tests.demo.lending.postgres_views"})


def pages_of(client: Client, name: str = "victim") -> dict[str, str]:
    """Request every page that could read a view, and return their texts."""
    asked: dict[str, tuple[str, dict[str, str]]] = {
        "list": (LIST, {}),
        "detail": (url("detail", name), {}),
        "count": (url("count", name), {}),
        "preview": (url("preview", name), {}),
        "filtered": (url("preview", name), {"column.word": "1", "sort": "word"}),
        "sorted": (url("preview", name), {"sort": "-word", "page": "2"}),
    }
    texts = {}
    for page, (address, parameters) in asked.items():
        response = client.get(address, parameters)
        assert response.status_code == 200, page
        texts[page] = text_of(response.content.decode())
    return texts


@pytest.mark.parametrize("way", sample(WAYS, 3))
def test_a_way_to_what_they_wrote(way: str, attacker: Attacker, client: Client) -> None:
    """A registered view reaches something of the attacker's, and a superuser opens its pages."""
    WAYS[way].build(attacker)
    declare(WAYS[way].sql)
    forget()
    texts = pages_of(client)
    assert attacker.struck() == set()
    for page in ("detail", "count", "preview", "filtered", "sorted"):
        for part in (WAYS[way].named, attacker.role, "TRUSTED_OWNERS"):
            assert part in texts[page], page


@pytest.mark.parametrize("way", WAYS if WHOLE else ["a policy", "an index of an expression"])
def test_a_way_from_an_owner(
    way: str, attacker: Attacker, make_login: Any, connected_as: Connect, client: Client
) -> None:
    """A registered view reaches something of the attacker's, and its owner, no superuser, opens its pages."""
    owner = make_login("owner")
    WAYS[way].build(attacker)
    declare(WAYS[way].sql)
    if "given" not in way:
        query(f"ALTER TABLE views.base OWNER TO {owner}; ALTER TABLE views.victim OWNER TO {owner}")
    query(f"GRANT ALL ON ALL TABLES IN SCHEMA public, views TO {owner}; GRANT ALL ON SCHEMA views TO {owner}")
    forget()
    with connected_as(owner):
        texts = pages_of(client)
    assert attacker.struck() == set()
    assert "TRUSTED_OWNERS" in texts["preview"]


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_is_no_way(harmless: str, attacker: Attacker, client: Client) -> None:
    """The attacker tries to make our views unreadable with what is not run on a read."""
    if harmless == "a stored column" and connections["default"].pg_version < 150_000:
        pytest.skip("up to PostgreSQL 14 the column itself depends on the function, as if a read ran it")
    arm(attacker)
    query(f"CREATE VIEW views.victim AS {PLAIN}")
    take(attacker, HARMLESS[harmless])
    declare()
    forget()
    texts = pages_of(client)
    assert "word 3" in texts["preview"]
    assert "word 1" in texts["filtered"]
    assert '"rows": 5' in texts["count"]
    assert attacker.struck() == set()


# Views that no class declares, or that are none.


@pytest.mark.parametrize("comment", ["", FORGED], ids=["unmanaged", "orphaned"])
@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_a_view_of_theirs_in_our_schema(kind: str, comment: str, attacker: Attacker, client: Client) -> None:
    """The attacker puts a view into our schema, with and without a forged sync state."""
    declare("SELECT 1 AS id", "Other")
    query(f"GRANT ALL ON SCHEMA views TO {attacker.role}")
    arm(attacker)
    attacker.run(f"CREATE {kind} views.bait AS SELECT lair.evil(1) AS id, 'secret' AS word")
    if kind != "VIEW":
        attacker.run("CREATE INDEX ON views.bait (lair.evil(id))")
    attacker.run(f"COMMENT ON {kind} views.bait IS '{comment}'")
    texts = pages_of(client, "bait")
    assert attacker.struck() == set()
    for page in ("detail", "count", "preview"):
        assert "No class declares views.bait" in texts[page], page


def test_an_orphan_of_ours(attacker: Attacker, client: Client) -> None:
    """A view that a sync of ours made is orphaned, and the attacker changes a function that it calls."""
    arm(attacker)
    query("CREATE VIEW views.victim AS SELECT lair.evil(1) AS id, 'secret' AS word")
    query(f"COMMENT ON VIEW views.victim IS '{FORGED}'")
    texts = pages_of(client)
    assert attacker.struck() == set()
    assert "No class declares views.victim" in texts["preview"]


@pytest.mark.parametrize("page", ["count", "preview", "detail"])
def test_a_temporary_view(page: str, attacker: Attacker, client: Client) -> None:
    """The attacker makes a TEMP view with a forged sync state, and its address is opened."""
    declare("SELECT 1 AS id", "Other")
    arm(attacker)
    attacker.run("CREATE TEMP VIEW bait AS SELECT lair.evil(1) AS id, 'secret' AS word")
    attacker.run(f"COMMENT ON VIEW bait IS '{FORGED}'")
    ((schema,),) = attacker.run("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()")
    assert client.get(LIST).status_code == 200
    assert client.get(url(page, "bait", schema)).status_code in {200, 404}
    assert attacker.struck() == set()


def test_a_temporary_view_that_a_class_names(attacker: Attacker, client: Client) -> None:
    """A class names the schema of the attacker's TEMP views."""
    arm(attacker)
    attacker.run("CREATE TEMP VIEW victim AS SELECT lair.evil(1) AS id, 'secret' AS word")
    ((schema,),) = attacker.run("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()")
    view = declare()
    view.schema = schema  # type: ignore[attr-defined]
    count = client.get(url("count", "victim", schema)).json()
    assert count["rows"] is None
    assert "is not a view that a sync has created" in count["title"]
    assert attacker.struck() == set()


def test_a_view_in_place_of_a_missing_one(attacker: Attacker, client: Client) -> None:
    """The attacker creates a view with the name of a registered one that is not there yet."""
    declare("SELECT 1 AS id")
    query(f"GRANT ALL ON SCHEMA views TO {attacker.role}")
    arm(attacker)
    attacker.run("CREATE VIEW views.victim AS SELECT lair.evil(1) AS id, 'secret' AS word")
    texts = pages_of(client)
    assert attacker.struck() == set()
    assert "it belongs to the role" in texts["preview"]


@pytest.mark.parametrize(
    "table", ["TABLE views.victim (id int, word text)", "FOREIGN TABLE views.victim (id int) SERVER far"]
)
def test_a_table_in_place_of_a_view(table: str, attacker: Attacker, client: Client) -> None:
    """Something that is no view has the name of a registered one, and is to be counted."""
    declare("SELECT 1 AS id")
    query("CREATE FOREIGN DATA WRAPPER far; CREATE SERVER far FOREIGN DATA WRAPPER far")
    query(f"CREATE {table}")
    count = client.get(url("count", "victim")).json()
    assert count["rows"] is None
    assert "is not a view that a sync has created" in count["title"]
    assert estimate_rows("default", [VICTIM]) == {}


def test_a_view_that_is_replaced_meanwhile(
    attacker: Attacker, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attacker owns the schema of a table of ours, drops it with our view, and takes the view's name."""
    arm(attacker)
    query(f"CREATE TABLE lair.base AS TABLE views.base; GRANT ALL ON SCHEMA views TO {attacker.role}")
    query("CREATE VIEW views.victim AS SELECT * FROM lair.base")
    declare()
    from orm_views_core.engines.postgresql import untrusted

    locking = untrusted.lock_view

    def replace_and_lock(cursor: Any, judged: Any) -> None:
        attacker.run("DROP TABLE lair.base CASCADE")
        attacker.run("CREATE VIEW views.victim AS SELECT lair.evil(1) AS id, 'secret' AS word")
        locking(cursor, judged)

    monkeypatch.setattr(untrusted, "lock_view", replace_and_lock)
    count = client.get(url("count", "victim")).json()
    assert "was replaced a moment ago" in count["title"]
    assert attacker.struck() == set()


# Whom a role, an extension or a setting hides.


def test_a_predefined_role(attacker: Attacker, client: Client) -> None:
    """The attacker owns nothing, but is a member of a predefined role that owns a function."""
    arm(attacker)
    query(f"GRANT pg_read_all_stats TO {attacker.role}; GRANT ALL ON SCHEMA lair TO pg_read_all_stats")
    query("ALTER FUNCTION lair.evil(int) OWNER TO pg_read_all_stats")
    query("CREATE VIEW views.victim AS SELECT lair.evil(1) AS id, '' AS word")
    declare()
    texts = pages_of(client)
    query(f"ALTER FUNCTION lair.evil(int) OWNER TO {attacker.role}")
    query("REVOKE ALL ON SCHEMA lair FROM pg_read_all_stats")
    assert attacker.struck() == set()
    assert "pg_read_all_stats" in texts["preview"]


@pytest.mark.parametrize("owned", [True, False], ids=["their extension", "our extension"])
def test_a_member_of_an_extension(owned: bool, attacker: Attacker, client: Client) -> None:
    """The attacker adds a function to an extension of theirs; what a trusted role has added is trusted."""
    attacker.run("CREATE FUNCTION lair.seven() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 7'")
    extension, role = "extname = 'plpgsql'", attacker.role
    if owned:
        query(f"UPDATE pg_extension SET extowner = '{role}'::regrole WHERE {extension}")
    adding = attacker.run if owned else query
    adding("ALTER EXTENSION plpgsql ADD FUNCTION lair.seven()")
    try:
        query("CREATE VIEW views.victim AS SELECT lair.seven() AS id, 'lucky' AS word")
        declare()
        texts = pages_of(client)
    finally:
        adding("ALTER EXTENSION plpgsql DROP FUNCTION lair.seven()")
        query(f"UPDATE pg_extension SET extowner = 10 WHERE {extension}")
    assert ("lair.seven()" in texts["preview"], "lucky" in texts["preview"]) == (owned, not owned)


def test_the_owner_of_the_schema(attacker: Attacker, client: Client, make_login: Any, settings: Any) -> None:
    """Pages trust the owner of the schema that a class places its view in, and of no other schema."""
    owner = make_login("owner")
    query(f"CREATE VIEW views.victim AS {PLAIN}; ALTER VIEW views.victim OWNER TO {owner}")
    query(f"GRANT ALL ON SCHEMA views TO {owner}; GRANT SELECT ON views.base TO {owner}")
    declare()
    assert f"it belongs to the role &#x27;{owner}&#x27;" in pages_of(client)["preview"]
    query(f"ALTER SCHEMA lair OWNER TO {owner}")
    assert "word 3" not in pages_of(client)["preview"]
    query(f"ALTER SCHEMA views OWNER TO {owner}")
    assert "word 3" in pages_of(client)["preview"]
    query("ALTER SCHEMA views OWNER TO CURRENT_USER")
    settings.ORM_VIEWS = {"TRUSTED_OWNERS": [owner]}
    assert "word 3" in pages_of(client)["preview"]


# Readable views in Django's admin, the checks before each migrate, and many views at once.


def readable(sql: str, name: str, **fields: Any) -> Any:
    meta = type("Meta", (), {"app_label": "lending"})
    fields = {"id": models.IntegerField(primary_key=True), **fields}
    body = {"sql": sql, "__module__": "tests.demo.lending.postgres_views", "Meta": meta, **fields}
    return type(ReadableViewFromSQL)(name, (ReadableViewFromSQL,), body)


def spoil(table: str = "views.base") -> None:
    """Let the planner run functions of the attacker for each query of a table."""
    query(f"CREATE INDEX ON {table} (lair.evil(id)) WHERE lair.is_fine(1)")
    forget()


@pytest.fixture
def related(attacker: Attacker, settings: Any) -> None:
    """A readable view and another one that its foreign key leads to, both in a site's admin."""
    arm(attacker)
    query("CREATE TABLE views.cities AS SELECT n AS id, 'city ' || n AS word FROM generate_series(1, 5) AS n")
    words = {"word": models.TextField(), "__str__": lambda row: row.word}
    city = readable("SELECT id, word FROM views.cities", "City", **words)
    key = models.ForeignKey(city, models.DO_NOTHING, db_column="city", null=True)
    person = readable("SELECT id, word, id AS city FROM views.base", "Person", city=key, **words)
    sync_views()
    site = AdminSite()
    site.register([city, person], ReadableViewAdmin, search_fields=["word"])
    settings.ROOT_URLCONF = types.ModuleType("urls")
    settings.ROOT_URLCONF.urlpatterns = [path("admin/", site.urls)]


PAGES = {
    "list": "/admin/lending/person/",
    "search": "/admin/lending/person/?q=3&o=-2",
    "row": "/admin/lending/person/3/change/",
    "deletion": "/admin/lending/person/3/delete/",
    "history": "/admin/lending/person/3/history/",
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("table", ["views.base", "views.cities"])
def test_a_readable_view_in_the_admin(
    table: str, page: str, related: None, attacker: Attacker, client: Client
) -> None:
    """A readable view, or one that it refers to, reaches the attacker's functions, and is opened."""
    response = client.get(PAGES[page])
    assert response.status_code in ({200} if page != "deletion" else {403})
    assert "TRUSTED_OWNERS" not in response.content.decode()
    spoil(table)
    response = client.get(PAGES[page])
    assert attacker.struck() == set()
    if page != "deletion":
        assert "lair." in response.content.decode()
        assert "TRUSTED_OWNERS" in response.content.decode()


def test_the_completion_of_a_foreign_key(related: None, attacker: Attacker, client: Client) -> None:
    """A foreign key is completed from a readable view that reaches the attacker's functions."""
    asked = {"app_label": "lending", "model_name": "person", "field_name": "city", "term": "3"}
    response = client.get("/admin/autocomplete/", asked)
    assert response.json()["results"] == [{"id": "3", "text": "city 3"}]
    assert RowAccess.objects.get().about == "completion of “3”"
    spoil("views.cities")
    assert client.get("/admin/autocomplete/", asked).status_code == 403
    assert attacker.struck() == set()


def test_the_checks_of_rows(attacker: Attacker, make_login: Any) -> None:
    """The checks W013 and W014 read a registered view that reaches functions of the attacker's."""
    arm(attacker)
    view = readable(PLAIN, "Reader", word=models.TextField())
    sync_views()
    query("INSERT INTO views.base VALUES (1, NULL)")
    connection = connections["default"]
    definitions = list(compile_definitions(connection).views.values())
    synced = [
        found
        for found in read_synced_views(connection, read_registered_views(connection, definitions))
        if found.view is view
    ]
    found = {message.id for message in check_values(connection, synced)}
    assert found == {"orm_views_core.W013", "orm_views_core.W014"}
    spoil()
    assert check_values(connection, synced) == []
    assert attacker.struck() == set()


def test_estimates_of_what_is_not_trusted(attacker: Attacker) -> None:
    """Estimates of views that are not trusted are asked for together with those of others."""
    arm(attacker)
    query("CREATE TABLE views.other AS TABLE views.base; ANALYZE views.other")
    names = []
    for name, kind, table in [
        ("Plain", "VIEW", "base"),
        ("Stored", "MATERIALIZED VIEW", "base"),
        ("Trusted", "VIEW", "other"),
    ]:
        declare(name=name)
        names.append(ViewName("views", name.lower()))
        query(f"CREATE {kind} {names[-1]} AS SELECT id, word FROM views.{table}")
    query("ANALYZE views.stored")
    spoil()
    assert estimate_rows("default", names) == {names[1]: 5, names[2]: 5}
    assert attacker.struck() == set()


# What reading calls itself.

#: Functions that reading calls, with what they return and the value.
CALLED = {
    "lower(text)": ("text", "''"),
    "strpos(text, text)": ("int", "1"),
    "jsonb_array_elements_text(jsonb)": ("SETOF text", ""),
    "to_jsonb(anyelement)": ("jsonb", "'1'"),
    "jsonb_build_object(text, text)": ("jsonb", "'{}'"),
    "json_extract_path_text(json, text, text, text)": ("text", "'1'"),
    "concat(text, text)": ("text", "'SELECT 1'"),
    "concat(text)": ("text", "'word 3'"),
    "concat(int)": ("text", "'3'"),
    '"left"(text, int)': ("text", "'word 3'"),
    "length(text)": ("int", "6"),
    "octet_length(text)": ("int", "6"),
    "current_setting(text, boolean)": ("text", "'3'"),
    "begins(text, text)": ("boolean", "true"),
    "same(text, text)": ("boolean", "true"),
    "unnest(text[])": ("SETOF text", ""),
    "to_regclass(text)": ("regclass", "0"),
    "evil_count(bigint)": ("bigint", "0"),
    "evil_or(boolean, boolean)": ("boolean", "true"),
    "more(int, int)": ("boolean", "true"),
    "more(bigint, int)": ("boolean", "true"),
    "both(jsonb, jsonb)": ("jsonb", "'[]'"),
    "both(text, text)": ("text", "''"),
}


#: One condition for each way in which values are compared.
CONDITIONS = [
    Condition("word", Operator.CONTAINS, ("RD 3",)),
    Condition("word", Operator.BEGINS, ("word",)),
    Condition("word", Operator.IN, ("word 3", "word 4")),
    Condition("id", Operator.BEGINS, ("3",)),
    Condition("id", Operator.EQUALS, ("3",)),
    Condition("id", Operator.NOT_EQUALS, ("4",)),
    Condition("id", Operator.IN, ("3", "4")),
    Condition("id", Operator.AT_LEAST, ("3",)),
    Condition("id", Operator.AT_MOST, ("3",)),
    Condition("id", Operator.IS_NOT_NULL),
]


def test_our_own_statements_are_not_captured(attacker: Attacker) -> None:
    """The path of the project puts the attacker's functions, operators and types before PostgreSQL's."""
    for signature, (returns, value) in CALLED.items():
        result = "RETURN" if returns.startswith("SETOF") else f"RETURN {value}"
        attacker.run(
            f"CREATE FUNCTION lair.{signature} RETURNS {returns} LANGUAGE plpgsql AS "
            f"$$BEGIN PERFORM lair.strike(); {result}; END$$ SET search_path = pg_catalog"
        )
    attacker.run("CREATE AGGREGATE lair.count(*) (SFUNC = lair.evil_count, STYPE = bigint, INITCOND = '0')")
    attacker.run("CREATE AGGREGATE lair.bool_or(boolean) (SFUNC = lair.evil_or, STYPE = boolean)")
    for operator, function, left, right in [
        (">", "more", "int", "int"),
        (">", "more", "bigint", "int"),
        ("||", "both", "jsonb", "jsonb"),
        ("||", "both", "text", "text"),
        ("^@", "begins", "text", "text"),
        ("=", "same", "text", "text"),
        *((operator, "more", "int", "int") for operator in ("=", "<=", ">=")),
    ]:
        arguments = f"LEFTARG = {left}, RIGHTARG = {right}"
        attacker.run(f"CREATE OPERATOR lair.{operator} (FUNCTION = lair.{function}, {arguments})")
    attacker.run(
        "CREATE FUNCTION lair.notice() RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog AS"
        " 'BEGIN RETURN lair.strike(); END'"
    )
    for domain in ("text", "jsonb", "json", "oid"):
        attacker.run(f"CREATE DOMAIN lair.{domain} AS pg_catalog.{domain} CHECK (lair.notice())")
    readable(PLAIN, "Victim", word=models.TextField())
    sync_views()
    query("INSERT INTO views.base VALUES (1, NULL)")
    connection = connections["default"]
    definitions = list(compile_definitions(connection).views.values())
    synced = read_synced_views(connection, read_registered_views(connection, definitions))
    query("CREATE INDEX ON views.base (id); ALTER FUNCTION lair.current_setting(text, boolean) IMMUTABLE")
    query("SET search_path = lair, pg_catalog, public")
    try:
        counted = count_rows("default", VICTIM)
        estimates = estimate_rows("default", [VICTIM])
        asked: dict[str, Any] = {"conditions": CONDITIONS, "order_by": ["word"]}
        page = read_rows("default", VICTIM, limit=9, find_quick=True, **asked)
        (cell,) = page.rows[0][1:]
        assert cell
        whole = read_cell("default", VICTIM, "word", offset=0, page_limit=9, expected=digest(cell), **asked)
        with pytest.raises(BadConditionError):
            read_rows("default", VICTIM, limit=9, conditions=[Condition("id", Operator.EQUALS, ("x",))])
        messages = check_values(connection, synced)
    finally:
        query("RESET search_path")
    assert attacker.struck() == set()
    assert (counted.rows, list(estimates), whole) == (6, [VICTIM], cell)
    assert [[cell and cell.text for cell in row] for row in page.rows] == [["3", "word 3"]]
    assert len(messages) == 2
