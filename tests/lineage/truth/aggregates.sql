-- view aggregates_simple
-- total: ~ purchase.total; first: ~ purchase.placed; last: ~ purchase.placed; mean: ~ purchase.total
SELECT sum(total) AS total, min(placed) AS first, max(placed) AS last, avg(total) AS mean FROM purchase;

-- view aggregates_of_text
-- all_mails: ~ customer.email, customer.born; states: ~ customer.status; tags: ~ customer.tags
-- names: ~ customer.name, customer.id
SELECT string_agg(email, ', ' ORDER BY born DESC) AS all_mails, array_agg(DISTINCT status) AS states,
       array_agg(tags) AS tags, string_agg(name, id::text) AS names
FROM customer;

-- view aggregates_counting
-- everything: -; mails: -; cities: -; double: -; share: -
-- uses: customer.email, customer.city_id, customer.phone
SELECT count(*) AS everything, count(email) AS mails, count(DISTINCT city_id) AS cities, 2 * count(*) AS double,
       count(phone)::numeric / nullif(count(*), 0) AS share
FROM customer;

-- view aggregates_beside_count
-- mean: ~ purchase.total; city_id: = customer.city_id
-- uses: purchase.coupon, purchase.customer_id, customer.id
SELECT sum(total) / count(coupon) AS mean, city_id
FROM purchase JOIN customer ON customer.id = customer_id GROUP BY city_id;

-- view aggregates_filtered
-- paid: ~ purchase.total, purchase.status; late: ~ purchase.placed, purchase.coupon, purchase.id
SELECT sum(total) FILTER (WHERE status = 'paid') AS paid,
       max(placed) FILTER (WHERE coupon IS NULL OR id > 5) AS late
FROM purchase;

-- view aggregates_counting_filtered
-- paid: ~ purchase.status; coupons: ~ purchase.status
-- uses: purchase.coupon
SELECT count(*) FILTER (WHERE status = 'paid') AS paid, count(coupon) FILTER (WHERE status = 'open') AS coupons
FROM purchase;

-- view aggregates_within_group
-- middle: ~ purchase.total; usual: ~ purchase.status; some: ~ purchase.placed; rank: ~ purchase.total
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) AS middle,
       mode() WITHIN GROUP (ORDER BY status) AS usual,
       percentile_disc(ARRAY[0.1, 0.9]) WITHIN GROUP (ORDER BY placed) AS some,
       rank(100) WITHIN GROUP (ORDER BY total DESC) AS rank
FROM purchase;

-- view aggregates_within_group_of_groups
-- clerk_id: = purchase.clerk_id; share: ~ purchase.total, purchase.clerk_id
SELECT clerk_id, percentile_cont(clerk_id / 100.0) WITHIN GROUP (ORDER BY total) AS share
FROM purchase GROUP BY clerk_id;

-- view aggregates_ordered
-- placed: ~ purchase.placed, purchase.total, purchase.id
-- distinct: ~ purchase.coupon
SELECT array_agg(placed ORDER BY total, id DESC) AS placed,
       string_agg(DISTINCT coupon, ',' ORDER BY coupon) AS distinct
FROM purchase;

-- view aggregates_of_two_columns
-- slope: ~ city.area, city.city_id; object: ~ city.label, city.country
SELECT regr_slope(area, city_id) AS slope, json_object_agg(label, country) AS object FROM city;

-- view aggregates_of_booleans
-- any: ~ customer.status; all: ~ customer.born, customer.id; every: ~ customer.email
SELECT bool_or(status = 'a') AS any, bool_and(born > '2000-01-01' OR id = 1) AS all,
       every(email IS NOT NULL) AS every
FROM customer;

-- view aggregates_of_case
-- n: ~ purchase.total, purchase.status
SELECT sum(CASE WHEN status = 'paid' THEN total ELSE 0 END) AS n FROM purchase;

-- view aggregates_having
-- status: = purchase.status; total: ~ purchase.total
-- uses: purchase.status, purchase.coupon, purchase.placed
SELECT status, sum(total) AS total FROM purchase WHERE placed > '2020-01-01'
GROUP BY status HAVING max(coupon) > 'a' AND status <> 'void';

-- view aggregates_having_only
-- one: -
-- uses: purchase.total
SELECT 1 AS one FROM purchase HAVING sum(total) > 100;

-- view aggregates_of_aggregates
-- highest: ~ purchase.total; cities: -
-- uses: purchase.customer_id
SELECT max(spent) AS highest, count(customer_id) AS cities
FROM (SELECT customer_id, sum(total) AS spent FROM purchase GROUP BY customer_id) AS s;

-- view aggregates_of_outer_query
-- most: ~ purchase.total
-- uses: city.city_id, purchase.clerk_id
SELECT (SELECT max(purchase.total) FROM city WHERE city_id = 1) AS most FROM purchase GROUP BY clerk_id;

-- view aggregates_with_sublink_inside
-- total: ~ purchase.total, customer.balance
-- uses: customer.id, purchase.customer_id
SELECT sum(total - (SELECT c.balance FROM customer c WHERE c.id = p.customer_id)) AS total FROM purchase p;

-- view aggregates_of_expression_over_group
-- label: ~ purchase.status; share: ~ purchase.status
-- uses: purchase.status
SELECT upper(status) || '!' AS label, length(status) * count(*) AS share FROM purchase GROUP BY status;
