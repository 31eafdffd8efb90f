"""Every error names the view and its file, and the database stays as it was."""

from __future__ import annotations

import re
import sys
import textwrap

import pytest
from django.core.management import CommandError, call_command
from django.db import models
from django.test import modify_settings, override_settings
from django.utils.functional import classproperty

from orm_views_core.exceptions import (
    CyclicDependencyError,
    DatabaseUnavailableError,
    DuplicateViewError,
    InvalidViewDependencies,
    InvalidViewError,
    InvalidViewsError,
    LockNotAvailableError,
    MissingRoleError,
    OrmViewsError,
    UnsupportedDatabaseError,
    ViewModuleError,
    ViewSQLError,
)
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import (
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromSQL,
)
from tests.demo.lending.models import Customer

pytestmark = pytest.mark.django_db

FILE = r"test_sync_errors\.py, line \d+"


@pytest.fixture(autouse=True)
def synced(registered, db):
    """A database with views that a failed sync must not change."""

    class Good(PostgresViewFromSQL):
        sql = "SELECT id, city FROM lending_customer"

    class Better(PostgresViewFromSQL):
        sql = "SELECT city FROM views.good"

    sync_views()


def declare_syntax_error():
    class Wrong(PostgresViewFromSQL):
        sql = "SELECT id\nFORM lending_customer"

    return (
        Wrong,
        ViewSQLError,
        r'syntax error at or near "lending_customer".*\nLine 2 of the sql: FORM lending',
    )


def declare_unknown_column():
    class Wrong(PostgresViewFromSQL):
        sql = "SELECT id, agee FROM lending_customer"

    return Wrong, ViewSQLError, r'column "agee" does not exist.*\nLine 1 of the sql: SELECT id, agee'


def declare_two_statements():
    class Wrong(PostgresViewFromSQL):
        sql = "SELECT 1 AS a; DROP VIEW views.good; -- and more"

    return Wrong, InvalidViewError, "more than one statement"


def declare_no_sql():
    class Wrong(PostgresViewFromSQL):
        pass

    return Wrong, InvalidViewError, r"neither sql nor get_queryset\(\)"


def declare_empty_sql():
    class Wrong(PostgresViewFromSQL):
        sql = "  ;  "

    return Wrong, InvalidViewError, "its sql is empty"


def declare_long_name():
    class Wrong(PostgresViewFromSQL):
        name = "ä" * 32
        sql = "SELECT 1 AS a"

    return Wrong, InvalidViewError, "has 64 bytes, and PostgreSQL keeps 63"


def declare_name_of_another():
    class Wrong(PostgresViewFromSQL):
        name = "good"
        sql = "SELECT 1 AS a"

    return Wrong, DuplicateViewError, r"Wrong .* and .*Good .* both claim the name 'views.good'"


