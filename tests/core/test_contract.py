"""The usage of django-orm-views 2.0.3, as its documentation shows it, after changing only the import root."""

from __future__ import annotations

import datetime as dt
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import connection, connections, models, transaction
from django.db.models import F
from django.utils.functional import classproperty

from orm_views_core.exceptions import CyclicDependencyError, InvalidViewDepencies, InvalidViewDependencies
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import refresh_materialized_view, sync_views
from orm_views_core.views import (
    BasePostgresView,
    HiddenViewMixin,
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
)
from tests.demo.lending.models import Customer, Loan, Product
from tests.oldstyle import postgres_views as old_views
from tests.oldstyle.models import Table1

pytestmark = pytest.mark.django_db


@pytest.fixture
def customers(execute):
    for number, first_name in enumerate(["Ann", "test", "Bob"], start=1):
        Customer.objects.create(
            id=number,
            email=f"{number}@example.com",
            first_name=first_name,
            last_name="Smith",
            date_of_birth=dt.date(1980, 1, number),
            city="Leeds",
            registered_on=dt.date(2020, 1, 1),
        )


def rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


@pytest.fixture
def oldstyle(registered):
    """The views of the documentation, with a row in each table."""
    for view in vars(old_views).values():
        if getattr(view, "__module__", "") == old_views.__name__:
            registered.register(view)
    Table1.objects.create(id=1, name="test", col_a="a", col_b=2)
    sync_views()


def columns_of(view):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {view}")
        return [column.name for column in cursor.description]


def test_views_from_sql_and_from_a_queryset(oldstyle):
    assert rows("SELECT * FROM views.mysqlview") == [("a", 2)]
    assert rows("SELECT * FROM views.myquerysetview") == [("a", 2)]


def test_a_view_with_a_prefix_and_columns_of_related_models_keeps_the_names_of_its_columns(oldstyle):
    assert columns_of("views.test_complexviewfromqueryset") == [
        "id",
        "foreign_key_id",
        "integer_col",
        "character_col",
        "date_col",
        "datetime_col",
        "double_integer_col",
    ]


def test_a_readable_view_with_a_field_called_name(oldstyle):
    view = old_views.MyReadableView
    assert view.objects.all().count() == 1
    assert [row.id for row in view.objects.filter(name="test")] == [1]
    assert view.objects.get(id=1).name == "test"
    assert view.objects.only("id").get(id=1).name == "test"
    assert view.name_with_schema == '"views"."myreadableview"'


