"""What views read, as far as the catalogue names it, and the tables that they are made of."""

from __future__ import annotations

from orm_views_core.catalogue.surroundings import inverted, tables_of, visible_reads
from orm_views_core.catalogue.values import CatalogueColumn, CatalogueView, TableColumn
from orm_views_core.database.lineage import ColumnLineage, RelationColumn
from orm_views_core.names import ViewKind
from tests.core.values import name


def named(*texts):
    return tuple(name(text) for text in texts)


def of(text):
    """``table.column`` of the schema `public`."""
    table, _, column = text.partition(".")
    return RelationColumn(name(f"public.{table}"), column)


def view(text, *columns, uses=(), reads=()):
    return CatalogueView(
        database="default",
        name=name(text),
        kind=ViewKind.VIEW,
        label="",
        owner="owner",
        description="",
        columns=tuple(CatalogueColumn(c.column, "text", "", "", c) for c in columns),
        uses=frozenset(map(of, uses)),
        reads=named(*reads),
    )


def column(text, **sources):
    return ColumnLineage(text, **{how: frozenset(map(of, columns)) for how, columns in sources.items()})


def test_in_the_place_of_a_view_that_is_not_in_the_catalogue_stands_what_it_reads():
    reads = {
        name("top"): named("hidden", "middle"),
        name("hidden"): named("deeper", "public.a"),
        name("deeper"): named("middle", "public.b"),
        name("middle"): named("public.c"),
    }
    found = visible_reads(named("top", "middle"), reads)
    assert found == {
        name("top"): named("public.a", "public.b", "middle"),
        name("middle"): named("public.c"),
    }
    assert inverted(found)[name("middle")] == named("top")


def test_hidden_views_that_read_one_another_end():
    reads = {name("top"): named("a"), name("a"): named("b", "top"), name("b"): named("a", "public.t")}
    assert visible_reads(named("top"), reads) == {name("top"): named("public.t")}


def test_a_table_says_where_each_of_its_columns_is_found_again():
    views = [
        view("one", column("town", shows=["customer.city"]), uses=["customer.id"], reads=["public.customer"]),
        view(
            "two",
            column("initial", computed_from=["customer.city"]),
            column("copy", shows=["customer.city"]),
            column("any", may_show=["customer.id"]),
            reads=["one"],
        ),
    ]
    (customer,) = tables_of("default", views, frozenset([of("customer.city")]))
    one, two = named("one", "two")
    assert (customer.database, customer.name) == ("default", name("public.customer"))
    assert customer.read_by == (one, two)
    assert customer.columns == (
        TableColumn(
            "city",
            shown_by=((one, "town"), (two, "copy")),
            computed_into=((two, "initial"),),
            is_personal=True,
        ),
        TableColumn("id", maybe_shown_by=((two, "any"),), used_by=(one,)),
    )


def test_a_table_whose_rows_are_only_counted_has_a_page_without_columns():
    (table,) = tables_of("default", [view("count", column("count"), reads=["public.loan"])], frozenset())
    assert (table.name, table.columns, table.read_by) == (name("public.loan"), (), named("count"))
