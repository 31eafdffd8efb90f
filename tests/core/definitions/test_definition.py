"""Compiling a class into a frozen value: what it says, and errors that name the class, file and line."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connections, models
from django.db.models import Q, Value
from django.test import override_settings
from django.utils.functional import classproperty

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.exceptions import (
    DuplicateViewError,
    InvalidViewDependencies,
    InvalidViewError,
    InvalidViewsError,
)
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.spelling.postgresql import POSTGRESQL
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import (
    HiddenViewMixin,
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
)
from orm_views_core.views.identity import label_of, name_of
from tests.core.compiling import compile_view
from tests.demo.lending.models import Customer, Product
from tests.demo.lending.postgres_views import LoanBook

pytestmark = pytest.mark.django_db

HERE = r"\(tests/core/definitions/test_definition\.py, line \d+\)"


def declare(class_name="Some", bases=(PostgresViewFromSQL,), **attributes):
    return type(class_name, bases, {"sql": "SELECT 1 AS id", "__module__": __name__, **attributes})


def test_a_class_is_compiled_to_all_that_it_says():
    class Loans(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        """The loans.

        All of them.
        """

        prefix = "Board"
        schema = "other"
        pk_field = "id"
        with_data = False
        grant_select_to = ("risk",)
        sql = "SELECT 1 AS id;"

    with override_settings(ORM_VIEWS={"GRANT_SELECT_TO": ["analyst"]}):
        definition = compile_view(Loans)
    assert definition.name == ViewName("other", "board_loans")
    assert definition.kind is ViewKind.MATERIALISED_VIEW
    assert definition.sql == "SELECT 1 AS id"
    assert definition.comment == "The loans.\n\nAll of them."
    assert definition.grant_select_to == ("analyst", "risk")
    assert definition.with_data is False
    assert definition.hidden is False
    assert definition.database == "default"
    assert [index.name for index in definition.indexes] == ["board_loans_id_key"]
    assert definition.view is Loans
    assert definition.where.startswith("tests.Loans (tests/core/definitions/test_definition.py, line ")


def test_the_source_is_the_line_of_the_class_statement():
    class Loans(PostgresViewFromSQL):
        sql = "SELECT 1 AS id"

    source = compile_view(Loans).source
    assert "class Loans(" in Path(source.file).read_text().splitlines()[source.line - 1]


def test_a_label_is_that_of_the_app_and_the_class():
    assert label_of(LoanBook) == "lending.LoanBook"
    assert label_of(declare(__module__="tests.demo.payments.postgres_views.arrears")) == "payments.Some"
    assert label_of(declare(__module__="somewhere.else_")) == "somewhere.Some"


def test_a_docstring_is_not_inherited():
    class Base(PostgresViewFromSQL, should_register=False):
        """Of the base class."""

        sql = "SELECT 1 AS id"

    class Loans(Base):
        pass

    assert compile_view(Loans).comment == ""


def test_a_hidden_view_is_granted_to_nobody():
    class Secret(HiddenViewMixin, PostgresViewFromSQL):
        grant_select_to = ("risk",)
        sql = "SELECT 1 AS id"

    with override_settings(ORM_VIEWS={"GRANT_SELECT_TO": ["analyst"]}):
        definition = compile_view(Secret)
    assert definition.hidden
    assert definition.grant_select_to == ()


def test_the_schema_of_the_settings_holds_unless_the_class_names_another():
    plain, other = declare("Plain"), declare("Other", schema="Other Schema")
    with override_settings(ORM_VIEWS={"SCHEMA": "reporting"}):
        assert str(name_of(plain)) == "reporting.plain"
        assert str(name_of(other)) == "Other Schema.other"


PER_CENT = {
    "one": ("SELECT 'a%'", "SELECT 'a%'"),
    "two, as the predecessor asked for": ("SELECT 'a%%'", "SELECT 'a%'"),
    "four for two": ("SELECT 'a%%%%'", "SELECT 'a%%'"),
    "what looks like a placeholder": ("SELECT format('%s %I %(x)s', 1)", "SELECT format('%s %I %(x)s', 1)"),
    "modulo": ("SELECT 5 % 3", "SELECT 5 % 3"),
    "at the very end": ("SELECT 5 %", "SELECT 5 %"),
}


@pytest.mark.parametrize(("written", "meant"), PER_CENT.values(), ids=PER_CENT)
def test_per_cent_signs_in_raw_sql(written, meant):
    assert compile_view(declare(sql=written)).sql == meant


@pytest.mark.parametrize("sql", ["SELECT 1", "a%%", "%%%% %%s %%(x)s", "'größe %%'", "\t\n\\ '' {} \""])
def test_sql_without_parameters_is_what_the_driver_would_make_of_it(sql):
    connection = connections["default"]
    for params in ([], ()):
        written = POSTGRESQL.literal(connection, sql, params)
        assert written == connection.ops.compose_sql(sql, params)


def test_what_the_driver_cannot_send_is_a_mistake_of_the_class():
    with pytest.raises(InvalidViewError, match="its SQL cannot be created: UnicodeEncodeError"):
        compile_view(declare(sql="SELECT '\ud800'"))


@pytest.mark.parametrize(
    "value",
    [
        "100%",
        "100%%",
        "%s",
        "%(x)s",
        "it's",
        "back\\slash",
        "\\'",
        "a\\%b_c",
        "größe",
        "$$",
        '"',
        "--",
        ";",
        "{}",
    ],
)
def test_any_text_in_a_queryset_is_the_same_text_in_the_view(value, execute):
    class Texts(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Product.objects.annotate(text=Value(value)).filter(~Q(name__contains=value)).values("text")

    Product.objects.create(code="a", name="x", purpose="car", annual_rate=1)
    sync_views()
    assert execute("SELECT text FROM views.texts") == [(value,)]
    assert all(plan.is_empty for plan in plan_views())


def test_values_of_every_kind_become_literals(execute):
    class Young(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Customer.objects.filter(
                date_of_birth__gt=dt.date(2000, 1, 31),
                registered_on__in=[dt.date(2020, 1, 1), dt.date(2020, 1, 2)],
                id__lt=2**40,
                city__in=["Leeds", "it's"],
            ).values("id", "city")

    assert "%" not in compile_view(Young).sql
    sync_views()
    assert execute("SELECT * FROM views.young") == []
    assert all(plan.is_empty for plan in plan_views())


def test_a_classproperty_is_asked_each_time():
    class Loans(PostgresViewFromSQL):
        @classproperty
        def sql(cls):
            return f"SELECT '{cls.__name__}' AS name"

        @classproperty
        def name(cls):
            return "from_a_classproperty"

    definition = compile_view(Loans)
    assert definition.sql == "SELECT 'Loans' AS name"
    assert definition.name.name == "from_a_classproperty"


MISTAKES = {
    "no sql": ({"sql": None}, "it has neither sql nor get_queryset"),
    "empty sql": ({"sql": "  \n "}, "its sql is empty"),
    "only a semicolon": ({"sql": ";"}, "its sql is empty"),
    "sql of another type": ({"sql": 7}, "its SQL cannot be created: AttributeError"),
    "two statements": ({"sql": "SELECT 1; SELECT 2"}, "more than one statement"),
    "a statement behind a comment": ({"sql": "SELECT 1; -- x\nDROP TABLE y"}, "more than one statement"),
    "an empty name": ({"name": ""}, "its name is ''"),
    "a name of another type": ({"name": 7}, "its name is 7"),
    "a name with a null": ({"name": "a\0b"}, "its name is 'a"),
    "a long name": ({"name": "n" * 64}, "has 64 bytes, and PostgreSQL keeps 63"),
    "a long schema": ({"schema": "ü" * 32}, "its schema '.*' has 64 bytes"),
    "a barrier of another type": (
        {"security_barrier": "yes"},
        "its security_barrier is 'yes'. It can be True",
    ),
    "an invoker of another type": ({"security_invoker": []}, r"its security_invoker is \[\]"),
    "an unknown check": (
        {"check_option": "global"},
        "its check_option is 'global'. It can be 'local'",
    ),
    "roles as one string": ({"grant_select_to": "risk"}, "its grant_select_to is 'risk'. Give a list"),
    "no roles at all": ({"grant_select_to": None}, "its grant_select_to is None. Give a list"),
    "an empty role": ({"grant_select_to": [""]}, r"its grant_select_to is \[''\]. Give a list"),
    "roles of another type": ({"grant_select_to": [7]}, r"its grant_select_to is \[7\]"),
    "a key on a plain view": ({"pk_field": "id"}, "it declares an index"),
}


@pytest.mark.parametrize(("attributes", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_names_the_class_the_file_and_the_line(attributes, message):
    view = declare("Wrong", **attributes)
    with pytest.raises(InvalidViewError, match=rf"(?s)^tests\.Wrong {HERE}: .*{message}"):
        compile_view(view)


@pytest.mark.parametrize("option", ["security_barrier", "security_invoker", "check_option"])
def test_an_option_of_plain_views_on_a_materialised_one_is_a_mistake(option):
    value = "local" if option == "check_option" else False
    view = declare(bases=(PostgresMaterialisedViewMixin, PostgresViewFromSQL), **{option: value})
    with pytest.raises(InvalidViewError, match=f"it sets {option}, and only plain views have that option"):
        compile_view(view)


@pytest.mark.parametrize(
    ("attributes", "options"),
    [
        ({}, ()),
        ({"security_barrier": False}, (("security_barrier", "false"),)),
        (
            {"security_invoker": True, "check_option": "cascaded", "security_barrier": True},
            (("check_option", "cascaded"), ("security_barrier", "true"), ("security_invoker", "true")),
        ),
    ],
)
def test_options_are_those_that_the_class_sets(attributes, options):
    if "security_invoker" in attributes and connections["default"].pg_version < 150000:
        pytest.skip("PostgreSQL has security_invoker from version 15")
    assert compile_view(declare(**attributes)).options == options


@pytest.mark.parametrize(
    ("queryset", "message"),
    [
        (lambda: Product.objects.none().values("id"), "never returns a row"),
        (lambda: Product.objects.filter(id__in=[]).values("id"), "never returns a row"),
        (lambda: Product.objects.values("nothing"), "FieldError: Cannot resolve keyword 'nothing'"),
        (lambda: None, "its SQL cannot be created: AttributeError"),
        (lambda: 1 / 0, "its SQL cannot be created: ZeroDivisionError"),
    ],
)
def test_a_mistake_in_a_queryset_names_the_class(queryset, message):
    class Wrong(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return queryset()

    with pytest.raises(InvalidViewError, match=rf"(?s)^tests\.Wrong {HERE}: .*{message}"):
        compile_view(Wrong)


def test_a_queryset_that_is_not_written_is_a_mistake():
    class Wrong(PostgresViewFromQueryset):
        pass

    with pytest.raises(InvalidViewError, match="neither sql nor get_queryset"):
        compile_view(Wrong)


def test_dependencies_are_the_names_of_classes():
    a = declare("A")
    b = declare("B", view_dependencies=[a])
    assert compile_view(b).declared_dependencies == (ViewName("views", "a"),)


def test_a_dependency_that_is_no_view_names_the_class():
    class Wrong(PostgresViewFromSQL):
        sql = "SELECT 1"

    Wrong.view_dependencies = [Product]
    with pytest.raises(InvalidViewDependencies, match=rf"^tests\.Wrong {HERE}: .*which is not a view class"):
        compile_view(Wrong)


def test_a_dependency_in_another_database_names_both():
    there = declare("There", database="warehouse")
    here = declare("Here", view_dependencies=[there])
    with pytest.raises(InvalidViewDependencies, match=r"tests\.Here .*'default', but .* tests\.There"):
        compile_view(here)


def test_the_fingerprint_changes_with_what_would_be_built_otherwise():
    base = compile_view(declare())
    others = [
        dataclasses.replace(base, sql="SELECT 2 AS id"),
        dataclasses.replace(base, kind=ViewKind.MATERIALISED_VIEW),
        dataclasses.replace(base, options=(("security_barrier", "true"),)),
        dataclasses.replace(base, columns=("number",)),
        compile_view(declare(bases=(PostgresMaterialisedViewMixin, PostgresViewFromSQL), pk_field="id")),
    ]
    assert len({d.fingerprint for d in [base, *others]}) == 6


def test_the_fingerprint_is_not_that_of_what_is_compared_as_it_is():
    base = compile_view(declare())
    for change in (
        {"comment": "New."},
        {"column_comments": {"id": "New."}},
        {"grant_select_to": ("new",)},
        {"declared_dependencies": (ViewName("views", "x"),)},
        {"with_data": False},
        {"label": "other.Label", "source": None},
    ):
        assert dataclasses.replace(base, **change).fingerprint == base.fingerprint, change


FINGERPRINTS = """
import sys
import django
django.setup()
from django.db import connections
from django.db.models import Case, Count, Exists, FilteredRelation, OuterRef, Q, Subquery, Value, When
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.views import PostgresViewFromQueryset
from tests.demo.lending.models import Loan, Product

