"""Problems that would keep the database from carrying a plan out are found while planning."""

from __future__ import annotations

import dataclasses

import pytest

from orm_views_core.database.names_in_use import Taken
from orm_views_core.database.relations import Session
from orm_views_core.definitions.definition import IndexDefinition
from orm_views_core.names import ViewName
from orm_views_core.plan.preconditions import (
    find_obstacles,
    index_names_in_use,
    lock_shortage,
    locks_for_trying,
    locks_needed,
)
from orm_views_core.plan.steps import Action, Phase, Statement, Step
from tests.core.values import MATERIALISED, VIEW, catalog_of, define, expected, install, name

LOANS = define("loans")
KEY = IndexDefinition("totals_id_key", True, '("id")')
TOTALS = define("totals", kind=MATERIALISED, indexes=(KEY,))
WHERE = "lending.Loans (/project/lending/postgres_views.py, line 7)"
ME = Session(role="deployer")
DROPPED = (Statement(Phase.DROP, "DROP …"),)


def step(action, definition=LOANS, installed=None, **values):
    return Step(action, definition.name, "because", definition=definition, installed=installed, **values)


def problems(*steps, taken=None, session=ME, **catalog):
    return list(find_obstacles(steps, catalog_of(session=session, **catalog), taken or {}))


def test_our_own_views_cause_no_problem():
    assert problems(step(Action.CREATE), step(Action.REBUILD, TOTALS, install(TOTALS))) == []


@pytest.mark.parametrize(
    "action", [Action.REPLACE, Action.REBUILD, Action.DROP, Action.COMMENT, Action.GRANT, Action.ADOPT]
)
def test_a_view_of_another_owner_is_named_once_with_advice(action):
    theirs = install(LOANS, owner="boss", is_ours_to_change=False)
    (problem,) = problems(step(action, installed=theirs), step(Action.COMMENT, installed=theirs))
    assert problem == (
        "views.loans belongs to boss, and deployer, the role that syncs, is not a member of that role: "
        "only its owner can change a view. GRANT boss TO deployer, or hand over what is to be changed: "
        'ALTER TABLE "views"."loans" OWNER TO deployer.'
    )


def test_all_views_of_one_owner_are_one_problem():
    def theirs(text, owner):
        definition = define(text)
        installed = install(definition, owner=owner, is_ours_to_change=False)
        return step(Action.REPLACE, definition, installed)

    chief, boss = problems(theirs("b", "chief"), theirs("a", "boss"), theirs("c", "chief"))[::-1]
    assert chief.startswith("views.b, views.c belong to chief, and deployer")
    assert boss.startswith("views.a belongs to boss, and deployer")


def test_the_view_of_a_role_that_we_are_a_member_of_is_ours_to_change():
    assert problems(step(Action.REPLACE, installed=install(LOANS, owner="boss"))) == []


def test_a_schema_in_which_nothing_may_be_created_is_named():
    asked = {"schemas": frozenset({"views"}), "writable": frozenset()}
    for action in (Action.CREATE, Action.REBUILD):
        assert problems(
            step(action, installed=None if action is Action.CREATE else install(LOANS)), **asked
        ) == [
            (
                "deployer may not create views in schema views. "
                'GRANT USAGE, CREATE ON SCHEMA "views" TO deployer, as its owner.'
            )
        ]


def test_missing_create_on_a_schema_is_no_problem_where_nothing_is_created():
    closed = {"schemas": frozenset({"views"}), "writable": frozenset()}
    assert problems(step(Action.GRANT, installed=install(LOANS)), **closed) == []
    assert problems(step(Action.CREATE), schemas=frozenset({"views"}), writable=frozenset({"views"})) == []
    assert problems(step(Action.CREATE), schemas=frozenset(), writable=frozenset()) == [], "we create it"


def test_tables_that_we_may_not_read_are_named():
    tables = frozenset({name("public.secret"), name("public.accounts")})
    tried = expected(LOANS, unreadable=tables)
    (problem,) = problems(step(Action.CREATE, expected=tried))
    assert problem == (
        f"{WHERE}: deployer may not read public.accounts, public.secret, so nobody could read views.loans. "
        "GRANT SELECT ON public.accounts, public.secret TO deployer."
    )
    assert problems(step(Action.REPLACE, installed=install(LOANS, owner="deployer"), expected=tried))


