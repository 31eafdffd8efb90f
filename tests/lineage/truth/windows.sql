-- view windows_numbers
-- n: ~ customer.born; rank: ~ customer.balance, customer.city_id; part: ~ customer.joined; plain: -
SELECT row_number() OVER (ORDER BY born) AS n, rank() OVER (PARTITION BY city_id ORDER BY balance DESC) AS rank,
       ntile(4) OVER (ORDER BY joined) AS part, row_number() OVER () AS plain
FROM customer;

-- view windows_values
-- before: ~ customer.email, customer.city_id, customer.joined
-- after: ~ customer.phone, customer.name, customer.id
-- first: ~ customer.email, customer.id; third: ~ customer.name, customer.born
SELECT lag(email) OVER (PARTITION BY city_id ORDER BY joined) AS before,
       lead(phone, 1, name::text) OVER (ORDER BY id) AS after,
       first_value(email) OVER (ORDER BY id) AS first, nth_value(name, 3) OVER (ORDER BY born) AS third
FROM customer;

-- view windows_of_aggregates
-- running: ~ purchase.total, purchase.placed, purchase.customer_id; share: ~ purchase.total
-- n: ~ purchase.status; coupons: ~ purchase.placed
-- uses: purchase.coupon
SELECT sum(total) OVER (PARTITION BY customer_id ORDER BY placed) AS running,
       total / sum(total) OVER () AS share,
       count(*) OVER (PARTITION BY status) AS n, count(coupon) OVER (ORDER BY placed) AS coupons
FROM purchase;

-- view windows_named
-- a: ~ purchase.clerk_id, purchase.placed; b: ~ purchase.total, purchase.clerk_id, purchase.placed
-- c: ~ purchase.clerk_id, purchase.total
SELECT rank() OVER w AS a, sum(total) OVER (w ROWS 3 PRECEDING) AS b,
       dense_rank() OVER (by_clerk ORDER BY total) AS c
FROM purchase WINDOW by_clerk AS (PARTITION BY clerk_id), w AS (by_clerk ORDER BY placed);

-- view windows_named_and_unused
-- id: = purchase.id
SELECT id FROM purchase WINDOW w AS (PARTITION BY coupon ORDER BY status);

-- view windows_with_frames
-- a: ~ purchase.total, purchase.placed; b: ~ purchase.total, purchase.id
-- c: ~ purchase.total, purchase.clerk_id
SELECT sum(total) OVER (ORDER BY placed RANGE BETWEEN '1 day' PRECEDING AND CURRENT ROW EXCLUDE TIES) AS a,
       avg(total) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND UNBOUNDED FOLLOWING) AS b,
       max(total) OVER (ORDER BY clerk_id GROUPS 1 PRECEDING) AS c
FROM purchase;

-- view windows_with_frame_of_subselect
-- a: ~ purchase.total, purchase.id, city.city_id
SELECT sum(total) OVER (ORDER BY id ROWS (SELECT max(city_id) FROM city) PRECEDING) AS a FROM purchase;

-- view windows_filtered
-- a: ~ purchase.total, purchase.status, purchase.clerk_id
SELECT sum(total) FILTER (WHERE status = 'paid') OVER (PARTITION BY clerk_id) AS a FROM purchase;

-- view windows_over_groups
-- status: = purchase.status; total: ~ purchase.total; share: ~ purchase.total; place: ~ purchase.total; n: -
-- uses: purchase.status
SELECT status, sum(total) AS total, sum(total) / sum(sum(total)) OVER () AS share,
       rank() OVER (ORDER BY sum(total) DESC) AS place, sum(count(*)) OVER () AS n
FROM purchase GROUP BY status;

-- view windows_in_order_by
-- id: = customer.id
-- uses: customer.born, customer.city_id
SELECT id FROM customer ORDER BY rank() OVER (PARTITION BY city_id ORDER BY born);

-- view windows_then_filtered
-- email: = customer.email
-- uses: customer.city_id, customer.joined
SELECT email FROM (SELECT email, row_number() OVER (PARTITION BY city_id ORDER BY joined) AS n FROM customer) s
WHERE n = 1;

-- view windows_by_expressions
-- a: ~ customer.born, customer.email, customer.phone, customer.status
SELECT count(*) OVER (PARTITION BY extract(year FROM born), coalesce(email, phone) ORDER BY lower(status)) AS a
FROM customer;

-- view windows_inside_expressions
-- a: = customer.email ~ customer.id, customer.status; b: ~ purchase.total, purchase.placed
-- uses: purchase.customer_id, customer.id
SELECT CASE WHEN row_number() OVER (PARTITION BY c.status ORDER BY c.id) = 1 THEN c.email END AS a,
       p.total - lag(p.total) OVER (ORDER BY p.placed) AS b
FROM customer c JOIN purchase p ON p.customer_id = c.id;

-- view windows_of_whole_rows
-- a: ~ city.*
SELECT row_to_json(lag(c) OVER (ORDER BY area)) AS a FROM city c;

-- view windows_with_sublink
-- a: ~ purchase.total, customer.born
-- uses: customer.id, purchase.customer_id
SELECT sum(total) OVER (ORDER BY (SELECT c.born FROM customer c WHERE c.id = p.customer_id)) AS a
FROM purchase p;
