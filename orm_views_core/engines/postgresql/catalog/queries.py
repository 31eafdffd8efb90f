"""The SQL that reads the catalogs, each query named after what it returns.

https://www.postgresql.org/docs/current/catalogs.html
"""

# A relation that somebody holds ACCESS EXCLUSIVE (REFRESH without CONCURRENTLY holds it to its end) would
# make pg_total_relation_size and pg_get_indexdef wait, and pg_get_viewdef of it and of what reads it, because
# that locks what the view reads. A status page must not wait with them: those are left unread.
_HELD = """
WITH held AS MATERIALIZED (
    SELECT relation FROM pg_catalog.pg_locks
    WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND granted AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
)
"""

RELATIONS = f"""{_HELD}
SELECT c.oid, n.nspname, c.relname, c.relkind, pg_catalog.pg_get_userbyid(c.relowner),
       pg_catalog.pg_has_role(c.relowner, 'USAGE'), comment.description,
       c.reloptions, c.relispopulated, c.reltuples,
       CASE WHEN c.relkind = 'm' AND held.relation IS NULL
            THEN pg_catalog.pg_total_relation_size(c.oid) END,
       held.relation IS NOT NULL
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN held ON held.relation = c.oid
LEFT JOIN pg_catalog.pg_description comment
       ON comment.objoid = c.oid AND comment.objsubid = 0
      AND comment.classoid = 'pg_catalog.pg_class'::regclass
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')
"""
IN_OUR_SCHEMAS = """
  AND (n.nspname = ANY(%(schemas)s) OR (c.relkind IN ('v', 'm') AND c.oid IN (
       SELECT objoid FROM pg_catalog.pg_description
       WHERE classoid = 'pg_catalog.pg_class'::regclass AND objsubid = 0 AND description LIKE %(tag)s)))
ORDER BY n.nspname, c.relname
"""
BY_NAME = """
  AND (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
"""

# PostgreSQL's own text of some views: the dearest of all that can be read about a view, because the server
# has to take the view and all that it reads apart.
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

# Whether that text can have changed is cheaper to know. It is made of the rule in which the SELECT is stored
# as a tree, in which everything has its oid; of the names of the relations and columns that it refers to; and
# of those of the view's own columns. A tree takes some 10 kB, of which md5() would take twice as long.
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
SELECT v.oid, n.nspname, v.relname, v.relkind, v.reloptions, {_RULE}
FROM pg_catalog.pg_class v
JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid AND r.rulename = '_RETURN' {_RULE_NAMES}
WHERE (n.nspname, v.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
"""

# Every view, and each view that it reads; a line without one for a view that reads none.
VIEW_READS = """
SELECT n.nspname, c.relname, c.relkind = 'm', found.nspname, found.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (
    SELECT DISTINCT r.ev_class AS reader, read_schema.nspname, read.relname
    FROM pg_catalog.pg_rewrite r
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                               AND d.refclassid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class read ON read.oid = d.refobjid AND read.relkind IN ('v', 'm')
    JOIN pg_catalog.pg_namespace read_schema ON read_schema.oid = read.relnamespace
    WHERE r.rulename = '_RETURN' AND read.oid <> r.ev_class
) AS found ON found.reader = c.oid
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY n.nspname, c.relname
"""

# A view's SELECT is stored as its rewrite rule, and that rule is what depends on the relations it reads.
# Other rules of it read nothing when it is read.
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
    -- Whoever uses the type of its rows (NULL::views.loans, a column of it) keeps it from being dropped.
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

# PostgreSQL expands a star when a view is created. The columns of what it reads tell when it would now
# expand to others.
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

# REFRESH ... CONCURRENTLY wants a unique, valid index on plain columns over all rows.
INDEXES = """
SELECT i.indrelid, c.relname, i.indisunique,
       CASE WHEN i.indrelid = ANY(%(held)s::oid[]) THEN '' ELSE pg_catalog.pg_get_indexdef(i.indexrelid) END,
       i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indimmediate
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY(%(oids)s::oid[])
ORDER BY c.relname
"""

COLUMN_COMMENTS = """
SELECT d.objoid, a.attname, d.description
FROM pg_catalog.pg_description d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid > 0 AND d.objoid = ANY(%(oids)s::oid[])
"""

GRANTS = """
SELECT c.oid, COALESCE(r.rolname, ''), acl.privilege_type, acl.is_grantable
FROM pg_catalog.pg_class c
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) acl
LEFT JOIN pg_catalog.pg_roles r ON r.oid = acl.grantee
WHERE c.oid = ANY(%(oids)s::oid[]) AND acl.grantee <> c.relowner
"""

SCHEMAS = """
SELECT n.nspname, pg_catalog.has_schema_privilege(n.oid, 'CREATE'),
       COALESCE(array_agg(COALESCE(r.rolname, '')) FILTER (WHERE acl.privilege_type = 'USAGE'), '{}')::text[]
FROM pg_catalog.pg_namespace n
LEFT JOIN LATERAL pg_catalog.aclexplode(n.nspacl) acl ON true
LEFT JOIN pg_catalog.pg_roles r ON r.oid = acl.grantee
WHERE n.nspname = ANY(%(schemas)s)
GROUP BY n.oid, n.nspname
"""

# The lock table has room for max_locks_per_transaction times these, and a little more that others use too.
# https://www.postgresql.org/docs/current/runtime-config-locks.html
SESSION = """
SELECT current_setting('search_path'), pg_catalog.current_schemas(false)::text[],
       (SELECT COALESCE(array_agg(rolname), '{}')::text[]
        FROM pg_catalog.pg_roles WHERE rolname = ANY(%(roles)s)),
       current_user::text,
       pg_catalog.has_database_privilege(current_database(), 'CREATE'),
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'it is a replica'
            WHEN current_setting('transaction_read_only') = 'on' THEN 'its transactions are read-only'
            ELSE '' END,
       current_setting('max_locks_per_transaction')::int
       * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int),
       (SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT fastpath AND pid <> pg_backend_pid())::int,
       current_setting('max_locks_per_transaction')::int,
       extract(epoch FROM pg_catalog.clock_timestamp())::float8
"""

# Whatever has a name that is to be given: relations share theirs with types, and indexes are relations.
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

# What keeps a relation, or the type of its rows, from being dropped and is no view: functions with a body of
# SQL or with an argument of that type, rules and policies of other relations.
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
WHERE d.classid <> 'pg_catalog.pg_class'::regclass
  AND (r.oid IS NULL OR NOT (r.ev_class = found.view OR (r.rulename = '_RETURN' AND c.relkind IN ('v', 'm'))))
"""

# What some plain views of ours read and we may not, which PostgreSQL says only to those who read the views.
UNREADABLE = """
SELECT current_user::text, n.nspname, c.relname, read_schema.nspname, read.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
JOIN pg_catalog.pg_class read
  ON d.refclassid = 'pg_catalog.pg_class'::regclass AND read.oid = d.refobjid AND read.oid <> c.oid
JOIN pg_catalog.pg_namespace read_schema ON read_schema.oid = read.relnamespace
WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
  AND 'security_invoker=true' <> ALL (COALESCE(c.reloptions, '{}'))
  AND NOT pg_catalog.has_any_column_privilege(read.oid, 'SELECT')
"""

# What some materialised views read, through plain views and into partitions, and how many changes of rows the
# statistics have counted there. pg_stat_user_tables has the same numbers, but only those of tables.
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

COMMENTS = """
SELECT d.objoid, d.description FROM pg_catalog.pg_description d
WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0 AND d.objoid = ANY(%(oids)s::oid[])
"""
