"""The demonstration's data, made inside PostgreSQL by `generate_series`.

Every value is a function of the row's number and a fixed salt, never of `random()`: the data is the same on
every machine and in every version of PostgreSQL, and at a smaller scale the products stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

CUSTOMERS = 50_000
LOANS = 200_000

# How large the lender that was taken over is beside this one.
TAKEN_OVER = 0.05

# The day the books were closed: nothing in the data is later.
AS_OF = "2026-06-30"

TABLES = ("payments_repayment", "payments_instalment", "lending_loan", "lending_product", "lending_customer")

FUNCTIONS = """
-- An even spread over [0, 1), by row number and salt.
CREATE FUNCTION pg_temp.chance(number bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT (hashint8extended(number, salt) & 4294967295)::float8 / 4294967296
$$;
-- One element of a list; a bend above 1 prefers the first ones.
CREATE FUNCTION pg_temp.pick(list text[], number bigint, salt int, bend float8 = 1) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT list[1 + floor(cardinality(list) * pg_temp.chance(number, salt) ^ bend)::int]
$$;
"""

CUSTOMER_ROWS = """
INSERT INTO lending_customer (id, email, first_name, last_name, date_of_birth, city, registered_on)
SELECT n, lower(first_name || '.' || last_name) || n || '@example.com', first_name, last_name,
    date '{as_of}' - (18 * 365.25 + 62 * 365.25 * pg_temp.chance(n, 1) ^ 1.4)::int,
    pg_temp.pick('{{London,Birmingham,Manchester,Leeds,Glasgow,Bristol,Liverpool,Sheffield,Edinburgh,Cardiff,
        Leicester,Nottingham,Belfast,Newcastle,Brighton,Plymouth,Norwich,Exeter,York,Inverness}}', n, 2, 1.9),
    date '2018-10-01' + (90 * pg_temp.chance(n, 3))::int
FROM generate_series(1, {customers}) AS n,
LATERAL (SELECT
    pg_temp.pick('{{Olivia,Noah,Amelia,George,Isla,Arthur,Ava,Muhammad,Lily,Leo,Freya,Oscar,Grace,Harry,Aisha,
        Theo,Zara,Jack,Sofia,Ethan,Priya,Callum,Megan,Tomasz}}', n, 4, 1.2) AS first_name,
    pg_temp.pick('{{Smith,Jones,Taylor,Brown,Williams,Wilson,Patel,Johnson,Davies,Khan,Wright,Evans,Thomas,
        Walker,Roberts,Green,Hall,Wood,Clarke,Hughes,Edwards,Begum,Campbell,Kowalska,Murphy,Okafor}}',
        n, 5, 1.3) AS last_name) AS names;
"""

PRODUCT_ROWS = """
INSERT INTO lending_product (id, code, name, purpose, annual_rate, on_sale) VALUES
    (1, 'PL-STD', 'Personal loan', 'personal', 9.90, true),
    (2, 'CAR-USED', 'Used car loan', 'car', 8.40, true),
    (3, 'HOME-IMP', 'Home improvement loan', 'home', 7.20, true),
    (4, 'PL-SMALL', 'Small personal loan', 'personal', 17.90, true),
    (5, 'CAR-NEW', 'New car loan', 'car', 6.30, true),
    (6, 'STU-PG', 'Postgraduate loan', 'study', 5.60, true),
    (7, 'BIZ-START', 'Start-up loan', 'business', 12.50, true),
    (8, 'HOME-GREEN', 'Green home loan', 'home', 4.90, true),
    (9, 'PL-CONS', 'Debt consolidation loan', 'personal', 11.40, true),
    (10, 'BIZ-EQUIP', 'Equipment loan', 'business', 10.20, true),
    (11, 'CAR-EV', 'Electric car loan', 'car', 5.10, true),
    (12, 'PL-HOLIDAY', 'Holiday loan (100% online)', 'personal', 21.90, false);
"""

# How a loan goes is decided here once; its instalments and repayments follow. `stops` is the number of
# instalments that are paid before the customer stops paying, for one in sixteen.
LOAN_ROWS = """
CREATE TEMPORARY TABLE fate AS
SELECT n AS id, term, opened_on, principal, product_id, agreed.annual_rate,
    round(principal * monthly_rate / (1 - (1 + monthly_rate) ^ -term), 2) AS instalment,
    CASE WHEN pg_temp.chance(n, 12) < 0.0625
        THEN floor(term * pg_temp.chance(n, 13) ^ 0.7)::int ELSE term END AS stops,
    CASE WHEN pg_temp.chance(n, 14) < 0.15 THEN 24 ELSE 4 END AS slowness
