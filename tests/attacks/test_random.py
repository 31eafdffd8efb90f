"""A random attacker between random steps of syncing, refreshing and browsing."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import hypothesis
import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.urls import reverse
from hypothesis import strategies as st

from orm_views_core.status import get_statuses
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from orm_views_core.views.registry import registry

from .attacker import LAIR, Attacker, query
from .conftest import WHOLE
from .moves import FUNCTIONS, MOVES, NAMES, begin, move

pytestmark = pytest.mark.django_db(transaction=True)

#: The versions of the project's views: columns are added, removed, retyped; a view becomes materialised.
_VERSIONS: list[dict[str, tuple[str, bool]]] = [
    {
        "Adults": ("SELECT id, city FROM public.people WHERE born < 2008", False),
        "Cities": ("SELECT min(id) AS id, city, count(*) AS n FROM views.adults GROUP BY city", True),
        "Top": ("SELECT id, city FROM views.cities ORDER BY n LIMIT 3", False),
    },
    {
        "Adults": ("SELECT id, city, born FROM public.people WHERE born < 2008", False),
        "Cities": ("SELECT min(id) AS id, city, count(*) AS n FROM views.adults GROUP BY city", True),
        "Top": ("SELECT id, city, n FROM views.cities ORDER BY n LIMIT 3", False),
    },
    {
        "Adults": ("SELECT id::text AS id, city FROM public.people", False),
        "Cities": ("SELECT min(id) AS id, city FROM views.adults GROUP BY city", True),
    },
    {
        "Adults": ("SELECT id, upper(city) AS city FROM public.people", True),
        "Cities": ("SELECT id, city FROM views.adults", False),
        "Top": ("SELECT id FROM views.cities", True),
    },
]

_COMMANDS: list[tuple[str, ...]] = [
    ("sync_views",),
    ("sync_views",),
    ("sync_views", "--drop-dependents"),
    ("sync_views", "--force"),
    ("sync_views", "--plan", "-v", "2"),
    ("sync_views", "--plan", "--json"),
    ("sync_views", "--check"),
    ("refresh_views",),
    ("refresh_views", "--jobs", "2"),
    ("refresh_views", "--plan", "--json"),
    ("show_views",),
    ("show_views", "--json"),
    ("show_views", "--openmetrics"),
    ("check", "--database", "default"),
]


class Op(NamedTuple):
    """A step: the attacker's move, or ours, and three numbers that say which."""

    what: str
    a: int = 0
    b: int = 0
    c: int = 0


_numbers = st.integers(0, 23)


def _ops(names: list[str]) -> st.SearchStrategy[Op]:
    return st.builds(Op, st.sampled_from(names), _numbers, _numbers, _numbers)


_attack = st.lists(_ops([*MOVES]), min_size=2, max_size=8)
_defence = st.lists(_ops(["deploy", "command", "command", "browse", "post"]), min_size=1, max_size=3)
histories = st.lists(st.tuples(_attack, _defence), min_size=2, max_size=4)


def _declare(version: int) -> None:
    for name, (sql, is_materialised) in _VERSIONS[version % len(_VERSIONS)].items():
        bases: tuple[type, ...] = (PostgresMaterialisedViewMixin,) if is_materialised else ()
        values: dict[str, Any] = {"sql": sql, "__module__": __name__}
        if is_materialised:
            values["pk_field"] = "id"
        type(name, (*bases, PostgresViewFromSQL), values)


