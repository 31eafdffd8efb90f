"""Conditions compare as the types of columns do, with the values that a page shows."""

from __future__ import annotations

import pytest
from django.db import NotSupportedError

from orm_views_core.database.rows import Condition, Operator, Span, operators_for
from orm_views_core.engines.postgresql.rows import read_rows
from orm_views_core.exceptions import BadConditionError, RowsUnavailableError
from orm_views_core.names import ViewName

from .views import V, texts

pytestmark = pytest.mark.django_db

#: A collation in which texts are equal that differ in case.
ANY_CASE = "provider = icu, locale = 'und-u-ks-level2', deterministic = false"
#: The operators of most types, and those of a type that has no order.
ALL = set(Operator)
UNORDERED = ALL - {Operator.AT_LEAST, Operator.AT_MOST}


PEOPLE = """
SELECT n, name, born, size::views.size, share::views.percent, tags::text[], box::box, active::boolean,
       notes::json, code::char(4), pair::views.pair, data::jsonb, ip::inet
FROM (VALUES
    (5, 'Ann', date '2026-06-30', 'small', '1.5', '{a,b}', '(1,1),(0,0)', true, '{"a": 1}', 'x', '(1,x)',
     '{"a": 1, "b": 2}', '10.0.0.1'),
    (15, 'anna', date '0044-03-15 BC', 'large', '99', '{}', '(2,2),(0,0)', false, '{"a":1}', 'xy', '(2,)',
     '[1]', '10.0.0.0/8'),
    (50, '100%', date 'infinity', 'Huge', '100', '{b}', '(1,1),(0,0)', true, '[]', 'é', '(1,y)',
     'null', '::1'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
) AS t (n, name, born, size, share, tags, box, active, notes, code, pair, data, ip)
"""


@pytest.fixture
def people(create, execute):
    """Some rows, one of them with NULL in every column."""
    execute("CREATE TYPE views.size AS ENUM ('small', 'large', 'Huge')")
    execute("CREATE DOMAIN views.percent AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100)")
    execute("CREATE TYPE views.pair AS (a integer, b text)")
    create(PEOPLE)


