"""Writing a view is an error that says what to do, unless its class says ``updatable = True``."""

from __future__ import annotations

import uuid

import pytest
from asgiref.sync import async_to_sync
from django.core import serializers
from django.core.management import call_command
from django.core.validators import RegexValidator
from django.db import IntegrityError, ProgrammingError, connection, models, router, transaction
from django.db.models import F
from django.db.models.deletion import Collector
from django.db.models.signals import pre_delete
from django.forms import modelform_factory
from django.template import Context, Template
from django.test import override_settings
from django.test.utils import isolate_apps

from orm_views_core.exceptions import InvalidViewError, ReadOnlyViewError
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, ReadableViewFromQueryset
from tests.core.compiling import compile_view
from tests.core.readables import declare, lend, meta
from tests.demo.lending.models import Loan, Product
from tests.oldstyle.models import Table1

pytestmark = pytest.mark.django_db

TABLE = Table1.objects.values("id", "name", "col_a", "col_b")


class OwnManager(models.Manager):
    """A manager with ways to write of its own."""

    def rename(self):
        return self.get_queryset().update(name="z")

    def add(self):
        return self.model(name="z", col_a="z", col_b=1).save()


def wait_for(function, *args, **kwargs):
    """Call one of the asynchronous methods."""

    async def call():
        return await function(*args, **kwargs)

    return async_to_sync(call)()


@pytest.fixture
def rows(db):
    """A read-only view of a table with one row. Whatever is refused leaves it as it is."""
    Table1.objects.create(id=1, name="n", col_a="a", col_b=1)
    view = declare(TABLE, objects=OwnManager(), plain=models.Manager())
    sync_views()
    yield view
    assert list(Table1.objects.values_list()) == [(1, "n", "a", 1)]


VALUES = {"name": "z", "col_a": "z", "col_b": 2}
ON_MANAGERS = {
    "create": lambda m: m.create(**VALUES),
    "bulk_create": lambda m: m.bulk_create([m.model(**VALUES)]),
    "bulk_create of nothing": lambda m: m.bulk_create([]),
    "bulk_update": lambda m: m.bulk_update([m.get()], ["name"]),
    "get_or_create": lambda m: m.get_or_create(id=1),
    "update_or_create": lambda m: m.update_or_create(id=1, defaults=VALUES),
    "update": lambda m: m.update(name="z"),
    "update of a part": lambda m: m.filter(id=1).order_by("id").update(name=F("col_a")),
    "update of nothing": lambda m: m.none().update(name="z"),
    "update elsewhere": lambda m: m.using("default").update(name="z"),
    "update of a named database": lambda m: m.db_manager("default").all().update(name="z"),
    "delete": lambda m: m.all().delete(),
    "delete of a part": lambda m: m.filter(id=1).delete(),
    "_raw_delete": lambda m: m.all()._raw_delete("default"),
    "acreate": lambda m: wait_for(m.acreate, **VALUES),
    "abulk_create": lambda m: wait_for(m.abulk_create, [m.model(**VALUES)]),
    "abulk_update": lambda m: wait_for(m.abulk_update, [m.model(id=1, **VALUES)], ["name"]),
    "aget_or_create": lambda m: wait_for(m.aget_or_create, id=1),
    "aupdate_or_create": lambda m: wait_for(m.aupdate_or_create, id=1, defaults=VALUES),
    "aupdate": lambda m: wait_for(m.aupdate, name="z"),
    "adelete": lambda m: wait_for(m.all().adelete),
}


@pytest.mark.parametrize("manager", ["objects", "plain", "_default_manager", "_base_manager"])
@pytest.mark.parametrize("way", ON_MANAGERS)
def test_every_way_through_a_manager_is_refused(way, manager, rows):
    with pytest.raises(ReadOnlyViewError) as caught:
        ON_MANAGERS[way](getattr(rows, manager))
    said = str(caught.value)
    assert 'lending.Shown: it is the view "views"."shown", and views are read-only.' in said
    assert "Write to the models that the view reads. If PostgreSQL can update the view" in said
    assert "set updatable = True on the class." in said


