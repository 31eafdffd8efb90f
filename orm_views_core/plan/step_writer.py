"""Writing the steps of a plan for what has been decided. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orm_views_core.database.dry_run import DryRun
from orm_views_core.database.extras import Extra
from orm_views_core.database.relations import Catalog, InstalledView, Taken
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.staging import staging_schemas
from orm_views_core.graph import closure
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sql.references import move_references

from .diff import NO_DIFFERENCES, Differences, Scope
from .preconditions import index_names_in_use
from .propagation import lock_order
from .rebuild import Build, rebuild_statements
from .rules import Decisions, why_changed
from .statements import (
    column_comments,
    comments,
    fresh_grants,
    grant_changes,
    grant_reason,
    index_changes,
    interim_name,
    option_changes,
)
from .steps import Action, Phase, Statement, Step, in_phase

_SWAP = "its readers, for the moment of the swap"


@dataclass(frozen=True)
class Facts:
    """All that a plan is made of.

    Attributes:
        database: the alias.
        definitions: the registered views.
        catalog: the database, with the external dependents.
        scope: which of them are looked at, and in which order they are created.
        dry_run: what PostgreSQL made of those that were tried.
        external: definitions of views that others made and that read ours.
        extras: what people have added by hand to the views that were tried; all of it.
        keep: those of them that a new version is to have as well.
        taken: what has a name already that a new view or index is to have.
        dependents: what depends on views and is none, as PostgreSQL describes it.
    """

    database: str
    definitions: Mapping[ViewName, ViewDefinition]
    catalog: Catalog
    scope: Scope
    dry_run: DryRun
    external: Mapping[ViewName, ViewDefinition] = field(default_factory=dict)
    extras: Mapping[ViewName, tuple[Extra, ...]] = field(default_factory=dict)
    keep: Mapping[ViewName, Sequence[Extra]] = field(default_factory=dict)
    taken: Mapping[ViewName, Taken] = field(default_factory=dict)
    dependents: Mapping[ViewName, Collection[str]] = field(default_factory=dict)


class StepWriter:
    """Writes the steps for what has been decided.

    Attributes:
        staging: the staging schema of each schema in which something is built aside.
    """

    def __init__(self, facts: Facts, decisions: Decisions, command_roles: tuple[str, ...]) -> None:
        self.facts, self.decisions, self.command_roles = facts, decisions, command_roles
        self.catalog = facts.catalog
        aside = [n for n in facts.scope.order if self._is_aside(n)]
        self.staging = staging_schemas(name.schema for name in aside)
        self.moves = {name: self.staging[name.schema] for name in aside}
        leaving = decisions.having(Action.REBUILD, Action.DROP)
        self.in_use = index_names_in_use(facts.taken, leaving)
        self.in_swap = self._created_in_swap()

    def _is_aside(self, name: ViewName) -> bool:
        return self.decisions.action.get(name) is Action.REBUILD and name not in self.decisions.deferred

    def _created_in_swap(self) -> frozenset[ViewName]:
        """Return the new plain views that have to wait for one that is replaced where it stands."""
        reads = self.facts.scope.dependencies
        replaced = self.decisions.having(Action.REPLACE)
        return frozenset(
            name for name in self.decisions.having(Action.CREATE) if closure(reads, reads[name]) & replaced
        )

    def schema_steps(self) -> list[Step]:
        """Create the schemas that are missing, and let whoever may read a view look it up there."""
        readers: dict[str, dict[str, None]] = {}
        for definition in self.facts.definitions.values():
            roles = readers.setdefault(definition.name.schema, {})
            if not definition.hidden:
                roles.update(dict.fromkeys([*definition.grant_select_to, *self.command_roles]))
        steps = []
        for schema, roles in readers.items():
            statements, reasons = [], []
            if schema not in self.catalog.schemas:
                statements.append(ddl.create_schema(schema))
                reasons.append("it does not exist")
            usage = self.catalog.schema_usage.get(schema, frozenset())
            missing = [role for role in roles if ("" if role.lower() == "public" else role) not in usage]
            if missing:
                statements.append(ddl.grant_usage(schema, missing))
                reasons.append(f"{', '.join(missing)} may not look up names in it")
            if statements:
                build = in_phase(Phase.BUILD, statements)
                name = ViewName(schema, "")
                steps.append(Step(Action.SCHEMA, name, "; ".join(reasons), build, blocks="nobody"))
        return steps

    def drop_steps(self) -> list[Step]:
        steps = []
        dropped = self.decisions.having(Action.DROP)
        for name in lock_order(dropped, self.catalog):
            installed = self.catalog.relations[name]
            assert installed.kind is not None  # only views and materialised views are dropped
            drop = in_phase(Phase.DROP, [ddl.drop_view(installed.kind, name)])
            blocks = "whoever reads it, from then on"
            reason = self.decisions.reason[name]
            steps.append(Step(Action.DROP, name, reason, drop, installed=installed, blocks=blocks))
        return steps

    def view_steps(self, name: ViewName) -> list[Step]:
        """Return the steps for a view: one for its SELECT, or one for each lesser difference."""
        action, installed = self.decisions.action.get(name), self.catalog.relations.get(name)
        if action is Action.CREATE:
            return [self._create(self.facts.definitions[name])]
        if action is Action.REPLACE:
            return [self._replace(name)]
        if action is Action.REBUILD:
            return [self._rebuild(name)]
        definition = self.facts.definitions.get(name)
        difference = self.facts.scope.differences.get(name, NO_DIFFERENCES)
        if definition is None or installed is None or difference.obstructed_by or action is Action.DROP:
            return []
        return self._lesser_steps(definition, installed, difference)

    def _create(self, definition: ViewDefinition) -> Step:
        name = definition.name
        deferred = self.decisions.deferred.get(name)
        phase = Phase.FINISH if deferred else Phase.REPLACE if name in self.in_swap else Phase.BUILD
        sql = definition.sql if deferred else move_references(definition.sql, self.moves)
        statements = [ddl.create_view(definition, sql=sql, with_data=definition.with_data)]
        renames = []
        for index in definition.indexes:
            index_name = ViewName(name.schema, index.name)
            if index_name in self.in_use:
                interim = interim_name(index.name)
                statements.append(index.create_sql(name, interim))
                renames.append(ddl.rename_index(ViewName(name.schema, interim), index.name))
            else:
                statements.append(index.create_sql(name))
        statements += fresh_grants(definition, name, self.command_roles)
        statements += column_comments(definition, name)
        blocks = "nobody"
        if deferred and definition.kind is ViewKind.MATERIALISED_VIEW:
            blocks = f"readers of what is swapped, until it is built, because {deferred}"
        return Step(
            Action.CREATE,
            name,
            self.decisions.reason[name],
            in_phase(phase, statements) + in_phase(Phase.FINISH, renames),
            definition=definition,
            expected=self.facts.dry_run.views.get(name),
            blocks=blocks,
            fills=definition.kind is ViewKind.MATERIALISED_VIEW and definition.with_data,
            deferred=deferred or "",
        )

    def _replace(self, name: ViewName) -> Step:
        build = self._build(name, name)
        difference = self.facts.scope.differences.get(name, NO_DIFFERENCES)
        statements = [
            ddl.create_view(
                build.definition, sql=build.sql, replace=True, further_options=build.options_by_hand
            ),
            *grant_changes(name, difference),
        ]
        statements += [
            ddl.comment_on_column(name, column, text) for column, text in difference.column_comments.items()
        ]
        return self._step(Action.REPLACE, name, in_phase(Phase.REPLACE, statements), _SWAP)

    def _rebuild(self, name: ViewName) -> Step:
        installed = self.catalog.relations[name]
        assert installed.kind is not None
        definition = self._definition(name)
        deferred, stage = self.decisions.deferred.get(name), self.moves.get(name)
        at = ViewName(stage, name.name) if stage else name
        build = self._build(name, at)
        made, finished = rebuild_statements(build, self.catalog.session.role)
        drop = Statement(Phase.DROP, ddl.drop_view(installed.kind, name))
        if deferred:
            statements = (drop, *in_phase(Phase.FINISH, [*made, *finished]))
            blocks = _SWAP
            if definition.kind is ViewKind.MATERIALISED_VIEW:
                blocks = f"its readers, until it is built again, because {deferred}"
        else:
            move = Statement(Phase.MOVE, ddl.set_schema(definition.kind, at, name.schema))
            finish = in_phase(Phase.FINISH, finished)
            statements = (*in_phase(Phase.BUILD, made), drop, move, *finish)
            blocks = _SWAP
        return replace(
            self._step(Action.REBUILD, name, statements, blocks),
            built_at=None if deferred else at,
            fills=definition.kind is ViewKind.MATERIALISED_VIEW and build.is_filled,
            deferred=deferred or "",
            kept=build.kept_in_words,
            lost=build.lost_in_words,
        )

    def _definition(self, name: ViewName) -> ViewDefinition:
        return self.facts.definitions.get(name) or self.facts.external[name]

    def _build(self, name: ViewName, at: ViewName) -> Build:
        definition = self._definition(name)
        sql = definition.sql
        if name not in self.decisions.deferred:
            sql = move_references(sql, self.moves)
        return Build(
            definition=definition,
            installed=self.catalog.relations[name],
            expected=self.facts.dry_run.views.get(name),
            at=at,
            sql=sql,
            difference=self.facts.scope.differences.get(name, NO_DIFFERENCES),
            extras=tuple(self.facts.keep.get(name, ())),
        )

    def _step(
        self,
        action: Action,
        name: ViewName,
        statements: Sequence[Statement],
        blocks: str,
        *,
        reason: str | None = None,
    ) -> Step:
        return Step(
            action,
            name,
            self.decisions.reason[name] if reason is None else reason,
            tuple(statements),
            definition=self.facts.definitions.get(name),
            installed=self.catalog.relations[name],
            expected=self.facts.dry_run.views.get(name),
            indirect=name in self.decisions.indirect,
            blocks=blocks,
        )

    def _lesser_steps(
        self, definition: ViewDefinition, installed: InstalledView, difference: Differences
    ) -> list[Step]:
        name, expected = definition.name, self.facts.dry_run.views.get(definition.name)
        steps = []
        if self.decisions.action.get(name) is Action.ADOPT:
            steps.append(self._step(Action.ADOPT, name, (), "nobody"))
        if expected is not None and difference.needs_dry_run:
            why = why_changed(difference)
            if options := option_changes(definition, installed, expected):
                finish = in_phase(Phase.FINISH, options)
                steps.append(self._step(Action.OPTIONS, name, finish, _SWAP, reason=why))
            if indexes := index_changes(definition, installed, expected):
                changes = in_phase(Phase.BUILD, indexes.creates)
                changes += in_phase(Phase.FINISH, [*indexes.drops, *indexes.renames])
                blocks = "its refreshes, until the sync commits" if indexes.creates else ""
                blocks = "; ".join(filter(None, [_SWAP if indexes.drops else "", blocks]))
                steps.append(self._step(Action.INDEX, name, changes, blocks, reason=why))
        if difference.grant or difference.revoke or difference.record:
            action = Action.REVOKE if difference.revoke and not difference.grant else Action.GRANT
            grants = in_phase(Phase.BUILD, grant_changes(name, difference))
            steps.append(self._step(action, name, grants, "nobody", reason=grant_reason(difference)))
        if difference.comment or difference.column_comments:
            why = "its comment is not its docstring, or a column's is not its help_text"
            texts = in_phase(Phase.BUILD, comments(definition, installed, difference))
            steps.append(self._step(Action.COMMENT, name, texts, "nobody", reason=why))
        return steps
