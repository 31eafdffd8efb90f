"""Django's own commands with readable views."""

from __future__ import annotations

import io
import json

import pytest
from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.management import create_contenttypes
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from orm_views_core.autodetector import Autodetector
from orm_views_core.exceptions import ReadOnlyViewError
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, ReadableViewFromQueryset
from tests.core.readables import declare, lend, meta
from tests.demo.lending.models import Loan, Product

PRODUCTS = Product.objects.values("id", "code", "name")


def run(*command, **options):
    out = io.StringIO()
    call_command(*command, stdout=out, no_color=True, **options)
    return out.getvalue()


def changes(state):
    """The migrations that makemigrations would write for the app of the models."""
    found = Autodetector(state, ProjectState.from_apps(apps)).changes(graph=MigrationLoader(None).graph)
    return found.get("lending", [])


@pytest.fixture
def loans(db):
    lend()


@pytest.mark.django_db
def test_makemigrations_sees_no_view_come_change_or_go():
    quiet = "No changes detected\n"
    assert run("makemigrations", check=True, dry_run=True) == quiet
    view = declare(PRODUCTS)
    declare(PRODUCTS, "Seen", bases=(view,), Meta=meta(proxy=True))
    declare(Loan.objects.values("id", "product"), "Related")
    declare(PRODUCTS, "Written", updatable=True)
    assert run("makemigrations", check=True, dry_run=True) == quiet
    del apps.all_models["lending"]["written"]
    apps.clear_cache()
    assert run("makemigrations", check=True, dry_run=True) == quiet


@pytest.mark.django_db
def test_makemigrations_still_sees_a_model():
    declare(PRODUCTS)
    type("Stored", (models.Model,), {"__module__": __name__, "Meta": meta()})
    with pytest.raises(SystemExit):
        run("makemigrations", check=True, dry_run=True)


@pytest.mark.django_db
def test_migrate_creates_nothing_for_views(take_picture):
    declare(PRODUCTS)
    before = take_picture()
    assert "No migrations to apply." in run("migrate")
    run("migrate", run_syncdb=True)
    assert take_picture() == before


@pytest.mark.django_db
def test_migrate_run_syncdb_creates_no_table_for_a_view_of_an_app_without_migrations(take_picture):
    view = declare("SELECT 1 AS id", Meta=meta(app_label="oldstyle"))
    assert view._meta.label == "oldstyle.Shown"
    before = take_picture()
    run("migrate", run_syncdb=True)
    assert take_picture() == before


def test_dumpdata_leaves_views_out_unless_they_are_named(loans):
    declare(PRODUCTS)
    sync_views()

    def models_of(*labels, **options):
        return {row["model"] for row in json.loads(run("dumpdata", *labels, **options))}

    everything = models_of(exclude=["contenttypes", "auth", "fieldtypes"])
    assert {"lending.product", "lending.loan"} <= everything
    assert "lending.shown" not in everything
    assert models_of("lending") == {"lending.product", "lending.loan", "lending.customer"}
    assert models_of("lending.Shown") == models_of("lending.shown") == {"lending.shown"}
    assert models_of("lending.Shown", "lending.Product") == {"lending.shown", "lending.product"}
    assert models_of("lending", exclude=["lending.Product"]) == {"lending.loan", "lending.customer"}


def test_a_dump_is_loaded_back_and_one_of_a_view_is_refused(loans, tmp_path):
    declare(PRODUCTS)
    sync_views()
    for name, labels in (("tables.json", ["lending"]), ("view.json", ["lending.Shown"])):
        (tmp_path / name).write_text(run("dumpdata", *labels))
    Loan.objects.all().delete()
    assert "7 object(s)" in run("loaddata", str(tmp_path / "tables.json"))
    with pytest.raises(ReadOnlyViewError, match=r"save\(\) of lending\.Shown"):
        run("loaddata", str(tmp_path / "view.json"))


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_dumpdata_of_a_view_reads_the_database_that_is_named():
    for alias in ("default", "warehouse"):
        Product(id=1, code="car", name=alias, purpose="car", annual_rate=1).save(using=alias)
    declare(PRODUCTS, database="warehouse")
    sync_views()
    (row,) = json.loads(run("dumpdata", "lending.Shown", database="warehouse"))
    assert row["fields"]["name"] == "warehouse"