ON_ROWS = {
    "save": lambda view: view(**VALUES).save(),
    "save of a row": lambda view: view.objects.get().save(),
    "save of a field": lambda view: view.objects.get().save(update_fields=["name"]),
    "save of a new row": lambda view: view(**VALUES).save(force_insert=True, using="default"),
    "save_base": lambda view: view(**VALUES).save_base(),
    "save_base, raw": lambda view: models.Model.save_base(view(id=1, **VALUES), raw=True),
    "delete": lambda view: view.objects.get().delete(),
    "asave": lambda view: async_to_sync(view(**VALUES).asave)(),
    "adelete": lambda view: async_to_sync(view(id=1).adelete)(),
    "a method of its manager": lambda view: view.objects.rename(),
    "a row saved by its manager": lambda view: view.objects.add(),
    "a form": lambda view: modelform_factory(view, fields=["name", "col_a", "col_b"])(VALUES).save(),
    "a proxy": lambda view: declare(TABLE, "Seen", bases=(view,), Meta=meta(proxy=True)).objects.update(
        name="z"
    ),
}


@pytest.mark.parametrize("way", ON_ROWS)
def test_every_way_through_a_row_is_refused(way, rows):
    with (
        pytest.raises(ReadOnlyViewError, match=r"^\w+\(\) of lending\.\w+: it is the view"),
        transaction.atomic(),
    ):
        ON_ROWS[way](rows)


def test_a_fixture_of_a_view_is_refused(rows, tmp_path):
    fixture = tmp_path / "row.json"
    fixture.write_text(serializers.serialize("json", rows.objects.all()).replace('"n"', '"z"'))
    with pytest.raises(ReadOnlyViewError), transaction.atomic():
        call_command("loaddata", str(fixture))
    (deserialized,) = serializers.deserialize("json", fixture.read_text())
    assert deserialized.object.name == "z"
    with pytest.raises(ReadOnlyViewError), transaction.atomic():
        deserialized.save()


@pytest.mark.parametrize("updatable", [False, True])
@pytest.mark.parametrize("call", ["rows.delete", "rows.update", "rows.first.delete", "rows.first.save"])
def test_a_template_calls_nothing_that_writes(call, updatable, db):
    Table1.objects.create(id=1, name="n", col_a="a", col_b=1)
    view = declare(TABLE, updatable=updatable)
    sync_views()
    template = Template(f"[{{{{ {call} }}}}]")
    assert template.render(Context({"rows": view.objects.all()})) == "[]"
    assert Table1.objects.count() == 1


def test_reading_stays_possible_where_writing_is_refused(rows):
    row = rows.objects.get()
    row.name = "changed"
    row.refresh_from_db()
    assert row.name == "n"
    row.full_clean()
    assert wait_for(rows.objects.aget, id=1) == row


@pytest.fixture
def loans(db):
    lend()


RELATED = {
    "add": lambda related, row: related.add(row),
    "add, one by one": lambda related, row: related.add(row, bulk=False),
    "set": lambda related, row: related.set([row]),
    "set to nothing": lambda related, row: related.set([]),
    "clear": lambda related, row: related.clear(),
    "remove": lambda related, row: related.remove(row),
    "create": lambda related, row: related.create(principal=1),
    "get_or_create": lambda related, row: related.get_or_create(principal=1),
    "update_or_create": lambda related, row: related.update_or_create(principal=1),
    "update": lambda related, row: related.update(principal=1),
    "delete": lambda related, row: related.all().delete(),
    "aadd": lambda related, row: wait_for(related.aadd, row),
    "acreate": lambda related, row: wait_for(related.acreate, principal=1),
    "aclear": lambda related, row: wait_for(related.aclear),
}


