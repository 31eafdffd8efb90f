"""The fields of other packages, read through inferred views: ``nox --session fields`` has the packages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from orm_views_core.exceptions import ReadOnlyViewError
from orm_views_core.sync import sync_views
from orm_views_core.views import ReadableViewFromQueryset
from tests.fieldtypes.compare import spelled

if not apps.is_installed("tests.fields"):
    pytest.skip("the settings are not tests.fields.settings: nox --session fields", allow_module_level=True)

from tests.fields.models import ABSENT, CASES, Case

pytestmark = pytest.mark.django_db

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "readable-views.md"
BEGIN = "<!-- The table of fields of other packages: made by tests/fields/test_fields.py -->"
END = "<!-- End of the table of fields of other packages -->"
HEAD = (
    "| package | field of the model | inferred field | type of the column | values |\n|---|---|---|---|---|"
)


def declare(case: Case) -> Any:
    """Declare a view of some columns of a case's table, without a word on its fields."""
    said = {
        "__module__": __name__,
        "Meta": type("Meta", (), {"app_label": "fields"}),
        "get_queryset": classmethod(lambda cls: case.model.objects.values(*case.columns)),
    }
    return type(ReadableViewFromQueryset)(f"{case.model.__name__}View", (ReadableViewFromQueryset,), said)


def fill(case: Case) -> list[Any]:
    """Return what is in the table, as its model reads it."""
    for row in case.rows:
        case.model.objects.create(**row)
    return list(case.model.objects.order_by("pk"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.model.__name__)
def test_a_field_of_a_package_is_read_and_found_as_in_its_table(case: Case) -> None:
    there = fill(case)
    view = declare(case)
    sync_views()
    assert [m for m in view.check() if m.is_serious()] == []
    with pytest.raises(ReadOnlyViewError):
        view.objects.update(pk=None)
    here = list(view.objects.order_by("pk"))
    assert [spelled(row.pk) for row in here] == [spelled(row.pk) for row in there]
    if case.model._meta.pk.name == "value":
        assert view.objects.get(pk=there[0].pk) == here[0]
        return
    if "without" in case.label:
        assert [row.value for row in here] == [row.value.amount for row in there]
        return
    assert [spelled(row.value) for row in here] == [spelled(row.value) for row in there]
    for row in there if case.is_found else ():
        by = {"value": row.value} if row.value is not None else {"value__isnull": True}
        found = set(view.objects.filter(**by).values_list("pk", flat=True))
        assert found == set(case.model.objects.filter(**by).values_list("pk", flat=True))
        assert row.pk in found


def test_the_table_of_the_documentation_is_what_is_made_here() -> None:
    lines = []
    for case in CASES:
        there, view = fill(case), declare(case)
        sync_views()
        name = view._meta.pk.name if len(case.columns) == 1 else "value"
        field = view._meta.get_field(name)
        values, wanted = (
            list(m.objects.order_by("pk").values_list(name, flat=True)) for m in (view, case.model)
        )
        equal = sum(spelled(a) == spelled(b) for a, b in zip(values, wanted, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attname = %s",
                [view._meta.db_table, field.column],
            )
            (column,) = cursor.fetchone()
        inferred = type(field).__name__
        lines.append(
            f"| {case.package} | {case.label} | {inferred} | {column} | {equal} of {len(there)} equal |"
        )
    if ABSENT:
        pytest.skip(f"not installed: {', '.join(sorted(set(ABSENT)))}")
    wanted_table = "\n".join([HEAD, *lines])
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    assert after, f"{PAGE} has no place for the table: {BEGIN} … {END}"
    if os.environ.get("WRITE_DOCS"):
        PAGE.write_text(f"{before}{BEGIN}\n{wanted_table}\n{END}{after}")
    else:
        assert table.strip() == wanted_table, "to rewrite it: WRITE_DOCS=1 nox --session fields"
