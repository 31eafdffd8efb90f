"""Every class of field, round-tripped through an inferred view; and the documentation's table of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.postgres.signals import get_hstore_oids, register_type_handlers
from django.db import connection, models

from orm_views_core.sync import refresh_materialized_view, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, ReadableViewFromQueryset
from tests.fieldtypes.compare import spelled
from tests.fieldtypes.models import CASES, NO_COLUMN, Case, Target, field_classes, label_of

pytestmark = pytest.mark.django_db

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "readable-views.md"
BEGIN = "<!-- The table of field types: made by tests/core/sql/test_field_types.py -->"
END = "<!-- End of the table of field types -->"
REWRITE = "WRITE_DOCS=1 make test ARGS=tests/core/sql/test_field_types.py"
HEAD = "| field of the model | inferred field | type of the column | values | NULL |\n|---|---|---|---|---|"


@pytest.fixture
def extensions(db: None) -> Iterator[set[str]]:
    """The extensions that the server has; hstore is created for the length of the test."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_available_extensions")
        found = {name for (name,) in cursor.fetchall()}
        if "hstore" in found:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS hstore")
            _read_hstore_as_dicts()
    yield found
    if "hstore" in found:
        get_hstore_oids.cache_clear()


def _read_hstore_as_dicts() -> None:
    get_hstore_oids.cache_clear()
    register_type_handlers(connection)


def fill(case: Case) -> None:
    """Put the case's rows into its table."""
    if not case.model._meta.managed:
        with connection.schema_editor() as editor:
            editor.create_model(case.model)
    Target.objects.get_or_create(id=1, defaults={"code": "one"})
    Target.objects.get_or_create(id=2, defaults={"code": "two"})
    for row in case.rows:
        made = case.model.objects.create(**row)
        if row.get("nullable", "") is None:  # a FileField would have made an empty text of it
            case.model.objects.filter(pk=made.pk).update(nullable=None)


def declare(case: Case, materialised: bool = False) -> Any:
    """Declare a view of the case's table, without a word on its fields."""

    def get_queryset(cls: type) -> Any:
        return case.model.objects.values(*(field.name for field in case.model._meta.concrete_fields))

    bases = (*([PostgresMaterialisedViewMixin] if materialised else []), ReadableViewFromQueryset)
    said = {
        "__module__": __name__,
        "Meta": type("Meta", (), {"app_label": "fieldtypes"}),
        "get_queryset": classmethod(get_queryset),
        "pk_field": [case.model._meta.get_field(name).column for name in case.key],
    }
    return type(ReadableViewFromQueryset)(f"{case.model.__name__}View", bases, said)


def read(model: Any, name: str) -> dict[Any, Any]:
    """Return the values of a field by key, as instances have them."""
    if name == "pk":
        return {row.pk: spelled(row.pk) for row in model.objects.all()}
    attname = model._meta.get_field(name).attname
    return {row.pk: spelled(getattr(row, attname)) for row in model.objects.all()}


def keys(queryset: Any) -> list[Any]:
    return list(queryset.values_list("pk", flat=True))


def inferred(case: Case, view: Any, name: str) -> Any:
    """Return the field that a view has for one of its table's."""
    source = case.model._meta.get_field(name)
    if source.column is None:
        return view._meta.pk
    return next(field for field in view._meta.concrete_fields if field.column == source.column)


