"""What a readable view's ``Meta``, bases and class body may say, and what they may not."""

from __future__ import annotations

from typing import Generic, TypeVar

import pytest
from django.db import models
from django.db.models import F
from django.utils.functional import classproperty

from orm_views_core.checks.classes import check_fields, check_querysets
from orm_views_core.checks.settings import check_names
from orm_views_core.exceptions import InvalidViewError
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import (
    HiddenViewMixin,
    PostgresMaterialisedViewMixin,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
)
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.readable import ReadableViewBase
from tests.core.compiling import compile_view
from tests.core.readables import IN_LENDING, declare, lend, meta
from tests.demo.lending.models import Loan, Product

PRODUCTS = Product.objects.values("id", "code", "name")


@pytest.fixture
def loans(db):
    lend()


def test_ordering_and_get_latest_by(loans):
    view = declare(
        Loan.objects.values("id", "opened_on", "principal"),
        Meta=meta(ordering=("-principal",), get_latest_by="opened_on"),
    )
    sync_views()
    assert [row.principal for row in view.objects.all()] == [300, 200, 100]
    assert (view.objects.latest().principal, view.objects.earliest().principal) == (300, 100)
    assert (view.objects.first().principal, view.objects.last().principal) == (300, 100)


def test_indexes_of_a_materialised_view(loans, execute):
    view = declare(
        PRODUCTS,
        Meta=meta(
            indexes=[models.Index(fields=["-name"]), models.Index(fields=["code"], name="by_%(class)s_code")]
        ),
        bases=(PostgresMaterialisedViewMixin, ReadableViewFromQueryset),
        pk_field="id",
    )
    sync_views()
    found = dict(execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'shown'"))
    unnamed = view._meta.indexes[0].name
    assert found.keys() == {"shown_id_key", unnamed, "by_shown_code"}
    assert found[unnamed].endswith("(name DESC)")
    assert all(plan.is_empty for plan in plan_views())


@pytest.mark.parametrize("db_table", ["odd name", '"other schema"."odd ""name"""'])
def test_indexes_without_a_name_of_a_view_with_a_table_name(db_table, db, execute):
    declare(
        PRODUCTS,
        Meta=meta(db_table=db_table, indexes=[models.Index(fields=["name"])]),
        bases=(PostgresMaterialisedViewMixin, ReadableViewFromQueryset),
        pk_field="id",
    )
    sync_views()
    ((count,),) = execute("SELECT count(*) FROM pg_indexes WHERE tablename LIKE 'odd%'")
    assert count == 2
    assert all(plan.is_empty for plan in plan_views())


@pytest.mark.django_db
def test_indexes_of_a_plain_view_are_an_error():
    view = declare(PRODUCTS, Meta=meta(indexes=[models.Index(fields=["name"])]))
    with pytest.raises(InvalidViewError, match="only materialised views can have indexes"):
        compile_view(view)


def test_indexes_of_an_abstract_base_are_each_views_own(db, execute):
    class Named(PostgresMaterialisedViewMixin, ReadableViewFromQueryset, is_abstract_model=True):
        pk_field = "id"

        class Meta:
            app_label = "lending"
            indexes = [models.Index(fields=["name"])]

        @classmethod
        def get_queryset(cls):
            return PRODUCTS

    class First(Named):
        pass

    class Second(Named):
        class Meta(Named.Meta):
            verbose_name = "second"

    class Third(Named):
        class Meta:
            app_label = "lending"

    assert len({First._meta.indexes[0].name, Second._meta.indexes[0].name}) == 2
    sync_views()
    counts = execute(
        "SELECT tablename, count(*) FROM pg_indexes WHERE schemaname = 'views' GROUP BY 1 ORDER BY 1"
    )
    assert counts == [("first", 2), ("second", 2), ("third", 1)]


def test_meta_is_inherited_as_django_inherits_it():
    class Base(ReadableViewFromSQL, is_abstract_model=True):
        id = models.IntegerField(primary_key=True)

        class Meta:
            app_label = "lending"
            ordering = ("id",)
            verbose_name = "thing"
            default_permissions = ("view", "add")

    class Silent(Base):
        sql = "SELECT 1 AS id"

    class Explicit(Base):
        sql = "SELECT 1 AS id"

        class Meta(Base.Meta):
            verbose_name = "other"

    class Own(Base):
        sql = "SELECT 1 AS id"

        class Meta:
            app_label = "lending"

    assert [view._meta.ordering for view in (Silent, Explicit, Own)] == [("id",), ("id",), []]
    assert [view._meta.verbose_name for view in (Silent, Explicit, Own)] == ["thing", "other", "own"]
    assert not any(view._meta.abstract or view._meta.managed for view in (Silent, Explicit, Own))
    assert [view._meta.default_permissions for view in (Silent, Explicit, Own)] == [
        ("view", "add"),
        ("view", "add"),
        ("view",),
    ]


def test_abstract_said_in_a_base_of_meta_is_abstract(registered):
    class Common:
        abstract = True
        app_label = "lending"

    class Base(ReadableViewFromSQL):
        class Meta(Common):
            pass

    class Shown(Base):
        sql = "SELECT 1 AS id"

    assert (Base._meta.abstract, Shown._meta.abstract) == (True, False)
    assert registered.views() == [Shown]


def test_a_db_table_is_inherited_as_django_inherits_it():
    class Base(ReadableViewFromSQL, is_abstract_model=True):
        class Meta:
            app_label = "lending"
            db_table = '"other"."all"'

    class Silent(Base):
        sql = "SELECT 1 AS id"

    class Again(Base):
        sql = "SELECT 1 AS id"

        class Meta(Base.Meta):
            pass

    assert Silent.name_with_schema == Again.name_with_schema == Silent._meta.db_table == '"other"."all"'
    assert [message.id for message in check_names(None)] == ["orm_views_core.E004"]


def test_the_app_is_the_one_that_the_module_is_in_and_meta_may_name_another():
    class Here(ReadableViewFromSQL):
        __module__ = Product.__module__
        sql = "SELECT 1 AS id"

    class There(ReadableViewFromSQL):
        __module__ = Product.__module__
        sql = "SELECT 1 AS id"

        class Meta:
            app_label = "oldstyle"

    assert (Here._meta.label, There._meta.label) == ("lending.Here", "oldstyle.There")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("unique_together", [("id", "code")]),
        ("constraints", [models.UniqueConstraint(fields=["code"], name="one")]),
        ("constraints", [models.CheckConstraint(condition=models.Q(id__gt=0), name="positive")]),
        ("order_with_respect_to", "code"),
        ("db_table_comment", "What it is."),
        ("db_tablespace", "fast"),
        ("swappable", "VIEW_MODEL"),
    ],
)
def test_what_cannot_work_is_an_error_that_says_why(option, value, registered):
    with pytest.raises(InvalidViewError) as caught:
        declare(PRODUCTS, Meta=meta(**{option: value}))
    assert "readables.Shown (tests/core/readables.py, line " in str(caught.value)
    assert f": its Meta has {option}, which views do not support: " in str(caught.value)
    assert registered.views() == []


