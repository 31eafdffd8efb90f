"""How a view in the database differs from its class, and which views that concerns. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.graph import closure, creation_order, reverse
from orm_views_core.names import ViewName
from orm_views_core.sql.references import find_references

PUBLIC = "public"


@dataclass(frozen=True)
class Differences:
    """What is not as the class says. Every attribute is falsy when all is well.

    Attributes:
        missing: it is not in the database.
        obstructed_by: what has its name and is no view, in words.
        other_kind: it is a plain view and should be materialised, or the other way round.
        unrecorded: it is there, but no sync of ours made it.
        code: its class has changed since the last sync.
        drifted: the database has changed since the last sync.
        sources: its SQL has a star, and what it reads has other columns than at the last sync.
        comment: its comment is not its docstring.
        column_comments: the comments to set, by column.
        grant: the roles that lack SELECT.
        revoke: the roles that have SELECT from us and should no longer.
        record: the tag's list of roles is not the class's.
    """

    missing: bool = False
    obstructed_by: str = ""
    other_kind: bool = False
    unrecorded: bool = False
    code: bool = False
    drifted: bool = False
    sources: bool = False
    comment: bool = False
    column_comments: Mapping[str, str] = field(default_factory=dict)
    grant: tuple[str, ...] = ()
    revoke: tuple[str, ...] = ()
    record: bool = False

    @property
    def needs_dry_run(self) -> bool:
        """Whether only PostgreSQL can say what the difference amounts to."""
        return self.other_kind or self.unrecorded or self.code or self.drifted or self.sources

    @property
    def is_pending(self) -> bool:
        """Whether a sync would do anything about it."""
        return self != NO_DIFFERENCES


#: A view that is as its class says.
NO_DIFFERENCES = Differences()


def differences(
    definition: ViewDefinition, installed: InstalledView | None, command_roles: Sequence[str] = ()
) -> Differences:
    """Compare a class with what the database has.

    Args:
        definition: what the class says.
        installed: what is there under its name, or None.
        command_roles: further roles to grant SELECT to, named on the command line.
    """
    if installed is None:
        return Differences(missing=True)
    if installed.kind is None:
        return Differences(obstructed_by=installed.relation)
    state = installed.state
    granted, revoked = _grants(definition, installed, command_roles)
    return Differences(
        other_kind=installed.kind is not definition.kind,
        unrecorded=state is None,
        code=state is not None and state.code != definition.fingerprint,
        # Whoever holds it exclusively is refreshing it, which changes nothing that is compared here.
        drifted=state is not None and installed.fingerprint not in (None, state.installed),
        sources=state is not None and definition.has_star and state.sources != installed.sources,
        comment=installed.text != kept_comment(definition, installed),
        column_comments={
            column: text
            for column, text in definition.column_comments.items()
            if installed.column_comments.get(column) != text
        },
        grant=granted,
        revoke=revoked,
        record=state is not None and set(state.granted) != set(definition.grant_select_to),
    )


def has_text_by_hand(definition: ViewDefinition, installed: InstalledView | None) -> bool:
    """Say whether a view's comment is somebody's own: the class has no docstring, and no sync wrote it."""
    if installed is None or definition.comment or not installed.text:
        return False
    return installed.state is None or installed.state.text_by_hand


def kept_comment(definition: ViewDefinition, installed: InstalledView | None) -> str:
    """Return the text that a view's comment is to have."""
    if installed is not None and has_text_by_hand(definition, installed):
        return installed.text
    return definition.comment


def is_reader(role: str, installed: InstalledView) -> bool:
    """Say whether a role may read a view; its owner always may."""
    return role == installed.owner or ("" if role.lower() == PUBLIC else role) in installed.readers


