"""Fixtures of the whole suite. The settings start the PostgreSQL, so nothing here has to."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.dispatch import receiver
from django.test.signals import setting_changed

from orm_views_admin.apps import add_commands
from tests import summaries
from tests.demo import data
from tests.silence import Proxy

if os.environ.get("HOSTILE"):
    from django.db.backends.signals import connection_created

    from tests.hostile import nothing_is_captured, watch

    connection_created.connect(watch)
    __all__ = ["nothing_is_captured"]


#: `nox --session attacks` tries every attack; the suite, a sample of those that take long.
WHOLE = bool(os.environ.get("ATTACKS"))
#: Under this name, the report of an attack says what it tried.
ATTACK = "attack"
_tried: dict[str, tuple[str, str]] = {}


# A shell without job control starts what is in the background with SIGINT ignored, and programs inherit that.
# Python then installs no handler, so that Ctrl-C would reach neither the tests nor the processes they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@receiver(setting_changed)
def keep_commands(setting: str, **kwargs: Any) -> None:
    """After Django's own receiver, which forgets all commands when a test overrides INSTALLED_APPS."""
    if setting == "INSTALLED_APPS":
        add_commands()


@pytest.fixture
def demo_data(db: None) -> None:
    """The lender's data at a thousandth of its size: 50 customers, 200 loans, their instalments."""
    data.load(connections[DEFAULT_DB_ALIAS], scale=0.001)


@pytest.fixture
def execute(db: None) -> Callable[..., list[tuple[Any, ...]]]:
    """A function that runs SQL as somebody at a psql prompt would."""

    def run(sql: str, alias: str = "default") -> list[tuple[Any, ...]]:
        with connections[alias].cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def committed_views(transactional_db: None, request: pytest.FixtureRequest) -> Iterator[None]:
    """For tests that commit: the schema `views` of the test's databases goes away with what is in it."""
    yield
    for alias in _databases(request):
        with connections[alias].cursor() as cursor:
            cursor.execute("DROP SCHEMA IF EXISTS views CASCADE")


@pytest.fixture
def make_role(db: None, request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """A function that creates a role of any name, however odd; the roles are gone after the test.

    Roles belong to the whole server, so one that a killed run left behind is replaced.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    made = []

    def make(name: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP ROLE IF EXISTS {_quoted(name)}")
            cursor.execute(f"CREATE ROLE {_quoted(name)} NOLOGIN")
        made.append(name)
        return name

    yield make
    if connection.in_atomic_block:
        return  # the test's transaction takes them back
    for alias in _databases(request):
        with connections[alias].cursor() as cursor:
            for name in made:
                cursor.execute(f"DROP OWNED BY {_quoted(name)}")
    with connection.cursor() as cursor:
        for name in made:
            cursor.execute(f"DROP ROLE {_quoted(name)}")


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _databases(request: pytest.FixtureRequest) -> list[str]:
    """The aliases that the test's `django_db` mark lets it use."""
    marker = request.node.get_closest_marker("django_db")
    databases = marker.kwargs.get("databases") if marker else None
    return list(connections) if databases == "__all__" else list(databases or [DEFAULT_DB_ALIAS])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what each attack tried, and whether the code held, in the process that prints the summary."""
    summaries.note(report.user_properties)
    what = dict(report.user_properties).get(ATTACK)
    if what and (report.when == "call" or report.failed):
        _tried[report.nodeid] = (str(what), "HELD" if report.passed else report.outcome.upper())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the number of attacks and, when all are tried, what each one tried."""
    if rows := list(summaries.lines()):
        terminalreporter.section("migrations and views")
        for row in rows:
            terminalreporter.line(row)
    if not _tried:
        return
    held = sum(outcome == "HELD" for _, outcome in _tried.values())
    terminalreporter.section("attacks")
    if WHOLE:
        for node, (what, outcome) in _tried.items():
            variant = node.partition("[")[2].rstrip("]")
            terminalreporter.line(f"{outcome:7} {what}{f' [{variant}]' if variant else ''}")
    terminalreporter.line(f"{held} of {len(_tried)} attacks held off")


@pytest.fixture
def misdirect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """A function that gives an alias a new connection with other settings, for the length of a test."""
    replaced = {}

    def point_elsewhere(alias: str, settings: dict[str, Any]) -> None:
        replaced[alias] = connections[alias]
        monkeypatch.setitem(connections.settings, alias, {**connections.settings[alias], **settings})
        connections[alias] = connections.create_connection(alias)

    yield point_elsewhere
    for alias, connection in replaced.items():
        connections[alias].close()
        connections[alias] = connection


@pytest.fixture
def proxy(settings: Any, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Proxy]:
    """A proxy in front of the second database, and a limit of half a second."""
    settings.ORM_VIEWS = {"CONNECT_TIMEOUT": 0.5}
    before = connections["warehouse"]
    proxy = Proxy(before.settings_dict)
    options = {**before.settings_dict["OPTIONS"], "sslmode": "disable", "gssencmode": "disable"}
    there = {**before.settings_dict, "HOST": "127.0.0.1", "PORT": str(proxy.port), "OPTIONS": options}
    monkeypatch.setitem(connections.settings, "warehouse", there)
    connections["warehouse"] = connections.create_connection("warehouse")
    yield proxy
    proxy.close()
    connections["warehouse"].close()
    connections["warehouse"] = before
