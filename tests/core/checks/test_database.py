"""The checks that read the database. Each test is named after the id that it is about."""

from __future__ import annotations

import datetime as dt
import itertools
import random

import django
import pytest
from django.core.checks import WARNING, run_checks
from django.core.management import call_command
from django.db import connection, connections, models
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone
from django.utils.functional import classproperty

from orm_views_core.checks.database import check_views
from orm_views_core.sync import sync_views
from orm_views_core.views import (
    BasePostgresView,
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
)
from tests.demo.lending import postgres_views as lending_views
from tests.demo.lending.models import Customer, Loan, Product
from tests.demo.payments import postgres_views as payments_views

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("isolated_models")]


class Meta:
    app_label = "lending"


def readable(class_name, sql, *bases, **attributes):
    """Declare a readable view."""
    body = {"sql": sql, "__module__": __name__, "Meta": type("Meta", (Meta,), {}), **attributes}
    return type(ReadableViewFromSQL)(class_name, (*bases, ReadableViewFromSQL), body)


def key():
    return models.IntegerField(primary_key=True)


def check():
    """The warnings of the default database, after a sync."""
    sync_views()
    return check_views(None, databases=["default"])


def only(messages, number):
    """The one message there is, of one id, with where its class is written and a hint."""
    (message,) = messages
    assert (message.id, message.level) == (f"orm_views_core.{number}", WARNING)
    assert ", line " in message.msg
    assert message.hint
    return message


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_the_views_of_the_demonstration_are_right(registered, demo_data):
    for view in [*vars(lending_views).values(), *vars(payments_views).values()]:
        if isinstance(view, type) and issubclass(view, BasePostgresView) and "tests.demo" in view.__module__:
            registered.register(view)
    assert len(registered.views()) == 20
    assert check() == []
    assert check_views(None, databases=["warehouse"]) == []


def test_w010_a_field_without_a_column():
    readable(
        "Lost", "SELECT 1 AS id, 2 AS town", id=key(), town=models.IntegerField(), city=models.TextField()
    )
    message = only(check(), "W010")
    assert "lending.Lost (" in message.msg
    assert "its field 'city' reads a column 'city', which views.lost does not have." in message.msg
    assert "The view has id, town." in message.hint
    assert "`manage.py inspect_view lending.Lost`" in message.hint


def test_w010_a_model_without_a_key():
    readable("Keyless", "SELECT 'a' AS code", code=models.TextField())
    message = only(check(), "W010")
    assert "no field has primary_key=True, so Django reads a column 'id'" in message.msg
    assert "primary_key=True" in message.hint


def test_w010_a_foreign_key_reads_the_column_that_its_db_column_says():
    product = models.ForeignKey(Product, models.DO_NOTHING, db_constraint=False, related_name="+")
    readable("Named", "SELECT 1 AS id, 2::bigint AS product_id", id=key(), product=product)
    assert check() == []


def test_w011_columns_without_a_field():
    readable("Wide", "SELECT 1 AS id, 2 AS a, 3 AS b", id=key(), a=models.IntegerField())
    readable("Wider", "SELECT 1 AS id, 2 AS a, 3 AS b", id=key())
    readable("Bare", "SELECT 1 AS id, 2 AS a")
    one, two = check()
    assert only([one], "W011").msg.endswith("none of its fields reads the column 'b' of views.wide.")
    assert only([two], "W011").msg.endswith("none of its fields reads the columns 'a', 'b' of views.wider.")
    assert "`manage.py inspect_view lending.Wide`" in one.hint


def test_w012_a_field_that_does_not_fit_its_column():
    readable(
        "Unfit",
        "SELECT 1 AS id, now() AS at, 1.5 AS share",
        id=key(),
        at=models.DateField(),
        share=models.FloatField(),
    )
    at, share = check()
    assert only([at], "W012").msg.endswith(
        "its field 'at' (DateField) is for date, but the column 'at' is timestamp with time zone."
    )
    assert "Write at = models.DateTimeField()" in at.hint
    assert "at::date" in at.hint
    assert (
        "its field 'share' (FloatField) is for double precision, but the column 'share' is numeric"
        in share.msg
    )


def test_w012_takes_a_foreign_keys_type_from_its_target_and_a_generated_fields_from_its_output():
    product = models.ForeignKey(Product, models.DO_NOTHING, db_constraint=False, related_name="+")
    twice = models.GeneratedField(
        expression=models.F("id") * 2, output_field=models.IntegerField(), db_persist=True
    )
    readable("Fit", "SELECT 1 AS id, 2 AS product_id, 2 AS twice", id=key(), product=product, twice=twice)
    assert check() == []
    product = models.ForeignKey(Product, models.DO_NOTHING, db_constraint=False, related_name="+")
    readable("Unfit", "SELECT 1 AS id, 'a' AS product_id", id=key(), product=product)
    assert "its field 'product' (ForeignKey) is for bigint" in only(check(), "W012").msg