def found(column, operator, *values):
    """The numbers of the rows that a condition finds."""
    rows = texts(order_by=["n"], conditions=[Condition(column, Operator(operator), values)])
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("column", "operator", "values", "numbers"),
    [
        ("n", "equals", ["5"], ["5"]),
        ("n", "equals", ["+05"], ["5"]),
        ("n", "not_equals", ["5"], ["15", "50", None]),
        ("n", "contains", ["5"], ["5", "15", "50"]),
        ("n", "begins", ["5"], ["5", "50"]),
        ("n", "at_least", ["15"], ["15", "50"]),
        ("n", "at_most", ["15"], ["5", "15"]),
        ("n", "in", ["5", "50", "7"], ["5", "50"]),
        ("n", "is_null", [], [None]),
        ("n", "is_not_null", [], ["5", "15", "50"]),
        ("name", "equals", ["Ann"], ["5"]),
        ("name", "equals", [""], []),
        ("name", "not_equals", ["Ann"], ["15", "50", None]),
        ("name", "contains", ["NN"], ["5", "15"]),
        ("name", "contains", ["0%"], ["50"]),
        ("name", "contains", ["_"], []),
        ("name", "contains", [""], ["5", "15", "50"]),
        ("name", "begins", ["An"], ["5"]),
        ("name", "begins", ["100%"], ["50"]),
        ("name", "begins", [""], ["5", "15", "50"]),
        ("name", "in", ["Ann", "anna"], ["5", "15"]),
        ("born", "equals", ["2026-06-30"], ["5"]),
        ("born", "equals", ["0044-03-15 BC"], ["15"]),
        ("born", "equals", ["infinity"], ["50"]),
        ("born", "equals", [Span("2026-06-01", "2026-07-01")], ["5"]),
        ("born", "not_equals", [Span("2026-06-01", "2026-07-01")], ["15", "50", None]),
        ("born", "in", [Span("0044-03-15 BC", "0044-03-15 BC"), "infinity"], ["15", "50"]),
        ("n", "in", [Span("1", "15"), Span("50", "60")], ["5", "15", "50"]),
        ("n", "in", [Span("15", "5")], []),
        ("born", "contains", ["bc"], ["15"]),
        ("born", "at_least", ["2026-06-30"], ["5", "50"]),
        ("born", "at_most", ["2026-06-30"], ["5", "15"]),
        ("size", "equals", ["Huge"], ["50"]),
        ("size", "at_least", ["large"], ["15", "50"]),
        ("size", "contains", ["HUGE"], ["50"]),
        ("size", "in", ["small", "Huge"], ["5", "50"]),
        ("share", "equals", ["1.50"], ["5"]),
        ("share", "equals", ["1.5"], ["5"]),
        ("share", "at_most", ["99"], ["5", "15"]),
        ("tags", "equals", ["{a,b}"], ["5"]),
        ("tags", "equals", ["{}"], ["15"]),
        ("tags", "in", ["{a,b}", "{b}"], ["5", "50"]),
        ("tags", "not_equals", ["{a,b}"], ["15", "50", None]),
        ("box", "equals", ["(1,1),(0,0)"], ["5", "50"]),
        ("box", "not_equals", ["(1,1),(0,0)"], ["15", None]),
        ("box", "in", ["(1,1),(0,0)", "(2,2),(0,0)"], ["5", "15", "50"]),
        ("active", "equals", ["t"], ["5", "50"]),
        ("active", "not_equals", ["t"], ["15", None]),
        ("notes", "equals", ['{"a": 1}'], ["5"]),
        ("notes", "begins", ['{"a"'], ["5", "15"]),
        ("code", "equals", ["x   "], ["5"]),
        ("code", "equals", ["x"], ["5"]),
        ("code", "begins", ["x"], ["5", "15"]),
        ("pair", "equals", ["(1,x)"], ["5"]),
        ("pair", "in", ["(1,x)", "(2,)"], ["5", "15"]),
        ("pair", "at_least", ["(1,y)"], ["15", "50"]),
        ("data", "equals", ['{"b": 2, "a": 1}'], ["5"]),
        ("data", "equals", ["null"], ["50"]),
        ("ip", "equals", ["10.0.0.1"], ["5"]),
        ("ip", "contains", ["/8"], ["15"]),
    ],
)
@pytest.mark.usefixtures("people")
def test_a_condition_finds_what_it_says(column, operator, values, numbers):
    assert found(column, operator, *values) == numbers


@pytest.mark.usefixtures("people")
def test_conditions_are_combined():
    both = [Condition("n", Operator.AT_LEAST, ("5",)), Condition("n", Operator.AT_MOST, ("15",))]
    assert [row[0] for row in texts(order_by=["n"], conditions=both)] == ["5", "15"]
    either = Condition("n", Operator.IN, ("5", "50"))
    assert [row[0] for row in texts(conditions=[*both, either])] == ["5"]


@pytest.mark.usefixtures("people")
def test_conditions_may_depend_on_the_columns():
    """They are made while the view is locked. Without any, no rows are read."""
    seen = []

    def of_numbers(columns):
        seen.extend(columns)
        return [Condition(each.name, Operator.EQUALS, ("5",)) for each in columns if each.type == "integer"]

    page = read_rows("default", V, limit=9, conditions=of_numbers)
    assert [row[0].text for row in page.rows] == ["5"]
    assert tuple(seen) == page.columns
    page = read_rows("default", V, limit=9, conditions=lambda columns: None)
    assert (page.rows, page.has_more, page.columns) == ((), False, tuple(seen))


@pytest.mark.usefixtures("people")
def test_a_column_says_which_operators_it_has():
    columns = {column.name: column for column in read_rows("default", V, limit=1).columns}
    assert {name: set(operators_for(column)) for name, column in columns.items() if name != "active"} == {
        name: UNORDERED if name in ("box", "notes") else ALL for name in columns if name != "active"
    }
    equal = {Operator.EQUALS, Operator.NOT_EQUALS, Operator.IS_NULL, Operator.IS_NOT_NULL}
    assert set(operators_for(columns["active"])) == equal
    assert columns["active"].choices == ("t", "f")
    assert columns["size"].choices == ("small", "large", "Huge")
    assert (
        "".join(columns[name].category for name in ("n", "name", "born", "share", "tags", "pair")) == "NSDNAC"
    )


