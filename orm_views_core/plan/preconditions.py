"""What would keep the database from carrying a plan out: found while planning, with advice. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from orm_views_core.database.names_in_use import Taken
from orm_views_core.database.ownership import why_closed
from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind, ViewName, quote_identifier
from orm_views_core.quoting import embedded
from orm_views_core.sentences import NOTHING, Sentence, listed, number, says, says_n

from .facts import Facts
from .propagation import ORPHANED, external_order, misfits
from .rules import Decisions, action_of, having
from .steps import Action, Phase, Step

# How many locks PostgreSQL takes to create or drop a view, counted in pg_locks. The relation is one. Dropping
# a view also locks its two types and its rule. A materialised view has a TOAST table with an index.
_CREATED = {ViewKind.VIEW: 1, ViewKind.MATERIALISED_VIEW: 7}
_DROPPED = {ViewKind.VIEW: 4, ViewKind.MATERIALISED_VIEW: 7}
_ROUNDING = 32


def find_problems(decisions: Decisions, facts: Facts) -> Iterator[Sentence]:
    """Yield the problems with what was decided, in words."""
    yield from _obstructed_names(facts)
    yield from _orphans_still_read(facts)
    yield from _external_misfits(decisions, facts)
    for name in sorted(having(decisions, Action.REBUILD, Action.DROP)):
        for dependent in sorted(facts.dependents.get(name, ())):
            yield says(
                "%(change)s, and %(dependent)s depends on it. Drop that first, and create it again "
                "afterwards.",
                change=_has_to_go(name, decisions),
                dependent=dependent,
            )
        if extension := facts.extensions.get(name):
            view = facts.catalog.relations[name]
            assert view.kind is not None  # only views are rebuilt or dropped
            member = f"ALTER EXTENSION {quote_identifier(extension)} DROP {view.kind.value} {name.quoted}"
            yield says(
                "%(change)s, and it belongs to the extension %(extension)s, so PostgreSQL refuses to drop "
                "it. Take it out of the extension first: %(sql)s.",
                change=_has_to_go(name, decisions),
                extension=extension,
                sql=member,
            )


def _obstructed_names(facts: Facts) -> Iterator[Sentence]:
    for name in facts.scope.order:
        difference = facts.scope.differences.get(name)
        if difference is not None and difference.obstructed_by:
            yield says(
                "%(where)s: %(view)s is a %(relation)s, which is not ours to replace. Rename that, or give "
                "the view another name.",
                where=facts.definitions[name].where,
                view=name,
                relation=difference.obstructed_by,
            )


def _orphans_still_read(facts: Facts) -> Iterator[Sentence]:
    for name in sorted(facts.dropped):
        for reader in sorted(facts.catalog.relations[name].read_by & facts.definitions.keys()):
            tried = facts.dry_run.views.get(reader)
            if tried is None or name in tried.reads:
                yield says(
                    "%(view)s has to be dropped, because %(why)s, and %(reader)s still reads it. Declare "
                    "%(view)s again, or change what reads it.",
                    view=name,
                    why=ORPHANED,
                    reader=facts.definitions[reader].where,
                )


def _external_misfits(decisions: Decisions, facts: Facts) -> Iterator[Sentence]:
    for name in external_order(facts):
        sources = misfits(decisions, facts, name)
        if not sources or action_of(decisions, name) is Action.DROP:
            continue
        source, view = min(sources), facts.catalog.relations[name]
        change = _has_to_go(source, decisions)
        if view.is_temporary:
            yield says(
                "%(change)s, and the %(relation)s %(view)s depends on it. %(why)s",
                change=change,
                relation=view.relation,
                view=name,
                why=facts.untried[name],
            )
        elif view.kind is None:
            yield says(
                "%(change)s, and the %(relation)s %(view)s uses the type of its rows. Change %(view)s first.",
                change=change,
                relation=view.relation,
                view=name,
            )
        elif action_of(decisions, source) is Action.DROP:
            yield says(
                "%(change)s, and %(view)s, which is not ours, still reads it. Declare %(source)s again, "
                "change or drop %(view)s first, or use --drop-dependents to drop it.",
                change=change,
                view=name,
                source=source,
            )
        else:
            refused = facts.dry_run.errors.get(name)
            said = says(
                "%(change)s, and %(view)s, which is not ours, reads it and no longer fits.",
                change=change,
                view=name,
            )
            why = NOTHING
            if refused:
                why = getattr(refused, "why", NOTHING) or refused.message
            elif name in facts.untried:
                said = says(
                    "%(change)s, and %(view)s, which is not ours, reads it and cannot be kept.",
                    change=change,
                    view=name,
                )
                why = facts.untried[name]
            cure = says("Change or drop %(view)s first, or use --drop-dependents to drop it.", view=name)
            yield embedded(listed((part for part in (said, why, cure) if part), " "))


def _has_to_go(name: ViewName, decisions: Decisions) -> Sentence:
    reason = decisions[name].reason
    if decisions[name].action is Action.DROP:
        return says("%(view)s has to be dropped (%(reason)s)", view=name, reason=reason)
    return says("%(view)s has to be rebuilt (%(reason)s)", view=name, reason=reason)


def find_obstacles(
    steps: Sequence[Step], catalog: Catalog, taken: Mapping[ViewName, Taken]
) -> Iterator[Sentence]:
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


def _foreign_owners(steps: Sequence[Step], catalog: Catalog) -> Iterator[Sentence]:
    role = catalog.session.role
    views: dict[str, set[ViewName]] = {}
    for step in steps:
        if step.installed is not None and not step.installed.is_ours_to_change:
            views.setdefault(step.installed.owner, set()).add(step.name)
    for owner, names in sorted(views.items()):
        yield says_n(
            "%(views)s belongs to %(owner)s, and %(role)s, the role that syncs, is not a member of that "
            "role: only its owner can change a view. GRANT %(owner)s TO %(role)s, or hand over what is to be "
            "changed: ALTER TABLE %(view)s OWNER TO %(role)s.",
            "%(views)s belong to %(owner)s, and %(role)s, the role that syncs, is not a member of that role: "
            "only its owner can change a view. GRANT %(owner)s TO %(role)s, or hand over what is to be "
            "changed: ALTER TABLE %(view)s OWNER TO %(role)s.",
            len(names),
            views=listed(sorted(names)),
            owner=owner,
            role=role,
            view=min(names).quoted,
        )


def _closed_schemas(steps: Sequence[Step], catalog: Catalog) -> Iterator[Sentence]:
    if catalog.writable is None:
        return
    creating = {Action.CREATE, Action.REPLACE, Action.REBUILD}  # CREATE OR REPLACE needs CREATE as well
    schemas = {step.name.schema for step in steps if step.action in creating}
    for schema in sorted((schemas & catalog.schemas) - catalog.writable):
        role = catalog.session.role
        yield says(
            "%(role)s may not create views in schema %(schema)s. "
            'GRANT USAGE, CREATE ON SCHEMA "%(schema)s" TO %(role)s, as its owner.',
            role=role,
            schema=schema,
        )


def _unreadable_sources(steps: Sequence[Step], catalog: Catalog) -> Iterator[Sentence]:
    """Name the tables that PostgreSQL would only refuse when the view is filled or read."""
    role = catalog.session.role
    for step in steps:
        if step.definition and step.fills and step.expected and step.expected.closed:
            yield says(
                "%(where)s: %(why)s", where=step.definition.where, why=why_closed(step.expected.closed)
            )
        elif step.definition and step.expected and step.expected.unreadable:
            reads_as_reader = ("security_invoker", "true") in step.expected.options
            if not reads_as_reader and (step.installed is None or step.installed.owner == role):
                yield cannot_be_read(step.definition, role, step.expected.unreadable)


def cannot_be_read(definition: ViewDefinition, role: str, unreadable: Iterable[ViewName]) -> Sentence:
    """Return that nobody could read a view, and what to do.

    Args:
        unreadable: the relations that the view reads and its owner may not read.
    """
    tables = ", ".join(sorted(map(str, unreadable)))
    return says(
        "%(where)s: %(role)s may not read %(tables)s, so nobody could read %(view)s. "
        "GRANT SELECT ON %(tables)s TO %(role)s.",
        where=definition.where,
        role=role,
        tables=tables,
        view=definition.name,
    )


def _taken_names(steps: Sequence[Step], taken: Mapping[ViewName, Taken]) -> Iterator[Sentence]:
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
            yield says(
                "%(where)s: the name %(name)s is that of an existing %(other)s. Rename one of the two, or "
                "drop the other.",
                where=definition.where,
                name=name,
                other=existing.sentence,
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


def lock_shortage(needed: int, catalog: Catalog) -> Sentence:
    """Return that the server's lock table is too small for so many locks, and which size is enough; or ""."""
    session = catalog.session
    if needed + session.locks_held <= session.lock_slots:
        return NOTHING
    backends = max(1, session.lock_slots // max(1, session.locks_per_transaction))
    enough = -(-(needed + session.locks_held) // backends)
    enough += -enough % _ROUNDING
    return says(
        "This takes about %(needed)s locks in one transaction, and the server has room for %(slots)s, of "
        "which %(held)s are taken. Set max_locks_per_transaction, now %(now)s, to %(enough)s in the server's "
        "configuration and restart it.",
        needed=number(needed),
        slots=number(session.lock_slots),
        held=number(session.locks_held),
        now=session.locks_per_transaction,
        enough=enough,
    )
