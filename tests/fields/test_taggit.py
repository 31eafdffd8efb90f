"""Managers of taggit: they have no column, and a join to their tags repeats the rows."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection, models
from django.test.utils import isolate_apps

from orm_views_core.sync import sync_views
from orm_views_core.views import ReadableViewFromQueryset

if not apps.is_installed("taggit"):
    pytest.skip("django-taggit is not installed: nox --session fields", allow_module_level=True)

from taggit.managers import TaggableManager

pytestmark = pytest.mark.django_db


@isolate_apps("tests.fields", "taggit", "django.contrib.contenttypes")
def test_the_tags_of_a_model_are_columns_of_a_join() -> None:
    class Meal(models.Model):
        name = models.CharField(max_length=9)
        tags = TaggableManager()

        class Meta:
            app_label = "fields"

    with connection.schema_editor() as editor:
        editor.create_model(Meal)

    def declare(name: str, **said):
        meta = type("Meta", (), {"app_label": "fields"})
        bases = (ReadableViewFromQueryset,)
        return type(ReadableViewFromQueryset)(name, bases, {"__module__": __name__, "Meta": meta, **said})

    every = declare("Meals", get_queryset=classmethod(lambda cls: Meal.objects.all()))
    tagged = declare(
        "Tagged",
        get_queryset=classmethod(lambda cls: Meal.objects.values("id", "tags__name")),
        pk_field=("id", "name"),
    )
    keyless = declare("Keyless", get_queryset=classmethod(lambda cls: Meal.objects.values("id", "tags")))
    sync_views()
    Meal.objects.create(name="soup").tags.add("hot", "cheap")
    assert every.objects.get().name == "soup"
    assert sorted(tagged.objects.values_list("name", flat=True)) == ["cheap", "hot"]
    assert "several rows for one fields.Meal" in keyless._view_fields.problem