@pytest.mark.parametrize("way", RELATED)
def test_every_way_through_a_related_manager_is_refused(way, loans):
    view = declare(
        Loan.objects.values("id", "product", "principal"),
        product=models.ForeignKey(
            Product, models.DO_NOTHING, null=True, db_constraint=False, related_name="seen"
        ),
    )
    sync_views()
    before = list(Loan.objects.order_by("id").values())
    car, home = Product.objects.order_by("code")
    # "set" would have to move this one; "remove" and "clear" have two others to take out.
    row = view.objects.filter(product=car if way == "remove" else home).first()
    with pytest.raises(ReadOnlyViewError), transaction.atomic():
        RELATED[way](car.seen, row)
    assert list(Loan.objects.order_by("id").values()) == before


def test_deleting_what_a_view_refers_to_is_not_a_matter_of_the_view(loans, django_assert_num_queries):
    view = declare(Loan.objects.values("id", "product", "customer"))
    sync_views()
    home = Product.objects.get(code="home")
    Loan.objects.filter(product=home).delete()
    assert home.delete() == (1, {"lending.Product": 1})
    assert view.objects.count() == 2
    product = Product.objects.create(code="new", name="New", purpose="car", annual_rate=1)
    assert view._meta.get_field("product").remote_field.on_delete is models.DO_NOTHING
    collector = Collector(using="default")
    collector.collect([product])
    assert collector.data.keys() == {Product}
    assert collector.fast_deletes == [] or all(q.model is not view for q in collector.fast_deletes)


@pytest.mark.parametrize("listened_to", [False, True])
@pytest.mark.parametrize("on_delete", [models.CASCADE, models.SET_NULL, models.SET(None), models.SET_DEFAULT])
def test_a_cascade_to_a_view_is_refused(on_delete, listened_to, loans):
    view = declare(
        Product.objects.values("id", "code", "name"),
        code=models.ForeignKey(
            Product, on_delete, to_field="code", null=True, default=None, db_column="code"
        ),
    )
    sync_views()
    Loan.objects.all().delete()
    listener = lambda **kwargs: None  # noqa: E731 - keeps Django from deleting in one statement
    if listened_to:
        pre_delete.connect(listener, sender=view)
    try:
        with pytest.raises(ReadOnlyViewError, match=r"^delete\(\) of lending\.Shown: "), transaction.atomic():
            Product.objects.get(code="car").delete()
    finally:
        pre_delete.disconnect(listener, sender=view)
    assert Product.objects.count() == 2


# Views that are written through.


@pytest.fixture
def writable(db):
    """A view of the rows with a small number, through which PostgreSQL writes."""
    view = declare(
        Table1.objects.filter(col_b__lt=10).values("id", "name", "col_a", "col_b"),
        updatable=True,
        check_option="local",
    )
    sync_views()
    return view


def test_an_updatable_view_takes_new_rows_and_their_numbers_from_the_table(writable):
    assert type(writable._meta.pk) is models.BigAutoField
    created = writable.objects.create(**VALUES)
    saved = writable(**VALUES)
    saved.save()
    many = writable.objects.bulk_create([writable(**VALUES), writable(**VALUES)])
    ids = [created.pk, saved.pk, *(row.pk for row in many)]
    assert ids == sorted(Table1.objects.values_list("pk", flat=True))
    assert len(set(ids)) == 4
    assert writable(id=77, **VALUES).save() is None
    assert Table1.objects.get(pk=77).name == "z"


def test_an_updatable_view_changes_and_deletes_rows(writable):
    Table1.objects.create(id=1, name="n", col_a="a", col_b=1)
    row = writable.objects.get()
    row.name = "saved"
    row.save()
    assert Table1.objects.get().name == "saved"
    assert writable.objects.filter(id=1).update(name="updated") == 1
    assert writable.objects.bulk_update([writable(id=1, name="bulk")], ["name"]) == 1
    assert Table1.objects.get().name == "bulk"
    assert writable.objects.get_or_create(id=1) == (row, False)
    assert writable.objects.update_or_create(id=1, defaults={"name": "other"}) == (row, False)
    assert wait_for(writable.objects.aupdate, name="async") == 1
    assert Table1.objects.get().name == "async"
    assert row.delete() == (1, {"lending.Shown": 1})
    assert not Table1.objects.exists()
    writable.objects.create(**VALUES)
    assert writable.objects.all().delete() == (1, {"lending.Shown": 1})


