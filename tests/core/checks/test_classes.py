"""The system checks of view classes. Each test is named after the id that it is about."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.core.checks import ERROR, WARNING, run_checks
from django.core.management import CommandError, call_command, load_command_class
from django.db import models
from django.db.models import Count, F
from django.db.models.functions import Concat

from orm_views_core.views import (
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
)
from tests.core.readables import IN_LENDING, declare, meta
from tests.demo.lending.models import Loan, Product

MATERIALISED = (PostgresMaterialisedViewMixin, ReadableViewFromQueryset)


def messages():
    """The messages of this package's checks that read no database."""
    return run_checks(tags=["orm_views"], databases=[])


def plain(source, name="Plain"):
    """Declare a view of a queryset that is not a model."""
    said = {"__module__": __name__, "get_queryset": classmethod(lambda cls: source())}
    return type(name, (PostgresViewFromQueryset,), said)


def only():
    """The only message there is."""
    (message,) = messages()
    assert message.hint
    return message


def test_a_sound_project_has_nothing_to_say():
    plain(lambda: Loan.objects.values("id", "principal"))
    plain(lambda: Loan.objects.order_by("principal", "id").values("id")[:5], "Sliced")
    declare(Loan.objects.values("id", "product", "principal"))
    declare(Product.objects.values("id", "code"), "Declaring", code=models.CharField(max_length=12))
    declare(Loan.objects.values("status").annotate(n=Count("id")), "Grouped", pk_field="status")
    declare(Product.objects.values("id", "code"), "Kept", bases=MATERIALISED, pk_field="id")
    declare("SELECT 1 AS id", "Raw", id=models.IntegerField(primary_key=True))

    class Abstract(ReadableViewFromQueryset, is_abstract_model=True):
        class Meta(IN_LENDING):
            pass

    assert messages() == []


def test_e005_a_queryset_that_fails():
    def fail():
        raise LookupError("no such thing")

    plain(fail)
    message = only()
    assert (message.id, message.level) == ("orm_views_core.E005", ERROR)
    assert "lain (" in message.msg
    assert "test_classes.py, line " in message.msg
    assert "its get_queryset() fails: LookupError: no such thing" in message.msg
    assert "no view of its database can be synced" in message.hint


# Django 6.1 asks the databases what they can do, for generated fields of models.
@pytest.mark.django_db(databases="__all__")
def test_e005_stops_the_check_command():
    plain(lambda: Product.objects.values("no_such_field"))
    with pytest.raises(
        CommandError, match=r"\(orm_views_core\.E005\) .* Cannot resolve keyword 'no_such_field'"
    ):
        call_command("check")


@pytest.mark.parametrize("result", [None, [], Product])
def test_e005_what_is_returned_is_no_queryset(result):
    plain(lambda: result)
    message = only()
    assert message.id == "orm_views_core.E005"
    assert f"its get_queryset() returns {result!r}, not a queryset" in message.msg


def test_w002_a_queryset_without_values():
    plain(lambda: Product.objects.filter(on_sale=True))
    message = only()
    assert (message.id, message.level) == ("orm_views_core.W002", WARNING)
    assert "does not end in .values(), so the view has every column of lending.Product" in message.msg
    assert ".values('id', …)" in message.hint


def test_w002_says_nothing_of_values_list():
    plain(lambda: Product.objects.values_list("id", "code"))
    assert messages() == []


def test_w003_a_slice_of_rows_in_no_order():
    plain(lambda: Product.objects.values("id")[:10])
    message = only()
    assert (message.id, message.level) == ("orm_views_core.W003", WARNING)
    assert "is a slice without an order" in message.msg
    assert ".order_by(…)" in message.hint


def test_w004_declared_fields_are_all_that_is_known():
    declare(
        Product.objects.none(),
        code=models.CharField(max_length=12, primary_key=True),
        get_queryset=classmethod(lambda cls: later.objects.values("code", "purpose", "name")),
    )
    later = Product
    message = only()
    assert (message.id, message.level) == ("orm_views_core.W004", WARNING)
    assert "it has only the fields that it declares, and none for name, purpose: its queryset" in message.msg
    assert "(NameError: " in message.msg
    assert "Move the class below everything that it uses. Or: Declare a field for each column" in message.hint
    assert later is Product


def test_w004_says_nothing_where_every_column_has_a_field():
    declare(
        Product.objects.none(),
        code=models.CharField(max_length=12, primary_key=True),
        get_queryset=classmethod(lambda cls: later.objects.values("code")),
    )
    later = Product
    assert messages() == []
    assert later is Product


def test_e008_of_a_queryset_that_could_not_be_had_at_first():
    declare(
        Product.objects.none(),
        code=models.CharField(max_length=12),
        get_queryset=classmethod(lambda cls: later.objects.values("code")),
    )
    later = Product
    message = only()
    assert message.id == "orm_views_core.E008"
    assert "its field 'id' has no column" in message.msg
    assert later is Product


