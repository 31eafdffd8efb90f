"""What would keep the database from carrying a plan out: found while planning, with what to do. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from orm_views_core.database.relations import Catalog, InstalledView, Taken
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind, ViewName

from .steps import Action, Phase, Step

# How many locks PostgreSQL takes on what it creates or drops, as pg_locks shows them: the relation; when it
# is dropped also its two types and its rule; a materialised view has a table of long values with its index.
_PLAIN = 1
_PLAIN_DROPPED = 4
_MATERIALISED = 7
_ROUNDING = 32


def find_obstacles(steps: Sequence[Step], catalog: Catalog, taken: Mapping[ViewName, Taken]) -> Iterator[str]:
    """Yield what is in the way of some steps, in words.

    Args:
        steps: what is to be done.
        catalog: the database.
        taken: what has a name already that a new view or index is to have.
    """
    yield from _foreign_owners(steps, catalog)
    yield from _closed_schemas(steps, catalog)
    yield from _unreadable_sources(steps, catalog)
    yield from _taken_names(steps, taken)
    if too_many := lock_shortage(locks_needed(steps, catalog), catalog):
        yield too_many


def _foreign_owners(steps: Sequence[Step], catalog: Catalog) -> Iterator[str]:
    role = catalog.session.role
    views: dict[str, set[ViewName]] = {}
    for step in steps:
        if step.installed is not None and not step.installed.is_ours_to_change:
            views.setdefault(step.installed.owner, set()).add(step.name)
    for owner, names in sorted(views.items()):
        belongs = "belongs" if len(names) == 1 else "belong"
        yield (
            f"{', '.join(map(str, sorted(names)))} {belongs} to {owner}, and {role}, as whom Django "
            "connects, is not a member of that role: only its owner can change a view. "
            f"GRANT {owner} TO {role}, or hand over what is to be changed: "
            f"ALTER TABLE {min(names).quoted} OWNER TO {role}."
        )


#: CREATE OR REPLACE wants the right to create as well.
_CREATING = {Action.CREATE, Action.REPLACE, Action.REBUILD}


def _closed_schemas(steps: Sequence[Step], catalog: Catalog) -> Iterator[str]:
    if catalog.writable is None:
        return
    made_in = {step.name.schema for step in steps if step.action in _CREATING}
    for schema in sorted((made_in & catalog.schemas) - catalog.writable):
        role = catalog.session.role
        yield (
            f"{role} may not create views in schema {schema}. "
            f'GRANT USAGE, CREATE ON SCHEMA "{schema}" TO {role}, as its owner.'
        )


def _unreadable_sources(steps: Sequence[Step], catalog: Catalog) -> Iterator[str]:
    """Name the tables that PostgreSQL would only refuse when the view is filled or read."""
    role = catalog.session.role
    for step in steps:
        if step.definition is None or step.expected is None or not step.expected.unreadable:
            continue
        if ("security_invoker", "true") in step.expected.options:
            continue
        if step.installed is not None and step.installed.owner != role:
            continue
        yield cannot_be_read(step.definition, role, step.expected.unreadable)


def cannot_be_read(definition: ViewDefinition, role: str, unreadable: Iterable[ViewName]) -> str:
    """Say that a view would be of no use to anybody, and what to do.

    Args:
        unreadable: what it reads and its owner may not.
    """
    tables = ", ".join(sorted(map(str, unreadable)))
    return (
        f"{definition.where}: {role} may not read {tables}, so nobody could read {definition.name}. "
        f"GRANT SELECT ON {tables} TO {role}."
    )


def _taken_names(steps: Sequence[Step], taken: Mapping[ViewName, Taken]) -> Iterator[str]:
    leaving = {step.name for step in steps if step.action in {Action.REBUILD, Action.DROP}}
    for step in steps:
        definition = step.definition
        if definition is None or step.action not in {Action.CREATE, Action.REBUILD, Action.INDEX}:
            continue
        names = [ViewName(step.name.schema, index.name) for index in definition.indexes]
        if step.action is Action.CREATE:
            names.append(step.name)
        for name in names:
            what = taken.get(name)
            if what is None or what.on in leaving or what.on == step.name:
                continue
            whose = f"index of {what.on}" if what.on else what.what
            yield (
                f"{definition.where}: the name {name} is that of an existing {whose}. "
                "Rename one of the two, or drop the other."
            )


def index_names_in_use(taken: Mapping[ViewName, Taken], leaving: Collection[ViewName]) -> frozenset[ViewName]:
    """Return the names of indexes that become free only when the views that they are on are dropped."""
    return frozenset(name for name, what in taken.items() if what.on in leaving)


def locks_needed(steps: Iterable[Step], catalog: Catalog) -> int:
    """Return how many locks a transaction holds in the end that carries out some steps."""
    needed = 0
    read: set[ViewName] = set()
    for step in steps:
        kind = step.definition.kind if step.definition else step.installed.kind if step.installed else None
        if kind is None:
            continue
        read |= step.expected.reads if step.expected else set()
        if step.action in {Action.CREATE, Action.REBUILD}:
            needed += _created(kind, len(step.definition.indexes) if step.definition else 0)
        if step.sql_in(Phase.DROP) and step.installed is not None:
            needed += _dropped(step.installed)
        elif step.action is not Action.CREATE:
            needed += 1
    read |= {name for view in catalog.relations.values() for name in view.reads}
    return needed + len(read)


def locks_for_trying(kinds: Iterable[ViewKind], catalog: Catalog) -> int:
    """Return how many locks are held while some views are tried, indexes left out."""
    read = {name for view in catalog.relations.values() for name in view.reads}
    return sum(_created(kind, 0) for kind in kinds) + len(read)


def _created(kind: ViewKind, indexes: int) -> int:
    return _MATERIALISED + indexes if kind is ViewKind.MATERIALISED_VIEW else _PLAIN


def _dropped(view: InstalledView) -> int:
    if view.kind is ViewKind.MATERIALISED_VIEW:
        return _MATERIALISED + len(view.indexes)
    return _PLAIN_DROPPED


def lock_shortage(needed: int, catalog: Catalog) -> str:
    """Say that the server's lock table has no room for so many locks, and how large it would have to be."""
    session = catalog.session
    if needed + session.locks_held <= session.lock_slots:
        return ""
    backends = max(1, session.lock_slots // max(1, session.locks_per_transaction))
    enough = -(-(needed + session.locks_held) // backends)
    enough += -enough % _ROUNDING
    return (
        f"This takes about {needed:,} locks in one transaction, and the server has room for "
        f"{session.lock_slots:,}, of which {session.locks_held:,} are taken. Set max_locks_per_transaction, "
        f"now {session.locks_per_transaction}, to {enough} in the server's configuration and restart it."
    )
