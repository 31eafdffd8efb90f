-- The tables of the TPC-H benchmark and its 22 queries, each a view.
CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name char(25), r_comment varchar(152));
CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name char(25), n_regionkey int, n_comment varchar(152));
CREATE TABLE part (
    p_partkey int PRIMARY KEY, p_name varchar(55), p_mfgr char(25), p_brand char(10), p_type varchar(25),
    p_size int,
    p_container char(10), p_retailprice numeric(15, 2), p_comment varchar(23)
);
CREATE TABLE supplier (
    s_suppkey int PRIMARY KEY, s_name char(25), s_address varchar(40), s_nationkey int, s_phone char(15),
    s_acctbal numeric(15, 2), s_comment varchar(101)
);
CREATE TABLE partsupp (
    ps_partkey int, ps_suppkey int, ps_availqty int, ps_supplycost numeric(15, 2), ps_comment varchar(199),
    PRIMARY KEY (ps_partkey, ps_suppkey)
);
CREATE TABLE customer (
    c_custkey int PRIMARY KEY, c_name varchar(25), c_address varchar(40), c_nationkey int, c_phone char(15),
    c_acctbal numeric(15, 2), c_mktsegment char(10), c_comment varchar(117)
);
CREATE TABLE orders (
    o_orderkey int PRIMARY KEY, o_custkey int, o_orderstatus char(1), o_totalprice numeric(15, 2),
    o_orderdate date,
    o_orderpriority char(15), o_clerk char(15), o_shippriority int, o_comment varchar(79)
);
CREATE TABLE lineitem (
    l_orderkey int, l_partkey int, l_suppkey int, l_linenumber int, l_quantity numeric(15, 2),
    l_extendedprice numeric(15, 2), l_discount numeric(15, 2), l_tax numeric(15, 2), l_returnflag char(1),
    l_linestatus char(1), l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct char(25),
    l_shipmode char(10), l_comment varchar(44), PRIMARY KEY (l_orderkey, l_linenumber)
);

-- view q01_pricing_summary
-- l_returnflag: = lineitem.l_returnflag; l_linestatus: = lineitem.l_linestatus
-- sum_qty: ~ lineitem.l_quantity; sum_base_price: ~ lineitem.l_extendedprice
-- sum_disc_price: ~ lineitem.l_extendedprice, lineitem.l_discount
-- sum_charge: ~ lineitem.l_extendedprice, lineitem.l_discount, lineitem.l_tax
-- avg_qty: ~ lineitem.l_quantity; avg_price: ~ lineitem.l_extendedprice; avg_disc: ~ lineitem.l_discount
-- count_order: -
-- uses: lineitem.l_shipdate, lineitem.l_returnflag, lineitem.l_linestatus
SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price,
       sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
       sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
       avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc,
       count(*) AS count_order
FROM lineitem WHERE l_shipdate <= date '1998-12-01' - interval '90' day
GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus;

-- view q02_minimum_cost_supplier
-- s_acctbal: = supplier.s_acctbal; s_name: = supplier.s_name; n_name: = nation.n_name
-- p_partkey: = part.p_partkey
-- p_mfgr: = part.p_mfgr; s_address: = supplier.s_address; s_phone: = supplier.s_phone
-- s_comment: = supplier.s_comment
-- uses: part.p_partkey, partsupp.ps_partkey, supplier.s_suppkey, partsupp.ps_suppkey, part.p_size, part.p_type
-- uses: supplier.s_nationkey, nation.n_nationkey, nation.n_regionkey, region.r_regionkey, region.r_name
-- uses: partsupp.ps_supplycost, supplier.s_acctbal, nation.n_name, supplier.s_name
SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment
FROM part, supplier, partsupp, nation, region
WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND p_size = 15 AND p_type LIKE '%BRASS'
  AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'EUROPE'
  AND ps_supplycost = (
      SELECT min(ps_supplycost) FROM partsupp, supplier, nation, region
      WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND s_nationkey = n_nationkey
        AND n_regionkey = r_regionkey AND r_name = 'EUROPE')