@pytest.mark.django_db(transaction=True)
def test_flush_empties_tables_and_leaves_views(committed_views):
    lend()
    view = declare(PRODUCTS)
    kept = declare(
        PRODUCTS, "Kept", bases=(PostgresMaterialisedViewMixin, ReadableViewFromQueryset), pk_field="id"
    )
    sync_views()
    run("flush", interactive=False)
    assert view.objects.count() == 0
    assert kept.objects.count() == 2
    assert '"views"' not in run("sqlflush")


@pytest.mark.django_db
def test_inspectdb_shows_tables_and_no_view():
    declare(PRODUCTS)
    sync_views()
    out = run("inspectdb")
    assert "class LendingProduct(models.Model)" in out
    assert "class Shown" not in out


@pytest.mark.django_db
def test_introspection_asks_for_no_table_of_a_view():
    declare(PRODUCTS)
    introspection = connections["default"].introspection
    assert not [name for name in introspection.django_table_names() if '"views"' in name]
    assert not [found for found in introspection.sequence_list() if '"views"' in found["table"]]


@pytest.mark.django_db
def test_content_types_and_permissions():
    view = declare(PRODUCTS)
    declare(PRODUCTS, "Written", updatable=True)
    declare(PRODUCTS, "Seen", bases=(view,), Meta=meta(proxy=True))
    declare(PRODUCTS, "Own", Meta=meta(permissions=[("export_own", "Can export")]))
    config = apps.get_app_config("lending")
    config.models = apps.all_models["lending"]
    create_contenttypes(config, verbosity=0)
    create_permissions(config, verbosity=0)
    assert ContentType.objects.get_for_model(view).model_class() is view

    def permissions(name):
        found = Permission.objects.filter(content_type__app_label="lending", content_type__model=name)
        return sorted(found.values_list("codename", flat=True))

    assert permissions("shown") == ["view_shown"]
    assert permissions("seen") == ["view_seen"]
    assert permissions("own") == ["export_own", "view_own"]
    assert permissions("written") == ["add_written", "change_written", "delete_written", "view_written"]


@pytest.mark.django_db
def test_the_databases_of_a_test_run_are_serialized_without_views(loans):
    declare(PRODUCTS)
    sync_views()
    assert "lending.shown" not in connections["default"].creation.serialize_db_to_string()


@pytest.mark.django_db
def test_check_is_silent():
    declare(PRODUCTS)
    declare(Loan.objects.values("id", "product", "customer"), "Related")
    assert run("check").startswith("System check identified no issues")


@pytest.mark.django_db
def test_migrations_know_the_key_of_a_view_that_a_model_refers_to(execute):
    view = declare(
        Product.objects.values("id", "code", "name", "purpose"),
        code=models.CharField(max_length=12, unique=True),
    )
    declare(PRODUCTS, "Unrelated")
    to_view = {"on_delete": models.DO_NOTHING, "db_constraint": False}
    said = {
        "__module__": __name__,
        "Meta": meta(),
        "shown": models.ForeignKey(view, **to_view),
        "by_code": models.ForeignKey(view, to_field="code", related_name="+", **to_view),
    }
    note = type("Note", (models.Model,), said)
    before = MigrationLoader(connections["default"]).project_state()
    (migration,) = changes(before)
    created = {operation.name: operation for operation in migration.operations}
    assert created.keys() == {"Shown", "Note"}
    assert [name for name, _ in created["Shown"].fields] == ["code", "id"]
    assert created["Shown"].options == {"managed": False, "db_table": '"views"."shown"'}
    with connections["default"].schema_editor() as editor:
        after = migration.apply(before, editor)
    assert changes(after) == []
    view._meta.db_table = '"views"."renamed"'
    assert changes(after) == []
    view._meta.db_table = '"views"."shown"'
    assert execute("SELECT count(*) FROM information_schema.tables WHERE table_name = 'shown'") == [(0,)]
    lend()
    sync_views()
    row = view.objects.get(code="car")
    note.objects.create(shown=row, by_code=row)
    assert note.objects.select_related("shown").get(by_code__name="Car").shown == row
    assert row.note_set.count() == 1
