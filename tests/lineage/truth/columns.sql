-- view columns_plain
-- id: = customer.id; email: = customer.email
SELECT id, email FROM customer;

-- view columns_renamed
-- number: = customer.id; mail: = customer.email; again: = customer.email
SELECT c.id AS number, c.email AS mail, c.email AS again FROM customer AS c;

-- view columns_renamed_in_from
-- a: = city.city_id; b: = city.label; country: = city.country
SELECT a, b, country FROM city AS t (a, b);

-- view columns_swapped_in_from
-- email: = customer.phone; phone: = customer.email
SELECT t.email, t.phone FROM (SELECT email, phone FROM customer) AS t (phone, email);

-- view columns_all
-- city_id: = city.city_id; label: = city.label; country: = city.country; mayor_id: = city.mayor_id
-- area: = city.area
SELECT * FROM city;

-- view columns_of_table_command
-- source: = edge.source; target: = edge.target; weight: = edge.weight; label: = edge.label
TABLE edge;

-- view columns_named_by_view
-- first: = city.label; second: = city.country
CREATE VIEW columns_named_by_view (first, second) AS SELECT label, country FROM city;

-- view columns_none
-- uses: customer.status
SELECT FROM customer WHERE status = 'new';

-- view columns_without_from
-- one: -; now: -; who: -; text: -; nothing: -; list: -; chance: -
SELECT 1 AS one, now() AS now, current_user AS who, 'x' || 'y' AS text, NULL::date AS nothing,
       ARRAY[1, 2] AS list, random() AS chance;

-- view columns_constant_beside_table
-- label: -; id: = customer.id; length: -
-- uses: customer.born
SELECT 'customer' AS label, id, length('four') AS length FROM customer WHERE born > '2000-01-01';

-- view columns_of_system
-- ctid: -; tableoid: -; xmin: -; relation: -; id: = customer.id
SELECT ctid, tableoid, xmin, tableoid::regclass AS relation, id FROM customer;

-- view columns_of_subqueries
-- deep: = customer.email
SELECT deep FROM (SELECT mid AS deep FROM (SELECT email AS mid, phone FROM customer) AS a) AS b;

-- view columns_not_selected
-- id: = customer.id
SELECT id FROM (SELECT id, upper(email) AS loud, row_number() OVER (ORDER BY phone) AS n FROM customer) AS s;

-- view casts_that_change_nothing
-- name: = customer.name; free: = customer.name; email: = customer.email; oid: = customer.id
-- domain: = customer.email; positive: = customer.id; sorted: = customer.email; money: = customer.balance
SELECT name::text, name::varchar AS free, email::varchar AS email, id::oid AS oid, email::mail AS domain,
       id::positive AS positive, email COLLATE "C" AS sorted, balance::numeric AS money
FROM customer;

-- view casts_from_domains
-- mail: = person.mail; code: = person.code; loud: ~ person.mail
SELECT mail::text, code::text, upper(mail) AS loud FROM person;

-- view casts_that_change_something
-- cut: ~ customer.name; text: ~ customer.id; day: ~ customer.born; big: ~ customer.id; exact: ~ customer.id
-- short: ~ customer.email; rounded: ~ customer.balance; date: ~ customer.joined; char: ~ customer.email
-- json: ~ customer.profile; list: ~ customer.tags
SELECT name::varchar(5) AS cut, id::text AS text, born::text AS day, id::bigint AS big, id::numeric AS exact,
       email::short AS short, balance::numeric(10, 1) AS rounded, joined::date AS date, email::char(3) AS char,
       profile::text AS json, tags::text AS list
FROM customer;

-- view casts_of_char_and_enum
-- country: ~ city.country; same: = city.country
SELECT country::text, country::char(2) AS same FROM city;

-- view casts_in_a_row
-- there_and_back: ~ customer.id; twice: = customer.name; text: ~ customer.profile
SELECT id::text::int AS there_and_back, name::text::varchar AS twice, (profile ->> 'a')::int AS text
FROM customer;

