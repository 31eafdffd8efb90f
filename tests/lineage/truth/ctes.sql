-- view ctes_simple
-- id: = customer.id; mail: ~ customer.email
-- uses: customer.status
WITH active AS (SELECT id, lower(email) AS mail FROM customer WHERE status = 'a') SELECT id, mail FROM active;

-- view ctes_renamed
-- a: = customer.id; b: = customer.email
WITH c (a, b) AS (SELECT id, email FROM customer) SELECT a, b FROM c;

-- view ctes_of_ctes
-- c: ~ customer.email, customer.phone
WITH a AS (SELECT email AS x, phone AS y FROM customer), b AS (SELECT x || y AS z FROM a),
    c AS (SELECT z FROM b)
SELECT z AS c FROM c;

-- view ctes_read_twice
-- x: = employee.name; y: = employee.name; more: ~ employee.salary
-- uses: employee.id, employee.boss_id
WITH e AS (SELECT * FROM employee)
SELECT a.name AS x, b.name AS y, a.salary > b.salary AS more FROM e a JOIN e b ON a.boss_id = b.id;

-- view ctes_unread
-- id: = city.city_id
WITH unread AS (SELECT email FROM customer WHERE phone = '') SELECT city_id AS id FROM city;

-- view ctes_materialized
-- a: = customer.email; b: = customer.phone
-- uses: customer.id, customer.referrer_id
WITH x AS MATERIALIZED (SELECT id, email FROM customer),
    y AS NOT MATERIALIZED (SELECT referrer_id, phone FROM customer)
SELECT x.email AS a, y.phone AS b FROM x JOIN y ON x.id = y.referrer_id;

-- view ctes_named_as_table
-- email: = lead.email; id: = lead.id
WITH customer AS (SELECT id, email FROM lead) SELECT email, id FROM customer;

-- view ctes_named_as_what_they_read
-- email: ~ customer.email
WITH customer AS (SELECT upper(email) AS email FROM truth.customer) SELECT email FROM customer;

-- view ctes_shadowed_inside
-- a: = city.label; b: = customer.email
WITH x AS (SELECT email AS v FROM customer)
SELECT (WITH x AS (SELECT label AS v FROM city) SELECT v FROM x LIMIT 1) AS a, v AS b FROM x;

-- view ctes_shadowed_in_from
-- a: = lead.phone; b: = customer.phone
WITH x AS (SELECT phone AS v FROM customer)
SELECT s.v AS a, x.v AS b FROM x, (WITH x AS (SELECT phone AS v FROM lead) SELECT v FROM x) s;

-- view ctes_nested
-- w: = customer.email; z: ~ customer.email, customer.name
WITH o AS (WITH i AS (SELECT email, name FROM customer) SELECT email AS w, email || name AS z FROM i)
SELECT w, z FROM o;

-- view ctes_read_from_sublinks
-- id: = purchase.id; most: ~ customer.balance; known: ~ purchase.customer_id, customer.id, customer.status
-- mail: = customer.email
-- uses: customer.id, purchase.customer_id, customer.status
WITH c AS (SELECT id, email, balance FROM customer WHERE status = 'a')
SELECT p.id, (SELECT max(balance) FROM c) AS most, p.customer_id IN (SELECT id FROM c) AS known,
       (SELECT c.email FROM c WHERE c.id = p.customer_id) AS mail
FROM purchase p;

-- view ctes_read_two_levels_up
-- a: = customer.email
-- uses: purchase.customer_id, customer.id
WITH c AS (SELECT id, email FROM customer)
SELECT s.a FROM (SELECT l.email AS a FROM purchase p,
       LATERAL (SELECT c.email FROM c WHERE c.id = p.customer_id) l) s;

-- view ctes_of_outer_row
-- a: ~ customer.email; b: = customer.phone
SELECT (WITH x AS (SELECT upper(c.email) AS v) SELECT v FROM x) AS a,
       (WITH x AS (SELECT c.phone AS v), y AS (SELECT v FROM x) SELECT v FROM y) AS b
FROM customer c;

-- view ctes_of_values
-- id: = customer.id; word: -
-- uses: customer.city_id
WITH v (n, word) AS (VALUES (1, 'one'), (2, 'two')) SELECT c.id, v.word
FROM customer c JOIN v ON v.n = c.city_id;

-- view ctes_of_set_operation
-- mail: = customer.email, lead.email; n: -
WITH m AS (SELECT email FROM customer UNION ALL SELECT email FROM lead)
SELECT email AS mail, 1 AS n FROM m;

-- view ctes_before_set_operation
-- a: = customer.email, customer.phone
WITH c AS (SELECT email, phone FROM customer) SELECT email AS a FROM c UNION SELECT phone FROM c;

-- view ctes_in_one_side
-- a: = customer.email, city.label
SELECT email AS a FROM customer UNION ALL (WITH t AS (SELECT label FROM city) SELECT label FROM t);

-- view ctes_whole_row
-- row: ~ customer.id, customer.email; mail: = customer.email
WITH c AS (SELECT id, email FROM customer) SELECT to_jsonb(c) AS row, (c).email AS mail FROM c;

-- view ctes_joined_using
-- id: = customer.id; email: = customer.email; score: = lead.score
-- uses: customer.id, lead.id
WITH a AS (SELECT id, email FROM customer), b AS (SELECT id, score FROM lead)
SELECT id, email, score FROM a LEFT JOIN b USING (id);

-- view ctes_same_name_side_by_side
-- a: = customer.email; b: = lead.email
SELECT * FROM (WITH x AS (SELECT email FROM customer) SELECT email AS a FROM x) p,
              (WITH x AS (SELECT email FROM lead) SELECT email AS b FROM x) q;

-- view ctes_that_read_a_later_scope
-- v: = customer.name
WITH a AS (SELECT name FROM customer),
     b AS (WITH c AS (SELECT name FROM a) SELECT s.name FROM (SELECT name FROM c) s)
SELECT name AS v FROM b;
