-- view types_subscripts
-- first: ~ customer.tags; some: ~ customer.tags, customer.id; cell: ~ person.grid, person.id
-- uses: customer.id, person.id
SELECT c.tags[1] AS first, c.tags[c.id:] AS some, p.grid[p.id] AS cell FROM customer c
JOIN person p ON p.id = c.id;

-- view types_array_functions
-- n: ~ customer.tags; joined: ~ customer.tags, customer.status; added: ~ customer.tags, customer.email
-- has: ~ customer.tags
-- list: ~ customer.email, customer.phone; place: ~ customer.tags, customer.name; all: = customer.tags
SELECT cardinality(tags) AS n, array_to_string(tags, status) AS joined, tags || email AS added,
       tags @> ARRAY['a'] AS has,
       ARRAY[email, phone] AS list, array_position(tags, name::text) AS place, coalesce(tags, '{}') AS all
FROM customer;

-- view types_array_of_arrays
-- a: ~ customer.email, customer.phone, customer.name; b: ~ customer.tags
SELECT ARRAY[ARRAY[email], ARRAY[phone], ARRAY[name::text]] AS a, ARRAY[tags, tags] AS b FROM customer;

-- view types_array_cast
-- a: ~ person.grid; b: ~ person.grid
SELECT grid::bigint[] AS a, grid::text AS b FROM person;

-- view types_ranges
-- stay: = person.stay; start: ~ person.stay; days: ~ person.stay; now: ~ person.stay
-- made: ~ customer.born, customer.joined
-- uses: person.id, customer.id
SELECT stay, lower(stay) AS start, upper(stay) - lower(stay) AS days, stay @> current_date AS now,
       daterange(born, joined::date) AS made
FROM person JOIN customer USING (id);

-- view types_multiranges
-- all: ~ person.stay; parts: ~ person.stay
SELECT range_agg(stay) AS all, unnest(range_agg(stay)) AS parts FROM person;

-- view types_of_enum
-- feeling: = person.feeling; text: ~ person.feeling; better: ~ person.feeling; best: = person.feeling
SELECT feeling, feeling::text AS text, feeling > 'fair' AS better, greatest(feeling, 'fair'::mood) AS best
FROM person;

-- view types_of_domain
-- code: = person.code; again: = person.code; cut: ~ customer.email; n: ~ person.code
-- uses: person.id, customer.id
SELECT p.code, p.code::varchar AS again, c.email::short AS cut, length(p.code) AS n FROM person p
JOIN customer c ON c.id = p.id;

-- view types_with_collations
-- a: = customer.email; b: ~ customer.email, customer.phone; c: ~ customer.name
-- uses: customer.name
SELECT email COLLATE "C" AS a, email COLLATE "C" < phone AS b, max(name COLLATE "POSIX") OVER () AS c
FROM customer
ORDER BY name COLLATE "C";

-- view types_to_text_and_back
-- bytes: ~ customer.email; hash: ~ customer.email; number: ~ customer.balance; day: ~ customer.born
-- format: ~ customer.name, customer.id
SELECT convert_to(email, 'UTF8') AS bytes, md5(email) AS hash, to_char(balance, '999') AS number,
       to_char(born, 'YYYY') AS day, format('%s-%s', name, id) AS format
FROM customer;

-- view types_of_dates
-- month: ~ customer.joined; age: ~ customer.born; day: ~ customer.joined; made: ~ customer.id
-- epoch: ~ customer.joined
SELECT date_trunc('month', joined) AS month, age(born) AS age, joined::date AS day, make_date(id, 1, 1) AS made,
       extract(epoch FROM joined) AS epoch
FROM customer;

-- view types_boolean_tests
-- a: ~ customer.status; b: ~ customer.born, customer.id; c: ~ customer.email, customer.phone
SELECT (status = 'a') IS TRUE AS a, (born IS NULL) IS NOT FALSE AND (id > 1) IS UNKNOWN AS b,
       (email = phone) IS NOT UNKNOWN AS c
FROM customer;

-- view types_full_text
-- found: ~ customer.name; words: ~ customer.email; shown: ~ customer.name, customer.status
SELECT to_tsvector('simple', name) @@ to_tsquery('simple', 'ann') AS found,
       to_tsvector('simple', email) AS words,
       ts_headline('simple', name, plainto_tsquery('simple', status)) AS shown
FROM customer;
