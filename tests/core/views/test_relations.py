"""Relations between views, and between views and models, in both directions."""

from __future__ import annotations

import pytest
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.db import models, transaction
from django.db.models import Count, Value
from django.db.models.fields.related import RelatedField
from django.forms import modelform_factory
from django.test import RequestFactory
from django.views.generic import DetailView, ListView

from orm_views_core.checks.classes import check_fields
from orm_views_core.exceptions import ReadOnlyViewError
from orm_views_core.sync import sync_views
from tests.core.readables import declare, lend
from tests.demo.lending.models import Customer, Loan, Product

pytestmark = pytest.mark.django_db

LOANS = Loan.objects.values("id", "product", "customer", "principal", "opened_on")


@pytest.fixture
def loans(db):
    lend()


@pytest.fixture
def shown(loans):
    """A view of the loans, whose foreign keys are inferred."""
    view = declare(LOANS)
    sync_views()
    return view


def test_the_check_of_a_view_goes_through_no_other_views(loans, monkeypatch):
    """Django's check of a foreign key asks for the relations of its target, of which each view adds one."""
    asked = []
    monkeypatch.setattr(RelatedField, "_check_clashes", lambda field: asked.append(str(field)) or [])
    declared = models.ForeignKey(Product, models.DO_NOTHING, db_column="product_id", related_name="+")
    views = [declare(LOANS), declare(LOANS, "Other", product=declared)]
    assert [view.check() for view in views] == [[], []]
    assert asked == ["lending.Other.product"]


def test_what_clashes_with_an_inferred_foreign_key_is_reported(loans):
    """The field that came later says so."""
    declare(LOANS, "Earlier")
    field = models.ForeignKey(Product, models.DO_NOTHING, db_column="product_id", related_name="earlier_set")
    later = declare(Loan.objects.values("id", "product_id"), "Later", product=field)
    assert {message.id for message in later.check()} == {"fields.E304", "fields.E305"}


def test_from_a_view_to_a_model_and_back(shown):
    assert {row.product.code for row in shown.objects.filter(customer__city="York")} == {"car"}
    car = Product.objects.get(code="car")
    assert car.shown_set.count() == 2
    assert Product.objects.filter(shown__principal=300).get().code == "home"
    assert [p.n for p in Product.objects.annotate(n=Count("shown")).order_by("code")] == [2, 1]
    assert car.shown_set.filter(principal=100).get().product is car
    assert shown.check() == Product.check() == []


def test_the_related_name_of_a_declared_field_is_the_projects_own(loans):
    view = declare(
        LOANS,
        product=models.ForeignKey(Product, models.DO_NOTHING, related_name="sold", related_query_name="sale"),
    )
    sync_views()
    assert Product.objects.get(code="home").sold.get().principal == 300
    assert Product.objects.filter(sale__principal=300).count() == 1
    assert view._meta.get_field("product").db_constraint


def test_from_a_view_to_a_view_and_back(loans, django_assert_num_queries):
    cities = declare(
        Customer.objects.values("city").annotate(people=Count("id")),
        "Cities",
        city=models.CharField(max_length=60, primary_key=True),
    )
    people = declare(
        Customer.objects.values("id", "city"),
        "People",
        city=models.ForeignKey(cities, models.DO_NOTHING, db_column="city", related_name="inhabitants"),
    )
    sync_views()
    assert people.objects.select_related("city").get(city="York").city.people == 1
    assert people.objects.filter(city__people__gt=1).count() == 0
    with django_assert_num_queries(2):
        found = {
            city.pk: len(city.inhabitants.all()) for city in cities.objects.prefetch_related("inhabitants")
        }
    assert found == {"York": 1, "Leeds": 1}
    assert [*check_fields(None), *people.check(), *cities.check()] == []


def test_a_view_that_refers_to_itself(loans):
    view = declare(
        Product.objects.annotate(parent=models.F("id")).values("id", "code", "parent"),
        parent=models.ForeignKey("self", models.DO_NOTHING, db_column="parent", related_name="children"),
    )
    sync_views()
    row = view.objects.get(code="car")
    assert row.parent == row
    assert list(row.children.all()) == [row]


def test_a_queryset_reads_a_readable_view_and_inherits_its_fields(shown):
    again = declare(shown.objects.filter(principal__gt=100).values("id", "product", "principal"), "Again")
    sync_views()
    assert again._meta.pk.name == "id"
    assert {row.product.code for row in again.objects.all()} == {"car", "home"}
    assert again.objects.filter(product__shown__principal=100).count() == 1