ORDER BY s_acctbal DESC, n_name, s_name, p_partkey LIMIT 100;

-- view q03_shipping_priority
-- l_orderkey: = lineitem.l_orderkey; revenue: ~ lineitem.l_extendedprice, lineitem.l_discount
-- o_orderdate: = orders.o_orderdate; o_shippriority: = orders.o_shippriority
-- uses: customer.c_mktsegment, customer.c_custkey, orders.o_custkey, lineitem.l_orderkey, orders.o_orderkey
-- uses: orders.o_orderdate, lineitem.l_shipdate, orders.o_shippriority, lineitem.l_extendedprice,
--   lineitem.l_discount
SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
FROM customer, orders, lineitem
WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey
  AND o_orderdate < date '1995-03-15' AND l_shipdate > date '1995-03-15'
GROUP BY l_orderkey, o_orderdate, o_shippriority ORDER BY revenue DESC, o_orderdate LIMIT 10;

-- view q04_order_priority
-- o_orderpriority: = orders.o_orderpriority; order_count: -
-- uses: orders.o_orderdate, lineitem.l_orderkey, orders.o_orderkey, lineitem.l_commitdate,
--   lineitem.l_receiptdate
-- uses: orders.o_orderpriority
SELECT o_orderpriority, count(*) AS order_count FROM orders
WHERE o_orderdate >= date '1993-07-01' AND o_orderdate < date '1993-07-01' + interval '3' month
  AND EXISTS (SELECT * FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)
GROUP BY o_orderpriority ORDER BY o_orderpriority;

-- view q05_local_supplier_volume
-- n_name: = nation.n_name; revenue: ~ lineitem.l_extendedprice, lineitem.l_discount
-- uses: customer.c_custkey, orders.o_custkey, lineitem.l_orderkey, orders.o_orderkey, lineitem.l_suppkey
-- uses: supplier.s_suppkey, customer.c_nationkey, supplier.s_nationkey, nation.n_nationkey, nation.n_regionkey
-- uses: region.r_regionkey, region.r_name, orders.o_orderdate, nation.n_name
SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM customer, orders, lineitem, supplier, nation, region
WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey AND c_nationkey = s_nationkey
  AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'ASIA'
  AND o_orderdate >= date '1994-01-01' AND o_orderdate < date '1994-01-01' + interval '1' year
GROUP BY n_name ORDER BY revenue DESC;

-- view q06_forecast_revenue
-- revenue: ~ lineitem.l_extendedprice, lineitem.l_discount
-- uses: lineitem.l_shipdate, lineitem.l_discount, lineitem.l_quantity
SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem
WHERE l_shipdate >= date '1994-01-01' AND l_shipdate < date '1994-01-01' + interval '1' year
  AND l_discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01 AND l_quantity < 24;

-- view q07_volume_shipping
-- supp_nation: = nation.n_name; cust_nation: = nation.n_name; l_year: ~ lineitem.l_shipdate
-- revenue: ~ lineitem.l_extendedprice, lineitem.l_discount
-- uses: supplier.s_suppkey, lineitem.l_suppkey, orders.o_orderkey, lineitem.l_orderkey, customer.c_custkey
-- uses: orders.o_custkey, supplier.s_nationkey, nation.n_nationkey, customer.c_nationkey, nation.n_name
-- uses: lineitem.l_shipdate
SELECT supp_nation, cust_nation, l_year, sum(volume) AS revenue
FROM (
    SELECT n1.n_name AS supp_nation, n2.n_name AS cust_nation, extract(year FROM l_shipdate) AS l_year,
           l_extendedprice * (1 - l_discount) AS volume
    FROM supplier, lineitem, orders, customer, nation n1, nation n2
    WHERE s_suppkey = l_suppkey AND o_orderkey = l_orderkey AND c_custkey = o_custkey
      AND s_nationkey = n1.n_nationkey AND c_nationkey = n2.n_nationkey
      AND ((n1.n_name = 'FRANCE' AND n2.n_name = 'GERMANY') OR (n1.n_name = 'GERMANY' AND n2.n_name = 'FRANCE'))
      AND l_shipdate BETWEEN date '1995-01-01' AND date '1996-12-31'
) AS shipping
GROUP BY supp_nation, cust_nation, l_year ORDER BY supp_nation, cust_nation, l_year;

