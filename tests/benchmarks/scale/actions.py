"""What a process does with the project once Django is set up. Each action gets its arguments in one mapping.

The figures that an action returns are medians, in seconds, unless it says otherwise.
"""

from __future__ import annotations

import io
import resource
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from django.core.management import call_command
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

#: How often a page is requested, by turns with the stock page.
TIMES = 15
STOCK = "/admin/auth/user/"


def prepare(arguments: Mapping[str, Any]) -> None:
    """Create the tables and the views; with the admin also 200 users, and runs of the materialised views."""
    create_tables(arguments)
    call_command("sync_views", stdout=io.StringIO())
    if not arguments.get("runs"):
        return
    from django.contrib.auth.models import User
    from scaled.models import Customer, Purchase

    from orm_views_admin.models import Run

    User.objects.bulk_create(User(username=f"user{number}", email="x@example.org") for number in range(200))
    User.objects.create_superuser("root")
    customer, now = Customer.objects.create(name="Somebody"), timezone.now()
    Purchase.objects.bulk_create(
        Purchase(customer=customer, number=str(number), amount=number, placed=now, paid=True)
        for number in range(200)
    )
    Run.objects.bulk_create(
        Run(
            request=uuid.uuid4(),
            kind="refresh",
            database="default",
            schema="views",
            name=f"view{number % 10 * 10}",
            state="succeeded",
            queued_at=now - timedelta(minutes=number),
            started_at=now - timedelta(minutes=number),
            finished_at=now - timedelta(minutes=number),
            seconds=1 + number % 7,
        )
        for number in range(arguments["runs"])
    )


def create_tables(arguments: Mapping[str, Any]) -> None:
    """Create the tables."""
    call_command("migrate", run_syncdb=True, verbosity=0)


def page(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Request a page and a stock changelist by turns. Measure beside it what the page is held against."""
    client = Client()
    client.force_login(root())
    path = path_of(arguments["page"])
    beside: dict[str, Callable[[], object]] = {"catalog": _read_catalog, "plan": _plan}
    asked: dict[str, Callable[[], object]] = {
        "page": lambda: _get(client, path),
        "stock": lambda: _get(client, STOCK),
        **{name: beside[name] for name in arguments.get("beside", ())},
    }
    return _by_turns(asked)


def fill(arguments: Mapping[str, Any]) -> None:
    """Prepare a database with very many rows."""
    from .previewed import fill

    prepare({"runs": 1})
    fill(arguments["rows"])


def preview(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Request a preview of very many rows, and beside it what the preview is held against."""
    from .previewed import what_to_ask

    return _by_turns(what_to_ask(arguments["title"], arguments["rows"]))


def export(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Export very many rows, as the request of a member of staff."""
    from .exported import export

    return export(arguments["form"], arguments["times"])


def compare(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Compare very many rows of a view that changes, and join them by hand."""
    from .compared import what_to_compare

    return _by_turns(what_to_compare(arguments["rows"]), arguments["times"])


def _by_turns(asked: Mapping[str, Callable[[], object]], times: int = TIMES) -> dict[str, float]:
    """Ask for several things by turns, and return the median time of each."""
    seconds: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(times + 1):
        for name, ask in asked.items():
            start = perf_counter()
            ask()
            if number:  # the first time compiles templates and views
                seconds[name].append(perf_counter() - start)
    return {name: median(each) for name, each in seconds.items()}


def call(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Call a command on an open connection, as ``manage.py`` does if ``checks`` are on."""
    connections["default"].ensure_connection()
    command, *options = arguments["command"]
    start = perf_counter()
    how = {} if command == "check" else {"skip_checks": not arguments.get("checks", False)}
    call_command(command, *options, stdout=io.StringIO(), **how)
    return {"call": perf_counter() - start}


def migrate(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Run migrations with all views."""
    from .migrating import migrate

    return migrate(arguments)


def sync_often(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Sync 500 times, one view changed each time; return the memory that is in use then, in MB."""
    from orm_views_core.sync import sync_views

    figures = {}
    for number in range(1, 501):
        _redefine(number)
        (result,) = sync_views()
        assert [step.name.name for step in result.plan.steps if step.name] == ["view1"]
        if number in {50, 500}:
            figures[str(number)] = _resident_memory()
    return figures


def _resident_memory() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024**2


def change_one(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Sync with another definition of one view."""
    _redefine(perf_counter())
    return call({"command": ["sync_views"]})


def _redefine(number: float) -> None:
    """Give one of the plain views another constant."""
    from orm_views_core.views.registry import registry

    view: Any = next(each for each in registry.views("default") if each.__name__ == "View1")
    view.sql = f"SELECT id, {number} AS report FROM scaled_purchase"


def root() -> Any:
    from django.contrib.auth.models import User

    return User.objects.get(username="root")


def path_of(name: str) -> str:
    if name in {"detail", "preview", "count"}:
        view = {"database": "default", "schema": "views", "name": "view11"}
        return reverse(f"orm_views_admin:{name}", kwargs=view)
    if name == "run":
        from orm_views_admin.models import Run

        return reverse("orm_views_admin:run", kwargs={"run_request": Run.objects.all()[0].request})
    page, _, query = name.partition("?")
    return reverse(f"orm_views_admin:{page}") + (f"?{query}" if query else "")


def _get(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200, (path, response.status_code)


def _read_catalog() -> None:
    from orm_views_core.definitions.compiler import compile_definitions
    from orm_views_core.engines.postgresql.catalog.introspection import read_catalog

    connection = connections["default"]
    definitions = compile_definitions(connection, anew=False)
    with transaction.atomic():
        read_catalog(connection, definitions.schemas, registered=definitions.views)


def _plan() -> None:
    from orm_views_core.sync import plan_views

    plan_views()
