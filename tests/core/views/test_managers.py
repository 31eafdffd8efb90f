"""Managers and querysets of readable views, and what can be read with them."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys

import pytest
from django.db import models, transaction
from django.db.models import Avg, Count, Exists, F, Max, OuterRef, Prefetch, Q, Sum, Window
from django.db.models.functions import Rank

from orm_views_core.exceptions import ReadOnlyViewError
from orm_views_core.sync import sync_views
from orm_views_core.views import ReadableViewFromQueryset
from tests.core.readables import IN_LENDING, declare, lend, meta
from tests.demo.lending.models import Loan, Product

pytestmark = pytest.mark.django_db

LOANS = Loan.objects.values("id", "product", "principal", "opened_on")


class LoanQuerySet(models.QuerySet):
    """A queryset of a project's own."""

    def large(self):
        return self.filter(principal__gte=200)


class LargeManager(models.Manager):
    """A manager whose querysets are filtered already."""

    def get_queryset(self):
        return super().get_queryset().filter(principal__gte=200)


class TypedManager(models.Manager):
    """A manager that makes its querysets by hand."""

    def get_queryset(self):
        return LoanQuerySet(self.model, using=self._db)

    def smallest(self):
        return self.order_by("principal").first()


class UsedManager(models.Manager):
    """A manager that migrations would have."""

    use_in_migrations = True


class Managed(models.Model):
    """A mixin that brings its managers along."""

    large = LargeManager()
    everything = models.Manager()

    class Meta:
        abstract = True
        app_label = "lending"


@pytest.fixture
def loans(db):
    lend()


def amounts(queryset):
    return sorted(int(row.principal) for row in queryset)


def refuses(queryset):
    with pytest.raises(ReadOnlyViewError):
        queryset.update(principal=0)
    return True


@pytest.mark.parametrize(
    "make",
    [
        LoanQuerySet.as_manager,
        models.Manager.from_queryset(LoanQuerySet),
        TypedManager,
        TypedManager.from_queryset(LoanQuerySet),
    ],
    ids=["as_manager", "from_queryset", "typed", "typed from_queryset"],
)
def test_a_queryset_of_the_projects_own(make, loans):
    view = declare(LOANS, objects=make())
    sync_views()
    assert amounts(view.objects.all().large()) == [200, 300]
    assert amounts(view.objects.filter(principal__lt=300).large()) == [200]
    assert isinstance(view.objects.all(), LoanQuerySet)
    assert isinstance(view.objects.all().large()._chain(), LoanQuerySet)
    assert refuses(view.objects.all().large())


def test_a_manager_keeps_its_class_its_methods_and_its_filter(loans):
    view = declare(LOANS, objects=TypedManager(), large=LargeManager())
    sync_views()
    assert isinstance(view.objects, TypedManager)
    assert type(view.objects).__name__ == "TypedManager"
    assert int(view.objects.smallest().principal) == 100
    assert amounts(view.large.all()) == [200, 300]
    assert refuses(view.large.all())


def test_a_manager_of_another_model_stays_as_it_is(loans):
    declare(LOANS, bases=(Managed, ReadableViewFromQueryset))

    class Stored(Managed):
        class Meta:
            app_label = "lending"

    assert type(Stored.large) is LargeManager
    assert type(Managed._meta.local_managers[0]) is LargeManager
    assert Stored.everything.none().update(id=1) == 0


def test_the_object_that_a_class_declares_is_not_changed(loans):
    declared, made = TypedManager(), []

    class HandMade(models.Manager):
        def get_queryset(self):
            made.append(LoanQuerySet(self.model, using=self._db))
            return made[-1]

    view = declare(LOANS, objects=declared, hand_made=HandMade())
    assert type(declared) is TypedManager
    assert refuses(view.objects.all())
    assert refuses(view.hand_made.all())
    assert {type(queryset) for queryset in made} == {LoanQuerySet}


@pytest.mark.parametrize(
    "bases",
    [(Managed, ReadableViewFromQueryset), (ReadableViewFromQueryset, Managed)],
    ids=["before", "behind"],
)
def test_the_managers_of_a_mixin(bases, loans):
    view = declare(LOANS, bases=bases)
    sync_views()
    assert [manager.name for manager in view._meta.managers] == ["large", "everything"]
    assert view._default_manager.name == "large"
    assert amounts(view.large.all()) == [200, 300]
    assert refuses(view.large.all())
    assert refuses(view.everything.all())
    assert not hasattr(view, "objects")


