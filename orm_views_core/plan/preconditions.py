"""What would keep the database from carrying a plan out: found while planning, with advice. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from orm_views_core.database.ownership import why_closed
from orm_views_core.database.relations import Catalog, Taken
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind, ViewName, quote_identifier
from orm_views_core.quoting import Quoting, embedded

from .facts import Facts
from .propagation import ORPHANED, external_order, misfits
from .rules import Decisions, action_of, having
from .steps import Action, Phase, Step

# How many locks PostgreSQL takes to create or drop a view, counted in pg_locks. The relation is one. Dropping
# a view also locks its two types and its rule. A materialised view has a TOAST table with an index.
_CREATED = {ViewKind.VIEW: 1, ViewKind.MATERIALISED_VIEW: 7}
_DROPPED = {ViewKind.VIEW: 4, ViewKind.MATERIALISED_VIEW: 7}
_ROUNDING = 32


def find_problems(decisions: Decisions, facts: Facts) -> Iterator[str]:
    """Yield the problems with what was decided, in words."""
    yield from _obstructed_names(facts)
    yield from _orphans_still_read(facts)
    yield from _external_misfits(decisions, facts)
    for name in sorted(having(decisions, Action.REBUILD, Action.DROP)):
        for dependent in sorted(facts.dependents.get(name, ())):
            yield (
                f"{_has_to_go(name, decisions)}, and {dependent} depends on it. Drop that first, and create "
                "it again afterwards."
            )
        if extension := facts.extensions.get(name):
            view = facts.catalog.relations[name]
            assert view.kind is not None  # only views are rebuilt or dropped
            member = f"ALTER EXTENSION {quote_identifier(extension)} DROP {view.kind.value} {name.quoted}"
            yield (
                f"{_has_to_go(name, decisions)}, and it belongs to the extension {extension}, so PostgreSQL "
                f"refuses to drop it. Take it out of the extension first: {member}."
            )


def _obstructed_names(facts: Facts) -> Iterator[str]:
    for name in facts.scope.order:
        difference = facts.scope.differences.get(name)
        if difference is not None and difference.obstructed_by:
            yield (
                f"{facts.definitions[name].where}: {name} is a {difference.obstructed_by}, which is not ours "
                "to replace. Rename that, or give the view another name."
            )


def _orphans_still_read(facts: Facts) -> Iterator[str]:
    for name in sorted(facts.dropped):
        for reader in sorted(facts.catalog.relations[name].read_by & facts.definitions.keys()):
            tried = facts.dry_run.views.get(reader)
            if tried is None or name in tried.reads:
                yield (
                    f"{name} has to be dropped, because {ORPHANED}, and {facts.definitions[reader].where} "
                    f"still reads it. Declare {name} again, or change what reads it."
                )


def _external_misfits(decisions: Decisions, facts: Facts) -> Iterator[str]:
    for name in external_order(facts):
        sources = misfits(decisions, facts, name)
        if not sources or action_of(decisions, name) is Action.DROP:
            continue
        source, view = min(sources), facts.catalog.relations[name]
        change = _has_to_go(source, decisions)
        if view.is_temporary:
            yield f"{change}, and the {view.relation} {name} depends on it. {facts.untried[name]}"
        elif view.kind is None:
            yield f"{change}, and the {view.relation} {name} uses the type of its rows. Change {name} first."
        elif action_of(decisions, source) is Action.DROP:
            yield (
                f"{change}, and {name}, which is not ours, still reads it. Declare {source} again, change or "
                f"drop {name} first, or use --drop-dependents to drop it."
            )
        else:
            refused = facts.dry_run.errors.get(name)
            because, fits = "", "no longer fits"
            if refused:
                because = Quoting(_first_reason(str(refused)), _first_reason(refused.summary))
            elif name in facts.untried:
                because, fits = f" {facts.untried[name]}", "cannot be kept"
            yield embedded(
                f"{change}, and {name}, which is not ours, reads it and {fits}.",
                because,
                f" Change or drop {name} first, or use --drop-dependents to drop it.",
            )


def _first_reason(message: str) -> str:
    return f" {message.splitlines()[0].partition(': ')[2]}"


def _has_to_go(name: ViewName, decisions: Decisions) -> str:
    change = "dropped" if decisions[name].action is Action.DROP else "rebuilt"
    return f"{name} has to be {change} ({decisions[name].reason})"


def find_obstacles(steps: Sequence[Step], catalog: Catalog, taken: Mapping[ViewName, Taken]) -> Iterator[str]:
    """Yield why the database would refuse some steps, in words.

    Args:
        steps: the steps of the plan.
        catalog: what the database contains.
        taken: the existing objects that have a name which a new view or index needs.
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
            f"{', '.join(map(str, sorted(names)))} {belongs} to {owner}, and {role}, the role that "
            "syncs, is not a member of that role: only its owner can change a view. "
            f"GRANT {owner} TO {role}, or hand over what is to be changed: "
            f"ALTER TABLE {min(names).quoted} OWNER TO {role}."
        )


