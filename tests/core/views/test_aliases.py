"""A readable view that has the name of a table is read together with that table."""

from __future__ import annotations

import pytest
from django.core.checks import WARNING
from django.db import ProgrammingError, connections, models, transaction
from django.db.models import Count, Exists, OuterRef, Q

from orm_views_core.checks.classes import check_fields
from orm_views_core.sync import sync_views
from tests.core.readables import declare

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("isolated_models")]


@pytest.fixture
def employee():
    """A table with a key to itself: Ann leads Bob and Cid."""

    class Employee(models.Model):
        name = models.CharField(max_length=20)
        manager = models.ForeignKey("self", models.CASCADE, null=True, related_name="reports")

        class Meta:
            app_label = "lending"
            db_table = "employees"

    with connections["default"].schema_editor() as editor:
        editor.create_model(Employee)
    ann = Employee.objects.create(name="Ann")
    for name in ("Bob", "Cid"):
        Employee.objects.create(name=name, manager=ann)
    return Employee


@pytest.fixture
def view(employee):
    """A view of that table with its name."""
    made = declare(employee.objects.values("id", "name", "manager"), "Employees", updatable=True)
    assert made._meta.db_table == '"views"."employees"'
    sync_views()
    return made


READS = {
    "filter": lambda v: v.objects.filter(manager__name="Ann").values_list("name", flat=True),
    "exclude": lambda v: (
        v.objects.exclude(manager=None).exclude(manager__name="Bob").values_list("name", flat=True)
    ),
    "ordered by the table": lambda v: [
        r.name for r in v.objects.order_by("manager__name", "name") if r.manager_id
    ],
    "select_related": lambda v: [
        r.name for r in v.objects.select_related("manager") if r.manager and r.manager.name == "Ann"
    ],
    "only": lambda v: [r.name for r in v.objects.only("name").filter(manager__name="Ann")],
    "values of the table": lambda v: v.objects.filter(manager__name="Ann").values_list(
        "name", "manager__name"
    ),
    "or": lambda v: v.objects.filter(manager__name="Ann") | v.objects.filter(manager__manager__name="Ann"),
    "distinct": lambda v: v.objects.filter(manager__name="Ann").distinct(),
    "union": lambda v: v.objects.filter(manager__name="Ann").union(v.objects.filter(manager__name="Bob")),
    "subquery": lambda v: v.objects.filter(pk__in=v.objects.filter(manager__name="Ann")),
    "exists of the table": lambda v: v.objects.filter(
        Exists(v._meta.get_field("manager").related_model.objects.filter(pk=OuterRef("manager"), name="Ann"))
    ),
    "exists of the view": lambda v: v._meta.get_field("manager").related_model.objects.filter(
        Exists(v.objects.filter(pk=OuterRef("pk"), manager__name="Ann"))
    ),
    "prefetch": lambda v: [r for r in v.objects.prefetch_related("manager") if r.manager],
    "of the accessor": lambda v: (
        v._meta.get_field("manager")
        .related_model.objects.get(name="Ann")
        .employees_set.filter(manager__name="Ann")
    ),
    "down the table": lambda v: v.objects.filter(manager__reports__name="Bob"),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_view_is_read_with_the_table_whose_name_it_has(view, read):
    assert len(list(read(view))) == 2


def test_rows_are_counted_grouped_and_aggregated_with_that_table(view):
    found = view.objects.filter(manager__name="Ann")
    assert (found.count(), found.exists(), found.first().name) == (2, True, "Bob")
    assert found.aggregate(n=Count("manager__id", distinct=True)) == {"n": 1}
    counted = view.objects.values("manager__name").annotate(n=Count("id")).order_by("manager__name")
    assert list(counted) == [{"manager__name": "Ann", "n": 2}, {"manager__name": None, "n": 1}]
    assert found.values("manager__name").annotate(n=Count("id")).count() == 1
    assert found.distinct().aggregate(n=Count("id")) == {"n": 2}


def test_a_query_is_the_same_after_it_was_compiled(view):
    found = view.objects.filter(manager__name="Ann")
    before = str(found.query)
    assert found.count() == 2
    assert [*found.query.alias_map] == ['"views"."employees"', "employees"]
    assert str(found.query) == before
    assert found.filter(name="Bob").get().name == "Bob"


def test_rows_are_written_through_such_a_view(view, employee):
    assert view.objects.filter(manager__name="Ann").update(name="Dan") == 2
    assert view.objects.filter(Q(manager__name="Ann") | Q(name="?"), name="Dan").delete()[0] == 2
    assert [each.name for each in employee.objects.all()] == ["Ann"]
    row = view.objects.get()
    row.name = "Eve"
    row.save()
    assert employee.objects.get().name == "Eve"
    row.delete()
    assert not employee.objects.exists()


def test_rows_of_a_view_are_locked_alone(view):
    with transaction.atomic():
        rows = view.objects.select_related("manager").filter(manager__name="Ann")
        assert len(rows.select_for_update(of=("self",))) == 2
        other = declare("SELECT 1 AS id", "Apart", id=models.IntegerField(primary_key=True))
        sync_views()
        (sql, _) = other.objects.select_for_update(of=("self",)).query.sql_with_params()
        assert sql.replace('"', "").endswith("FOR UPDATE OF T_0")  # Django 6.1 quotes aliases


def test_a_view_called_like_an_alias_of_django_is_joined(employee):
    below = declare(employee.objects.values("id", "name", "manager"), "T3")
    sync_views()
    found = below.objects.filter(manager__manager=None, manager__reports__name="Bob")
    assert sorted(row.name for row in found) == ["Bob", "Cid"]


def test_a_view_that_has_no_tables_name_keeps_its_own_in_queries(employee):
    view = declare(employee.objects.values("id", "name", "manager"), "Staff")
    assert '"views"."staff"."name"' in str(view.objects.filter(manager__name="Ann").query)


def test_w007_a_view_with_the_name_of_a_table(view, employee):
    (message,) = check_fields(None)
    assert (message.id, message.level) == ("orm_views_core.W007", WARNING)
    assert "its name 'employees' is that of the table of lending.Employee" in message.msg
    assert "Set another 'name'" in message.hint
    with pytest.raises(ProgrammingError, match="ambiguous"), transaction.atomic():
        employee.objects.filter(employees__name="Ann").exists()
