"""The SQL that reads the catalogs, each query named after what it returns. Pure.

https://www.postgresql.org/docs/current/catalogs.html
"""

# The relations that another session has locked in ACCESS EXCLUSIVE mode. REFRESH without CONCURRENTLY holds
# that lock to its end. pg_total_relation_size() and pg_get_indexdef() of such a relation would wait for it.
# pg_get_viewdef() would wait too, also for views that read the relation, because it locks what a view reads.
# A status page must not wait, so the queries leave these values out.
_HELD = """
WITH held AS MATERIALIZED (
    SELECT relation FROM pg_catalog.pg_locks
    WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND granted AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
)
"""

# The sync state of a permanent view of a trusted role is believed. An owner may write any comment, of up to a
# gigabyte.
TRUSTED = "(c.relpersistence = 'p' AND c.relowner = ANY(%(trusted)s::oid[]))"

# The options of a view. A tablespace is none for PostgreSQL; a class declares it as one.
OPTIONS = """CASE WHEN c.relkind = 'm' AND c.reltablespace <> 0
            THEN COALESCE(c.reloptions, '{}') || ARRAY(SELECT 'tablespace=' || t.spcname
                 FROM pg_catalog.pg_tablespace t WHERE t.oid = c.reltablespace)
            ELSE c.reloptions END"""

RELATIONS = f"""{_HELD}
SELECT c.oid, n.nspname, c.relname, c.relkind, pg_catalog.pg_get_userbyid(c.relowner),
       pg_catalog.pg_has_role(c.relowner, 'USAGE'), {TRUSTED},
       CASE WHEN {TRUSTED} THEN comment.description ELSE left(comment.description, 1000000) END,
       {OPTIONS}, c.relispopulated, c.reltuples,
       CASE WHEN c.relkind = 'm' AND held.relation IS NULL
            THEN pg_catalog.pg_total_relation_size(c.oid) END,
       held.relation IS NOT NULL, current_setting('server_version_num')::int / 10000
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN held ON held.relation = c.oid
LEFT JOIN pg_catalog.pg_description comment
       ON comment.objoid = c.oid AND comment.objsubid = 0
      AND comment.classoid = 'pg_catalog.pg_class'::regclass
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')
"""
# CASE keeps PostgreSQL from looking through the comments of others.
IN_OUR_SCHEMAS = f"""
  AND CASE WHEN n.nspname = ANY(%(schemas)s) THEN true
           WHEN c.relkind IN ('v', 'm') AND {TRUSTED} THEN comment.description LIKE ANY(%(states)s) END
ORDER BY n.nspname, c.relname
"""
BY_NAME = """
  AND (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
"""

# PostgreSQL's own text of some views. Nothing else about a view takes as long to read, because the server has
# to decompile the view with everything that it reads.
DEFINITIONS = f"""{_HELD}
SELECT c.oid, pg_catalog.pg_get_viewdef(c.oid)
FROM pg_catalog.pg_class c
WHERE c.oid = ANY(%(oids)s::oid[]) AND c.relkind IN ('v', 'm')
  AND (%(wait)s OR c.oid NOT IN (
       SELECT relation FROM held
       UNION
       SELECT r.ev_class FROM pg_catalog.pg_depend d
       JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid
       WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid IN (SELECT relation FROM held)))
"""

# A hash that changes when that text changes, and is faster to read. The text is made from the view's rewrite
# rule, which stores the SELECT as a tree of nodes with oids, from the names of the relations and columns that
# the rule refers to, and from the names of the view's own columns. A tree has about 10 kB; md5() of it would
# take twice as long.
_RULE = """
hashtextextended(r.ev_action::text COLLATE "C", hashtextextended(concat_ws(' ', own.names, referred.names)
                                                                 COLLATE "C", 0))::text
"""
_RULE_NAMES = """
CROSS JOIN LATERAL (
    SELECT string_agg(attname, ',' ORDER BY attnum) AS names
    FROM pg_catalog.pg_attribute WHERE attrelid = r.ev_class AND attnum > 0
) own
CROSS JOIN LATERAL (
    SELECT string_agg(concat_ws('.', c.relname, a.attname), ',' ORDER BY d.refobjid, d.refobjsubid) AS names
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> r.ev_class
) referred
"""
RULES = f"""
SELECT r.ev_class, {_RULE}
FROM pg_catalog.pg_rewrite r {_RULE_NAMES}
WHERE r.rulename = '_RETURN' AND r.ev_class = ANY(%(oids)s::oid[])
"""

CREATED = f"""
SELECT c.oid, current_setting('server_version_num')::int / 10000,
       n.nspname, c.relname, c.relkind, {OPTIONS}, {_RULE}
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN' {_RULE_NAMES}
WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
"""

