-- view grouping_by_column
-- city_id: = customer.city_id; n: -
-- uses: customer.city_id
SELECT city_id, count(*) AS n FROM customer GROUP BY city_id;

-- view grouping_by_hidden_column
-- n: -
-- uses: customer.city_id, customer.status
SELECT count(*) AS n FROM customer GROUP BY city_id, status;

-- view grouping_by_expression
-- month: ~ purchase.placed; total: ~ purchase.total
-- uses: purchase.placed
SELECT date_trunc('month', placed) AS month, sum(total) AS total FROM purchase
GROUP BY date_trunc('month', placed);

-- view grouping_by_position
-- state: = purchase.status; year: ~ purchase.placed; total: ~ purchase.total
-- uses: purchase.status, purchase.placed
SELECT status AS state, extract(year FROM placed) AS year, sum(total) AS total
FROM purchase GROUP BY 1, 2 ORDER BY 2;

-- view grouping_by_key
-- name: = customer.name; email: = customer.email; total: ~ purchase.total
-- uses: customer.id, purchase.customer_id
SELECT c.name, c.email, sum(p.total) AS total
FROM customer c LEFT JOIN purchase p ON p.customer_id = c.id GROUP BY c.id;

-- view grouping_rollup
-- country: = city.country; label: = city.label; area: ~ city.area
-- uses: city.country, city.label
SELECT country, label, sum(area) AS area FROM city GROUP BY ROLLUP (country, label);

-- view grouping_cube
-- status: = customer.status; born: ~ customer.born; n: -
-- uses: customer.status, customer.born
SELECT status, extract(year FROM born) AS born, count(*) AS n FROM customer
GROUP BY CUBE (status, extract(year FROM born));

-- view grouping_sets
-- status: = purchase.status; clerk_id: = purchase.clerk_id; level: -; is_total: -; total: ~ purchase.total
-- uses: purchase.status, purchase.clerk_id
SELECT status, clerk_id, grouping(status, clerk_id) AS level, grouping(clerk_id) = 1 AS is_total,
       sum(total) AS total
FROM purchase GROUP BY GROUPING SETS ((status, clerk_id), (status), ());

-- view grouping_function_decides
-- label: = city.country; area: ~ city.area
-- uses: city.country
SELECT CASE WHEN grouping(country) = 1 THEN 'all' ELSE country END AS label, max(area) AS area
FROM city GROUP BY ROLLUP (country);

-- view grouping_function_only
-- level: -
-- uses: customer.status, customer.city_id
SELECT grouping(status) + grouping(city_id) AS level FROM customer GROUP BY ROLLUP (status, city_id);

-- view grouping_mixed
-- a: = purchase.status; b: = purchase.clerk_id; c: = purchase.coupon; total: ~ purchase.total
-- uses: purchase.status, purchase.clerk_id, purchase.coupon
SELECT status AS a, clerk_id AS b, coupon AS c, sum(total) AS total
FROM purchase GROUP BY DISTINCT status, ROLLUP (clerk_id, coupon), CUBE (status, coupon);

-- view grouping_empty_set
-- total: ~ purchase.total
SELECT sum(total) AS total FROM purchase GROUP BY ();

-- view grouping_in_subquery
-- who: = customer.name; spent: ~ purchase.total; bucket: ~ purchase.total
-- uses: purchase.customer_id, customer.id
SELECT c.name AS who, s.spent, width_bucket(s.spent, 0, 100, 5) AS bucket
FROM customer c JOIN (SELECT customer_id, sum(total) AS spent FROM purchase GROUP BY customer_id) s
  ON s.customer_id = c.id;

-- view grouping_of_subquery_columns
-- kind: ~ customer.status; mails: ~ customer.email; alike: = customer.city_id
-- uses: customer.status, customer.city_id
SELECT s.kind, min(s.email) AS mails, s.city_id AS alike
FROM (SELECT upper(status) AS kind, email, city_id FROM customer) s GROUP BY s.kind, s.city_id;

-- view grouping_by_case
-- band: = customer.phone ~ customer.born; n: -
-- uses: customer.born, customer.phone
SELECT CASE WHEN born > '2000-01-01' THEN phone ELSE 'old' END AS band, count(*) AS n FROM customer GROUP BY 1;

-- view grouping_having_of_hidden_column
-- total: ~ purchase.total
-- uses: purchase.clerk_id, purchase.status, purchase.coupon
SELECT sum(total) AS total FROM purchase GROUP BY clerk_id, status
HAVING count(DISTINCT coupon) > 1 AND min(status) = 'paid';
