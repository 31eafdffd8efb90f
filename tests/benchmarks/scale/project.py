"""Writes the project: an app with many views or models, and the tables that they read."""

from __future__ import annotations

from compileall import compile_dir
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

#: "models" are unmanaged models with the fields that the readable views have.
Kind = Literal["readable", "plain", "models"]

APP = "scaled"


@dataclass(frozen=True)
class Project:
    """A project of some kind and size. Of readable views, every tenth is materialised if `some_stored`."""

    kind: Kind
    count: int
    some_stored: bool = False

    def write(self, folder: Path) -> None:
        """Write its app into a folder, and compile it to bytecode."""
        app = folder / APP
        app.mkdir(parents=True)
        (app / "__init__.py").write_text("")
        models = "".join(map(_MODEL.format, range(self.count))) if self.kind == "models" else ""
        (app / "models.py").write_text(_TABLES + models)
        if self.kind != "models":
            views = "".join(map(self._view, range(self.count)))
            (app / "postgres_views.py").write_text(_IMPORTS + views)
        compile_dir(folder, quiet=1)

    def _view(self, number: int) -> str:
        if self.kind == "plain":
            return _PLAIN.format(number)
        is_stored = self.some_stored and number % 10 == 0
        return (_STORED if is_stored else _READABLE).format(number)


_TABLES = """
from django.db import models


class Customer(models.Model):
    name = models.CharField(max_length=100)


class Purchase(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    number = models.CharField(max_length=20)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    placed = models.DateTimeField()
    paid = models.BooleanField()
"""
_MODEL = """

class View{0}(models.Model):
    id = models.BigIntegerField(primary_key=True)
    customer = models.ForeignKey(Customer, models.DO_NOTHING, db_constraint=False)
    number = models.CharField(max_length=20)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    placed = models.DateTimeField()
    paid = models.BooleanField()

    class Meta:
        managed = False
        db_table = '"views"."view{0}"'
"""
_IMPORTS = """
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL, ReadableViewFromQueryset

from .models import Purchase
"""
_READABLE = """

class View{0}(ReadableViewFromQueryset):
    @classmethod
    def get_queryset(cls):
        return Purchase.objects.values("id", "customer", "number", "amount", "placed", "paid")
"""
_STORED = """

class View{0}(PostgresMaterialisedViewMixin, ReadableViewFromQueryset):
    pk_field = "id"

    @classmethod
    def get_queryset(cls):
        return Purchase.objects.values("id", "customer", "number", "amount", "placed", "paid")
"""
_PLAIN = """

class View{0}(PostgresViewFromSQL):
    sql = "SELECT id, customer_id, number, amount, placed, paid, {0} AS report FROM scaled_purchase"
"""
