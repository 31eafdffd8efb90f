"""Which fields are personal: those that are marked, those of the setting, and keys to them."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, models

from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.exceptions import PersonalFieldError
from orm_views_core.names import ViewName
from orm_views_core.privacy import marks, personal
from orm_views_core.privacy.marks import Mark, read_marks
from orm_views_core.privacy.personal_columns import read_personal
from orm_views_core.views import ReadableViewFromQueryset
from tests.core.keeping import run
from tests.demo.lending.models import Customer

CASCADE = models.CASCADE


def model(name: str, /, *bases: type, meta: dict[str, Any] | None = None, **fields: Any) -> Any:
    """Declare a model of the demonstration's app."""
    options = type("Meta", (), {"app_label": "lending", **(meta or {})})
    return type(
        name, bases or (models.Model,), {"__module__": Customer.__module__, "Meta": options, **fields}
    )


def columns() -> dict[str, str]:
    """The personal columns, each with the label of its field."""
    return {f"{mark.table.name}.{mark.column}": mark.label for mark in read_marks()}


def refused() -> str:
    with pytest.raises(PersonalFieldError) as error:
        read_marks()
    return str(error.value)


def test_without_marks_nothing_is_personal():
    assert not marks.are_used()
    assert read_marks() == ()


def test_personal_returns_the_field_itself_and_makes_use_of_marks():
    field = models.EmailField()
    assert personal(field) is field
    assert marks.are_used()


def test_a_setting_makes_use_of_marks_too(settings):
    settings.ORM_VIEWS = {"PERSONAL": []}
    assert not marks.are_used()
    settings.ORM_VIEWS = {"PERSONAL": ["auth.User.email"]}
    assert marks.are_used()
    assert columns() == {"auth_user.email": "auth.User.email"}


