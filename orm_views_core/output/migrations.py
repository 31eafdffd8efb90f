"""Migrations and what they do to views as text and as JSON, for the commands. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orm_views_core.names import ViewName
from orm_views_core.with_migrations.api import MigrateResult
from orm_views_core.with_migrations.aside import PutAside
from orm_views_core.with_migrations.foresee import ForeseenMigration, Foresight
from orm_views_core.with_migrations.options import MigrateOptions
from orm_views_core.with_migrations.outlook import Outlook

_MANY = 5  # views of one reason that get a line each


def foresight_lines(
    alias: str, foresight: Foresight, outlook: Outlook, asked: MigrateOptions, tables: Sequence[str] = ()
) -> Iterator[str]:
    """Yield the lines of a plan: each migration with what is put aside for it, then what the sync does.

    Args:
        alias: the database.
        foresight: what is known of the migrations.
        outlook: what is known of the views.
        asked: what else is asked for.
        tables: those of apps without migrations that are created before the migrations.
    """
    count = len(foresight.migrations)
    some = "1 migration" if count == 1 else f"{count} migrations"
    yield f"Plan for database '{alias}': {some}, then a sync of the views."
    for table in tables:
        yield f"  > create  {table}, the table of an app without migrations"
    for each in foresight.migrations:
        yield f"  > {_verb(each)}  {each}"
        if each.alone and asked.split:
            yield f"      cannot be in one transaction with others: {each.alone}; the run is cut here"
        elif each.alone:
            yield f"      ! cannot be in one transaction with others: {each.alone}; --split cuts the run here"
        if each.unforeseen:
            yield f"      its SQL is not known before it runs: {each.unforeseen}"
        for name, alteration in each.standing.items():
            yield f"      puts aside {name}: {alteration}"
            yield f"          {_what_then(name, outlook, asked)}"
        for hanging in outlook.hanging.get(each.migration, ()):
            yield from (f"      {line}" for line in hanging.lines)
    if locked := sorted({str(name.name) for script in foresight.scripts for name in script.locked}):
        yield f"  keeps waiting, from the first migration to the end: the readers of {', '.join(locked)}"
    unless = ", unless they need migrations that stay unapplied" if asked.is_partial else ""
    yield f"  then the views are synced{unless}:"
    for role in outlook.missing_roles:
        yield f"      ! there is no role {role}: a migration has to create it, or the views are not synced"
    back = [name for name in foresight.standing if name not in outlook.others | outlook.gone]
    for name in back:
        later = f"; built {_when(asked)}" if name in outlook.stored else ""
        yield f"      {name} comes back as its class says{later}"
    for name, why in outlook.changes.items():
        if name not in back:
            yield f"      {name}: {why}"
    if not back and not outlook.changes:
        yield "      nothing to do, if the migrations change nothing that they read"


def put_aside_lines(views: Sequence[PutAside], *, every: bool = False) -> Iterator[str]:
    """Yield what was put aside and why: a line for each view, or for many with one reason."""
    by_reason: dict[str, list[PutAside]] = {}
    for each in views:
        by_reason.setdefault(each.why, []).append(each)
    for why, alike in by_reason.items():
        if every or len(alike) <= _MANY:
            yield from map(str, alike)
        else:
            some = ", ".join(str(each.view.name) for each in alike[:_MANY])
            yield f"{len(alike)} views, {some}, …: {why}"


def _verb(each: ForeseenMigration) -> str:
    if each.only_recorded:
        return "record as unapplied" if each.backwards else "record as applied"
    return "unapply" if each.backwards else "apply"


def _when(asked: MigrateOptions) -> str:
    return "in the transaction of the migrations" if asked.rebuild_inside else "after the migrations"


def _what_then(name: ViewName, outlook: Outlook, asked: MigrateOptions) -> str:
    if name in outlook.gone:
        return "no class declares it any more; it is dropped at the end"
    if name in outlook.others:
        otherwise = "is dropped" if asked.drop_dependents else "stops the run"
        return f"it is not ours; it comes back as it was after this migration, or {otherwise}"
    if name in outlook.stored and not asked.rebuild_inside:
        return "keeps waiting: its readers, until the end; until it is built they read the rows that it has"
    return "keeps waiting: its readers, until the end"


def waiting_lines(why: str) -> Iterator[str]:
    """Yield why views are not synced before other migrations are applied; nothing when they are."""
    if why:
        yield "  The views are as they were, and not synced, because migrations are yet to be applied:"
        yield from (f"    {line}" for line in why.splitlines())


def foresight_as_dict(
    alias: str, foresight: Foresight, outlook: Outlook, tables: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the same for JSON."""
    return {
        "database": alias,
        "creates_tables": list(tables),
        "migrations": [_as_dict(each, outlook) for each in foresight.migrations],
        "changes": [{"view": str(name), "reason": why} for name, why in outlook.changes.items()],
        "missing_roles": list(outlook.missing_roles),
    }


def _as_dict(each: ForeseenMigration, outlook: Outlook) -> dict[str, Any]:
    from .lineage import view_as_dicts  # only who shows a plan needs it

    return {
        "app": each.migration.app_label,
        "name": each.migration.name,
        "backwards": each.backwards,
        "only_recorded": each.only_recorded,
        "cannot_run_with_others": each.alone or None,
        "not_foreseen": each.unforeseen or None,
        "puts_aside": [
            {
                "view": str(name),
                "reason": str(alteration),
                "is_ours": name not in outlook.others,
                "is_materialised": name in outlook.stored,
            }
            for name, alteration in each.standing.items()
        ],
        "hanging": [
            {
                "change": hanging.what,
                "views": [made for view in hanging.views for made in view_as_dicts(view)],
            }
            for hanging in outlook.hanging.get(each.migration, ())
        ],
    }


def result_as_dict(result: MigrateResult) -> dict[str, Any]:
    """Return what was done, for JSON."""
    syncs = [each for each in (result.synced, result.rebuilt) if each is not None]
    return {
        "migrations": list(result.migrations),
        "put_aside": [{"view": str(each.view.name), "reason": each.why} for each in result.aside],
        "dropped": [str(name) for name in result.dropped],
        "not_synced": result.waiting or None,
        "steps": [
            {"action": step.action.verb, "view": step.target, "reason": step.reason}
            for each in syncs
            for step in each.plan.steps
        ],
        "seconds": round(result.seconds, 3),
        "locked_seconds": round(result.locked_seconds, 3),
    }
