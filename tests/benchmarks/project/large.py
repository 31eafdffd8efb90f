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