class World:
    """The project, its database, its pages, and the attacker."""

    def __init__(self, attacker: Attacker, client: Client) -> None:
        self.attacker, self._client = attacker, client
        self._version = 0
        self.did: Counter[str] = Counter()

    def carry_out(self, op: Op) -> str | None:
        """Do a step; return what happened, or None when nothing did."""
        if op.what in MOVES:
            return move(self.attacker, *op)
        done: str = getattr(self, f"_{op.what}")(op)
        self.did[op.what] += 1
        struck = self.attacker.struck()
        assert not struck, f"a function of the attacker ran as {struck}"
        return done

    def _deploy(self, op: Op) -> str:
        self._version = op.a
        return f"version {op.a % len(_VERSIONS)}: {self._call('sync_views')}"

    def _command(self, op: Op) -> str:
        return self._call(*_COMMANDS[op.a % len(_COMMANDS)])

    def _call(self, *command: str) -> str:
        with registry.isolated():
            _declare(self._version)
            try:
                call_command(*command, stdout=io.StringIO(), stderr=io.StringIO())
            except CommandError as error:
                self.did["stopped"] += 1
                text = str(error)
                assert self._is_named_in(text) or command[-1] == "--check" or _of_a_view(text), text
                return f"{' '.join(command)}: {text}"
        return " ".join(command)

    def _is_named_in(self, text: str) -> bool:
        """Return whether an error names something of the attacker's."""
        names = [*NAMES, *FUNCTIONS, self.attacker.role, f"{LAIR}.", "pid "]
        return any(name in text for name in names)

    def _browse(self, op: Op) -> str:
        with registry.isolated():
            _declare(self._version)
            pages = [reverse(f"orm_views_admin:{name}") for name in ("list", "sync", "refresh", "runs")]
            views = [view for database in get_statuses() for view in database.views if view.name]
            for view in views:
                place = (view.database, *view.name)
                pages += [reverse(f"orm_views_admin:{n}", args=place) for n in ("detail", "count", "preview")]
            random.Random(op.a).shuffle(pages)
            for page in pages[:12]:
                response = self._client.get(page)
                assert response.status_code in {200, 302, 404}, (page, response.status_code)
        return f"{len(pages)} pages"

    def _post(self, op: Op) -> str:
        with registry.isolated():
            _declare(self._version)
            page = reverse(f"orm_views_admin:{('sync', 'refresh')[op.a % 2]}")
            forms = [plan.form for plan in self._client.get(page).context.get("plans", ())]
            values = {"confirm": "1"}
            for form in forms:
                if form is None or not form.can_be_confirmed:
                    return f"GET {page}"
                values |= {f"default-{field}": name for field, name in form._names.items()}
                values["default-fingerprint"] = form.plan.fingerprint
            response = self._client.post(page, values)
            assert response.status_code in {200, 302}, (page, response.status_code)
        return f"POST {page}: {response.status_code}"


def _of_a_view(text: str) -> bool:
    """Return whether an error is of the project's own, and names its view."""
    return any(name in text for name in ("adults", "cities", "top", "Adults", "Cities", "Top"))


@contextmanager
def _world(attacker: Attacker, client: Client) -> Iterator[World]:
    """Give a database as it is at the beginning of a history."""
    query(
        "DROP SCHEMA IF EXISTS views CASCADE; CREATE SCHEMA views; DROP TABLE IF EXISTS public.people CASCADE"
    )
    query("CREATE TABLE public.people (id int PRIMARY KEY, email text, city text, born int)")
    query(
        "INSERT INTO public.people SELECT i, i || '@example.org', 'c' || i % 7, 1960 + i % 60 "
        "FROM generate_series(1, 50) i"
    )
    query(f"GRANT USAGE, CREATE ON SCHEMA views TO {attacker.role}")
    query(f"ALTER DEFAULT PRIVILEGES IN SCHEMA views GRANT ALL ON TABLES TO {attacker.role}")
    world = World(attacker, client)
    world._call("sync_views")
    begin(attacker)
    try:
        yield world
    finally:
        attacker.run("DISCARD ALL")
        query(f"DROP SCHEMA {LAIR} CASCADE; CREATE SCHEMA {LAIR} AUTHORIZATION {attacker.role}")
        query(f"DROP OWNED BY {attacker.role} CASCADE")


def _play(history: list[tuple[list[Op], list[Op]]], world: World) -> None:
    told = []
    try:
        for op in [op for attack, defence in history for op in (*attack, *defence)]:
            told.append(f"… {op}")
            done = world.carry_out(op)
            told[-1] = f"{op.what}: {done}"
            if done is None:
                told.pop()
    except BaseException as error:
        happened = "\n".join(f"{number:3}. {line}" for number, line in enumerate(told, start=1))
        raise AssertionError(f"{type(error).__name__}: {error}\nThis led to it:\n{happened}") from error


def test_random_histories(
    make_login: Callable[..., str], settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Random objects, comments, functions, operators, indexes and grants, made between our steps."""
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline"}
    settings.ORM_VIEWS = {"LOCK_WAIT": 2.0}
    client = Client()
    get_user_model().objects.filter(username="root").delete()
    client.force_login(get_user_model().objects.create_superuser("root"))
    role = make_login("attacker")
    did: Counter[str] = Counter()

    @hypothesis.settings(
        max_examples=300 if WHOLE else 8,
        deadline=None,
        database=None,
        derandomize=not WHOLE,
        report_multiple_bugs=False,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(histories)
    def play(history: list[tuple[list[Op], list[Op]]]) -> None:
        query(f"DROP SCHEMA IF EXISTS {LAIR} CASCADE; CREATE SCHEMA {LAIR} AUTHORIZATION {role}")
        query(f"GRANT USAGE ON SCHEMA {LAIR} TO PUBLIC")
        attacker = Attacker(role)
        try:
            with _world(attacker, client) as world:
                _play(history, world)
                did.update(world.did)
                did["histories"] += 1
        finally:
            attacker.leave()
            connections["default"].close()

    play()
    with capsys.disabled():
        print(f"\n{dict(did)}")
    query("DROP TABLE public.people CASCADE")
