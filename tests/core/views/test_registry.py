"""The registered classes, and finding the modules that declare them."""

from __future__ import annotations

import gc
import sys

import pytest
from django.apps.registry import Apps
from django.db import models
from django.db.migrations.state import ModelState
from django.test import modify_settings, override_settings

from orm_views_core.exceptions import ViewModuleError
from orm_views_core.views import (
    BasePostgresView,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromSQL,
)
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.registry import Registry, register_all_views


def test_a_subclass_is_registered_in_the_order_of_declaration(registered):
    class First(PostgresViewFromSQL):
        sql = "SELECT 1"

    class Second(PostgresViewFromQueryset):
        pass

    class Third(First):
        pass

    assert registered.views() == [First, Second, Third]


def test_a_base_class_is_left_out(registered):
    class Base(PostgresViewFromSQL, should_register=False):
        sql = "SELECT 1"

    class Mixin(BasePostgresView):
        pass

    class AbstractModel(ReadableViewFromSQL, is_abstract_model=True):
        class Meta:
            app_label = "lending"

    class AbstractByMeta(ReadableViewFromSQL):
        class Meta:
            abstract = True
            app_label = "lending"

    assert registered.views() == []

    class View(Base):
        pass

    assert registered.views() == [View]


def test_the_models_that_migrations_imagine_are_no_views(registered):
    class Shown(ReadableViewFromSQL):
        sql = "SELECT 1 AS id"
        id = models.IntegerField(primary_key=True)

        class Meta:
            app_label = "lending"

    # What migrate does with the models of an app without migrations, and of every app with --no-migrations.
    imagined = ModelState.from_model(Shown).render(Apps())
    assert imagined._meta.model_name == "shown"
    assert registered.views() == [Shown]


def test_views_are_kept_apart_by_database(registered):
    class Here(PostgresViewFromSQL):
        sql = "SELECT 1"

    class There(PostgresViewFromSQL):
        database = "warehouse"
        sql = "SELECT 1"

    assert registered.views("default") == [Here]
    assert registered.views("warehouse") == [There]
    assert registered.views("nowhere") == []
    assert registered.databases() == ["default", "warehouse"]


def test_a_class_of_a_reloaded_module_takes_the_place_of_the_old_one(registered):
    first, second = (
        type("Again", (PostgresViewFromSQL,), {"__module__": "shop.postgres_views", "sql": sql})
        for sql in ("SELECT 1", "SELECT 2")
    )
    assert first is not second
    assert registered.views() == [second]


def test_a_class_of_the_same_name_in_another_module_is_another_class(registered):
    for module in ("shop.postgres_views", "bank.postgres_views"):
        type("Same", (PostgresViewFromSQL,), {"__module__": module, "sql": "SELECT 1"})
    assert len(registered.views()) == 2


def test_a_class_can_be_taken_out_once(registered):
    class Gone(PostgresViewFromSQL):
        sql = "SELECT 1"

    registered.unregister(Gone)
    assert registered.views() == []
    with pytest.raises(KeyError):
        registered.unregister(Gone)


def test_an_isolated_registry_gives_back_what_was_there_even_after_an_error():
    registry = Registry()
    registry.register(PostgresViewFromSQL)

    def fail_inside():
        with registry.isolated() as empty:
            assert empty.views() == []
            empty.register(PostgresViewFromQueryset)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert registry.views() == [PostgresViewFromSQL]


@pytest.fixture
def install_app(tmp_path, monkeypatch):
    """A function that writes an app into a directory of its own and installs it, as Django starts it."""
    changes, names = [], []

    def install(name: str, **files: str) -> None:
        package = tmp_path / name
        package.mkdir()
        (package / "__init__.py").touch()
        for path, text in files.items():
            file = package.joinpath(*path.split("__", 1)).with_suffix(".py")
            file.parent.mkdir(exist_ok=True)
            (file.parent / "__init__.py").touch()
            file.write_text(text)
        names.append(name)
        change = modify_settings(INSTALLED_APPS={"append": name})
        change.enable()
        changes.append(change)

    monkeypatch.syspath_prepend(tmp_path)
    yield install
    for change in reversed(changes):
        change.disable()
    for module in [m for m in sys.modules if m.partition(".")[0] in names]:
        del sys.modules[module]


VIEW = """
from orm_views_core.views import PostgresViewFromSQL


class {name}(PostgresViewFromSQL):
    sql = "SELECT 1 AS id"
"""


def test_the_views_of_a_module_are_registered(install_app, registered):
    install_app("shop_a", postgres_views=VIEW.format(name="Orders"))
    (view,) = registered.views()
    assert view.__name__ == "Orders"
    assert ViewOptions(view).source.file.endswith("postgres_views.py")
    assert ViewOptions(view).source.line == 5


def test_the_views_of_a_package_are_registered(install_app, registered):
    install_app(
        "shop_b",
        postgres_views____init__="from .orders import Orders",
        postgres_views__orders=VIEW.format(name="Orders"),
        postgres_views__unused=VIEW.format(name="NotImported"),
    )
    assert [view.__name__ for view in registered.views()] == ["Orders"]


