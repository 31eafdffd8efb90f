"""Views as the documentation of django-orm-views 2.0.3 shows them; only the import root is another."""

from django.db import models
from django.db.models import F

from orm_views_core.views import (
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
)

from .models import Table1, TestModelWithForeignKey


class MySQLView(PostgresViewFromSQL):
    sql = """
       SELECT col_a, col_b FROM oldstyle_table1;
    """


class MyQuerysetView(PostgresViewFromQueryset):
    @classmethod
    def get_queryset(cls):
        return Table1.objects.values("col_a", "col_b")


class MyReadableView(ReadableViewFromQueryset):
    name = models.TextField()
    col_a = models.TextField()

    @classmethod
    def get_queryset(cls):
        return Table1.objects.values("id", "name", "col_a")


class ComplexViewFromQueryset(PostgresViewFromQueryset):
    prefix = "test"

    @classmethod
    def get_queryset(cls):
        return (
            TestModelWithForeignKey.objects.all()
            .annotate(double_integer_col=F("foreign_key__integer_col") * 2)
            .values(
                "id",
                "foreign_key__id",
                "foreign_key__integer_col",
                "foreign_key__character_col",
                "foreign_key__date_col",
                "foreign_key__datetime_col",
                "double_integer_col",
            )
        )
