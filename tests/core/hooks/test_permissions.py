"""Permissions of readable views: made by migrate, although no migration has the views."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connections, models, transaction

from orm_views_core.hooks.permissions import create_view_permissions
from orm_views_core.views import ReadableViewFromSQL
from tests.demo.lending.postgres_views import ActiveLoans, LoanBook

pytestmark = pytest.mark.django_db


def codenames(view):
    return set(
        Permission.objects.filter(
            content_type__app_label=view._meta.app_label, content_type__model=view._meta.model_name
        ).values_list("codename", flat=True)
    )


def test_a_database_that_was_migrated_has_the_permissions_of_views():
    assert codenames(LoanBook) == {"view_loanbook"}


def test_who_writes_through_a_view_needs_the_permission_for_it():
    assert codenames(ActiveLoans) == {
        f"{action}_activeloans" for action in ("add", "change", "delete", "view")
    }


def test_a_new_view_gets_those_that_its_meta_says_with_the_next_migrate():
    class Reports(ReadableViewFromSQL):
        sql = "SELECT 1 AS id"
        id = models.IntegerField(primary_key=True)

        class Meta:
            app_label = "lending"
            verbose_name = "report"
            permissions = (("print_report", "Can print a report"),)

    assert codenames(Reports) == set()
    call_command("migrate", verbosity=0)
    assert codenames(Reports) == {"view_reports", "print_report"}
    assert Permission.objects.get(codename="view_reports").name == "Can view report"
    call_command("migrate", verbosity=0)
    assert Permission.objects.filter(codename="view_reports").count() == 1


def test_what_was_rolled_back_is_made_anew():
    class Reports(ReadableViewFromSQL):
        sql = "SELECT 1 AS id"
        id = models.IntegerField(primary_key=True)

        class Meta:
            app_label = "lending"

    with transaction.atomic():
        create_view_permissions()
        transaction.set_rollback(True)
    create_view_permissions()
    assert codenames(Reports) == {"view_reports"}
    with connections["default"].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_nothing_is_made_where_migrations_have_no_permissions_yet(django_assert_num_queries):
    from django.apps.registry import Apps

    with django_assert_num_queries(0):
        create_view_permissions(apps=Apps())