def test_w012_a_custom_field_is_asked_for_its_type(execute):
    execute("CREATE TYPE mood AS ENUM ('sad', 'fine')")
    execute("CREATE DOMAIN mail AS text")

    class MoodField(models.Field):
        def db_type(self, connection):
            return "mood"

    class MailField(models.Field):
        def db_type(self, connection):
            return "mail"

    sql = "SELECT 1 AS id, 'sad'::mood AS feeling, 'a'::mail AS address, 'b'::mail AS other, 'c' AS plain"
    texts = {"other": models.TextField(), "plain": MailField()}
    readable("Custom", sql, id=key(), feeling=MoodField(), address=MailField(), **texts)
    readable("Wrong", "SELECT 1 AS id, 2 AS feeling", id=key(), feeling=MoodField())
    assert "its field 'feeling' (MoodField) is for mood" in only(check(), "W012").msg


def test_w013_nulls_in_a_column_whose_field_has_none():
    sql = "SELECT 1 AS id, NULL::text AS city, NULL::text AS town UNION ALL SELECT 2, 'York', 'York'"
    fields = {"city": models.TextField(), "town": models.TextField(null=True)}
    readable("Holes", sql, id=key(), **fields)
    message = only(check(), "W013")
    assert message.msg.endswith("its field 'city' is not null=True, but the column 'city' has NULLs.")
    assert "null=True, blank=True" in message.hint
    assert "coalesce(city, …)" in message.hint


def test_w013_nulls_in_a_key():
    readable("Unkeyed", "SELECT NULL::int AS id UNION ALL SELECT 1", PostgresMaterialisedViewMixin, id=key())
    message = only(check(), "W013")
    assert "its field 'id' is the key, but the column 'id' has NULLs" in message.msg
    assert "WHERE id IS NOT NULL" in message.hint


def test_w014_a_key_that_rows_share():
    sql = "SELECT 1 AS a, n % 2 AS b, 'secret' AS c FROM generate_series(1, 5) AS n"
    fields = {"a": models.IntegerField(), "b": models.IntegerField(), "c": models.TextField()}
    for name, bases in (("Stored", [PostgresMaterialisedViewMixin]), ("Plain", [])):
        readable(name, sql, *bases, pk=models.CompositePrimaryKey("a", "b"), **fields)
        fields = {field: value.clone() for field, value in fields.items()}
    stored, plain = check()
    assert "lending.Stored" in stored.msg  # what is stored costs least, and is looked at first
    for message in (stored, plain):
        said = "its key, columns 'a', 'b', is not unique: 3 rows have the same value."
        assert only([message], "W014").msg.endswith(said)
        assert "secret" not in message.msg + message.hint


@pytest.mark.parametrize("unique", ["a", ("b", "a")])
def test_w014_a_key_of_which_an_index_keeps_a_part_unique_is_not_looked_at(unique):
    fields = {"a": models.IntegerField(), "b": models.IntegerField()}
    bases = [PostgresMaterialisedViewMixin]
    pk = models.CompositePrimaryKey("a", "b")
    readable("Stored", "SELECT 1 AS a, 2 AS b", *bases, pk_field=unique, pk=pk, **fields)
    sync_views()
    with CaptureQueriesContext(connection) as queries:
        assert check_views(None, databases=["default"]) == []
    assert any("bool_or" in query["sql"] for query in queries)
    assert not any("HAVING" in query["sql"] for query in queries)


def test_w014_rows_without_a_key_share_none():
    readable("Unkeyed", "SELECT NULL::int AS id FROM generate_series(1, 3)", id=key())
    assert only(check(), "W013")


def test_w014_an_index_on_more_than_the_key_says_nothing_of_it():
    sql = "SELECT 1 AS id, n AS b FROM generate_series(1, 2) AS n"
    bases = [PostgresMaterialisedViewMixin]
    readable("Stored", sql, *bases, pk_field=("id", "b"), id=key(), b=models.IntegerField())
    assert "column 'id', is not unique: 2 rows have the same value" in only(check(), "W014").msg


