"""Follows what views are made of through the views that they read, to the columns of tables. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orm_views_core.database.lineage import ColumnLineage, Columns, Lineage, RelationColumn, ViewLineage
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence, listed, says

from .nodes import Malformed, parse
from .selects import Select, read_select
from .sources import ROWS, WHOLE, Made, Source
from .stored import OPAQUE_RELATIONS, Stored, StoredRelation

# pg_class.relkind. A TOAST table has the long values of another table.
_SEQUENCE, _TOAST = "S", "t"


@dataclass
class _Column:
    """What a column is made of, by name."""

    shows: set[RelationColumn] = field(default_factory=set)
    computed: set[RelationColumn] = field(default_factory=set)
    may_show: set[RelationColumn] = field(default_factory=set)
    through: set[str] = field(default_factory=set)
    why: set[Sentence] = field(default_factory=set)

    def add(self, other: _Column, shown: bool = False) -> None:
        (self.shows if shown else self.computed).update(other.shows)
        self.computed |= other.computed
        self.may_show |= other.may_show
        self.through |= other.through
        self.why |= other.why

    def add_possible(self, other: _Column) -> None:
        """Add something that it may show."""
        self.may_show |= other.shows | other.computed | other.may_show
        self.through |= other.through
        self.why |= other.why

    @property
    def sources(self) -> set[RelationColumn]:
        return self.shows | self.computed | self.may_show

    def value(self, name: str) -> ColumnLineage:
        because = [
            *(
                says("it reads through %(what)s, which may read any table", what=t)
                for t in sorted(self.through)
            ),
            *sorted(self.why),
        ]
        return ColumnLineage(
            name,
            frozenset(self.shows),
            frozenset(self.computed - self.shows),
            frozenset(self.may_show - self.shows - self.computed),
            tuple(sorted(self.through)),
            listed(because, "; ") if because else NOTHING,
        )


@dataclass(frozen=True)
class _View:
    """What a view is made of. ``rows`` is what decides which rows those who read it find."""

    columns: Mapping[str, _Column]
    used: Columns
    rows: Columns


_Expand = Callable[[Source], _Column]


def follow(
    stored: Stored,
    schemas: Mapping[str, str] | None = None,
    ends: Collection[RelationColumn] = (),
    *,
    selects: dict[int, Select] | None = None,
) -> Lineage:
    """Return the lineage of all views whose rules were read, except those of PostgreSQL itself.

    Args:
        stored: what was read of the catalogs.
        schemas: the real schema of each staging schema. A view in a staging schema stands for the view of
            that name in the real one, also where others read that.
        ends: columns of views that are not followed further.
        selects: the SELECTs that were read, by oid. Those of views that were not are added.
    """
    return _Follower(stored, schemas or {}, ends, {} if selects is None else selects).lineage()


class _Follower:
    def __init__(
        self,
        stored: Stored,
        schemas: Mapping[str, str],
        ends: Collection[RelationColumn],
        selects: dict[int, Select],
    ) -> None:
        self.stored, self.schemas, self.ends, self.selects = stored, schemas, ends, selects
        self.names = {oid: self._name(relation.name) for oid, relation in stored.relations.items()}
        staged = {self.names[oid]: oid for oid, r in stored.relations.items() if r.name.schema in schemas}
        self.stands_in = {oid: staged.get(name, oid) for oid, name in self.names.items()}
        self.views: dict[int, _View] = {}
        self.tables: dict[Source, _Column] = {}

    def lineage(self) -> Lineage:
        shown = [
            oid
            for oid in self.stored.rules
            if not self.stored.relations[oid].is_system and self.stands_in[oid] == oid
        ]
        for oid in self._order(shown):
            select = self.selects[oid]
            self.views[oid] = self._read(oid, select, self._expand)
        views, direct, reads = {}, {}, {}
        for oid in shown:
            name, select = self.names[oid], self.selects[oid]
            views[name] = _lineage_of(name, self.views[oid], select)
            direct[name] = _lineage_of(name, self._read(oid, select, self._direct), select)
            relations = {self._counted(each) for each in self.stored.rules[oid].reads if each in self.names}
            reads[name] = frozenset(relations - {name})
        return Lineage(views, direct, reads)

    def _name(self, name: ViewName) -> ViewName:
        return ViewName(self.schemas.get(name.schema, name.schema), name.name)

    def _order(self, oids: Iterable[int]) -> Iterator[int]:
        """Yield views, each after those that it reads. Nobody can read views that read one another."""
        begun: set[int] = set()
        pending = [(oid, False) for oid in oids]
        while pending:
            oid, done = pending.pop()
            if done:
                yield oid
            elif oid not in begun:
                begun.add(oid)
                if oid not in self.selects:
                    self.selects[oid] = read_select(self.stored, oid)
                pending.append((oid, True))
                read = {self.stands_in.get(each, each) for each in self.stored.rules[oid].reads}
                pending += [(each, False) for each in read if each in self.stored.rules]

    def _read(self, oid: int, select: Select, expand: _Expand) -> _View:
        names = self.stored.relations[oid].columns
        unread = _Column(
            why={says("its SELECT could not be read to the end: %(why)s", why=select.why)}
            if select.why
            else set()
        )
        for source in select.may_show:
            unread.add_possible(expand(source))
        columns = {}
        for number, made in zip(sorted(names), select.columns, strict=True):
            columns[names[number]] = column = _made_of(made, expand)
            column.add_possible(unread)
        used = {each for source in select.used for each in expand(source).sources}
        compared = columns.values() if select.is_distinct else ()
        return _View(columns, frozenset(used), frozenset(used.union(*(each.sources for each in compared))))

    def _expand(self, source: Source) -> _Column:
        """Return what a column is made of, in columns of tables."""
        relation = self.stored.relations.get(source.relation)
        if relation is None:
            return _Column()
        oid = self.stands_in[source.relation]
        if oid in self.stored.rules:
            return self._of_view(oid, relation, source.attribute)
        return self._each(relation, source, self._table_column)

    def _direct(self, source: Source) -> _Column:
        """Return a column itself, or each one of its relation."""
        relation = self.stored.relations.get(source.relation)
        return _Column() if relation is None else self._each(relation, source, self._named)

    def _of_view(self, oid: int, relation: StoredRelation, attribute: int) -> _Column:
        view = self.views.get(oid)
        if view is None:
            return _Column()
        if attribute == ROWS:
            return _Column(computed=set(view.rows))
        name = self.names[oid]
        if attribute != WHOLE:
            column = relation.columns.get(attribute, "")
            is_end = RelationColumn(name, column) in self.ends
            return _Column() if is_end else view.columns.get(column, _Column())
        whole = _Column()
        for column, made in view.columns.items():
            if RelationColumn(name, column) not in self.ends:
                whole.add(made)
        return whole

    def _each(self, relation: StoredRelation, source: Source, column_of: _Expand) -> _Column:
        if source.attribute == ROWS or relation.kind == _SEQUENCE:
            return _Column()
        if source.attribute != WHOLE:
            return column_of(source)
        whole = _Column()
        for number in relation.columns:
            whole.add(column_of(Source(source.relation, number)))
        return whole

    def _table_column(self, source: Source) -> _Column:
        if source not in self.tables:
            self.tables[source] = column = self._named(source)
            relation = self.stored.relations[source.relation]
            if relation.name in OPAQUE_RELATIONS or relation.kind == _TOAST:
                column.through.add(str(relation.name))
            if text := relation.generated.get(source.attribute):
                column.add(self._generated(source, text))
        return self.tables[source]

    def _named(self, source: Source) -> _Column:
        relation = self.stored.relations[source.relation]
        column = relation.columns.get(source.attribute)
        name = self._counted(source.relation)
        return _Column() if column is None else _Column(shows={RelationColumn(name, column)})

    def _counted(self, oid: int) -> ViewName:
        """Return the name of a relation; that of its partitioned table if it is a partition."""
        root = self.stored.relations[oid].root
        return self.names[root if root in self.names else oid]

    def _generated(self, source: Source, text: str) -> _Column:
        """Return what a generated column is computed from: its expression names columns of its own table."""
        table = source.relation
        try:
            made = Made()
            pending = [parse(f"({text})")]
            while pending:
                node = pending.pop()
                if isinstance(node, list):
                    pending += node
                elif node is not None and node.name == "VAR":
                    made.computed.add(Source(table, node.number("varattno")))
                elif node is not None:
                    pending += node.children()
            return _made_of(made, self._named)
        except Malformed as error:
            column = _Column(
                why={
                    says(
                        "the expression of %(table)s could not be read: %(why)s",
                        table=self.names[table],
                        why=error.args[0],
                    )
                }
            )
            column.add_possible(self._direct(Source(table, WHOLE)))
            return column


def _made_of(made: Made, expand: _Expand) -> _Column:
    column = _Column(through=set(made.through))
    for source in made.shows:
        column.add(expand(source), shown=True)
    for source in made.computed:
        column.add(expand(source))
    return column


def _lineage_of(name: ViewName, view: _View, select: Select) -> ViewLineage:
    columns = tuple(column.value(column_name) for column_name, column in view.columns.items())
    return ViewLineage(name, columns, view.used, not select.why)