@pytest.mark.parametrize(("column", "operator"), [("n", "at_least"), ("name", "contains"), ("box", "equals")])
def test_a_span_is_refused_where_it_has_no_meaning(people, column, operator):
    with pytest.raises(BadConditionError, match="takes no span of values"):
        found(column, operator, Span("1", "2"))


def test_a_domain_says_which_type_is_below_it(create, execute):
    execute("CREATE DOMAIN views.past AS timestamp(3) with time zone; CREATE DOMAIN views.old AS views.past")
    execute("CREATE DOMAIN views.words AS varchar(9)[]; CREATE TYPE views.mood AS ENUM ('sad')")
    types = ["views.old", "views.words", "numeric(5,2)", "views.mood", "integer"]
    create("SELECT " + ", ".join(f"NULL::{type_} AS c{n}" for n, type_ in enumerate(types)))
    columns = read_rows("default", V, limit=1).columns
    assert [column.type for column in columns] == types
    assert [(column.base, column.category) for column in columns] == [
        ("timestamp with time zone", "D"),
        ("character varying[]", "A"),
        ("numeric", "N"),
        ("views.mood", "E"),
        ("integer", "N"),
    ]


@pytest.mark.parametrize(
    ("column", "value", "type_"),
    [
        ("n", "abc", "integer"),
        ("n", "", "integer"),
        ("n", "5.5", "integer"),
        ("n", "99999999999", "integer"),
        ("born", "30/06/2026", "date"),
        ("born", "2026-02-30", "date"),
        ("size", "medium", "views.size"),
        ("share", "half", "views.percent"),
        ("tags", "a,b", "text[]"),
        ("active", "maybe", "boolean"),
        ("pair", "(1,2,3)", "views.pair"),
        ("data", "{", "jsonb"),
        ("ip", "300.0.0.1", "inet"),
    ],
)
@pytest.mark.usefixtures("people")
def test_a_value_of_another_type_is_an_error_that_names_all_three(column, value, type_):
    good = Condition("n", Operator.AT_LEAST, ("0",))
    conditions = [good, Condition(column, Operator.EQUALS, (value,)), good]
    with pytest.raises(BadConditionError) as caught:
        read_rows("default", V, limit=1, conditions=conditions)
    error = caught.value
    assert (error.column, error.type, error.value) == (column, type_, value)
    assert str(error).startswith(
        f"{value!r} is not a value of the type {type_}, which the column {column!r} has"
    )
    assert texts(conditions=[good], limit=1)


@pytest.mark.parametrize("value", ["nul \0 byte", "half \ud83e of a pair"])
@pytest.mark.parametrize("column", ["n", "name", "box"])
@pytest.mark.usefixtures("people")
def test_a_text_that_no_database_has_is_such_an_error_too(column, value):
    for operator in (Operator.EQUALS, Operator.CONTAINS):
        with pytest.raises(BadConditionError, match="characters that no text in the database has"):
            texts(conditions=[Condition(column, operator, (value,))])


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (Condition("box", Operator.AT_LEAST, ("(1,1),(0,0)",)), "has the type box, which the operator 'at_l"),
        (Condition("active", Operator.CONTAINS, ("t",)), "has the type boolean, which the operator"),
        (Condition("n", Operator.EQUALS), "'equals' takes 1 values, and 0 are given"),
        (Condition("n", Operator.EQUALS, ("1", "2")), "'equals' takes 1 values, and 2 are given"),
        (Condition("n", Operator.IN), "'in' takes at least 1 values, and 0 are given"),
        (Condition("n", Operator.IS_NULL, ("x",)), "'is_null' takes 0 values, and 1 are given"),
    ],
)
@pytest.mark.usefixtures("people")
def test_an_operator_that_does_not_fit_is_an_error(condition, message):
    with pytest.raises(BadConditionError, match=message) as caught:
        texts(conditions=[condition])
    assert (caught.value.column, caught.value.value) == (condition.column, "")


