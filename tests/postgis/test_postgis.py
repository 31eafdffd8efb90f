"""Views of geometries: columns, functions and indexes of PostGIS, and its own views beside them."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection

if not settings.DATABASES["default"]["ENGINE"].endswith("postgis"):
    pytest.skip("nox --session postgis runs this, on a server with PostGIS", allow_module_level=True)

from django.contrib.gis.db import models
from django.contrib.gis.db.models.functions import Area, AsGeoJSON, Centroid, Distance, Transform
from django.contrib.gis.geos import Point, Polygon
from django.contrib.postgres.indexes import GistIndex
from django.db.models import Count, F

from orm_views_core.refresh import refresh_views
from orm_views_core.status import State, get_detail, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import (
    PostgresMaterialisedViewMixin,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
)
from orm_views_core.views.registry import registry
from tests.postgis.models import District, Shop

pytestmark = pytest.mark.django_db

HERE = Point(13.4, 52.5, srid=4326)


@pytest.fixture(autouse=True)
def registered():
    with registry.isolated():
        yield


@pytest.fixture(autouse=True)
def shops(db):
    district = District.objects.create(name="Centre", outline=Polygon.from_bbox((13, 52, 14, 53)))
    Shop.objects.create(name="Near", place=HERE, on_earth=HERE, district=district)
    Shop.objects.create(name="Far", place=Point(2.3, 48.9, srid=4326), on_earth=Point(2.3, 48.9, srid=4326))


class Meta:
    app_label = "postgis"


def shown(queryset, name="Shown", *bases, **said):
    attributes = {"__module__": __name__, "Meta": type("Meta", (Meta,), {})}
    attributes["get_queryset"] = classmethod(lambda cls: queryset)
    return type(ReadableViewFromQueryset)(name, (*bases, ReadableViewFromQueryset), {**attributes, **said})


def settle():
    """Sync, and see that nothing is left to do."""
    sync_views()
    (plan,) = plan_views()
    assert [str(step) for step in plan.steps] == []
    assert not plan.problems
    (database,) = get_statuses()
    assert {view.state for view in database.views} == {State.SYNCED}


def test_the_columns_of_geometries_are_read_as_geometries():
    view = shown(Shop.objects.values("id", "name", "place", "on_earth", "district"))
    settle()
    field = view._meta.get_field("place")
    assert (type(field), field.srid, field.geography) == (models.PointField, 4326, False)
    assert view._meta.get_field("on_earth").geography
    assert view.check() == []
    near = view.objects.get(place__within=Polygon.from_bbox((13, 52, 14, 53)))
    assert (near.name, near.place, near.district.name) == ("Near", HERE, "Centre")
    assert view.objects.filter(on_earth__dwithin=(HERE, 1000)).count() == 1


def test_what_functions_compute_is_read_as_they_say():
    view = shown(
        Shop.objects.annotate(
            away=Distance("on_earth", HERE), written=AsGeoJSON("place"), mercator=Transform("place", 3857)
        ).values("id", "away", "written", "mercator"),
        "Computed",
    )
    settle()
    row = view.objects.get(id=Shop.objects.get(name="Near").id)
    assert (row.away.m, row.mercator.srid) == (0, 3857)
    assert '"Point"' in row.written
    districts = shown(
        District.objects.annotate(size=Area("outline"), middle=Centroid("outline")).values(
            "id", "size", "middle"
        ),
        "Districts",
    )
    settle()
    assert districts.objects.get().middle.coords == (13.5, 52.5)


def test_a_materialised_view_has_an_index_of_geometries_and_is_rebuilt():
    queryset = Shop.objects.values("id", "place")
    stored = shown(
        queryset,
        "Stored",
        PostgresMaterialisedViewMixin,
        pk_field="id",
        indexes=[GistIndex(fields=["place"], name="by_place")],
    )
    settle()
    (result,) = refresh_views()
    assert result.concurrently
    assert [index.name for index in get_detail("default", _name("stored")).status.installed.indexes] == [
        "by_place",
        "stored_id_key",
    ]
    stored.get_queryset = classmethod(lambda cls: Shop.objects.values("id", "place", moved=F("place")))
    (plan,) = plan_views()
    assert [step.action.verb for step in plan.steps] == ["rebuild"]
    settle()


def test_raw_sql_with_operators_and_a_row_type_of_postgis():
    type(
        "Raw",
        (PostgresViewFromSQL,),
        {
            "__module__": __name__,
            "sql": "SELECT s.id, s.place <-> d.outline AS away, ST_Collect(s.place) OVER () AS every,"
            " (ST_Dump(d.outline)).path AS path FROM postgis_shop s JOIN postgis_district d"
            " ON s.place && d.outline",
        },
    )
    settle()


def test_a_view_that_reads_another_with_geometries_is_rebuilt_with_it():
    base = shown(Shop.objects.values("id", "place"), "Base", PostgresMaterialisedViewMixin, pk_field="id")
    type("Reads", (PostgresViewFromSQL,), {
        "__module__": __name__,
        "sql": "SELECT count(*) AS n, ST_Extent(place)::text AS extent FROM views.base",
    })  # fmt: skip
    settle()
    base.get_queryset = classmethod(lambda cls: Shop.objects.values("id", "place", "name"))
    settle()


def test_the_views_of_postgis_itself_are_nobodys_orphans():
    shown(Shop.objects.values("district").annotate(n=Count("id")), "Counted", pk_field="district")
    settle()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM geometry_columns WHERE f_table_schema = 'views'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) > 1 FROM geometry_columns")
        assert cursor.fetchone() == (True,)


def _name(name):
    from orm_views_core.names import ViewName

    return ViewName("views", name)
