"""Reading what a refresh needs to know of its view, and what PostgreSQL counts while it runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.sync_state import SyncState, split_comment
from orm_views_core.engines.postgresql.catalog import queries
from orm_views_core.engines.postgresql.catalog.fetch import array, moment
from orm_views_core.engines.postgresql.catalog.rights import MAY_REFRESH
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.names import ViewName

# The query returns one row even if the view does not exist, because the backend and the time are needed then
# too. The oid 0 is PostgreSQL's InvalidOid.
_LOOK = f"""
SELECT pg_catalog.pg_backend_pid(), extract(epoch FROM pg_catalog.clock_timestamp())::float8,
       coalesce(v.oid, 0), coalesce(v.relispopulated, false), v.description,
       EXISTS (SELECT FROM pg_catalog.pg_index i
               WHERE i.indrelid = v.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                 AND i.indexprs IS NULL AND i.indimmediate),
       CASE WHEN NOT v.relispopulated THEN 0
            WHEN pg_catalog.pg_stat_get_live_tuples(v.oid) > 0 THEN pg_catalog.pg_stat_get_live_tuples(v.oid)
            WHEN v.reltuples >= 0 THEN v.reltuples END::bigint, v.relkind,
       coalesce(pg_catalog.pg_has_role(v.relowner, 'USAGE'), false), coalesce(v.may_refresh, false),
       coalesce(pg_catalog.pg_get_userbyid(v.relowner), '')
FROM (SELECT) AS one
LEFT JOIN (
    SELECT c.oid, c.relkind, c.relispopulated, c.reltuples, c.relowner, {MAY_REFRESH} AS may_refresh,
           CASE WHEN {queries.TRUSTED} THEN d.description END AS description
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_description d
           ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_catalog.pg_class'::regclass
    WHERE n.nspname = %(schema)s AND c.relname = %(name)s
) AS v ON true
"""

# The number of rows comes from PostgreSQL's counters of the rows that a transaction writes, because the
# command tag of REFRESH MATERIALIZED VIEW does not contain it.
# https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-FUNCTIONS
# In REPEATABLE READ and SERIALIZABLE, the rows are no newer than the beginning of the transaction, because
# such a transaction keeps its snapshot.
_MEASURE = f"""
SELECT extract(epoch FROM pg_catalog.clock_timestamp())::float8,
       extract(epoch FROM CASE WHEN current_setting('transaction_isolation') LIKE 'read %%'
                               THEN pg_catalog.clock_timestamp()
                               ELSE pg_catalog.transaction_timestamp() END)::float8,
       pg_catalog.to_regclass(%(name)s)::oid, pg_catalog.pg_total_relation_size(%(oid)s),
       pg_catalog.pg_stat_get_xact_tuples_inserted(%(oid)s),
       pg_catalog.pg_stat_get_xact_tuples_deleted(%(oid)s),
       current_setting('track_counts')::boolean,
       (SELECT pg_catalog.obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c
        WHERE c.oid = %(oid)s AND {queries.TRUSTED})
"""


class RefreshedView(NamedTuple):
    """What a refresh needs to know of its view.

    Attributes:
        pid: the process id of this session's backend.
        now: the time, by the database's clock.
        oid: 0 when no relation has the view's name.
        comment: the view's COMMENT, with the sync state; None when the view's owner is not trusted.
        has_key: whether the view has a unique index that allows to refresh it concurrently.
        rows: the estimated number of rows; None when unknown.
        relkind: the kind of the relation, as in ``pg_class``; None when there is none.
        is_owner: whether this session's role owns the view, or is a member of the role that does.
        may_refresh: whether this session's role may refresh it, as a member of its owner or with MAINTAIN.
        owner: its owner.
    """

    pid: int
    now: dt.datetime
    oid: int
    populated: bool
    comment: str | None
    has_key: bool
    rows: int | None
    relkind: str | None
    is_owner: bool
    may_refresh: bool = True
    owner: str = ""

    @property
    def state(self) -> SyncState | None:
        return split_comment(self.comment)[1]

    @property
    def refreshed(self) -> dt.datetime | None:
        return self.state.refreshed if self.state else None


class Measure(NamedTuple):
    """A view's size and comment, and how many rows this transaction has written.

    Attributes:
        now: the time, by the database's clock.
        as_of: the next statement sees what had been committed by this time.
        oid: the oid of the relation that has the view's name now; None when there is none.
        size: the size on disk in bytes, with indexes.
        inserted: the number of inserted rows. Only the difference between two measures is meaningful.
        deleted: the number of deleted rows; likewise.
        counts: whether PostgreSQL counts rows (``track_counts``).
        comment: the view's COMMENT, with the sync state; None when the view's owner is not trusted.
    """

    now: dt.datetime
    as_of: dt.datetime
    oid: int | None
    size: int
    inserted: int
    deleted: int
    counts: bool
    comment: str | None


def look(connection: BaseDatabaseWrapper, name: ViewName, trusted: Collection[int]) -> RefreshedView:
    """Read what a refresh needs to know of a view, or that there is none.

    Args:
        connection: the database.
        name: the view.
        trusted: the oids of the roles whose sync states are believed.
    """
    with catalog_cursor(connection) as cursor:
        cursor.execute(_LOOK, {**name._asdict(), "trusted": array(trusted)})
        pid, now, *facts = cursor.fetchone()
        return RefreshedView(pid, moment(now), *facts)


def measure(connection: BaseDatabaseWrapper, oid: int, name: ViewName, trusted: Collection[int]) -> Measure:
    """Measure a view before or after its rows are computed.

    Args:
        connection: the database.
        oid: the view.
        name: its name.
        trusted: the oids of the roles whose sync states are believed.
    """
    with catalog_cursor(connection) as cursor:
        cursor.execute(_MEASURE, {"oid": oid, "name": name.quoted, "trusted": array(trusted)})
        now, as_of, *facts = cursor.fetchone()
        return Measure(moment(now), moment(as_of), *facts)


def count_rows(estimate: int | None, before: Measure, after: Measure, *, concurrently: bool) -> int | None:
    """Return how many rows a view has after a refresh; None when that is unknown.

    A refresh that is not concurrent writes all rows anew. A concurrent one writes the differences only.

    Args:
        estimate: the number of rows before the refresh.
        before: the view before the refresh.
        after: the view after the refresh.
        concurrently: whether the refresh was concurrent.
    """
    if not after.counts:
        return None
    inserted = after.inserted - before.inserted
    if not concurrently:
        return inserted
    return None if estimate is None else max(0, estimate + inserted - (after.deleted - before.deleted))