def test_tables_that_the_owner_reads_or_each_reader_for_himself_need_no_grant_to_us():
    tried = expected(LOANS, unreadable=frozenset({name("public.secret")}))
    assert problems(step(Action.REPLACE, installed=install(LOANS, owner="boss"), expected=tried)) == []
    invoked = dataclasses.replace(tried, options=(("security_invoker", "true"),))
    assert problems(step(Action.CREATE, expected=invoked)) == []


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        ({name("views.totals"): Taken("domain")}, "the name views.totals is that of an existing domain."),
        (
            {name("totals_id_key"): Taken("index", name("public.other"))},
            "the name views.totals_id_key is that of an existing index of public.other.",
        ),
        (
            {name("totals_id_key"): Taken("relation")},
            "the name views.totals_id_key is that of an existing relation.",
        ),
    ],
)
def test_a_name_that_is_taken_is_a_problem(taken, said):
    (problem,) = problems(step(Action.CREATE, TOTALS), taken=taken)
    assert said in problem
    assert problem.startswith("lending.Totals (")


def test_an_index_whose_name_is_taken_is_a_problem_for_a_view_that_is_there_too():
    taken = {name("totals_id_key"): Taken("index", name("public.other"))}
    for action in (Action.REBUILD, Action.INDEX):
        assert len(problems(step(action, TOTALS, install(TOTALS)), taken=taken)) == 1
    assert problems(step(Action.COMMENT, TOTALS, install(TOTALS)), taken=taken) == []


def test_the_name_of_an_index_that_goes_with_its_view_is_free():
    gone, taken = define("gone", kind=MATERIALISED), {name("totals_id_key"): Taken("index", name("gone"))}
    leaving = Step(Action.DROP, gone.name, "because", installed=install(gone))
    assert problems(leaving, step(Action.CREATE, TOTALS), taken=taken) == []
    assert len(problems(step(Action.CREATE, TOTALS), taken=taken)) == 1


def test_the_name_of_its_own_index_is_not_taken():
    taken = {name("totals_id_key"): Taken("index", TOTALS.name)}
    assert problems(step(Action.INDEX, TOTALS, install(TOTALS)), taken=taken) == []


def test_index_names_in_use_are_those_that_become_free_in_the_swap():
    taken = {
        name("a_key"): Taken("index", name("a")),
        name("b_key"): Taken("index", name("b")),
        name("c"): Taken("domain"),
    }
    assert index_names_in_use(taken, {name("a")}) == {name("a_key")}


def test_more_locks_than_the_server_has_room_for_stop_the_sync_with_a_number_to_set():
    session = Session("deployer", lock_slots=640, locks_held=100, locks_per_transaction=64)
    views = [define(f"v{i}", kind=MATERIALISED) for i in range(100)]
    (problem,) = problems(*(step(Action.CREATE, view) for view in views), session=session)
    assert problem == (
        "This takes about 700 locks in one transaction, and the server has room for 640, of which 100 are "
        "taken. Set max_locks_per_transaction, now 64, to 96 in the server's configuration and restart it."
    )
    assert problems(*(step(Action.CREATE, view) for view in views[:77]), session=session) == []


def test_the_number_to_set_is_enough():
    for needed in (541, 640, 1000, 77_777):
        session = Session(lock_slots=640, locks_held=100, locks_per_transaction=64)
        said = lock_shortage(needed, catalog_of(session=session))
        enough = int(said.rpartition(", to ")[2].split()[0])
        assert enough * 10 >= needed + 100
    assert lock_shortage(540, catalog_of(session=session)) == ""


def test_dropping_takes_more_locks_than_creating_and_indexes_take_one_each():
    one_index = install(TOTALS)
    created = locks_needed([step(Action.CREATE, TOTALS)], catalog_of())
    rebuilt = locks_needed([step(Action.REBUILD, TOTALS, one_index, statements=DROPPED)], catalog_of())
    assert (created, rebuilt) == (8, 16)
    assert locks_needed([step(Action.CREATE)], catalog_of()) == 1
    assert locks_needed([step(Action.DROP, installed=install(LOANS), statements=DROPPED)], catalog_of()) == 4
    assert locks_needed([step(Action.COMMENT, installed=install(LOANS))], catalog_of()) == 1
    assert locks_needed([Step(Action.SCHEMA, ViewName("views", ""), "because")], catalog_of()) == 0


def test_a_relation_counts_as_one_lock_however_many_views_read_it():
    reading = [step(Action.CREATE, define(n), expected=expected(define(n), reads=["public.t"])) for n in "ab"]
    assert locks_needed(reading, catalog_of()) == 3
    catalog = catalog_of(install(LOANS, reads=frozenset({name("public.t"), name("public.u")})))
    assert locks_needed(reading, catalog) == 4
    assert locks_for_trying([VIEW, MATERIALISED], catalog) == 1 + 7 + 2