def test_columns_that_would_share_a_name_get_the_names_that_values_shows():
    class Pairs(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Loan.objects.values(
                "id", "product__code", "customer__city", "product__name", "customer__id"
            )

    class Ids(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Loan.objects.values("id", "product__annual_rate", "annual_rate")

    sync_views()
    assert columns_of("views.pairs") == ["id", "code", "city", "name", "customer_id"]
    assert columns_of("views.ids") == ["id", "product__annual_rate", "annual_rate"]


@pytest.mark.parametrize("column", ["name", "sql", "prefix", "hidden", "database", "pk_field"])
def test_a_field_may_have_the_name_of_an_attribute_of_ours(customers, column):
    view = type(
        "Clash",
        (ReadableViewFromQueryset,),
        {
            "__module__": __name__,
            "Meta": type("Meta", (), {"app_label": "lending"}),
            "id": models.IntegerField(primary_key=True),
            column: models.TextField(),
            "get_queryset": classmethod(
                lambda cls: Customer.objects.annotate(**{column: F("first_name")}).values("id", column)
            ),
        },
    )
    sync_views()
    assert view.objects.using("default").filter(**{column: "Bob"}).values_list(column, "pk").get() == (
        "Bob",
        3,
    )
    assert getattr(view.objects.defer(column).get(pk=3), column) == "Bob"
    (status,) = get_statuses(["default"])[0].views
    assert (str(status.name), status.state) == ("views.clash", State.SYNCED)


def test_a_materialised_view_is_refreshed_by_class_and_by_instance(customers):
    class Cities(PostgresMaterialisedViewMixin, ReadableViewFromSQL):
        pk_field = "city"
        city = models.TextField(primary_key=True)
        people = models.IntegerField()

        class Meta:
            app_label = "lending"

        sql = "SELECT city, count(*) AS people FROM lending_customer GROUP BY city"

    sync_views()
    Customer.objects.filter(id=1).update(city="York")
    assert Cities.objects.count() == 1
    refresh_materialized_view(Cities)
    assert Cities.objects.count() == 2
    Customer.objects.filter(id=2).update(city="Hull")
    refresh_materialized_view(Cities.objects.first(), concurrently=True)
    assert Cities.objects.count() == 3
    assert Cities.get_refresh_sql() == 'REFRESH MATERIALIZED VIEW "views"."cities";'
    assert (
        Cities.get_refresh_sql(concurrently=True)
        == 'REFRESH MATERIALIZED VIEW CONCURRENTLY "views"."cities";'
    )


def test_refreshing_concurrently_without_a_key_is_a_value_error():
    class Keyless(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        sql = "SELECT 1 AS a"

    with pytest.raises(ValueError, match="pk_field"):
        Keyless.get_refresh_sql(concurrently=True)
    with pytest.raises(ValueError, match="pk_field"):
        refresh_materialized_view(Keyless, True)


def test_hidden_views_get_no_grant_and_the_others_do(make_role):
    role = make_role("old style role")

    class Secret(HiddenViewMixin, PostgresViewFromSQL):
        sql = "SELECT 1 AS a"

    class Open(PostgresViewFromSQL):
        view_dependencies = [Secret]
        sql = "SELECT a FROM views.secret"

    sync_views(role)
    readable = "SELECT has_table_privilege('old style role', 'views.{}', 'SELECT')"
    assert rows(readable.format("open")) == [(True,)]
    assert rows(readable.format("secret")) == [(False,)]
    assert rows("SELECT has_schema_privilege('old style role', 'views', 'USAGE')") == [(True,)]


def test_the_command_prints_its_old_line(capsys, make_role):
    class V(PostgresViewFromSQL):
        sql = "SELECT 1 AS a"

    role = make_role("reporting")
    call_command("sync_views", "--grant-select-permissions-to-user", role)
    assert "Successfully sync'd all views using orm_views_core" in capsys.readouterr().out.splitlines()


def test_a_custom_name_and_a_classproperty_as_sql():
    class Whatever(PostgresViewFromSQL):
        name = "chosen"

        @classproperty
        def sql(cls):
            return f"SELECT '{cls.__name__}' AS word"

    assert (Whatever.name, Whatever.name_with_schema) == ("chosen", '"views"."chosen"')
    sync_views()
    assert rows("SELECT word FROM views.chosen") == [("Whatever",)]


def test_a_readable_view_may_have_meta_and_a_custom_name(customers):
    class Chosen(ReadableViewFromSQL):
        name = "people"
        id = models.IntegerField(primary_key=True)
        sql = "SELECT id FROM lending_customer"

        class Meta:
            app_label = "lending"
            ordering = ("-id",)
            verbose_name = "person"

    sync_views()
    assert [row.id for row in Chosen.objects.all()] == [3, 2, 1]
    assert Chosen._meta.db_table == '"views"."people"'
    assert (Chosen._meta.managed, Chosen._meta.verbose_name) == (False, "person")


def test_base_classes_are_not_registered(registered):
    class Base(PostgresViewFromSQL, should_register=False):
        prefix = "base"

    class AbstractReadable(ReadableViewFromSQL, is_abstract_model=True, should_register=False):
        id = models.IntegerField(primary_key=True)

        class Meta:
            abstract = True
            app_label = "lending"

    class Plain(Base):
        sql = "SELECT 1 AS a"

    class Concrete(AbstractReadable):
        sql = "SELECT 1 AS id"

    assert registered.views() == [Plain, Concrete]
    assert Plain.name == "base_plain"
    assert [field.name for field in Concrete._meta.fields] == ["id"]
    assert issubclass(Plain, BasePostgresView)


def test_creation_sql_can_be_executed_as_it_is():
    class Rows(PostgresMaterialisedViewMixin, PostgresViewFromQueryset):
        pk_field = "id"

        @classmethod
        def get_queryset(cls):
            return Product.objects.filter(name__contains="100%").values("id")

    class Text(PostgresViewFromSQL):
        sql = "SELECT 'a' LIKE 'a%' AS yes;"

    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA views")
        for view in (Rows, Text):
            cursor.execute(view.creation_sql.sql, view.creation_sql.params)
    assert rows("SELECT yes FROM views.text") == [(True,)]


@pytest.mark.parametrize("pattern", ["L%", "L%%"])
def test_one_per_cent_sign_may_be_written_as_one_or_as_two(customers, pattern):
    class Leeds(PostgresViewFromSQL):
        sql = (
            f"SELECT id, id %% 2 AS odd, id % 2 AS also_odd FROM lending_customer WHERE city LIKE '{pattern}'"
        )

    sync_views()
    assert rows("SELECT pg_get_viewdef('views.leeds'::regclass) LIKE '%''L\\%''::text%'") == [(True,)]
    assert rows("SELECT * FROM views.leeds ORDER BY id") == [(1, 1, 1), (2, 0, 0), (3, 1, 1)]


def test_per_cent_signs_and_dates_in_the_parameters_of_a_queryset(customers):
    class Named(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Customer.objects.filter(
                city__startswith="Le", email__endswith="%.com", registered_on__lte=dt.date(2021, 1, 1)
            ).values("id")

    sync_views()
    Customer.objects.filter(id=2).update(email="half%.com")
    assert rows("SELECT id FROM views.named") == [(2,)]


def test_the_exceptions_keep_their_names():
    assert InvalidViewDepencies is InvalidViewDependencies

    class Elsewhere(PostgresViewFromSQL):
        database = "warehouse"
        sql = "SELECT 1 AS a"

    class Here(PostgresViewFromSQL):
        sql = "SELECT 1 AS a"

    with pytest.raises(InvalidViewDepencies):

        class Confused(PostgresViewFromSQL):
            view_dependencies = (Elsewhere, Here)
            sql = "SELECT 1 AS a"

    assert issubclass(CyclicDependencyError, Exception)


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_a_database_that_is_not_the_default_is_synced_in_a_transaction_of_its_own():
    """The predecessor opened its transaction on the default database whatever it wrote to."""

    class There(PostgresViewFromSQL):
        database = "warehouse"
        sql = "SELECT current_database() AS here"

    opened = []
    real = transaction.atomic

    def watch(using=None, *args, **kwargs):
        opened.append(using)
        return real(using, *args, **kwargs)

    with mock.patch.object(transaction, "atomic", watch):
        sync_views(databases=["warehouse"])
    assert opened
    assert set(opened) == {"warehouse"}
    with connections["warehouse"].cursor() as cursor:
        cursor.execute("SELECT here FROM views.there")
        assert cursor.fetchone() == (connections["warehouse"].settings_dict["NAME"],)
    assert rows("SELECT to_regclass('views.there')") == [(None,)]


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_a_failure_in_another_database_leaves_that_database_as_it_was(take_picture):
    class First(PostgresViewFromSQL):
        database = "warehouse"
        sql = "SELECT 1 AS a"

    class Second(PostgresViewFromSQL):
        database = "warehouse"
        view_dependencies = (First,)
        sql = "SELECT 1 AS a FROM nothing_of_that_name"

    before = take_picture("warehouse")
    with pytest.raises(Exception, match="nothing_of_that_name"):
        sync_views()
    assert take_picture("warehouse") == before


PREDECESSOR = """
CREATE SCHEMA views;
CREATE VIEW views.plain AS SELECT id, city FROM lending_customer;;
CREATE VIEW views.reader AS SELECT city FROM views.plain;
CREATE MATERIALIZED VIEW views.stored AS SELECT id FROM views.plain;
CREATE UNIQUE INDEX stored_id ON views.stored (id);
"""


@pytest.fixture
def predecessors_views(execute):
    """What django-orm-views 2.0.3 left in a database, and the classes that it made it from."""

    class Plain(PostgresViewFromSQL):
        sql = "SELECT id, city FROM lending_customer;"

    class Reader(PostgresViewFromSQL):
        view_dependencies = (Plain,)
        sql = "SELECT city FROM views.plain"

    class Stored(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        """Ids."""

        view_dependencies = (Plain,)
        pk_field = "id"
        sql = "SELECT id FROM views.plain"

    execute(PREDECESSOR)


def test_views_of_the_predecessor_are_adopted_and_not_rebuilt(predecessors_views, execute):
    execute("CREATE VIEW public.theirs AS SELECT * FROM views.reader")
    files = (
        "SELECT relname, oid, relfilenode FROM pg_class WHERE relnamespace = 'views'::regnamespace ORDER BY 1"
    )
    before = execute(files)
    assert {view.state for view in get_statuses(["default"])[0].views} == {State.CHANGED}
    (result,) = sync_views()
    done = {(r.step.action.verb, r.step.target) for r in result.steps}
    adopted = {("adopt", f"views.{name}") for name in ("plain", "reader", "stored")}
    assert done == adopted | {("comment", "views.stored")}
    assert execute(files) == before
    assert {view.state for view in get_statuses(["default"])[0].views} == {State.SYNCED}
    assert sync_views()[0].steps == ()


def test_a_view_of_the_predecessor_that_has_changed_since_is_replaced(predecessors_views, execute):
    execute("CREATE OR REPLACE VIEW views.reader AS SELECT city FROM views.plain WHERE id > 7")
    (result,) = sync_views()
    assert ("replace", "views.reader") in {(r.step.action.verb, r.step.target) for r in result.steps}
    assert execute("SELECT pg_get_viewdef('views.reader'::regclass) LIKE '%7%'") == [(False,)]
