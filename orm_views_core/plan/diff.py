"""How a view in the database differs from its class, and which views a sync has to look at. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.graph import closure, creation_order, reverse
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence
from orm_views_core.sql.references import find_references

from .resolution import resolved_elsewhere

PUBLIC = "public"


@dataclass(frozen=True)
class Differences:
    """How a view differs from its class. Every attribute is falsy when it does not differ.

    Attributes:
        missing: it is not in the database.
        obstructed_by: what kind of relation has its name and is not a view, in words.
        other_kind: it is a plain view and should be materialised, or the other way round.
        unrecorded: it is in the database, but no sync has recorded it.
        unbelieved: its owner is not trusted, so nothing tells what has changed since the last sync.
        code: its class has changed since the last sync.
        drifted: it has changed in the database since the last sync.
        restored: how it came here after the last sync, in words, if PostgreSQL stores it differently here.
        sources: its SQL has a star, and what it reads has other columns than at the last sync.
        resolved: the names in its SQL that mean something else along the search path, in words.
        comment: its comment is not the text that it must have.
        column_comments: the comments to set, by column.
        grant: the roles that lack SELECT.
        revoke: the roles that a sync granted SELECT to and that should no longer have it.
        record: the sync state lists other roles than the class.
        old_form: an earlier release has written the sync state. That is no difference from the class.
    """

    missing: bool = False
    obstructed_by: Sentence = NOTHING
    other_kind: bool = False
    unrecorded: bool = False
    unbelieved: bool = False
    code: bool = False
    drifted: bool = False
    restored: Sentence = NOTHING
    sources: bool = False
    resolved: tuple[Sentence, ...] = ()
    comment: bool = False
    column_comments: Mapping[str, str] = field(default_factory=dict)
    grant: tuple[str, ...] = ()
    revoke: tuple[str, ...] = ()
    record: bool = False
    old_form: bool = field(default=False, compare=False)

    @property
    def needs_dry_run(self) -> bool:
        """Whether only PostgreSQL can tell what the difference is."""
        return self.is_outdated or bool(self.resolved)

    @property
    def is_outdated(self) -> bool:
        """Whether its sync state does not tell what it is, so that a sync writes the state anew."""
        is_unknown = self.unrecorded or self.unbelieved or bool(self.restored)
        return self.other_kind or is_unknown or self.code or self.drifted or self.sources

    @property
    def is_pending(self) -> bool:
        """Whether a sync would change anything."""
        return self != NO_DIFFERENCES


#: A view that is as its class declares it.
NO_DIFFERENCES = Differences()


def differences(
    definition: ViewDefinition, installed: InstalledView | None, command_roles: Sequence[str] = ()
) -> Differences:
    """Compare a class with the database.

    Args:
        definition: what the class declares.
        installed: the relation with the view's name, or None.
        command_roles: further roles to grant SELECT to, named on the command line.
    """
    if installed is None:
        return Differences(missing=True)
    if installed.kind is None:
        return Differences(obstructed_by=installed.relation)
    state = installed.state
    grant, revoke = _grants(definition, installed, command_roles)
    old_form = state is not None and state.is_json and installed.is_ours_to_change
    # The label of a view without a docstring is written with its first sync state, or its first in this form.
    is_unlabelled = (old_form or state is None) and not installed.text and not definition.comment
    return Differences(
        other_kind=installed.kind is not definition.kind,
        unrecorded=state is None and installed.is_trusted,
        unbelieved=not installed.is_trusted,
        code=state is not None and state.code != definition.fingerprint,
        drifted=not installed.is_as_recorded and not installed.restored,
        restored=NOTHING if installed.is_as_recorded else installed.restored,
        sources=state is not None and definition.has_star and state.sources != installed.sources,
        resolved=resolved_elsewhere(definition, installed)
        if state is not None and state.code == definition.fingerprint
        else (),
        comment=not is_unlabelled and installed.text != kept_comment(definition, installed),
        column_comments={
            column: text
            for column, text in definition.column_comments.items()
            if installed.column_comments.get(column) != text
        },
        grant=grant,
        revoke=revoke,
        record=state is not None and set(state.granted) != set(definition.grant_select_to),
        old_form=old_form,
    )


def has_text_by_hand(definition: ViewDefinition, installed: InstalledView | None) -> bool:
    """Return whether a view's comment was written by hand: no docstring and no sync has set it."""
    if installed is None or definition.comment or installed.text in ("", definition.label):
        return False
    return installed.state is None or installed.state.text_by_hand


def kept_comment(definition: ViewDefinition, installed: InstalledView | None) -> str:
    """Return the text that a view's comment must have: it says what the view is, or where it is from."""
    if installed is not None and (
        has_text_by_hand(definition, installed) or not (definition.comment or installed.is_trusted)
    ):
        return installed.text
    return definition.comment or definition.label


def options_by_hand(
    definition: ViewDefinition, installed: InstalledView | None, expected: ExpectedView | None
) -> tuple[tuple[str, str], ...]:
    """Return the options that somebody set by hand: no class sets them or has set them.

    Args:
        definition: what the class declares.
        installed: the view as it is now.
        expected: what PostgreSQL would make of the definition; its SQL may set options too.
    """
    if installed is None or installed.kind is not definition.kind:
        return ()
    declared = {name for name, _ in (*definition.options, *(expected.options if expected else ()))}
    declared |= set(installed.state.options) if installed.state else set()
    return tuple(option for option in installed.options if option[0] not in declared)


def wanted_readers(definition: ViewDefinition, command_roles: Sequence[str]) -> dict[str, None]:
    """Return the roles that should have SELECT on a view, in their order: none when it is hidden."""
    return {} if definition.hidden else dict.fromkeys([*definition.grant_select_to, *command_roles])


