CREATE FUNCTION tidy(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
CREATE FUNCTION fmt(text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN $1; END $$;
CREATE FUNCTION roll(sides int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN sides; END $$;
CREATE FUNCTION plain(int) RETURNS int LANGUAGE sql AS $$ SELECT $1 $$;
CREATE FUNCTION mix(VARIADIC parts text[]) RETURNS text LANGUAGE sql STABLE AS $$ SELECT parts[1] $$;
CREATE FUNCTION greet(who text, word text DEFAULT 'hello', mark text DEFAULT '!') RETURNS text
LANGUAGE sql STABLE AS $$ SELECT who || word || mark $$;
CREATE FUNCTION greet_well(who text, word text DEFAULT 'hello', mark text DEFAULT '!') RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT who || word || mark $$;
CREATE FUNCTION leads_above(int) RETURNS SETOF lead LANGUAGE sql STABLE AS $$ SELECT * FROM truth.lead
WHERE score > $1 $$;
CREATE FUNCTION pairs(n int) RETURNS TABLE (a int, b text) LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN; END $$;
CREATE FUNCTION steps(n int) RETURNS SETOF int LANGUAGE sql IMMUTABLE AS $$ SELECT generate_series(1, n) $$;
CREATE FUNCTION address_of(int) RETURNS address LANGUAGE sql STABLE AS $$ SELECT NULL::truth.address $$;
CREATE FUNCTION fixed_address(int) RETURNS address LANGUAGE sql IMMUTABLE AS $$ SELECT NULL::truth.address $$;
CREATE FUNCTION anything(int) RETURNS SETOF record LANGUAGE sql STABLE AS $$ SELECT 1, 'a'::text $$;
CREATE FUNCTION "odd (name"(int) RETURNS int LANGUAGE sql STABLE AS $$ SELECT 1 $$;
CREATE FUNCTION near(text, text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT $1 = $2 $$;
CREATE OPERATOR ~~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = near);
CREATE FUNCTION same(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 = $2 $$;
CREATE OPERATOR ==~ (LEFTARG = text, RIGHTARG = text, FUNCTION = same);
CREATE FUNCTION glue_step(text, text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT $1 || $2 $$;
CREATE AGGREGATE glue(text) (SFUNC = glue_step, STYPE = text);
CREATE FUNCTION join_step(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1 || $2 $$;
CREATE AGGREGATE joined_up(text) (SFUNC = join_step, STYPE = text, INITCOND = '');
CREATE FUNCTION finish(text) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT $1 $$;
CREATE AGGREGATE finished(text) (SFUNC = join_step, STYPE = text, FINALFUNC = finish);
CREATE FUNCTION mood_rank(mood) RETURNS int LANGUAGE sql STABLE AS $$ SELECT 1 $$;
CREATE CAST (mood AS int) WITH FUNCTION mood_rank(truth.mood);

-- view user_functions_by_volatility
-- a: ~ customer.email; b: ~ customer.email ! truth.fmt(text); c: ~ customer.id ! truth.roll(integer)
-- d: ~ customer.id ! truth.plain(integer)
SELECT tidy(email) AS a, fmt(email) AS b, roll(id) AS c, plain(id) AS d FROM customer;

-- view user_functions_nested
-- a: ~ customer.email, customer.id ! truth.fmt(text), truth.roll(integer); b: ~ customer.name ! truth.fmt(text)
SELECT upper(fmt(email || roll(id))) AS a, tidy(fmt(name)) AS b FROM customer;

-- view user_functions_in_conditions
-- a: = customer.phone ~ customer.email ! truth.fmt(text)
-- b: = customer.email ~ customer.phone ! truth.fmt(text)
SELECT CASE WHEN fmt(email) = 'x' THEN phone END AS a, coalesce(fmt(phone), email) AS b FROM customer;

-- view user_functions_in_where_only
-- email: = customer.email
-- uses: customer.phone, customer.id
SELECT email FROM customer WHERE fmt(phone) = 'x' ORDER BY roll(id);

-- view user_functions_with_defaults
-- a: ~ customer.name ! truth.greet(text,text,text)
-- b: ~ customer.name, customer.phone ! truth.greet(text,text,text)
-- c: ~ customer.email, customer.phone
SELECT greet(name) AS a, greet(mark => phone, who => name) AS b, greet_well(email, mark => phone) AS c
FROM customer;

-- view user_functions_variadic
-- a: ~ customer.email, customer.phone ! truth.mix(text[]); b: ~ customer.tags ! truth.mix(text[])
SELECT mix(email, phone, 'x') AS a, mix(VARIADIC tags) AS b FROM customer;

-- view user_functions_of_rows
-- id: ! truth.leads_above(integer); email: ! truth.leads_above(integer)
SELECT id, email FROM leads_above(3);

-- view user_functions_of_rows_lateral
-- name: = customer.name; email: ~ customer.city_id ! truth.leads_above(integer)
-- b: ~ customer.id ! truth.pairs(integer)
SELECT c.name, l.email, p.b FROM customer c, leads_above(c.city_id) AS l, pairs(c.id) AS p;

-- view user_functions_of_rows_not_selected
-- name: = customer.name
-- uses: customer.city_id
SELECT c.name FROM customer c, leads_above(c.city_id) AS l;

-- view user_functions_of_sets
-- n: ~ customer.id; m: ~ customer.city_id; r: ! truth.anything(integer)
SELECT s.n, steps(c.city_id) AS m, a.y AS r FROM customer c, steps(c.id) AS s (n),
       anything(1) AS a (x int, y text);

-- view user_functions_rows_from
-- a: ~ customer.id; b: ~ customer.city_id ! truth.leads_above(integer)
SELECT r.a, r.email AS b FROM customer c, ROWS FROM (steps(c.id), leads_above(c.city_id)) AS r (a, id, email);

-- view user_functions_returning_composites
-- a: ~ customer.id ! truth.address_of(integer); city: ~ customer.id ! truth.address_of(integer)
-- zip: ~ customer.id
SELECT address_of(id) AS a, (address_of(id)).city, (fixed_address(id)).zip FROM customer;

-- view user_functions_expanded
-- street: ~ customer.id ! truth.address_of(integer); city: ~ customer.id ! truth.address_of(integer)
-- zip: ~ customer.id ! truth.address_of(integer)
SELECT (address_of(id)).* FROM customer;

-- view user_functions_whole_row_of_result
-- l: ! truth.leads_above(integer); json: ~ customer.id ! truth.address_of(integer)
SELECT l, to_json(a) AS json FROM customer c, leads_above(1) AS l, address_of(c.id) AS a;

-- view user_functions_of_whole_rows
-- a: ~ lead.*; b: ~ lead.* ! truth.describe(truth.lead)
CREATE FUNCTION describe_well(lead) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1.email $$;
CREATE FUNCTION describe(lead) RETURNS text LANGUAGE sql STABLE AS $$ SELECT $1.email $$;
CREATE VIEW user_functions_of_whole_rows AS SELECT l.describe_well AS a, describe(l) AS b FROM lead l;

-- view user_functions_of_operators
-- a: ~ customer.email, customer.phone ! truth.near(text,text); b: ~ customer.email, customer.phone
-- c: ~ customer.status, customer.tags ! truth.near(text,text)
-- d: ~ customer.email, lead.email ! truth.near(text,text)
SELECT email ~~~ phone AS a, email ==~ phone AS b, status ~~~ ANY (tags) AS c,
       email ~~~ ANY (SELECT email FROM lead) AS d
FROM customer;

-- view user_functions_of_aggregates
-- a: ~ customer.email ! truth.glue(text); b: ~ customer.email; c: ~ customer.email ! truth.finished(text)
SELECT glue(email) AS a, joined_up(email ORDER BY email) AS b, finished(email) AS c FROM customer;

-- view user_functions_of_aggregates_as_windows
-- a: ~ customer.email, customer.id ! truth.glue(text); b: ~ customer.id, customer.name ! truth.fmt(text)
SELECT glue(email) OVER (ORDER BY id) AS a, row_number() OVER (PARTITION BY fmt(name) ORDER BY id) AS b
FROM customer;

-- view user_functions_of_casts
-- a: ~ person.feeling ! truth.mood_rank(truth.mood); b: ~ person.feeling
SELECT feeling::int AS a, feeling::text AS b FROM person;

-- view user_functions_with_odd_names
-- a: ~ customer.id ! truth."odd (name"(integer)
SELECT "odd (name"(id) AS a FROM customer;

-- view user_functions_through_subqueries
-- a: ~ customer.email ! truth.fmt(text); b: = customer.phone; n: ~ customer.email ! truth.fmt(text)
WITH x AS (SELECT fmt(email) AS v, phone FROM customer)
SELECT v AS a, phone AS b, length(v) AS n FROM (SELECT v, phone FROM x) s;

-- view user_functions_in_unions
-- a: = customer.phone ~ customer.email ! truth.fmt(text)
SELECT fmt(email) AS a FROM customer UNION ALL SELECT phone FROM customer;

-- view user_functions_in_sublinks
-- a: ~ city.label ! truth.fmt(text); b: ~ customer.status, city.label ! truth.fmt(text)
-- uses: city.city_id, customer.city_id
SELECT (SELECT fmt(label) FROM city t WHERE t.city_id = c.city_id) AS a,
       status IN (SELECT fmt(label) FROM city) AS b
FROM customer c;

-- view user_functions_in_recursion
-- id: = edge.source, edge.target; t: ~ edge.label ! truth.fmt(text)
-- uses: edge.source, edge.target
WITH RECURSIVE w (id, t) AS (
    SELECT source, label || '' FROM edge UNION ALL SELECT e.target, fmt(w.t) FROM w
    JOIN edge e ON e.source = w.id
) SELECT id, t FROM w;

-- view user_functions_filtering_aggregates
-- a: ~ customer.balance, customer.status ! truth.fmt(text)
SELECT sum(balance) FILTER (WHERE fmt(status) = 'x') AS a FROM customer;

-- view user_functions_below
-- loud: ~ customer.email ! truth.fmt(text); id: = customer.id
SELECT fmt(email) AS loud, id FROM customer;

-- view user_functions_above
-- x: ~ customer.email ! truth.fmt(text); y: ~ customer.id
-- z: ~ customer.email ! truth.fmt(text), truth.roll(integer)
SELECT loud || '!' AS x, id + 1 AS y, roll(length(loud)) AS z FROM user_functions_below;