def test_the_check_option_keeps_rows_out_that_the_view_would_not_show(writable):
    for write in (
        lambda: writable.objects.create(**{**VALUES, "col_b": 10}),
        lambda: writable.objects.create(**VALUES) and writable.objects.update(col_b=11),
    ):
        with pytest.raises(ProgrammingError, match="violates check option"), transaction.atomic():
            write()
    assert not Table1.objects.exists()


def test_an_updatable_view_loads_a_fixture_and_saves_a_form(writable, tmp_path):
    writable.objects.create(id=10**6, **VALUES)
    fixture = tmp_path / "row.json"
    fixture.write_text(serializers.serialize("json", writable.objects.all()).replace('"z"', '"loaded"'))
    call_command("loaddata", str(fixture), verbosity=0)
    assert Table1.objects.get(id=10**6).name == "loaded"
    form = modelform_factory(writable, fields=["name", "col_a", "col_b"])({**VALUES, "name": "form"})
    assert Table1.objects.get(id=form.save().pk).name == "form"


def test_an_updatable_view_has_all_permissions_and_a_base_may_say_updatable(writable):
    assert writable._meta.default_permissions == ("add", "change", "delete", "view")

    class Writable(ReadableViewFromQueryset, is_abstract_model=True):
        updatable = True

        class Meta:
            app_label = "lending"

    class Mixin:
        updatable = True

    for name, bases in {"One": (Writable,), "Two": (Mixin, ReadableViewFromQueryset)}.items():
        view = declare(TABLE, name, bases=bases)
        assert type(view._meta.pk) is models.BigAutoField
        assert "add" in view._meta.default_permissions
    again = declare(TABLE, "Three", bases=(Writable,), updatable=False)
    assert again._meta.default_permissions == ("view",)
    with pytest.raises(ReadOnlyViewError):
        again.objects.update(name="z")


def test_the_view_of_another_table_cannot_be_written_through_and_postgresql_says_so(loans):
    view = declare(Loan.objects.values("id", "product__code"), updatable=True)
    sync_views()
    with pytest.raises(Exception, match="cannot update view") as caught, transaction.atomic():
        view.objects.update(code="x")
    assert not isinstance(caught.value, (ReadOnlyViewError, IntegrityError))


def test_a_materialised_view_is_not_updatable():
    view = declare(
        TABLE, updatable=True, bases=(PostgresMaterialisedViewMixin, ReadableViewFromQueryset), pk_field="id"
    )
    with pytest.raises(
        InvalidViewError, match="it sets updatable, and PostgreSQL cannot update a materialised view"
    ):
        compile_view(view)


@pytest.mark.django_db(databases=["default", "warehouse"])
@pytest.mark.parametrize("routed", ["ROUTE_READS", "router"])
def test_an_updatable_view_of_another_database_is_written_there(routed, writable):
    view = declare(TABLE, "There", updatable=True, database="warehouse")
    sync_views()
    settings = {
        "DATABASE_ROUTERS": ["orm_views_core.routers.ViewRouter"],
        "ORM_VIEWS": {"ROUTE_READS": False},
    }
    with override_settings(**settings if routed == "router" else {}):
        assert router.db_for_write(view) == ("warehouse" if routed == "router" else "default")
        view(id=1, **VALUES).save()
        view.objects.create(id=2, **VALUES)
        view.objects.bulk_create([view(id=3, **VALUES)])
        assert view.objects.filter(id=3).update(name="there") == 1
        row = view.objects.get(id=2)
        row.name = "saved"
        row.save()
        view.objects.get(id=1).delete()
        assert view.objects.update_or_create(id=4, defaults=VALUES)[1]
    there = Table1.objects.using("warehouse").order_by("id").values_list("id", "name")
    assert list(there) == [(2, "saved"), (3, "there"), (4, "z")]
    assert not Table1.objects.exists()


# What a table's fields say of new rows.


