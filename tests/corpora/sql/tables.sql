-- Tables of six small worlds, with a few rows each, so that materialised views have something to compute.
CREATE TYPE public.severity AS ENUM ('debug', 'info', 'warning', 'error');
CREATE TYPE public.address AS (street text, house integer, "Post Code" varchar(9));
CREATE DOMAIN public.percentage AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE SEQUENCE public.tickets;

-- Trade: who delivers which part to whom.
CREATE TABLE public.areas (area_id int PRIMARY KEY, area_name varchar(25) NOT NULL);
CREATE TABLE public.buyers (
    buyer_id int PRIMARY KEY, buyer_name text NOT NULL, area_id int REFERENCES public.areas, segment varchar(10),
    balance numeric(12, 2), home public.address
);
CREATE TABLE public.makers (
    maker_id int PRIMARY KEY, maker_name text NOT NULL, area_id int REFERENCES public.areas, phone varchar(15)
);
CREATE TABLE public.parts (
    part_id int PRIMARY KEY, part_name text NOT NULL, kind varchar(25), size smallint, price numeric(10, 2)
);
CREATE TABLE public.offers (
    part_id int REFERENCES public.parts, maker_id int REFERENCES public.makers, stock int, cost numeric(10, 2),
    PRIMARY KEY (part_id, maker_id)
);
CREATE TABLE public.purchases (
    purchase_id int PRIMARY KEY, buyer_id int REFERENCES public.buyers, state char(1), total numeric(12, 2),
    placed date, urgency varchar(15)
);
CREATE TABLE public.purchase_lines (
    purchase_id int REFERENCES public.purchases, line int, part_id int, maker_id int, quantity numeric(8, 2),
    price numeric(12, 2), discount numeric(4, 2), tax numeric(4, 2), returned char(1), shipped date, due date,
    received date, way varchar(10), PRIMARY KEY (purchase_id, line)
);

-- Retail: a star of facts and dimensions.
CREATE TABLE public.days (day_key int PRIMARY KEY, day date, year int, quarter int, month int, weekday varchar(9));
CREATE TABLE public.stores (store_key int PRIMARY KEY, store_name varchar(50), county varchar(30), floor_space int);
CREATE TABLE public.items (
    item_key int PRIMARY KEY, item_code char(16), category varchar(50), brand varchar(50), colour varchar(20),
    list_price numeric(7, 2)
);
CREATE TABLE public.store_sales (
    day_key int, store_key int, item_key int, shopper_key int, ticket bigint, quantity int, paid numeric(7, 2),
    profit numeric(7, 2)
);
CREATE TABLE public.web_sales (
    day_key int, item_key int, shopper_key int, order_number bigint, quantity int, paid numeric(7, 2),
    profit double precision
);

-- A library.
CREATE TABLE public.authors (author_id int PRIMARY KEY, name text NOT NULL, born date, died date);
CREATE TABLE public.books (
    book_id int PRIMARY KEY, title text NOT NULL, author_id int REFERENCES public.authors, subjects text[],
    isbn char(13), pages int, words tsvector
);
CREATE TABLE public.loans (
    loan_id bigint PRIMARY KEY, book_id int REFERENCES public.books, reader text COLLATE "C", period daterange,
    fine money
);

-- A hospital.
CREATE TABLE public.wards (ward varchar(8) PRIMARY KEY, beds int4range, floor_plan polygon);
CREATE TABLE public.patients (
    patient_id uuid PRIMARY KEY, surname varchar(40), born date, blood char(3), weight real, "Next of Kin" text
);
CREATE TABLE public.stays (
    stay_id int PRIMARY KEY, patient_id uuid REFERENCES public.patients, ward varchar(8) REFERENCES public.wards,
    during tstzrange, pulse int[], occupancy public.percentage
);

-- What servers log.
CREATE TABLE public.events (
    event_id bigint PRIMARY KEY, at timestamptz, level public.severity, host inet, net cidr, payload jsonb,
    raw json, tags text[], took interval, body bytea, flags bit(8), local timestamp
);

-- Trees and graphs.
CREATE TABLE public.employees (
    id int PRIMARY KEY, name varchar(30), boss int REFERENCES public.employees, salary numeric(9, 2), hired time
);
CREATE TABLE public.roads (a int, b int, length double precision, course path, start point, PRIMARY KEY (a, b));

INSERT INTO public.areas SELECT i, 'area ' || i FROM generate_series(1, 5) i;
INSERT INTO public.buyers SELECT i, 'buyer ' || i, i % 5 + 1, 'retail', i, ROW('street', i, 'AB1')::public.address FROM generate_series(1, 9) i;
INSERT INTO public.makers SELECT i, 'maker ' || i, i % 5 + 1, '33-' || i FROM generate_series(1, 9) i;
INSERT INTO public.parts SELECT i, 'part ' || i, 'brass', i, i FROM generate_series(1, 9) i;
INSERT INTO public.offers SELECT i, i, i, i FROM generate_series(1, 9) i;
INSERT INTO public.purchases SELECT i, i, 'O', i, date '2024-01-01' + i, '1-URGENT' FROM generate_series(1, 9) i;
INSERT INTO public.purchase_lines
SELECT i, 1, i, i, i, i, 0.05, 0.02, 'N', date '2024-01-05' + i, '2024-01-09', '2024-01-12', 'ship' FROM generate_series(1, 9) i;
INSERT INTO public.days SELECT i, date '2024-01-01' + i, 2024, 1, 1, 'Monday' FROM generate_series(1, 9) i;
INSERT INTO public.stores SELECT i, 'store ' || i, 'Kent', 100 * i FROM generate_series(1, 3) i;
INSERT INTO public.items SELECT i, 'code' || i, 'Books', 'brand', 'red', i FROM generate_series(1, 9) i;
INSERT INTO public.store_sales SELECT i, i % 3 + 1, i, i, i, i, i, i FROM generate_series(1, 9) i;
INSERT INTO public.web_sales SELECT i, i, i, i, i, i, i FROM generate_series(1, 9) i;
INSERT INTO public.authors SELECT i, 'author ' || i, '1900-01-01' FROM generate_series(1, 3) i;
INSERT INTO public.books SELECT i, 'title ' || i, i, ARRAY['sea', 'sky'], 'isbn', 100, 'word' FROM generate_series(1, 3) i;
INSERT INTO public.loans SELECT i, i, 'reader', daterange('2024-01-01', '2024-02-01'), '1.50'::numeric::money FROM generate_series(1, 3) i;
INSERT INTO public.wards VALUES ('north', '[1,9)', '((0,0),(1,1),(1,0))');
INSERT INTO public.patients VALUES ('7f1c6a1e-6c2c-4a5a-9a52-0d6a1c1f2b3c', 'Low', '1980-01-01', 'A+', 70, 'nobody');
INSERT INTO public.stays SELECT 1, patient_id, 'north', '[2024-01-01,2024-01-02)', '{60,70}', 50 FROM public.patients;
INSERT INTO public.events
SELECT i, '2024-01-01', 'info', '10.0.0.1', '10.0.0.0/8', '{"user": {"id": 7}, "items": [1, 2], "ok": true}', '{"a": 1}', '{a,b}', '3 s', '\x01', B'10101010', '2024-01-01'
FROM generate_series(1, 3) i;
INSERT INTO public.employees SELECT i, 'name ' || i, NULLIF(i / 2, 0), 100 * i, '08:00' FROM generate_series(1, 9) i;
INSERT INTO public.roads SELECT i, i % 4 + 1, i, '((0,0),(1,1))', '(0,0)' FROM generate_series(1, 4) i;