def test_a_proxy_of_nothing_is_an_error():
    with pytest.raises(InvalidViewError, match="its Meta has proxy = True, but it inherits from no view"):
        declare(PRODUCTS, Meta=meta(proxy=True))


def test_inheriting_from_a_view_is_an_error_that_names_it():
    parent = declare(PRODUCTS, "Parent")
    with pytest.raises(
        InvalidViewError, match=r"Child \(.*inherits from the view Parent, .*is_abstract_model"
    ):
        declare(PRODUCTS, "Child", bases=(parent,))

    class Between(parent, is_abstract_model=True):
        class Meta:
            app_label = "lending"

    with pytest.raises(InvalidViewError, match="inherits from the view Parent"):
        declare(PRODUCTS, "Child", bases=(Between,))


@pytest.mark.parametrize("bases", [(ReadableViewFromQueryset, Product), (Product, ReadableViewFromQueryset)])
def test_inheriting_from_a_model_with_a_table_is_an_error_that_names_it(bases):
    with pytest.raises(InvalidViewError, match=r"inherits from the model Product, .*abstract model"):
        declare(PRODUCTS, bases=bases)


def test_a_many_to_many_field_of_its_own_is_an_error():
    with pytest.raises(
        InvalidViewError, match=r"its products is a ManyToManyField without through.*Set through"
    ):
        declare(PRODUCTS, products=models.ManyToManyField(Product))


def test_a_proxy_has_the_permission_that_its_view_has():
    view = declare(PRODUCTS)
    proxy = declare(PRODUCTS, "Other", bases=(view,), Meta=meta(proxy=True))
    assert view._meta.default_permissions == proxy._meta.default_permissions == ("view",)


