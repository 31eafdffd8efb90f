-- view rows_whole
-- c: ~ city.*; row: ~ city.*; json: ~ city.*; text: ~ city.*; none: ~ city.*
SELECT c, row_to_json(c) AS row, to_jsonb(c) AS json, c::text AS text, c IS NULL AS none FROM city c;

-- view rows_expanded
-- id: = lead.id; email: = lead.email; phone: = lead.phone; score: = lead.score; found: = lead.found
-- label: = city.label
SELECT l.*, t.label FROM lead l, city t;

-- view rows_counted
-- n: -
-- uses: lead.*
SELECT count(l) AS n FROM lead l;

-- view rows_field
-- email: = lead.email; loud: ~ lead.phone
SELECT (l).email, upper((l).phone) AS loud FROM lead l;

-- view rows_field_through_subquery
-- email: = lead.email; phone: = lead.phone; all: ~ lead.*
SELECT (s.r).email, (s.r).phone, s.r AS all FROM (SELECT l AS r FROM lead l) s;

-- view rows_field_through_cte
-- email: = lead.email
-- uses: lead.score
WITH c AS (SELECT l AS r, l.score FROM lead l), d AS (SELECT r AS q FROM c WHERE score > 1) SELECT (q).email
FROM d;

-- view rows_field_through_values
-- a: = city.label; b: ~ city.area
SELECT (v.x).label AS a, (v.x).area + 1 AS b FROM city c, LATERAL (VALUES (c), (NULL)) AS v (x);

-- view rows_field_through_union
-- a: = lead.email; b: = lead.phone
SELECT (s.r).email AS a, (s.r).phone AS b FROM (SELECT l AS r FROM lead l UNION ALL SELECT NULL::lead) s;

-- view rows_in_aggregate
-- list: ~ city.*; json: ~ city.*; first: ~ city.*
SELECT array_agg(c ORDER BY c.label) AS list, jsonb_agg(c) AS json, min(c::text) AS first FROM city c;

-- view rows_of_subquery
-- s: ~ customer.email, customer.born; json: ~ customer.email, customer.born
SELECT s::text, row_to_json(s) AS json FROM (SELECT email, extract(year FROM born) AS year FROM customer) s;

-- view rows_of_subquery_with_join
-- json: ~ customer.name, city.label
-- uses: customer.city_id, city.city_id
SELECT to_json(s) AS json FROM (SELECT c.name, t.label FROM customer c JOIN city t USING (city_id)) s;

-- view rows_compared
-- same: ~ lead.*; other: ~ lead.*, city.*
-- uses: lead.id
SELECT a = b AS same, a IS DISTINCT FROM b AND t IS NOT NULL AS other FROM lead a JOIN lead b ON a.id < b.id,
       city t;

-- view rows_in_where
-- label: = city.label
-- uses: city.*, lead.*
SELECT label FROM city WHERE city IS NOT NULL AND EXISTS (SELECT FROM lead WHERE lead IS NOT NULL);

-- view rows_constructed
-- row: ~ customer.email, customer.phone; contact: ~ customer.email, customer.phone; empty: -
SELECT ROW(email, phone)::text AS row, ROW(email, phone)::contact AS contact, ROW() IS NULL AS empty
FROM customer;

-- view rows_field_of_constructed
-- a: = customer.phone; b: = customer.email; c: ~ customer.email
SELECT (ROW(email, phone)::contact).call AS a, (ROW(email, phone)::contact).mail AS b,
       upper((ROW(email, phone)::contact).mail) AS c
FROM customer;

-- view rows_field_of_constructed_in_subquery
-- a: = customer.phone; b: = customer.email
SELECT (s.r).f2 AS a, (s.r).f1 AS b FROM (SELECT ROW(email, phone) AS r FROM customer) s;

-- view rows_field_of_constructed_with_change
-- a: ~ customer.email; b: = customer.phone
SELECT (s.r).mail AS a, (s.r).call AS b FROM (SELECT ROW(lower(email), phone)::contact AS r FROM customer) s;

-- view rows_within_rows
-- a: = lead.email; b: ~ lead.*, city.label; d: = city.label
SELECT ((s.r).f1).email AS a, s.r::text AS b, (s.r).f2 AS d
FROM (SELECT ROW(l, t.label) AS r FROM lead l, city t) s;

-- view rows_of_composite_column
-- home: = person.home; city: ~ person.home; street: ~ person.home; zip: ~ person.home; loud: ~ person.home
SELECT home, (home).city, (home).street, (p.home).zip, upper((home).city) AS loud FROM person p;

-- view rows_of_composite_column_expanded
-- street: ~ person.home; city: ~ person.home; zip: ~ person.home
SELECT (home).* FROM person;

-- view rows_field_of_field
-- city: ~ person.home; home: = person.home
SELECT ((p).home).city, (p).home FROM person p;

-- view rows_of_arrays_of_composites
-- past: = person.past; city: ~ person.past; some: ~ person.past; n: ~ person.past
SELECT past, (past[1]).city, past[2:3] AS some, cardinality(past) AS n FROM person;

-- view rows_unnested
-- id: = person.id; street: ~ person.past; city: ~ person.past
SELECT p.id, a.street, a.city FROM person p, unnest(p.past) AS a;

-- view rows_unnested_in_select
-- city: ~ person.past; whole: ~ person.past
SELECT (unnest(past)).city, unnest(past) AS whole FROM person;

-- view rows_all_fields
-- id: = edge.source; label: = edge.label
SELECT (e).source AS id, (e).label FROM edge AS e;

-- view rows_picked
-- row: ~ lead.*, customer.status
-- uses: customer.id, lead.id
SELECT CASE WHEN c.status = 'a' THEN l END AS row FROM lead l JOIN customer c ON c.id = l.id;

-- view rows_renamed
-- row: ~ city.*; b: = city.label
SELECT to_json(t) AS row, (t).b FROM city AS t (a, b);

-- view rows_of_join
-- row: ~ lead.*, edge.*
-- uses: lead.id, edge.source
SELECT to_json(j) AS row FROM (lead JOIN edge ON lead.id = edge.source) AS j;

-- view rows_from_outer_query
-- row: ~ lead.*; mail: = lead.email
SELECT (SELECT to_json(l)) AS row, (SELECT (l).email) AS mail FROM lead l;

-- view rows_grouped
-- lead: ~ lead.*; n: -
-- uses: lead.*
SELECT lead, count(*) AS n FROM lead GROUP BY lead;

-- view rows_in_values
-- v: ~ city.*
SELECT v.x AS v FROM city c, LATERAL (VALUES (c), (NULL)) AS v (x);

-- view rows_full_outer
-- a: ~ lead.*; b: ~ customer.*
-- uses: lead.email, customer.email
SELECT l AS a, c AS b FROM lead l FULL JOIN customer c ON l.email = c.email;
