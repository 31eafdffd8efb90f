"""Which field reads which column, told from the names of types alone."""

from __future__ import annotations

import pytest

from orm_views_core.sql.types import NamedType, bare_name, field_for, fits


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("smallint", "models.SmallIntegerField()"),
        ("integer", "models.IntegerField()"),
        ("bigint", "models.BigIntegerField()"),
        ("oid", "models.BigIntegerField()"),
        ("numeric(10,2)", "models.DecimalField(max_digits=10, decimal_places=2)"),
        ("numeric(5,0)", "models.DecimalField(max_digits=5, decimal_places=0)"),
        ("numeric(3,-2)", "models.DecimalField(max_digits=5, decimal_places=0)"),
        ("numeric(2,4)", "models.DecimalField(max_digits=4, decimal_places=4)"),
        ("numeric", "models.DecimalField(max_digits=38, decimal_places=10)"),
        ("real", "models.FloatField()"),
        ("double precision", "models.FloatField()"),
        ("boolean", "models.BooleanField()"),
        ("text", "models.TextField()"),
        ("citext", "models.TextField()"),
        ("public.citext", "models.TextField()"),
        ("character varying", "models.TextField()"),
        ("character varying(60)", "models.CharField(max_length=60)"),
        ("character(3)", "models.CharField(max_length=3)"),
        ("name", "models.CharField(max_length=63)"),
        ("date", "models.DateField()"),
        ("timestamp with time zone", "models.DateTimeField()"),
        ("timestamp(3) with time zone", "models.DateTimeField()"),
        ("timestamp without time zone", "models.DateTimeField()"),
        ("time without time zone", "models.TimeField()"),
        ("time(0) with time zone", "models.TimeField()"),
        ("interval", "models.DurationField()"),
        ("interval day to second(3)", "models.DurationField()"),
        ("uuid", "models.UUIDField()"),
        ("inet", "models.GenericIPAddressField()"),
        ("bytea", "models.BinaryField()"),
        ("jsonb", "models.JSONField()"),
        ("public.hstore", "HStoreField()"),
        ("int4range", "IntegerRangeField()"),
        ("int8range", "BigIntegerRangeField()"),
        ("numrange", "DecimalRangeField()"),
        ("daterange", "DateRangeField()"),
        ("tstzrange", "DateTimeRangeField()"),
        ("tsvector", "SearchVectorField()"),
        ("integer[]", "ArrayField(models.IntegerField())"),
        ("character varying(60)[]", "ArrayField(models.CharField(max_length=60))"),
        ("timestamp(3) with time zone[]", "ArrayField(models.DateTimeField())"),
        ("numeric(10,2)[]", "ArrayField(models.DecimalField(max_digits=10, decimal_places=2))"),
    ],
)
def test_a_type_has_the_field_that_reads_it(column, field):
    assert field_for(column).write() == field
    assert fits(field_db_type(field), column)


def field_db_type(field: str) -> str:
    """The type that Django gives to a field of this source."""
    from django.contrib.postgres import fields, search
    from django.db import connection, models

    return eval(field, {"models": models, **vars(fields), **vars(search)}).db_type(connection)


@pytest.mark.parametrize(
    "column",
    [
        "money",
        "json",
        "bit(8)",
        "bit varying(8)",
        "xml",
        "cidr",
        "macaddr",
        "point",
        "tsquery",
        "int4multirange",
        "tsrange",
        "public.geometry(Point,4326)",
        'public."Odd ""type"""',
        "money[]",
        "public.hstore[]",
    ],
)
def test_a_type_without_a_field_is_read_as_text_and_named_in_a_comment(column):
    field = field_for(column)
    assert field.write() == "models.TextField()"
    assert column in field.comment or column == field.comment.partition(":")[0]
    assert fits("text", column)
    assert not fits("integer", column)


