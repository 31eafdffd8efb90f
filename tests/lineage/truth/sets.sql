-- view sets_union
-- a: = customer.email, lead.email
SELECT email AS a FROM customer UNION SELECT email FROM lead;

-- view sets_union_all_of_columns
-- id: = customer.id, lead.id; mail: = customer.email ~ lead.email; kind: -
SELECT id, email AS mail, 'c' AS kind FROM customer UNION ALL SELECT id, lower(email), 'l' FROM lead;

-- view sets_intersect
-- email: = customer.email, lead.email
-- uses: customer.status, lead.score
SELECT email FROM customer WHERE status = 'a' INTERSECT SELECT email FROM lead WHERE score > 1;

-- view sets_except
-- email: = customer.email
-- uses: lead.email, lead.score
SELECT email FROM customer EXCEPT SELECT email FROM lead WHERE score > 3;

-- view sets_except_all_of_expression
-- email: ~ customer.email; id: = customer.id
-- uses: lead.email, lead.id
SELECT lower(email) AS email, id FROM customer EXCEPT ALL SELECT upper(email), id FROM lead;

-- view sets_all
-- a: = customer.id, lead.id
SELECT id AS a FROM customer INTERSECT ALL SELECT id FROM lead;

-- view sets_nested
-- a: = customer.email, lead.email, customer.phone
-- uses: city.label
(SELECT email AS a FROM customer UNION SELECT email FROM lead)
UNION ALL (SELECT phone FROM customer EXCEPT SELECT label FROM city);

-- view sets_except_of_union
-- a: = city.label
-- uses: customer.email, lead.email, customer.status
SELECT label AS a FROM city EXCEPT (SELECT email FROM customer WHERE status = 'x' UNION ALL SELECT email
FROM lead);

-- view sets_except_of_except
-- a: = city.label
-- uses: customer.email, lead.email
SELECT label AS a FROM city EXCEPT (SELECT email FROM customer EXCEPT SELECT email FROM lead);

-- view sets_precedence
-- a: = city.label, customer.email, lead.email
SELECT label AS a FROM city UNION SELECT email FROM customer INTERSECT SELECT email FROM lead;

-- view sets_of_mixed_types
-- id: = contractor.id ~ lead.id; email: = lead.email, contractor.email; phone: = lead.phone ~ contractor.phone
-- score: = contractor.score ~ lead.score; found: = contractor.found ~ lead.found
SELECT id, email, phone::text, score, found FROM lead
UNION ALL SELECT id, email, phone, score, found FROM contractor;

-- view sets_of_lengths
-- a: = customer.name, purchase.status
SELECT name AS a FROM customer UNION SELECT status FROM purchase;

-- view sets_ordered
-- id: = customer.id, lead.id; email: = customer.email, lead.email
-- uses: customer.id, lead.id
SELECT id, email FROM customer UNION ALL SELECT id, email FROM lead ORDER BY id DESC LIMIT 10;

-- view sets_ordered_inside
-- a: = customer.email, lead.email
-- uses: customer.balance, lead.score
(SELECT email AS a FROM customer ORDER BY balance LIMIT 1)
UNION ALL (SELECT email FROM lead ORDER BY score LIMIT 1);

-- view sets_in_from
-- mail: = customer.email, lead.email; n: -; born: = customer.born
-- uses: customer.id, lead.id
SELECT s.email AS mail, s.n, s.born
FROM (SELECT id, email, born, 1 AS n FROM customer UNION ALL SELECT id, email, NULL, 2 FROM lead) s
WHERE s.id > 3;

-- view sets_hidden_column_of_union
-- email: = customer.email, lead.email
-- uses: customer.id, lead.id
SELECT email FROM (SELECT id, email FROM customer UNION SELECT id, email FROM lead) s;

-- view sets_with_distinct_branch
-- label: = city.label
-- uses: customer.email
SELECT city.label FROM city, (SELECT name FROM customer UNION ALL SELECT DISTINCT email FROM customer) s;

-- view sets_of_aggregates
-- n: -; total: ~ purchase.total, lead.score
-- uses: customer.email
SELECT count(*) AS n, sum(total) AS total FROM purchase UNION ALL SELECT count(email),
       (SELECT max(score) FROM lead) FROM customer;

-- view sets_with_values
-- a: = customer.email; b: = customer.id
SELECT email AS a, id AS b FROM customer UNION ALL VALUES ('none', 0), ('some', 1);

-- view sets_of_constants
-- a: -
SELECT 1 AS a UNION SELECT 2 EXCEPT SELECT 3;

-- view sets_of_null
-- a: = customer.email; b: = lead.phone
SELECT email AS a, NULL AS b FROM customer UNION ALL SELECT NULL, phone FROM lead;

-- view sets_under_aggregate
-- mails: ~ customer.email, lead.email
SELECT string_agg(DISTINCT email, ',') AS mails
FROM (SELECT email FROM customer UNION ALL SELECT email FROM lead) s;

-- view sets_of_case
-- a: = customer.email, lead.phone ~ customer.status, lead.score
SELECT CASE WHEN status = 'a' THEN email END AS a FROM customer
UNION SELECT CASE WHEN score > 1 THEN phone ELSE 'none' END FROM lead;

-- view sets_of_joins
-- x: = customer.name, employee.name
-- uses: customer.city_id, city.city_id, employee.city_id
SELECT c.name AS x FROM customer c JOIN city t USING (city_id) UNION SELECT e.name FROM employee e
JOIN city USING (city_id);

-- view sets_under_whole_row
-- s: ~ customer.email, lead.email, customer.id, lead.id
SELECT s::text AS s FROM (SELECT email, id FROM customer UNION ALL SELECT email, id FROM lead) s;

-- view sets_three_deep
-- a: = customer.email, lead.email, contractor.email, city.label, product.title
SELECT email AS a FROM customer UNION ALL SELECT email FROM lead UNION ALL SELECT email FROM contractor
UNION ALL (SELECT label FROM city UNION SELECT title FROM product);
