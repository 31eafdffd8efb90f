"""What a row of a readable view has: its columns, called as they are, and nothing of the class's options."""

from __future__ import annotations

import pickle

import pytest
from django.db import connection, models, transaction
from django.db.models import Count, F
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext, isolate_apps

from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, ReadableViewFromQueryset
from orm_views_core.views.options import OPTION_NAMES
from tests.bookshop.models import Author, Portrait
from tests.core.readables import declare, lend
from tests.demo.lending.models import Loan, Product

pytestmark = pytest.mark.django_db


class Options:
    """A mixin of a project's own."""

    name = "seen"
    hidden = True


@pytest.mark.parametrize("said", [{}, {"name": "seen"}, {"bases": (Options, ReadableViewFromQueryset)}])
def test_the_options_of_a_view_are_no_attributes_of_its_rows(said):
    view = declare(Product.objects.values("id", "code"), **said)
    row = view(id=1, code="car")
    assert {name for name in OPTION_NAMES if hasattr(row, name)} == set()
    with pytest.raises(AttributeError, match=r"^'Shown' object has no attribute 'name'$"):
        row.name  # noqa: B018
    assert Template("[{{ row.name }}{{ row.schema }}{{ row.code }}]").render(Context({"row": row})) == "[car]"
    assert view.name == ("seen" if said else "shown")
    assert view.hidden is ("bases" in said)
    assert view.name_with_schema == f'"views"."{view.name}"'


def test_a_row_has_columns_that_are_called_as_options_are():
    lend()
    view = declare(Product.objects.values("id", "name", hidden=F("code"), database=F("purpose")), name="seen")
    sync_views()
    row = view.objects.defer("hidden").get(id=Product.objects.get(code="car").pk)
    assert (row.name, row.hidden, row.database) == ("Car", "car", "car")
    assert view.name_with_schema == '"views"."seen"'


def test_a_base_class_may_change_an_option_after_its_views_are_declared(monkeypatch):
    class Base(ReadableViewFromQueryset, is_abstract_model=True):
        schema = "one"

        class Meta:
            app_label = "lending"

    view = declare(Product.objects.values("id"), bases=(Base,))
    assert view.schema == "one"
    monkeypatch.setattr(Base, "schema", "two")
    assert view.schema == "two"
    monkeypatch.setattr(view, "schema", "three")
    assert view.schema == "three"


def test_names_of_columns_that_begin_with_an_underscore_stay():
    view = declare(
        Product.objects.values(
            "id", _order=F("code"), _state=F("name"), _meta=F("purpose"), _default_manager=F("code")
        )
    )
    assert [(field.name, field.column) for field in view._meta.concrete_fields] == [
        ("id", "id"),
        ("_order", "_order"),
        ("_state_field", "_state"),
        ("_meta_field", "_meta"),
        ("_default_manager_field", "_default_manager"),
    ]
    assert view.check() == []


def test_a_column_called_objects_keeps_its_name_where_the_manager_has_another():
    queryset = Product.objects.values("id", objects=F("code"))
    view = declare(queryset, rows=models.Manager())
    plain = declare(queryset, "Plain")
    sync_views()
    lend()
    assert sorted(view.rows.values_list("objects", flat=True)) == ["car", "home"]
    assert view.rows.get(objects="car").objects == "car"
    assert [field.name for field in plain._meta.concrete_fields] == ["id", "objects_field"]
    assert plain.objects.count() == 2


@pytest.mark.parametrize("how", ["inferred", "pk_field", "declared"])
def test_a_key_to_one_row_gives_no_warning(how):
    said = {"pk_field": "author"} if how == "pk_field" else {}
    if how == "declared":
        said = {"author": models.ForeignKey(Author, models.DO_NOTHING, db_constraint=False)}
    view = declare(Portrait.objects.values("author", "file"), **said)
    assert view._meta.pk.name == "author"
    assert view.check() == []


def test_rows_are_locked_by_name(monkeypatch):
    lend()
    view = declare(Loan.objects.values("id", "product", "principal"))
    monkeypatch.setattr("tests.core.readables.Shown", view, raising=False)  # for pickle
    sync_views()
    locked = view.objects.select_related("product").select_for_update(of=("self",))
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        assert {row.product.code for row in locked} == {"car", "home"}
        assert len(locked.filter(principal__gt=100).select_for_update(of=("self", "product"))) == 2
        assert len(pickle.loads(pickle.dumps(locked.all()))) == 3
    assert " FOR UPDATE OF " in queries.captured_queries[1]["sql"]


def test_what_cannot_be_locked_is_refused_by_postgresql():
    lend()
    view = declare(Loan.objects.values("product").annotate(n=Count("id")), pk_field="product")
    kept = declare(
        Loan.objects.values("id"), "Kept", bases=(PostgresMaterialisedViewMixin, ReadableViewFromQueryset)
    )
    sync_views()
    for locked, why in ((view, "GROUP BY"), (kept, "cannot lock rows in materialized view")):
        with pytest.raises(Exception, match=why), transaction.atomic():
            list(locked.objects.select_for_update(of=("self",)))


@isolate_apps("tests.bookshop")
def test_what_is_unique_in_the_table_is_known_to_be_unique_in_the_view():
    class Base(models.Model):
        slug = models.SlugField(unique=True)
        year = models.IntegerField()
        number = models.IntegerField()
        word = models.CharField(max_length=9)
        owner = models.OneToOneField(Product, models.CASCADE)

        class Meta:
            app_label = "bookshop"
            unique_together = [("year", "number")]
            constraints = [
                models.UniqueConstraint(fields=["word"], name="word"),
                models.UniqueConstraint(fields=["year", "word"], name="two"),
                models.UniqueConstraint(fields=["number"], condition=models.Q(year=1), name="partial"),
            ]

    class Child(Base):
        class Meta:
            app_label = "bookshop"

    for name, model in {"Whole": Base, "Part": Child}.items():
        view = declare(
            model.objects.values("slug", "number", "word", "owner", "id", nick=F("slug"), on=F("year")),
            name,
        )
        unique = {field.name for field in view._meta.concrete_fields if field.unique}
        assert unique == {"id", "slug", "nick", "word", "owner"}
        assert set(view._meta.unique_together) == {("on", "number"), ("on", "word")}
        assert "fields.W342" not in {message.id for message in view.check()}
    joined = declare(Product.objects.values("id", "loans__status", "code"))
    assert not joined._meta.get_field("code").unique
    twice = Base.objects.values("id", "slug").union(Child.objects.values("id", "slug"), all=True)
    assert not declare(twice, "Twice", pk_field="id")._meta.get_field("slug").unique


def test_rows_are_found_by_what_is_unique():
    lend()
    view = declare(Product.objects.values("id", "code"))
    sync_views()
    assert {code: row.code for code, row in view.objects.in_bulk(field_name="code").items()} == {
        "car": "car",
        "home": "home",
    }
