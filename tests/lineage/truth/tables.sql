-- What the views of this directory read. All of it is in the schema `truth`.
CREATE TYPE address AS (street text, city text, zip varchar(10));
CREATE TYPE contact AS (mail text, call text);
CREATE TYPE mood AS ENUM ('sad', 'fair', 'glad');
CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN short AS varchar(5);

CREATE TABLE customer (
    id int PRIMARY KEY, name varchar(60), email text, phone text, born date, status text, city_id int,
    referrer_id int, balance numeric(12, 2), tags text[], profile jsonb, joined timestamptz
);
CREATE TABLE city (city_id int PRIMARY KEY, label text, country char(2), mayor_id int, area real);
CREATE TABLE purchase (
    id bigint PRIMARY KEY, customer_id int, placed timestamptz, total numeric(12, 2), coupon text,
    status varchar(20), clerk_id int
);
CREATE TABLE line (
    purchase_id bigint, product_id int, quantity int, price numeric(12, 2),
    PRIMARY KEY (purchase_id, product_id)
);
CREATE TABLE product (product_id int PRIMARY KEY, title text, price numeric(12, 2), sold daterange,
    parts text[]);
CREATE TABLE employee (id int PRIMARY KEY, boss_id int, name text, salary numeric, hired date, city_id int);
CREATE TABLE person (
    id int, home address, past address[], feeling mood, mail mail, code short, stay daterange, grid int[]
);
CREATE TABLE document (id int, title text, body xml, data json, payload jsonb);
CREATE TABLE edge (source int, target int, weight int, label text);
-- Of the same form, for set operations.
CREATE TABLE lead (id int, email text, phone varchar(20), score int, found date);
CREATE TABLE contractor (id bigint, email varchar(80), phone char(12), score numeric, found timestamp);
