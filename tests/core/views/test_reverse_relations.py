"""What a readable view costs when it is imported does not depend on how many there are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MODELS = """
from django.db import models

class Customer(models.Model):
    name = models.CharField(max_length=50)

class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    placed_by = models.ForeignKey(Customer, models.CASCADE, related_name="placed")
    total = models.IntegerField()
"""

VIEWS = """
from django.db import models
from orm_views_core.views import ReadableViewFromQueryset
from .models import Customer, Order
"""

#: The kinds of views: the fields that the class declares, and its queryset.
KINDS = {
    "an inferred foreign key": ("", "Order.objects.values('id', 'customer', 'total')"),
    "two inferred foreign keys to one model": ("", "Order.objects.values('id', 'customer', 'placed_by')"),
    "an annotation": ("", "Order.objects.values('id', 'customer').annotate(more=models.F('total') + 1)"),
    "a reverse relation": ("", "Customer.objects.values('id').annotate(n=models.Count('placed'))"),
    "a declared foreign key": (
        "customer = models.ForeignKey(Customer, models.DO_NOTHING, related_name='+')",
        "Order.objects.values('id', 'customer').annotate(more=models.F('total') + 1)",
    ),
    "a declared foreign key to a model named by a string": (
        "customer = models.ForeignKey('shop.Customer', models.DO_NOTHING, related_name='+')",
        "Order.objects.values('id', 'customer').annotate(more=models.F('total') + 1)",
    ),
}

#: Prints how many models are visited while the views are imported, and the reverse relations of Customer
#: before and after Django's caches are emptied.
PROGRAM = """
import django
from django.apps import AppConfig, apps
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["orm_views_core", "shop"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
visited, all_models = [0], AppConfig.get_models

def counted(self, *args, **kwargs):
    for model in all_models(self, *args, **kwargs):
        visited[0] += 1
        yield model

AppConfig.get_models = counted
django.setup()
customer = apps.get_model("shop", "Customer")._meta
found = visited[0]
relations = sorted(f.name for f in customer.get_fields(include_hidden=True)), sorted(customer.fields_map)
customer._expire_cache()
again = sorted(f.name for f in customer.get_fields(include_hidden=True)), sorted(customer.fields_map)
print(found, len(relations[0]), relations == again)
"""


def visits(folder: Path, kind: str, count: int) -> tuple[int, int, bool]:
    """Import a project with some views of one kind in another process.

    Returns:
        how many models were visited meanwhile, how many fields and relations their target has then, and
        whether these are the ones that Django finds anew.
    """
    fields, queryset = KINDS[kind]
    app = folder / f"with_{count}" / "shop"
    app.mkdir(parents=True)
    (app / "__init__.py").touch()
    (app / "models.py").write_text(MODELS)
    views = [
        f"class View{number}(ReadableViewFromQueryset):\n    {fields or 'pass'}\n    @classmethod\n"
        f"    def get_queryset(cls):\n        return {queryset}\n"
        for number in range(count)
    ]
    (app / "postgres_views.py").write_text(VIEWS + "\n".join(views))
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=app.parent,
        env={"PYTHONPATH": f"{app.parent}:{Path(__file__).resolve().parents[3]}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    models, relations, same = answer.stdout.split()
    return int(models), int(relations), same == "True"


@pytest.mark.parametrize("kind", KINDS)
def test_the_import_of_a_view_visits_no_other_views(tmp_path, kind):
    few, _, _ = visits(tmp_path, kind, 10)
    many, relations, same = visits(tmp_path, kind, 30)
    # Each model is registered once and looked for by Django a fixed number of times.
    assert many <= 4 * few
    assert relations > (30 if "foreign key" in kind else 3)
    assert same
