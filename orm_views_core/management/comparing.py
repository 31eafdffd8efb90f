"""The options of ``sync_views --plan`` that compare rows.

What compares is imported only where rows are compared: a sync needs none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from orm_views_core.definitions.lookup import find_views
from orm_views_core.engines.connections import staging_databases
from orm_views_core.plan.steps import Plan
from orm_views_core.privacy.marks import are_used
from orm_views_core.quoting import summary_of
from orm_views_core.sentences import Sentence

if TYPE_CHECKING:
    from orm_views_core.comparison import Comparison


def add_compare_arguments(parser: CommandParser) -> None:
    """Add the options that compare rows."""
    parser.add_argument(
        "--compare",
        nargs="*",
        metavar="VIEW",
        help="With --plan: show what it does to the rows of these views; of all that it changes, when none.",
    )
    parser.add_argument(
        "--key",
        action="append",
        metavar="COLUMN",
        help="With --compare: a column that identifies a row. May be repeated. Otherwise one is looked for.",
    )
    parser.add_argument(
        "--stored",
        action="store_true",
        help="With --compare: compare with the stored rows of materialised views, however old they are.",
    )


def refuse_alone(options: Mapping[str, Any]) -> None:
    """Refuse options that mean nothing without others.

    Raises:
        CommandError: when one stands alone.
    """
    if options["compare"] is not None and not options["plan"]:
        raise CommandError("--compare shows what a plan does to rows. Add --plan.")
    for name in ("key", "stored"):
        if options[name] and options["compare"] is None:
            raise CommandError(f"--{name} says how rows are compared. Add --compare.")


def compare_plans(plans: Sequence[Plan], options: Mapping[str, Any]) -> dict[str, Comparison]:
    """Return what plans do to rows, by the alias of the database; nothing unless that is asked for.

    Values of personal columns are not read: what a command prints is kept in logs. PostgreSQL's words about
    an error may quote any value, so they are left out if anything is personal.

    Raises:
        OrmViewsError: when one of the views or columns is unknown.
    """
    if options["compare"] is None:
        return {}
    from orm_views_core.comparison import compare_views

    wanted = find_views(options["compare"], [plan.database for plan in plans]) if options["compare"] else None
    if wanted is None:
        able = staging_databases(None if options["database"] is None else [options["database"]])
        plans = [plan for plan in plans if plan.database in able]
    return {
        plan.database: _for_logs(
            compare_views(
                plan,
                None if wanted is None else sorted(wanted[plan.database]),
                key=options["key"] or (),
                stored=options["stored"],
            )
        )
        for plan in plans
        if wanted is None or plan.database in wanted
    }


def _for_logs(found: Comparison) -> Comparison:
    if not are_used():
        return found
    views = (
        replace(view, why_not=Sentence(summary_of(view.why_not).replace("\n", " "))) for view in found.views
    )
    return replace(found, views=tuple(views))


def compared_as_dict(compared: Mapping[str, Comparison], plan: Plan) -> dict[str, Any]:
    """Return the comparison of a plan's database for its JSON object."""
    if (found := compared.get(plan.database)) is None:
        return {}
    from orm_views_core.output.comparisons import comparison_as_dict

    return {"comparison": comparison_as_dict(found)}


def compared_lines(compared: Mapping[str, Comparison], plan: Plan, *, every: bool) -> Iterator[str]:
    """Yield the comparison of a plan's database as text; ``every`` sample, or a few."""
    if (found := compared.get(plan.database)) is not None:
        from orm_views_core.output.comparisons import comparison_lines

        yield from comparison_lines(found, every=every)