-- view expressions_of_operators
-- full: ~ customer.name, customer.email; double: ~ customer.balance; minus: ~ customer.balance
-- not_new: ~ customer.status; young: ~ customer.born; mixed: ~ customer.status, customer.id, customer.phone
SELECT name || ' <' || email || '>' AS full, balance * 2 AS double, -balance AS minus,
       NOT status = 'new' AS not_new,
       born > now() - interval '18 years' AS young, status = 'a' AND (id > 3 OR phone LIKE '0%') AS mixed
FROM customer;

-- view expressions_of_tests
-- a: ~ customer.status; b: ~ customer.email, customer.phone; c: ~ customer.id
-- d: ~ customer.id, customer.referrer_id
-- e: ~ customer.status, customer.tags; f: ~ customer.born; g: ~ customer.id, customer.city_id
-- h: ~ customer.balance
SELECT status IS NULL AS a, email IS DISTINCT FROM phone AS b, id IN (1, 2, 3) AS c,
       id BETWEEN 1 AND referrer_id AS d, status = ANY (tags) AS e, (born < '2000-01-01') IS NOT TRUE AS f,
       (id, city_id) < (1, 2) AS g, balance NOT IN (0, 1) AS h
FROM customer;

-- view expressions_of_special_syntax
-- year: ~ customer.born; part: ~ customer.email, customer.id; at: ~ customer.email, customer.name
-- trimmed: ~ customer.phone; local: ~ customer.joined; laid: ~ customer.name, customer.phone
-- overlaps: ~ customer.born, customer.joined; day: ~ customer.born
SELECT extract(year FROM born) AS year, substring(email FROM id FOR 3) AS part, position(email IN name) AS at,
       trim(BOTH '0' FROM phone) AS trimmed, joined AT TIME ZONE 'UTC' AS local,
       overlay(name PLACING phone FROM 2) AS laid,
       (born, born) OVERLAPS (joined::date, joined::date) AS overlaps,
       current_date - born AS day
FROM customer;

-- view case_searched
-- a: = customer.email, customer.phone ~ customer.status; b: ~ customer.born; c: = customer.email
SELECT CASE WHEN status = 'a' THEN email WHEN status = 'b' THEN phone END AS a,
       CASE WHEN born > '2000-01-01' THEN 'young' ELSE 'old' END AS b,
       CASE WHEN email LIKE '%@a' THEN email END AS c
FROM customer;

-- view case_simple
-- a: = customer.email ~ customer.status, customer.name; b: ~ customer.city_id, customer.balance
SELECT CASE status WHEN 'x' THEN email WHEN name THEN '' END AS a,
       CASE city_id WHEN 1 THEN balance + 1 ELSE 0 END AS b
FROM customer;

-- view case_nested
-- a: = customer.email, customer.phone, customer.name ~ customer.id, customer.status, customer.born
SELECT CASE WHEN id > 1 THEN CASE status WHEN 'a' THEN email ELSE phone END
            ELSE CASE WHEN born IS NULL THEN name END END AS a
FROM customer;

-- view case_of_mixed_types
-- a: = customer.balance ~ customer.id, customer.status
SELECT CASE WHEN status = 'a' THEN id ELSE balance END AS a FROM customer;

-- view coalesce_and_its_kind
-- a: = customer.email, customer.phone; b: = customer.email ~ customer.name
-- c: = customer.email ~ customer.phone
-- d: = customer.id, customer.city_id, customer.referrer_id; e: = customer.born ~ customer.joined
-- f: = customer.balance ~ customer.id
SELECT coalesce(email, phone, 'none') AS a, coalesce(upper(name), email) AS b, nullif(email, phone) AS c,
       greatest(id, city_id, least(referrer_id, 5)) AS d, least(born, joined::date) AS e,
       coalesce(id, balance) AS f
FROM customer;

-- view nullif_of_mixed_types
-- a: ~ customer.id, customer.balance; b: = customer.name ~ customer.email
SELECT nullif(id, balance) AS a, nullif(name, email) AS b FROM customer;

-- view picked_and_then_changed
-- a: ~ customer.email, customer.phone; b: ~ customer.status, customer.email, customer.name
-- c: ~ customer.id, customer.city_id
SELECT lower(coalesce(email, phone)) AS a, CASE status WHEN 'a' THEN email ELSE name END || '!' AS b,
       greatest(id, city_id) + 1 AS c
FROM customer;
