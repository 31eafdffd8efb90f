"""The indexes of a materialised view: what the class asks for is what PostgreSQL builds."""

from __future__ import annotations

import pytest
from django.contrib.postgres.indexes import GinIndex
from django.db import connections, models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.test.utils import isolate_apps

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.exceptions import DuplicateViewError, InvalidViewError
from orm_views_core.names import ViewName
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL, ReadableViewFromSQL
from tests.core.compiling import compile_view

pytestmark = pytest.mark.django_db


class Base(PostgresMaterialisedViewMixin, PostgresViewFromSQL, should_register=False):
    name = "things"
    sql = """
        SELECT 1 AS id, 'Leeds'::text AS city, true AS active, '{}'::jsonb AS facts,
            2 AS "Odd Col", 'x' AS name
    """


def stored_indexes(execute, view="things"):
    rows = execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'views'"
        f" AND tablename = '{view}' ORDER BY indexname"
    )
    return {name: definition.partition(" USING ")[2] for name, definition in rows}


INDEXES = {
    "columns": (models.Index(fields=["city", "-id"], name="i"), "btree (city, id DESC)"),
    "expression": (models.Index(Lower("city").desc(), F("id"), name="i"), "btree (lower(city) DESC, id)"),
    "nulls last": (models.Index(F("city").asc(nulls_last=True), name="i"), "btree (city)"),
    "condition": (
        models.Index(fields=["city"], name="i", condition=Q(id=1)),
        "btree (city) WHERE (id = 1)",
    ),
    "condition on text": (
        models.Index(fields=["id"], name="i", condition=Q(city="it's 100%") | ~Q(id__gt=5)),
        "btree (id) WHERE ((city = 'it''s 100%'::text) OR (NOT (id > 5)))",
    ),
    "condition with a pattern": (
        models.Index(fields=["id"], name="i", condition=Q(city__startswith="a_b%\\")),
        r"btree (id) WHERE (city ~~ 'a\_b\%\\%'::text)",
    ),
    "condition on null": (
        models.Index(fields=["id"], name="i", condition=Q(city__isnull=False)),
        "btree (id) WHERE (city IS NOT NULL)",
    ),
    "include": (models.Index(fields=["id"], name="i", include=["city"]), "btree (id) INCLUDE (city)"),
    "operator class": (
        models.Index(fields=["city"], name="i", opclasses=["text_pattern_ops"]),
        "btree (city text_pattern_ops)",
    ),
    "gin": (GinIndex(fields=["facts"], name="i"), "gin (facts)"),
    "odd column": (models.Index(fields=["Odd Col"], name="i"), 'btree ("Odd Col")'),
    "odd name": (models.Index(fields=["id"], name='An "odd" name'), "btree (id)"),
}


@pytest.mark.parametrize(("index", "stored"), INDEXES.values(), ids=INDEXES)
def test_an_index_on_a_view_that_is_no_model(index, stored, execute):
    class Things(Base):
        indexes = (index,)

    sync_views()
    assert stored_indexes(execute) == {index.name: stored}
    assert all(plan.is_empty for plan in plan_views())


@pytest.mark.parametrize("case", [case for case in INDEXES if case != "odd column"])
def test_an_index_on_a_readable_view(case, execute):
    index, stored = INDEXES[case]
    with isolate_apps("tests.demo.lending"):

        class Things(PostgresMaterialisedViewMixin, ReadableViewFromSQL):
            sql = Base.sql
            indexes = (index,)
            id = models.IntegerField(primary_key=True)
            city = models.TextField()
            active = models.BooleanField()
            facts = models.JSONField()
            name = models.TextField()

            class Meta:
                app_label = "lending"

        sync_views()
    assert stored_indexes(execute) == {index.name: stored}
    assert all(plan.is_empty for plan in plan_views())


def test_a_field_is_indexed_by_its_column(execute):
    with isolate_apps("tests.demo.lending"):

        class Things(PostgresMaterialisedViewMixin, ReadableViewFromSQL):
            sql = Base.sql
            indexes = (models.Index(fields=["odd", "name"], name="i"),)
            id = models.IntegerField(primary_key=True)
            odd = models.IntegerField(db_column="Odd Col")
            name = models.TextField()

            class Meta:
                app_label = "lending"

        sync_views()
    assert stored_indexes(execute) == {"i": 'btree ("Odd Col", name)'}


def test_an_index_without_a_name_gets_the_same_one_every_time(execute):
    def names():
        class Things(Base):
            indexes = (models.Index(fields=["city"]), models.Index(fields=["id"]))

        return [index.name for index in compile_view(Things).indexes]

    first, second = names()
    assert first != second
    assert names() == [first, second]
    assert max(map(len, (first, second))) <= models.Index.max_name_length
    sync_views()
    assert stored_indexes(execute).keys() == {first, second}


def test_the_class_keeps_its_index_as_it_wrote_it():
    index = models.Index(fields=["city"])

    class Things(Base):
        indexes = (index,)

    compile_view(Things)
    assert not index.name