def grantee(role: str) -> str:
    """Return a role that a class or a setting names as grants have it: "" for PUBLIC."""
    return "" if role.lower() == PUBLIC else role


def is_reader(role: str, installed: InstalledView) -> bool:
    """Return whether a role may read a view. Its owner always may."""
    return role == installed.owner or grantee(role) in installed.readers


def _grants(
    definition: ViewDefinition, installed: InstalledView, command_roles: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the roles to grant SELECT to, and the roles to revoke it from.

    Only what a sync granted is revoked; grants made by hand stay. A role that was named on the command line
    keeps its grant until the view is hidden: the next deploy may not name it again.
    """
    state, wanted = installed.state, wanted_readers(definition, command_roles)
    grant = tuple(role for role in wanted if not is_reader(role, installed))
    if state is None:
        return grant, ()
    kept = set() if definition.hidden else {*wanted, *state.granted_by_command}
    ours = (*state.granted, *state.granted_by_command)
    return grant, tuple(r for r in ours if r not in kept and r != installed.owner and is_reader(r, installed))


@dataclass(frozen=True)
class Scope:
    """What a sync has to look at.

    Attributes:
        differences: the differences of every view that is looked at.
        dependencies: the other views that each view reads, as far as SQL and catalogs tell.
        order: the views, each after those that it reads.
        try_views: the views that have to be tried, in that order.
    """

    differences: Mapping[ViewName, Differences]
    dependencies: Mapping[ViewName, Collection[ViewName]]
    order: Sequence[ViewName]
    try_views: Sequence[ViewName]

    @property
    def looked_at(self) -> frozenset[ViewName]:
        """The views that are looked at, for themselves or because of what they read."""
        return frozenset([*self.differences, *self.try_views])


def find_scope(
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    *,
    external: Collection[ViewName] = (),
    command_roles: Sequence[str] = (),
    only: Collection[ViewName] | None = None,
    leave: Collection[ViewName] = (),
    force: bool = False,
    try_missing: bool = True,
) -> Scope:
    """Decide which views a sync looks at and which of them have to be tried.

    Args:
        definitions: the registered views.
        catalog: what the database contains.
        external: the external dependents. They never differ, but a change of what they read may affect them.
        command_roles: further roles to grant SELECT to, named on the command line.
        only: the views to sync, together with the missing views that they read; all views when None.
        leave: views that stay as they are although what they read changes, unless they are among ``only``.
        force: rebuild the views to sync although nothing differs.
        try_missing: also try the views that do not exist yet. A sync need not, because it tests them by
            creating them, unless a view that is tried reads them or is read by them.

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
    missing = {name for name, difference in found.items() if difference.missing}

    def with_missing(views: Collection[ViewName]) -> set[ViewName]:
        """Add the missing views that some views read, and those that cannot be read because of one."""
        return closure(dependencies, views) & (missing | (catalog.broken & names) | set(views))

    asked = definitions.keys() if only is None else with_missing(found.keys() & only)
    looked_at = {name: found[name] for name in definitions if name in asked}
    present = {name: difference for name, difference in looked_at.items() if name not in missing}
    changed = {n for n, d in present.items() if d.needs_dry_run or (force and not d.obstructed_by)}
    affected = closure(reverse(dependencies), changed)
    left = missing | set(leave)
    affected = {n for n in affected if not found[n].obstructed_by and (n in asked or n not in left)}
    tried = with_missing(affected | (missing & looked_at.keys() if try_missing else set()))
    return Scope(looked_at, dependencies, order, [name for name in order if name in tried])


def _dependencies(
    definition: ViewDefinition, difference: Differences, catalog: Catalog, names: frozenset[ViewName]
) -> frozenset[ViewName]:
    installed, path = catalog.relations.get(definition.name), catalog.search_path
    if installed is not None and not (difference.needs_dry_run or difference.obstructed_by):
        return names & {*installed.reads, *definition.declared_dependencies}
    return sources_of(definition, names, path)


def sources_of(
    definition: ViewDefinition, names: frozenset[ViewName], search_path: Collection[str]
) -> frozenset[ViewName]:
    """Return the views among some names that a view reads, as far as its class tells.

    Args:
        definition: what the class declares.
        names: the views to look for.
        search_path: the schemas in which PostgreSQL looks up unqualified names.
    """
    read = find_references(definition.sql, names, search_path=search_path, reader=definition.name)
    return read | (names & set(definition.declared_dependencies))


def find_left_behind(definitions: Definitions, catalog: Catalog) -> list[ViewName]:
    """Return the views that a sync of this alias made in schemas in which no class places views now."""
    return [
        name
        for name, view in catalog.relations.items()
        if name.schema not in definitions.schemas and _is_synced(definitions, view)
    ]


def find_orphans(definitions: Definitions, catalog: Catalog) -> list[ViewName]:
    """Return the orphans: views that a sync of this alias made and that no class declares any more.

    In schemas in which no class of this run places a view, they may be those of another tenant.
    """
    return [name for name, view in catalog.relations.items() if is_orphan(definitions, view)]


def is_orphan(definitions: Definitions, view: InstalledView) -> bool:
    """Return whether a view is an orphan; see :func:`find_orphans`."""
    is_placed = view.name.schema in definitions.schemas and view.name not in definitions.names
    return is_placed and _is_synced(definitions, view)


def _is_synced(definitions: Definitions, view: InstalledView) -> bool:
    """Return whether a sync of this alias made a view."""
    return view.state is not None and view.state.database == definitions.database
