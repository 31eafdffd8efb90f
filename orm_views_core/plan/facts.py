"""Facts: everything that a plan is made from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from orm_views_core.database.dry_run import DryRun
from orm_views_core.database.engine import Dialect
from orm_views_core.database.extras import Extra
from orm_views_core.database.names_in_use import ArrayType, Taken
from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence

from .diff import Scope


@dataclass(frozen=True)
class Facts:
    """Everything that a plan is made from.

    Attributes:
        database: the alias.
        definitions: the registered views.
        catalog: what the database contains, external dependents included.
        scope: the views to look at and the order in which they are created.
        dry_run: what PostgreSQL made of the views that were tried.
        dialect: writes the SQL of the database's engine.
        external: definitions of the external dependents: views that no class declares and that read ours.
        untried: why some of these must not or cannot be tried, a sentence each.
        extras: all extras of the views that were tried.
        keep: those extras that a new version of the view must have as well.
        taken: the existing objects that have a name which a new view or index needs.
        array_types: the types for arrays of the rows of the views that are tried or missing.
        taken_schemas: the existing schemas that are called like staging schemas.
        dependents: the objects that depend on a view and are not views, as PostgreSQL describes them.
        extensions: the views that belong to an extension, each with its name.
        command_roles: further roles to grant SELECT to, named on the command line.
        orphans: the views that a sync made and that no class declares any more.
        left_behind: the views that a sync made in schemas in which no class places views any more.
        dropped: the orphans to drop. The others are dropped only if they read a view that is rebuilt.
        force: replace or rebuild the views in the scope although nothing differs.
        drop_dependents: drop the external dependents that no longer fit.
    """

    database: str
    definitions: Mapping[ViewName, ViewDefinition]
    catalog: Catalog
    scope: Scope
    dry_run: DryRun
    dialect: Dialect
    external: Mapping[ViewName, ViewDefinition] = field(default_factory=dict)
    untried: Mapping[ViewName, Sentence] = field(default_factory=dict)
    extras: Mapping[ViewName, tuple[Extra, ...]] = field(default_factory=dict)
    keep: Mapping[ViewName, Sequence[Extra]] = field(default_factory=dict)
    taken: Mapping[ViewName, Taken] = field(default_factory=dict)
    array_types: Mapping[ViewName, ArrayType] = field(default_factory=dict)
    taken_schemas: Collection[str] = ()
    dependents: Mapping[ViewName, Collection[str]] = field(default_factory=dict)
    extensions: Mapping[ViewName, str] = field(default_factory=dict)
    command_roles: Sequence[str] = ()
    orphans: Collection[ViewName] = ()
    left_behind: Collection[ViewName] = ()
    dropped: Collection[ViewName] = ()
    force: bool = False
    drop_dependents: bool = False

    @cached_property
    def views(self) -> Mapping[ViewName, ViewDefinition]:
        """The definitions of the registered views and of the external dependents."""
        return {**self.definitions, **self.external}
