"""Rows of a table are read by way of the tables that it inherits from, and of its partitions."""

import pytest
from django.db import connection, models

from orm_views_core.database.lineage import RelationColumn
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.names import ViewName
from orm_views_core.privacy import personal
from orm_views_core.privacy.personal_columns import read_personal

pytestmark = pytest.mark.django_db


def found():
    with catalog_cursor(connection) as cursor:
        return {str(column): label for column, label in read_personal(cursor).items()}


def model_of(table):
    """A model of a table whose e-mail is marked."""
    attributes = {
        "__module__": "tests.demo.lending.models",
        "email": personal(models.EmailField()),
        "Meta": type("Meta", (), {"db_table": table, "app_label": "lending"}),
    }
    return type("Person", (models.Model,), attributes)


@pytest.mark.parametrize("table", ["person", "pupil", "boarder"])
def test_a_column_is_personal_in_all_tables_that_have_it_by_inheritance(execute, table):
    execute(
        """
        CREATE TABLE public.person (id int, email text);
        CREATE TABLE public.pupil (form text) INHERITS (public.person);
        CREATE TABLE public.boarder (house text) INHERITS (public.pupil);
        CREATE TABLE public.other (id int, email text)
        """
    )
    model_of(table)
    assert found() == dict.fromkeys(
        ["public.person.email", "public.pupil.email", "public.boarder.email"], "lending.Person.email"
    )


def test_a_column_that_is_not_inherited_is_another_one(execute):
    execute(
        """
        CREATE TABLE public.person (id int);
        CREATE TABLE public.pupil (email text) INHERITS (public.person);
        CREATE TABLE public.pet (email text) INHERITS (public.person)
        """
    )
    model_of("pupil")
    assert found() == {"public.pupil.email": "lending.Person.email"}


@pytest.mark.parametrize("table", ["person", "person_1"])
def test_a_partition_counts_as_its_partitioned_table(execute, table):
    execute(
        """
        CREATE TABLE public.person (email text, id int) PARTITION BY LIST (id);
        CREATE TABLE public.person_1 (id int, email text);
        ALTER TABLE public.person ATTACH PARTITION public.person_1 FOR VALUES IN (1)
        """
    )
    model_of(table)
    assert found()["public.person.email"] == "lending.Person.email"


def test_the_first_table_of_the_search_path_is_meant(execute):
    execute(
        """
        CREATE SCHEMA ours; CREATE TABLE ours.person (email text); CREATE TABLE public.person (email text);
        SET LOCAL search_path = ours, public
        """
    )
    model_of("person")
    assert found() == {"ours.person.email": "lending.Person.email"}


def test_a_table_that_is_named_with_its_schema(execute):
    execute(
        "CREATE SCHEMA ours; CREATE TABLE ours.person (email text); CREATE TABLE public.person (email text)"
    )
    model_of('ours"."person')
    with catalog_cursor(connection) as cursor:
        assert list(read_personal(cursor)) == [RelationColumn(ViewName("ours", "person"), "email")]


def test_a_table_that_is_not_there_has_no_columns(execute):
    model_of("nowhere")
    assert found() == {}