CHOSEN = {"personal", "car", "home", "study", "business", "a", "b", "c"}

class Picked(PostgresViewFromQueryset):
    @classmethod
    def get_queryset(cls):
        loans = Loan.objects.filter(product=OuterRef("pk"), channel__in=CHOSEN)
        return (
            Product.objects.filter(Q(purpose__in=CHOSEN) | ~Q(Q(code__in=frozenset(CHOSEN)), on_sale=True))
            .filter(Exists(loans), pk__in=Loan.objects.filter(status__in=CHOSEN).values("product"))
            .annotate(
                some=Subquery(loans.values("id")[:1]),
                kind=Case(When(purpose__in=CHOSEN, then=Value("x")), default=Value("y")),
                chosen=FilteredRelation("loans", condition=Q(loans__status__in=CHOSEN)),
                number=Count("chosen", filter=Q(loans__channel__in=CHOSEN)),
            )
            .filter(number__in={1, 2, 3})
            .values("code", "some", "kind", "number")
            .union(Product.objects.filter(name__in=CHOSEN).values("code", "id", "name", "id"))
        )

connections["default"].settings_dict["NAME"] = sys.argv[1]
connections["default"].ensure_connection()
for definition in compile_definitions(connections["default"]).views.values():
    print(definition.view.__name__, definition.fingerprint)
