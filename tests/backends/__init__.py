"""The database backends of other packages, and psycopg's pool, one of them in each run of the tests.

`nox --session backends` takes them one after another: BACKEND names one of `settings.BACKENDS`.
"""
