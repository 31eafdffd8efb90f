-- A star of sales: grouping sets, windows, and channels put together.

-- view retail_by_category materialised
SELECT d.year, i.category, i.brand, sum(s.paid) AS paid, grouping(d.year, i.category, i.brand) AS level
FROM store_sales s JOIN days d USING (day_key) JOIN items i USING (item_key)
GROUP BY ROLLUP (d.year, i.category, i.brand);

-- view retail_cube
SELECT i.colour, t.county, sum(s.profit) AS profit FROM store_sales s
JOIN items i ON i.item_key = s.item_key JOIN stores t ON t.store_key = s.store_key
WHERE i.colour IN ('red', 'green', 'blue') AND t.county NOT IN ('Kent', 'Devon')
GROUP BY CUBE (i.colour, t.county) HAVING sum(s.profit) > 0;

-- view retail_sets materialised
SELECT d.month, i.brand, d.weekday, count(*) FROM store_sales s JOIN days d USING (day_key) JOIN items i USING (item_key)
GROUP BY GROUPING SETS ((d.month, i.brand), (d.weekday), ROLLUP (d.month), ());

-- view retail_channels
SELECT 'store' AS channel, day_key, item_key, paid FROM store_sales
UNION ALL SELECT 'web', day_key, item_key, paid FROM web_sales;

-- view retail_channel_totals materialised
SELECT channel, sum(paid) AS paid, rank() OVER (ORDER BY sum(paid) DESC) FROM views.retail_channels
WHERE channel IN ('store', 'web') GROUP BY channel;

-- view retail_running materialised
SELECT store_key, day_key, sum(paid) OVER w AS running, lag(paid, 1, 0) OVER w AS before,
       first_value(paid) OVER (w ROWS BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE TIES) AS start,
       ntile(4) OVER (PARTITION BY store_key ORDER BY paid DESC NULLS LAST) AS quarter
FROM store_sales WINDOW w AS (PARTITION BY store_key ORDER BY day_key);

-- view retail_range_frames
SELECT day, avg(paid) OVER (ORDER BY day RANGE BETWEEN interval '7 days' PRECEDING AND interval '1 day' FOLLOWING) AS week,
       count(*) OVER (ORDER BY month GROUPS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING) AS months
FROM store_sales NATURAL JOIN days;

-- view retail_weekdays
SELECT store_key, sum(CASE weekday WHEN 'Monday' THEN paid END) AS monday,
       sum(CASE weekday WHEN 'Tuesday' THEN paid ELSE NULL END) AS tuesday
FROM store_sales JOIN days ON days.day_key = store_sales.day_key GROUP BY store_key;

-- view retail_both_channels
SELECT item_key FROM store_sales INTERSECT (SELECT item_key FROM web_sales EXCEPT ALL SELECT item_key FROM items WHERE colour = 'red');

-- view retail_top_three materialised
SELECT * FROM (SELECT category, brand, sum(paid) AS paid, row_number() OVER (PARTITION BY category ORDER BY sum(paid) DESC) AS place
               FROM store_sales JOIN items USING (item_key) GROUP BY category, brand) ranked
WHERE place <= 3 AND category = ANY (ARRAY['Books', 'Music']::varchar[]);

-- view retail_dear_items
SELECT DISTINCT ON (category) category, item_code, list_price FROM items
WHERE list_price BETWEEN SYMMETRIC 90 AND 10 OR item_code IN ('code1', 'code2') ORDER BY category, list_price DESC;

-- view retail_percentiles materialised
SELECT store_key, percentile_cont(0.5) WITHIN GROUP (ORDER BY paid) AS median,
       percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY paid DESC) AS quartiles,
       mode() WITHIN GROUP (ORDER BY quantity) AS usual, string_agg(DISTINCT ticket::text, ', ' ORDER BY ticket::text) AS tickets,
       array_agg(item_key ORDER BY paid DESC, item_key) FILTER (WHERE quantity > 1) AS bought
FROM store_sales GROUP BY store_key;

-- view retail_first_rows
SELECT item_key, list_price FROM items ORDER BY list_price DESC NULLS LAST OFFSET 1 FETCH FIRST 5 ROWS WITH TIES;

-- view retail_full
SELECT COALESCE(s.item_key, w.item_key) AS item, s.paid AS store, w.paid AS web
FROM store_sales s FULL JOIN web_sales w USING (item_key) WHERE s.paid IS DISTINCT FROM w.paid;

-- view retail_sampled
SELECT avg(paid) FROM store_sales TABLESAMPLE BERNOULLI (50) REPEATABLE (7);

-- view retail_values
SELECT v.name, v.low, s.paid FROM (VALUES ('small', 0), ('large', 100)) AS v (name, low) LEFT JOIN store_sales s ON s.paid >= v.low;
