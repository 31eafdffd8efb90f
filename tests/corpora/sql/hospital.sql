-- A hospital: recursion over time, uuids, geometry, domains.

-- view hospital_calendar materialised
WITH RECURSIVE days AS (SELECT date '2024-01-01' AS day UNION ALL SELECT (day + interval '1 day')::date FROM days WHERE day < '2024-02-01')
SELECT d.day, w.ward, count(s.stay_id) AS patients
FROM days d CROSS JOIN wards w LEFT JOIN stays s ON s.ward = w.ward AND s.during @> d.day::timestamptz
GROUP BY d.day, w.ward;

-- view hospital_now
SELECT surname, ward, CURRENT_TIMESTAMP - lower(during) AS since, now() AT TIME ZONE 'Europe/London' AS local,
       CURRENT_USER AS who, LOCALTIME(0) AS clock, session_user FROM stays JOIN patients USING (patient_id)
WHERE blood IN ('A+', 'O-') OR blood IS NULL;

-- view hospital_pulse materialised
SELECT stay_id, avg(p.beat)::numeric(6, 2) AS mean, max(p.beat) - min(p.beat) AS spread
FROM stays, unnest(pulse) AS p (beat) WHERE p.beat BETWEEN 40 AND 200 AND ward NOT IN ('south', 'west') GROUP BY stay_id;

-- view hospital_one_patient
SELECT * FROM patients WHERE patient_id = '7f1c6a1e-6c2c-4a5a-9a52-0d6a1c1f2b3c' OR patient_id IN ('00000000-0000-0000-0000-000000000000', '7f1c6a1e-6c2c-4a5a-9a52-0d6a1c1f2b3c');

-- view hospital_kin
SELECT surname, "Next of Kin" AS kin, upper("Next of Kin") AS "KIN" FROM patients WHERE surname ILIKE ANY (ARRAY['l%', 'm%']);

-- view hospital_occupancy materialised
SELECT ward, occupancy, occupancy::numeric / 100 AS share, 12.5::percentage AS goal, NULLIF(occupancy, 0) AS nonzero FROM stays
WHERE occupancy BETWEEN 10 AND 90 AND during && '[2024-01-01,2025-01-01)'::tstzrange;

-- view hospital_plans
SELECT ward, floor_plan, center(circle(floor_plan)) AS middle, floor_plan @> point '(0.5,0.25)' AS inside, box(floor_plan) AS around, npoints(floor_plan) FROM wards;

-- view hospital_free_beds
SELECT ward, b.bed FROM wards w CROSS JOIN LATERAL generate_series(lower(w.beds), upper(w.beds) - 1) AS b (bed)
WHERE NOT EXISTS (SELECT FROM stays s WHERE s.ward = w.ward AND upper_inf(s.during));

-- view hospital_ages materialised
SELECT patient_id, date_part('year', age(date '2024-06-01', born)) AS age,
       CASE WHEN born > '2006-01-01' THEN 'child' WHEN born BETWEEN '1950-01-01' AND '2005-12-31' THEN 'adult' ELSE 'old' END AS grouped,
       width_bucket(weight::numeric, 0, 200, 10) AS bucket, GREATEST(weight, 50) AS at_least, LEAST(weight, 100, 90.5) AS at_most FROM patients;

-- view hospital_short_stays
SELECT stay_id, upper(during) - lower(during) < interval '1 day 02:00' AS short, date_trunc('hour', lower(during), 'UTC') AS hour,
       make_interval(days => 2, hours => 3) AS later, justify_hours(interval '30 hours') AS justified FROM stays;
