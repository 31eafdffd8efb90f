-- view distinct_plain
-- status: = customer.status; city_id: = customer.city_id
SELECT DISTINCT status, city_id FROM customer;

-- view distinct_hidden_column
-- status: = customer.status
-- uses: customer.city_id
SELECT status FROM (SELECT DISTINCT status, city_id FROM customer) s;

-- view distinct_on
-- email: = customer.email; born: = customer.born
-- uses: customer.city_id, customer.status, customer.joined
SELECT DISTINCT ON (city_id, lower(status)) email, born FROM customer
ORDER BY city_id, lower(status), joined DESC;

-- view distinct_on_shown
-- city_id: = customer.city_id; name: = customer.name
-- uses: customer.city_id, customer.balance
SELECT DISTINCT ON (city_id) city_id, name FROM customer ORDER BY city_id, balance;

-- view distinct_of_expression
-- first: ~ customer.name
SELECT DISTINCT substr(name, 1, 1) AS first FROM customer;

-- view distinct_aggregate
-- n: -
-- uses: purchase.clerk_id
SELECT DISTINCT count(*) AS n FROM purchase GROUP BY clerk_id;

-- view ordered_by_hidden_column
-- id: = customer.id
-- uses: customer.born, customer.email
SELECT id FROM customer ORDER BY born DESC NULLS LAST, upper(email);

-- view ordered_by_shown
-- mail: ~ customer.email
-- uses: customer.email
SELECT lower(email) AS mail FROM customer ORDER BY mail;

-- view ordered_in_subquery
-- id: = customer.id
-- uses: customer.balance, customer.status
SELECT id FROM (SELECT id FROM customer WHERE status = 'a' ORDER BY balance LIMIT 10) s;

-- view ordered_using_operator
-- id: = customer.id
-- uses: customer.phone
SELECT id FROM customer ORDER BY phone USING >;

-- view limited_by_subselect
-- id: = customer.id
-- uses: purchase.total, purchase.status, city.area
SELECT id FROM customer LIMIT (SELECT max(total)::int FROM purchase WHERE status = 'paid')
OFFSET (SELECT count(*) FROM city WHERE area > 1);

-- view limited_with_ties
-- name: = employee.name
-- uses: employee.salary
SELECT name FROM employee ORDER BY salary DESC FETCH FIRST 3 ROWS WITH TIES;

-- view ordered_by_subselect
-- id: = purchase.id
-- uses: customer.name, customer.id, purchase.customer_id
SELECT id FROM purchase p ORDER BY (SELECT c.name FROM customer c WHERE c.id = p.customer_id);

-- view filtered_by_everything
-- email: = customer.email
-- uses: customer.status, customer.born, customer.id, customer.tags, customer.phone, customer.name,
--   customer.profile
SELECT email FROM customer
WHERE status IN ('a', 'b') AND NOT (born < '1950-01-01' OR id = 3) AND 'vip' = ANY (tags)
  AND coalesce(phone, name) IS NOT NULL AND profile @> '{"a": 1}';
