"""inspect_view: its output is pasted into a class, imported, and used to read the view."""

from __future__ import annotations

import importlib.util
import json
import textwrap

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection, models
from django.test.utils import modify_settings, override_settings

from orm_views_core.inspection import inspect_view
from orm_views_core.management.commands.inspect_view import Command
from orm_views_core.sync import sync_views
from orm_views_core.views import (
    BasePostgresView,
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromSQL,
)
from orm_views_core.views.identity import label_of
from orm_views_core.views.options import ViewOptions
from tests.demo.lending import postgres_views as lending_views
from tests.demo.lending.models import Customer
from tests.demo.payments import postgres_views as payments_views

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("isolated_models")]


@pytest.fixture
def demonstration(registered):
    """All views of the demonstration, registered."""
    views = [*vars(lending_views).values(), *vars(payments_views).values()]
    own = [v for v in views if isinstance(v, type) and v.__module__.startswith("tests.demo")]
    chosen = [v for v in own if issubclass(v, BasePostgresView)]
    for view in chosen:
        registered.register(view)
    return chosen


@pytest.fixture
def run(capsys):
    """A function that runs the command and returns what it printed."""

    def run(*args, **options):
        call_command("inspect_view", *args, no_color=True, **options)
        return capsys.readouterr().out

    return run


@pytest.fixture
def paste(run, registered, tmp_path):
    """A function that pastes what is printed below a class statement, and returns the class it makes."""

    def paste(view, bases="ReadableViewFromSQL", body=""):
        printed = run(view.__name__.lower())
        head, _, fields = printed.partition("\n\n")
        registered.unregister(view)
        path = tmp_path / f"pasted_{view.__name__}.py"
        path.write_text(
            f"from orm_views_core.views import {bases}\n{head}\n"
            f"class {view.__name__}({bases}):\n"
            f"{textwrap.indent(body, '    ')}\n    sql = {view.sql!r}\n{fields}\n"
            "    class Meta:\n        app_label = 'lending'\n"
        )
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return getattr(module, view.__name__)

    return paste


EVERYTHING = """
SELECT 7 AS id, 1::smallint AS small, 2::bigint AS big, 1.50::numeric(10,2) AS money_like, 1.5 AS anything,
       1.5::real AS "real", 2.5::float8 AS "double", true AS yes, 'x'::varchar(60) AS short,
       'y'::text AS long,
       'abc'::char(3) AS code, 'n'::name AS "name", DATE '2026-01-02' AS day, now() AS moment,
       now()::timestamp AS naive, '12:30'::time AS clock, '1 day'::interval AS lasted,
       '6f1b4a52-0c9e-4b57-9a5e-0f6a3f6f6c11'::uuid AS uuid, '10.0.0.1'::inet AS address,
       '\\x00ff'::bytea AS bytes,
       '{"a": [1]}'::jsonb AS document, '{"a": 1}'::json AS old_document, '5'::money AS price,
       ARRAY[1, 2] AS numbers, ARRAY['a']::varchar(5)[] AS words, int4range(1, 5) AS span,
       daterange('2026-01-01', NULL) AS days, to_tsvector('english', 'cats') AS vector, B'101' AS bits,
       'sad'::mood AS feeling, ARRAY['sad'::mood] AS feelings, 'a@b'::mail AS mail,
       ARRAY['5'::money] AS prices,
       NULL::integer AS nothing
"""

ODD_NAMES = r"""
SELECT 1 AS "Amount £", 2 AS "class", 3 AS a__b, 4 AS b_, 5 AS "delete", 6 AS "save", 7 AS objects, 8 AS pk,
       9 AS "check", 10 AS "100", 11 AS "A b", 12 AS a_b, 13 AS "Ünïcode",
       14 AS sql,
       15 AS "name", 16 AS _meta,
       17 AS "it's odd!", 18 AS id, 19 AS "back\slash"
"""


@pytest.fixture
def types(execute):
    """An enum and a domain over a domain."""
    execute("CREATE TYPE mood AS ENUM ('sad', 'fine')")
    execute("CREATE DOMAIN short_text AS varchar(80)")
    execute("CREATE DOMAIN mail AS short_text CHECK (VALUE LIKE '%@%')")


