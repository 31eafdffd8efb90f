-- view functions_of_sets
-- id: = customer.id; tag: ~ customer.tags; n: ~ customer.id, customer.city_id
-- word: ~ customer.email, customer.phone
SELECT id, unnest(tags) AS tag, generate_series(id, city_id) AS n, regexp_split_to_table(email, phone) AS word
FROM customer;

-- view functions_of_sets_in_expressions
-- a: ~ customer.tags, customer.name; b: ~ customer.email
SELECT name || unnest(tags) AS a, (regexp_matches(email, '@(.*)', 'g'))[1] AS b FROM customer;

-- view functions_of_sets_not_read
-- id: = customer.id
-- uses: customer.tags
SELECT id FROM (SELECT id, unnest(tags) AS tag FROM customer) s;

-- view functions_of_sets_beside_subselects
-- id: = customer.id; a: ~ customer.tags; x: ~ customer.email; y: ~ customer.phone, customer.name
SELECT c.id, unnest(c.tags) AS a, ARRAY(SELECT f.b FROM string_to_table(c.email, '.') AS f (b)) AS x,
       (SELECT regexp_split_to_table(c.phone, c.name) LIMIT 1) AS y
FROM customer c;

-- view functions_from_constants
-- n: -; day: -
SELECT n, day FROM generate_series(1, 3) AS n,
       generate_series('2020-01-01'::timestamp, '2020-02-01', '1 day') AS day;

-- view functions_of_texts
-- w: ~ customer.email; c: ~ customer.phone; k: ~ customer.tags; d: ~ customer.name
SELECT string_to_table(email, '.') AS w, regexp_replace(phone, '\D', '', 'g') AS c,
       generate_subscripts(tags, 1) AS k, initcap(reverse(name)) AS d
FROM customer;

-- view functions_with_variadic
-- a: ~ customer.email, customer.phone, customer.name; b: ~ customer.tags; c: ~ customer.email, customer.id
SELECT concat(email, phone, name) AS a, concat(VARIADIC tags) AS b, format('%s %s', email, id) AS c
FROM customer;

-- view functions_with_named_arguments
-- a: ~ customer.id, customer.city_id, customer.referrer_id; b: ~ customer.balance
SELECT make_interval(days => id, hours => city_id, years => referrer_id) AS a,
       make_interval(secs => balance::float8) AS b
FROM customer;

-- view functions_in_from_of_several_tables
-- n: ~ customer.id, city.area
SELECT g.n FROM customer c, city t, generate_series(c.id, t.area::int) AS g (n);

-- view functions_rows_from_with_ordinality
-- a: ~ customer.tags; b: ~ person.grid; name: = customer.name
-- uses: customer.id, person.id
SELECT r.a, r.b, c.name FROM customer c JOIN person p ON p.id = c.id,
       ROWS FROM (unnest(c.tags), unnest(p.grid)) WITH ORDINALITY AS r (a, b, n);

-- view functions_of_session
-- a: -; b: -; c: -; d: -; e: -
SELECT current_setting('work_mem') AS a, session_user AS b, txid_current() AS c, pg_backend_pid() AS d,
       clock_timestamp() AS e;

-- view functions_of_catalogs
-- size: -; text: -; id: = city.city_id
SELECT pg_relation_size('truth.city') AS size, pg_get_viewdef('pg_tables'::regclass) AS text, city_id AS id
FROM city;

-- view functions_of_sequences
-- n: -; last: -
CREATE SEQUENCE counter;
CREATE VIEW functions_of_sequences AS SELECT nextval('counter') AS n, s.last_value AS last FROM counter s;

-- view functions_of_samples
-- id: = customer.id; mail: = lead.email
-- uses: customer.email, lead.email
SELECT c.id, l.email AS mail FROM customer c TABLESAMPLE BERNOULLI (10) REPEATABLE (1)
JOIN lead l TABLESAMPLE SYSTEM (50) ON l.email = c.email;

-- view functions_that_read_any_table
-- a: ~ customer.name ! query_to_xml(text,boolean,boolean,text)
-- b: ! table_to_xml(regclass,boolean,boolean,text)
-- c: ! database_to_xml(boolean,boolean,text); d: ! schema_to_xml(name,boolean,boolean,text)
SELECT query_to_xml(name, true, true, '') AS a, table_to_xml('truth.lead', true, true, '') AS b,
       database_to_xml(true, true, '') AS c, schema_to_xml('truth', true, true, '') AS d
FROM customer;

-- view functions_of_text_search_statistics
-- word: ! ts_stat(text); n: ! ts_stat(text)
SELECT word, nentry AS n FROM ts_stat('SELECT to_tsvector(name) FROM truth.customer');

-- view functions_of_large_objects
-- a: ~ customer.id ! lo_get(oid); b: ! loread(integer,integer), lo_open(oid,integer)
SELECT lo_get(id::oid) AS a, loread(lo_open(1, 262144), 10) AS b FROM customer;

-- view functions_of_files
-- a: ~ customer.name ! pg_read_file(text); b: ~ city.label ! pg_read_binary_file(text)
SELECT pg_read_file(name) AS a, f.x AS b FROM customer, city, pg_read_binary_file(label) AS f (x);

-- view functions_reading_statistics
-- some: ~ pg_catalog.pg_statistic.stakind1, pg_catalog.pg_statistic.stakind2, pg_catalog.pg_statistic.stakind3,
--   pg_catalog.pg_statistic.stakind4, pg_catalog.pg_statistic.stakind5, pg_catalog.pg_statistic.stavalues1,
--   pg_catalog.pg_statistic.stavalues2, pg_catalog.pg_statistic.stavalues3, pg_catalog.pg_statistic.stavalues4,
--   pg_catalog.pg_statistic.stavalues5 ! pg_catalog.pg_statistic
-- most: ~ pg_catalog.pg_statistic.stavalues1 ! pg_catalog.pg_statistic; id: = city.city_id
-- uses: city.label, pg_catalog.pg_class.relname, pg_catalog.pg_class.oid, pg_catalog.pg_class.relnamespace
-- uses: pg_catalog.pg_class.relrowsecurity, pg_catalog.pg_statistic.starelid, pg_catalog.pg_statistic.staattnum
-- uses: pg_catalog.pg_attribute.attrelid, pg_catalog.pg_attribute.attnum, pg_catalog.pg_attribute.attisdropped
-- uses: pg_catalog.pg_namespace.oid
SELECT s.most_common_vals::text AS some, t.stavalues1::text AS most, c.city_id AS id
FROM pg_stats s, pg_statistic t, city c WHERE s.tablename = c.label;

-- view functions_reading_large_objects
-- data: = pg_catalog.pg_largeobject.data ! pg_catalog.pg_largeobject
SELECT data FROM pg_largeobject;

-- view functions_reading_catalogs
-- name: = pg_catalog.pg_class.relname; id: = city.city_id
-- uses: city.label, pg_catalog.pg_class.relname
SELECT relname AS name, city_id AS id FROM pg_class, city WHERE relname = label;