def declare_broken_queryset():
    class Wrong(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Customer.objects.filter(shoe_size=44).values("id")

    return Wrong, InvalidViewError, "FieldError.*shoe_size"


def declare_empty_queryset():
    class Wrong(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Customer.objects.none().values("id")

    return Wrong, InvalidViewError, "never returns a row"


def declare_unknown_option():
    class Wrong(PostgresViewFromSQL):
        check_option = "global"
        sql = "SELECT id FROM lending_customer"

    return Wrong, InvalidViewError, "its check_option is 'global'. It can be 'local' or 'cascaded'"


def declare_option_of_a_plain_view():
    class Wrong(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        security_barrier = True
        sql = "SELECT id FROM lending_customer"

    return Wrong, InvalidViewError, "sets security_barrier, and only plain views"


def declare_index_on_a_plain_view():
    class Wrong(PostgresViewFromSQL):
        indexes = (models.Index(fields=["id"]),)
        sql = "SELECT id FROM lending_customer"

    return Wrong, InvalidViewError, "only materialised views can have indexes"


def declare_index_on_an_unknown_column():
    class Wrong(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        pk_field = "number"
        sql = "SELECT id FROM lending_customer"

    return Wrong, ViewSQLError, 'column "number" does not exist'


def declare_help_text_of_an_unknown_column():
    class Wrong(ReadableViewFromSQL):
        id = models.IntegerField(primary_key=True)
        number = models.IntegerField(help_text="There is none.")
        sql = "SELECT id FROM lending_customer"

        class Meta:
            app_label = "lending"

    return Wrong, ViewSQLError, 'refuses the help_text of a field: column "number" of .* does not exist'


def declare_name_that_raises():
    class Wrong(PostgresViewFromSQL):
        sql = "SELECT 1 AS a"

        @classproperty
        def name(cls):
            raise LookupError("no name today")

    return Wrong, InvalidViewError, "its name cannot be read: LookupError: no name today"


def declare_missing_role():
    class Wrong(PostgresViewFromSQL):
        grant_select_to = ("nobody at all",)
        sql = "SELECT id FROM lending_customer"

    return Wrong, MissingRoleError, "no role 'nobody at all' in database 'default'"


def declare_circle():
    class Wrong(PostgresViewFromSQL):
        sql = "SELECT 1 AS a FROM views.wronger"

    class Wronger(PostgresViewFromSQL):
        sql = "SELECT 1 AS a FROM views.wrong"

    return Wrong, CyclicDependencyError, r"views\.wrong(er)? → views\.wrong(er)? → views\.wrong"


DECLARATIONS = [
    pytest.param(function, id=name.removeprefix("declare_"))
    for name, function in list(globals().items())
    if name.startswith("declare_")
]


@pytest.mark.parametrize("declare", DECLARATIONS)
@pytest.mark.parametrize("run", [sync_views, plan_views])
def test_a_mistake_names_the_view_and_the_file_and_changes_nothing(declare, run, take_picture):
    before = take_picture()
    _, error, message = declare()
    with pytest.raises(error, match=f"(?s){message}") as caught:
        run()
    assert "Wrong" in str(caught.value)
    assert re.search(FILE, str(caught.value))
    assert take_picture() == before
    with pytest.raises(CommandError) as failure:
        call_command("sync_views", "--plan" if run is plan_views else "--verbosity=0")
    assert str(failure.value) == str(caught.value)


@pytest.mark.parametrize("declare", DECLARATIONS)
def test_a_mistake_in_a_view_that_exists_changes_nothing(declare, take_picture, registered):
    """As above, but the view exists already, so that the error is found in the dry run."""

    class Wrong(PostgresViewFromSQL):
        sql = "SELECT 1 AS a"

    sync_views()
    before = take_picture()
    registered.unregister(Wrong)
    _, error, message = declare()
    with pytest.raises(error, match=f"(?s){message}"):
        sync_views()
    assert take_picture() == before


def test_all_mistakes_are_reported_at_once():
    declare_two_statements()

    class AlsoWrong(PostgresViewFromSQL):
        pass

    with pytest.raises(InvalidViewsError) as caught:
        sync_views()
    assert len(caught.value.errors) == 2


def test_a_reader_of_a_broken_view_says_which_one_it_is():
    declare_syntax_error()

    class Reader(PostgresViewFromSQL):
        sql = "SELECT * FROM views.wrong"

    with pytest.raises(
        InvalidViewsError, match=r"Reader .* could not be tried, because it reads views\.wrong"
    ):
        plan_views()


def test_a_change_that_breaks_a_reader_is_found_before_anything_is_touched(take_picture, registered):
    before = take_picture()
    registered.unregister(next(view for view in registered.views() if view.__name__ == "Good"))

    class Good(PostgresViewFromSQL):
        sql = "SELECT id FROM lending_customer"

    with pytest.raises(ViewSQLError, match=r'Better .*column "city" does not exist'):
        sync_views()
    assert take_picture() == before


def test_a_self_reference_is_a_circle():
    class Narcissus(PostgresViewFromSQL):
        sql = "SELECT * FROM views.narcissus"

    with pytest.raises(CyclicDependencyError, match=r"views\.narcissus → views\.narcissus"):
        sync_views()


def test_dependencies_declared_in_a_circle_are_an_error():
    class First(PostgresViewFromSQL):
        sql = "SELECT 1 AS a"

    class Second(PostgresViewFromSQL):
        view_dependencies = (First,)
        sql = "SELECT 1 AS a"

    First.view_dependencies = [Second]
    with pytest.raises(CyclicDependencyError, match=r"views\.\w+ → views\.\w+ → views\.\w+"):
        sync_views()


def test_a_dependency_in_another_database_is_an_error():
    class Elsewhere(PostgresViewFromSQL):
        database = "warehouse"
        sql = "SELECT 1 AS a"

    class Reader(PostgresViewFromSQL):
        view_dependencies = (Elsewhere,)
        sql = "SELECT 1 AS a"

    with pytest.raises(InvalidViewDependencies, match=r"Reader .*'default', but depends on .*'warehouse'"):
        sync_views(databases=["default"])


def test_a_broken_import_names_the_file_and_the_line(tmp_path, monkeypatch, take_picture):
    before = take_picture()
    app = tmp_path / "broken_app"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "postgres_views.py").write_text("import os\nimport a_module_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    with (
        pytest.raises(
            ViewModuleError, match=r"broken_app/postgres_views\.py, line 2, .*a_module_that_is_not"
        ),
        modify_settings(INSTALLED_APPS={"append": "broken_app"}),
    ):
        pytest.fail("the apps were loaded all the same")
    sys.modules.pop("broken_app", None)
    assert take_picture() == before


def test_a_syntax_error_in_a_views_module_names_the_file_and_the_line(tmp_path, monkeypatch):
    app = tmp_path / "garbled_app"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "postgres_views.py").write_text(
        textwrap.dedent("""
        class Wrong(
    """)
    )
    monkeypatch.syspath_prepend(tmp_path)
    with (
        pytest.raises(ViewModuleError, match=r"garbled_app/postgres_views\.py, line 2, .*SyntaxError"),
        modify_settings(INSTALLED_APPS={"append": "garbled_app"}),
    ):
        pytest.fail("the apps were loaded all the same")
    sys.modules.pop("garbled_app", None)


@pytest.mark.django_db(databases="__all__")  # loading apps has django.contrib.postgres ask each for its types
def test_an_app_without_views_is_no_error(tmp_path, monkeypatch):
    app = tmp_path / "plain_app"
    app.mkdir()
    (app / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with modify_settings(INSTALLED_APPS={"append": "plain_app"}):
        pass
    sys.modules.pop("plain_app", None)


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_a_database_that_does_not_answer_is_named_and_the_others_stay_as_they_are(misdirect, take_picture):
    misdirect("warehouse", {"HOST": "127.0.0.1", "PORT": "1", "NAME": "absent"})

    class Lost(PostgresViewFromSQL):
        database = "warehouse"
        sql = "SELECT 1 AS a"

    class New(PostgresViewFromSQL):
        sql = "SELECT 1 AS a"

    before = take_picture()
    for run in (sync_views, plan_views):
        with pytest.raises(
            DatabaseUnavailableError, match=r"'warehouse' \(127\.0\.0\.1:1/absent\) does not answer"
        ):
            run()
    assert take_picture() == before
    (status,) = (s for s in get_statuses() if s.database == "warehouse")
    assert isinstance(status.error, DatabaseUnavailableError)
    assert [(view.label, view.state) for view in status.views] == [("tests.Lost", State.UNREADABLE)]


def test_a_database_that_cannot_have_views_is_named(add_database):
    add_database("file", {"ENGINE": "tests.core.checks.oracle"})

    class Misplaced(PostgresViewFromSQL):
        database = "file"
        sql = "SELECT 1 AS a"

    with pytest.raises(UnsupportedDatabaseError, match=r"'file' is Oracle.*Misplaced"):
        sync_views()


def test_an_unknown_alias_is_named():
    with pytest.raises(UnsupportedDatabaseError, match=r"no database 'wherehouse' in DATABASES.*'warehouse'"):
        sync_views(databases=["wherehouse"])


@override_settings(ORM_VIEWS={"GRANT_SELECT_TO": ["a role of the settings"]})
def test_a_missing_role_of_the_settings_says_so(take_picture):
    before = take_picture()
    with pytest.raises(
        MissingRoleError, match=r"'a role of the settings'.*ORM_VIEWS\['GRANT_SELECT_TO'\] names it"
    ):
        sync_views()
    assert take_picture() == before


def test_a_missing_role_of_the_command_line_says_so(take_picture):
    before = take_picture()
    with pytest.raises(CommandError, match="--grant-select-permissions-to-user names it"):
        call_command("sync_views", "--grant-select-permissions-to-user", "a role of the command line")
    assert take_picture() == before


def test_a_failure_half_way_leaves_everything_as_it_was(take_picture, execute):
    """The view is valid, so filling it fails after the sync has begun to write."""
    before = take_picture()

    class Aaa(PostgresViewFromSQL):
        sql = "SELECT 1 AS a"

    class Zzz(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        view_dependencies = (Aaa,)
        sql = "SELECT 1 / (length(current_database()) - length(current_database())) AS a"

    with pytest.raises(ViewSQLError, match=r"Zzz .*division by zero"):
        sync_views()
    assert take_picture() == before


def test_an_invalid_view_is_shown_as_such_beside_the_others():
    declare_two_statements()
    (status,) = get_statuses(["default"])
    by_label = {view.label: view.state for view in status.views}
    assert by_label == {
        "tests.Good": State.SYNCED,
        "tests.Better": State.SYNCED,
        "tests.Wrong": State.INVALID,
    }


def test_every_error_of_ours_has_the_common_parent():
    for error in (
        ViewSQLError,
        MissingRoleError,
        LockNotAvailableError,
        DatabaseUnavailableError,
        ViewModuleError,
    ):
        assert issubclass(error, OrmViewsError)