def read(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        (row,) = cursor.fetchall()
        return dict(zip([column.name for column in cursor.description], row, strict=True))


def test_the_fields_of_every_type_are_pasted_and_read_what_the_sql_gives(paste, types):
    class Everything(PostgresViewFromSQL):
        sql = EVERYTHING

    pasted = paste(Everything)
    sync_views()
    row, expected = pasted.objects.get(), read("SELECT * FROM views.everything")
    read_as_they_are = {field.column: getattr(row, field.attname) for field in pasted._meta.concrete_fields}
    expected["document"] = {"a": [1]}  # the driver gives the text, the field what it says
    for column, value in expected.items():
        found = read_as_they_are.pop(column)
        assert bytes(found) == bytes(value) if column == "bytes" else found == value, column
        assert type(found) is type(value), column
    assert read_as_they_are == {}
    assert pasted._meta.pk.column == "id"
    assert pasted._meta.get_field("feeling").max_length == 4
    assert pasted._meta.get_field("mail").max_length == 80
    assert pasted.objects.filter(feeling="sad", mail="a@b", numbers__contains=[2], day__year=2026).exists()


def test_the_fields_of_columns_of_any_name_are_pasted_and_read(paste):
    class Odd(PostgresViewFromSQL):
        sql = ODD_NAMES

    pasted = paste(Odd, body='hidden = True\nname = "odd"')
    sync_views()
    row, expected = pasted.objects.get(), read(ODD_NAMES)
    assert {f.column: getattr(row, f.attname) for f in pasted._meta.concrete_fields} == expected
    assert pasted.check() == []
    assert ViewOptions(pasted).relation().name == "odd"


def test_a_column_that_django_cannot_read_is_said_and_gets_no_field(run):
    class Percentages(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        pk_field = "of %"
        sql = 'SELECT 1 AS "of %", 2 AS "paid "" in", 3 AS loans'

    printed = run("percentages")
    assert """    # 'of %': Django cannot read a column with % or " in its name.""" in printed
    assert """    # 'paid " in': Django cannot read a column with % or " in its name.""" in printed
    assert "# Which columns identify a row is not known" in printed
    columns = json.loads(run("percentages", "--json"))["columns"]
    assert [column["field"] for column in columns] == [
        None,
        None,
        "models.IntegerField(null=True, blank=True)",
    ]


def test_a_name_that_the_class_uses_itself_is_given_to_no_field(run):
    class Names(PostgresViewFromSQL):
        name = "names"
        sql = "SELECT 1 AS id, 'n' AS name, 's' AS sql, 'p' AS prefix"

    printed = run("names")
    assert "    name_field = models.TextField(null=True, blank=True, db_column='name')\n" in printed
    assert "    sql_field = models.TextField(null=True, blank=True, db_column='sql')\n" in printed
    assert "    prefix = models.TextField(null=True, blank=True)\n" in printed


def test_a_method_of_the_class_keeps_its_name(run):
    class Base(PostgresMaterialisedViewMixin, PostgresViewFromSQL, should_register=False):
        @staticmethod
        def helper(): ...

    class Methods(Base):
        sql = "SELECT 1 AS id, 2 AS get_refresh_sql, 3 AS helper"

    printed = run("methods")
    assert "    get_refresh_sql_field = " in printed
    assert "    helper_field = " in printed


def test_several_columns_of_pk_field_are_a_composite_key(paste):
    class Monthly(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        pk_field = ("month", "id")
        sql = "SELECT DATE '2026-01-01' AS month, 4 AS id, 2 AS orders"

    bases = "PostgresMaterialisedViewMixin, ReadableViewFromSQL"
    pasted = paste(Monthly, bases, 'pk_field = ("month", "id")')
    sync_views()
    assert pasted.check() == []
    assert pasted.objects.get().orders == 2
    assert [field.column for field in pasted._meta.pk_fields] == ["month", "id"]
    assert [field.null for field in pasted._meta.pk_fields] == [False, False]


def test_one_column_of_pk_field_is_the_key_and_not_id(run):
    class Keyed(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        pk_field = "code"
        sql = "SELECT 1 AS id, 'a' AS code"

    printed = run("keyed")
    assert "    code = models.TextField(primary_key=True)\n" in printed
    assert "    id_field = models.IntegerField(null=True, blank=True, db_column='id')\n" in printed


def test_without_a_key_it_says_what_to_write(run):
    class Keyless(PostgresViewFromSQL):
        sql = "SELECT 'a' AS code"

    printed = run("keyless")
    assert "# Which columns identify a row is not known" in printed
    assert "CompositePrimaryKey" in printed
    assert "primary_key=True)" not in printed
    assert json.loads(run("keyless", "--json"))["key"] == []


def test_a_readable_view_keeps_the_key_that_it_has_and_is_not_told_to_become_one(run):
    class Already(ReadableViewFromSQL):
        sql = "SELECT 'a' AS code, 1 AS id, 2 AS added"
        code = models.TextField(primary_key=True)

        class Meta:
            app_label = "lending"

    printed = run("lending.Already")
    assert "    code = models.TextField(primary_key=True)\n" in printed
    assert "    added = models.IntegerField(null=True, blank=True)\n" in printed
    assert "not a model yet" not in printed


@pytest.mark.parametrize("base", [PostgresViewFromSQL, PostgresViewFromQueryset])
def test_a_view_that_is_no_model_is_told_what_to_inherit(run, base):
    readable = base.__name__.replace("Postgres", "Readable")
    queryset = classmethod(lambda cls: Customer.objects.values("id", "city"))
    type("Plain", (base,), {"sql": "SELECT 1 AS id", "get_queryset": queryset, "__module__": __name__})
    printed = run("plain")
    assert f"# It is not a model yet. Let it inherit from {readable} instead of {base.__name__}.\n" in printed
    assert f"from orm_views_core.views import {readable}\n" in printed


@pytest.mark.django_db(databases="__all__")
def test_fields_of_contrib_postgres_are_imported_and_the_app_is_asked_for(run):
    class Lists(PostgresViewFromSQL):
        sql = "SELECT 1 AS id, ARRAY[1] AS numbers, to_tsvector('a') AS vector"

    with modify_settings(INSTALLED_APPS={"remove": "django.contrib.postgres"}):
        printed = run("lists")
    assert '# Add "django.contrib.postgres" to INSTALLED_APPS.\n' in printed
    assert "from django.contrib.postgres.fields import ArrayField\n" in printed
    assert "from django.contrib.postgres.search import SearchVectorField\n" in printed
    assert "INSTALLED_APPS" not in run("lists")


def test_nothing_is_changed_and_what_it_reads_need_not_exist(run, take_picture):
    class Base(PostgresViewFromSQL):
        sql = "SELECT id, city FROM lending_customer"

    class Reader(PostgresViewFromSQL):
        sql = "SELECT city, count(*) AS customers FROM views.base GROUP BY city"

    before = take_picture()
    assert "    customers = models.BigIntegerField(null=True, blank=True)\n" in run("reader")
    assert take_picture() == before


def test_a_changed_class_is_inspected_and_not_what_is_installed(run, registered):
    class Changing(PostgresViewFromSQL):
        sql = "SELECT 1 AS id, 2 AS before"

    sync_views()
    registered.unregister(Changing)

    class Changing(PostgresViewFromSQL):
        sql = "SELECT 1 AS id, 'x' AS after"

    printed = run("changing")
    assert "    after = models.TextField(null=True, blank=True)\n" in printed
    assert "before" not in printed


def test_a_readable_view_without_fields_is_no_error_here(capsys):
    class Fieldless(ReadableViewFromSQL):
        pk_field = "code"
        sql = "SELECT 'a' AS code, 1 AS id"

        class Meta:
            app_label = "lending"

    with pytest.raises(SystemCheckError, match=r"orm_views_core\.E006"):
        call_command("check")
    options = {"database": None, "json": False, "all": False, "skip_checks": False}
    Command().execute(view="fieldless", force_color=False, no_color=True, **options)
    printed = capsys.readouterr().out
    assert "    code = models.TextField(primary_key=True)\n" in printed
    assert "    id_field = models.IntegerField(null=True, blank=True, db_column='id')\n" in printed


def test_a_wrong_setting_is_an_error_that_names_it():
    class Sound(PostgresViewFromSQL):
        sql = "SELECT 1 AS id"

    with override_settings(ORM_VIEWS={"SCHEMA": ""}), pytest.raises(CommandError, match="SCHEMA"):
        call_command("inspect_view", "sound")


def test_json_has_the_columns_as_facts(run):
    class Facts(PostgresViewFromSQL):
        """In words."""

        sql = 'SELECT 1 AS id, \'a\'::varchar(5) COLLATE "C" AS "Code"'

    facts = json.loads(run("views.facts", "--json"))
    assert (facts["view"], facts["class"], facts["database"]) == ("views.facts", "tests.Facts", "default")
    assert (facts["readable"], facts["key"]) == (False, ["id"])
    assert facts["columns"][1] == {
        "name": "Code",
        "type": "character varying(5)",
        "collation": "C",
        "attribute": "code",
        "field": "models.CharField(max_length=5, null=True, blank=True, db_column='Code')",
        "imports": ["django.db.models"],
        "comment": None,
    }


def test_an_unknown_view_is_refused_with_those_that_are_like_it():
    class Loans(PostgresViewFromSQL):
        sql = "SELECT 1 AS id"

    with pytest.raises(CommandError, match=r"No registered view is called 'loan'\. Did you mean .*loans"):
        call_command("inspect_view", "loan")


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_an_ambiguous_name_is_refused_with_all_that_it_may_be(run):
    class Here(PostgresViewFromSQL):
        name = "place"
        sql = "SELECT 1 AS here"

    class There(PostgresViewFromSQL):
        name = "place"
        database = "warehouse"
        sql = "SELECT 1 AS there"

    with pytest.raises(CommandError, match=r"'place': tests\.Here .* and tests\.There .*--database"):
        call_command("inspect_view", "place")
    assert "    there = " in run("place", "--database", "warehouse")
    assert "    here = " in run("tests.Here")


def test_sql_that_postgresql_refuses_is_shown_as_the_dry_run_shows_it():
    class Broken(PostgresViewFromSQL):
        sql = "SELECT nothing FROM lending_customer"

    with pytest.raises(CommandError, match=r"Broken .*column \"nothing\" does not exist") as failure:
        call_command("inspect_view", "broken")
    assert str(failure.value).count("tests.Broken") == 1


def test_a_class_that_says_no_view_says_so_and_does_not_keep_others_from_being_inspected(run):
    class Empty(PostgresViewFromSQL):
        sql = ""

    class Sound(PostgresViewFromSQL):
        sql = "SELECT 1 AS id"

    class Nameless(PostgresViewFromSQL):
        name = "v" * 64
        sql = "SELECT 1 AS id"

    with pytest.raises(CommandError, match=r"Empty .*its sql is empty"):
        call_command("inspect_view", "empty")
    with pytest.raises(CommandError, match=r"Nameless .*PostgreSQL keeps 63"):
        call_command("inspect_view", "tests.Nameless")
    assert "    id = models.IntegerField(primary_key=True)\n" in run("sound")


def test_a_name_that_another_class_has_is_an_error_that_names_it():
    class One(PostgresViewFromSQL):
        name = "same"
        sql = "SELECT 1 AS id"

    class Other(PostgresViewFromSQL):
        name = "same"
        sql = "SELECT 2 AS id"

    with pytest.raises(CommandError, match=r"tests\.Other .*: tests\.One has its name, views\.same"):
        call_command("inspect_view", "tests.Other")


def test_a_table_of_its_name_is_an_error(execute):
    execute("CREATE SCHEMA views")
    execute("CREATE TABLE views.obstructed (id int)")

    class Obstructed(PostgresViewFromSQL):
        sql = "SELECT 1 AS id"

    reason = r"tests\.Obstructed .*: The name belongs to a table that no sync created"
    with pytest.raises(CommandError, match=reason):
        call_command("inspect_view", "obstructed")


def test_a_database_that_does_not_answer_is_an_error_that_names_it(misdirect):
    class Unreachable(PostgresViewFromSQL):
        sql = "SELECT 1 AS id"

    misdirect("default", {"HOST": "/nowhere"})
    with pytest.raises(CommandError, match=r"Database 'default' \(/nowhere:.*does not answer"):
        call_command("inspect_view", "unreachable")


def test_a_circle_is_an_error_that_says_so():
    class Hen(PostgresViewFromSQL):
        sql = "SELECT * FROM views.egg"

    class Egg(PostgresViewFromSQL):
        sql = "SELECT * FROM views.hen"

    with pytest.raises(
        CommandError, match=r"in a circle: views\.egg → views\.hen → views\.egg\. .*tests\.Hen"
    ):
        call_command("inspect_view", "hen")


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_every_view_of_the_demonstration_can_be_inspected(demonstration):
    for view in demonstration:
        assert inspect_view(label_of(view)).columns
