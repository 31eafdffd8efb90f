"""What a name stands for, and what is said when it stands for nothing or for several things."""

from __future__ import annotations

import pytest
from django.db import connections, models

from orm_views_core.exceptions import UnknownNameError
from orm_views_core.lineage.asked import Asked, find_asked
from orm_views_core.names import ViewName
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresViewFromSQL, ReadableViewFromSQL

pytestmark = pytest.mark.django_db


def declare(class_name, sql, **attributes):
    namespace = {"sql": sql, "__module__": "tests.demo.lending.postgres_views", **attributes}
    return type(class_name, (PostgresViewFromSQL,), namespace)


def find(text):
    return find_asked([connections["default"]], text).get("default")


def refused(text):
    with pytest.raises(UnknownNameError) as raised:
        find(text)
    return str(raised.value)


def relation(schema, name, column="", *, is_view=False):
    return Asked(ViewName(schema, name), column, is_view)


LOAN = relation("public", "lending_loan")
STATUS = relation("public", "lending_loan", "status")
BOOK = relation("views", "book", is_view=True)
CITY = relation("views", "book", "city", is_view=True)


@pytest.fixture
def book(registered):
    declare("LoanBook", "SELECT id, city FROM lending_customer", name="book")
    sync_views()


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("lending_loan", LOAN),
        ("public.lending_loan", LOAN),
        ('"public"."lending_loan"', LOAN),
        ("lending.Loan", LOAN),
        ("lending.loan", LOAN),
        ("lending.Loan.*", LOAN),
        ("lending_loan.*", LOAN),
        ("public.lending_loan.*", LOAN),
        ("lending_loan.status", STATUS),
        ("public.lending_loan.status", STATUS),
        ("lending.Loan.status", STATUS),
        ("lending.Loan.customer", relation("public", "lending_loan", "customer_id")),
        ("lending.Loan.customer_id", relation("public", "lending_loan", "customer_id")),
        ("auth.User.password", relation("public", "auth_user", "password")),
        ("book", BOOK),
        ("views.book", BOOK),
        ("lending.LoanBook", BOOK),
        ("book.city", CITY),
        ("views.book.city", CITY),
        ("lending.LoanBook.city", CITY),
        ("pg_catalog.pg_class", relation("pg_catalog", "pg_class")),
    ],
)
def test_what_a_name_stands_for(text, asked, book):
    assert find(text) == asked


def test_views_and_tables_of_others(execute):
    execute('CREATE SCHEMA "odd.schema"; CREATE TABLE "odd.schema"."t ""x""" ("c.d" int, "*" int)')
    execute('CREATE MATERIALIZED VIEW "odd.schema"."V" AS SELECT "c.d" FROM "odd.schema"."t ""x"""')
    asked = find('"odd.schema"."t ""x"""."c.d"')
    assert asked == relation("odd.schema", 't "x"', "c.d")
    assert str(asked) == '"odd.schema"."t ""x"""."c.d"'
    assert find('"odd.schema"."t ""x"""."*"').column == "*"
    assert find('"odd.schema"."t ""x""".*').column == ""
    assert find('"odd.schema".V') == relation("odd.schema", "V", is_view=True)


def test_a_table_without_a_schema_is_the_first_on_the_search_path(execute):
    execute("CREATE SCHEMA first; CREATE TABLE first.lending_loan (other int)")
    execute("SET search_path = first, public")
    try:
        assert find("lending_loan") == relation("first", "lending_loan")
        assert find("lending.Loan") == relation("first", "lending_loan")
        assert find("lending_loan.other").relation.schema == "first"
        assert "first.lending_loan has no column 'status'. It has other." in refused("lending_loan.status")
    finally:
        execute("RESET search_path")


def test_a_partition_counts_as_its_table(execute):
    execute("CREATE TABLE public.parts (id int, at date) PARTITION BY RANGE (at)")
    execute("CREATE TABLE public.parts_1 PARTITION OF public.parts DEFAULT")
    assert find("parts_1.id") == Asked(
        ViewName("public", "parts"), "id", False, ViewName("public", "parts_1")
    )


def test_a_field_of_a_parent_is_a_column_of_the_parents_table(isolated_models, execute, monkeypatch):
    class Base(models.Model):
        code = models.IntegerField(db_column="the code")

        class Meta:
            app_label = "lending"

    class Child(Base):
        size = models.IntegerField()
        tags = models.ManyToManyField("lending.Base", related_name="+")

        class Meta:
            app_label = "lending"
            db_table = '"odd"."child"'

    execute("CREATE SCHEMA odd; CREATE TABLE odd.child (base_ptr_id bigint, size int)")
    execute('CREATE TABLE lending_base (id bigint, "the code" int)')
    monkeypatch.setattr("orm_views_core.lineage.asked.apps", Base._meta.apps)
    assert find("lending.Child") == relation("odd", "child")
    assert find("lending.Child.size") == relation("odd", "child", "size")
    assert find("lending.Child.code") == relation("public", "lending_base", "the code")
    assert refused("lending.Child.tags") == (
        "lending.Child.tags has no column of its own. Its values are in lending.Child_tags."
    )


