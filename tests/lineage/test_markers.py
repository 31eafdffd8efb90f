"""What reaches a column of a view is in its lineage: the values themselves tell where they are from."""

from __future__ import annotations

import random
import re
from collections import Counter

import hypothesis
import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import strategies as st

from orm_views_core.lineage import RelationColumn, read_lineage
from orm_views_core.names import ViewName

from .conftest import WHOLE
from .markers.expressions import Mode
from .markers.queries import write_views
from .markers.tables import CREATE, SCHEMA, TABLES, change, fill, marked


def read(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def values_of(relation, columns):
    """Return the values of each column of a relation as texts, in their order."""
    rows = read(f"SELECT {', '.join(f'{column}::text' for column in columns)} FROM {relation}")
    return {column: sorted(row[i] for row in rows if row[i] is not None) for i, column in enumerate(columns)}


@pytest.fixture(scope="module")
def marked_tables(opened):
    """The tables, filled."""
    for statement in (CREATE, *fill(), "SET LOCAL statement_timeout = '3s'"):
        read(statement)


@pytest.fixture(scope="module")
def owners(marked_tables):
    """The column that each value is of."""
    return {
        value: RelationColumn(ViewName(SCHEMA, table.of or table.name), column)
        for table in TABLES
        for column, values in values_of(table.qualified, table.types).items()
        for value in values
        if marked(value)
    }


def test_the_values_tell_their_columns(marked_tables):
    for table in TABLES:
        for column, values in values_of(table.qualified, table.types).items():
            if column not in ("k", "loud"):
                assert len(set(values)) == 3
                source = RelationColumn(ViewName(SCHEMA, table.of or table.name), column)
                assert [marked(value) for value in values] == 3 * [{source}]


def trying(examples):
    """The settings of a test that writes views."""
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=not WHOLE,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


def created(seed, mode, counts):
    """Write views and create them. Returns their values, or nothing where PostgreSQL refuses them."""
    views = write_views(random.Random(seed), mode)
    hypothesis.note(";\n".join(view.statement for view in views))
    counts["tries"] += 1
    try:
        with transaction.atomic():
            for view in views:
                read(view.statement)
            return {view: values_of(view.name.quoted, view.columns) for view in views}
    except DatabaseError:
        counts["refused"] += 1
        return {}


def say(counts, capsys):
    """Print what was tried, and assert that it was most of what was written."""
    with capsys.disabled():
        said = ", ".join(f"{count:,} {what}" for what, count in counts.items())
        print(f"\nPostgreSQL {connection.pg_version // 10_000}: {said}")
    assert counts["refused"] < counts["tries"] / 10
    assert counts["columns with values"] > counts["columns"] / 2


def check(view, lineage, values, owners, mode):
    """Assert that the lineage of a view tells of each value where it is from."""
    assert lineage.is_exact, lineage.columns[0].because
    for column in lineage.columns:
        assert (column.through, column.may_show) == ((), frozenset())
        found = [value for value in values[column.column] if marked(value)]
        if mode is Mode.PICKS:
            there, said = {owners[value] for value in found}, column.shows
        else:
            there, said = {each for value in found for each in marked(value)}, column.sources
        assert there <= said, (view.name, column.column, there - said)


def test_every_value_is_of_a_column_that_the_lineage_names(owners, capsys):
    counts = Counter()

    @trying(2_000 if WHOLE else 60)
    @hypothesis.given(st.integers(0, 2**32), st.sampled_from([Mode.ANY, Mode.PICKS]))
    def try_it(seed, mode):
        with transaction.atomic():
            values = created(seed, mode, counts)
            lineage = read_lineage(connection, {view.name for view in values})
            for view, found in values.items():
                check(view, lineage.views[view.name], found, owners, mode)
                filled = sum(map(bool, found.values()))
                counts.update({"views": 1, "columns": len(found), "columns with values": filled})
            transaction.set_rollback(True)

    try_it()
    say(counts, capsys)


#: Where these words are, how many rows a view has depends on columns beside the one that is looked at.
ROWS_BY_ALL = re.compile("SELECT DISTINCT|INTERSECT|EXCEPT|UNION (?!ALL)|unnest")


def kept(view, lineage):
    """Yield each column with what may not be changed: its sources, and what the view uses."""
    found = lineage.views[view.name]
    others = frozenset()
    if ROWS_BY_ALL.search(view.statement):
        others = frozenset(source for column in found.columns for source in column.sources)
    for column in found.columns:
        yield column.column, column.sources | found.uses | others


def changed(view, column, sources):
    """Return the values of a column after all columns of the tables but some have got other values."""
    with transaction.atomic():
        for statement in change(sources):
            read(statement)
        values = values_of(view.name.quoted, [column])[column]
        transaction.set_rollback(True)
    return values


def test_what_the_lineage_leaves_out_changes_nothing(owners, capsys):
    counts = Counter()

    @trying(1_000 if WHOLE else 30)
    @hypothesis.given(st.integers(0, 2**32))
    def try_it(seed):
        with transaction.atomic():
            before = created(seed, Mode.STABLE, counts)
            lineage = read_lineage(connection, {view.name for view in before})
            for view in before:
                for column, sources in kept(view, lineage):
                    try:
                        after = changed(view, column, sources)
                    except DatabaseError:  # more rows take longer than is allowed
                        counts["refused"] += 1
                        continue
                    assert after == before[view][column], (view.name, column)
                    counts.update({"columns": 1, "columns with values": bool(after)})
            transaction.set_rollback(True)

    try_it()
    say(counts, capsys)