def test_w013_and_w014_together_take_no_longer_than_count_timeout():
    slow = "SELECT 1 AS id, pg_sleep(5)::text AS a UNION ALL SELECT 1, NULL"
    for number in range(3):
        readable(f"Slow{number}", slow, id=key(), a=models.TextField())
    shared = "SELECT 1 AS id UNION ALL SELECT 1"
    readable("Quick", shared, PostgresMaterialisedViewMixin, id=key())
    sync_views()
    started = timezone.now()
    with override_settings(ORM_VIEWS={"COUNT_TIMEOUT": 0.5}):
        message = only(check_views(None, databases=["default"]), "W014")
    assert "lending.Quick" in message.msg
    assert (timezone.now() - started).total_seconds() < 3


def test_w013_and_w014_pass_over_what_cannot_be_read():
    class Empty(PostgresMaterialisedViewMixin, ReadableViewFromSQL):
        with_data = False
        sql = "SELECT NULL::int AS id"
        id = key()

        class Meta:
            app_label = "lending"

    readable("Failing", "SELECT 1 / (id - id) AS id FROM lending_customer", id=key())
    Customer.objects.create(
        email="a@b.c", first_name="A", last_name="B", date_of_birth="2000-01-01", registered_on="2020-01-01"
    )
    assert check() == []


def test_w015_a_view_that_cannot_be_written_through():
    class Grouped(PostgresViewFromSQL):
        updatable = True
        sql = "SELECT city, count(*) AS customers FROM lending_customer GROUP BY city"

    class Writable(PostgresViewFromSQL):
        updatable = True
        sql = "SELECT id, city FROM lending_customer"

    class Silent(PostgresViewFromSQL):
        sql = "SELECT count(*) AS customers FROM lending_customer"

    message = only(check(), "W015")
    assert "Grouped (" in message.msg
    assert (
        "updatable = True, but PostgreSQL refuses INSERT, UPDATE and DELETE on views.grouped" in message.msg
    )
    assert "GROUP BY" in message.hint


