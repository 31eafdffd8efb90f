CREATE TABLE reading (sensor int, taken date, value numeric, note text) PARTITION BY RANGE (taken);
CREATE TABLE reading_2020 PARTITION OF reading FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE reading_2021 (note text, gone int, value numeric, taken date, sensor int);
ALTER TABLE reading_2021 DROP COLUMN gone;
ALTER TABLE reading ATTACH PARTITION reading_2021 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE reading_2022 PARTITION OF reading FOR VALUES FROM ('2022-01-01') TO ('2023-01-01')
PARTITION BY LIST (sensor);
CREATE TABLE reading_2022_one PARTITION OF reading_2022 FOR VALUES IN (1);
CREATE TABLE parcel (
    id int, width int, height int, title text,
    area int GENERATED ALWAYS AS (width * height) STORED, code text GENERATED ALWAYS AS (upper(title)) STORED
);
CREATE FOREIGN DATA WRAPPER truth_wrapper;
CREATE SERVER truth_server FOREIGN DATA WRAPPER truth_wrapper;
CREATE FOREIGN TABLE far_customer (id int, email text, phone text) SERVER truth_server;
CREATE TABLE animal (name text, weight real);
CREATE TABLE cat (lives int) INHERITS (animal);
CREATE TABLE place OF address;
CREATE SCHEMA truth_other;
CREATE TABLE truth_other.customer (id int, email text, fax text);
CREATE TABLE ruled (id int GENERATED ALWAYS AS IDENTITY, note text);
CREATE RULE ruled_twice AS ON INSERT TO ruled DO ALSO UPDATE customer SET email = NEW.note
WHERE phone = NEW.note;

-- view relations_view_1
-- id: = customer.id; mail: ~ customer.email; city_id: = customer.city_id; phone: = customer.phone
-- uses: customer.status
SELECT id, lower(email) AS mail, city_id, phone FROM customer WHERE status = 'a';

-- view relations_view_2
-- number: = customer.id; contact: = customer.phone ~ customer.email; label: = city.label
-- uses: customer.status, customer.city_id, city.city_id
SELECT v.id AS number, coalesce(v.phone, v.mail) AS contact, t.label FROM relations_view_1 v
JOIN city t USING (city_id);

-- view relations_view_3 materialised
-- contact: = customer.phone ~ customer.email; n: -
-- uses: customer.id, customer.status, customer.city_id, city.city_id, customer.phone, customer.email
SELECT contact, count(number) AS n FROM relations_view_2 GROUP BY contact;

-- view relations_view_4
-- a: ~ customer.phone, customer.email; b: = city.label
-- uses: customer.status, customer.city_id, city.city_id, customer.id, customer.phone, customer.email
SELECT upper(m.contact) AS a, v.label AS b FROM relations_view_3 m
JOIN relations_view_2 v ON v.contact = m.contact;

-- view relations_view_5
-- label: = city.label
-- uses: customer.status, customer.city_id, city.city_id, customer.id, customer.phone, customer.email
SELECT b AS label FROM (SELECT * FROM relations_view_4) s;

-- view relations_view_renamed
-- a: = customer.id; b: ~ customer.email
-- uses: customer.status
SELECT a, b FROM relations_view_1 AS r (a, b);

-- view relations_view_in_sublinks
-- mail: ~ customer.email; known: ~ purchase.customer_id, customer.id, customer.status; label: = city.label
-- uses: customer.id, purchase.customer_id, customer.status, customer.city_id, city.city_id
SELECT (SELECT v.mail FROM relations_view_1 v WHERE v.id = p.customer_id) AS mail,
       p.customer_id IN (SELECT id FROM relations_view_1) AS known,
       (SELECT v.label FROM relations_view_2 v WHERE v.number = p.customer_id) AS label
FROM purchase p;