KINDS = {
    "text": models.TextField(),
    "number": models.BigIntegerField(),
    "decimal": models.DecimalField(max_digits=5, decimal_places=2),
    "date": models.DateField(),
    "moment": models.DateTimeField(),
    "uuid": models.UUIDField(),
    "json": models.JSONField(),
    "bytes": models.BinaryField(),
    "address": models.GenericIPAddressField(),
    "file": models.FileField(),
    "flag": models.BooleanField(),
    "generated": models.GeneratedField(
        expression=models.functions.Upper("x"), output_field=models.TextField(), db_persist=True
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_of_any_kind_can_be_marked(kind):
    model("Person", marked=personal(KINDS[kind].clone()), x=models.TextField())
    assert columns() == {"lending_person.marked": "lending.Person.marked"}


def test_a_column_of_another_name():
    model("Person", email=personal(models.EmailField(db_column='the "mail"')))
    assert columns() == {'lending_person.the "mail"': "lending.Person.email"}


@pytest.mark.parametrize("db_table", ['"app"."people"', 'app"."people'])
def test_a_table_that_is_named_with_its_schema(db_table):
    model("Person", email=personal(models.EmailField()), meta={"db_table": db_table})
    assert read_marks() == (Mark("lending.Person.email", ViewName("app", "people"), "email"),)


def test_a_field_of_an_abstract_model_is_personal_in_every_model_that_has_it():
    base = model("Base", email=personal(models.EmailField()), meta={"abstract": True})
    model("Person", base)
    model("Pet", base, name=models.TextField())
    assert columns() == {
        "lending_person.email": "lending.Person.email",
        "lending_pet.email": "lending.Pet.email",
    }


def test_a_field_that_a_model_declares_anew_has_its_own_mark():
    base = model("Base", email=personal(models.EmailField()), meta={"abstract": True})
    model("Person", base, email=models.TextField())
    assert columns() == {}


def test_a_field_of_a_parent_is_personal_in_the_table_of_the_parent():
    person = model("Person", email=personal(models.EmailField()))
    model("Pupil", person, form=models.TextField())
    assert columns() == {"lending_person.email": "lending.Person.email"}


def test_the_setting_may_name_an_inherited_field_by_its_child(settings):
    person = model("Person", email=models.EmailField())
    model("Pupil", person, form=models.TextField())
    model("Proxy", person, meta={"proxy": True})
    settings.ORM_VIEWS = {"PERSONAL": ["lending.Pupil.email", "lending.Proxy.email"]}
    assert columns() == {"lending_person.email": "lending.Person.email"}


def test_a_proxy_has_no_table_of_its_own():
    person = model("Person", email=personal(models.EmailField()))
    model("Proxy", person, meta={"proxy": True})
    assert columns() == {"lending_person.email": "lending.Person.email"}


def test_a_foreign_key_can_be_marked_itself():
    model("Visit", customer=personal(models.ForeignKey(Customer, CASCADE, related_name="+")))
    assert columns() == {"lending_visit.customer_id": "lending.Visit.customer"}


def test_keys_to_a_personal_field_are_personal():
    person = model(
        "Person", email=personal(models.EmailField(unique=True)), code=models.TextField(unique=True)
    )
    model(
        "Visit",
        by_email=models.ForeignKey(person, CASCADE, to_field="email", related_name="+"),
        by_code=models.ForeignKey(person, CASCADE, to_field="code", related_name="+"),
        by_id=models.ForeignKey(person, CASCADE, related_name="+"),
    )
    assert columns() == {
        "lending_person.email": "lending.Person.email",
        "lending_visit.by_email_id": "lending.Visit.by_email",
    }


def test_keys_to_such_keys_are_personal_too():
    person = model("Person", email=personal(models.EmailField(primary_key=True)))
    member = model("Member", person=models.OneToOneField(person, CASCADE, primary_key=True, related_name="+"))
    model("Fee", member=models.ForeignKey(member, CASCADE, related_name="+"))
    pupil = model("Pupil", person, form=models.TextField())
    model("Club", pupils=models.ManyToManyField(pupil, related_name="+"))
    assert columns() == {
        "lending_person.email": "lending.Person.email",
        "lending_member.person_id": "lending.Member.person",
        "lending_fee.member_id": "lending.Fee.member",
        "lending_pupil.person_ptr_id": "lending.Pupil.person_ptr",
        "lending_club_pupils.pupil_id": "lending.Club_pupils.pupil",
    }


def test_a_key_to_an_unknown_model_is_left_to_djangos_checks():
    model("Person", email=personal(models.EmailField()), other=models.ForeignKey("nowhere.Model", CASCADE))
    assert columns() == {"lending_person.email": "lending.Person.email"}


def test_a_many_to_many_field_has_no_column():
    model("Club", members=personal(models.ManyToManyField(Customer, related_name="+")))
    assert refused() == (
        "lending.Club.members is marked as personal and has no column. Mark the fields of the model that has "
        "its values, lending.Club_members."
    )


def test_a_key_of_several_columns_has_no_column():
    model(
        "Person",
        a=models.IntegerField(),
        b=models.IntegerField(),
        pk=personal(models.CompositePrimaryKey("a", "b")),
    )
    assert refused() == (
        "lending.Person.pk is marked as personal and has no column. Mark the fields of the model that has "
        "its values."
    )


def test_a_generic_foreign_key_is_never_passed_over():
    """It is a field in some releases of Django only, and never one with a column."""
    try:
        model(
            "Note",
            content_type=models.ForeignKey(ContentType, CASCADE, related_name="+"),
            object_id=models.BigIntegerField(),
            about=personal(GenericForeignKey()),
        )
        said = refused()
    except PersonalFieldError as error:
        said = str(error)
    assert said.startswith(("lending.Note.about is marked as personal and has no column.", "personal() got "))


@pytest.mark.parametrize("value", [None, "email", models.EmailField, Customer])
def test_only_fields_can_be_marked(value):
    with pytest.raises(PersonalFieldError) as error:
        personal(value)
    assert str(error.value) == (
        f"personal() got {value!r}. Give it a field of a model: email = personal(models.EmailField())."
    )


def test_a_field_of_a_readable_view_is_refused():
    class Members(ReadableViewFromQueryset):
        email = personal(models.EmailField())

        class Meta:
            app_label = "lending"

        @classmethod
        def get_queryset(cls):
            return Customer.objects.values("id", "email")

    assert refused() == (
        "lending.Members.email is marked as personal and is a column of a view. Mark the fields of the "
        "tables that the view reads: what the view makes of them follows."
    )


def test_the_inferred_field_of_a_readable_view_is_not_marked(mark):
    mark("email")

    class Members(ReadableViewFromQueryset):
        class Meta:
            app_label = "lending"

        @classmethod
        def get_queryset(cls):
            return Customer.objects.values("id", "email")

    apps.check_models_ready()
    assert Members._meta.get_field("email")
    assert columns() == {"lending_customer.email": "lending.Customer.email"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shop.Customer.email", "there is no app 'shop'. Write app_label.Model.field."),
        ("payments.Paid.x", "app 'payments' has no model 'Paid'. Its models are "),
        (
            "lending.Product.cost",
            "lending.Product has no field 'cost'. Its fields are annual_rate, code, id, name, on_sale, purp",
        ),
        ("lending.Customer.loans", "'loans' is the other side of a relation. Name its field."),
        ("lending.Customer.loan", "lending.Customer has no field 'loan'. Its fields are city, "),
    ],
)
def test_an_unknown_name_in_the_setting_is_an_error(settings, name, said):
    settings.ORM_VIEWS = {"PERSONAL": [name]}
    assert refused().startswith(f"ORM_VIEWS['PERSONAL'] has {name!r}, and {said}")


def test_a_model_that_is_swapped_out_is_an_error(settings):
    model("Account", email=models.EmailField())
    settings.AUTH_USER_MODEL = "lending.Account"
    settings.ORM_VIEWS = {"PERSONAL": ["auth.User.email"]}
    assert refused() == (
        "ORM_VIEWS['PERSONAL'] has 'auth.User.email', and auth.User is swapped out. Name the field of its "
        "substitute: lending.Account.email."
    )


@pytest.mark.django_db
def test_no_migration_comes_of_a_mark(mark):
    mark("email", "city")
    call_command("makemigrations", "--check", "--dry-run", stdout=(out := StringIO()))
    assert out.getvalue() == "No changes detected\n"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_a_mark_on_a_model_of_a_view_is_an_error(kind):
    run(f"CREATE {kind} public.legacy AS SELECT 'a'::text AS email")
    model("Person", email=personal(models.EmailField()), meta={"db_table": "legacy", "managed": False})
    with catalog_cursor(connection) as cursor, pytest.raises(PersonalFieldError) as error:
        read_personal(cursor)
    assert str(error.value) == (
        "lending.Person.email is marked as personal, and public.legacy is a view. Mark the fields of the "
        "tables that it reads: what a view makes of them follows. A table without a model can have one with "
        "managed = False."
    )