-- view q08_national_market_share
-- o_year: ~ orders.o_orderdate; mkt_share: ~ lineitem.l_extendedprice, lineitem.l_discount, nation.n_name
-- uses: part.p_partkey, lineitem.l_partkey, supplier.s_suppkey, lineitem.l_suppkey, lineitem.l_orderkey
-- uses: orders.o_orderkey, orders.o_custkey, customer.c_custkey, customer.c_nationkey, nation.n_nationkey
-- uses: nation.n_regionkey, region.r_regionkey, region.r_name, supplier.s_nationkey, orders.o_orderdate,
--   part.p_type
SELECT o_year, sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) / sum(volume) AS mkt_share
FROM (
    SELECT extract(year FROM o_orderdate) AS o_year, l_extendedprice * (1 - l_discount) AS volume,
    n2.n_name AS nation
    FROM part, supplier, lineitem, orders, customer, nation n1, nation n2, region
    WHERE p_partkey = l_partkey AND s_suppkey = l_suppkey AND l_orderkey = o_orderkey AND o_custkey = c_custkey
      AND c_nationkey = n1.n_nationkey AND n1.n_regionkey = r_regionkey AND r_name = 'AMERICA'
      AND s_nationkey = n2.n_nationkey AND o_orderdate BETWEEN date '1995-01-01' AND date '1996-12-31'
      AND p_type = 'ECONOMY ANODIZED STEEL'
) AS all_nations
GROUP BY o_year ORDER BY o_year;

-- view q09_product_type_profit
-- nation: = nation.n_name; o_year: ~ orders.o_orderdate
-- sum_profit: ~ lineitem.l_extendedprice, lineitem.l_discount, partsupp.ps_supplycost, lineitem.l_quantity
-- uses: supplier.s_suppkey, lineitem.l_suppkey, partsupp.ps_suppkey, partsupp.ps_partkey, lineitem.l_partkey
-- uses: part.p_partkey, orders.o_orderkey, lineitem.l_orderkey, supplier.s_nationkey, nation.n_nationkey,
--   part.p_name
-- uses: nation.n_name, orders.o_orderdate
SELECT nation, o_year, sum(amount) AS sum_profit
FROM (
    SELECT n_name AS nation, extract(year FROM o_orderdate) AS o_year,
           l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity AS amount
    FROM part, supplier, lineitem, partsupp, orders, nation
    WHERE s_suppkey = l_suppkey AND ps_suppkey = l_suppkey AND ps_partkey = l_partkey AND p_partkey = l_partkey
      AND o_orderkey = l_orderkey AND s_nationkey = n_nationkey AND p_name LIKE '%green%'
) AS profit
GROUP BY nation, o_year ORDER BY nation, o_year DESC;

-- view q10_returned_items
-- c_custkey: = customer.c_custkey; c_name: = customer.c_name
-- revenue: ~ lineitem.l_extendedprice, lineitem.l_discount
-- c_acctbal: = customer.c_acctbal; n_name: = nation.n_name; c_address: = customer.c_address
-- c_phone: = customer.c_phone; c_comment: = customer.c_comment
-- uses: customer.c_custkey, orders.o_custkey, lineitem.l_orderkey, orders.o_orderkey, orders.o_orderdate
-- uses: lineitem.l_returnflag, customer.c_nationkey, nation.n_nationkey
SELECT c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) AS revenue, c_acctbal, n_name, c_address,
       c_phone, c_comment