class Stamped(models.Model):
    """A mixin of a project's own models."""

    code = models.CharField(max_length=12, help_text="From the mixin.")
    label = models.TextField(db_column="name")

    class Meta:
        abstract = True
        app_label = "lending"
        ordering = ("code",)

    def shout(self):
        return self.label.upper()


@pytest.mark.parametrize(
    "bases",
    [(Stamped, ReadableViewFromQueryset), (ReadableViewFromQueryset, Stamped)],
    ids=["before", "behind"],
)
def test_an_abstract_model_is_a_mixin_with_fields(bases, loans):
    view = declare(PRODUCTS, bases=bases)
    assert [field.name for field in view._meta.fields] == ["code", "label", "id"]
    sync_views()
    row = view.objects.get(label="Car")
    assert (row.code, row.shout()) == ("car", "CAR")
    assert compile_view(view).column_comments == {"code": "From the mixin."}
    assert view.check() == []


def test_a_field_of_a_base_can_be_taken_away_and_is_inferred_then():
    view = declare(PRODUCTS, bases=(ReadableViewFromQueryset, Stamped), code=None)
    assert view._meta.get_field("code").help_text == Product._meta.get_field("code").help_text


@pytest.mark.parametrize(
    "column", ["creation_sql", "indexes", "with_data", "pk_field", "hidden", "name", "updatable", "schema"]
)
def test_a_mixin_of_ours_does_not_hide_a_field_of_a_base(column, db):
    class Base(ReadableViewFromSQL, is_abstract_model=True):
        id = models.IntegerField(primary_key=True)
        locals()[column] = models.TextField()

        class Meta:
            app_label = "lending"

    class Shown(HiddenViewMixin, PostgresMaterialisedViewMixin, Base):
        sql = f"SELECT 1 AS id, 'x' AS {column}"

        class Meta:
            app_label = "lending"

    assert [field.name for field in Shown._meta.fields] == ["id", column]
    sync_views()
    assert getattr(Shown.objects.get(**{column: "x"}), column) == "x"
    assert getattr(Shown.objects.only("id").get(), column) == "x"
    definition = compile_view(Shown)
    assert (definition.hidden, str(definition.name)) == (True, "views.shown")


SAID = {
    "name": "my_products",
    "prefix": "crm",
    "schema": "elsewhere",
    "hidden": True,
    "grant_select_to": (),
    "security_barrier": True,
    "view_dependencies": (),
    "database": "default",
}


@pytest.mark.parametrize(
    "word", [*SAID, "sql", "updatable", "check_option", "security_invoker", "creation_sql"]
)
def test_an_inferred_field_may_be_called_as_anything_of_ours(word, loans):
    source = Product.objects if word == "name" else Product.objects.annotate(**{word: F("code")})
    view = declare(source.values("id", word))
    sync_views()
    shown = "Car" if word == "name" else "car"
    assert {getattr(row, word) for row in view.objects.filter(**{word: shown})} == {shown}
    assert view.objects.only("id").order_by("id").first().get_deferred_fields() == {word}
    assert ViewOptions(view).relation().name == "shown"


def test_what_a_class_says_of_itself_stays_beside_inferred_fields_of_those_names(loans):
    queryset = Product.objects.annotate(**{word: F("code") for word in SAID if word != "name"})
    view = declare(queryset.values("id", *SAID), **{**SAID, "name": classproperty(lambda cls: "my_products")})
    assert view._meta.db_table == view.name_with_schema == '"elsewhere"."my_products"'
    definition = compile_view(view)
    assert (definition.hidden, definition.options) == (True, (("security_barrier", "true"),))
    sync_views()
    row = view.objects.get(name="Car")
    assert (row.name, row.prefix, row.schema, row.hidden) == ("Car", "car", "car", "car")
    assert view.objects.only("id").get(name="Car").schema == "car"


def test_what_a_class_says_of_itself_stays_beside_an_inherited_field_of_that_name(loans):
    class Named(ReadableViewFromQueryset, is_abstract_model=True):
        name = models.TextField()

        class Meta:
            app_label = "lending"

    view = declare(PRODUCTS, bases=(Named,), name="my_products")
    assert view._meta.db_table == '"views"."my_products"'
    sync_views()
    assert view.objects.get(name="Car").name == "Car"


