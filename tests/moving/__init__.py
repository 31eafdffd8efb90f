"""The guides of `docs/moving/`, as tests: a project of another package is moved over as its guide says.

    python -m tests.moving django-pgviews-redux [--python PATH] [--requirement FILE] [--keep] [--verbose]

`samples/project` is a museum's project, and `samples/<package>` has the files that declare its views with
that package. In a fresh environment the package comes from the package index, and creates a database. Then
the files of the guide are written and its commands are run, by `tests/tutorial`. What was in the database is
compared with what is there after it. Then the guide is followed back.

`packages.py` has what is particular to each package. `observing.py` says what is compared. `--requirement` is
what is installed of ours: a wheel, an sdist, or by default this checkout. It needs psql, bash, git, the
package index and a server: that of `DATABASE_URL`, as a superuser, or the embedded one.
"""
