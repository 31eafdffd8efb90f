-- view changes_dropped_before
-- a: = shrunk.a; b: = shrunk.b; row: ~ shrunk.*
-- uses: shrunk.c
CREATE TABLE shrunk (gone int, a text, lost text, b text, c int, away int);
ALTER TABLE shrunk DROP COLUMN gone, DROP COLUMN lost, DROP COLUMN away;
CREATE VIEW changes_dropped_before AS SELECT a, b, s AS row FROM shrunk s WHERE c = 1;

-- view changes_dropped_before_star
-- a: = shrunk.a; b: = shrunk.b; c: = shrunk.c; n: -
SELECT s.*, 1 AS n FROM shrunk s;

-- view changes_dropped_before_in_join
-- b: = shrunk.b; c: = shrunk.c; email: = lead.email
-- uses: shrunk.c, lead.id
SELECT j.b, j.c, j.email FROM (shrunk JOIN lead ON c = id) AS j;

-- view changes_added_after
-- row: ~ grown.*; a: = grown.a
CREATE TABLE grown (a text);
CREATE VIEW changes_added_after AS SELECT row_to_json(g) AS row, a FROM grown g;
ALTER TABLE grown ADD COLUMN secret text, ADD COLUMN more int;

-- view changes_added_after_to_star
-- a: = widened.a
CREATE TABLE widened (a text);
CREATE VIEW changes_added_after_to_star AS SELECT * FROM widened;
ALTER TABLE widened ADD COLUMN secret text;

-- view changes_dropped_after
-- row: ~ cut.a, cut.c; n: -
-- uses: cut.a, cut.c
CREATE TABLE cut (a text, b text, c text);
CREATE VIEW changes_dropped_after AS SELECT to_jsonb(t) AS row, (SELECT count(u) FROM cut u) AS n FROM cut t;
ALTER TABLE cut DROP COLUMN b;

-- view changes_dropped_and_added_again
-- row: ~ again.a, again.b; a: = again.a
CREATE TABLE again (a text, b text);
CREATE VIEW changes_dropped_and_added_again AS SELECT to_jsonb(t) AS row, a FROM again t;
ALTER TABLE again DROP COLUMN b;
ALTER TABLE again ADD COLUMN b int;

-- view changes_renamed_columns
-- a: = renamed.z; b: ~ renamed.a
CREATE TABLE renamed (a text, b text);
CREATE VIEW changes_renamed_columns AS SELECT a, upper(b) AS b FROM (SELECT a, b FROM renamed) s;
ALTER TABLE renamed RENAME COLUMN a TO z;
ALTER TABLE renamed RENAME COLUMN b TO a;

-- view changes_renamed_and_moved_table
-- a: = truth_other.moved.a
CREATE TABLE to_move (a text);
CREATE VIEW changes_renamed_and_moved_table AS SELECT a FROM to_move;
ALTER TABLE to_move RENAME TO moved;
ALTER TABLE moved SET SCHEMA truth_other;

-- view changes_view_replaced
-- a: = lead.email; b: = lead.phone ~ lead.id
CREATE VIEW changes_view_replaced AS SELECT email AS a FROM customer;
CREATE OR REPLACE VIEW changes_view_replaced AS
SELECT email AS a, CASE WHEN id = 1 THEN phone END AS b FROM lead;

-- view changes_below_was_replaced
-- row: ~ lead.email, customer.phone, lead.score; a: = lead.email
CREATE VIEW changes_below AS SELECT email AS a FROM customer;
CREATE VIEW changes_below_was_replaced AS SELECT to_json(b) AS row, a FROM changes_below b;
CREATE OR REPLACE VIEW changes_below AS SELECT l.email AS a, c.phone AS b, l.score * 2 AS c
FROM lead l, customer c;

-- view changes_columns_of_view_renamed
-- x: = customer.email; b: ~ customer.email
CREATE VIEW changes_columns_below AS SELECT email AS a FROM customer;
CREATE VIEW changes_columns_of_view_renamed AS SELECT a, upper(a) AS b FROM changes_columns_below;
ALTER VIEW changes_columns_below RENAME COLUMN a TO q;
ALTER VIEW changes_columns_of_view_renamed RENAME COLUMN a TO x;

-- view changes_below_was_renamed
-- a: = customer.email
CREATE VIEW changes_name_before AS SELECT email AS a FROM customer;
CREATE VIEW changes_below_was_renamed AS SELECT a FROM changes_name_before;
ALTER VIEW changes_name_before RENAME TO changes_name_after;
ALTER VIEW changes_name_after SET SCHEMA truth_other;

-- view changes_of_a_join
-- row: ~ joint_a.id, joint_a.x, joint_b.w
-- uses: joint_a.id, joint_b.id
CREATE TABLE joint_a (id int, x text);
CREATE TABLE joint_b (id int, y text, w text);
CREATE VIEW changes_of_a_join AS SELECT to_json(j) AS row FROM (joint_a JOIN joint_b USING (id)) AS j;
ALTER TABLE joint_b DROP COLUMN y;
ALTER TABLE joint_b ADD COLUMN later text;

-- view changes_of_a_function
-- a: ~ customer.email ! truth.changing(text)
CREATE FUNCTION changing(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE VIEW changes_of_a_function AS SELECT changing(email) AS a FROM customer;
CREATE OR REPLACE FUNCTION changing(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1';

-- view changes_of_a_function_name
-- a: ~ customer.email ! truth_other.named_anew(text)
CREATE FUNCTION named_before(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1';
CREATE VIEW changes_of_a_function_name AS SELECT named_before(email) AS a FROM customer;
ALTER FUNCTION named_before(text) RENAME TO named_anew;
ALTER FUNCTION named_anew(text) SET SCHEMA truth_other;

-- view changes_of_partitions
-- a: = loose.a; b: = whole.b
CREATE TABLE whole (a int, b text) PARTITION BY LIST (a);
CREATE TABLE loose PARTITION OF whole FOR VALUES IN (1);
CREATE TABLE part (b text, a int);
CREATE VIEW changes_of_partitions AS SELECT l.a, p.b FROM loose l, part p;
ALTER TABLE whole DETACH PARTITION loose;
ALTER TABLE whole ATTACH PARTITION part FOR VALUES IN (2);

-- view changes_of_a_type
-- a: = typed.home; b: ~ typed.home
CREATE TYPE spot AS (x int, y text);
CREATE TABLE typed (home spot);
CREATE VIEW changes_of_a_type AS SELECT home AS a, (home).y AS b FROM typed;
ALTER TYPE spot ADD ATTRIBUTE z text;
ALTER TYPE spot RENAME ATTRIBUTE y TO label;

-- view changes_of_a_view_that_grew
-- a: = city.label; b: = city.country; c: ~ city.area
CREATE VIEW changes_of_a_view_that_grew AS SELECT label AS a FROM city;
CREATE OR REPLACE VIEW changes_of_a_view_that_grew AS SELECT label AS a, country AS b FROM city;
CREATE OR REPLACE VIEW changes_of_a_view_that_grew AS SELECT label AS a, country AS b, area + 1 AS c FROM city;

-- view changes_of_field_of_row
-- a: = fielded.q; b: ~ fielded.q
CREATE TABLE fielded (gone int, a text, b text);
ALTER TABLE fielded DROP COLUMN gone;
CREATE VIEW changes_of_field_of_row AS SELECT (s.r).b AS a, upper((s.r).b) AS b
FROM (SELECT f AS r FROM fielded f) s;
ALTER TABLE fielded RENAME COLUMN b TO q;
