-- view json_operators
-- a: ~ customer.profile; b: ~ customer.profile; c: ~ customer.profile, customer.status; d: ~ customer.profile
-- e: ~ customer.profile; f: = customer.profile
SELECT profile -> 'a' AS a, profile ->> 'b' AS b, profile -> 'x' ->> status AS c, profile #>> '{a,b}' AS d,
       profile @? '$.a' AS e, profile AS f
FROM customer;

-- view json_subscripts
-- a: ~ customer.profile; b: ~ customer.profile, customer.status
SELECT profile['a'] AS a, profile['a'][status] AS b FROM customer;

-- view json_built
-- a: ~ customer.email, customer.id; b: ~ customer.phone, customer.tags; c: ~ customer.name
-- d: ~ customer.status, customer.phone
SELECT json_build_object('mail', email, 'id', id) AS a, jsonb_build_array(phone, tags) AS b, to_json(name) AS c,
       jsonb_build_object(status, phone) AS d
FROM customer;

-- view json_aggregated
-- city_id: = customer.city_id; a: ~ customer.email, customer.id, customer.born
-- b: ~ customer.name, customer.phone
-- uses: customer.city_id
SELECT city_id, jsonb_agg(jsonb_build_object('mail', email, 'id', id) ORDER BY born) AS a,
       json_object_agg(name, phone) AS b
FROM customer GROUP BY city_id;

-- view json_paths
-- a: ~ customer.profile; b: ~ customer.profile, customer.id; c: ~ customer.profile
SELECT jsonb_path_query(profile, '$.a[*]') AS a,
       jsonb_path_query_first(profile, '$.a ? (@ > $n)', jsonb_build_object('n', id)) AS b,
       jsonb_path_exists(profile, '$.x') AS c
FROM customer;

-- view json_unpacked
-- id: = document.id; key: ~ document.payload; value: ~ document.payload; item: ~ document.data
SELECT d.id, e.key, e.value, i.item FROM document d, jsonb_each_text(d.payload) AS e,
       json_array_elements(d.data) AS i (item);

-- view json_to_records
-- a: ~ document.data; city: ~ document.payload; street: ~ document.payload
SELECT r.a, s.city, s.street FROM document d, json_to_record(d.data) AS r (a int),
       jsonb_populate_record(NULL::address, d.payload) AS s;

-- view json_populated_from_column
-- city: ~ person.home, document.payload
SELECT r.city FROM person p, document d, jsonb_populate_record(p.home, d.payload) AS r;

-- view json_constructors since 16
-- a: ~ customer.email, customer.id; b: ~ customer.email, customer.phone; c: ~ customer.name, customer.balance
-- d: ~ customer.email, customer.born, customer.status; e: ~ customer.profile
SELECT JSON_OBJECT('mail': email, 'id': id) AS a, JSON_ARRAY(email, phone NULL ON NULL RETURNING jsonb) AS b,
       JSON_OBJECTAGG(name: balance) OVER () AS c,
       JSON_ARRAYAGG(email) FILTER (WHERE status = 'a') OVER (ORDER BY born) AS d,
       profile IS JSON OBJECT AS e
FROM customer;

-- view json_array_of_query since 16
-- mails: ~ customer.email; one: ~ purchase.total
-- uses: customer.born, customer.status, purchase.customer_id, city.mayor_id
SELECT JSON_ARRAY(SELECT email FROM customer WHERE status = 'a' ORDER BY born) AS mails,
       JSON_ARRAY(SELECT total FROM purchase p WHERE p.customer_id = t.mayor_id) AS one
FROM city t;

-- view json_aggregate_constructors since 16
-- city_id: = customer.city_id; a: ~ customer.name, customer.email; b: ~ customer.phone, customer.id
-- uses: customer.city_id
SELECT city_id, JSON_OBJECTAGG(name VALUE email WITH UNIQUE KEYS) AS a, JSON_ARRAYAGG(phone ORDER BY id) AS b
FROM customer GROUP BY city_id;

-- view json_value_functions since 17
-- a: ~ customer.profile; b: ~ customer.profile, customer.id; c: ~ customer.profile
-- d: ~ customer.profile, customer.status
-- e: ~ customer.profile
SELECT JSON_VALUE(profile, '$.a' RETURNING int) AS a, JSON_VALUE(profile, '$.b[$n]' PASSING id AS n) AS b,
       JSON_QUERY(profile, '$.c' WITH WRAPPER) AS c,
       JSON_EXISTS(profile, '$.d[*] ? (@ == $s)' PASSING status AS s) AS d,
       JSON_VALUE(profile, '$.e' DEFAULT 'none' ON EMPTY) AS e
FROM customer;

-- view json_scalars since 17
-- a: ~ customer.email; b: ~ customer.id; c: ~ customer.profile
SELECT JSON(email) AS a, JSON_SCALAR(id) AS b, JSON_SERIALIZE(profile RETURNING text) AS c FROM customer;

-- view json_table_simple since 17
-- id: = document.id; n: ~ document.payload; word: ~ document.payload; has: ~ document.payload
SELECT d.id, t.n, t.word, t.has FROM document d,
       JSON_TABLE(d.payload, '$[*]' COLUMNS (n FOR ORDINALITY, word text PATH '$.w',
       has boolean EXISTS PATH '$.h')) AS t;

-- view json_table_nested since 17
-- a: ~ document.payload, document.id; b: ~ document.payload, document.id; c: ~ document.payload, document.id
SELECT t.a, t.b, t.c FROM document d,
       JSON_TABLE(d.payload, '$.x[*]' AS root PASSING d.id AS n
                  COLUMNS (a int PATH '$.a', NESTED PATH '$.b[*]' AS within COLUMNS (b text PATH '$',
                  c json PATH '$[$n]'))) AS t;

-- view json_table_default since 17
-- a: ~ document.payload; b: ~ document.payload
SELECT t.a, t.b FROM document d,
       JSON_TABLE(d.payload, '$' COLUMNS (a int PATH '$.a' DEFAULT 0 ON ERROR,
       b text PATH '$.b' DEFAULT lower('NONE') ON EMPTY)) AS t;

-- view json_table_of_subquery since 17
-- a: ~ customer.profile
-- uses: customer.status
SELECT t.a FROM JSON_TABLE((SELECT profile FROM customer WHERE status = 'a' LIMIT 1),
       '$' COLUMNS (a int PATH '$.a')) AS t;

-- view json_whole_rows
-- a: ~ lead.*; b: ~ lead.email, city.*
SELECT jsonb_build_object('lead', l) AS a, to_jsonb(t) || jsonb_build_object('mail', l.email) AS b
FROM lead l, city t;

-- view json_stripped
-- a: ~ customer.profile; b: ~ customer.profile, customer.email; c: ~ customer.profile
SELECT jsonb_strip_nulls(profile) - 'secret' AS a, jsonb_set(profile, '{m}', to_jsonb(email)) AS b,
       jsonb_pretty(profile) AS c FROM customer;
