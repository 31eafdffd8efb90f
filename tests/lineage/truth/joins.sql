-- view joins_inner
-- name: = customer.name; total: = purchase.total
-- uses: purchase.customer_id, customer.id
SELECT c.name, p.total FROM customer c JOIN purchase p ON p.customer_id = c.id;

-- view joins_old_style
-- name: = customer.name; label: = city.label
-- uses: customer.city_id, city.city_id, customer.status
SELECT c.name, t.label FROM customer c, city t WHERE c.city_id = t.city_id AND c.status = 'a';

-- view joins_left
-- name: = customer.name; coupon: = purchase.coupon ~ purchase.status; has: ~ purchase.id
-- uses: purchase.customer_id, customer.id, purchase.placed
SELECT c.name, coalesce(p.coupon, p.status || '?') AS coupon, p.id IS NOT NULL AS has
FROM customer c LEFT JOIN purchase p ON p.customer_id = c.id AND p.placed > '2020-01-01';

-- view joins_right
-- name: = employee.name; label: = city.label
-- uses: employee.city_id, city.city_id
SELECT e.name, t.label FROM employee e RIGHT JOIN city t ON t.city_id = e.city_id;

-- view joins_full
-- a: = lead.email; b: = contractor.email; any: = lead.email, contractor.email
-- uses: lead.id, contractor.id
SELECT l.email AS a, c.email AS b, coalesce(l.email, c.email) AS any
FROM lead l FULL JOIN contractor c ON c.id = l.id;

-- view joins_cross
-- a: = city.label; b: = product.title
SELECT label AS a, title AS b FROM city CROSS JOIN product;

-- view joins_using_inner
-- city_id: = customer.city_id; label: = city.label
-- uses: customer.city_id, city.city_id
SELECT city_id, label FROM customer JOIN city USING (city_id);

-- view joins_using_left
-- city_id: = city.city_id; name: = employee.name; own: = employee.city_id
-- uses: city.city_id, employee.city_id
SELECT city_id, e.name, e.city_id AS own FROM city LEFT JOIN employee e USING (city_id);

-- view joins_using_right
-- city_id: = employee.city_id; label: = city.label
-- uses: city.city_id, employee.city_id
SELECT city_id, label FROM city RIGHT JOIN employee USING (city_id);

-- view joins_using_full
-- city_id: = customer.city_id, city.city_id; doubled: ~ customer.city_id, city.city_id
-- uses: customer.city_id, city.city_id
SELECT city_id, city_id * 2 AS doubled FROM customer FULL JOIN city USING (city_id);

-- view joins_using_full_of_three
-- city_id: = customer.city_id, city.city_id, employee.city_id; label: = city.label
-- uses: customer.city_id, city.city_id, employee.city_id
SELECT city_id, label FROM customer FULL JOIN city USING (city_id) FULL JOIN employee USING (city_id);

-- view joins_using_mixed_types_inner
-- id: = contractor.id; score: = contractor.score
-- uses: lead.id, contractor.id
SELECT id, c.score FROM lead l JOIN contractor c USING (id);
-- The merged column is a bigint. Of an inner join it is the side that needs no cast.

-- view joins_using_mixed_types_left
-- id: ~ lead.id
-- uses: lead.id, contractor.id
SELECT id FROM lead LEFT JOIN contractor USING (id);

-- view joins_using_mixed_types_full
-- id: = contractor.id ~ lead.id; email: = lead.email, contractor.email
-- uses: lead.id, contractor.id, lead.email, contractor.email
SELECT id, email FROM lead FULL JOIN contractor USING (id, email);

-- view joins_natural
-- city_id: = customer.city_id; name: = customer.name; id: = customer.id; salary: = employee.salary
-- uses: customer.id, employee.id, customer.city_id, employee.city_id, customer.name, employee.name
SELECT city_id, name, id, salary FROM customer NATURAL JOIN employee;

-- view joins_natural_all
-- city_id: = city.city_id; label: = city.label, edge.label; country: = city.country; mayor_id: = city.mayor_id
-- area: = city.area; source: = edge.source; target: = edge.target; weight: = edge.weight
-- uses: city.label, edge.label
SELECT city_id, label, country, mayor_id, area, source, target, weight FROM city NATURAL FULL JOIN edge;

