"""The guard with migrations: views are judged as these leave the tables, and all is rolled back."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks
from django.core.management import CommandError
from django.db import models

from orm_views_core.exceptions import PlanBlockedError
from orm_views_core.privacy import personal
from orm_views_core.sync import sync_views
from tests.core.keeping import declare, run
from tests.core.with_migrations.conftest import depot  # noqa: F401 - a fixture

from .saying import plan, problems

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal", "all_is_granted")]


def found(number: str, **arguments: Any) -> list[checks.CheckMessage]:
    return [e for e in checks.run_checks(**arguments) if e.id == f"orm_views_core.{number}"]


@pytest.fixture
def orders(depot):  # noqa: F811 - the fixture
    """An app whose orders have a personal note."""

    class Order(models.Model):
        note = personal(models.TextField())

        class Meta:
            app_label = "lending"
            db_table = "depot_order"

    return depot


WIDER = 'AlterField("Order", "total", models.BigIntegerField())'


@pytest.mark.django_db(transaction=True)
def test_migrate_views_is_refused_as_a_whole(orders, settings, take_picture):
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": ["public"]}
    declare("V", "SELECT id, total, note FROM depot_order")
    orders.write("0002_wider", WIDER)
    before = take_picture()
    with pytest.raises(
        CommandError, match=r"column 'note' of views.v shows lending.Order.note as it is\. It may"
    ):
        orders.migrate()
    assert take_picture() == before
    assert orders.applied() == ["0001_initial"]


@pytest.mark.django_db(transaction=True)
def test_migrate_views_judges_views_as_the_migrations_leave_the_tables(orders, settings, registered):
    """The note has another name before."""
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": ["public"]}
    orders.write("0002_named", 'RenameField("Order", "note", "memo")')
    orders.migrate(command="migrate", verbosity=0)
    view = declare("V", "SELECT id, memo AS words FROM depot_order")
    assert problems() == []  # the marked column is not there
    sync_views(databases=["default"])
    orders.write("0003_named", 'RenameField("Order", "memo", "note")')
    registered.unregister(view)
    declare("V", "SELECT id, note AS words FROM depot_order")
    with pytest.raises(CommandError, match=r"column 'words' of views.v shows lending.Order.note as it is"):
        orders.migrate()
    assert orders.applied() == ["0001_initial", "0002_named"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("arguments", [[], ["--rebuild-inside"]])
def test_migrate_views_lets_pass_what_is_right(orders, settings, arguments):
    """What stands in for a materialised view meanwhile is not judged: it is gone before anybody reads it."""
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": ["public"]}
    stored = declare("M", "SELECT id, total FROM depot_order", materialised=True, pk_field="id")
    declare("V", "SELECT m.id, m.total, left(o.note, 1) AS n FROM views.m JOIN depot_order o USING (id)",
            not_personal=("n",), view_dependencies=[stored])  # fmt: skip
    sync_views(databases=["default"])
    orders.write("0002_wider", WIDER)
    assert "Applying depot.0002_wider... OK" in orders.migrate(*arguments)
    assert run("SELECT count(*) FROM views.v") == [(5,)]
    assert plan().problems == plan().warnings == plan().steps == ()


@pytest.mark.django_db(transaction=True)
def test_migrate_views_is_refused_for_a_view_of_others_that_it_makes_show_it(orders, settings, registered):
    settings.ORM_VIEWS = {}
    view = declare("H", "SELECT id, total, ''::varchar(20) AS x FROM depot_order", hidden=True)
    sync_views(databases=["default"])
    run("CREATE SCHEMA reports; CREATE VIEW reports.o AS SELECT x FROM views.h")
    run("GRANT SELECT ON reports.o TO PUBLIC")
    registered.unregister(view)
    declare("H", "SELECT id, total, note AS x FROM depot_order", hidden=True)
    orders.write("0002_wider", WIDER)
    with pytest.raises(CommandError, match=r"Column 'x' of reports.o shows lending.Order.note as it is"):
        orders.migrate()


@pytest.mark.django_db(transaction=True)
def test_a_sync_after_migrate_is_judged(orders, settings, registered):
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": ["public"], "SYNC_ON_MIGRATE": True}
    declare("V", "SELECT id, note FROM depot_order")
    orders.write("0002_wider", WIDER)
    with pytest.raises((CommandError, PlanBlockedError), match=r"column 'note' of views\.v shows"):
        orders.migrate(command="migrate")
    assert run("SELECT to_regclass('views.v')") == [(None,)]
