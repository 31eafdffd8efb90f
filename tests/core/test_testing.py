"""Materialised views in a project's tests have the rows of the test's data, and of no other test's."""

from __future__ import annotations

import unittest

import pytest
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.test import SimpleTestCase, TestCase, TransactionTestCase

from orm_views_core import signals
from orm_views_core.exceptions import RefreshError, UnknownViewError
from orm_views_core.status import get_statuses
from orm_views_core.sync import sync_views
from orm_views_core.testing import RefreshedViewsMixin, refresh_for_test
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.oldstyle.models import Table1, TestModel, TestModelWithForeignKey

pytestmark = pytest.mark.django_db


def declare(class_name, sql="SELECT 1 AS id", materialised=True, **attributes):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


@pytest.fixture
def chain():
    """A ← B (plain) ← C, and D, all of Table1 but declared against their order."""
    views = {
        "C": declare("C", "SELECT col_b FROM views.b"),
        "B": declare("B", "SELECT col_b FROM views.a", materialised=False),
        "D": declare("D", "SELECT col_b FROM oldstyle_table1"),
        "A": declare("A", "SELECT col_b FROM oldstyle_table1"),
    }
    sync_views()
    return views


def add(number):
    return Table1.objects.create(name="", col_a="", col_b=number)


def rows(view, alias=DEFAULT_DB_ALIAS):
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT * FROM views.{view} ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]


def sync_states():
    return {view.name: view.installed.state for view in get_statuses()[0].views}


def names(views):
    return [view.name for view in views]


class TestRefreshForTest:
    def test_all_are_refreshed_each_after_what_it_reads(self, chain):
        add(7)
        assert sorted(names(refreshed := refresh_for_test())) == ["a", "c", "d"]
        assert names(refreshed).index("a") < names(refreshed).index("c")
        assert (rows("a"), rows("c"), rows("d")) == ([7], [7], [7])

    @pytest.mark.parametrize("how", ["class", "c", "views.c", "tests.C"])
    def test_what_is_named_is_refreshed_after_the_materialised_views_that_it_reads(self, chain, how):
        add(7)
        assert names(refresh_for_test(chain["C"] if how == "class" else how)) == ["a", "c"]
        assert (rows("c"), rows("d")) == ([7], [])

    def test_one_that_no_class_declares_is_refreshed_on_the_way(self, chain, execute):
        execute("CREATE MATERIALIZED VIEW made_by_hand AS SELECT col_b FROM oldstyle_table1")
        declare("E", "SELECT col_b FROM made_by_hand")
        sync_views()
        add(7)
        assert names(refresh_for_test("e")) == ["made_by_hand", "e"]
        assert rows("e") == [7]

    def test_several_may_be_named_and_one_twice(self, chain):
        assert names(refresh_for_test("d", chain["D"], "a")) == ["a", "d"]

    def test_one_that_was_created_empty_can_be_read_afterwards(self):
        declare("Later", with_data=False)
        sync_views()
        refresh_for_test()
        assert rows("later") == [1]

    def test_it_is_rolled_back_with_the_transaction(self, chain):
        with transaction.atomic():
            add(7)
            refresh_for_test()
            assert rows("c") == [7]
            transaction.set_rollback(True)
        assert rows("c") == []

    def test_rows_whose_constraints_are_still_to_be_checked_are_no_obstacle(self):
        declare("Keys", "SELECT foreign_key_id FROM oldstyle_testmodelwithforeignkey")
        sync_views()
        parent = TestModel.objects.create(
            integer_col=1, character_col="", date_col="2026-01-01", datetime_col="2026-01-01T00:00Z"
        )
        TestModelWithForeignKey.objects.create(foreign_key=parent)
        refresh_for_test()
        assert rows("keys") == [parent.pk]

    def test_nothing_that_comes_later_notices(self, chain, execute):
        sent = []

        def receive(**kwargs):
            sent.append(kwargs)

        signals.view_refreshed.connect(receive)
        before = execute("SELECT current_setting('lock_timeout')"), sync_states()
        refresh_for_test()
        signals.view_refreshed.disconnect(receive)
        assert (execute("SELECT current_setting('lock_timeout')"), sync_states()) == before
        assert sent == []

    @pytest.mark.django_db(databases=["default", "warehouse"])
    def test_only_the_databases_of_the_test_are_touched(self):
        declare("Here")
        declare("There", database="warehouse")
        sync_views()
        assert names(refresh_for_test()) == ["here"]
        assert names(refresh_for_test(databases={"warehouse"})) == ["there"]
        assert names(refresh_for_test(databases="__all__")) == ["here", "there"]
        assert names(refresh_for_test("there", databases="__all__")) == ["there"]

    def test_a_database_without_materialised_views_is_asked_nothing(self, django_assert_num_queries):
        declare("Plain", materialised=False)
        with django_assert_num_queries(0):
            assert refresh_for_test(databases="__all__") == []

    def test_a_view_of_a_database_that_the_test_does_not_use_is_said(self):
        there = declare("There", database="warehouse")
        for view in (there, "there"):
            with pytest.raises(
                UnknownViewError,
                match=r"tests\.There .* in database 'warehouse', which this test does not use",
            ):
                refresh_for_test(view)

    def test_a_name_that_no_view_has_is_said(self, chain):
        with pytest.raises(UnknownViewError, match="No registered view is called 'nobody'"):
            refresh_for_test("nobody")

    def test_a_plain_view_is_said(self, chain):
        for view in (chain["B"], "views.b"):
            with pytest.raises(UnknownViewError, match=r"views\.b is not a materialised view"):
                refresh_for_test(view)

    def test_a_class_that_is_not_registered_is_said(self, chain):
        for stranger in (PostgresViewFromSQL, int):
            with pytest.raises(UnknownViewError, match=f"{stranger.__name__} is not registered as a view"):
                refresh_for_test(stranger)

    def test_a_view_that_is_not_in_the_database_is_said_with_what_to_set(self, chain):
        declare("New")
        with pytest.raises(RefreshError) as caught:
            refresh_for_test()
        said = str(caught.value)
        assert said.startswith("tests.New (")
        assert "views.new is not a materialised view in database 'default'" in said
        assert "Set ORM_VIEWS['SYNC_ON_MIGRATE'] to True" in said

    def test_with_the_setting_it_is_the_database_that_is_old(self, settings):
        settings.ORM_VIEWS = {"SYNC_ON_MIGRATE": True}
        declare("New")
        with pytest.raises(RefreshError, match=r"kept from an earlier run.*--create-db"):
            refresh_for_test()

    def test_of_a_mirror_is_said_that_django_does_not_migrate_it(self, monkeypatch):
        declare("New")
        monkeypatch.setitem(connections["default"].settings_dict["TEST"], "MIRROR", "primary")
        with pytest.raises(RefreshError, match="the alias 'default' mirrors 'primary'"):
            refresh_for_test()

    def test_what_postgresql_refuses_is_said_and_the_transaction_goes_on(self):
        declare("Inverse", "SELECT 1 / col_b AS id FROM oldstyle_table1")
        sync_views()
        add(0)
        with pytest.raises(RefreshError, match=r"views\.inverse in database 'default'.*division by zero"):
            refresh_for_test()
        assert rows("inverse") == []


