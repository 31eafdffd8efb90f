"""``view_lineage`` as people and pipelines use it."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from orm_views_core.privacy import marks
from orm_views_core.privacy.api import judge_views
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresViewFromSQL
from tests.demo.lending.models import Customer

pytestmark = pytest.mark.django_db

BOOK = """
SELECT loan.id, upper(customer.city) AS city, CASE WHEN loan.status = 'late' THEN loan.principal END AS late,
       now() AS as_of
FROM lending_loan AS loan JOIN lending_customer AS customer ON customer.id = loan.customer_id
"""


def declare(class_name, sql, **attributes):
    namespace = {"sql": sql, "__module__": "tests.demo.lending.postgres_views", **attributes}
    return type(class_name, (PostgresViewFromSQL,), namespace)


@pytest.fixture
def run(capsys):
    """A function that runs the command and returns what it printed."""

    def run(*args, **options):
        call_command("view_lineage", *args, no_color=True, **options)
        return capsys.readouterr().out

    return run


@pytest.fixture
def lines(run):
    """A function that runs the command and returns the lines that it printed."""
    return lambda *args, **options: run(*args, **options).splitlines()


def refused(*args):
    with pytest.raises(CommandError) as raised:
        call_command("view_lineage", *args)
    return str(raised.value)


@pytest.fixture
def views(registered, execute):
    """Two views of ours, one upon the other, and one of somebody else."""
    declare("Book", BOOK)
    declare("Cities", "SELECT city, count(*) AS loans, sum(late) AS late FROM views.book GROUP BY city")
    sync_views()
    execute("CREATE SCHEMA reports")
    execute("CREATE VIEW reports.theirs AS SELECT city || '!' AS loud FROM views.cities")


def test_what_a_view_is_made_of_and_what_hangs_on_it(views, lines):
    assert lines("book") == [
        "views.book (lending.Book) is made of:",
        "  id          shows          public.lending_loan.id",
        "  city        computed from  public.lending_customer.city",
        "  late        shows          public.lending_loan.principal",
        "              computed from  public.lending_loan.status",
        "  as_of       no column",
        "  (its rows)  use            public.lending_customer.id, public.lending_loan.customer_id",
        "",
        "On views.book hang:",
        "",
        "reports.theirs (not ours)",
        "  loud        computed from  views.book.city",
        "  (its rows)  use            views.book.city",
        "",
        "views.cities (lending.Cities)",
        "  city        shows          views.book.city",
        "  late        computed from  views.book.late",
        "  (its rows)  use            views.book.city",
    ]


def test_one_direction(views, lines):
    assert lines("lending.Cities.late", "--upstream") == [
        "views.cities (lending.Cities) is made of:",
        "  late        computed from  public.lending_loan.principal, public.lending_loan.status",
        "  (its rows)  use            public.lending_customer.city, public.lending_customer.id,",
        "                             public.lending_loan.customer_id",
    ]
    assert lines("views.book.late", "--downstream") == [
        "On views.book.late hang:",
        "",
        "views.cities (lending.Cities)",
        "  late  computed from  views.book.late",
    ]


def test_what_hangs_on_a_table_a_model_a_field(views, lines):
    hanging = [
        "views.book (lending.Book)",
        "  late  computed from  public.lending_loan.status",
        "",
        "views.cities (lending.Cities)",
        "  late  computed from  public.lending_loan.status",
    ]
    for name in ("lending.Loan.status", "lending_loan.status", "public.lending_loan.status"):
        assert lines(name, "--database", "default") == ["On public.lending_loan.status hang:", "", *hanging]
    of_model = lines("lending.Loan", "--database", "default")
    assert of_model == lines("lending_loan", "--database", "default")
    assert "  (its rows)  use            public.lending_loan.customer_id" in of_model


def test_a_sentence_where_there_is_nothing(views, lines, execute):
    assert lines("reports.theirs", "--downstream") == ["Nothing hangs on reports.theirs."]
    assert lines("lending.Loan.channel", "--database", "default") == [
        "Nothing hangs on public.lending_loan.channel."
    ]
    assert lines("lending_loan", "--upstream", "--database", "default") == [
        "public.lending_loan is a table, made of no other relation. --downstream says what hangs on it."
    ]
    assert lines("pg_catalog.pg_stats", "--upstream") == [
        "pg_catalog.pg_stats is a view of PostgreSQL itself. What it is made of is not told."
    ]
    execute("DROP SCHEMA views, reports CASCADE")
    assert lines("--database", "default") == ["Database 'default' has no views."]


def test_a_view_that_reads_only_the_rows(views, lines, execute):
    execute("CREATE VIEW reports.n AS SELECT count(*) AS n FROM lending_product")
    assert lines("lending_product", "--database", "default") == [
        "On public.lending_product hang:",
        "",
        "reports.n (not ours)",
        "  reads its rows, and no column",
    ]
    execute("CREATE VIEW reports.none AS SELECT")
    assert lines("reports.none")[:2] == ["reports.none (not ours) is made of:", "  has no columns"]


def test_a_partition_counts_as_its_table(lines, execute):
    execute("CREATE TABLE public.parts (id int, at date) PARTITION BY RANGE (at)")
    execute("CREATE TABLE public.parts_1 PARTITION OF public.parts DEFAULT")
    execute("CREATE SCHEMA reports; CREATE VIEW reports.some AS SELECT id FROM parts")
    assert lines("parts_1.id", "--database", "default") == [
        "On public.parts.id (public.parts_1 is a partition of it) hang:",
        "",
        "reports.some (not ours)",
        "  id  shows  public.parts.id",
    ]


def test_all_views_others_included(views, lines):
    printed = lines("--database", "default")
    assert [line for line in printed if line and not line.startswith(" ")] == [
        "reports.theirs (not ours)",
        "views.book (lending.Book)",
        "views.cities (lending.Cities)",
    ]
    assert "  loud        computed from  public.lending_customer.city" in printed


def test_a_function_that_may_read_any_table(views, lines, execute):
    execute("CREATE FUNCTION public.fmt(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1'")
    execute("CREATE VIEW reports.formatted AS SELECT fmt(code) AS code, 1 AS one FROM lending_product")
    may_show = "any column, because it reads through public.fmt(text), which may read any table"
    assert lines("reports.formatted.code", "--upstream") == [
        "reports.formatted (not ours) is made of:",
        "  code  computed from  public.lending_product.code",
        "        may show       " + may_show,
    ]
    assert lines("lending.Loan.channel", "--database", "default") == [
        "On public.lending_loan.channel hang:",
        "",
        "reports.formatted (not ours)",
        "  code  may show  " + may_show,
    ]


def test_json(views, run):
    book = json.loads(run("views.book", "--upstream", "--json"))
    assert book == [
        {
            "view": "views.book",
            "column": "id",
            "shows": ["public.lending_loan.id"],
            "computed_from": [],
            "may_show": [],
            "because": "",
        },
        {
            "view": "views.book",
            "column": "city",
            "shows": [],
            "computed_from": ["public.lending_customer.city"],
            "may_show": [],
            "because": "",
        },
        {
            "view": "views.book",
            "column": "late",
            "shows": ["public.lending_loan.principal"],
            "computed_from": ["public.lending_loan.status"],
            "may_show": [],
            "because": "",
        },
        {
            "view": "views.book",
            "column": "as_of",
            "shows": [],
            "computed_from": [],
            "may_show": [],
            "because": "",
        },
        {"view": "views.book", "uses": ["public.lending_customer.id", "public.lending_loan.customer_id"]},
    ]
    every = json.loads(run("--json", "--database", "default"))
    assert all(each in every for each in book)
    assert {each["view"] for each in every} == {"reports.theirs", "views.book", "views.cities"}


def test_json_of_both_directions_and_of_a_column(views, run):
    both = json.loads(run("book.city", "--json"))
    assert [(each["view"], each.get("column", each.get("uses"))) for each in both] == [
        ("views.book", "city"),
        ("views.book", ["public.lending_customer.id", "public.lending_loan.customer_id"]),
        ("reports.theirs", "loud"),
        ("reports.theirs", ["views.book.city"]),
        ("views.cities", "city"),
        ("views.cities", ["views.book.city"]),
    ]
    assert json.loads(run("lending_loan", "--upstream", "--json", "--database", "default")) == []
    assert json.loads(run("reports.theirs", "--downstream", "--json")) == []


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_several_databases_are_told_apart(views, run, lines):
    with connections["warehouse"].cursor() as cursor:
        cursor.execute("CREATE SCHEMA reports; CREATE VIEW reports.old AS SELECT status FROM lending_loan")
    declare("Old", "SELECT 1 AS a", database="warehouse")
    printed = lines("lending.Loan.status")
    assert printed == [
        "Database 'default':",
        "On public.lending_loan.status hang:",
        "",
        "views.book (lending.Book)",
        "  late  computed from  public.lending_loan.status",
        "",
        "views.cities (lending.Cities)",
        "  late  computed from  public.lending_loan.status",
        "",
        "Database 'warehouse':",
        "On public.lending_loan.status hang:",
        "",
        "reports.old (not ours)",
        "  status  shows  public.lending_loan.status",
    ]
    found = json.loads(run("lending.Loan.status", "--json"))
    assert {(each["database"], each["view"]) for each in found} == {
        ("default", "views.book"),
        ("default", "views.cities"),
        ("warehouse", "reports.old"),
    }
    assert lines("reports.old.status", "--downstream") == ["Nothing hangs on reports.old.status."]


def test_names_that_people_quote(lines, execute):
    execute('CREATE SCHEMA "odd.schema"; CREATE TABLE "odd.schema"."t" ("c.d" text, "e\x1b[31m" text)')
    execute('CREATE VIEW "odd.schema"."v v" AS SELECT "c.d" AS "a.b", "e\x1b[31m" FROM "odd.schema"."t"')
    assert lines('"odd.schema"."t"."c.d"', "--database", "default") == [
        'On "odd.schema".t."c.d" hang:',
        "",
        '"odd.schema".v v (not ours)',
        '  "a.b"  shows  "odd.schema".t."c.d"',
    ]
    assert lines('"odd.schema".v v', "--upstream")[2] == r'  e\x1b[31m  shows  "odd.schema".t.e\x1b[31m'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--downstream"], "Name what --downstream begins at: a view, a model, a table or a column."),
        (["book", "--personal"], "--personal looks at all views. Leave the name out."),
        (["views.bok"], "No view, table or model is called 'views.bok' in database 'default'. Did you mean "),
        (["book.cty"], "views.book has no column 'cty'. Did you mean city?"),
    ],
)
def test_what_is_refused(arguments, said, views):
    assert refused(*arguments).startswith(said)


def test_both_directions_at_once_are_the_default(views):
    with pytest.raises(CommandError, match="not allowed with argument"):
        call_command("view_lineage", "book", "--upstream", "--downstream")


@pytest.fixture
def personal(settings, views, execute):
    """What two views show of a personal field is granted to a role."""
    settings.ORM_VIEWS = {"PERSONAL": ["lending.Customer.city"]}
    execute("GRANT SELECT ON views.book, reports.theirs TO PUBLIC")


def test_what_would_be_refused(personal, lines, run):
    findings = judge_views(connections["default"])
    (problem,), (warning,) = findings.problems, findings.warnings
    assert "'city' of views.book is computed from lending.Customer.city" in problem.what
    assert lines("--personal", "--database", "default") == [
        "A sync of database 'default' would be refused, for 1 reason:",
        f"  ! {problem}",
        f"  Warning: {warning}",
    ]
    (found,) = json.loads(run("--personal", "--json", "--database", "default"))
    assert found["database"] == "default"
    assert found["problems"] == [
        {"view": "views.book", "column": "city", "what": problem.what, "advice": problem.advice}
    ]
    assert [each["view"] for each in found["warnings"]] == ["reports.theirs"]
    assert found["columns"] == [
        {
            "view": view,
            "column": column,
            "shows": [],
            "computed_from": ["public.lending_customer.city"],
            "may_show": [],
            "because": "",
        }
        for view, column in (("reports.theirs", "loud"), ("views.book", "city"))
    ]


def test_what_is_only_used_is_told_by_a_longer_answer(personal, lines):
    first, second = judge_views(connections["default"]).notes
    printed = lines("--personal", "--database", "default", verbosity=2)
    assert printed[-2:] == [f"  Note: {first}", f"  Note: {second}"]
    assert "Note: " not in "".join(lines("--personal", "--database", "default"))


def test_nothing_would_be_refused(personal, lines, execute):
    execute("REVOKE ALL ON views.book, reports.theirs FROM PUBLIC")
    assert lines("--personal", "--database", "default") == [
        "No view of database 'default' shows what is personal without saying so."
    ]


def test_nothing_is_personal(views):
    assert not marks.are_used()
    assert Customer._meta.get_field("email") is not None
    assert refused("--personal") == (
        "Nothing is personal. Mark fields of models with orm_views_core.privacy.personal(), or name them in "
        "ORM_VIEWS['PERSONAL']."
    )
