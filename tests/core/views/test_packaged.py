"""Fields that a project or a package has made of Django's: what a view makes of them."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.db import connection, models
from django.db.models import Count, F, Max
from django.test.utils import isolate_apps

from orm_views_core.sync import sync_views
from orm_views_core.views.packaged import companions
from tests.core.readables import declare

pytestmark = pytest.mark.django_db


class Secret(int):
    """A number as the project shows it."""


class _Shown:
    def from_db_value(self, value, expression, connection):
        return value if value is None else Secret(value)

    def get_prep_value(self, value):
        return value if value is None else int(value)


class SecretAutoField(_Shown, models.BigAutoField):
    """It converts values, and has arguments of its own. One of them is kept out of migrations."""

    def __init__(self, *args, salt="", secret="", **kwargs):
        self.salt, self.secret = salt, secret
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "salt": self.salt}


class PlainAutoField(_Shown, models.AutoField):
    """It converts values, and has no arguments."""


class FixedField(models.CharField):
    """Its constructor takes nothing."""

    def __init__(self):
        super().__init__(max_length=8, null=True)

    def deconstruct(self):
        name, path, _, _ = super().deconstruct()
        return name, path, [], {}

    def from_db_value(self, value, expression, connection):
        return value and value.upper()


class AmountField(models.DecimalField):
    """It brings a currency along."""

    def __init__(self, *args, unit="EUR", **kwargs):
        self.unit = unit
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "unit": self.unit}

    def contribute_to_class(self, cls, name, **kwargs):
        if not hasattr(self, "brought"):
            self.brought = models.CharField(max_length=3, default=self.unit)
            cls.add_to_class(f"{name}_unit", self.brought)
        super().contribute_to_class(cls, name, **kwargs)


def reversed_field(base):
    """Make a field of a class that has no name of its own, as packages do that encrypt."""

    def deconstruct(self):
        name, _, args, kwargs = super(made, self).deconstruct()
        return name, f"{__name__}.reversed_field", [type(base)(*args, **kwargs)], {}

    def from_db_value(self, value, expression, connection):
        return value and value[::-1]

    made = type("Reversed", (type(base),), {"deconstruct": deconstruct, "from_db_value": from_db_value})
    _, _, args, kwargs = base.deconstruct()
    return made(*args, **kwargs)


@pytest.fixture
def make_table(db):
    """A function that creates the table of a model."""

    def make(model):
        with connection.schema_editor() as editor:
            editor.create_model(model)
        return model

    return make


def table(name, /, **fields):
    said = {"__module__": __name__, "Meta": type("Meta", (), {"app_label": "lending"})}
    return type(name, (models.Model,), {**said, **fields})


def problems():
    return [m for m in run_checks(tags=["orm_views", "models"], databases=[]) if "Shown" in str(m)]


@pytest.mark.parametrize("make", [lambda **key: SecretAutoField(salt="x", secret="y", **key), PlainAutoField])
@pytest.mark.parametrize("updatable", [False, True])
@isolate_apps("tests.demo.lending")
def test_a_subclass_of_an_automatic_field_keeps_its_conversions(make, updatable, make_table):
    model = make_table(table("Row", id=make(primary_key=True), name=models.CharField(max_length=9)))
    view = declare(model.objects.values("id", "name", again=F("id")), updatable=updatable)
    sync_views()
    assert problems() == []
    there = model.objects.create(name="a")
    row = view.objects.get(id=there.pk)
    assert (row.id, type(row.id), type(row.again)) == (1, Secret, Secret)
    assert view.objects.filter(again=Secret(1)).values_list("id", "again").get() == (1, 1)
    field = view._meta.get_field("id")
    assert getattr(field, "secret", "y") == getattr(view._meta.get_field("again"), "secret", "y") == "y"
    assert field.deconstruct()[1:] == model._meta.get_field("id").deconstruct()[1:]
    assert type(field.clone()).__name__ == type(field).__name__
    assert (view._meta.auto_field is field) is updatable


@isolate_apps("tests.demo.lending")
def test_numbers_of_automatic_fields_may_be_the_key_of_no_row(make_table):
    model = make_table(
        table("Row", id=SecretAutoField(primary_key=True), name=models.CharField(max_length=9))
    )
    queryset = model.objects.values("name").annotate(last=Max("id"), n=Count("id"))
    view = declare(queryset, pk_field="name")
    over = declare(view.objects.values("name", "last"), "Over", pk_field="name")
    sync_views()
    model.objects.bulk_create([model(name="a"), model(name="a")])
    assert problems() == []
    for each in (view, over):
        row = each.objects.get()
        assert (row.last, type(row.last)) == (2, Secret)
    assert declare(view.objects.values("name", "n"), "Counted", pk_field="name").check() == []


@isolate_apps("tests.demo.lending")
def test_a_foreign_key_to_such_a_table_has_its_values(make_table):
    model = make_table(table("Row", id=SecretAutoField(salt="x", primary_key=True)))
    child = make_table(table("Child", row=models.ForeignKey(model, models.CASCADE)))
    view = declare(child.objects.values("id", "row"))
    sync_views()
    child.objects.create(row=model.objects.create())
    assert type(view.objects.get().row_id) is Secret
    assert view.objects.get(row=Secret(1)).row == model.objects.get()


@isolate_apps("tests.demo.lending")
def test_a_field_whose_constructor_takes_nothing_is_created_without_arguments(make_table):
    model = make_table(table("Row", word=FixedField()))
    view = declare(model.objects.values("id", "word"))
    sync_views()
    model.objects.create(word="abc")
    assert problems() == []
    assert view.objects.get().word == "ABC"
    assert view._meta.get_field("word").null


@isolate_apps("tests.demo.lending")
def test_a_field_of_a_class_without_a_name_is_made_as_its_package_makes_it(make_table):
    model = make_table(table("Row", word=reversed_field(models.CharField(max_length=8))))
    view = declare(model.objects.values("id", "word"))
    sync_views()
    model.objects.create(word="abc")
    assert problems() == []
    assert view.objects.get().word == "cba"


@isolate_apps("tests.demo.lending")
def test_what_a_field_brings_along_is_there_once_or_it_comes_without(make_table):
    model = make_table(table("Row", price=AmountField(max_digits=6, decimal_places=2, unit="GBP")))
    model.objects.create(price=5)
    views = {
        "Both": model.objects.values("id", "price", "price_unit"),
        "Reversed": model.objects.values("price_unit", "id", "price"),
        "Alone": model.objects.values("id", "price"),
        "Renamed": model.objects.values("id", amount=F("price"), unit=F("price_unit")),
        "Total": model.objects.values("price_unit").annotate(total=Max("price")),
    }
    keys = {"Total": "price_unit"}
    views = {name: declare(each, name, pk_field=keys.get(name, "id")) for name, each in views.items()}
    sync_views()
    for name, view in views.items():
        columns = [field.column for field in view._meta.concrete_fields]
        assert sorted(columns) == sorted(set(columns)) == sorted(c for c in view._view_fields.inferred.names)
        assert view.check() == []
        row = view.objects.get()
        assert getattr(row, "price_unit", "GBP") == "GBP"
        amount = next(f for f in view._meta.concrete_fields if f.name in ("price", "amount", "total"))
        assert getattr(row, amount.name) == 5
        assert type(amount).__name__ == ("AmountField" if name in ("Both", "Reversed") else "DecimalField")
    assert companions(AmountField(max_digits=6, decimal_places=2), "x") == ["x_unit"]