FROM customer, orders, lineitem, nation
WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND o_orderdate >= date '1993-10-01'
  AND o_orderdate < date '1993-10-01' + interval '3' month AND l_returnflag = 'R' AND c_nationkey = n_nationkey
GROUP BY c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment ORDER BY revenue DESC LIMIT 20;

-- view q11_important_stock
-- ps_partkey: = partsupp.ps_partkey; value: ~ partsupp.ps_supplycost, partsupp.ps_availqty
-- uses: partsupp.ps_suppkey, supplier.s_suppkey, supplier.s_nationkey, nation.n_nationkey, nation.n_name
-- uses: partsupp.ps_partkey, partsupp.ps_supplycost, partsupp.ps_availqty
SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS value
FROM partsupp, supplier, nation
WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY'
GROUP BY ps_partkey
HAVING sum(ps_supplycost * ps_availqty) > (
    SELECT sum(ps_supplycost * ps_availqty) * 0.0001 FROM partsupp, supplier, nation
    WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY')
ORDER BY value DESC;

-- view q12_shipping_modes
-- l_shipmode: = lineitem.l_shipmode; high_line_count: ~ orders.o_orderpriority
-- low_line_count: ~ orders.o_orderpriority
-- uses: orders.o_orderkey, lineitem.l_orderkey, lineitem.l_shipmode, lineitem.l_commitdate,
--   lineitem.l_receiptdate
-- uses: lineitem.l_shipdate
SELECT l_shipmode,
       sum(CASE WHEN o_orderpriority = '1-URGENT' OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END) AS high_line_count,
       sum(CASE WHEN o_orderpriority <> '1-URGENT' AND o_orderpriority <> '2-HIGH' THEN 1 ELSE 0 END) AS low_line_count
FROM orders, lineitem
WHERE o_orderkey = l_orderkey AND l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate
  AND l_shipdate < l_commitdate AND l_receiptdate >= date '1994-01-01'
  AND l_receiptdate < date '1994-01-01' + interval '1' year
GROUP BY l_shipmode ORDER BY l_shipmode;

-- view q13_customer_distribution
-- c_count: -; custdist: -
-- uses: customer.c_custkey, orders.o_custkey, orders.o_comment, orders.o_orderkey
SELECT c_count, count(*) AS custdist
FROM (
    SELECT c_custkey, count(o_orderkey)
    FROM customer LEFT OUTER JOIN orders ON c_custkey = o_custkey AND o_comment NOT LIKE '%special%requests%'
    GROUP BY c_custkey
) AS c_orders (c_custkey, c_count)
GROUP BY c_count ORDER BY custdist DESC, c_count DESC;

-- view q14_promotion_effect
-- promo_revenue: ~ part.p_type, lineitem.l_extendedprice, lineitem.l_discount
-- uses: lineitem.l_partkey, part.p_partkey, lineitem.l_shipdate
SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice * (1 - l_discount) ELSE 0 END)
       / sum(l_extendedprice * (1 - l_discount)) AS promo_revenue
FROM lineitem, part
WHERE l_partkey = p_partkey AND l_shipdate >= date '1995-09-01' AND l_shipdate < date '1995-09-01' + interval '1' month;

-- view q15_revenue
-- supplier_no: = lineitem.l_suppkey; total_revenue: ~ lineitem.l_extendedprice, lineitem.l_discount
-- uses: lineitem.l_shipdate, lineitem.l_suppkey
CREATE VIEW q15_revenue (supplier_no, total_revenue) AS
SELECT l_suppkey, sum(l_extendedprice * (1 - l_discount)) FROM lineitem
WHERE l_shipdate >= date '1996-01-01' AND l_shipdate < date '1996-01-01' + interval '3' month
GROUP BY l_suppkey;