FROM generate_series(1, {loans}) AS n
CROSS JOIN LATERAL (SELECT
    1 + floor(12 * pg_temp.chance(n, 18) ^ 1.6)::int AS product_id,
    pg_temp.pick('{{12,6,9,18,24,36}}', n, 15, 2.0)::int AS term,
    CASE n WHEN {loans} THEN date '{as_of}'
        ELSE date '2019-01-02' + ((date '{as_of}' - date '2019-01-02') * pg_temp.chance(n, 16) ^ 0.8)::int
    END AS opened_on,
    round((500 * exp(3.6 * pg_temp.chance(n, 17) ^ 1.3))::numeric, -1) AS principal) AS terms
JOIN lending_product AS product ON product.id = product_id
CROSS JOIN LATERAL (SELECT
    product.annual_rate + round((2 * pg_temp.chance(n, 11) - 1)::numeric, 1) AS annual_rate) AS agreed
CROSS JOIN LATERAL (SELECT agreed.annual_rate / 1200 AS monthly_rate) AS monthly;
ANALYZE fate;

INSERT INTO lending_loan
    (id, customer_id, product_id, principal, annual_rate, term_months, channel, status, opened_on)
SELECT id, 1 + floor({customers} * pg_temp.chance(id, 19) ^ 1.5)::int, product_id, principal, annual_rate,
    term, pg_temp.pick('{{web,broker,phone}}', id, 20, 1.8),
    CASE
        WHEN stops < term AND opened_on + make_interval(months => stops + 7) <= '{as_of}' THEN 'written_off'
        WHEN stops < term AND opened_on + make_interval(months => stops + 1) < '{as_of}' THEN 'late'
        WHEN opened_on + make_interval(months => term, days => slowness) <= '{as_of}' THEN 'settled'
        ELSE 'active'
    END,
    opened_on
FROM fate;
"""

INSTALMENT_ROWS = """
INSERT INTO payments_instalment (id, loan_id, number, due_on, amount)
SELECT 100 * fate.id + number, fate.id, number, opened_on + make_interval(months => number), instalment
FROM fate, generate_series(1, term) AS number;
"""

# One instalment in fifty is paid in two halves.
REPAYMENT_ROWS = """
INSERT INTO payments_repayment (id, instalment_id, paid_on, amount, method)
SELECT 10 * id + part, id, paid_on, round(amount / parts, 2), method
FROM (
    SELECT instalment.id, instalment.amount, part, parts,
        due_on + floor(slowness * pg_temp.chance(instalment.id, 21) ^ 2)::int + 6 * (part - 1) AS paid_on,
        CASE WHEN slowness > 4 THEN pg_temp.pick('{{card,transfer,direct_debit}}', instalment.id, 22, 1.3)
            ELSE pg_temp.pick('{{direct_debit,card,transfer}}', instalment.id, 22, 3) END AS method
    FROM payments_instalment AS instalment
    JOIN fate ON fate.id = instalment.loan_id AND number <= stops,
    LATERAL (SELECT CASE WHEN pg_temp.chance(instalment.id, 23) < 0.02 THEN 2 ELSE 1 END AS parts) AS split,
    generate_series(1, parts) AS part
    WHERE due_on <= '{as_of}'
) AS paid
WHERE paid_on <= '{as_of}';
"""

# What is cheaper to build over a full table than row by row: indexes, and the constraints that need one.
# Foreign keys are the first to go, because they need the keys that they refer to, and the last to come back.
REBUILT_AFTERWARDS = """
SELECT contype = 'f' AS refers,
    format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
    format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE contype IN ('f', 'p', 'u') AND conrelid = ANY (%(tables)s::regclass[])
UNION ALL
SELECT false, format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
FROM pg_index WHERE indrelid = ANY (%(tables)s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
ORDER BY refers DESC
"""


def is_loaded(connection: BaseDatabaseWrapper) -> bool:
    """Whether there is any data; `load` makes all of it or none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM lending_customer)")
        return bool(cursor.fetchone()[0])


def load(connection: BaseDatabaseWrapper, scale: float = 1.0) -> None:
    """Replace whatever the tables hold by the data, in one transaction.

    `scale` multiplies the number of customers and loans; their instalments and repayments follow.
    """
    numbers = {
        "as_of": AS_OF,
        "customers": max(50, round(CUSTOMERS * scale)),
        "loans": max(200, round(LOANS * scale)),
    }
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}")
        cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute("DROP FUNCTION IF EXISTS pg_temp.chance, pg_temp.pick")
        cursor.execute(FUNCTIONS)
        with _lightened_tables(cursor):
            for rows in (CUSTOMER_ROWS, PRODUCT_ROWS, LOAN_ROWS, INSTALMENT_ROWS, REPAYMENT_ROWS):
                cursor.execute(rows.format(**numbers))
            cursor.execute("DROP TABLE fate")
        for table in TABLES:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(TABLES)}")


@contextmanager
def _lightened_tables(cursor: Any) -> Iterator[None]:
    cursor.execute(REBUILT_AFTERWARDS, {"tables": list(TABLES)})
    statements = cursor.fetchall()
    for _, drop, _ in statements:
        cursor.execute(drop)
    yield
    for _, _, build in reversed(statements):
        cursor.execute(build)
