"""What has to be known of a view while it is refreshed, and what PostgreSQL counts meanwhile."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.sync_state import SyncState, split_comment
from orm_views_core.engines.postgresql.catalog.fetch import moment
from orm_views_core.names import ViewName

# One row in any case, because the backend and the time are to be known of a view that is gone, too.
_LOOK = """
SELECT pg_catalog.pg_backend_pid(), extract(epoch FROM pg_catalog.clock_timestamp())::float8,
       v.oid, v.relispopulated, v.description,
       EXISTS (SELECT FROM pg_catalog.pg_index i
               WHERE i.indrelid = v.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                 AND i.indexprs IS NULL AND i.indimmediate),
       CASE WHEN NOT v.relispopulated THEN 0
            WHEN pg_catalog.pg_stat_get_live_tuples(v.oid) > 0 THEN pg_catalog.pg_stat_get_live_tuples(v.oid)
            WHEN v.reltuples >= 0 THEN v.reltuples END::bigint, v.relkind,
       pg_catalog.pg_has_role(v.relowner, 'USAGE')
FROM (SELECT) AS one
LEFT JOIN (
    SELECT c.oid, c.relkind, c.relispopulated, c.reltuples, c.relowner, d.description
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_description d
           ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_catalog.pg_class'::regclass
    WHERE n.nspname = %s AND c.relname = %s
) AS v ON true
"""

# PostgreSQL counts the rows that a transaction writes. The command's sync state does not have the number.
# https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-FUNCTIONS
# What a transaction sees that keeps its snapshot is no newer than its beginning.
_MEASURE = """
SELECT extract(epoch FROM pg_catalog.clock_timestamp())::float8,
       extract(epoch FROM CASE WHEN current_setting('transaction_isolation') LIKE 'read %%'
                               THEN pg_catalog.clock_timestamp()
                               ELSE pg_catalog.transaction_timestamp() END)::float8,
       pg_catalog.to_regclass(%(name)s)::oid, pg_catalog.pg_total_relation_size(%(oid)s),
       pg_catalog.pg_stat_get_xact_tuples_inserted(%(oid)s),
       pg_catalog.pg_stat_get_xact_tuples_deleted(%(oid)s),
       current_setting('track_counts')::boolean, pg_catalog.obj_description(%(oid)s, 'pg_class')
"""


class RefreshedView(NamedTuple):
    """A view as it is now. ``oid`` is None when there is none."""

    pid: int
    now: dt.datetime
    oid: int | None
    populated: bool | None
    comment: str | None
    has_key: bool
    rows: int | None
    relkind: str | None
    is_owner: bool | None

    @property
    def state(self) -> SyncState | None:
        return split_comment(self.comment)[1]

    @property
    def refreshed(self) -> dt.datetime | None:
        return self.state.refreshed if self.state else None


class Measure(NamedTuple):
    """A view's size and comment, and the rows that this session has written since it last reported them.

    Attributes:
        as_of: what was committed until then is seen by the next statement.
        there: the oid of what has the view's name now.
    """

    now: dt.datetime
    as_of: dt.datetime
    there: int | None
    size: int
    inserted: int
    deleted: int
    counts: bool
    comment: str | None


def look(connection: BaseDatabaseWrapper, name: ViewName) -> RefreshedView:
    """Return a view as it is now; one without an oid when nothing has its name."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, list(name))
        pid, now, *facts = cursor.fetchone()
        return RefreshedView(pid, moment(now), *facts)


def measure(connection: BaseDatabaseWrapper, oid: int, name: ViewName) -> Measure:
    """Measure a view; of two measurements in one transaction the difference is what was written between."""
    with connection.cursor() as cursor:
        cursor.execute(_MEASURE, {"oid": oid, "name": name.quoted})
        now, as_of, *facts = cursor.fetchone()
        return Measure(moment(now), moment(as_of), *facts)
