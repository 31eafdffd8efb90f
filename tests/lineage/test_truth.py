"""What is read of the views of `truth/` is what was written by hand."""

from __future__ import annotations

import pytest
from django.db import connection

from orm_views_core.lineage import read_lineage

from .comparison import MISSED, TOO_MANY, WRONG_GRADE, WRONG_USES, Tally, compare_column, compare_uses, table
from .conftest import WHOLE
from .corpus import TPCH, columns_of_relations, expander, subjects

#: Of the columns, in percent, that may have a source too many.
ALLOWED = 2


def chosen(corpus):
    """Return the views that are compared, below their subjects: all, or every seventh and those of TPC-H."""
    if WHOLE:
        return {subject.name: subject.views for subject in corpus}
    return {
        subject.name: subject.views if subject.name == TPCH else subject.views[len(subject.name) % 7 :: 7]
        for subject in corpus
    }


@pytest.fixture(scope="module")
def lineage(corpus):
    """What is read, in one go."""
    if WHOLE:
        return read_lineage(connection)
    return read_lineage(connection, {view.name for views in chosen(corpus).values() for view in views})


def compare(views, lineage, expand):
    """Return the differences of some views."""
    tally = Tally()
    for view in views:
        got = lineage.views[view.name]
        assert [column.column for column in got.columns] == list(view.columns)
        true = {name: sources.expand(expand) for name, sources in view.columns.items()}
        findings = [
            finding
            for column in got.columns
            for finding in compare_column(view.name, true[column.column], column)
        ]
        sources = frozenset().union(*(each.shows | each.computed_from for each in true.values()))
        findings += compare_uses(view.name, expand(view.uses), sources, got)
        tally.add(Tally(1, len(got.columns), findings))
    return tally


def test_there_are_more_than_four_hundred():
    names = [view.name for subject in subjects(18) for view in subject.views]
    assert len(set(names)) == len(names) > 400


def test_the_truth_names_the_columns_that_there_are(corpus):
    there = columns_of_relations(connection)
    for subject in corpus:
        for view in subject.views:
            assert list(view.columns) == there.get(view.name, []), view.name
            expander(there)(view.uses)


def test_the_lineage_is_true(corpus, lineage, capsys):
    expand = expander(columns_of_relations(connection))
    tallies = {name: compare(views, lineage, expand) for name, views in chosen(corpus).items() if views}
    total = Tally()
    for tally in tallies.values():
        total.add(tally)
    with capsys.disabled():
        print()
        for finding in total.findings:
            print(finding)
        rows = {name: tally.row() for name, tally in tallies.items()} if WHOLE else {}
        server = f"PostgreSQL {connection.pg_version // 10_000}"
        print("\n".join(table({**rows, server: total.row()})))
    assert total.columns_with(MISSED, WRONG_GRADE, WRONG_USES) == 0
    assert total.columns_with(TOO_MANY) <= total.columns * ALLOWED / 100


def test_no_column_has_a_source_twice(lineage):
    for view in lineage.views.values():
        for column in view.columns:
            assert len(column.sources) == len(column.shows) + len(column.computed_from) + len(column.may_show)


def test_a_view_that_is_read_alone_has_the_same_lineage(corpus, lineage):
    names = [view.name for views in chosen(corpus).values() for view in views]
    for name in names[:: 20 if WHOLE else 10]:
        alone = read_lineage(connection, {name})
        assert alone.views[name] == lineage.views[name]
        assert alone.reads[name] == lineage.reads[name]
