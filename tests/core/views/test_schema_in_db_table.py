"""``schema"."table``, to which Django adds the outer quotes, is the usual way to name a table's schema."""

from __future__ import annotations

import pytest
from django.db import connections, models

from orm_views_core.checks.classes import check_fields
from orm_views_core.status import get_statuses
from orm_views_core.sync import plan_views, sync_views
from tests.core.readables import declare, meta

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("isolated_models")]


@pytest.fixture
def models_of_reporting(execute):
    """A model and one that refers to it, in a schema of their own."""

    class Region(models.Model):
        name = models.CharField(max_length=20)

        class Meta:
            app_label = "lending"
            db_table = 'reporting"."regions'

    class Target(models.Model):
        region = models.ForeignKey(Region, models.CASCADE, related_name="targets")
        amount = models.IntegerField()

        class Meta:
            app_label = "lending"
            db_table = 'reporting"."targets'

    execute("CREATE SCHEMA reporting")
    with connections["default"].schema_editor() as editor:
        editor.create_model(Region)
        editor.create_model(Target)
    north, south = (Region.objects.create(name=name) for name in ("north", "south"))
    Target.objects.create(region=north, amount=1)
    Target.objects.create(region=north, amount=2)
    Target.objects.create(region=south, amount=4)
    return Region, Target


def test_a_view_named_so_is_in_that_schema():
    view = declare(
        "SELECT 1 AS id", Meta=meta(db_table='reporting"."targets'), id=models.IntegerField(primary_key=True)
    )
    assert view.name_with_schema == view._meta.db_table == '"reporting"."targets"'
    sync_views()
    assert view.objects.get().pk == 1
    (status,) = get_statuses(["default"])[0].views
    assert str(status.name) == "reporting.targets"
    assert all(plan.is_empty for plan in plan_views())


def test_a_view_of_such_models_is_inferred_joined_and_found_by_its_readers(models_of_reporting):
    region, target = models_of_reporting
    shown = declare(target.objects.values("id", "region", "amount"))
    read = declare(
        "SELECT id FROM views.shown WHERE amount > 1", "Read", id=models.IntegerField(primary_key=True)
    )
    assert check_fields(None) == []
    sync_views()
    assert all(plan.is_empty for plan in plan_views())
    assert shown.objects.filter(region__name="north").count() == 2
    assert region.objects.get(shown__amount=4).name == "south"
    assert region.objects.get(name="north").shown_set.count() == 2
    assert (
        shown.objects.select_related("region").order_by("region__name", "-amount")[0].region.name == "north"
    )
    assert read.objects.count() == 2


def test_a_view_of_such_a_view_is_created_after_it(models_of_reporting):
    _, target = models_of_reporting
    base = declare(target.objects.values("id", "amount"), "Base", Meta=meta(db_table='reporting"."base'))
    declare(base.objects.values("id"), "Above")
    sync_views()
    statuses = {str(status.name): status for status in get_statuses(["default"])[0].views}
    assert {str(name) for name in statuses["views.above"].installed.reads} == {"reporting.base"}


def test_a_message_names_such_a_table_without_its_quotes(models_of_reporting):
    region, _ = models_of_reporting
    declare(region.objects.values("id", "targets__amount"))
    (error,) = [message for message in check_fields(None) if message.id == "orm_views_core.E009"]
    assert "the join to reporting.targets gives several rows" in error.msg
