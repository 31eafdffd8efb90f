"""A stored SELECT that cannot be read to the end says less exactly, and never less, what a view shows."""

from dataclasses import replace

import pytest
from django.db import connection

from orm_views_core.database.lineage import RelationColumn
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.rules.catalog import read_stored
from orm_views_core.engines.postgresql.rules.follow import follow
from orm_views_core.engines.postgresql.rules.node_kinds import NEWEST
from orm_views_core.names import ViewName

pytestmark = pytest.mark.django_db

VIEW, READER = ViewName("public", "v"), ViewName("public", "reader")


def columns(*names, table="things"):
    return frozenset(RelationColumn(ViewName("public", table), name) for name in names)


@pytest.fixture
def stored(execute):
    execute(
        """
        CREATE TABLE public.things (id int, email text, city text);
        CREATE VIEW public.v AS SELECT id, lower(email) AS mail FROM public.things WHERE city <> '';
        CREATE VIEW public.reader AS SELECT mail, id + 1 AS next FROM public.v
        """
    )
    with catalog_cursor(connection) as cursor:
        return read_stored(cursor, [READER])


def changed(stored, *replacements):
    """The same with another text of the rule of ``v``."""
    (oid,) = [oid for oid, relation in stored.relations.items() if relation.name == VIEW]
    text = stored.rules[oid].text
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after)
    return replace(stored, rules={**stored.rules, oid: stored.rules[oid]._replace(text=text)})


def test_it_is_exact_as_it_is(stored):
    view = follow(stored).views[VIEW]
    assert view.is_exact
    assert [(c.column, c.shows, c.computed_from, c.may_show, c.because) for c in view.columns] == [
        ("id", columns("id"), frozenset(), frozenset(), ""),
        ("mail", frozenset(), columns("email"), frozenset(), ""),
    ]
    assert view.uses == columns("city")


def unreadable(stored, because):
    """Check what is known when it cannot be read: the noted origins, and that it may show all."""
    lineage = follow(stored)
    view, reader = lineage.views[VIEW], lineage.views[READER]
    why = f"its SELECT could not be read to the end: {because}"
    assert not view.is_exact
    assert [(c.column, c.shows, c.computed_from, c.may_show, c.because) for c in view.columns] == [
        ("id", columns("id"), frozenset(), columns("email", "city"), why),
        ("mail", frozenset(), frozenset(), columns("id", "email", "city"), why),
    ]
    assert view.uses == columns("id", "email", "city")
    # Whoever reads it may show the same.
    assert [(c.column, c.may_show, c.because) for c in reader.columns] == [
        ("mail", columns("id", "email", "city"), why),
        ("next", columns("email", "city"), why),
    ]
    assert reader.column("next").computed_from == columns("id")


def test_a_node_that_is_not_known(stored):
    unreadable(changed(stored, ("{FUNCEXPR ", "{NEWEXPR ")), "it has a NEWEXPR node")


def test_an_entry_of_a_range_table_that_is_not_known(stored):
    (oid,) = [oid for oid, relation in stored.relations.items() if relation.name.name == "things"]
    text = f":rtekind 0 :relid {oid}"
    unreadable(
        changed(stored, (text, text.replace("rtekind 0", "rtekind 77"))),
        "it has an entry of kind 77 in a range table",
    )


def test_an_origin_that_is_another_one(stored):
    (oid,) = [oid for oid, relation in stored.relations.items() if relation.name.name == "things"]
    noted = f":resorigtbl {oid} :resorigcol 1 "
    # The first column is read as the third: the one that PostgreSQL has noted is shown at least.
    lineage = follow(changed(stored, (":varattno 1 ", ":varattno 3 "), (noted, noted)))
    id_column = lineage.views[VIEW].column("id")
    assert not lineage.views[VIEW].is_exact
    assert id_column.shows == columns("id")
    assert id_column.may_show == columns("email", "city")
    assert "a column whose origin is another one (1)" in id_column.because


def test_a_version_that_is_newer_than_the_newest_known(stored):
    newer = follow(replace(stored, version=NEWEST + 1))
    view = newer.views[VIEW]
    assert view.column("id").shows == columns("id")
    assert view.column("mail").may_show == columns("id", "email", "city")
    assert f"it has PostgreSQL {NEWEST + 1}, and {NEWEST} is the newest" in view.column("mail").because


def test_a_text_that_is_no_tree_at_all(stored):
    lineage = follow(changed(stored, ("{QUERY ", "QUERY ")))
    for column in lineage.views[VIEW].columns:
        assert column.shows == frozenset()
        assert column.may_show == columns("id", "email", "city")


def test_what_is_nested_too_deeply(execute):
    """Python's stack ends before PostgreSQL's does."""
    execute("CREATE TABLE public.things (id int, email text, city text)")
    sql = "SELECT email FROM public.things"
    for _ in range(400):
        sql = f"SELECT ({sql}) AS email"
    execute(f"CREATE VIEW public.v AS {sql}")
    with catalog_cursor(connection) as cursor:
        view = follow(read_stored(cursor, [VIEW])).views[VIEW]
    assert columns("email") <= view.column("email").sources


def test_a_long_expression_is_read_to_the_end(execute):
    """What is deep because it is long, as many parts that are put together, needs no stack."""
    execute("CREATE TABLE public.things (id int, email text, city text)")
    execute(f"CREATE VIEW public.v AS SELECT {' || '.join(['email'] * 1500)} AS mails FROM public.things")
    with catalog_cursor(connection) as cursor:
        view = follow(read_stored(cursor, [VIEW])).views[VIEW]
    assert view.is_exact
    assert view.column("mails").computed_from == columns("email")


def test_views_that_read_one_another_end(execute):
    """PostgreSQL lets them be made, and nobody can read them."""
    execute(
        """
        CREATE TABLE public.things (id int, email text, city text);
        CREATE VIEW public.v AS SELECT email FROM public.things;
        CREATE VIEW public.reader AS SELECT email FROM public.v;
        CREATE OR REPLACE VIEW public.v AS SELECT email FROM public.reader
        """
    )
    with catalog_cursor(connection) as cursor:
        lineage = follow(read_stored(cursor, [VIEW]))
    assert set(lineage.views) == {VIEW, READER}


def test_long_values_of_another_table(execute):
    """A TOAST table has them. Nobody can tell of which columns they are."""
    execute("CREATE TABLE public.things (id int, email text)")
    ((toast,),) = execute("SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'things'")
    execute(f"CREATE VIEW public.v AS SELECT chunk_data FROM {toast}")
    with catalog_cursor(connection) as cursor:
        column = follow(read_stored(cursor, [VIEW])).views[VIEW].column("chunk_data")
    assert column.through == (toast,)
    assert column.because == f"it reads through {toast}, which may read any table"