def test_a_module_whose_name_names_no_engine_declares_views_too(install_app, registered):
    install_app("shop_i", database_views=VIEW.format(name="Orders"))
    (view,) = registered.views()
    assert view.__name__ == "Orders"
    assert ViewOptions(view).source.file.endswith("shop_i/database_views.py")


def test_an_app_may_have_both_modules_and_each_is_imported_once(install_app, registered):
    imported = "\nfrom shop_j import imported\nimported.files.append(__name__)\n"
    install_app(
        "shop_j",
        imported="files = []",
        postgres_views="from .database_views import Customers" + imported + VIEW.format(name="Orders"),
        database_views____init__="from .customers import Customers" + imported,
        database_views__customers=VIEW.format(name="Customers"),
    )
    register_all_views()
    assert [view.__name__ for view in registered.views()] == ["Customers", "Orders"]
    files = sys.modules["shop_j.imported"].files
    assert files == ["shop_j.database_views", "shop_j.postgres_views"]


def test_the_views_of_django_are_never_imported(install_app, registered):
    install_app("shop_k", views=VIEW.format(name="Orders"), sql_views=VIEW.format(name="Others"))
    register_all_views()
    assert registered.views() == []
    assert not {"shop_k.views", "shop_k.sql_views"} & sys.modules.keys()


@pytest.mark.parametrize("chosen", ["postgres_views", "database_views"])
def test_a_chosen_module_is_the_only_one(chosen, install_app, registered):
    texts = {name: VIEW.format(name=name) for name in ("postgres_views", "database_views")}
    with override_settings(ORM_VIEWS={"MODULE": chosen}):
        install_app(f"only_{chosen}", **texts)
        assert [view.__name__ for view in registered.views()] == [chosen]


def test_another_module_can_be_chosen(install_app, registered):
    asked, other = VIEW.format(name="Orders"), VIEW.format(name="NotAskedFor")
    with override_settings(ORM_VIEWS={"MODULE": "sql.views"}):
        install_app("shop_d", sql__views=asked, postgres_views=other, database_views=other)
        assert [view.__name__ for view in registered.views()] == ["Orders"]


def test_the_garbage_collector_waits_for_the_imports_and_goes_on_afterwards(install_app, registered):
    broken = "import gc\nraise LookupError(f'collecting: {gc.isenabled()}')"
    with pytest.raises(ViewModuleError, match="collecting: False"):
        install_app("shop_g", postgres_views=broken)
    assert gc.isenabled()


def test_an_app_without_views_is_no_error(install_app, registered):
    install_app("shop_e", models="")
    register_all_views()
    assert registered.views() == []


@pytest.mark.parametrize("name", ["postgres_views", "database_views"])
@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("import nothing_of_this_name", 1, "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("\nfrom orm_views_core.views import Nothing", 2, "ImportError: cannot import name 'Nothing'"),
        ("\n\n1 / 0", 3, "ZeroDivisionError: division by zero"),
        ("class :", 1, "SyntaxError: "),
    ],
)
def test_whatever_breaks_inside_a_module_is_an_error_that_names_its_line(
    text, line, message, name, install_app
):
    with pytest.raises(ViewModuleError) as caught:
        install_app("shop_f", **{name: text})
    assert f"shop_f/{name}.py, line {line}, cannot be imported: {message}" in str(caught.value)
    assert caught.value.__cause__ is not None


def test_of_two_modules_the_one_that_breaks_is_named(install_app):
    whole, broken = VIEW.format(name="Orders"), "\n1 / 0"
    with pytest.raises(ViewModuleError, match=r"shop_l/database_views\.py, line 2, .* division by zero"):
        install_app("shop_l", postgres_views=whole, database_views=broken)
    with pytest.raises(ViewModuleError, match=r"shop_m/database_views\.py, line 2, .* division by zero"):
        install_app("shop_m", postgres_views="from . import database_views", database_views=broken)


def test_an_error_outside_of_a_chosen_module_names_the_module(install_app):
    with (
        override_settings(ORM_VIEWS={"MODULE": "sql.views"}),
        pytest.raises(ViewModuleError, match=r"^A sql\.views module cannot be imported: ZeroDivisionError"),
    ):
        install_app("shop_n", sql____init__="1 / 0", sql__views=VIEW.format(name="Orders"))


def test_an_error_inside_a_package_names_the_file_in_it(install_app):
    with pytest.raises(ViewModuleError, match=r"shop_g/postgres_views/orders\.py, line 2, cannot"):
        install_app(
            "shop_g",
            postgres_views____init__="from . import orders",
            postgres_views__orders="x = 1\nimport nothing_of_this_name",
        )


def test_an_error_in_what_a_module_imports_names_the_module_of_views(install_app):
    with pytest.raises(ViewModuleError, match=r"postgres_views\.py, line 1, .* ValueError: no helper"):
        install_app("shop_h", postgres_views="from . import helpers", helpers="raise ValueError('no helper')")
