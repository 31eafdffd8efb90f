"""What ``migrate_views`` is asked for, as one value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from orm_views_core.sync.options import SyncOptions, role_names


@dataclass(frozen=True)
class MigrateOptions:
    """What ``migrate_views`` is asked for beside what ``migrate`` is.

    Attributes:
        grant_select_to: further roles to grant SELECT to.
        allow_drop_all: go on when no view is registered and every view would be dropped.
        drop_dependents: drop the views of others that do not fit the new tables.
        rebuild_inside: build materialised views in the transaction of the migrations.
        is_partial: whether migrations stay unapplied, so that views may not fit yet.
        split: cut the run where a migration cannot be in one transaction with those before it.
    """

    grant_select_to: str | Collection[str] | None = None
    allow_drop_all: bool = False
    drop_dependents: bool = False
    rebuild_inside: bool = False
    is_partial: bool = False
    split: bool = False

    @property
    def of_sync(self) -> SyncOptions:
        """The options of the sync."""
        return SyncOptions(
            role_names(self.grant_select_to),
            None,
            force=False,
            allow_drop_all=self.allow_drop_all,
            drop_dependents=self.drop_dependents,
        )
