"""Several locks that wait no longer in total than one."""

from __future__ import annotations

from collections.abc import Iterable


def all_within(timeout: float, statements: Iterable[str]) -> list[str]:
    """Return statements that wait for locks no longer than a time-out, all of them together.

    While we wait for one lock, those wait who want what we have locked. ``statement_timestamp()`` is when the
    whole string arrived, so the result has to be sent in one string.

    Args:
        timeout: in seconds.
        statements: each takes a lock.
    """
    milliseconds = max(1, round(timeout * 1000))
    left = (
        f"SELECT pg_catalog.set_config('lock_timeout', greatest(1, ({milliseconds} OPERATOR(pg_catalog.-)"
        " (extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
        " pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000))::int)::pg_catalog.text, true)"
    )
    limited = [part for statement in statements for part in (left, statement)]
    return [*limited, f"SELECT pg_catalog.set_config('lock_timeout', '{milliseconds}ms', true)"]
