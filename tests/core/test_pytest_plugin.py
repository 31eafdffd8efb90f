"""The fixture `refreshed_views`, and that the plugin does not disturb projects that do not use it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.db import connections
from django.test import TestCase

from orm_views_core.exceptions import UnknownViewError
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.environment import clean_environment
from tests.oldstyle.models import Table1


def declare(class_name, sql="SELECT 1 AS id", **attributes):
    bases = (PostgresMaterialisedViewMixin, PostgresViewFromSQL)
    return type(class_name, bases, {"sql": sql, "__module__": __name__, **attributes})


def add(number):
    return Table1.objects.create(name="", col_a="", col_b=number)


def rows(view, alias="default"):
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT * FROM views.{view} ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def numbers(db):
    """A view of Table1 in each database, and a row that came after them."""
    view = declare("Numbers", "SELECT col_b FROM oldstyle_table1")
    declare("There", "SELECT col_b FROM oldstyle_table1", database="warehouse")
    sync_views(databases=["default"])
    add(7)
    return view


def test_it_refreshes_once_by_itself_and_again_when_it_is_called(numbers, refreshed_views):
    assert rows("numbers") == [7]
    add(8)
    assert rows("numbers") == [7]
    assert refreshed_views() == [("views", "numbers")]
    assert rows("numbers") == [7, 8]


def test_it_refreshes_what_it_is_given(numbers, refreshed_views):
    declare("Other")
    add(8)
    assert refreshed_views(numbers) == [("views", "numbers")]
    assert rows("numbers") == [7, 8]


def test_it_gives_access_to_the_database(refreshed_views):
    assert Table1.objects.count() == 0


def test_it_knows_the_database_of_a_test_without_a_mark(numbers, refreshed_views):
    with pytest.raises(UnknownViewError, match="It uses 'default'; add the alias"):
        refreshed_views("there")


@pytest.fixture
def everywhere(numbers):
    sync_views(databases=["warehouse"])


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_it_refreshes_the_databases_of_the_mark(everywhere, refreshed_views):
    Table1.objects.using("warehouse").create(name="", col_a="", col_b=9)
    assert refreshed_views() == [("views", "numbers"), ("views", "there")]
    assert (rows("numbers"), rows("there", "warehouse")) == ([7], [9])


@pytest.mark.django_db(False, False, "__all__")
def test_the_mark_may_name_them_by_position(everywhere, refreshed_views):
    assert refreshed_views("there") == [("views", "there")]


@pytest.fixture
def numbers_of_class(request):
    declare("Numbers", "SELECT col_b FROM oldstyle_table1")
    sync_views(databases=["default"])


@pytest.mark.usefixtures("numbers_of_class", "refreshed_views")
class TestInATestCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        add(7)

    def test_it_refreshes_what_the_class_made(self):
        assert rows("numbers") == [7]


@pytest.fixture
def run_pytest(tmp_path):
    """A function that runs a test file in an empty project, warnings as errors, and returns the output."""

    def run(source, *arguments):
        (tmp_path / "test_it.py").write_text(source)
        command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True)
        return done.stdout + done.stderr

    return run


NEEDS_IT = "def test_it(refreshed_views): raise AssertionError"
WITHOUT_DJANGO = """
import sys

def test_nothing_of_django_is_imported():
    assert "orm_views_core.pytest_plugin" in sys.modules
    assert [name for name in sys.modules if name.split(".")[0] == "django"] == []
"""


def test_without_pytest_django_the_fixture_says_what_it_needs(run_pytest):
    said = run_pytest(NEEDS_IT, "-p", "no:django")
    assert "1 error" in said
    assert "refreshed_views needs pytest-django, which is not installed or not loaded." in said


def test_without_settings_pytest_django_skips_the_test(run_pytest):
    said = run_pytest(NEEDS_IT, "-rs")
    assert "1 skipped" in said
    assert "no Django settings" in said


@pytest.mark.parametrize("arguments", [(), ("-p", "no:django")])
def test_a_project_without_django_notices_nothing(run_pytest, arguments):
    assert "1 passed" in run_pytest(WITHOUT_DJANGO if arguments else "def test_it(): pass", *arguments)


def test_the_fixture_is_listed_with_what_it_does(run_pytest):
    assert "Database access, with the materialised views refreshed inside" in run_pytest("", "--fixtures")
