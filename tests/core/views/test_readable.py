"""Readable views: unmanaged models whose columns may be called anything, their Meta free."""

from __future__ import annotations

import pytest
from django.db import models
from django.utils import translation
from django.utils.translation import gettext_lazy

from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import (
    PostgresMaterialisedViewMixin,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
)
from orm_views_core.views.readable import column_comments, is_readable, parse_db_table
from tests.core.compiling import compile_view
from tests.demo.lending.models import Product

pytestmark = pytest.mark.usefixtures("isolated_models")

OURS = [
    "name",
    "sql",
    "prefix",
    "hidden",
    "database",
    "pk_field",
    "schema",
    "indexes",
    "with_data",
    "refresh_every",
    "view_dependencies",
    "grant_select_to",
    "security_barrier",
    "check_option",
    "creation_sql",
    "name_with_schema",
    "schema_qry",
]


@pytest.mark.parametrize(
    ("db_table", "schema", "name"),
    [
        ("loans", "", "loans"),
        ("Loans", "", "Loans"),
        ("other.loans", "", "other.loans"),
        ('"loans"', "", "loans"),
        ('"a.b"', "", "a.b"),
        ('"other"."loans"', "other", "loans"),
        ('"Ot""her"."lo.ans"', 'Ot"her', "lo.ans"),
        ('other"."loans', "other", "loans"),
        ('Ot""her"."lo.ans', 'Ot"her', "lo.ans"),
        ('other"loans', "", 'other"loans'),
        ('other"."a"."loans', "", 'other"."a"."loans'),
        ('"other".loans', "", '"other".loans'),
    ],
)
def test_a_db_table_is_a_name_or_a_quoted_schema_and_name(db_table, schema, name):
    assert parse_db_table(db_table) == (schema, name)


@pytest.mark.django_db
@pytest.mark.parametrize("column", OURS)
def test_a_field_called_like_an_attribute_of_ours_is_read_deferred_and_filtered(column):
    fields = {
        "__module__": __name__,
        "id": models.IntegerField(primary_key=True),
        column: models.TextField(),
        "other": models.TextField(),
    }

    class Base(PostgresMaterialisedViewMixin, ReadableViewFromSQL, is_abstract_model=True):
        pk_field = "id"

        class Meta:
            app_label = "lending"

    sql = f"SELECT * FROM (VALUES (1, 'the row''s', 'x'), (2, 'another', 'y')) AS t (id, {column}, other)"
    base = type(Base)(
        "Saying",
        (Base,),
        {"sql": sql, "__module__": __name__, "Meta": type("Meta", (), {"app_label": "lending"})},
        is_abstract_model=True,
    )
    view = type(base)(
        "OddColumns",
        (base,),
        {**fields, "Meta": type("Meta", (), {"app_label": "lending"})},
    )
    assert view._meta.db_table == '"views"."oddcolumns"'
    sync_views()
    row = view.objects.get(**{column: "the row's"})
    assert getattr(row, column) == "the row's"
    for deferred in (view.objects.only("id").get(pk=1), view.objects.defer(column).get(pk=1)):
        assert column in deferred.get_deferred_fields()
        assert getattr(deferred, column) == "the row's"
    assert list(view.objects.order_by(column).values_list(column, flat=True)) == ["another", "the row's"]
    assert view.objects.only(column).get(pk=2).other == "y"


@pytest.mark.django_db
def test_many_fields_of_ours_at_once_leave_the_view_its_identity():
    class Loud(ReadableViewFromSQL):
        sql = "SELECT 1 AS id, 'n' AS name, 's' AS schema, 'p' AS prefix, 'd' AS database, true AS hidden"
        id = models.IntegerField(primary_key=True)
        name = models.TextField(help_text="Whose it is.")
        schema = models.TextField()
        prefix = models.TextField()
        database = models.TextField()
        hidden = models.BooleanField()

        class Meta:
            app_label = "lending"

    definition = compile_view(Loud)
    assert str(definition.name) == "views.loud"
    assert definition.hidden is False
    assert definition.column_comments == {"name": "Whose it is."}
    sync_views()
    row = Loud.objects.get()
    assert (row.name, row.schema, row.prefix, row.database, row.hidden) == ("n", "s", "p", "d", True)
    row.name = "changed"
    assert row.name == "changed"
    row.refresh_from_db(fields=["name"])
    assert row.name == "n"


@pytest.mark.parametrize(
    ("db_table", "name"),
    [
        (None, "views.plain"),
        ("loan_book", "views.loan_book"),
        ("Loan Book", "views.Loan Book"),
        ('"loan_book"', "views.loan_book"),
        ('"other"."loan book"', "other.loan book"),
    ],
)
@pytest.mark.django_db
def test_db_table_names_the_view(db_table, name):
    meta = type("Meta", (), {"app_label": "lending", **({"db_table": db_table} if db_table else {})})
    attributes = {
        "__module__": __name__,
        "Meta": meta,
        "sql": "SELECT 1 AS id",
        "id": models.IntegerField(primary_key=True),
    }
    view = type(ReadableViewFromSQL)("Plain", (ReadableViewFromSQL,), attributes)
    assert str(compile_view(view).name) == name
    assert view.name_with_schema == view._meta.db_table
    sync_views()
    assert list(view.objects.values()) == [{"id": 1}]


