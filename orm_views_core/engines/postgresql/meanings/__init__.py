"""What the SELECTs of views mean, as digests of the node trees that PostgreSQL stores.

A digest has everything that decides a value, with the names of tables and columns: operators, constants,
types, and what is below in subqueries and WITH queries. It does not have how something is written: where,
with which names that only the SELECT itself uses, under which numbers PostgreSQL knows what it reads. Two
SELECTs with different digests may still mean the same, such as ``a AND b`` and ``b AND a``.
"""