def test_what_a_field_needs_is_imported():
    assert field_for("date").imports == (("django.db", "models"),)
    assert field_for("hstore").imports == (("django.contrib.postgres.fields", "HStoreField"),)
    assert field_for("tsvector").imports == (("django.contrib.postgres.search", "SearchVectorField"),)
    assert field_for("date[]").imports == (
        ("django.db", "models"),
        ("django.contrib.postgres.fields", "ArrayField"),
    )


def test_a_domain_is_read_as_what_it_is_over_and_an_enum_as_its_longest_value():
    named = {
        "public.email": NamedType("character varying(80)"),
        "public.mood": NamedType(labels=("sad", "it's fine")),
    }
    domain, enum = field_for("public.email", named), field_for("public.mood", named)
    assert (domain.write(), domain.comment) == ("models.CharField(max_length=80)", "email, a domain")
    assert (enum.write(), enum.comment) == ("models.CharField(max_length=9)", "mood: 'sad', \"it's fine\"")
    assert fits("varchar(10)", "public.email", named)
    assert fits("varchar(10)", "public.mood", named)
    assert not fits("integer", "public.email", named)
    assert not fits("integer", "public.mood", named)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("integer", "bigint"),
        ("bigint", "smallint"),
        ("varchar(10)", "text"),
        ("text", "character varying(60)"),
        ("varchar(3)", "character(3)"),
        ("numeric(5, 2)", "numeric"),
        ("numeric(5, 2)", "numeric(10,4)"),
        ("double precision", "real"),
        ("timestamp with time zone", "timestamp without time zone"),
        ("integer[]", "bigint[]"),
        ("integer[][]", "integer[]"),
        ("bool", "boolean"),
        ("geometry(POINT,4326)", "public.geometry(Point,4326)"),
        ("mood", "public.mood"),
        ('"Odd type"', 'other."Odd type"'),
    ],
)
def test_a_field_fits_whatever_gives_the_same_kind_of_value(expected, actual):
    assert fits(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("integer", "numeric"),
        ("numeric(5, 2)", "integer"),
        ("double precision", "numeric(5,2)"),
        ("numeric(5, 2)", "double precision"),
        ("date", "timestamp with time zone"),
        ("timestamp with time zone", "date"),
        ("time", "interval"),
        ("text", "integer"),
        ("text", "uuid"),
        ("uuid", "text"),
        ("text", "text[]"),
        ("text[]", "text"),
        ("integer[]", "text[]"),
        ("boolean", "integer"),
        ("jsonb", "json"),
        ("jsonb", "text"),
        ("inet", "text"),
        ("daterange", "int4range"),
        ("mood", "integer"),
        ("bytea", "text"),
    ],
)
def test_a_field_does_not_fit_what_gives_another_kind_of_value(expected, actual):
    assert not fits(expected, actual)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mood", "mood"),
        ("public.mood", "mood"),
        ("public.mood[]", "mood"),
        ('"My.Schema"."My ""type"""', 'My "type"'),
        ("public.geometry(Point,4326)", "geometry"),
    ],
)
def test_the_bare_name_of_a_type(text, name):
    assert bare_name(text) == name


@pytest.mark.parametrize(
    ("text", "cast"),
    [
        ("oid[]", "bigint[]"),
        ("real[]", "double precision[]"),
        ("name[]", "character varying[]"),
        ("character(3)[]", "character varying[]"),
        ("character varying[]", "text[]"),
        ("timestamp without time zone[]", "timestamp with time zone[]"),
        ("time with time zone[]", "time without time zone[]"),
    ],
)
def test_an_array_that_django_compares_as_another_type_says_so(text, cast):
    assert field_for(text).comment == f"{text}: to filter by it, cast it to {cast} in the SQL"


@pytest.mark.parametrize(
    "text", ["bigint[]", "text[]", "character varying(5)[]", "integer[]", "date[]", "uuid[]"]
)
def test_an_array_that_django_compares_as_its_type_needs_no_comment(text):
    assert field_for(text).comment == ""
