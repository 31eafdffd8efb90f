-- view sublinks_scalar
-- id: = purchase.id; email: = customer.email
-- uses: customer.id, purchase.customer_id
SELECT p.id, (SELECT c.email FROM customer c WHERE c.id = p.customer_id) AS email FROM purchase p;

-- view sublinks_scalar_uncorrelated
-- most: ~ purchase.total; n: -; label: = city.label
-- uses: purchase.status, city.area
SELECT (SELECT max(total) FROM purchase) AS most, (SELECT count(*) FROM purchase WHERE status = 'paid') AS n,
       (SELECT label FROM city ORDER BY area LIMIT 1) AS label;

-- view sublinks_scalar_in_expression
-- note: ~ customer.name, city.label; any: = city.label, customer.phone; cut: ~ purchase.total
-- uses: city.city_id, customer.city_id, purchase.customer_id, customer.id
SELECT c.name || (SELECT t.label FROM city t WHERE t.city_id = c.city_id) AS note,
       coalesce((SELECT t.label FROM city t WHERE t.city_id = c.city_id), c.phone) AS any,
       round((SELECT sum(p.total) FROM purchase p WHERE p.customer_id = c.id)) AS cut
FROM customer c;

-- view sublinks_of_outer_column
-- a: = customer.email; b: ~ customer.phone, city.label
-- uses: city.city_id, customer.city_id
SELECT (SELECT c.email) AS a, (SELECT lower(c.phone) || t.label FROM city t WHERE t.city_id = c.city_id) AS b
FROM customer c;

-- view sublinks_exists
-- buys: ~ purchase.customer_id, customer.id, purchase.status; never: ~ customer.city_id, employee.city_id
-- uses: purchase.customer_id, customer.id, purchase.status, customer.city_id, employee.city_id
SELECT EXISTS (SELECT p.total FROM purchase p WHERE p.customer_id = c.id AND p.status = 'paid') AS buys,
       NOT EXISTS (SELECT FROM employee e WHERE e.city_id = c.city_id) AS never
FROM customer c;

-- view sublinks_exists_of_join
-- has: ~ purchase.customer_id, customer.id, line.purchase_id, purchase.id, product.product_id, line.product_id,
--   product.title
-- uses: purchase.customer_id, customer.id, line.purchase_id, purchase.id, product.product_id, line.product_id,
--   product.title
SELECT EXISTS (SELECT 1 FROM purchase p JOIN line l ON l.purchase_id = p.id JOIN product r USING (product_id)
               WHERE p.customer_id = c.id AND r.title LIKE 'a%') AS has
FROM customer c;

-- view sublinks_exists_decides
-- shown: = customer.email ~ purchase.customer_id, customer.id
-- uses: purchase.customer_id, customer.id
SELECT CASE WHEN EXISTS (SELECT FROM purchase p WHERE p.customer_id = c.id) THEN c.email END AS shown
FROM customer c;

-- view sublinks_in
-- buys: ~ customer.id, purchase.customer_id, purchase.total
-- none: ~ customer.email, customer.name, lead.email, lead.phone
-- uses: purchase.total
SELECT id IN (SELECT customer_id FROM purchase WHERE total > 10) AS buys,
       (email, name) NOT IN (SELECT l.email, l.phone FROM lead l) AS none
FROM customer;

-- view sublinks_any_and_all
-- a: ~ customer.balance, purchase.total
-- b: ~ customer.balance, purchase.total, purchase.customer_id, customer.id
-- c: ~ customer.born, lead.found
-- uses: purchase.customer_id, customer.id
SELECT balance > ANY (SELECT total FROM purchase) AS a,
       balance >= ALL (SELECT p.total FROM purchase p WHERE p.customer_id = c.id) AS b,
       born = SOME (SELECT found FROM lead) AS c
FROM customer c;

-- view sublinks_array
-- totals: ~ purchase.total; n: ~ purchase.coupon; first: ~ purchase.status
-- uses: purchase.customer_id, customer.id, purchase.placed
SELECT ARRAY(SELECT p.total FROM purchase p WHERE p.customer_id = c.id ORDER BY p.placed) AS totals,
       cardinality(ARRAY(SELECT p.coupon FROM purchase p)) AS n,
       (ARRAY(SELECT p.status FROM purchase p))[1] AS first
FROM customer c;

-- view sublinks_row
-- same: ~ customer.email, customer.phone, lead.email, lead.phone
SELECT (c.email, c.phone) = (SELECT l.email, l.phone FROM lead l LIMIT 1) AS same FROM customer c;

