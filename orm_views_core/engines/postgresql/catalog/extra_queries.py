"""The SQL that reads the extras of views as the statements that would create them again. Pure."""

from orm_views_core.database.extras import SCHEMA, TABLE

# Splits a definition behind the name of the object that it defines: what follows names the view.
_SPLIT = """CROSS JOIN LATERAL (SELECT left(text, strpos(text, name) + length(name) - 1) AS head,
                               substr(text, strpos(text, name) + length(name)) AS rest) sql"""

# The extras of views, one row each: the view, the extra's place in the order of creation, and the statement
# that creates it. TABLE and SCHEMA in the statement stand for the view's name and its schema. PostgreSQL
# writes the names; within ``catalog_path`` it always writes a relation's name with its schema. The owner
# comes before all that may call a function: the expressions of an index run as the owner of its table.
EXTRAS = f"""
WITH rel AS MATERIALIZED (
    SELECT c.*, c.oid::pg_catalog.regclass::text AS written
    FROM pg_catalog.pg_class c WHERE c.oid = ANY(%(oids)s::oid[])
), col AS MATERIALIZED (
    SELECT a.*, r.relkind, t.typstorage,
           format('ALTER TABLE {TABLE} ALTER COLUMN %%I SET ', a.attname) AS alter_column
    FROM rel r
    JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
), idx AS MATERIALIZED (
    SELECT i.*, c.relname, c.reltablespace, r.written, sql.head,
           substr(sql.rest, length(r.written) + 5) AS tail
    FROM rel r
    JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_indexdef(i.indexrelid) AS text,
                               quote_ident(c.relname) AS name) d
    {_SPLIT}
), rul AS MATERIALIZED (
    SELECT w.ev_class, w.oid, w.rulename, r.written, sql.*
    FROM rel r
    JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
    CROSS JOIN LATERAL (SELECT rtrim(pg_catalog.pg_get_ruledef(w.oid), ';') AS text,
                               quote_ident(w.rulename) AS name) d
    {_SPLIT}
), trg AS MATERIALIZED (
    SELECT t.tgrelid, t.oid, t.tgname, r.written, sql.*
    FROM rel r
    JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_triggerdef(t.oid) AS text, quote_ident(t.tgname) AS name) d
    {_SPLIT}
), comments AS MATERIALIZED (
    SELECT classoid, objoid, objsubid, quote_literal(description) AS text FROM pg_catalog.pg_description
), simple(view, place, kind, name, template) AS (
    SELECT view, 10, 'storage parameter', option,
           format('ALTER TABLE {TABLE} SET (%%s=%%L)', split_part(option, '=', 1),
                  substr(option, strpos(option, '=') + 1))
    FROM (
        SELECT oid AS view, unnest(reloptions) AS option FROM rel WHERE relkind = 'm'
        UNION ALL
        SELECT rel.oid, 'toast.' || unnest(t.reloptions)
        FROM rel JOIN pg_catalog.pg_class t ON t.oid = rel.reltoastrelid
    ) parameters
    UNION ALL
    SELECT rel.oid, 11, 'tablespace', spcname, format('ALTER TABLE {TABLE} SET TABLESPACE %%I', spcname)
    FROM rel JOIN pg_catalog.pg_tablespace t ON t.oid = rel.reltablespace
    UNION ALL
    SELECT rel.oid, 12, 'access method', amname, format('ALTER TABLE {TABLE} SET ACCESS METHOD %%I', amname)
    FROM rel JOIN pg_catalog.pg_am m ON m.oid = rel.relam
    WHERE amname <> current_setting('default_table_access_method')
    UNION ALL
    SELECT attrelid, 13, 'column storage', attname, alter_column || 'STORAGE '
           || CASE attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN'
                              ELSE 'EXTENDED' END
    FROM col WHERE relkind = 'm' AND attstorage <> typstorage
    UNION ALL
    SELECT attrelid, 13, 'column storage', attname, alter_column || 'COMPRESSION '
           || CASE attcompression WHEN 'p' THEN 'pglz' ELSE 'lz4' END
    FROM col WHERE relkind = 'm' AND attcompression <> ''
    UNION ALL
    SELECT attrelid, 20, 'statistics target', attname, alter_column || 'STATISTICS ' || attstattarget
    FROM col WHERE relkind = 'm' AND attstattarget >= 0
    UNION ALL
    SELECT attrelid, 20, 'column option', attname, alter_column || '(' || option || ')'
    FROM col, unnest(attoptions) option WHERE relkind = 'm'
    UNION ALL
    SELECT indrelid, 31, 'index tablespace', relname,
           format('ALTER INDEX {SCHEMA}.%%I SET TABLESPACE %%I', relname, spcname)
    FROM idx JOIN pg_catalog.pg_tablespace t ON t.oid = reltablespace
    UNION ALL
    SELECT indrelid, 31, 'index statistics', relname,
           format('ALTER INDEX {SCHEMA}.%%I ALTER COLUMN %%s SET STATISTICS %%s',
                  relname, attnum, attstattarget)
    FROM idx JOIN pg_catalog.pg_attribute a ON a.attrelid = indexrelid WHERE attstattarget >= 0
    UNION ALL
    SELECT indrelid, 32, 'index comment', relname,
           format('COMMENT ON INDEX {SCHEMA}.%%I IS %%s', relname, text)
    FROM idx
    JOIN comments ON objoid = indexrelid AND classoid = 'pg_catalog.pg_class'::regclass AND objsubid = 0
    UNION ALL
    SELECT indrelid, 33, 'cluster on', relname, format('ALTER TABLE {TABLE} CLUSTER ON %%I', relname)
    FROM idx WHERE indisclustered
    UNION ALL
    SELECT ev_class, 40, 'rule', rulename,
           head || overlay(rest PLACING '{TABLE}' FROM strpos(rest, ' TO ' || written) + 4
                           FOR length(written))
    FROM rul
    UNION ALL
    SELECT tgrelid, 41, 'trigger', tgname,
           head || overlay(rest PLACING '{TABLE}' FROM strpos(rest, ' ON ' || written || ' ') + 4
                           FOR length(written))
    FROM trg
    UNION ALL
    SELECT attrelid, 42, 'default', attname, alter_column || 'DEFAULT '
           || pg_catalog.pg_get_expr(adbin, adrelid)
    FROM col JOIN pg_catalog.pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum
    UNION ALL
    SELECT attrelid, 50, 'column comment', attname,
           format('COMMENT ON COLUMN {TABLE}.%%I IS %%s', attname, text)
    FROM col
    JOIN comments ON objoid = attrelid AND classoid = 'pg_catalog.pg_class'::regclass AND objsubid = attnum
    UNION ALL
    SELECT oid, 50, 'comment', '', format('COMMENT ON %%s {TABLE} IS %%s',
           CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, text)
    FROM rel JOIN comments ON objoid = oid AND classoid = 'pg_catalog.pg_class'::regclass AND objsubid = 0
    UNION ALL
    SELECT ev_class, 51, 'rule comment', rulename,
           format('COMMENT ON RULE %%I ON {TABLE} IS %%s', rulename, text)
    FROM rul JOIN comments ON objoid = rul.oid AND classoid = 'pg_catalog.pg_rewrite'::regclass
    UNION ALL
    SELECT tgrelid, 51, 'trigger comment', tgname,
           format('COMMENT ON TRIGGER %%I ON {TABLE} IS %%s', tgname, text)
    FROM trg JOIN comments ON objoid = trg.oid AND classoid = 'pg_catalog.pg_trigger'::regclass
    UNION ALL
    SELECT rel.oid, 15, 'owner', rolname, format('ALTER TABLE {TABLE} OWNER TO %%I', rolname)
    FROM rel JOIN pg_catalog.pg_roles r ON r.oid = relowner WHERE rolname <> current_user
    UNION ALL
    -- Default privileges grant rights on new relations of our role that nobody had on this view.
    SELECT DISTINCT rel.oid, 61, 'revocation', COALESCE(g.rolname, 'public'),
           'REVOKE ALL ON {TABLE} FROM ' || COALESCE(quote_ident(g.rolname), 'PUBLIC')
    FROM rel, pg_catalog.pg_default_acl d
    JOIN pg_catalog.pg_roles me ON me.oid = d.defaclrole AND me.rolname = current_user
    CROSS JOIN LATERAL (SELECT DISTINCT grantee FROM pg_catalog.aclexplode(d.defaclacl)) acl
    LEFT JOIN pg_catalog.pg_roles g ON g.oid = acl.grantee
    WHERE d.defaclobjtype = 'r' AND d.defaclnamespace IN (0, rel.relnamespace) AND acl.grantee <> d.defaclrole
    UNION ALL
    -- Default privileges may also withhold rights from our role that the owner of this view had.
    SELECT DISTINCT rel.oid, 62, 'revocation', r.rolname, format('GRANT ALL ON {TABLE} TO %%I', r.rolname)
    FROM rel
    JOIN pg_catalog.pg_roles r ON r.oid = relowner
    JOIN pg_catalog.pg_default_acl d ON d.defaclobjtype = 'r' AND d.defaclnamespace IN (0, relnamespace)
    JOIN pg_catalog.pg_roles me ON me.oid = d.defaclrole AND me.rolname = current_user
    UNION ALL
    SELECT rel.oid, 63, 'revocation', privilege_type || ' from ' || rolname,
           format('REVOKE %%s ON {TABLE} FROM %%I', privilege_type, rolname)
    FROM rel
    JOIN pg_catalog.pg_roles r ON r.oid = relowner
    CROSS JOIN LATERAL (
        SELECT privilege_type FROM pg_catalog.aclexplode(pg_catalog.acldefault('r', relowner))
        WHERE grantee = relowner
        EXCEPT SELECT privilege_type FROM pg_catalog.aclexplode(relacl) WHERE grantee = relowner
    ) missing
    WHERE relacl IS NOT NULL
), found(view, place, kind, name, template, tail, finish) AS (
    SELECT *, '', '' FROM simple
    UNION ALL
    -- What depends on an extension is dropped with it. A plain view cannot.
    SELECT rel.oid, 70, made.kind, COALESCE(made.name, e.extname),
           format('ALTER %%s DEPENDS ON EXTENSION %%I', made.written, e.extname), '', ''
    FROM rel
    CROSS JOIN LATERAL (
        SELECT 'pg_catalog.pg_class'::regclass, rel.oid, 'extension dependency', NULL,
               'MATERIALIZED VIEW {TABLE}'
        UNION ALL
        SELECT 'pg_catalog.pg_class'::regclass, indexrelid, 'index extension dependency', relname::text,
               format('INDEX {SCHEMA}.%%I', relname)
        FROM idx WHERE indrelid = rel.oid
        UNION ALL
        SELECT 'pg_catalog.pg_trigger'::regclass, trg.oid, 'trigger extension dependency', tgname::text,
               format('TRIGGER %%I ON {TABLE}', tgname)
        FROM trg WHERE tgrelid = rel.oid
    ) made(classid, objid, kind, name, written)
    JOIN pg_catalog.pg_depend d ON d.classid = made.classid AND d.objid = made.objid AND d.deptype = 'x'
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    UNION ALL
    SELECT indrelid, 30, 'index', relname,
           head || ' ON {TABLE}' || tail, substr(tail, length(' USING ') + 1), ''
    FROM idx WHERE indisvalid
    UNION ALL
    -- Extended statistics may be in any schema, so their name is free only after the old ones are dropped.
    -- Until then they have an interim name, so that ANALYZE fills them.
    SELECT rel.oid, 35, 'extended statistics', stxname,
           concat_ws('; ',
               'CREATE STATISTICS ' || interim || substr(left(d.text, -length(written)), length(named) + 19)
               || '{TABLE}',
               CASE WHEN (to_jsonb(s) ->> 'stxstattarget')::int >= 0
                    THEN format('ALTER STATISTICS %%s SET STATISTICS %%s', interim,
                                to_jsonb(s) ->> 'stxstattarget') END,
               CASE WHEN owner.rolname <> current_user
                    THEN format('ALTER STATISTICS %%s OWNER TO %%I', interim, owner.rolname) END,
               'COMMENT ON STATISTICS ' || interim || ' IS ' || comments.text), '',
           format('ALTER STATISTICS %%s SET SCHEMA %%I; ALTER STATISTICS %%I.%%I RENAME TO %%I',
                  interim, nspname, nspname, 'orm_views_' || s.oid, stxname)
    FROM rel
    JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = rel.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
    JOIN pg_catalog.pg_roles owner ON owner.oid = s.stxowner
    CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_statisticsobjdef(s.oid) AS text,
                               format('%%I.%%I', nspname, stxname) AS named,
                               '{SCHEMA}.orm_views_' || s.oid AS interim) d
    LEFT JOIN comments ON objoid = s.oid AND classoid = 'pg_catalog.pg_statistic_ext'::regclass
)
SELECT view, kind, name, template, tail, finish FROM found
WHERE template IS NOT NULL -- else it was dropped while it was read
ORDER BY view, place, name, template
"""

