CREATE TABLE ":resname" (
    ":varno" int, "{" text, "}" text, "\" text, "<>" text, "(" text, ")" text, "a b" text, """" text, "1" text,
    "😀" text,
    "123456789012345678901234567890123456789012345678901234567890abc" text, U&"new\000Aline" text,
    "select" text,
    "NULL" text, ":constvalue 4 [ 1 ]" text, "--" text, "'" text, ";" text, " " text, "-1" text, "true" text,
    "b ""x"" y" text,
    "%s" text, "{0}" text, "$1" text, "O:VAR" text, "ctid " text, "*" text, "a.b" text, "É" text
);
CREATE TABLE "{VAR :varno 1 :varattno 2}" (id int, "}" text, """quoted""" text);
CREATE TABLE "a.b" ("c.d" text, "e" text);

-- view names_of_node_fields
-- ":varno": = ":resname".":varno"; "{": = ":resname"."{"; "}": = ":resname"."}"; "\": = ":resname"."\"
-- "<>": = ":resname"."<>"; "(": = ":resname"."("; ")": = ":resname".")"
SELECT ":varno", "{", "}", "\", "<>", "(", ")" FROM ":resname";

-- view names_of_signs
-- "a b": = ":resname"."a b"; """": = ":resname".""""; "1": = ":resname"."1"; "😀": = ":resname"."😀"
-- "--": = ":resname"."--"
-- "'": = ":resname"."'"; ";": = ":resname".";"; " ": = ":resname"." "; "-1": = ":resname"."-1"
SELECT "a b", """", "1", "😀", "--", "'", ";", " ", "-1" FROM ":resname";

-- view names_that_are_long_or_have_lines
-- "123456789012345678901234567890123456789012345678901234567890abc": = ":resname"."123456789012345678901234567890123456789012345678901234567890abc"
-- U&"new\000Aline": = ":resname".U&"new\000Aline"; U&"an\000Aother": ~ ":resname".U&"new\000Aline"
SELECT "123456789012345678901234567890123456789012345678901234567890abc", U&"new\000Aline",
       upper(U&"new\000Aline") AS U&"an\000Aother"
FROM ":resname";

-- view names_that_are_words
-- "select": = ":resname"."select"; "NULL": = ":resname"."NULL"
-- ":constvalue 4 [ 1 ]": = ":resname".":constvalue 4 [ 1 ]"
-- "true": = ":resname"."true"; "from": ~ ":resname"."select"; "uses": = ":resname"."NULL"
SELECT "select", "NULL", ":constvalue 4 [ 1 ]", "true", lower("select") AS "from", "NULL" AS uses
FROM ":resname";

-- view names_of_templates
-- "%s": = ":resname"."%s"; "{0}": = ":resname"."{0}"; "$1": = ":resname"."$1"; "%(a)s": = ":resname"."%s"
-- "b ""x"" y": = ":resname"."b ""x"" y"; "O:VAR": = ":resname"."O:VAR"; "ctid ": = ":resname"."ctid "
SELECT "%s", "{0}", "$1", "%s" AS "%(a)s", "b ""x"" y", "O:VAR", "ctid " FROM ":resname";

-- view names_of_stars_and_dots
-- "*": = ":resname"."*"; "a.b": = ":resname"."a.b"; "É": = ":resname"."É"; d: = "a.b"."c.d"; e: ~ "a.b"."e"
-- uses: "a.b".e, ":resname"."a.b"
SELECT r."*", r."a.b", "É", t."c.d" AS d, upper(t.e) AS e FROM ":resname" r JOIN "a.b" t ON t.e = r."a.b";

-- view names_of_everything_at_once
-- row: ~ ":resname".*; n: -
-- uses: ":resname".":varno"
SELECT row_to_json(r) AS row, 1 AS n FROM ":resname" AS r WHERE ":varno" = 1;

-- view names_of_tables
-- id: = "{VAR :varno 1 :varattno 2}".id; "}": = "{VAR :varno 1 :varattno 2}"."}"
-- "{": ~ "{VAR :varno 1 :varattno 2}"."""quoted"""
SELECT id, "}", """quoted""" || '{' AS "{" FROM "{VAR :varno 1 :varattno 2}";

-- view names_of_aliases
-- ":resno": = customer.email; ") :x (": = customer.phone
-- uses: customer.id, lead.id
SELECT "{ :a".":b" AS ":resno", "}"."\\" AS ") :x ("
FROM (SELECT id, email FROM customer) AS "{ :a" ("id", ":b")
JOIN (SELECT c.id, c.phone FROM customer c JOIN lead USING (id)) AS "}" ("<>", "\\") ON "<>" = "id";

-- view names_of_ctes
-- a: = customer.email; b: = city.label
WITH "{CTE :name x}" ("1", ":ctename") AS (SELECT email, id FROM customer),
    "<>" AS (SELECT label AS "<>" FROM city)
SELECT "1" AS a, "<>"."<>" AS b FROM "{CTE :name x}", "<>";

-- view names_of_windows
-- a: ~ customer.born, customer.id
SELECT rank() OVER ":winref 1 {" AS a FROM customer WINDOW ":winref 1 {" AS (PARTITION BY born ORDER BY id);

-- view ":view {names}"
-- ":a {": = customer.email
SELECT email AS ":a {" FROM customer;

-- view names_above_odd_view
-- b: ~ customer.email
SELECT lower(":a {") AS b FROM ":view {names}";

-- view names_in_constants
-- a: -; b: ~ customer.email; c: -; d: ~ customer.phone
-- uses: customer.email
SELECT '{VAR :varno 1 :varattno 3}' AS a, email || ' } ) :resname "x" \ ' AS b, '' AS c, E'\n\t' || phone AS d
FROM customer WHERE email <> '}' AND email <> '';

-- view "1"
-- "1": = customer.email; "2": -
SELECT email AS "1", 2 AS "2" FROM customer;

-- view names_of_question_marks
-- "?column?": ~ customer.id; "case": = customer.email ~ customer.id
SELECT id + 1, CASE WHEN id = 1 THEN email END FROM customer;

-- view names_of_joins_using
-- "}": = ":resname"."}"; "j o": = ":resname"."}"
-- uses: ":resname"."}", "{VAR :varno 1 :varattno 2}"."}"
SELECT "}", "{ j".   "}" AS "j o" FROM ":resname" r JOIN "{VAR :varno 1 :varattno 2}" USING ("}") AS "{ j";

-- view "view ""with"" quotes"
-- """": ~ ":resname".""""
SELECT upper("""") AS """" FROM ":resname";

-- view U&"view\000Aof lines"
-- a: = customer.email
SELECT email AS a FROM customer;

-- view names_of_functions_arguments
-- a: ~ customer.id ! truth.":fn {"(integer)
CREATE FUNCTION ":fn {"(":arg }" int) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE VIEW names_of_functions_arguments AS SELECT ":fn {"(":arg }" => id) AS a FROM customer;

-- view names_of_labels
-- a: ~ person.feeling; b: = city.label; c: ~ city.city_id
CREATE TYPE "{enum}" AS ENUM ('{', ':label', ')');
CREATE VIEW names_of_labels AS
SELECT feeling = 'sad' AS a, label AS b, CASE WHEN city_id = 1 THEN '{'::"{enum}" ELSE ':label' END AS c
FROM person, city;