def test_what_a_class_does_under_the_name_of_a_column_is_kept(loans):
    class Titled:
        @property
        def purpose(self):
            return f"for {self.purpose_field}"

    view = declare(
        Product.objects.annotate(get_queryset=F("code"), objects=F("code")).values(
            "id", "code", "purpose", "get_queryset", "objects"
        ),
        bases=(Titled, ReadableViewFromQueryset),
        code=lambda self: self.code_field * 2,
    )
    sync_views()
    row = view.objects.get(code_field="car", get_queryset_field="car", objects_field="car")
    assert (row.code(), row.purpose) == ("carcar", "for car")


def test_a_class_is_made_once():
    made, named, decorated = [], [], []

    class Watcher:
        def __init_subclass__(cls, **kwargs):
            super().__init_subclass__(**kwargs)
            made.append(cls)

    class Named:
        def __set_name__(self, owner, name):
            named.append((owner, name))

    def decorate(cls):
        decorated.append(cls)
        return cls

    @decorate
    class Shown(Watcher, ReadableViewFromQueryset):
        watched = Named()

        class Meta(IN_LENDING):
            pass

        @classmethod
        def get_queryset(cls):
            return PRODUCTS

    assert made == decorated == [Shown]
    assert named == [(Shown, "watched")]


def test_zero_argument_super_in_get_queryset_and_in_save(loans):
    class Base(ReadableViewFromQueryset, is_abstract_model=True):
        class Meta(IN_LENDING):
            pass

        @classmethod
        def get_queryset(cls):
            return Product.objects.values("id")

        def save(self, *args, **kwargs):
            self.saved = True
            super().save(*args, **kwargs)

    class Shown(Base):
        updatable = True

        @classmethod
        def get_queryset(cls):
            assert __class__ is cls
            return super().get_queryset().values("id", "name")

        def save(self, *args, **kwargs):
            assert __class__ is type(self)
            super().save(*args, **kwargs)

    assert Shown._view_fields.error == ""
    sync_views()
    row = Shown.objects.get(name="Car")
    row.name = "Motor"
    row.save()
    assert row.saved
    assert Product.objects.get(code="car").name == "Motor"


T = TypeVar("T")


def test_a_generic_base(loans):
    class Of(ReadableViewFromQueryset, Generic[T], is_abstract_model=True):
        class Meta(IN_LENDING):
            pass

    class Shown(Of[int]):
        @classmethod
        def get_queryset(cls):
            return PRODUCTS

    sync_views()
    assert Shown.objects.count() == 2


def test_a_name_that_is_computed_is_asked_of_the_class():
    class Base(ReadableViewFromQueryset, is_abstract_model=True):
        class Meta(IN_LENDING):
            pass

        @classproperty
        def name(cls):
            return f"v_{cls.__name__.lower()}"

    assert declare(PRODUCTS, bases=(Base,))._meta.db_table == '"views"."v_shown"'


@pytest.mark.parametrize("name", [7, property(lambda self: "never")])
def test_a_name_that_is_no_string_is_for_a_check_to_say(name):
    declare(PRODUCTS, name=name)
    (message,) = check_names(None)
    assert message.id == "orm_views_core.E003"
    assert f"its name is {name!r}. Give it a non-empty string." in message.msg


@pytest.mark.parametrize("declares", [True, False])
def test_a_queryset_that_needs_what_comes_further_down(declares, db):
    said = {"id": models.BigIntegerField(primary_key=True)} if declares else {}

    class Shown(ReadableViewFromQueryset):
        locals().update(said)

        class Meta(IN_LENDING):
            pass

        @classmethod
        def get_queryset(cls):
            return Product.objects.filter(code__in=later).values("id", "name")

    later = ["car"]
    assert check_querysets(None) == []
    (message,) = check_fields(None)
    assert message.id == ("orm_views_core.W004" if declares else "orm_views_core.E006")
    assert "(NameError: " in message.msg if declares else ": NameError: " in message.msg
    assert "'later'" in message.msg
    assert "Move the class below everything that it uses." in message.hint
    assert [field.name for field in Shown._meta.fields] == ["id"]
    sync_views()
    assert list(Shown.objects.values("id")) == []


def test_a_string_as_foreign_key(loans):
    view = declare(
        Loan.objects.values("id", "product"), product=models.ForeignKey("lending.Product", models.DO_NOTHING)
    )
    sync_views()
    assert view.objects.filter(product__code="car").count() == 2
    assert view.objects.first().product.code == "car"


def test_the_metaclass_is_what_makes_a_view_readable():
    assert type(declare(PRODUCTS)) is ReadableViewBase
