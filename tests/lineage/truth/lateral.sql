-- view lateral_subquery
-- name: = customer.name; last: = purchase.total; ratio: ~ purchase.total, customer.balance
-- uses: purchase.customer_id, customer.id, purchase.placed
SELECT c.name, l.last, l.ratio FROM customer c
CROSS JOIN LATERAL (SELECT total AS last, total / c.balance AS ratio FROM purchase p
                    WHERE p.customer_id = c.id ORDER BY placed DESC LIMIT 1) l;

-- view lateral_hands_outer_columns_on
-- same: = customer.email; both: ~ customer.email, customer.phone
SELECT l.same, l.same || l.other AS both FROM customer c, LATERAL (SELECT c.email AS same, c.phone AS other) l;

-- view lateral_of_lateral
-- a: = customer.name; b: ~ customer.name; c: ~ customer.name, customer.born
SELECT x.a, y.b, z.c FROM customer c, LATERAL (SELECT c.name AS a) x, LATERAL (SELECT upper(x.a) AS b) y
LEFT JOIN LATERAL (SELECT y.b || c.born AS c) z ON true;

-- view lateral_function
-- id: = customer.id; tag: ~ customer.tags
SELECT c.id, t.tag FROM customer c, unnest(c.tags) AS t (tag);

-- view lateral_function_not_selected
-- id: = customer.id
-- uses: customer.city_id
SELECT c.id FROM customer c, generate_series(1, c.city_id);

-- view lateral_function_with_ordinality
-- tag: ~ customer.tags; word: ~ customer.email
SELECT t.tag, w.word FROM customer c, unnest(c.tags) WITH ORDINALITY AS t (tag, n),
       string_to_table(c.email, '.') WITH ORDINALITY AS w (word, n) WHERE w.n = 1;

-- view lateral_number_of_ordinality
-- n: -
-- uses: customer.tags
SELECT t.n FROM customer c, unnest(c.tags) WITH ORDINALITY AS t (tag, n);

-- view lateral_rows_from
-- a: ~ customer.tags; b: ~ customer.id; c: ~ customer.email, customer.phone
SELECT r.a, r.b, r.c FROM customer c,
       ROWS FROM (unnest(c.tags), generate_series(1, c.id), regexp_split_to_table(c.email, c.phone))
         AS r (a, b, c);

-- view lateral_unnest_of_several
-- a: ~ person.grid; street: ~ person.past; zip: ~ person.past
SELECT u.a, u.street, u.zip FROM person p, unnest(p.grid, p.past) AS u (a, street, city, zip);

-- view lateral_values
-- id: = customer.id; kind: -; value: = customer.email, customer.phone ~ customer.name
SELECT c.id, v.kind, v.value FROM customer c
CROSS JOIN LATERAL (VALUES ('email', c.email), ('phone', c.phone), ('name', upper(c.name))) AS v (kind, value);

-- view lateral_union
-- a: = customer.email, customer.phone
SELECT l.a FROM customer c, LATERAL (SELECT c.email AS a UNION ALL SELECT c.phone) l;

-- view lateral_aggregate
-- id: = customer.id; n: -; spent: ~ purchase.total
-- uses: purchase.customer_id, customer.id
SELECT c.id, s.n, s.spent FROM customer c
LEFT JOIN LATERAL (SELECT count(*) AS n, sum(p.total) AS spent FROM purchase p
WHERE p.customer_id = c.id) s ON true;

-- view lateral_from_two_levels_up
-- a: = customer.phone; b: ~ customer.id, city.area
-- uses: city.city_id, customer.city_id
SELECT l.a, l.b FROM customer c, LATERAL (
    SELECT m.a, m.b FROM city t, LATERAL (SELECT c.phone AS a, c.id + t.area AS b) m WHERE t.city_id = c.city_id
) l;

-- view lateral_record_function
-- a: ~ document.payload; b: ~ document.payload
SELECT r.a, r.b FROM document d, jsonb_to_recordset(d.payload) AS r (a int, b text);

-- view lateral_of_constant_function
-- n: -; id: = customer.id
SELECT n, id FROM customer, generate_series(1, 3) AS n;

-- view lateral_whole_row_of_function
-- r: ~ document.payload; row: ~ document.payload
SELECT e::text AS r, row_to_json(e) AS row FROM document d, jsonb_each(d.payload) AS e;

-- view lateral_in_join_condition
-- name: = customer.name; word: ~ customer.email, customer.phone
-- uses: customer.name
SELECT c.name, w.word FROM customer c
LEFT JOIN LATERAL regexp_split_to_table(c.email, c.phone) AS w (word) ON w.word <> c.name;