"""


def test_fingerprints_are_the_same_in_every_process():
    """A set has another order in each; the plan of one process must be that of the next."""
    checkout = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    runs = {
        subprocess.run(
            [
                sys.executable,
                "-W",
                "ignore",
                "-c",
                FINGERPRINTS,
                connections["default"].settings_dict["NAME"],
            ],
            cwd=checkout,
            env={**environment, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    (said,) = runs
    assert "Picked" in said
    assert "LoanBook" in said


def test_all_views_are_compiled_although_some_are_wrong():
    declare("Good")
    declare("Bad", sql="")
    declare("Worse", name="")
    definitions = compile_definitions(connections["default"])
    assert [name.name for name in definitions.views] == ["good"]
    assert list(definitions.errors) == ["tests.Bad", "tests.Worse"]
    with pytest.raises(InvalidViewsError, match=r"(?s)tests\.Bad .*\ntests\.Worse ") as caught:
        definitions.raise_errors()
    assert len(caught.value.errors) == 2


def test_one_wrong_view_is_raised_as_it_is():
    declare("Bad", sql="")
    with pytest.raises(InvalidViewError) as caught:
        compile_definitions(connections["default"]).raise_errors()
    assert not isinstance(caught.value, InvalidViewsError)


def test_nothing_wrong_raises_nothing():
    declare("Good")
    compile_definitions(connections["default"]).raise_errors()


def test_two_classes_of_one_name_are_named_both():
    declare("One", name="same")
    declare("Other", name="same")
    definitions = compile_definitions(connections["default"])
    with pytest.raises(DuplicateViewError, match=rf"tests\.Other {HERE}.* tests\.One {HERE}.*'views\.same'"):
        definitions.raise_errors()
    assert len(definitions.views) == 1


def test_only_the_views_of_the_database_are_compiled():
    declare("Here")
    declare("There", database="warehouse")
    assert [name.name for name in compile_definitions(connections["default"]).views] == ["here"]


def test_a_definition_cannot_be_changed():
    definition = compile_view(declare())
    with pytest.raises(dataclasses.FrozenInstanceError):
        definition.sql = "SELECT 2"


def test_an_index_is_part_of_the_fingerprint():
    def with_index(*fields):
        return declare(
            bases=(PostgresMaterialisedViewMixin, PostgresViewFromSQL),
            sql="SELECT 1 AS a, 2 AS b",
            indexes=[models.Index(fields=fields, name="i")],
        )

    first, second = (compile_view(with_index(*fields)).fingerprint for fields in (["a"], ["b"]))
    assert first != second