def test_a_manager_that_is_declared_comes_before_those_of_a_mixin(loans):
    view = declare(LOANS, bases=(Managed, ReadableViewFromQueryset), first=models.Manager())
    assert [manager.name for manager in view._meta.managers] == ["first", "large", "everything"]
    assert view._default_manager.name == "first"


def test_a_mixins_manager_is_overridden(loans):
    view = declare(LOANS, bases=(Managed, ReadableViewFromQueryset), large=TypedManager())
    sync_views()
    assert isinstance(view.large, TypedManager)
    assert amounts(view.large.all()) == [100, 200, 300]


def test_default_and_base_manager_name(loans):
    view = declare(
        LOANS,
        everything=models.Manager(),
        large=LargeManager(),
        Meta=meta(default_manager_name="large", base_manager_name="large"),
    )
    sync_views()
    assert amounts(view._default_manager.all()) == amounts(view._base_manager.all()) == [200, 300]
    assert amounts(view.everything.all()) == [100, 200, 300]
    small = view.everything.get(principal=100)
    with pytest.raises(view.DoesNotExist):
        small.refresh_from_db()
    assert refuses(view._default_manager.all())
    assert refuses(view._base_manager.all())


def test_an_abstract_view_hands_its_managers_on(loans):
    class Base(ReadableViewFromQueryset, is_abstract_model=True):
        large = LargeManager()

        class Meta(IN_LENDING):
            base_manager_name = "large"

    view = declare(LOANS, bases=(Base,), Meta=meta(verbose_name="thing"))
    sync_views()
    assert amounts(view.large.all()) == amounts(view._base_manager.all()) == [200, 300]
    assert view.large.model is view
    assert refuses(view.large.all())


def test_a_manager_that_migrations_use_is_written_by_the_name_of_its_class():
    view = declare(LOANS, objects=UsedManager())
    assert view.objects.deconstruct() == (False, f"{__name__}.UsedManager", None, (), {})


def test_select_related_and_prefetch_related(loans, django_assert_num_queries):
    view = declare(LOANS)
    sync_views()
    with django_assert_num_queries(1):
        assert {row.product.code for row in view.objects.select_related("product")} == {"car", "home"}
    with django_assert_num_queries(2):
        assert {row.product.code for row in view.objects.prefetch_related("product")} == {"car", "home"}
    large = Prefetch("shown_set", view.objects.filter(principal__gte=200), to_attr="large")
    with django_assert_num_queries(2):
        products = Product.objects.order_by("code").prefetch_related(large)
        assert [amounts(product.large) for product in products] == [[200], [300]]


def test_aggregates_subqueries_and_windows(loans):
    view = declare(LOANS)
    sync_views()
    assert view.objects.aggregate(n=Count("*"), top=Max("principal"), mean=Avg("principal")) == {
        "n": 3,
        "top": 300,
        "mean": 200,
    }
    by_code = view.objects.values("product__code").annotate(lent=Sum("principal")).order_by("product__code")
    assert [(row["product__code"], row["lent"]) for row in by_code] == [("car", 300), ("home", 300)]
    dear = view.objects.filter(product=OuterRef("pk"), principal=300)
    assert [product.code for product in Product.objects.filter(Exists(dear))] == ["home"]
    assert Loan.objects.filter(pk__in=view.objects.filter(principal__lt=300).values("id")).count() == 2
    ranked = view.objects.annotate(rank=Window(Rank(), order_by=F("principal").desc())).order_by("rank")
    assert [int(row.principal) for row in ranked] == [300, 200, 100]
    assert view.objects.filter(Q(product__code="home") | Q(principal=100)).count() == 2
    assert amounts(view.objects.filter(principal=100).union(view.objects.filter(principal=300))) == [100, 300]


def test_explain_in_bulk_and_raw(loans):
    view = declare(LOANS)
    sync_views()
    first = view.objects.order_by("id").first()
    assert "Scan" in view.objects.filter(id=first.id).explain(analyze=True)
    assert view.objects.in_bulk([first.id]) == {first.id: first}
    assert view.objects.in_bulk([100], field_name="id") == {}
    raw = view.objects.raw(f"SELECT * FROM {view.name_with_schema} WHERE principal > %s", [100])
    assert amounts(raw) == [200, 300]
    assert view.objects.contains(first)
    assert view.objects.exists()
    assert [day.year for day in view.objects.dates("opened_on", "year")] == [2024]