-- view sublinks_in_where
-- name: = customer.name
-- uses: customer.id, purchase.customer_id, purchase.total, city.label, city.city_id, customer.city_id,
--   employee.name
-- uses: customer.balance, employee.city_id, lead.score
SELECT name FROM customer c
WHERE id IN (SELECT customer_id FROM purchase WHERE total > 5)
  AND (SELECT t.label FROM city t WHERE t.city_id = c.city_id) = 'Ulm'
  AND EXISTS (SELECT 1 FROM employee e WHERE e.name = c.name AND e.city_id = c.city_id)
  AND balance > ALL (SELECT score FROM lead);

-- view sublinks_several_levels
-- deep: = customer.email
-- uses: city.city_id, purchase.customer_id, customer.id, customer.city_id, employee.city_id, employee.id,
--   purchase.clerk_id
SELECT (SELECT (SELECT (SELECT c.email FROM customer c WHERE c.id = p.customer_id AND c.city_id = e.city_id)
                FROM employee e WHERE e.id = p.clerk_id)
        FROM city t WHERE t.city_id = p.customer_id) AS deep
FROM purchase p;

-- view sublinks_correlated_over_levels
-- n: -; sum: ~ line.price, customer.balance
-- uses: purchase.customer_id, customer.id, line.purchase_id, purchase.id, line.quantity, customer.city_id
SELECT (SELECT count(*) FROM purchase p WHERE p.customer_id = c.id
          AND EXISTS (SELECT FROM line l WHERE l.purchase_id = p.id AND l.quantity > c.city_id)) AS n,
       (SELECT (SELECT sum(l.price - c.balance) FROM line l WHERE l.purchase_id = p.id)
        FROM purchase p WHERE p.customer_id = c.id) AS sum
FROM customer c;

-- view sublinks_of_subquery_column
-- who: = customer.name; top: ~ purchase.total
-- uses: purchase.customer_id, customer.id
SELECT s.who, (SELECT max(p.total) FROM purchase p WHERE p.customer_id = s.key) AS top
FROM (SELECT id AS key, name AS who FROM customer) s;

-- view sublinks_with_set_operation
-- any: = customer.email, lead.email
-- uses: customer.status
SELECT (SELECT email FROM customer WHERE status = 'a' UNION SELECT email FROM lead LIMIT 1) AS any;

-- view sublinks_in_having
-- status: = purchase.status
-- uses: purchase.status, purchase.total, city.area
SELECT status FROM purchase GROUP BY status HAVING sum(total) > (SELECT avg(area) FROM city);

-- view sublinks_in_function_arguments
-- a: ~ customer.name, city.label; b: ~ customer.profile, customer.email
-- uses: city.city_id, customer.city_id
SELECT concat_ws('-', name, (SELECT label FROM city t WHERE t.city_id = c.city_id)) AS a,
       jsonb_set(profile, '{mail}', to_jsonb((SELECT c.email))) AS b
FROM customer c;

-- view sublinks_of_values
-- a: = customer.email, customer.phone
SELECT (SELECT v.x FROM (VALUES (c.email), (c.phone)) AS v (x) LIMIT 1) AS a FROM customer c;

-- view sublinks_compared
-- a: ~ customer.balance, purchase.total; b: ~ city.area
-- uses: purchase.customer_id, customer.id, city.label, customer.name
SELECT c.balance > (SELECT sum(p.total) FROM purchase p WHERE p.customer_id = c.id) AS a,
       (SELECT t.area FROM city t WHERE t.label = c.name) IS NULL AS b
FROM customer c;

-- view sublinks_exists_of_subquery
-- a: ~ purchase.customer_id, customer.id, purchase.status
-- uses: purchase.customer_id, customer.id, purchase.status
SELECT EXISTS (SELECT FROM (SELECT customer_id FROM purchase WHERE status = 'paid') s
WHERE s.customer_id = c.id) AS a
FROM customer c;

-- view sublinks_exists_of_intersection
-- id: = customer.id
-- uses: lead.id, city.city_id, contractor.phone, city.label
SELECT id FROM customer WHERE EXISTS (SELECT id FROM lead INTERSECT SELECT city_id FROM city)
   OR EXISTS (SELECT phone FROM contractor EXCEPT SELECT label FROM city);

-- view sublinks_exists_of_union
-- a: ~ lead.score
-- uses: lead.score
SELECT EXISTS (SELECT id FROM lead WHERE score > 3 UNION SELECT city_id FROM city) AS a;

-- view sublinks_in_of_union
-- a: ~ customer.email, lead.email, contractor.email
SELECT email IN (SELECT email FROM lead UNION ALL SELECT email FROM contractor) AS a FROM customer;
