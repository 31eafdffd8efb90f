-- view xml_elements needs libxml
-- a: ~ customer.email, customer.id; b: ~ customer.name, customer.phone; c: ~ customer.email, customer.phone
-- d: ~ customer.status
SELECT xmlelement(name customer, xmlattributes(id AS number), email) AS a, xmlforest(name, phone AS call) AS b,
       xmlconcat(xmlelement(name a, email), xmlelement(name b, phone)) AS c, xmlpi(name php, status) AS d
FROM customer;

-- view xml_aggregated needs libxml
-- a: ~ customer.email, customer.born
SELECT xmlagg(xmlelement(name mail, email) ORDER BY born) AS a FROM customer;

-- view xml_parsed
-- a: ~ document.title; b: ~ document.body; c: ~ document.body; d: ~ document.body; body: = document.body
SELECT xmlparse(CONTENT title) AS a, xmlserialize(DOCUMENT body AS text) AS b, body IS DOCUMENT AS c,
       xpath('/a/b', body) AS d, body
FROM document;

-- view xml_table
-- id: = document.id; n: ~ document.body; word: ~ document.body; other: ~ document.body, document.title
SELECT d.id, t.n, t.word, t.other FROM document d,
       XMLTABLE('/rows/row' PASSING d.body COLUMNS n FOR ORDINALITY, word text PATH 'w',
       other text PATH 'o' DEFAULT d.title) AS t;

-- view xml_table_with_paths_of_columns
-- a: ~ document.body, document.title, document.id
SELECT t.a FROM document d, XMLTABLE(d.title PASSING d.body COLUMNS a text PATH d.id::text) AS t;

-- view xml_table_with_namespaces
-- a: ~ document.body
SELECT t.a FROM document d, XMLTABLE(XMLNAMESPACES('http://x.example' AS x),
       '/x:r' PASSING d.body COLUMNS a text PATH 'x:a') AS t;

-- view xml_exists
-- a: ~ document.body; b: ~ customer.profile
-- uses: customer.id, document.id
SELECT xmlexists('//a' PASSING BY REF d.body) AS a, c.profile ->> 'x' IS NOT NULL AS b FROM document d
JOIN customer c USING (id);