def _grants(
    definition: ViewDefinition, installed: InstalledView, command_roles: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the roles to grant SELECT to and those to revoke it from.

    Only what a sync granted is ever revoked; what somebody granted by hand stays. A role that was named
    on the command line keeps its grant until the view is hidden: the next deploy may not name it again.
    """
    wanted = () if definition.hidden else dict.fromkeys([*definition.grant_select_to, *command_roles])
    grant = tuple(role for role in wanted if not is_reader(role, installed))
    if installed.state is None:
        return grant, ()
    ours = list(installed.state.granted)
    if definition.hidden:
        ours += installed.state.granted_by_command
    kept = {*wanted, *(() if definition.hidden else installed.state.granted_by_command)}
    revoke = tuple(r for r in ours if r not in kept and r != installed.owner and is_reader(r, installed))
    return grant, revoke


@dataclass(frozen=True)
class Scope:
    """What a sync has to look at.

    Attributes:
        differences: of every view that is looked at.
        dependencies: what each view reads of the others, as far as SQL and catalogs tell.
        order: the views, each after what it reads.
        try_views: those that have to be tried, in that order.
    """

    differences: Mapping[ViewName, Differences]
    dependencies: Mapping[ViewName, Collection[ViewName]]
    order: Sequence[ViewName]
    try_views: Sequence[ViewName]


def find_scope(
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    *,
    external: Collection[ViewName] = (),
    command_roles: Sequence[str] = (),
    only: Collection[ViewName] | None = None,
    force: bool = False,
    try_missing: bool = True,
) -> Scope:
    """Decide which views have to be tried.

    Args:
        definitions: the registered views.
        catalog: the database.
        external: views that others made and that read ours. They never differ, but what changes below
            them may concern them.
        command_roles: further roles to grant SELECT to.
        only: the views that are asked for; all when None. What they cannot do without comes along.
        force: rebuild what is asked for although nothing differs.
        try_missing: also try the views that do not exist yet. A sync creates those directly, as their
            own test, unless a view that is tried reads them or is read by them.

    Raises:
        CyclicDependencyError: when views read one another in a circle.
    """
    found = {
        name: differences(definition, catalog.relations.get(name), command_roles)
        for name, definition in definitions.items()
    }
    names = frozenset([*definitions, *external])
    dependencies = {
        name: _dependencies(definition, found[name], catalog, names)
        for name, definition in definitions.items()
    }
    dependencies |= {name: catalog.relations[name].reads & names for name in external}
    order = creation_order(
        dependencies, lambda name: definitions[name].where if name in definitions else str(name)
    )
    found |= dict.fromkeys(external, NO_DIFFERENCES)
    asked = set(definitions) if only is None else closure_of_missing(set(only), dependencies, found)
    looked_at = {name: found[name] for name in definitions if name in asked}

    changed = {n for n, d in looked_at.items() if d.needs_dry_run or (force and not d.obstructed_by)}
    changed = {name for name in changed if not found[name].missing}
    missing = {name for name, difference in looked_at.items() if difference.missing}
    affected = closure(reverse(dependencies), changed)
    affected = {n for n in affected if not found[n].obstructed_by and (n in asked or not found[n].missing)}
    tried = {n for n in closure(dependencies, affected) if n in affected or found[n].missing}
    if try_missing:
        tried |= missing
    return Scope(looked_at, dependencies, order, [name for name in order if name in tried])


def closure_of_missing(
    asked: Collection[ViewName],
    dependencies: Mapping[ViewName, Collection[ViewName]],
    found: Mapping[ViewName, Differences],
) -> set[ViewName]:
    """Add to some views those that they read and that do not exist yet."""
    known = {name for name in asked if name in found}
    return {name for name in closure(dependencies, known) if name in known or found[name].missing}


def _dependencies(
    definition: ViewDefinition,
    difference: Differences,
    catalog: Catalog,
    names: frozenset[ViewName],
) -> frozenset[ViewName]:
    installed = catalog.relations.get(definition.name)
    if installed is not None and not (difference.needs_dry_run or difference.obstructed_by):
        read = installed.reads & names
    else:
        path = catalog.search_path
        read = find_references(definition.sql, names, search_path=path, reader=definition.name)
    return read | (names & set(definition.declared_dependencies))


def find_orphans(definitions: Definitions, catalog: Catalog) -> list[ViewName]:
    """Return the views that a sync under this alias made and that no class declares any more."""
    declared = {*definitions.views, *definitions.invalid_names.values()}
    return [
        name
        for name, installed in catalog.relations.items()
        if installed.state and installed.state.database == definitions.database and name not in declared
    ]