@pytest.mark.parametrize("materialised", [False, True], ids=["view", "materialised"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.model.__name__)
def test_a_field_of_every_class_is_read_filtered_and_sorted_as_in_its_table(case, materialised, extensions):
    if case.extension and case.extension not in extensions:
        pytest.skip(f"the server has no extension {case.extension}")
    fill(case)
    view = declare(case, materialised)
    sync_views()
    if materialised:
        refresh_materialized_view(view, concurrently=True)
    assert view.objects.count() == len(case.rows)
    for name in filter(None, {case.column, case.nullable}):
        of_view = inferred(case, view, name).name
        there = read(case.model, name)
        assert read(view, of_view) == there
        for lookup in (of_view, f"-{of_view}"):
            of_table = lookup.replace(of_view, name)
            order = [f"{'-' if lookup[0] == '-' else ''}{each}" for each in case.key]
            assert keys(view.objects.order_by(lookup, *order)) == keys(
                case.model.objects.order_by(of_table, *order)
            )
        listed = view.objects.order_by("pk").values_list(of_view, flat=True)
        in_table = case.model.objects.order_by("pk").values_list(name, flat=True)
        assert [spelled(value) for value in listed] == [spelled(value) for value in in_table]
        found = set()
        for value in in_table:
            if value is None:
                continue
            rows = set(keys(view.objects.filter(**{of_view: value})))
            assert rows == set(keys(case.model.objects.filter(**{name: value})))
            assert view.objects.filter(**{of_view: value}).count() == len(rows)
            assert view.objects.exclude(**{of_view: value}).count() == (
                case.model.objects.exclude(**{name: value}).count()
            )
            found |= rows
        if "Search" not in case.label:  # where equal means that it matches
            assert found == set(keys(case.model.objects.exclude(**{f"{name}__isnull": True})))


@pytest.mark.parametrize("case", [case for case in CASES if case.nullable], ids=lambda c: c.model.__name__)
def test_null_comes_back_as_none_and_is_found_as_null(case, extensions):
    if case.extension and case.extension not in extensions:
        pytest.skip(f"the server has no extension {case.extension}")
    fill(case)
    view = declare(case)
    sync_views()
    field = inferred(case, view, case.nullable)
    assert field.null
    null = view.objects.filter(**{f"{field.name}__isnull": True})
    assert list(null.values_list(field.name, flat=True)) == [None]
    assert not getattr(null.get(), field.attname)  # None; a file's is a FieldFile without a name
    assert view.objects.filter(**{f"{field.name}__isnull": False}).count() == len(case.rows) - 1
    if case.column != case.nullable:
        assert not inferred(case, view, case.column).null


def test_every_class_of_field_that_django_has_is_among_them():
    covered = {case.field for case in CASES}
    assert sorted(each.__name__ for each in field_classes() - covered - set(NO_COLUMN)) == []
    assert sorted(each.__name__ for each in set(NO_COLUMN) & covered) == []
    assert set(NO_COLUMN) <= field_classes(), "what is no class of Django's any more"


def test_a_foreign_key_of_a_view_leads_to_the_row(extensions):
    case = next(case for case in CASES if case.field is models.ForeignKey)
    fill(case)
    view = declare(case)
    sync_views()
    row = view.objects.select_related("value", "nullable").get(nullable__code="one")
    assert (row.value, row.nullable) == (Target.objects.get(code="one"),) * 2
    assert view.objects.filter(value=Target.objects.get(id=1)).count() == 2
    # What is NULL is not lost by following it.
    assert len(view.objects.select_related("nullable")) == len(case.rows)


def made_row(case: Case, view: Any) -> str:
    """Return the case's line of the table."""
    field = inferred(case, view, case.column)
    there, here = read(case.model, case.column), read(view, field.name)
    equal = sum(value == there[key] for key, value in here.items())
    null = "never"
    if case.nullable:
        name = inferred(case, view, case.nullable).name
        null = repr(view.objects.values_list(name, flat=True).get(**{f"{name}__isnull": True}))
    column = column_type(view, field)
    return f"| {case.label} | {label_of(field)} | {column} | {equal} of {len(case.rows)} equal | {null} |"


def column_type(view: Any, field: Any) -> str:
    """Return PostgreSQL's name for the type of a field's column."""
    columns = [each.column for each in getattr(field, "fields", [field])]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod)"
            " FROM pg_attribute WHERE attrelid = %s::regclass",
            [view._meta.db_table],
        )
        types = dict(cursor.fetchall())
    return ", ".join(types[column] for column in columns)


def test_the_table_of_the_documentation_is_what_is_made_here(extensions):
    rows = {}
    missing = []
    views = []
    for case in CASES:
        if case.extension and case.extension not in extensions:
            missing.append(case.label)
            continue
        fill(case)
        views.append((case, declare(case)))
    sync_views()
    for case, view in views:
        if case.field.__module__.startswith("django."):
            rows[case.label] = made_row(case, view)
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    assert after, f"{PAGE} has no place for the table: {BEGIN} … {END}"
    there = {line.split("|")[1].strip(): line for line in table.strip().splitlines()[2:]}
    # A server without the extension leaves its line as one with it has made it.
    rows |= {label: there.get(label, f"| {label} | not made yet | | | |") for label in missing}
    wanted = "\n".join([HEAD, *(rows[label] for label in sorted(rows))])
    if os.environ.get("WRITE_DOCS"):
        PAGE.write_text(f"{before}{BEGIN}\n{wanted}\n{END}{after}")
    else:
        assert table.strip() == wanted, f"the table is another one now; to rewrite it: {REWRITE}"
