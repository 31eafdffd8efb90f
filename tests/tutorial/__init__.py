"""The tutorial, `docs/tutorial.md`, as a test: its files are written, its commands run, in order.

In the suite, `test_tutorial.py` runs it with the environment of the tests. From anywhere else:

    python -m tests.tutorial --python PATH --requirement FILE [--driver psycopg3] [--django 6.1]

- `--python PATH` is the interpreter that the page's `python -m venv` makes its environment with.
- `--requirement FILE` is what the page's `pip install django-orm-views-admin` installs instead: a wheel or
  an sdist. Everything else comes from the package index. Without it nothing is installed: the environment
  borrows what that of PATH has.
- `--driver psycopg3` installs psycopg 3 too, and uninstalls psycopg2-binary. The default is psycopg2.
- `--django 6.1` installs the newest Django of that series.
- `--page FILE` reads another page, `--keep` leaves the project's directory and its database, and `--verbose`
  prints the commands and what they print.

It needs psql, bash, and a server: the one of `DATABASE_URL`, as a superuser, or else the embedded one. It
works in a directory below the system's temporary one. Once something is not as the page says, it names the
line and exits with 1. The database and the roles of the page are dropped before and after.

`page.py` reads the page. `rules.py` has everything that is done otherwise than the page says, and what may
differ in an output. `workplace.py` gives a directory and a terminal (`shell.py`) in it. `walk.py` goes
through the page, with `browser.py` for what is to be looked at. `tests/moving` uses these for other pages.
"""