-- view q15_top_supplier
-- s_suppkey: = supplier.s_suppkey; s_name: = supplier.s_name; s_address: = supplier.s_address
-- s_phone: = supplier.s_phone
-- total_revenue: ~ lineitem.l_extendedprice, lineitem.l_discount
-- uses: supplier.s_suppkey, lineitem.l_suppkey, lineitem.l_shipdate, lineitem.l_extendedprice,
--   lineitem.l_discount
SELECT s_suppkey, s_name, s_address, s_phone, total_revenue FROM supplier, q15_revenue
WHERE s_suppkey = supplier_no AND total_revenue = (SELECT max(total_revenue)
FROM q15_revenue) ORDER BY s_suppkey;

-- view q16_parts_supplier_relationship
-- p_brand: = part.p_brand; p_type: = part.p_type; p_size: = part.p_size; supplier_cnt: -
-- uses: part.p_partkey, partsupp.ps_partkey, part.p_brand, part.p_type, part.p_size, partsupp.ps_suppkey
-- uses: supplier.s_suppkey, supplier.s_comment
SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey) AS supplier_cnt
FROM partsupp, part
WHERE p_partkey = ps_partkey AND p_brand <> 'Brand#45' AND p_type NOT LIKE 'MEDIUM POLISHED%'
  AND p_size IN (49, 14, 23, 45, 19, 3, 36, 9)
  AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier WHERE s_comment LIKE '%Customer%Complaints%')
GROUP BY p_brand, p_type, p_size ORDER BY supplier_cnt DESC, p_brand, p_type, p_size;

-- view q17_small_quantity_orders
-- avg_yearly: ~ lineitem.l_extendedprice
-- uses: part.p_partkey, lineitem.l_partkey, part.p_brand, part.p_container, lineitem.l_quantity
SELECT sum(l_extendedprice) / 7.0 AS avg_yearly FROM lineitem, part
WHERE p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container = 'MED BOX'
  AND l_quantity < (SELECT 0.2 * avg(l_quantity) FROM lineitem WHERE l_partkey = p_partkey);

-- view q18_large_volume_customers
-- c_name: = customer.c_name; c_custkey: = customer.c_custkey; o_orderkey: = orders.o_orderkey
-- o_orderdate: = orders.o_orderdate; o_totalprice: = orders.o_totalprice; quantity: ~ lineitem.l_quantity
-- uses: orders.o_orderkey, lineitem.l_orderkey, lineitem.l_quantity, customer.c_custkey, orders.o_custkey
SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) AS quantity
FROM customer, orders, lineitem
WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 300)
  AND c_custkey = o_custkey AND o_orderkey = l_orderkey
GROUP BY c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice ORDER BY o_totalprice DESC,
    o_orderdate LIMIT 100;

-- view q19_discounted_revenue
-- revenue: ~ lineitem.l_extendedprice, lineitem.l_discount
-- uses: part.p_partkey, lineitem.l_partkey, part.p_brand, part.p_container, lineitem.l_quantity, part.p_size
-- uses: lineitem.l_shipmode, lineitem.l_shipinstruct
SELECT sum(l_extendedprice * (1 - l_discount)) AS revenue FROM lineitem, part
WHERE (p_partkey = l_partkey AND p_brand = 'Brand#12' AND p_container IN ('SM CASE', 'SM BOX', 'SM PACK',
    'SM PKG')
       AND l_quantity >= 1 AND l_quantity <= 11 AND p_size BETWEEN 1 AND 5
       AND l_shipmode IN ('AIR', 'AIR REG') AND l_shipinstruct = 'DELIVER IN PERSON')
   OR (p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container IN ('MED BAG', 'MED BOX', 'MED PKG',
   'MED PACK')
       AND l_quantity >= 10 AND l_quantity <= 20 AND p_size BETWEEN 1 AND 10
       AND l_shipmode IN ('AIR', 'AIR REG') AND l_shipinstruct = 'DELIVER IN PERSON')
   OR (p_partkey = l_partkey AND p_brand = 'Brand#34' AND p_container IN ('LG CASE', 'LG BOX', 'LG PACK',
   'LG PKG')
       AND l_quantity >= 20 AND l_quantity <= 30 AND p_size BETWEEN 1 AND 15
       AND l_shipmode IN ('AIR', 'AIR REG') AND l_shipinstruct = 'DELIVER IN PERSON');

