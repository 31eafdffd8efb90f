-- view recursion_up_the_tree
-- id: = employee.id; name: = employee.name; depth: -; path: ~ employee.name
-- uses: employee.boss_id, employee.id
WITH RECURSIVE t AS (
    SELECT id, name, 1 AS depth, ARRAY[name] AS path FROM employee WHERE boss_id IS NULL
    UNION ALL
    SELECT e.id, e.name, t.depth + 1, t.path || e.name FROM employee e JOIN t ON e.boss_id = t.id
) SELECT id, name, depth, path FROM t;

-- view recursion_with_shown_and_computed
-- id: = employee.id; path: = employee.name
-- uses: employee.boss_id, employee.id
WITH RECURSIVE t (id, path) AS (
    SELECT id, name FROM employee WHERE boss_id IS NULL
    UNION SELECT e.id, t.path || '/' || e.name FROM t, employee e WHERE e.boss_id = t.id
) SELECT id, path FROM t;

-- view recursion_of_numbers
-- n: -
WITH RECURSIVE t (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 100) SELECT n FROM t;

-- view recursion_that_swaps
-- a: = customer.email, customer.phone; b: = customer.email, customer.phone
-- uses: customer.id
WITH RECURSIVE t (a, b, n) AS (
    SELECT email, phone, 1 FROM customer UNION ALL SELECT t.b, t.a, n + 1 FROM t, customer c
    WHERE n < 3 AND c.id = n
) SELECT a, b FROM t;

-- view recursion_that_rotates
-- a: = customer.email, customer.phone, customer.name, city.label
-- uses: customer.city_id, city.city_id, customer.id
WITH RECURSIVE t (a, b, c, n) AS (
    SELECT email, phone, name::text, id FROM customer
    UNION ALL SELECT t.b, t.c, y.label, t.n FROM t JOIN city y ON y.city_id = t.n
      JOIN customer z ON z.city_id = y.city_id
) SELECT a FROM t;

-- view recursion_created_as_view
-- source: = edge.source; target: = edge.target; cost: = edge.weight
-- uses: edge.target, edge.source
CREATE RECURSIVE VIEW recursion_created_as_view (source, target, cost) AS
SELECT source, target, weight FROM edge
UNION SELECT r.source, e.target, r.cost + e.weight FROM recursion_created_as_view r
JOIN edge e ON e.source = r.target;

-- view recursion_depth_first
-- target: = edge.target; ord: ~ edge.source, edge.label
-- uses: edge.source, edge.target, edge.label
WITH RECURSIVE t AS (
    SELECT source, target, label FROM edge
    UNION ALL SELECT e.source, e.target, e.label FROM edge e, t WHERE e.source = t.target
) SEARCH DEPTH FIRST BY source, label SET ord
SELECT target, ord::text FROM t ORDER BY ord;

-- view recursion_breadth_first
-- label: = edge.label; ord: ~ edge.target
-- uses: edge.source, edge.target
WITH RECURSIVE t AS (
    SELECT source, target, label FROM edge
    UNION ALL SELECT e.source, e.target, e.label FROM edge e, t WHERE e.source = t.target
) SEARCH BREADTH FIRST BY target SET ord
SELECT label, ord::text FROM t;

-- view recursion_with_cycle
-- weight: = edge.weight; looped: ~ edge.source, edge.target; walked: ~ edge.source, edge.target
-- uses: edge.source, edge.target
WITH RECURSIVE t AS (
    SELECT source, target, weight FROM edge
    UNION ALL SELECT e.source, e.target, e.weight FROM edge e, t WHERE e.source = t.target
) CYCLE source, target SET looped USING walked
SELECT weight, looped, walked::text FROM t;

-- view recursion_with_search_and_cycle
-- source: = edge.source; ord: ~ edge.weight; looped: ~ edge.source; walked: ~ edge.source
-- uses: edge.source, edge.target
WITH RECURSIVE t AS (
    SELECT source, target, weight FROM edge
    UNION ALL SELECT e.source, e.target, e.weight FROM edge e, t WHERE e.source = t.target
) SEARCH BREADTH FIRST BY weight SET ord CYCLE source SET looped TO 'Y' DEFAULT 'N' USING walked
SELECT source, to_json(ord) AS ord, looped, cardinality(walked) AS walked FROM t;

-- view recursion_not_selected_search
-- weight: = edge.weight
-- uses: edge.source, edge.target
WITH RECURSIVE t AS (
    SELECT source, target, weight FROM edge
    UNION ALL SELECT e.source, e.target, e.weight FROM edge e, t WHERE e.source = t.target
) CYCLE target SET looped USING walked
SELECT weight FROM t WHERE NOT looped;

-- view recursion_with_cycle_not_read
-- n: -
-- uses: customer.email, purchase.coupon
WITH RECURSIVE w (a, n) AS (
    SELECT email, 1 FROM customer UNION ALL SELECT p.coupon, w.n + 1 FROM w, purchase p
) CYCLE a SET l USING o
SELECT n FROM w;

-- view recursion_joined
-- boss: = employee.name; label: = city.label; n: -
-- uses: employee.boss_id, employee.id, employee.city_id, city.city_id, employee.name, city.label
WITH RECURSIVE t (root, id, city_id) AS (
    SELECT name, id, city_id FROM employee WHERE boss_id IS NULL
    UNION ALL SELECT t.root, e.id, e.city_id FROM employee e JOIN t ON e.boss_id = t.id
) SELECT t.root AS boss, c.label, count(*) AS n FROM t JOIN city c USING (city_id) GROUP BY t.root, c.label;

-- view recursion_with_inner_cte
-- a: = edge.label, city.label
-- uses: edge.target, city.city_id
WITH RECURSIVE t (a, n) AS (
    SELECT label, target FROM edge
    UNION ALL (WITH y AS (SELECT city_id, label FROM city) SELECT y.label, t.n FROM t JOIN y ON y.city_id = t.n)
) SELECT a FROM t;

-- view recursion_twice
-- x: = employee.name; y: = edge.label
-- uses: employee.boss_id, employee.id, edge.source, edge.target
WITH RECURSIVE a (id, name) AS (
    SELECT id, name FROM employee WHERE boss_id IS NULL
    UNION ALL SELECT e.id, e.name FROM employee e, a WHERE e.boss_id = a.id
), b (id, label) AS (
    SELECT target, label FROM edge WHERE source IN (SELECT id FROM a)
    UNION ALL SELECT e.target, e.label FROM edge e, b WHERE e.source = b.id
) SELECT a.name AS x, b.label AS y FROM a JOIN b ON a.id = b.id;

-- view recursion_keyword_only
-- email: = customer.email
WITH RECURSIVE c AS (SELECT email FROM customer) SELECT email FROM c;

-- view recursion_over_hidden_union
-- a: -
-- uses: customer.email, lead.email
WITH RECURSIVE w (a, b) AS (
    SELECT s.x, s.y FROM (SELECT 1 AS x, email AS y FROM customer UNION SELECT 1, email FROM lead) s
    UNION ALL SELECT w.a + 1, p.label FROM w, city p WHERE w.a < 3
) SELECT a FROM w;

-- view recursion_lateral
-- id: = edge.source, edge.target; far: ~ edge.weight
-- uses: edge.source, edge.target
WITH RECURSIVE t (id, far) AS (
    SELECT source, weight * 2 FROM edge
    UNION ALL SELECT l.target, t.far + l.weight FROM t,
    LATERAL (SELECT target, weight FROM edge WHERE source = t.id) l
) SELECT id, far FROM t;