@pytest.mark.parametrize(
    ("key", "name", "stored"),
    [
        ("id", "things_id_key", "btree (id)"),
        (("id", "city"), "things_id_city_key", "btree (id, city)"),
        (["Odd Col"], "things_Odd Col_key", 'btree ("Odd Col")'),
    ],
)
def test_the_key_is_a_unique_index(key, name, stored, execute):
    class Things(Base):
        pk_field = key

    (index,) = compile_view(Things).indexes
    assert index.unique
    sync_views()
    assert stored_indexes(execute) == {name: stored}


@pytest.mark.parametrize("key", [None, (), "", []])
def test_without_a_key_there_is_no_index(key):
    class Things(Base):
        pk_field = key

    assert compile_view(Things).indexes == ()


def test_a_long_view_has_a_key_that_postgresql_keeps(execute):
    class Things(Base):
        name = "ü" * 31 + "x"
        pk_field = "id"

    sync_views()
    ((index, _),) = stored_indexes(execute, "ü" * 31 + "x").items()
    assert [index] == [index.name for index in compile_view(Things).indexes]


@pytest.mark.parametrize(
    "declared", [{"indexes": (models.Index(fields=["id"], name="i"),)}, {"pk_field": "id"}]
)
def test_a_plain_view_cannot_have_an_index(declared):
    view = type(
        "Plain", (PostgresViewFromSQL,), {"sql": "SELECT 1 AS id", "__module__": __name__, **declared}
    )
    with pytest.raises(
        InvalidViewError, match=r"Plain \(.*line \d+\): it declares an index.*Mixin the first base"
    ):
        compile_view(view)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("city", "its indexes have 'city'. Give models.Index objects"),
        (models.UniqueConstraint(fields=["id"], name="u"), "its indexes have <UniqueConstraint"),
        (models.Index(fields=["id"], name="i" * 64), "64 bytes, and PostgreSQL keeps 63"),
        (models.Index(fields=["id"], name="ü" * 32), "64 bytes, and PostgreSQL keeps 63"),
    ],
)
def test_a_wrong_index_names_the_class_and_the_file(index, message):
    class Things(Base):
        indexes = (index,)

    with pytest.raises(InvalidViewError) as caught:
        compile_view(Things)
    assert "Things (tests/core/definitions/test_indexes.py, line " in str(caught.value)
    assert message in str(caught.value)


def test_an_index_on_a_field_that_is_not_there_names_the_class_and_the_field():
    with isolate_apps("tests.demo.lending"):

        class Things(PostgresMaterialisedViewMixin, ReadableViewFromSQL):
            sql = Base.sql
            indexes = (models.Index(fields=["nothing"], name="i"),)
            id = models.IntegerField(primary_key=True)

            class Meta:
                app_label = "lending"

        with pytest.raises(InvalidViewError, match=r"Things \(.*cannot be written as SQL: .*nothing"):
            compile_view(Things)


def test_an_index_on_a_column_that_is_not_there_is_found_by_the_plan(take_picture):
    class Things(Base):
        indexes = (models.Index(fields=["nothing"], name="i"),)

    before = take_picture()
    for run in (plan_views, sync_views):
        with pytest.raises(InvalidViewError, match=r'Things \(.*column "nothing" does not exist'):
            run()
    assert take_picture() == before


def test_rows_that_share_a_key_are_an_error_that_names_the_view(take_picture):
    class Things(Base):
        sql = "SELECT 1 AS id UNION ALL SELECT 1"
        pk_field = "id"

    before = take_picture()
    with pytest.raises(InvalidViewError, match=r"(?s)Things \(.*could not create unique index.*\(id\)=\(1\)"):
        sync_views()
    assert take_picture() == before


def test_two_indexes_of_one_name_in_one_schema_are_an_error():
    class Things(Base):
        indexes = (models.Index(fields=["id"], name="same"),)

    class Others(Base):
        name = "others"
        indexes = (models.Index(fields=["id"], name="same"),)

    class Elsewhere(Base):
        schema = "other"
        indexes = (models.Index(fields=["id"], name="same"),)

    definitions = compile_definitions(connections["default"])
    assert definitions.views.keys() == {ViewName("views", "things"), ViewName("other", "things")}
    ((label, error),) = definitions.errors.items()
    assert label.endswith(".Others")
    assert isinstance(error, DuplicateViewError)
    assert "index 'same' of" in str(error)
    assert "Things" in str(error)


def test_an_index_that_has_the_name_of_a_view_is_an_error():
    class Things(Base):
        indexes = (models.Index(fields=["id"], name="others"),)

    class Others(Base):
        name = "others"

    (error,) = compile_definitions(connections["default"]).errors.values()
    assert "both claim the name 'views.others'" in str(error)


def test_two_equal_indexes_of_one_view_are_an_error():
    class Things(Base):
        indexes = (models.Index(fields=["id"], name="same"), models.Index(fields=["city"], name="same"))

    with pytest.raises(DuplicateViewError, match=r"'views\.same'"):
        compile_definitions(connections["default"]).raise_errors()