# A view's SELECT is stored as its rewrite rule _RETURN, and pg_depend lists what this rule depends on. Other
# rules of a view do not apply when it is read.
READS = """
SELECT reader.oid, reader_schema.nspname, reader.relname, c.oid, schema.nspname, c.relname
FROM (
    SELECT r.ev_class AS reader, d.refobjid AS read
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.rulename = '_RETURN'
    WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass
      AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND (r.ev_class = ANY(%(oids)s::oid[]) OR d.refobjid = ANY(%(oids)s::oid[]))
    UNION
    -- A view or table that uses the row type of a view (NULL::views.loans, or a column of that type) also
    -- prevents the view from being dropped.
    SELECT COALESCE(r.ev_class, d.objid), c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_type t ON t.oid = c.reltype
    JOIN pg_catalog.pg_depend d ON d.refobjid IN (t.oid, t.typarray)
    LEFT JOIN pg_catalog.pg_rewrite r
           ON r.oid = d.objid AND r.rulename = '_RETURN' AND d.classid = 'pg_catalog.pg_rewrite'::regclass
    WHERE c.oid = ANY(%(oids)s::oid[])
      AND d.refclassid = 'pg_catalog.pg_type'::regclass
      AND (r.oid IS NOT NULL OR d.classid = 'pg_catalog.pg_class'::regclass)
) AS found
JOIN pg_catalog.pg_class reader ON reader.oid = found.reader
JOIN pg_catalog.pg_namespace reader_schema ON reader_schema.oid = reader.relnamespace
JOIN pg_catalog.pg_class c ON c.oid = found.read
JOIN pg_catalog.pg_namespace schema ON schema.oid = c.relnamespace
WHERE found.reader <> found.read
"""

# PostgreSQL expands SELECT * when a view is created. This hash of the columns of the relations that a view
# reads changes when a star would expand to other columns.
SOURCES = """
SELECT source.reader,
       md5(string_agg(concat_ws(' ', c.relname, a.attname, a.atttypid, a.atttypmod), ','
                      ORDER BY c.relname, a.attrelid, a.attnum))
FROM (
    SELECT DISTINCT r.ev_class AS reader, d.refobjid AS read
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
    WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.refobjid <> r.ev_class AND r.ev_class = ANY(%(oids)s::oid[])
) AS source
JOIN pg_catalog.pg_class c ON c.oid = source.read
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY source.reader
"""

# REFRESH ... CONCURRENTLY needs a unique, valid index on plain columns over all rows.
INDEXES = """
SELECT i.indrelid, c.relname, i.indisunique,
       CASE WHEN i.indrelid = ANY(%(held)s::oid[]) THEN '' ELSE pg_catalog.pg_get_indexdef(i.indexrelid) END,
       i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indimmediate,
       COALESCE((SELECT t.spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = c.reltablespace), '')
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY(%(oids)s::oid[])
ORDER BY c.relname
"""

SCHEMAS_BY_PREFIX = """
SELECT nspname::text FROM pg_catalog.pg_namespace WHERE pg_catalog.starts_with(nspname::text, %(prefix)s)
"""

# What has some names already. Relations and types share one namespace, and indexes are relations.
TAKEN = """
SELECT n.nspname, c.relname,
       CASE WHEN c.relkind IN ('i', 'I') THEN 'index' ELSE 'relation' END, tn.nspname, t.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
UNION ALL
SELECT n.nspname, t.typname,
       CASE t.typtype WHEN 'e' THEN 'enum type' WHEN 'd' THEN 'domain' ELSE 'type' END, NULL, NULL
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typrelid = 0 AND t.typelem = 0
  AND (n.nspname, t.typname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
"""

COLUMNS = """
SELECT a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attcollation <> t.typcollation THEN co.collname ELSE '' END
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
WHERE a.attrelid = ANY(%(oids)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

# Objects other than views that prevent a relation or its row type from being dropped: functions with an SQL
# body or with an argument of that type, and rules, triggers and policies of other relations. A trigger for
# UPDATE OF a column depends on the column of its own view, and is one of the view's extras.
OTHER_DEPENDENTS = """
SELECT DISTINCT found.view, pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
FROM (
    SELECT oid AS view, 'pg_catalog.pg_class'::regclass::oid AS classid, oid AS objid
    FROM pg_catalog.pg_class WHERE oid = ANY(%(oids)s::oid[])
    UNION ALL
    SELECT c.oid, 'pg_catalog.pg_type'::regclass::oid, unnest(ARRAY[t.oid, t.typarray])
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_type t ON t.oid = c.reltype
    WHERE c.oid = ANY(%(oids)s::oid[])
) AS found
JOIN pg_catalog.pg_depend d ON d.refclassid = found.classid AND d.refobjid = found.objid AND d.deptype = 'n'
LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
LEFT JOIN pg_catalog.pg_trigger t ON d.classid = 'pg_catalog.pg_trigger'::regclass AND t.oid = d.objid
WHERE d.classid <> 'pg_catalog.pg_class'::regclass
  AND t.tgrelid IS DISTINCT FROM found.view
  AND (r.oid IS NULL OR NOT (r.ev_class = found.view OR (r.rulename = '_RETURN' AND c.relkind IN ('v', 'm'))))
"""

# The relations that some materialised views read, through plain views and down to partitions, and how many
# changes of rows the statistics have counted in them. pg_stat_user_tables has the same counts, but of tables
# only.
# https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ALL-TABLES-VIEW
CHANGES = """
WITH RECURSIVE reads AS (
    SELECT oid AS view, oid AS relation FROM unnest(%(oids)s::oid[]) AS oid
    UNION
    SELECT reads.view, next.relation
    FROM reads CROSS JOIN LATERAL (
        SELECT d.refobjid AS relation
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                                   AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> c.oid
        WHERE c.oid = reads.relation AND (c.relkind = 'v' OR c.oid = reads.view)
        UNION ALL
        SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = reads.relation
    ) AS next
)
SELECT view, array_agg(relation),
       sum(pg_catalog.pg_stat_get_tuples_inserted(relation) + pg_catalog.pg_stat_get_tuples_updated(relation)
           + pg_catalog.pg_stat_get_tuples_deleted(relation))::bigint
FROM reads WHERE relation <> view
GROUP BY view
"""