def _closed_schemas(steps: Sequence[Step], catalog: Catalog) -> Iterator[str]:
    if catalog.writable is None:
        return
    creating = {Action.CREATE, Action.REPLACE, Action.REBUILD}  # CREATE OR REPLACE needs CREATE as well
    schemas = {step.name.schema for step in steps if step.action in creating}
    for schema in sorted((schemas & catalog.schemas) - catalog.writable):
        role = catalog.session.role
        yield (
            f"{role} may not create views in schema {schema}. "
            f'GRANT USAGE, CREATE ON SCHEMA "{schema}" TO {role}, as its owner.'
        )


def _unreadable_sources(steps: Sequence[Step], catalog: Catalog) -> Iterator[str]:
    """Name the tables that PostgreSQL would only refuse when the view is filled or read."""
    role = catalog.session.role
    for step in steps:
        if step.definition and step.fills and step.expected and step.expected.closed:
            yield f"{step.definition.where}: {why_closed(step.expected.closed)}"
        elif step.definition and step.expected and step.expected.unreadable:
            reads_as_reader = ("security_invoker", "true") in step.expected.options
            if not reads_as_reader and (step.installed is None or step.installed.owner == role):
                yield cannot_be_read(step.definition, role, step.expected.unreadable)


def cannot_be_read(definition: ViewDefinition, role: str, unreadable: Iterable[ViewName]) -> str:
    """Return that nobody could read a view, and what to do.

    Args:
        unreadable: the relations that the view reads and its owner may not read.
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
            existing = taken.get(name)
            if existing is None or existing.on in leaving or existing.on == step.name:
                continue
            described = f"index of {existing.on}" if existing.on else existing.what
            yield (
                f"{definition.where}: the name {name} is that of an existing {described}. "
                "Rename one of the two, or drop the other."
            )


def index_names_in_use(taken: Mapping[ViewName, Taken], leaving: Collection[ViewName]) -> frozenset[ViewName]:
    """Return the index names that become free only when the views of these indexes are dropped."""
    return frozenset(name for name, existing in taken.items() if existing.on in leaving)


def locks_needed(steps: Iterable[Step], catalog: Catalog) -> int:
    """Return how many locks a transaction holds at the end of some steps."""
    needed = 0
    read: set[ViewName] = {name for view in catalog.relations.values() for name in view.reads}
    for step in steps:
        if step.kind is None:
            continue
        read |= step.expected.reads if step.expected else set()
        if step.action in {Action.CREATE, Action.REBUILD}:
            needed += _CREATED[step.kind] + (len(step.definition.indexes) if step.definition else 0)
        if step.sql_in(Phase.DROP) and step.installed is not None and step.installed.kind is not None:
            needed += _DROPPED[step.installed.kind] + len(step.installed.indexes)
        elif step.action is not Action.CREATE:
            needed += 1
    return needed + len(read)


def locks_for_trying(kinds: Iterable[ViewKind], catalog: Catalog) -> int:
    """Return how many locks are held while some views are tried, without their indexes."""
    read = {name for view in catalog.relations.values() for name in view.reads}
    return sum(_CREATED[kind] for kind in kinds) + len(read)


def lock_shortage(needed: int, catalog: Catalog) -> str:
    """Return that the server's lock table is too small for so many locks, and which size is enough; or ""."""
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
