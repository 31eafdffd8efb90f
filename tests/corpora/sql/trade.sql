-- Questions of a wholesaler, of the sort that decision-support benchmarks ask, in our own words.

-- view trade_pricing materialised
SELECT returned, way, sum(quantity) AS pieces, sum(price * (1 - discount)) AS net,
       sum(price * (1 - discount) * (1 + tax)) AS charged, avg(discount) AS mean_discount, count(*) AS lines
FROM purchase_lines
WHERE shipped <= date '2024-12-01' - interval '90' day
GROUP BY returned, way ORDER BY returned, way;

-- view trade_cheapest_maker
SELECT m.maker_name, a.area_name, p.part_id, o.cost
FROM parts p, offers o, makers m, areas a
WHERE p.part_id = o.part_id AND m.maker_id = o.maker_id AND m.area_id = a.area_id AND p.size = 15
  AND p.kind LIKE '%brass' AND o.cost = (SELECT min(x.cost) FROM offers x WHERE x.part_id = p.part_id);

-- view trade_waiting materialised
SELECT l.purchase_id, sum(l.price * (1 - l.discount)) AS revenue, u.placed, u.urgency
FROM buyers b JOIN purchases u USING (buyer_id) JOIN purchase_lines l USING (purchase_id)
WHERE b.segment IN ('retail', 'public') AND u.placed < '2024-03-15' AND l.shipped > '2024-03-15'
GROUP BY l.purchase_id, u.placed, u.urgency;

-- view trade_late_by_urgency
SELECT urgency, count(*) AS late FROM purchases u
WHERE placed BETWEEN '2024-01-01' AND '2024-04-01'
  AND EXISTS (SELECT * FROM purchase_lines l WHERE l.purchase_id = u.purchase_id AND l.due < l.received)
GROUP BY urgency;

-- view trade_small_discounts materialised
SELECT sum(price * discount) AS gain FROM purchase_lines
WHERE shipped BETWEEN date '2024-01-01' AND date '2024-01-01' + interval '1 year'
  AND discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01 AND quantity < 24;

-- view trade_between_areas materialised
SELECT f.area_name AS source, t.area_name AS target, extract(year FROM l.shipped) AS year, sum(l.price) AS volume
FROM makers m, purchase_lines l, purchases u, buyers b, areas f, areas t
WHERE m.maker_id = l.maker_id AND u.purchase_id = l.purchase_id AND b.buyer_id = u.buyer_id
  AND m.area_id = f.area_id AND b.area_id = t.area_id
  AND ((f.area_name = 'area 1' AND t.area_name = 'area 2') OR (f.area_name = 'area 2' AND t.area_name = 'area 1'))
GROUP BY 1, 2, 3;

-- view trade_market_share
SELECT year, sum(CASE WHEN area IN ('area 1', 'area 2') THEN volume ELSE 0 END) / NULLIF(sum(volume), 0) AS share
FROM (SELECT extract(year FROM u.placed) AS year, l.price * (1 - l.discount) AS volume, a.area_name AS area
      FROM purchase_lines l NATURAL JOIN (SELECT purchase_id, placed FROM purchases) u
      JOIN makers m ON m.maker_id = l.maker_id LEFT JOIN areas a ON a.area_id = m.area_id) AS sold
GROUP BY year;

-- view trade_ways materialised
SELECT l.way,
       sum(CASE WHEN u.urgency = '1-URGENT' OR u.urgency = '2-HIGH' THEN 1 ELSE 0 END) AS high,
       count(*) FILTER (WHERE u.urgency NOT IN ('1-URGENT', '2-HIGH')) AS low
FROM purchases u JOIN purchase_lines l ON u.purchase_id = l.purchase_id AND l.way IN ('mail', 'ship')
WHERE l.received > l.due AND l.shipped < l.due GROUP BY l.way;

-- view trade_orders_of_buyers
SELECT orders, count(*) AS buyers
FROM (SELECT b.buyer_id, count(u.purchase_id) FROM buyers b
      LEFT OUTER JOIN purchases u ON b.buyer_id = u.buyer_id AND u.urgency NOT LIKE '%special%requests%'
      GROUP BY b.buyer_id) AS per_buyer (buyer_id, orders)
GROUP BY orders ORDER BY buyers DESC, orders DESC;

-- view trade_promotion
SELECT 100.00 * sum(CASE WHEN p.kind LIKE 'promo%' THEN l.price ELSE 0 END) / NULLIF(sum(l.price), 0) AS percent
FROM purchase_lines l, parts p WHERE l.part_id = p.part_id;

-- view trade_best_maker materialised
WITH revenue (maker_id, total) AS (
    SELECT maker_id, sum(price * (1 - discount)) FROM purchase_lines
    WHERE shipped >= '2024-01-01' GROUP BY maker_id
)
SELECT m.maker_id, m.maker_name, r.total FROM makers m JOIN revenue r USING (maker_id)
WHERE r.total = (SELECT max(total) FROM revenue);

-- view trade_makers_of_parts
SELECT kind, size, count(DISTINCT o.maker_id) AS makers FROM offers o JOIN parts p ON p.part_id = o.part_id
WHERE p.kind <> 'steel' AND p.size IN (1, 4, 9) AND o.maker_id NOT IN (SELECT maker_id FROM makers WHERE phone LIKE '33%')
GROUP BY kind, size;

-- view trade_small_orders
SELECT sum(price) / 7.0 AS yearly FROM purchase_lines l
WHERE quantity < (SELECT 0.2 * avg(x.quantity) FROM purchase_lines x WHERE x.part_id = l.part_id);

-- view trade_whole_buyer
SELECT b, (b.home).street, (b.home)."Post Code" AS post_code, ROW(b.buyer_id, b.buyer_name) = ROW(1, 'x') AS first FROM buyers b;

-- view trade_grouped_by_key
SELECT b.buyer_id, b.buyer_name, b.segment, count(*) AS purchases FROM buyers b JOIN purchases u USING (buyer_id)
GROUP BY b.buyer_id;

-- view trade_above_grouped materialised
SELECT * FROM views.trade_grouped_by_key WHERE segment IN ('retail', 'wholesale') AND purchases BETWEEN 1 AND 9;

-- view trade_discounts_to_numbers
SELECT purchase_id, (price * discount)::float8 AS reduced, quantity::int % 3 AS rest, -price AS negative, @ price AS size,
       quantity ^ 2 AS squared, |/ quantity AS root, price::text || '£' AS shown FROM purchase_lines
WHERE (purchase_id, line) IN (SELECT purchase_id, max(line) FROM purchase_lines GROUP BY purchase_id);