-- view q20_part_promotion
-- s_name: = supplier.s_name; s_address: = supplier.s_address
-- uses: supplier.s_suppkey, partsupp.ps_suppkey, partsupp.ps_partkey, part.p_partkey, part.p_name
-- uses: partsupp.ps_availqty, lineitem.l_quantity, lineitem.l_partkey, lineitem.l_suppkey, lineitem.l_shipdate
-- uses: supplier.s_nationkey, nation.n_nationkey, nation.n_name, supplier.s_name
SELECT s_name, s_address FROM supplier, nation
WHERE s_suppkey IN (
    SELECT ps_suppkey FROM partsupp
    WHERE ps_partkey IN (SELECT p_partkey FROM part WHERE p_name LIKE 'forest%')
      AND ps_availqty > (
          SELECT 0.5 * sum(l_quantity) FROM lineitem
          WHERE l_partkey = ps_partkey AND l_suppkey = ps_suppkey AND l_shipdate >= date '1994-01-01'
            AND l_shipdate < date '1994-01-01' + interval '1' year))
  AND s_nationkey = n_nationkey AND n_name = 'CANADA' ORDER BY s_name;

-- view q21_suppliers_who_kept_orders_waiting
-- s_name: = supplier.s_name; numwait: -
-- uses: supplier.s_suppkey, lineitem.l_suppkey, orders.o_orderkey, lineitem.l_orderkey, orders.o_orderstatus
-- uses: lineitem.l_receiptdate, lineitem.l_commitdate, supplier.s_nationkey, nation.n_nationkey, nation.n_name,
--   supplier.s_name
SELECT s_name, count(*) AS numwait FROM supplier, lineitem l1, orders, nation
WHERE s_suppkey = l1.l_suppkey AND o_orderkey = l1.l_orderkey AND o_orderstatus = 'F' AND l1.l_receiptdate > l1.l_commitdate
  AND EXISTS (SELECT * FROM lineitem l2 WHERE l2.l_orderkey = l1.l_orderkey AND l2.l_suppkey <> l1.l_suppkey)
  AND NOT EXISTS (SELECT * FROM lineitem l3 WHERE l3.l_orderkey = l1.l_orderkey AND l3.l_suppkey <> l1.l_suppkey
                    AND l3.l_receiptdate > l3.l_commitdate)
  AND s_nationkey = n_nationkey AND n_name = 'SAUDI ARABIA'
GROUP BY s_name ORDER BY numwait DESC, s_name LIMIT 100;

-- view q22_global_sales_opportunity
-- cntrycode: ~ customer.c_phone; numcust: -; totacctbal: ~ customer.c_acctbal
-- uses: customer.c_phone, customer.c_acctbal, orders.o_custkey, customer.c_custkey
SELECT cntrycode, count(*) AS numcust, sum(c_acctbal) AS totacctbal
FROM (
    SELECT substring(c_phone FROM 1 FOR 2) AS cntrycode, c_acctbal FROM customer
    WHERE substring(c_phone FROM 1 FOR 2) IN ('13', '31', '23', '29', '30', '18', '17')
      AND c_acctbal > (
          SELECT avg(c_acctbal) FROM customer
          WHERE c_acctbal > 0.00 AND substring(c_phone FROM 1 FOR 2) IN ('13', '31', '23', '29', '30', '18',
          '17'))
      AND NOT EXISTS (SELECT * FROM orders WHERE o_custkey = c_custkey)
) AS custsale
GROUP BY cntrycode ORDER BY cntrycode;