# The privileges of roles other than the owner, on views and on their columns, and who granted them.
PRIVILEGES = f"""
SELECT acl.view, grantor.rolname, acl.grantor = acl.relowner, COALESCE(grantee.rolname, ''),
       privilege_type, column_name, is_grantable,
       'of ' || privilege_type || on_column || ' to ' || COALESCE(grantee.rolname, 'public')
       || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END,
       'GRANT ' || privilege_type || on_column || ' ON {TABLE} TO '
       || COALESCE(quote_ident(grantee.rolname), 'PUBLIC')
       || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM (
    SELECT c.oid AS view, c.relowner, '' AS column_name, '' AS on_column, a.*
    FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a
    WHERE c.oid = ANY(%(oids)s)
    UNION ALL
    SELECT c.oid, c.relowner, col.attname, format(' (%%I)', col.attname), a.*
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_attribute col ON col.attrelid = c.oid AND NOT col.attisdropped
    CROSS JOIN LATERAL pg_catalog.aclexplode(col.attacl) a
    WHERE c.oid = ANY(%(oids)s)
) acl
JOIN pg_catalog.pg_roles grantor ON grantor.oid = acl.grantor
LEFT JOIN pg_catalog.pg_roles grantee ON grantee.oid = acl.grantee
WHERE acl.grantee <> acl.relowner AND (acl.grantee = 0 OR grantee.rolname IS NOT NULL)
ORDER BY acl.view, 8
"""
