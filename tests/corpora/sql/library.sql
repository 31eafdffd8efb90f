-- A library: ranges, arrays, words, money and quoted names.

-- view library_on_loan materialised
SELECT b.title, l.reader, lower(l.period) AS since, upper(l.period) - CURRENT_DATE AS left_days
FROM loans l JOIN books b USING (book_id) WHERE l.period @> date '2024-01-15' AND NOT isempty(l.period);

-- view library_overlaps
SELECT x.loan_id, y.loan_id AS other, x.period * y.period AS both, x.period && y.period AS overlap
FROM loans x JOIN loans y ON x.book_id = y.book_id AND x.loan_id < y.loan_id AND x.period -|- y.period;

-- view library_subjects materialised
SELECT s.subject, s.place, count(*) FROM books CROSS JOIN LATERAL unnest(subjects) WITH ORDINALITY AS s (subject, place)
WHERE s.subject IN ('sea', 'sky') GROUP BY s.subject, s.place;

-- view library_search
SELECT book_id, ts_rank(words, to_tsquery('simple', 'sea & sky')) AS rank,
       ts_headline('simple', title, to_tsquery('simple', 'sea')) AS shown
FROM books WHERE words @@ plainto_tsquery('simple', 'title');

-- view library_subject_arrays
SELECT book_id, subjects[1] AS first, subjects[1:2] AS two, array_length(subjects, 1) AS n, subjects || 'new'::text AS more,
       'sea' = ANY (subjects) AS of_sea, subjects @> ARRAY['sky'] AS of_sky, ARRAY(SELECT upper(x) FROM unnest(subjects) x ORDER BY 1) AS loud
FROM books;

-- view library_fines materialised
SELECT reader, sum(fine) AS fines, max(fine) > '5'::money AS much FROM loans GROUP BY reader;

-- view "library Odd ""name"""
SELECT book_id AS "Book Id", title AS "select", isbn AS "a ""quote""", pages AS "%s" FROM books WHERE title ~* '^t' AND title !~ 'x$';

-- view library_lives
SELECT name, COALESCE(extract(year FROM age(died, born)), -1)::int AS years, born IS NOT NULL AND died IS NULL AS lives,
       (born, died) OVERLAPS (date '1900-01-01', date '1950-01-01') AS then_alive, to_char(born, 'FMDay DD "of" Month YYYY') AS shown
FROM authors;

-- view library_collations
SELECT reader, reader COLLATE "POSIX" < 'm' AS early, lower(reader) AS small FROM loans ORDER BY reader COLLATE "C" DESC;

-- view library_texts
SELECT book_id, substring(title FROM 2 FOR 3) AS part, position('t' IN title) AS at, overlay(title PLACING 'x' FROM 1) AS over,
       trim(BOTH ' ' FROM title) AS bare, title SIMILAR TO 't%(1|2)' AS alike, substring(title SIMILAR 'a#"b#"_' ESCAPE '#') AS escaped,
       title LIKE 'x!%' ESCAPE '!' AS liked, E'a\nb\\c' AS lines, U&'\0041' AS letter, $$it's$$ AS dollars, concat_ws(', ', title, isbn) AS joined,
       format('%s of %I', title, isbn) AS formatted, left(title, -1) AS shorter, title || ' ' || pages AS labelled FROM books;

-- view library_isbns materialised
SELECT isbn, book_id FROM books WHERE isbn IN ('9780000000001', '9780000000002') AND pages BETWEEN 10 AND 20 AND title <> '';

-- view library_multiranges
SELECT book_id, range_agg(period) AS periods, range_agg(period) @> date '2024-01-01' AS lent, unnest(range_agg(period)) AS each FROM loans GROUP BY book_id;

-- view library_books_of_authors materialised
SELECT a.author_id, a.name, b.titles, b.pages FROM authors a
LEFT JOIN LATERAL (SELECT array_agg(title) AS titles, sum(pages) AS pages FROM books WHERE author_id = a.author_id AND pages NOT BETWEEN 1 AND 5) b ON true;

-- view library_locked
SELECT b.* FROM books b JOIN authors a USING (author_id) ORDER BY b.book_id FOR SHARE OF b;
