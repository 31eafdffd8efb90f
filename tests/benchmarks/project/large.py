"""Materialised views over the large table, and the pair that readers read."""

from __future__ import annotations

from django.db.models import Avg, Count, Max, Min, Sum

from tests.benchmarks.project.definitions import SCHEMA, Definition
from tests.benchmarks.project.models import Movement


def materialised() -> list[Definition]:
    """Five everyday summaries: two in SQL, three as querysets."""
    return [
        Definition(
            "AccountTotals",
            sql="""
                SELECT account, count(*) AS movements, sum(amount) AS balance, max(day) AS last_day
                FROM project_movement GROUP BY account
            """,
            key="account",
        ),
        Definition(
            "BranchActivity",
            sql="""
                SELECT branch, count(DISTINCT account) AS accounts, avg(amount) AS average
                FROM project_movement GROUP BY branch
            """,
            key="branch",
        ),
        Definition(
            "DayTotals",
            get_queryset=lambda: Movement.objects.values("day").annotate(
                total=Sum("amount"), movements=Count("id")
            ),
            key="day",
        ),
        Definition(
            "BranchRange",
            get_queryset=lambda: Movement.objects.values("branch").annotate(
                smallest=Min("amount"), largest=Max("amount")
            ),
            key="branch",
        ),
        Definition(
            "LargeMovements",
            get_queryset=lambda: (
                Movement.objects.filter(amount__gte=500).values("account").annotate(average=Avg("amount"))
            ),
            key="account",
        ),
    ]


def read(variant: int) -> list[Definition]:
    """A materialised view whose definition changes, and the plain view on it; both say which one it is."""
    source = Definition(
        "AccountDays",
        sql=f"""
            SELECT account, count(DISTINCT day) AS days, sum(amount) AS balance, {variant} AS variant
            FROM project_movement GROUP BY account
        """,
        key="account",
    )
    reader = Definition(
        "AccountReport",
        sql=f"SELECT account, days, balance, variant FROM {SCHEMA}.accountdays",
        reads=source.class_name,
    )
    return [source, reader]


def refreshed() -> list[Definition]:
    """Four that stand alone and three of which each reads the one before, all of about the same work."""
    alone = [_peaks(f"Peaks{number}", f"amount * {number}") for number in range(1, 5)]
    first = _peaks("First", "amount")
    second = _peaks("Second", "amount - before.peak / 1000", after=first)
    return [*alone, first, second, _peaks("Third", "amount - before.peak / 1000", after=second)]


def _peaks(class_name: str, amount: str, after: Definition | None = None) -> Definition:
    """The highest balance that each account has had, and when it last moved."""
    joined = f"JOIN {after.view_name} before USING (account)" if after else ""
    sql = f"""
        SELECT account, max(balance) AS peak, max(day) AS last_day
        FROM (
            SELECT account, day, sum({amount}) OVER (PARTITION BY account ORDER BY day, id) AS balance
            FROM project_movement {joined}
        ) balances
        GROUP BY account
    """
    return Definition(class_name, sql=sql, reads=after.class_name if after else None, key="account")
