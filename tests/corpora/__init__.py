"""More than a thousand views, which syncs create, and which dumps, restores and upgrades leave alone.

Nothing is copied or fetched. Their sources:

================== ===== ============================================================================
`sql/trade.sql`       17 a wholesaler, with the sort of questions that TPC-H asks, in our own words
`sql/retail.sql`      16 a star of sales, of the sort of TPC-DS: grouping sets, windows, channels
`sql/library.sql`     14 ranges, arrays, text search, collations, odd names
`sql/hospital.sql`    10 recursion over time, uuids, domains, geometry
`sql/logs.sql`        18 JSON, SQL/JSON of PostgreSQL 16 and 17, networks, bits, enums
`sql/graphs.sql`      10 trees and graphs: SEARCH, CYCLE, views of views, whole rows
`grammar.py`       1,000 SELECTs of ten shapes by the grammar of `sql/grammar.txt`; many read others
================== ===== ============================================================================

All read the tables of `sql/tables.sql`. Two in five are materialised. `nox --session corpora` takes all of
them, and other servers too; `make test` takes a sample.
"""