def test_a_name_that_stands_for_several_things(registered, execute):
    declare("Book", "SELECT 1 AS title", name="lending_loan")
    sync_views()
    assert refused("lending_loan") == (
        "'lending_loan' stands for several things in database 'default'. "
        "Write views.lending_loan or public.lending_loan."
    )
    assert find("lending_loan.title") == relation("views", "lending_loan", "title", is_view=True)
    assert find("lending_loan.status") == STATUS


def test_each_of_several_things_can_be_named(registered, execute):
    execute(
        'CREATE SCHEMA lending; CREATE TABLE lending."Loan" (status int); CREATE TABLE lending ("Loan" int)'
    )
    said = refused("lending.Loan")
    assert said == (
        "'lending.Loan' stands for several things in database 'default'. Write public.lending_loan or "
        'public.lending.Loan or "lending"."Loan".*.'
    )
    assert find("public.lending_loan") == LOAN
    assert find("public.lending.Loan") == relation("public", "lending", "Loan")
    assert find('"lending"."Loan".*') == relation("lending", "Loan")
    assert refused("lending.Loan.status") == (
        "'lending.Loan.status' stands for several things in database 'default'. Write "
        'public.lending_loan.status or "lending"."Loan"."status".'
    )
    assert find('"lending"."Loan"."status"') == relation("lending", "Loan", "status")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "lending_laon",
            "No view, table or model is called 'lending_laon' in database 'default'. Did you mean lending_lo",
        ),
        (
            "views.bok",
            "No view, table or model is called 'views.bok' in database 'default'. Did you mean views.book",
        ),
        (
            "lending.Lona",
            "No view, table or model is called 'lending.Lona' in database 'default'. Did you mean lending.Lo",
        ),
        (
            "qqqqqqq",
            (
                "No view, table or model is called 'qqqqqqq' in database 'default'. Without a name, "
                "view_lineage lists all views."
            ),
        ),
        ("lending_loan.statsu", "public.lending_loan has no column 'statsu'. Did you mean status?"),
        ("book.cty", "views.book has no column 'cty'. Did you mean city?"),
        ("views.book.zzz", "views.book has no column 'zzz'. It has id, city."),
        ("lending.Loan.statsu", "lending.Loan has no field 'statsu'. Did you mean status?"),
        (
            "lending.Customer.loans",
            "lending.Customer.loans has no column of its own. It is the other side of lending.Loan.customer.",
        ),
        (
            "auth.User.groups",
            "auth.User.groups has no column of its own. Its values are in auth.User_groups.",
        ),
        (
            "a.b.c.d",
            (
                "'a.b.c.d' has 4 parts. A column is named by its schema, its table and its own name: "
                "public.lending_loan.status."
            ),
        ),
    ],
)
def test_what_is_said_of_a_name_that_stands_for_nothing(text, said, book):
    assert refused(text).startswith(said)


def test_a_view_that_is_not_synced_yet(registered):
    declare("Fresh", "SELECT 1 AS a")
    for text in ("fresh", "views.fresh", "lending.Fresh", "fresh.a", "lending.Fresh.a"):
        assert refused(text) == (
            "Database 'default' has no relation views.fresh, which is that of lending.Fresh. "
            "Run sync_views first."
        )


def test_a_model_whose_table_is_not_there(execute):
    execute("DROP TABLE django_session")
    assert refused("sessions.Session") == (
        "Database 'default' has no relation django_session, which is that of sessions.Session."
    )


def test_a_readable_view_is_named_by_its_fields_too(registered):
    fields = {
        "id": models.IntegerField(primary_key=True),
        "town": models.TextField(db_column="city"),
        "name": "book",
        "pk_field": "id",
        "sql": "SELECT id, city FROM lending_customer",
        "__module__": "tests.demo.lending.postgres_views",
    }
    type("ReadBook", (ReadableViewFromSQL,), fields)
    sync_views()
    assert find("lending.ReadBook.town") == CITY
    assert find("lending.ReadBook.city") == CITY
    assert refused("lending.ReadBook.cty") == "views.book has no column 'cty'. Did you mean city?"


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_several_databases_answer_each_for_itself():
    both = [connections["default"], connections["warehouse"]]
    with connections["warehouse"].cursor() as cursor:
        cursor.execute("CREATE SCHEMA other; CREATE TABLE other.t (x int)")
    assert find_asked(both, "lending_loan") == {"default": LOAN, "warehouse": LOAN}
    assert find_asked(both, "other.t") == {"warehouse": relation("other", "t")}
    with pytest.raises(
        UnknownNameError, match=r"in database 'default' or 'warehouse'\. Did you mean other\.t"
    ):
        find_asked(both, "other.tt")
