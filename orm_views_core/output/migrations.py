"""Migrations and what they do to views as text and as JSON, for the commands. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orm_views_core.names import ViewName
from orm_views_core.with_migrations.api import MigrateResult
from orm_views_core.with_migrations.aside import PutAside
from orm_views_core.with_migrations.foresee import ForeseenMigration, Foresight
from orm_views_core.with_migrations.outlook import Outlook

_MANY = 5  # views of one reason that get a line each


def foresight_lines(alias: str, foresight: Foresight, outlook: Outlook) -> Iterator[str]:
    """Yield the lines of a plan: each migration with what is put aside for it, then what the sync does."""
    count = len(foresight.migrations)
    some = "1 migration" if count == 1 else f"{count} migrations"
    yield f"Plan for database '{alias}': {some}, then a sync of the views."
    for each in foresight.migrations:
        yield f"  > {'unapply' if each.backwards else 'apply'}  {each}"
        if each.alone:
            yield f"      ! cannot be in one transaction with others: {each.alone}; --split cuts the run here"
        if each.unforeseen:
            yield f"      its SQL is not known before it runs: {each.unforeseen}"
        for name, alteration in each.standing.items():
            yield f"      puts aside {name}: {alteration}"
            yield f"          {_what_then(name, outlook)}"
        for hanging in outlook.hanging.get(each.migration, ()):
            yield from (f"      {line}" for line in hanging.lines)
    if tables := sorted({str(name.name) for script in foresight.scripts for name in script.locked}):
        yield f"  keeps waiting, from the first migration to the end: the readers of {', '.join(tables)}"
    yield "  then the views are synced:"
    back = [name for name in foresight.standing if name not in outlook.others | outlook.gone]
    for name in back:
        later = "; built after the migrations" if name in outlook.stored else ""
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


def _what_then(name: ViewName, outlook: Outlook) -> str:
    if name in outlook.gone:
        return "no class declares it any more; it is dropped at the end"
    if name in outlook.others:
        return "it is not ours; it comes back as it was after this migration, or stops the run"
    if name in outlook.stored:
        return "keeps waiting: its readers, until the end; until it is built they read the rows that it has"
    return "keeps waiting: its readers, until the end"


def foresight_as_dict(alias: str, foresight: Foresight, outlook: Outlook) -> dict[str, Any]:
    """Return the same for JSON."""
    return {
        "database": alias,
        "migrations": [_as_dict(each, outlook) for each in foresight.migrations],
        "changes": [{"view": str(name), "reason": why} for name, why in outlook.changes.items()],
    }


def _as_dict(each: ForeseenMigration, outlook: Outlook) -> dict[str, Any]:
    from .lineage import view_as_dicts  # only who shows a plan needs it

    return {
        "app": each.migration.app_label,
        "name": each.migration.name,
        "backwards": each.backwards,
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