def run(case):
    """Run a test case as unittest does, and return what went wrong."""
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case)(result)
    assert result.testsRun or result.errors
    return [text for _, text in result.errors + result.failures]


@pytest.mark.usefixtures("committed_views", "chain")
class TestTheMixin:
    def test_a_test_case_reads_what_its_class_made(self):
        class Case(RefreshedViewsMixin, TestCase):
            @classmethod
            def setUpTestData(cls):
                cls.row = add(7)

            def test_once(self):
                assert rows("c") == [7]
                add(8)
                assert rows("c") == [7]
                assert sorted(names(self.refresh_views())) == ["a", "c", "d"]
                assert rows("c") == [7, 8]

            test_twice = test_once

        assert run(Case) == []
        assert (rows("c"), Table1.objects.count()) == ([], 0)

    def test_only_what_is_named_is_refreshed_again(self):
        class Case(RefreshedViewsMixin, TestCase):
            def test(self):
                add(7)
                self.refresh_views("views.c")
                assert (rows("c"), rows("d")) == ([7], [])

        assert run(Case) == []

    def test_the_data_of_the_class_may_be_refreshed_while_it_is_made(self):
        class Case(RefreshedViewsMixin, TestCase):
            @classmethod
            def setUpTestData(cls):
                add(7)
                cls.refresh_views("c")
                cls.seen = rows("c")

            def test(self):
                assert self.seen == [7]

        assert run(Case) == []

    def test_a_transaction_test_case_reads_before_each_test_what_there_is(self):
        class Case(RefreshedViewsMixin, TransactionTestCase):
            def test_once(self):
                assert rows("c") == []
                add(7)
                self.refresh_views()
                assert rows("c") == [7]

            test_twice = test_once

        assert run(Case) == []
        assert (rows("c"), Table1.objects.count()) == ([], 0)

    def test_a_class_whose_views_cannot_be_refreshed_leaves_nothing_behind(self):
        declare("Inverse", "SELECT 1 / col_b AS id FROM oldstyle_table1")
        sync_views()

        class Case(RefreshedViewsMixin, TestCase):
            @classmethod
            def setUpTestData(cls):
                add(0)

            def test(self):
                raise AssertionError("it must not come to that")

        (error,) = run(Case)
        assert "division by zero" in error
        assert not connections["default"].in_atomic_block
        assert Table1.objects.count() == 0

    def test_a_database_that_the_case_does_not_use_is_left_alone(self):
        declare("There", database="warehouse")

        class Case(RefreshedViewsMixin, TestCase):
            def test(self):
                assert sorted(names(self.refresh_views())) == ["a", "c", "d"]

        assert run(Case) == []


def test_the_mixin_behind_its_test_case_is_said():
    with pytest.raises(TypeError, match="Case: RefreshedViewsMixin comes after its test case"):

        class Case(TestCase, RefreshedViewsMixin):
            pass

    class Base(RefreshedViewsMixin):
        """A mixin of a project's own."""

    assert issubclass(type("Case", (Base, TestCase), {}), SimpleTestCase)