def test_one_to_one(loans):
    view = declare(
        Customer.objects.values("id", "city"),
        id=models.OneToOneField(
            Customer, models.DO_NOTHING, primary_key=True, db_column="id", related_name="facts"
        ),
    )
    sync_views()
    ann = Customer.objects.select_related("facts").get(first_name="Ann")
    assert ann.facts.city == "York"
    assert view.objects.get(pk=ann.pk).id == ann


def test_many_to_many_through_a_view(loans):
    buyers = declare(
        Customer.objects.values("id", "city"),
        "Buyers",
        products=models.ManyToManyField(Product, through="lending.Bought", related_name="buyers"),
    )
    declare(
        Loan.objects.values("id", "customer", "product"),
        "Bought",
        customer=models.ForeignKey(buyers, models.DO_NOTHING, db_column="customer_id"),
    )
    sync_views()
    ann = buyers.objects.prefetch_related("products").get(city="York")
    assert {product.code for product in ann.products.all()} == {"car"}
    home = Product.objects.get(code="home")
    assert [buyer.city for buyer in home.buyers.all()] == ["Leeds"]
    for write in (lambda: ann.products.add(home), lambda: ann.products.clear(), lambda: home.buyers.set([])):
        with pytest.raises(ReadOnlyViewError), transaction.atomic():
            write()
    assert buyers.objects.filter(products=home).count() == 1


def test_a_generic_foreign_key(loans):
    view = declare(
        Loan.objects.annotate(kind=Value(0)).values("id", "product_id", "kind"),
        product_id=models.BigIntegerField(),
        content_type=models.ForeignKey(ContentType, models.DO_NOTHING, db_column="kind"),
        target=GenericForeignKey("content_type", "product_id"),
        get_queryset=classmethod(
            lambda cls: Loan.objects.annotate(
                kind=Value(ContentType.objects.get_for_model(Product).pk)
            ).values("id", "product_id", "kind")
        ),
    )
    sync_views()
    assert {row.target.code for row in view.objects.prefetch_related("target")} == {"car", "home"}


def test_serializers(shown):
    row = shown.objects.get(principal=300)
    (said,) = serializers.serialize("python", [row])
    assert (said["model"], said["pk"]) == ("lending.shown", row.pk)
    assert said["fields"]["product"] == row.product_id
    for form in ("json", "jsonl", "xml"):
        (back,) = serializers.deserialize(form, serializers.serialize(form, [row]))
        assert back.object == row
        assert back.object.principal == 300


def test_model_forms_read_a_row(shown):
    row = shown.objects.get(principal=300)
    form = modelform_factory(shown, fields=["product", "principal"])(instance=row)
    assert form.initial == {"product": row.product_id, "principal": row.principal}
    assert form.fields["product"].queryset.count() == 2
    assert form.fields["principal"].max_digits == 10


def test_generic_views(shown):
    request = RequestFactory().get("/")
    listed = ListView.as_view(model=shown, paginate_by=2, ordering="principal", template_name="unused.html")(
        request
    )
    assert [int(row.principal) for row in listed.context_data["object_list"]] == [100, 200]
    row = shown.objects.get(principal=300)
    found = DetailView.as_view(model=shown, template_name="unused.html")(request, pk=row.pk)
    assert found.context_data["shown"] == row


def test_django_filter(shown):
    filters = pytest.importorskip("django_filters.filterset").filterset_factory(
        shown, fields={"principal": ["gte"], "product": ["exact"], "opened_on": ["year"]}
    )
    car = Product.objects.get(code="car")
    assert [int(row.principal) for row in filters({"principal__gte": 150, "product": car.pk}).qs] == [200]
    assert filters({"opened_on__year": 1999}).qs.count() == 0
    assert filters({"product": "none"}).is_valid() is False


def test_rest_framework(shown):
    serializers_of = pytest.importorskip("rest_framework.serializers")
    viewsets = pytest.importorskip("rest_framework.viewsets")

    class Meta:
        model = shown
        fields = "__all__"

    serializer = type("ShownSerializer", (serializers_of.ModelSerializer,), {"Meta": Meta})

    class Rows(viewsets.ReadOnlyModelViewSet):
        queryset = shown.objects.order_by("principal")
        serializer_class = serializer
        authentication_classes = ()
        permission_classes = ()

    request = RequestFactory().get("/")
    listed = Rows.as_view({"get": "list"})(request)
    assert [row["principal"] for row in listed.data] == ["100.00", "200.00", "300.00"]
    row = shown.objects.get(principal=300)
    assert Rows.as_view({"get": "retrieve"})(request, pk=row.pk).data == {
        "id": row.pk,
        "product": row.product_id,
        "customer": row.customer_id,
        "principal": "300.00",
        "opened_on": "2024-01-03",
    }