def test_meta_stays_free():
    class Ordered(ReadableViewFromSQL):
        sql = "SELECT 1 AS id"
        id = models.IntegerField(primary_key=True)

        class Meta:
            app_label = "lending"
            ordering = ("-id",)
            verbose_name = "thing"
            verbose_name_plural = "things"
            default_permissions = ("view",)

    options = Ordered._meta
    assert (options.ordering, options.verbose_name) == (("-id",), "thing")
    assert (options.verbose_name_plural, options.default_permissions) == ("things", ("view",))
    assert options.managed is False


def test_a_view_is_never_managed_whatever_its_meta_says():
    class Stubborn(ReadableViewFromSQL):
        sql = "SELECT 1 AS id"
        id = models.IntegerField(primary_key=True)

        class Meta:
            app_label = "lending"
            managed = True

    class Parent(ReadableViewFromSQL):
        class Meta:
            abstract = True
            app_label = "lending"
            managed = True

    class Child(Parent):
        sql = "SELECT 1 AS id"
        id = models.IntegerField(primary_key=True)

    assert Stubborn._meta.managed is Child._meta.managed is False


@pytest.mark.django_db
def test_an_abstract_base_passes_on_its_fields_and_meta(registered):
    class Named(ReadableViewFromQueryset, is_abstract_model=True):
        name = models.TextField(help_text="As on the web site.")

        class Meta:
            app_label = "lending"
            ordering = ("name",)

    class Products(Named):
        """The products."""

        code = models.TextField(primary_key=True)

        @classmethod
        def get_queryset(cls):
            return Product.objects.values("code", "name")

    assert Named._meta.abstract
    assert registered.views() == [Products]
    assert Products._meta.ordering == ("name",)
    assert not Products._meta.abstract
    sync_views()
    Product.objects.create(code="a", name="Zeal", purpose="car", annual_rate=1)
    Product.objects.create(code="b", name="Ardour", purpose="car", annual_rate=1)
    assert [row.name for row in Products.objects.all()] == ["Ardour", "Zeal"]
    assert Products.objects.only("code").get(code="a").name == "Zeal"
    assert compile_view(Products).column_comments == {"name": "As on the web site."}


def test_a_model_that_is_not_to_be_registered_is_a_model_still(registered):
    class Unregistered(ReadableViewFromSQL, should_register=False):
        sql = "SELECT 1 AS id"
        id = models.IntegerField(primary_key=True)

        class Meta:
            app_label = "lending"

    assert registered.views() == []
    assert Unregistered._meta.db_table == '"views"."unregistered"'
    assert not Unregistered._meta.managed


@pytest.mark.django_db
def test_a_proxy_reads_its_parents_view_and_is_none_itself(registered):
    class Rows(ReadableViewFromSQL):
        name = "all_rows"
        sql = "SELECT 1 AS id"
        id = models.IntegerField(primary_key=True)

        class Meta:
            app_label = "lending"

    class RowsInTheAdmin(Rows):
        class Meta:
            proxy = True
            app_label = "lending"
            verbose_name = "row"

    assert registered.views() == [Rows]
    assert RowsInTheAdmin._meta.proxy
    assert RowsInTheAdmin._meta.db_table == Rows._meta.db_table == '"views"."all_rows"'
    assert RowsInTheAdmin.name_with_schema == Rows.name_with_schema
    sync_views()
    assert RowsInTheAdmin.objects.get().pk == 1


@pytest.mark.django_db
def test_the_docstring_is_the_classes_own():
    class Silent(ReadableViewFromSQL):
        sql = "SELECT 1 AS id"
        id = models.IntegerField(primary_key=True)

        class Meta:
            app_label = "lending"

    assert Silent.__doc__ == "Silent(id)"
    assert compile_view(Silent).comment == ""


@pytest.mark.django_db
def test_a_column_is_commented_under_the_name_that_it_has_in_the_database():
    class Renamed(ReadableViewFromSQL):
        sql = 'SELECT 1 AS id, 2 AS "Amount %", 3 AS product_id'
        id = models.IntegerField(primary_key=True)
        amount = models.IntegerField(db_column="Amount %", help_text="In pounds.")
        product = models.ForeignKey(Product, models.DO_NOTHING, help_text="Which.", db_constraint=False)
        silent = models.IntegerField()

        class Meta:
            app_label = "lending"

    comments = compile_view(Renamed).column_comments
    assert comments == {"Amount %": "In pounds.", "product_id": "Which."}


@pytest.mark.django_db
def test_a_translated_help_text_is_compared_in_the_projects_language():
    class Translated(ReadableViewFromSQL):
        sql = "SELECT 1 AS id"
        id = models.IntegerField(primary_key=True, help_text=gettext_lazy("This field is required."))

        class Meta:
            app_label = "lending"

    with translation.override("de"):
        assert str(Translated._meta.pk.help_text) == "Dieses Feld ist zwingend erforderlich."
        assert column_comments(Translated) == {"id": "This field is required."}
        sync_views()
    assert all(plan.is_empty for plan in plan_views())


def test_a_view_that_is_no_model_is_not_readable():
    class Plain(PostgresViewFromSQL):
        sql = "SELECT 1 AS id"

    assert not is_readable(Plain)
    assert is_readable(ReadableViewFromSQL)