-- view joins_to_itself
-- worker: = employee.name; boss: = employee.name; more: ~ employee.salary
-- uses: employee.boss_id, employee.id
SELECT w.name AS worker, b.name AS boss, w.salary - b.salary AS more
FROM employee w LEFT JOIN employee b ON b.id = w.boss_id;

-- view joins_with_alias
-- email: = customer.email; city_id: = city.city_id; label: = city.label
-- uses: customer.city_id, city.city_id
SELECT j.email, j.city_id, j.label FROM (city JOIN customer USING (city_id)) AS j;

-- view joins_with_alias_and_columns
-- a: = customer.city_id; c: = customer.email; z: = city.area
-- uses: customer.city_id, city.city_id
SELECT j.a, j.c, area AS z
FROM (customer AS x (u, v, c) JOIN city USING (city_id)) AS j (a);

-- view joins_with_alias_of_using
-- city_id: = customer.city_id; same: = customer.city_id; other: = city.city_id
-- uses: customer.city_id, city.city_id
SELECT j.city_id, c.city_id AS same, t.city_id AS other FROM customer c JOIN city t USING (city_id) AS j;

-- view joins_whole_row_of_alias
-- j: ~ edge.source, edge.weight, edge.label, city.city_id, city.label, city.country, city.mayor_id, city.area,
--   edge.target
-- uses: edge.source, city.city_id
SELECT j::text AS j FROM (edge JOIN city ON source = city_id) AS j;

-- view joins_nested
-- name: = customer.name; title: = product.title; quantity: = line.quantity
-- uses: purchase.customer_id, customer.id, line.purchase_id, purchase.id, product.product_id, line.product_id
SELECT c.name, title, quantity
FROM customer c LEFT JOIN (purchase p JOIN (line l JOIN product USING (product_id)) ON l.purchase_id = p.id)
  ON p.customer_id = c.id;

-- view joins_many
-- name: = customer.name; label: = city.label; title: = product.title; cost: ~ line.quantity, line.price
-- clerk: = employee.name
-- uses: customer.city_id, city.city_id, purchase.customer_id, customer.id, line.purchase_id, purchase.id
-- uses: line.product_id, product.product_id, employee.id, purchase.clerk_id, employee.hired, purchase.placed
SELECT c.name, t.label, r.title, l.quantity * l.price AS cost, e.name AS clerk
FROM customer c JOIN city t USING (city_id) JOIN purchase p ON p.customer_id = c.id
JOIN line l ON l.purchase_id = p.id
  JOIN product r USING (product_id) LEFT JOIN employee e ON e.id = p.clerk_id AND e.hired < p.placed;

-- view joins_on_subselect
-- name: = customer.name; total: = purchase.total
-- uses: purchase.customer_id, customer.id, purchase.placed
SELECT c.name, p.total FROM customer c JOIN purchase p
  ON p.customer_id = c.id AND p.placed = (SELECT max(q.placed) FROM purchase q WHERE q.customer_id = c.id);

-- view joins_of_subqueries
-- customer_id: = purchase.customer_id; spent: ~ purchase.total; mails: ~ customer.email
-- state: = customer.status
-- uses: purchase.customer_id, customer.status, customer.id, purchase.coupon
SELECT a.customer_id, a.spent, b.mails, b.state
FROM (SELECT customer_id, sum(total) AS spent FROM purchase WHERE coupon <> '' GROUP BY customer_id) a
  JOIN (SELECT id, status AS state, lower(email) AS mails FROM customer) b
    ON b.id = a.customer_id AND b.state <> 'x';

-- view joins_on_constant
-- a: = city.label; b: = city.label
SELECT x.label AS a, y.label AS b FROM city x LEFT JOIN city y ON true;

-- view joins_columns_hidden_by_using
-- all_of_it: ~ customer.city_id, city.label
-- uses: customer.city_id, city.city_id
SELECT json_build_object('a', city_id, 'b', label) AS all_of_it FROM customer c INNER JOIN city USING (city_id);

-- view joins_using_then_where
-- label: = city.label
-- uses: employee.city_id, city.city_id, customer.city_id
SELECT label FROM employee FULL JOIN customer USING (city_id) JOIN city USING (city_id) WHERE city_id > 3;
