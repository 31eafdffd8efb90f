-- Trees and graphs: recursion with SEARCH and CYCLE, self-joins, and views of views.

-- view graphs_chain materialised
WITH RECURSIVE chain (id, name, depth, route) AS (
    SELECT id, name, 0, ARRAY[id] FROM employees WHERE boss IS NULL
    UNION ALL SELECT e.id, e.name, c.depth + 1, c.route || e.id FROM employees e JOIN chain c ON e.boss = c.id
)
SELECT * FROM chain WHERE depth BETWEEN 1 AND 3 AND name IN ('name 2', 'name 3');

-- view graphs_breadth materialised
WITH RECURSIVE t AS (SELECT id, boss, name FROM employees WHERE id = 1 UNION ALL SELECT e.id, e.boss, e.name FROM employees e, t WHERE e.boss = t.id)
SEARCH BREADTH FIRST BY name, id SET place SELECT id, name FROM t ORDER BY place;

-- view graphs_reachable
WITH RECURSIVE r AS (SELECT a, b, length FROM roads UNION SELECT r.a, w.b, r.length + w.length FROM r JOIN roads w ON w.a = r.b)
CYCLE a, b SET again USING steps SELECT a, b, length, again FROM r;

-- view graphs_bosses
SELECT e.name, b.name AS boss, e.salary > ALL (SELECT x.salary FROM employees x WHERE x.boss = e.boss AND x.id <> e.id) AS best
FROM employees e LEFT JOIN employees b ON e.boss = b.id;

-- view graphs_geometry materialised
SELECT a, b, start <-> point '(3,4)' AS far, course ?# '((0,0),(5,5))'::path AS crosses, lseg(start, point '(1,1)') AS line, circle(start, 2) AS round FROM roads;

-- view graphs_kept_cte
WITH big AS MATERIALIZED (SELECT * FROM employees WHERE salary > 100), small AS NOT MATERIALIZED (SELECT id FROM employees)
SELECT big.name, small.id FROM big JOIN small USING (id) WHERE big.name IN ('a', 'b') AND big.hired BETWEEN '08:00' AND '09:00';

-- view graphs_of_views materialised
SELECT c.*, b.boss FROM views.graphs_chain c JOIN views.graphs_bosses b USING (name) WHERE c.depth NOT IN (5, 6) AND b.boss IN ('x', 'y');

-- view graphs_whole_rows
SELECT c AS whole, (c).name AS inner_name, c IS NOT NULL AS there FROM views.graphs_chain c;

-- view graphs_merged_using
SELECT j.id, x.pay FROM employees e JOIN (SELECT id, salary AS pay FROM employees) x USING (id) AS j
WHERE x.pay BETWEEN 1 AND 2 AND e.name NOT IN ('a', 'b');

-- view graphs_nested_case
SELECT id, CASE WHEN name IN ('a', 'b') THEN CASE WHEN salary BETWEEN 1 AND 2 AND boss = 3 THEN 'x' ELSE 'y' END ELSE COALESCE(name, 'z') END AS word FROM employees;