-- view relations_view_whole_row
-- v: ~ customer.id, customer.email, customer.city_id, customer.phone; mail: ~ customer.email
-- phone: = customer.phone
-- uses: customer.status
SELECT v, (v).mail, (SELECT (v).phone) AS phone FROM relations_view_1 v;

-- view relations_view_in_union
-- mail: = lead.email ~ customer.email
-- uses: customer.status
SELECT mail FROM relations_view_1 UNION ALL SELECT email FROM lead;

-- view relations_view_in_except
-- email: = lead.email
-- uses: customer.email, customer.status
SELECT email FROM lead EXCEPT SELECT mail FROM relations_view_1;

-- view relations_view_twice
-- a: = customer.phone; b: = customer.phone
-- uses: customer.status, customer.id
SELECT x.phone AS a, y.phone AS b FROM relations_view_1 x JOIN relations_view_1 y ON x.id = y.id + 1;

-- view relations_view_with_no_column_read
-- n: -
-- uses: customer.status
SELECT count(*) AS n FROM relations_view_1;

-- view relations_materialised materialised
-- city_id: = customer.city_id; mails: ~ customer.email; row: ~ lead.*
-- uses: customer.city_id, lead.id, customer.id
SELECT c.city_id, string_agg(c.email, ',') AS mails, l AS row FROM customer c JOIN lead l USING (id)
GROUP BY c.city_id, l;

-- view relations_on_materialised
-- mails: ~ customer.email; mail: ~ lead.*; label: = city.label
-- uses: customer.city_id, lead.id, customer.id, city.city_id, lead.*
SELECT m.mails, m.row::text AS mail, t.label FROM relations_materialised m JOIN city t USING (city_id);

-- view relations_materialised_without_data
-- email: = customer.email
CREATE MATERIALIZED VIEW relations_materialised_without_data AS SELECT email FROM customer WITH NO DATA;

-- view relations_partitioned
-- sensor: = reading.sensor; value: = reading.value; row: ~ reading.*
-- uses: reading.taken
SELECT sensor, value, r AS row FROM reading r WHERE taken > '2021-05-05';

-- view relations_partition
-- value: = reading.value; note: = reading.note
-- uses: reading.taken
SELECT value, note FROM reading_2020 WHERE taken IS NOT NULL;

-- view relations_partition_of_other_order
-- sensor: = reading.sensor; value: = reading.value; taken: ~ reading.taken; row: ~ reading.*
-- uses: reading.note
SELECT sensor, value, taken + 1 AS taken, r AS row FROM reading_2021 r WHERE note <> '';

-- view relations_partition_of_partition
-- value: = reading.value; middle: = reading.note
-- uses: reading.sensor
SELECT a.value, b.note AS middle FROM reading_2022_one a JOIN reading_2022 b USING (sensor);

-- view relations_partitions_united
-- note: = reading.note
SELECT note FROM reading_2020 UNION ALL SELECT note FROM reading_2021;

-- view relations_generated
-- id: = parcel.id; area: = parcel.area ~ parcel.width, parcel.height; code: = parcel.code ~ parcel.title
-- loud: ~ parcel.code, parcel.title; row: ~ parcel.*
SELECT id, area, code, code || '!' AS loud, p AS row FROM parcel p;

-- view relations_generated_and_its_source
-- width: = parcel.width; area: = parcel.area ~ parcel.width, parcel.height
-- either: = parcel.area, parcel.width ~ parcel.height
SELECT width, area, greatest(area, width) AS either FROM parcel;

-- view relations_generated_used
-- id: = parcel.id; height: = parcel.height
-- uses: parcel.area, parcel.width
SELECT id, height FROM parcel WHERE area > 100;

-- view relations_generated_through_view
-- a: = parcel.code ~ parcel.title; n: ~ parcel.area, parcel.width, parcel.height
SELECT code AS a, area / 2 AS n FROM relations_generated;