@pytest.fixture
def member(db):
    """A table whose fields say all that there is to say of new rows."""
    with isolate_apps("tests.bookshop"), connection.schema_editor() as editor:

        class Member(models.Model):
            id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
            name = models.CharField(max_length=20, validators=[RegexValidator("^[A-Z]")])
            nick = models.CharField(max_length=20, blank=True)
            plan = models.CharField(max_length=5, choices=[("a", "A"), ("b", "B")], default="b")
            seats = models.IntegerField(default=lambda: 7)
            level = models.IntegerField(db_default=3)
            note = models.CharField(max_length=5, null=True)  # noqa: DJ001
            joined = models.DateTimeField(auto_now_add=True)
            seen = models.DateTimeField(auto_now=True)
            title = models.CharField(
                max_length=5, default="t", unique_for_date="seen", unique_for_year="joined"
            )
            twice = models.GeneratedField(
                expression=F("seats") * 2, output_field=models.IntegerField(), db_persist=True
            )
            product = models.ForeignKey(Product, models.CASCADE, blank=True, null=True, db_constraint=False)

            class Meta:
                app_label = "bookshop"

        editor.create_model(Member)
        yield Member
        editor.delete_model(Member)


def test_a_new_row_of_an_updatable_view_is_that_of_its_table(member):
    view = declare(member.objects.all(), updatable=True)
    sync_views()
    made, there = view.objects.create(name="Ann"), member.objects.create(name="Ann")
    view.objects.bulk_create([view(name="Ann")])
    assert type(made.pk) is uuid.UUID
    skipped = {"id", "joined", "seen", "_state"}
    rows = [{k: v for k, v in row.items() if k not in skipped} for row in member.objects.values()]
    assert rows == [rows[0]] * 3
    assert rows[0] | {"nick": "", "plan": "b", "seats": 7, "level": 3, "note": None, "twice": 14} == rows[0]
    assert made.twice == there.twice == 14
    assert made.level == there.level
    before = made.seen
    made.save()
    assert made.seen > before
    made.refresh_from_db()
    assert made.joined < made.seen


def test_a_form_of_an_updatable_view_requires_what_that_of_its_table_requires(member):
    view = declare(member.objects.all(), updatable=True)
    sync_views()
    theirs, ours = (modelform_factory(model, fields="__all__") for model in (member, view))
    asked = [
        [(name, type(field), field.required, field.label) for name, field in form.base_fields.items()]
        for form in (theirs, ours)
    ]
    assert asked[0] == asked[1]
    wrong = {"name": "ann", "plan": "c", "seats": "", "level": "x"}
    assert theirs(wrong).errors == ours(wrong).errors
    right = {"name": "Ann", "plan": "a", "seats": 1, "level": 2, "note": "n", "title": "t"}
    assert ours(right).save().nick == ""
    read = declare(member.objects.all(), "Read")
    assert read._meta.get_field("plan").default is models.NOT_PROVIDED
    assert not read._meta.get_field("twice").generated


def test_a_key_that_nothing_counts_is_asked_for():
    with isolate_apps("tests.bookshop"):

        class Chosen(models.Model):
            number = models.IntegerField(primary_key=True)

            class Meta:
                app_label = "bookshop"

        view = declare(Chosen.objects.all(), updatable=True)
    assert type(view._meta.pk) is models.IntegerField


def test_what_is_unique_for_a_date_needs_that_date(member):
    every = declare(member.objects.all(), updatable=True)
    some = declare(member.objects.values("id", "title", "joined"), "Some", updatable=True)
    title = every._meta.get_field("title")
    assert (title.unique_for_date, title.unique_for_year) == ("seen", "joined")
    title = some._meta.get_field("title")
    assert (title.unique_for_date, title.unique_for_year) == (None, "joined")


def test_a_key_that_the_table_counts_keeps_its_verbose_name():
    with isolate_apps("tests.bookshop"):

        class Counted(models.Model):
            id = models.AutoField("running number", primary_key=True, help_text="Counted.")

            class Meta:
                app_label = "bookshop"

        view = declare(Counted.objects.all(), updatable=True)
    assert (view._meta.pk.verbose_name, view._meta.pk.help_text) == ("running number", "Counted.")