@pytest.mark.django_db(transaction=True)
def test_iteration_with_a_server_side_cursor(committed_views, execute):
    lend()
    view = declare(LOANS)
    sync_views()
    with transaction.atomic():
        rows = view.objects.order_by("principal").iterator(chunk_size=1)
        assert int(next(rows).principal) == 100
        ((declared,),) = execute("SELECT count(*) FROM pg_cursors WHERE name LIKE '\\_django%'")
        assert declared == 1
        assert amounts(rows) == [200, 300]


def test_deferred_fields_and_refreshing(loans, django_assert_num_queries):
    view = declare(LOANS)
    sync_views()
    row = view.objects.only("id").get(principal=100)
    assert row.get_deferred_fields() == {"product_id", "principal", "opened_on"}
    with django_assert_num_queries(1):
        assert row.principal == 100
    Loan.objects.filter(pk=row.pk).update(principal=150)
    assert row.principal == 100
    row.refresh_from_db()
    assert row.principal == 150
    assert view.objects.defer("principal").get(pk=row.pk).get_deferred_fields() == {"principal"}


def test_rows_are_equal_and_hash_as_those_of_any_model(loans):
    view, other = declare(LOANS), declare(LOANS, "Other")
    proxy = declare(LOANS, "Seen", bases=(view,), Meta=meta(proxy=True))
    sync_views()
    first = view.objects.order_by("id").first()
    assert first == view.objects.get(pk=first.pk) == proxy.objects.get(pk=first.pk)
    assert len({first, view.objects.get(pk=first.pk)}) == 1
    assert first != other.objects.get(pk=first.pk)
    assert first != Loan.objects.get(pk=first.pk)
    made = view.from_db("default", ["id", "principal"], [first.pk, 5])
    assert made == first
    assert (made._state.db, made._state.adding) == ("default", False)


def test_copies_of_querysets_and_managers_are_guarded(loans):
    view = declare(LOANS, objects=TypedManager.from_queryset(LoanQuerySet)())
    sync_views()
    for copied in (
        copy.copy(view.objects.all()),
        copy.deepcopy(view.objects.all()),
        copy.copy(view.objects).all(),
    ):
        assert amounts(copied) == [100, 200, 300]
        assert isinstance(copied, LoanQuerySet)
        assert refuses(copied)
    assert view.objects == copy.copy(view.objects)
    assert type(view.objects.db_manager("default")) is type(view.objects)


LATER = """
import pickle, sys
import django
django.setup()
from orm_views_core.exceptions import ReadOnlyViewError
from tests.demo.lending.postgres_views import ProductCatalogue
found = pickle.loads(bytes.fromhex(sys.argv[1]))
same = type(found) is type(ProductCatalogue.objects.all())
print([row.code for row in found], found.model is ProductCatalogue, same)
try:
    found.all().update(name="")
except ReadOnlyViewError as error:
    print(type(error).__name__)
"""


def test_a_queryset_is_pickled_and_unpickled_in_another_process(loans, registered):
    from tests.demo.lending.postgres_views import ProductCatalogue

    registered.register(ProductCatalogue)
    sync_views()
    pickled = pickle.dumps(ProductCatalogue.objects.filter(code="car"))
    assert [row.code for row in pickle.loads(pickled)] == ["car"]
    assert refuses_pickled(pickle.loads(pickled))
    settings = {"DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"]}
    run = subprocess.run(
        [sys.executable, "-c", LATER, pickled.hex()],
        env={**settings, "DATABASE_URL": "postgresql://unused"},
        capture_output=True,
        text=True,
    )
    assert run.stdout.splitlines() == ["['car'] True True", "ReadOnlyViewError"], run.stderr


def refuses_pickled(queryset):
    with pytest.raises(ReadOnlyViewError):
        queryset.update(name="")
    return True


def test_a_pickled_query_is_put_back_into_a_queryset(loans):
    from tests.demo.lending.postgres_views import ProductCatalogue

    queryset = ProductCatalogue.objects.all()
    queryset.query = pickle.loads(pickle.dumps(ProductCatalogue.objects.filter(code="car").query))
    assert "car" in str(queryset.query)
    assert refuses_pickled(queryset)


def test_a_manager_is_pickled_and_guards_the_view_again(loans, registered):
    from tests.demo.lending.postgres_views import ProductCatalogue

    registered.register(ProductCatalogue)
    sync_views()
    manager = pickle.loads(pickle.dumps(ProductCatalogue.objects))
    assert [row.code for row in manager.filter(code="car")] == ["car"]
    with pytest.raises(ReadOnlyViewError):
        manager.create(code="new")
