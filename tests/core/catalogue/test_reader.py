"""The catalogue says of a database what a role may read, and nothing else."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.catalogue import read_catalogue
from orm_views_core.catalogue.values import CatalogueGrant, Personal
from orm_views_core.exceptions import MissingRoleError, UnsupportedDatabaseError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import sync_views
from tests.core.catalogue.scene import catalogue, declare, declare_materialised, views

pytestmark = pytest.mark.django_db


@pytest.fixture
def shown(execute):
    """A schema that everybody may use, with a view for nobody."""
    execute(
        "CREATE SCHEMA shown; GRANT USAGE ON SCHEMA shown TO PUBLIC; CREATE VIEW shown.nobody AS SELECT 1 a"
    )


def make(execute, name, grant="", sql="SELECT id, city FROM public.lending_customer"):
    execute(f"CREATE VIEW shown.{name} AS {sql}")
    if grant:
        execute(f"GRANT SELECT ON shown.{name} TO {grant}")


def test_a_role_reads_what_it_what_its_roles_and_what_everybody_was_granted(execute, make_role, shown):
    reader, team, boss = make_role("reader"), make_role("team"), make_role("boss")
    execute(f"GRANT {team} TO {reader}; GRANT {boss} TO {team}")
    for name, grant in [("own", reader), ("teams", team), ("bosses", boss), ("all", "PUBLIC")]:
        make(execute, f'"{name}"', grant)
    make(execute, "others", make_role("other"))
    assert views(role=reader).keys() == {"shown.own", "shown.teams", "shown.bosses", "shown.all"}
    assert views(role="other").keys() == {"shown.others", "shown.all"}
    assert views(role="public").keys() == {"shown.all"}


def test_the_owner_reads_its_views_without_a_grant(execute, make_role, shown):
    execute(f"ALTER VIEW shown.nobody OWNER TO {make_role('reader')}")
    assert views(role="reader").keys() == {"shown.nobody"}
    assert views(role="reader")["shown.nobody"].owner == "reader"


def test_a_grant_in_a_schema_that_the_role_may_not_use_shows_nothing(execute, make_role, shown):
    make(execute, "closed", make_role("reader"))
    execute("REVOKE USAGE ON SCHEMA shown FROM PUBLIC")
    assert views(role="reader") == {}
    execute("GRANT USAGE ON SCHEMA shown TO reader")
    assert views(role="reader").keys() == {"shown.closed"}


def test_of_a_view_with_grants_on_columns_only_those_are_in_the_catalogue(execute, make_role, shown):
    reader, other = make_role("reader"), make_role("other")
    make(execute, "some", sql="SELECT id, city, email, first_name || last_name AS name FROM lending_customer")
    execute(
        f"GRANT SELECT (name, city) ON shown.some TO {reader}; GRANT SELECT (city) ON shown.some TO PUBLIC"
    )
    execute(f"GRANT SELECT (email, city), UPDATE (city) ON shown.some TO {other}")
    found = catalogue(role=reader)
    (view,) = found.views
    assert [column.name for column in view.columns] == ["city", "name"]
    assert not view.is_whole
    assert view.grants == (
        CatalogueGrant("PUBLIC", ("SELECT",), ("city",)),
        CatalogueGrant("other", ("SELECT", "UPDATE"), ("city",)),
        CatalogueGrant("reader", ("SELECT",), ("city", "name")),
    )
    (table,) = found.tables
    assert [column.name for column in table.columns] == ["city", "first_name", "last_name"]
    assert views()["shown.some"].is_whole


def test_a_role_that_does_not_exist_is_an_error_also_where_postgresql_would_shorten_its_name(make_role):
    with pytest.raises(MissingRoleError, match=r"Database 'default' has no role 'nobody\\x1b'\."):
        views(role="nobody\x1b")
    make_role("r" * 63)
    assert views(role="r" * 63) == {}
    with pytest.raises(MissingRoleError):
        views(role="r" * 64)


def test_a_role_of_any_name_is_asked_for(execute, make_role, shown):
    odd = make_role('An "odd" role\'s %s')
    make(execute, "odd", '"An ""odd"" role\'s %%s"'.replace("%%", "%"))
    view = views(role=odd)["shown.odd"]
    assert view.grants == (CatalogueGrant(odd, ("SELECT",)),)


def test_a_database_that_is_not_there_is_an_error():
    with pytest.raises(UnsupportedDatabaseError, match="There is no database 'absent'"):
        read_catalogue(["absent"])


def test_a_view_is_described_by_its_comments_and_its_class(make_role):
    declare(
        "Towns",
        "SELECT id, city FROM lending_customer",
        __doc__="Where customers live.\n\nIn full.",
        grant_select_to=[make_role("reader")],
    )
    declare("Plain", "SELECT 1 AS one", grant_select_to=["reader"])
    sync_views()
    execute = connections["default"].cursor().execute
    execute("COMMENT ON COLUMN views.towns.city IS 'The town.'")
    found = views(role="reader")
    towns = found["views.towns"]
    assert towns.description == "Where customers live.\n\nIn full."
    assert (towns.label, towns.app, towns.kind) == ("lending.Towns", "lending", ViewKind.VIEW)
    assert [(c.name, c.type, c.comment) for c in towns.columns] == [
        ("id", "bigint", ""),
        ("city", "character varying(60)", "The town."),
    ]
    assert str(next(iter(towns.columns[1].lineage.shows))) == "public.lending_customer.city"
    assert towns.grants == (CatalogueGrant("reader", ("SELECT",)),)
    assert found["views.plain"].description == ""


def test_a_class_that_does_not_compile_still_declares_its_view(registered):
    good = declare("Towns", "SELECT 1 AS one")
    sync_views()
    registered.unregister(good)
    assert views()["views.towns"].label == ""
    declare("Towns", 1)
    assert views()["views.towns"].label == "lending.Towns"


def test_views_are_followed_to_tables_and_a_view_that_may_not_be_read_is_not_named(execute, make_role, shown):
    make(execute, "secret", sql="SELECT id, city AS town FROM public.lending_customer WHERE email <> ''")
    make(execute, "middle", make_role("reader"), sql="SELECT id, upper(town) AS town FROM shown.secret")
    make(execute, "top", "reader", sql="SELECT town FROM shown.middle JOIN public.lending_loan USING (id)")
    found = catalogue(role="reader")
    middle, top = found.views
    customer, loan = ViewName("public", "lending_customer"), ViewName("public", "lending_loan")
    assert (middle.reads, middle.read_by) == ((customer,), (top.name,))
    assert (top.reads, top.read_by) == ((loan, middle.name), ())
    assert {str(source) for source in top.columns[0].lineage.computed_from} == {
        "public.lending_customer.city"
    }
    assert {str(source) for source in middle.uses} == {"public.lending_customer.email"}
    assert [table.name for table in found.tables] == [customer, loan]
    assert "secret" not in repr(found)


def test_freshness_is_what_the_class_promises_and_the_last_refresh(make_role):
    declare_materialised(
        "Summary",
        "SELECT 1 AS one",
        refresh_every=dt.timedelta(hours=6),
        grant_select_to=[make_role("reader")],
    )
    declare_materialised("Empty", "SELECT 1 AS one", with_data=False, grant_select_to=["reader"])
    sync_views()
    synced = views(role="reader")["views.summary"].refreshed
    refresh_views(["summary"])
    found = views(role="reader")
    summary, empty = found["views.summary"], found["views.empty"]
    assert (summary.refresh_every, summary.populated) == (dt.timedelta(hours=6), True)
    assert summary.refreshed > synced
    assert (empty.refresh_every, empty.populated, empty.refreshed) == (None, False, None)
    assert views(role="reader", times=False)["views.summary"].refreshed is None


def test_what_an_untrusted_owner_has_written_as_a_comment_is_a_text_and_nothing_more(
    execute, make_role, shown
):
    execute("CREATE MATERIALIZED VIEW shown.theirs AS SELECT 1 AS one")
    execute("COMMENT ON MATERIALIZED VIEW shown.theirs IS E'Theirs.\\n[orm_views a b smx1izs9l rmx1izsgc]'")
    execute(f"ALTER MATERIALIZED VIEW shown.theirs OWNER TO {make_role('stranger')}")
    view = views(role="stranger")["shown.theirs"]
    assert (view.label, view.refreshed, view.refresh_every) == ("", None, None)
    assert view.description == "Theirs."


def test_a_view_of_an_extension_is_left_out_unless_a_class_declares_it(execute, shown):
    assert "shown.nobody" in views()
    execute("ALTER EXTENSION plpgsql ADD VIEW shown.nobody")
    assert "shown.nobody" not in views()
    declare("Nobody", "SELECT 1 AS a", schema="shown")
    assert "shown.nobody" in views()


def test_views_of_postgresql_and_of_temporary_schemas_are_left_out(execute):
    execute("CREATE TEMP VIEW passing AS SELECT 1 AS one")
    assert views() == {}


def test_a_view_that_reads_with_the_rights_of_its_reader_says_so(execute, shown):
    if connections["default"].pg_version < 150000:
        pytest.skip("security_invoker needs PostgreSQL 15")
    execute("CREATE VIEW shown.mine WITH (security_invoker = on) AS SELECT 1 AS one")
    assert views()["shown.mine"].is_invoker
    assert not views()["shown.nobody"].is_invoker


def test_sql_is_read_only_where_it_is_asked_for(execute, shown):
    assert views()["shown.nobody"].sql is None
    assert " ".join(views(sql=True)["shown.nobody"].sql.split()) == "SELECT 1 AS a;"


def test_columns_that_are_made_of_personal_ones_are_marked_until_a_class_says_otherwise(settings):
    settings.ORM_VIEWS = {"PERSONAL": ["lending.Customer.city"]}
    declare(
        "Customers",
        "SELECT id, city, upper(city) AS loud, left(city, 1) AS initial FROM lending_customer",
        not_personal=["initial"],
    )
    declare("Readers", "SELECT id, initial, loud AS louder FROM views.customers")
    declare("Picky", "SELECT id FROM lending_customer WHERE city = 'York'")
    sync_views()
    found = catalogue()
    marks = {str(v.name): {c.name: c.personal for c in v.columns if c.personal} for v in found.views}
    assert marks == {
        "views.customers": {
            "city": Personal.SHOWN,
            "loud": Personal.COMPUTED,
            "initial": Personal.NO_LONGER,
        },
        "views.readers": {"initial": Personal.NO_LONGER, "louder": Personal.COMPUTED},
        "views.picky": {},
    }
    (table,) = found.tables
    assert [column.name for column in table.columns if column.is_personal] == ["city"]


def test_the_number_of_queries_does_not_depend_on_the_number_of_views(execute, shown):
    def count():
        with CaptureQueriesContext(connections["default"]) as queries:
            assert catalogue(sql=True, role="public").views
            found = len(list(catalogue(sql=True).views))
        return found, len(queries)

    make(execute, "first", "PUBLIC")
    few, queries = count()
    for n in range(20):
        make(execute, f"more_{n}", "PUBLIC", sql="SELECT * FROM shown.first")
    assert count() == (few + 20, queries)
