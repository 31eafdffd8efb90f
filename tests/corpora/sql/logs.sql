-- What servers log: JSON, networks, bits, enums.

-- view logs_users materialised
SELECT payload -> 'user' ->> 'id' AS user_id, (payload #>> '{user,id}')::int AS number, payload @> '{"ok": true}' AS ok,
       payload ? 'items' AS has_items, payload - 'ok' AS rest, count(*) OVER (PARTITION BY payload -> 'user') AS events FROM events
WHERE level IN ('info', 'error') AND payload ->> 'kind' IS DISTINCT FROM 'test';

-- view logs_items
SELECT event_id, i.value, i.ordinality FROM events, jsonb_array_elements(payload -> 'items') WITH ORDINALITY i;

-- view logs_keys materialised
SELECT k.key, count(*) FROM events e CROSS JOIN LATERAL jsonb_each_text(e.payload) AS k WHERE k.key NOT IN ('ok', 'user') GROUP BY k.key;

-- view logs_records
SELECT e.event_id, r.a, r.b FROM events e, json_to_record(e.raw) AS r (a int, b text);

-- view logs_paths
SELECT event_id, jsonb_path_query_first(payload, '$.items[*] ? (@ > $low)', '{"low": 1}') AS first, payload @@ '$.ok == true' AS matches,
       payload['user']['id'] AS subscripted FROM events;

-- view logs_built materialised
SELECT level, jsonb_object_agg(event_id, tags) AS tags, json_agg(json_build_object('at', at, 'host', host)) AS all_of_it,
       jsonb_build_array(VARIADIC ARRAY['a', 'b']) AS fixed FROM events GROUP BY level;

-- view logs_networks
SELECT host, host << net AS inside, masklen(net) AS mask, host & '255.0.0.0'::inet AS network, host IN ('10.0.0.1', '10.0.0.2') AS known FROM events;

-- view logs_bits
SELECT event_id, flags & B'11110000' AS high, flags << 1 AS moved, get_bit(flags, 0) AS first, ~flags AS others, body || '\x00ff'::bytea AS bytes, encode(body, 'hex') AS hex FROM events;

-- view logs_serious materialised
SELECT event_id, level FROM events WHERE level >= 'warning' AND level = ANY ('{warning,error}'::severity[]) AND at BETWEEN '2024-01-01' AND '2025-01-01' AND tags <> '{}';

-- view logs_hours
SELECT date_trunc('hour', at) AS hour, extract(epoch FROM took) AS seconds, date_bin('15 minutes', at, TIMESTAMPTZ '2001-01-01') AS bin,
       at::date AS day, local AT TIME ZONE INTERVAL '+02:00' AS shifted, at - took AS began, took * 2 AS twice FROM events;

-- view logs_gaps materialised
SELECT event_id, at - lag(at) OVER (PARTITION BY host ORDER BY at) AS gap, last_value(level) OVER (PARTITION BY host ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last FROM events;

-- view logs_rows_from
SELECT e.event_id, f.* FROM events e, ROWS FROM (unnest(e.tags), generate_series(1, 3)) WITH ORDINALITY AS f (tag, n, place);

-- view logs_json_kept materialised since 16
SELECT event_id, payload::text IS JSON OBJECT AS is_object, JSON_ARRAY(1, 'a', NULL NULL ON NULL) AS listed, JSON_OBJECT('k': level::text ABSENT ON NULL) AS object, raw::text IS JSON AS is_json FROM events;

-- view logs_json_arrays since 16
SELECT JSON_ARRAYAGG(event_id ORDER BY event_id RETURNING jsonb) AS ids, JSON_OBJECTAGG(event_id: level WITH UNIQUE KEYS) AS levels FROM events;

-- view logs_json_table since 17
SELECT e.event_id, j.* FROM events e, JSON_TABLE(e.payload, '$' COLUMNS (place FOR ORDINALITY, ok boolean PATH '$.ok', NESTED PATH '$.items[*]' COLUMNS (item int PATH '$'))) AS j;

-- view logs_json_values materialised since 17
SELECT JSON_VALUE(payload, '$.user.id' RETURNING int DEFAULT 0 ON EMPTY) AS id, JSON_QUERY(payload, '$.items' WITH WRAPPER) AS items, JSON_EXISTS(payload, '$.ok') AS has FROM events;

-- view logs_one_row
SELECT 1 AS one, NULL AS nothing, 'text' AS word, true AND NOT false AS yes, 1.5e10 AS much, '1'::"char" AS letter, pg_catalog.current_database() AS here;

-- view logs_operators
SELECT event_id OPERATOR(pg_catalog.+) 1 AS next, (SELECT max(event_id) FROM events) = ANY (SELECT event_id FROM events) AS top, event_id = ALL (ARRAY[1, 2]) AS all_of, nextval('tickets'::regclass) > 0 AS drawn FROM events;