def test_e006_no_fields_because_the_queryset_cannot_be_had_yet():
    declare(Product.objects.none(), get_queryset=classmethod(lambda cls: later.objects.values("id")))
    later = Product
    message = only()
    assert (message.id, message.level) == ("orm_views_core.E006", ERROR)
    assert "it has no fields: NameError: " in message.msg
    assert "Move the class below everything that it uses." in message.hint
    assert later is Product


def test_e006_no_fields_because_it_is_raw_sql():
    declare("SELECT 1 AS id")
    message = only()
    assert message.id == "orm_views_core.E006"
    assert "it has no fields: it is raw SQL, and no field is declared" in message.msg
    assert message.hint == "Declare a field for each column; manage.py inspect_view prints them."


@pytest.mark.parametrize("declares", [True, False])
def test_e006_or_w004_a_class_in_models_py(declares, monkeypatch):
    monkeypatch.setattr("orm_views_core.views.fields.apps", SimpleNamespace(models_ready=False))
    said = {"id": models.BigIntegerField(primary_key=True)} if declares else {}
    declare(Product.objects.values("id", "code"), **said)
    message = only()
    assert message.id == ("orm_views_core.W004" if declares else "orm_views_core.E006")
    assert "before all models are loaded; move it to postgres_views.py or database_views.py" in message.msg


def test_e007_an_expression_without_a_type():
    declare(Product.objects.annotate(mixed=Concat("code", "annual_rate")).values("id", "mixed"))
    message = only()
    assert (message.id, message.level) == ("orm_views_core.E007", ERROR)
    assert "the type of its column 'mixed' is not known: FieldError: " in message.msg
    assert "output_field, or declare the field 'mixed'" in message.hint


def test_e007_says_nothing_of_a_column_whose_field_is_declared():
    declare(
        Product.objects.annotate(mixed=Concat("code", "annual_rate")).values("id", "mixed"),
        mixed=models.TextField(null=True),
    )
    assert messages() == []


def test_e008_a_field_without_a_column():
    declare(Product.objects.values("id", "code"), name=models.TextField())
    message = only()
    assert (message.id, message.level) == ("orm_views_core.E008", ERROR)
    assert "its field 'name' has no column: the queryset has no 'name'" in message.msg
    assert "The columns: code, id." in message.hint


def test_e008_a_field_with_another_column():
    declare(
        Loan.objects.values("id", "product"),
        product=models.ForeignKey(Product, models.DO_NOTHING, db_column="product"),
    )
    message = only()
    assert message.id == "orm_views_core.E008"
    assert "has no 'product'" in message.msg
    assert "The columns: id, product_id." in message.hint


def test_w005_a_field_that_is_not_null_of_a_column_that_may_be():
    declare(
        Product.objects.values("id", "loans__status"),
        pk_field="id",
        status=models.CharField(max_length=12),
    )
    message = only()
    assert (message.id, message.level) == ("orm_views_core.W005", WARNING)
    assert "its field 'status' is not null=True, but its column may be NULL" in message.msg
    assert "Set null=True" in message.hint


def test_w005_says_nothing_of_null_true():
    declare(
        Product.objects.values("id", "loans__status"),
        pk_field="id",
        status=models.CharField(max_length=12, null=True),
    )
    assert messages() == []


@pytest.mark.parametrize("pk_field", ["nothing", ("id", "nothing")])
def test_e009_a_pk_field_that_is_no_column(pk_field):
    declare(Product.objects.values("id", "code"), pk_field=pk_field)
    message = only()
    assert (message.id, message.level) == ("orm_views_core.E009", ERROR)
    assert f"it has no key: its pk_field {pk_field!r} names no column that it has a field for" in message.msg


def test_e009_no_key():
    declare(Loan.objects.values("status").annotate(n=Count("id")))
    message = only()
    assert message.id == "orm_views_core.E009"
    assert "it has no key: the key of lending.Loan, id, is not among its columns." in message.msg
    assert "Set pk_field = … to the column or columns that identify a row" in message.hint


def test_w006_a_materialised_view_without_a_unique_index():
    declare(Product.objects.values("id", "code"), bases=MATERIALISED)
    message = only()
    assert (message.id, message.level) == ("orm_views_core.W006", WARNING)
    assert "no unique index guards its key 'id', and a refresh locks readers out" in message.msg
    assert message.hint == "Set pk_field = 'id'."


def test_w006_of_a_key_of_several_columns():
    declare(
        Product.objects.values("code", "purpose"),
        bases=MATERIALISED,
        pk=models.CompositePrimaryKey("code", "purpose"),
    )
    assert only().hint == "Set pk_field = ('code', 'purpose')."