def test_an_error_of_the_view_is_not_taken_for_one_of_a_value(create):
    """Its SQLSTATE is that of a value that is none of its type."""
    create("SELECT n, (n || 'x')::integer AS broken FROM generate_series(1, 3) AS n")
    with pytest.raises(RowsUnavailableError, match=r'cannot be read: invalid input.*"1x"') as caught:
        texts(conditions=[Condition("n", Operator.EQUALS, ("1",))])
    assert not isinstance(caught.value, BadConditionError)


def test_columns_with_a_collation_that_knows_no_beginnings(create, execute):
    """Up to PostgreSQL 17, texts in a nondeterministic collation cannot be searched."""
    try:
        execute(f"CREATE COLLATION views.any_case ({ANY_CASE})")
    except NotSupportedError:
        pytest.skip("the server is built without ICU")
    create(
        "SELECT n, name COLLATE views.any_case AS name FROM (VALUES (1, 'Ann'), (2, 'BEN')) AS t (n, name)"
    )
    assert found("name", "equals", "ann") == ["1"]
    assert found("name", "contains", "e") == ["2"]
    assert found("name", "begins", "BE") == ["2"]
    assert found("name", "begins", "be") == []


#: A type like those of extensions: text in any case, in a schema that is not on the search path.
OWN_TYPE = """
CREATE TYPE views.word;
CREATE FUNCTION views.word_in(cstring) RETURNS views.word LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION views.word_out(views.word) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE views.word (INPUT = views.word_in, OUTPUT = views.word_out, LIKE = text);
CREATE FUNCTION views.compared(a views.word, b views.word) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN RETURN bttextcmp(lower(concat(a)), lower(concat(b))); END $$;
"""
OWN_OPERATOR = """
CREATE FUNCTION views.compared_{number}(a views.word, b views.word) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN views.compared(a, b) {operator} 0; END $$;
CREATE OPERATOR views.{operator} (
    FUNCTION = views.compared_{number}, LEFTARG = views.word, RIGHTARG = views.word
);
"""
OWN_CLASS = "CREATE OPERATOR CLASS views.words DEFAULT FOR TYPE views.word USING btree AS"
OPERATORS = ["<", "<=", "=", ">=", ">"]


@pytest.mark.parametrize("has_class", [True, False])
def test_a_type_of_somebody_is_compared_by_its_operator_class(has_class, create, execute):
    """Without one, the texts are compared, whatever operators there are."""
    execute(OWN_TYPE)
    for number, operator in enumerate(OPERATORS, 1):
        execute(OWN_OPERATOR.format(number=number, operator=operator))
    if has_class:
        members = ", ".join(f"OPERATOR {number} views.{name}" for number, name in enumerate(OPERATORS, 1))
        execute(f"{OWN_CLASS} {members}, FUNCTION 1 views.compared(views.word, views.word)")
    words = "(1, 'ann'), (2, 'Ben'), (3, 'ANN'), (4, NULL)"
    create(f"SELECT n, w::views.word AS w FROM (VALUES {words}) AS t (n, w)")
    column = read_rows("default", V, limit=1).columns[1]
    assert (column.type, column.is_ordered) == ("views.word", has_class)
    assert found("w", "equals", "ANN") == (["1", "3"] if has_class else ["3"])
    assert found("w", "in", "ben", "Ben") == ["2"]
    assert found("w", "begins", "A") == ["3"]
    assert found("w", "contains", "NN") == ["1", "3"]
    in_order = [row[0] for row in texts(order_by=["w", "n"])]
    assert in_order == (["1", "3", "2", "4"] if has_class else ["3", "2", "1", "4"])
    if has_class:
        assert found("w", "at_least", "B") == ["2"]


def test_names_with_per_cent_signs_and_quotes(create, execute):
    """In the name of the type, of its schema, of the view and of the column."""
    execute('CREATE SCHEMA "%s ""x"""; CREATE TYPE "%s ""x"""."a%%b" AS ENUM (\'100%\')')
    odd = create('SELECT \'100%\'::"%s ""x"""."a%%b" AS "%(c)s"', ViewName("views", "%d"))
    for operator in (Operator.EQUALS, Operator.IN, Operator.CONTAINS, Operator.AT_LEAST):
        conditions = [Condition("%(c)s", operator, ("100%",))]
        assert texts(odd, conditions=conditions, order_by=["-%(c)s"]) == [["100%"]]