-- view relations_virtual since 18
-- id: = slab.id; volume: = slab.volume ~ slab.a, slab.b; double: ~ slab.volume, slab.a, slab.b; row: ~ slab.*
-- uses: slab.note, slab.word
CREATE TABLE slab (
    id int, a int, b int, volume int GENERATED ALWAYS AS (a * b) VIRTUAL, word text,
    note text GENERATED ALWAYS AS (lower(word)) VIRTUAL
);
CREATE VIEW relations_virtual AS SELECT id, volume, volume * 2 AS double, s AS row FROM slab s WHERE note <> '';

-- view relations_with_check_option
-- id: = customer.id; email: = customer.email
-- uses: customer.status
CREATE VIEW relations_with_check_option AS SELECT id, email FROM customer
WHERE status = 'a' WITH LOCAL CHECK OPTION;

-- view relations_with_cascaded_check_option
-- id: = customer.id; mail: = customer.email
-- uses: customer.status, customer.id
CREATE VIEW relations_with_cascaded_check_option AS
SELECT id, email AS mail FROM relations_with_check_option WHERE id > 3 WITH CASCADED CHECK OPTION;

-- view relations_with_security_barrier
-- phone: = customer.phone
-- uses: customer.email
CREATE VIEW relations_with_security_barrier WITH (security_barrier) AS SELECT phone FROM customer
WHERE email LIKE 'a%';

-- view relations_with_security_invoker since 15
-- phone: ~ customer.phone
-- uses: customer.email
CREATE VIEW relations_with_security_invoker WITH (security_invoker = true) AS
SELECT left(phone, 3) AS phone FROM relations_with_security_barrier;

-- view relations_with_rules
-- email: = customer.email
-- uses: customer.born
CREATE VIEW relations_with_rules AS SELECT email FROM customer WHERE born IS NULL;
CREATE RULE note_it AS ON INSERT TO relations_with_rules DO INSTEAD INSERT INTO lead (email,
    score) SELECT NEW.email, area::int FROM city;
CREATE RULE forget_it AS ON DELETE TO relations_with_rules DO INSTEAD UPDATE customer SET phone = NULL
WHERE email = OLD.email;

-- view relations_of_ruled_table
-- id: = ruled.id; note: = ruled.note
SELECT id, note FROM ruled;

-- view relations_foreign
-- email: = far_customer.email; phone: = customer.phone ~ far_customer.phone; row: ~ far_customer.*
-- uses: far_customer.id, customer.id
SELECT f.email, coalesce(f.phone || '', c.phone) AS phone, f AS row FROM far_customer f
JOIN customer c USING (id);

-- view relations_inherited
-- name: = animal.name; own: = animal.weight; lives: = cat.lives; child: = cat.name
-- uses: animal.name, cat.name
SELECT a.name, o.weight AS own, c.lives, c.name AS child FROM animal a, ONLY animal o, cat c
WHERE a.name = c.name;

-- view relations_of_type
-- city: = place.city; row: ~ place.*
SELECT city, p AS row FROM place p;

-- view relations_of_other_schema
-- a: = truth_other.customer.email; b: = customer.email; fax: ~ truth_other.customer.fax
-- uses: truth_other.customer.id, customer.id
SELECT o.email AS a, c.email AS b, upper(o.fax) AS fax FROM truth_other.customer o
JOIN customer c ON c.id = o.id;

-- view relations_in_other_schema
-- a: = customer.phone; v: ~ customer.email
-- uses: customer.status
CREATE VIEW truth_other.below AS SELECT mail AS v, phone FROM relations_view_1;
CREATE VIEW relations_in_other_schema AS SELECT phone AS a, v FROM truth_other.below;

-- view relations_locked
-- email: = customer.email
-- uses: customer.id
SELECT email FROM customer WHERE id = 1 FOR UPDATE;

-- view relations_of_counted_subquery
-- a: -; n: -
-- uses: customer.email, customer.phone
SELECT count(*) AS a, count(s) AS n FROM (SELECT email, phone FROM customer) s;