def test_w015_triggers_and_rules_let_a_view_be_written(execute):
    class Grouped(PostgresViewFromSQL):
        updatable = True
        sql = "SELECT city, count(*) AS customers FROM lending_customer GROUP BY city"

    sync_views()
    execute("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    execute("CREATE TRIGGER t INSTEAD OF INSERT ON views.grouped FOR EACH ROW EXECUTE FUNCTION nothing()")
    message = only(check_views(None, databases=["default"]), "W015")
    assert "refuses UPDATE and DELETE on" in message.msg
    execute(
        "CREATE TRIGGER u INSTEAD OF UPDATE OR DELETE ON views.grouped"
        " FOR EACH ROW EXECUTE FUNCTION nothing()"
    )
    assert check_views(None, databases=["default"]) == []


@pytest.mark.usefixtures("committed_views")
def test_w015_a_view_that_somebody_holds_is_not_waited_for(other):
    class Grouped(PostgresViewFromSQL):
        updatable = True
        sql = "SELECT city, count(*) AS customers FROM lending_customer GROUP BY city"

    sync_views()
    other.execute("ALTER VIEW views.grouped OWNER TO CURRENT_USER")
    assert check_views(None, databases=["default"]) == []
    other.execute("ROLLBACK")
    assert only(check_views(None, databases=["default"]), "W015")


def test_w016_sql_that_is_another_one_each_time():
    numbers = itertools.count()

    class Changing(PostgresViewFromSQL):
        @classproperty
        def sql(cls):
            return f"SELECT {next(numbers)} AS id"

    class Random(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Customer.objects.filter(id=random.getrandbits(60)).values("id")

    for message in (messages := check_views(None, databases=["default"])):
        assert only([message], "W016").msg.endswith(
            "its SQL differs each time it is compiled, so every sync changes the view."
        )
        assert "Now()" in message.hint
    assert len(messages) == 2


@pytest.mark.parametrize(
    "taken",
    [
        lambda: timezone.now().replace(minute=0, second=0, microsecond=0),
        lambda: dt.datetime.now().replace(minute=0, second=0, microsecond=0),
        dt.date.today,
    ],
    ids=["aware", "naive", "date"],
)
def test_w016_a_parameter_that_looks_taken_from_the_clock(taken):
    class Recent(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            shown = models.Value(taken(), output_field=models.Field())
            return Loan.objects.annotate(at=shown).values("id", "at")

    message = only(check_views(None, databases=["default"]), "W016")
    assert f"its SQL contains {str(taken())[:10]}" in message.msg
    assert "TruncDate(Now())" in message.hint


def test_w016_says_nothing_of_constants_and_of_the_databases_own_clock():
    class Steady(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Loan.objects.filter(opened_on__gte=dt.date(2020, 1, 1), opened_on__lte=Now()).values("id")

    assert check_views(None, databases=["default"]) == []


def test_a_view_that_the_next_sync_changes_is_not_compared(registered, execute):
    readable("Missing", "SELECT 1 AS id", id=key(), lost=models.TextField())
    assert check_views(None, databases=["default"]) == []
    changing = readable("Changing", "SELECT 1 AS id", id=key())
    registered.unregister(next(view for view in registered.views() if view is not changing))
    assert check() == []
    registered.unregister(changing)
    fields = {"id": key(), "lost": models.TextField()}
    changed = readable("Changed", "SELECT 1 AS id, 'a' AS lost", name="changing", **fields)
    assert check_views(None, databases=["default"]) == []
    registered.unregister(changed)
    readable("Wrong", "SELECT 1 AS id", name="changing", id=key(), lost=models.TextField())
    execute("COMMENT ON VIEW views.changing IS 'by hand'")
    assert check_views(None, databases=["default"]) == []
    sync_views()
    assert only(check_views(None, databases=["default"]), "W010")


def test_w012_the_hint_for_a_queryset_is_a_cast_in_the_queryset():
    class Cities(ReadableViewFromQueryset):
        id = models.BigIntegerField(primary_key=True)
        city = models.IntegerField()

        class Meta:
            app_label = "lending"

        @classmethod
        def get_queryset(cls):
            return Customer.objects.values("id", "city")

    message = only(check(), "W012")
    assert "its field 'city' (IntegerField) is for integer" in message.msg
    assert "or Cast(…, IntegerField()) of django.db.models.functions in the queryset." in message.hint


def test_the_number_of_questions_to_the_catalogs_does_not_depend_on_that_of_the_views():
    def count():
        sync_views()
        with CaptureQueriesContext(connection) as queries:
            assert len(check_views(None, databases=["default"])) > 0
        return len([query for query in queries if "pg_catalog.pg_class" in query["sql"]])

    def declare(name):
        sql = "SELECT count(*) AS id, 2 AS a FROM lending_loan"
        readable(name, sql, id=key(), a=models.TextField(), updatable=True)

    declare("First")
    first = count()
    for number in range(10):
        declare(f"Further{number}")
    assert count() == first


def test_an_invalid_class_is_left_to_the_sync():
    class Empty(PostgresViewFromSQL):
        sql = ""

    readable("Wide", "SELECT 1 AS id", id=key())
    assert check_views(None, databases=["default"]) == []


def test_a_wrong_setting_is_left_to_e001():
    readable("Sound", "SELECT 1 AS id", id=key())
    with override_settings(ORM_VIEWS={"SCHEMA": ""}):
        assert check_views(None, databases=["default"]) == []


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_only_the_databases_that_are_asked_for_are_asked(settings):
    readable("Lost", "SELECT 1 AS id", id=key(), city=models.TextField())
    sync_views()
    for databases in (None, [], ["warehouse"]):
        assert check_views(None, databases=databases) == []
    asked = [m.id for m in run_checks(databases=["default"]) if m.id.startswith("orm_views_core")]
    assert asked == ["orm_views_core.W010"]
    assert [m for m in run_checks() if m.id.startswith("orm_views")] == []
    # From 6.1 on, Django runs the checks of a tag on all databases when no database is named.
    asked = ["orm_views_core.W010"] if django.VERSION >= (6, 1) else []
    assert [m.id for m in run_checks(tags=["orm_views"]) if m.id.startswith("orm_views_core")] == asked


def test_a_database_that_does_not_answer_or_has_no_views_is_left_to_who_needs_it(add_database, misdirect):
    add_database("oracle", {"ENGINE": "tests.core.checks.oracle"})
    misdirect("default", {"HOST": "/nowhere"})
    for alias in ("oracle", "default", "nowhere"):
        readable(f"In{alias}", "SELECT 1 AS id", id=key(), database=alias)
    assert check_views(None, databases=["oracle", "default", "nowhere"]) == []


def test_a_connection_that_is_lost_meanwhile_is_no_failure(misdirect, other):
    misdirect("default", {})
    ended = []

    class Ending(PostgresViewFromSQL):
        @classproperty
        def sql(cls):
            if not ended:
                with connections["default"].cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    ended.append(cursor.fetchone())
                other.execute("SELECT pg_terminate_backend(%s, 5000)", ended[0])
            return "SELECT 1 AS id"

    assert check_views(None, databases=["default"]) == []
    assert ended


def test_migrate_prints_the_warnings_and_goes_on(capsys):
    readable("Lost", "SELECT 1 AS id", id=key(), city=models.TextField())
    sync_views()
    call_command("migrate", no_color=True, skip_checks=False, verbosity=1)
    printed = capsys.readouterr()
    assert "orm_views_core.W010" in printed.err
    assert "No migrations to apply." in printed.out
