-- view values_alone
-- column1: -; column2: -
VALUES (1, 'one'), (2, 'two');

-- view values_in_from
-- n: -; word: -
SELECT n, word FROM (VALUES (1, 'one'), (2, 'two')) AS v (n, word);

-- view values_joined
-- name: = customer.name; meaning: -
-- uses: customer.status
SELECT c.name, v.meaning FROM customer c JOIN (VALUES ('a', 'active'), ('b', 'blocked')) AS v (key,
       meaning) ON v.key = c.status;

-- view values_of_subselects
-- a: = customer.email, city.label; b: ~ purchase.total
-- uses: customer.id, city.area
SELECT a, b FROM (VALUES ((SELECT email FROM customer WHERE id = 1), 1),
       ((SELECT label FROM city ORDER BY area LIMIT 1),
                  (SELECT max(total)::int FROM purchase))) AS v (a, b);

-- view values_with_columns_of_mixed_types
-- x: = customer.balance ~ customer.id
SELECT v.x FROM customer c, LATERAL (VALUES (c.id), (c.balance)) AS v (x);

-- view values_in_in
-- a: ~ customer.status; b: ~ customer.id, customer.city_id
SELECT status IN (VALUES ('a'), ('b')) AS a, (id, city_id) IN (VALUES (1, 2)) AS b FROM customer;

-- view values_ordered
-- n: -
SELECT n FROM (VALUES (2), (1) ORDER BY 1 LIMIT 1) AS v (n);

-- view values_whole_row
-- v: ~ customer.email, customer.phone; w: ~ customer.email, customer.phone
SELECT v::text, to_json(v) AS w FROM customer c, LATERAL (VALUES (1, c.email), (2, c.phone)) AS v (n, t);

-- view values_of_one_row
-- n: -; t: = customer.email
SELECT v.n, v.t FROM customer c, LATERAL (VALUES (1, c.email)) AS v (n, t);