@pytest.mark.parametrize(
    ("on_delete", "said"),
    [
        (models.CASCADE, "CASCADE"),
        (models.SET_NULL, "SET_NULL"),
        (models.SET_DEFAULT, "SET_DEFAULT"),
        (models.SET(None), "set_on_delete"),
    ],
)
def test_e010_a_cascade_to_a_view(on_delete, said):
    declare(
        Loan.objects.values("id", "product"),
        product=models.ForeignKey(Product, on_delete, null=True, default=None),
    )
    message = only()
    assert (message.id, message.level) == ("orm_views_core.E010", ERROR)
    assert (
        f"its field 'product' has on_delete={said}, so deleting a lending.Product would write" in message.msg
    )
    assert "Set on_delete=models.DO_NOTHING" in message.hint


@pytest.mark.parametrize("on_delete", [models.DO_NOTHING, models.PROTECT, models.RESTRICT])
def test_e010_says_nothing_where_nothing_is_written(on_delete):
    declare(Loan.objects.values("id", "product"), product=models.ForeignKey(Product, on_delete))
    assert messages() == []


def test_e010_says_nothing_of_an_updatable_view():
    declare(
        Loan.objects.values("id", "product"),
        product=models.ForeignKey(Product, models.CASCADE),
        updatable=True,
    )
    assert messages() == []


@pytest.mark.parametrize("field", [models.ForeignKey, models.OneToOneField])
def test_e011_a_model_that_refers_to_a_view(field):
    view = declare(Product.objects.values("id", "code"))
    for name, constraint in (("Note", True), ("Loose", False)):
        said = {"shown": field(view, models.DO_NOTHING, db_constraint=constraint)}
        type(name, (models.Model,), {"__module__": __name__, "Meta": meta(), **said})
    message = only()
    assert (message.id, message.level) == ("orm_views_core.E011", ERROR)
    assert "lending.Note: its field 'shown' refers to lending.Shown, which is a view" in message.msg
    assert "Set db_constraint=False" in message.hint


def test_e011_of_many_to_many():
    view = declare(Product.objects.values("id", "code"))
    said = {"shown": models.ManyToManyField(view)}
    type("Note", (models.Model,), {"__module__": __name__, "Meta": meta(), **said})
    assert only().id == "orm_views_core.E011"


def test_e011_says_nothing_of_a_relation_that_has_no_constraint():
    view = declare(Product.objects.values("id", "code"))
    said = {
        "shown": models.ForeignObject(view, models.DO_NOTHING, from_fields=["code"], to_fields=["code"]),
        "code": models.CharField(max_length=9),
    }
    type("Note", (models.Model,), {"__module__": __name__, "Meta": meta(), **said})
    assert messages() == []


def test_views_that_are_no_models_have_no_fields_to_check():
    plain(lambda: Loan.objects.values("status").annotate(mixed=F("term_months") + 1))

    class Raw(PostgresViewFromSQL):
        sql = "SELECT 1 AS one"

    class Unsaid(ReadableViewFromSQL, should_register=False):
        class Meta(IN_LENDING):
            pass

    assert messages() == []


def test_w008_a_view_with_rows_reads_one_that_is_created_without():
    bases = (PostgresMaterialisedViewMixin, PostgresViewFromSQL)

    def stored(name, sql, **attributes):
        return type(name, bases, {"__module__": __name__, "sql": sql, **attributes})

    stored("Low", "SELECT 1 AS id", with_data=False)
    type("Between", (PostgresViewFromSQL,), {"__module__": __name__, "sql": "SELECT id FROM views.low"})
    stored("Later", "SELECT id FROM views.low", with_data=False)
    stored("Other", "SELECT 1 AS low, 'views.low' AS text")
    assert messages() == []
    stored("Up", 'SELECT id FROM "views"."between"')
    message = only()
    assert (message.id, message.level) == ("orm_views_core.W008", WARNING)
    assert "Up (" in message.msg
    assert "reads views.low, which is created without (with_data = False in " in message.msg
    assert "refresh_views views.up --upstream" in message.hint


def test_a_queryset_that_fields_were_inferred_from_is_not_built_again():
    calls = []

    def rows(cls):
        calls.append(cls.__name__)
        return Loan.objects.all()[:5]

    attributes = {"Meta": meta(), "__module__": __name__, "get_queryset": classmethod(rows)}
    type("Shown", (ReadableViewFromQueryset,), attributes)
    assert calls == ["Shown"]
    assert {message.id for message in messages()} == {"orm_views_core.W002", "orm_views_core.W003"}
    assert calls == ["Shown"]


def test_a_refresh_and_the_states_do_not_wait_for_the_checks_of_other_apps():
    for command, checks in {"refresh_views": ("orm_views",), "show_views": ("orm_views",)}.items():
        assert load_command_class("orm_views_core", command).requires_system_checks == checks
    assert load_command_class("orm_views_core", "sync_views").requires_system_checks == "__all__"
