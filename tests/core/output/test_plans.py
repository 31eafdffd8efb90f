"""Plans and statuses as text and as JSON: the same facts in both."""

from __future__ import annotations

import dataclasses
import json

import pytest
from django.core.management.color import no_style

from orm_views_core.database.extras import TABLE, Extra
from orm_views_core.exceptions import DatabaseUnavailableError
from orm_views_core.output.plans import definition_diff, plan_as_dict, plan_lines, summary
from orm_views_core.output.statuses import status_as_dict, status_matches, status_table
from orm_views_core.plan.steps import Action, Plan, Step
from orm_views_core.status import Condition, DatabaseStatus, State, ViewStatus, count_states
from orm_views_core.status.diagnosis import registered_status
from tests.core.values import CITY, MATERIALISED, SYNCED, catalog_of, define, install, plan_for, state_of

LOANS = define("loans", "SELECT 1 AS id\nFROM lending_loan")
TOTALS = define("totals", "SELECT id\nFROM views.loans", kind=MATERIALISED)
SOURCE = "/project/lending/postgres_views.py, line 7"


def changed(definition, sql):
    return dataclasses.replace(definition, sql=sql)


@pytest.fixture
def plan():
    """Two views to create, two to rebuild (one reads the other), one to drop, one unchanged."""
    loans = install(LOANS)
    totals = install(
        TOTALS,
        reads=frozenset({LOANS.name}),
        state=state_of(TOTALS, installed=install(TOTALS).fingerprint, seconds=12.5),
    )
    same, gone = define("same"), define("gone")
    return plan_for(
        [changed(LOANS, "SELECT 2 AS id\nFROM lending_loan"), TOTALS, same, define("new"), define("newer")],
        catalog_of(loans, totals, install(same), install(gone)),
        new_columns={"loans": [CITY]},
        orphans=["gone"],
    )


def test_a_summary_counts_by_kind_and_ends_with_what_stays(plan):
    assert summary(plan) == "2 to create, 2 to rebuild, 1 to drop, 1 unchanged"
    assert summary(Plan("default", unchanged=3)) == "3 unchanged"


def test_every_kind_of_step_has_words():
    steps = tuple(Step(action, LOANS.name, "because") for action in Action)
    assert all(f"1 {word}" for word in summary(Plan("default", steps)).split(", "))
    assert summary(Plan("default", steps)).count(", ") == len(Action)


def test_a_plan_reads_like_a_plan(plan):
    lines = list(plan_lines(plan))
    assert lines[0] == "Plan for database 'default': 2 to create, 2 to rebuild, 1 to drop, 1 unchanged."
    end = lines.index("  How it is carried out:")
    steps = [line for line in lines[1:end] if not line.startswith("     ")]
    assert f"  + create   views.new: it is not in the database (lending.New ({SOURCE}))" in steps
    assert any(line.startswith("  ± rebuild  views.loans: its class has changed: ") for line in steps)
    assert any(line.startswith("  ± rebuild  views.totals: ") for line in steps)
    assert "  - drop     views.gone: no class declares it any more" in steps
    assert len(steps) == 5
    build, swap = lines[end + 1 :]
    assert build == "    1. build aside views.loans, views.totals (the last builds took 12.5 s); nobody waits"
    swapped = swap.removeprefix("    2. swap ").split(", ")
    assert swapped.index("views.totals") < swapped.index("views.loans")
    assert sorted(swapped) == ["views.gone", "views.loans", "views.totals"]


def test_whom_a_step_keeps_waiting_is_said_with_how_long_the_last_build_took(plan):
    text = "\n".join(plan_lines(plan))
    assert (
        "      built aside, in orm_views_staging_0; keeps waiting: nobody; the last build took 12.5 s\n"
        "      swapped in; keeps waiting: its readers, during the swap" in text
    )
    assert "      keeps waiting: all its readers, from then on" in text


def test_the_sql_and_the_difference_come_on_request(plan):
    without, with_sql = list(plan_lines(plan)), list(plan_lines(plan, with_sql=True))
    assert not any("CREATE" in line for line in without)
    text = "\n".join(with_sql)
    assert '      CREATE VIEW "orm_views_staging_0"."loans" AS' in with_sql
    assert (
        "      -- in the swap:\n"
        '      DROP VIEW "views"."loans";\n'
        '      ALTER VIEW "orm_views_staging_0"."loans" SET SCHEMA "views";' in text
    )
    assert "      -SELECT 1 AS id\n      +SELECT 2 AS id\n       FROM lending_loan" in text


def test_a_difference_is_between_what_is_installed_and_what_would_be(plan):
    (step,) = [step for step in plan.steps if step.name == LOANS.name]
    assert definition_diff(step) == [
        "--- in the database",
        "+++ as registered",
        "@@ -1,2 +1,2 @@",
        "-SELECT 1 AS id",
        "+SELECT 2 AS id",
        " FROM lending_loan",
    ]
    (created,) = [step for step in plan.steps if step.name.name == "new"]
    assert definition_diff(created) == []


def test_an_empty_plan_says_so():
    assert list(plan_lines(Plan("default", unchanged=2))) == [
        "Plan for database 'default': 2 unchanged.",
        "  Nothing to do.",
    ]


def test_problems_are_listed_and_are_not_nothing():
    lines = list(plan_lines(Plan("default", problems=("a is in the way", "b too"))))
    assert lines[1:] == ["  ! a is in the way", "  ! b too"]


def test_the_json_of_a_plan_has_the_same_facts(plan):
    said = json.loads(json.dumps(plan_as_dict(plan)))
    assert (said["database"], said["fingerprint"], said["unchanged"]) == ("default", plan.fingerprint, 1)
    assert said["problems"] == []
    assert [step["view"] for step in said["steps"]] == [step.target for step in plan.steps]
    loans = next(step for step in said["steps"] if step["view"] == "views.loans")
    assert loans["action"] == "rebuild"
    assert loans["class"] == "lending.Loans"
    assert loans["source"] == SOURCE
    assert loans["indirect"] is False
    assert [statement["phase"] for statement in loans["sql"]] == ["build", "drop", "move"]
    assert loans["sql"][1]["statement"] == 'DROP VIEW "views"."loans"'
    assert (loans["late"], loans["kept"], loans["lost"]) == (None, [], [])
    totals = next(step for step in said["steps"] if step["view"] == "views.totals")
    assert (totals["indirect"], totals["usual_seconds"]) == (True, 12.5)
    gone = next(step for step in said["steps"] if step["view"] == "views.gone")
    assert (gone["class"], gone["source"]) == (None, None)


def status_of(definition, installed):
    return registered_status(definition, installed)


STATES = {
    State.SYNCED: (LOANS, install(LOANS)),
    State.CHANGED: (changed(LOANS, "SELECT 2"), install(LOANS)),
    State.DRIFTED: (LOANS, install(LOANS, definition="SELECT 3")),
    State.MISSING: (LOANS, None),
    State.WRONG_KIND: (LOANS, install(LOANS, kind=None, relation="table", state=None)),
    State.NOT_POPULATED: (TOTALS, install(TOTALS, populated=False)),
}


@pytest.mark.parametrize(("state", "case"), STATES.items(), ids=[state.value for state in STATES])
def test_every_state_is_a_line_with_its_reason_unless_all_is_well(state, case):
    status = status_of(*case)
    assert status.state is state
    ((shown, line),) = status_table(DatabaseStatus("default", (status,)))
    assert shown is state
    assert state.value in line
    assert status.label in line
    if state is State.SYNCED:
        assert line.startswith(" [X] synced")
    else:
        assert line.startswith(f" [ ] {state.value}")
        assert f"{status.reason} {status.advice}" in line
        assert state.needs_attention


NAMELESS = ViewStatus(
    "default", None, "lending.Nameless", None, (Condition(State.INVALID, "It has no name.", "Mend it."),)
)


def test_the_table_stands_in_columns():
    statuses = (
        status_of(LOANS, install(LOANS)),
        status_of(TOTALS, install(TOTALS, populated=False)),
        NAMELESS,
        ViewStatus(
            "default", define("theirs").name, "", LOANS.kind, (Condition(State.UNMANAGED, "Not ours."),)
        ),
    )
    lines = [line for _, line in status_table(DatabaseStatus("default", statuses))]
    assert [line[:5] for line in lines] == [" [X] ", " [ ] ", " [ ] ", " [-] "]
    assert (
        len({line.index(word) for line, word in zip(lines, ("views.", "views.", "?", "views."), strict=True)})
        == 1
    )
    assert lines[0] == lines[0].rstrip()
    assert lines[3].endswith("Not ours.")


def test_a_database_without_views_and_one_that_does_not_answer_are_lines_too():
    assert list(status_table(DatabaseStatus("default"))) == [(None, "  (no views)")]
    error = DatabaseUnavailableError("Database 'default' does not answer")
    assert list(status_table(DatabaseStatus("default", error=error))) == [
        (State.UNREADABLE, "  Database 'default' does not answer")
    ]


def test_the_json_of_a_status_has_the_same_facts():
    state = state_of(TOTALS, installed=install(TOTALS).fingerprint, refreshed=SYNCED, seconds=1.5)
    status = status_of(TOTALS, install(TOTALS, state=state, size=8192))
    said = json.loads(json.dumps(status_as_dict(DatabaseStatus("default", (status,)))))
    (view,) = said["views"]
    assert said["database"] == "default"
    assert said["error"] is None
    assert view == view | {
        "view": "views.totals",
        "class": "lending.Totals",
        "source": SOURCE,
        "kind": "materialised view",
        "state": "synced",
        "size_bytes": 8192,
        "synced": SYNCED.isoformat(),
        "refreshed": SYNCED.isoformat(),
        "seconds": 1.5,
        "readable": False,
        "hidden": False,
    }


def test_the_json_of_a_view_without_class_or_database_has_nulls():
    said = status_as_dict(DatabaseStatus("default", (NAMELESS,), DatabaseUnavailableError("gone")))
    assert said["error"] == "gone"
    assert said["views"][0]["view"] is None
    assert said["views"][0]["kind"] is None
    assert said["views"][0]["synced"] is None


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("loans", True),
        ("views.loans", True),
        ("lending.Loans", True),
        ("Loans", False),
        ("loan", False),
        ("", False),
    ],
)
def test_a_status_goes_by_its_name_its_full_name_and_its_label(text, matches):
    assert status_matches(status_of(LOANS, None), text) is matches


def test_a_view_without_name_goes_by_its_label():
    assert status_matches(NAMELESS, "lending.Nameless")
    assert not status_matches(NAMELESS, "None")


def test_states_are_counted_in_their_order():
    statuses = [status_of(*STATES[state]) for state in (State.MISSING, State.SYNCED, State.MISSING)]
    counts = count_states([DatabaseStatus("default", tuple(statuses)), DatabaseStatus("other")])
    assert list(counts.items()) == [(State.MISSING, 2), (State.SYNCED, 1)]


def test_a_replacement_says_whom_it_keeps_waiting_and_is_a_swap():
    plan = plan_for([changed(LOANS, "SELECT 2 AS id")], catalog_of(install(LOANS)))
    lines = list(plan_lines(plan))
    assert "      keeps waiting: its readers, during the swap" in lines
    assert lines[-2:] == ["  How it is carried out:", "    1. swap views.loans"]


def test_what_only_creates_says_nothing_of_a_swap():
    lines = list(plan_lines(plan_for([LOANS], catalog_of(schemas=frozenset({"views"})))))
    assert len(lines) == 2


def test_what_was_added_by_hand_is_said_to_be_kept_or_lost():
    kept = Extra("index", "by_hand", f"CREATE INDEX by_hand ON {TABLE} USING btree (id)")
    lost = Extra("index", "by_city", f"CREATE INDEX by_city ON {TABLE} USING btree (city)")
    plan = plan_for(
        [changed(TOTALS, "SELECT 2 AS id")],
        catalog_of(install(TOTALS)),
        keep={"totals": [kept, lost]},
        lost={"totals": {lost: 'column "city" does not exist'}},
    )
    lines = list(plan_lines(plan))
    assert "      keeps: index by_hand" in lines
    assert '      LOSES index by_city: column "city" does not exist' in lines
    (step,) = plan_as_dict(plan)["steps"]
    assert step["kept"] == ["index by_hand"]
    assert step["lost"] == ['index by_city: column "city" does not exist']


def test_what_is_built_in_the_swap_is_said_with_the_reason():
    totals = install(
        TOTALS,
        reads=frozenset({LOANS.name}),
        state=state_of(TOTALS, installed=install(TOTALS).fingerprint, seconds=12.5),
    )
    plan = plan_for(
        [changed(LOANS, "SELECT 2 AS id"), TOTALS],
        catalog_of(install(LOANS), totals),
        stuck={"totals": ["loans"]},
    )
    lines = list(plan_lines(plan))
    why = "its SQL names views.loans in a way that cannot be pointed at the new version"
    assert (
        f"      built in the swap; keeps waiting: its readers, until it is built again, because {why}; "
        "the last build took 12.5 s" in lines
    )
    assert lines[-1].endswith("; readers also wait while views.totals is built")
    assert [step["late"] for step in plan_as_dict(plan)["steps"]] == [None, why]


def test_every_state_has_an_urgency_of_its_own_and_a_style_of_djangos():
    assert sorted(state.urgency for state in State) == list(range(len(State)))
    assert all(hasattr(no_style(), state.style) for state in State if state.style)
    assert {state for state in State if not state.needs_attention} == {State.SYNCED, State.UNMANAGED}


def test_warnings_are_said_beside_the_steps_and_do_not_make_a_plan_one_with_something_to_do():
    view = install(LOANS, state=None, is_trusted=False, owner="analyst")
    plan = plan_for([LOANS], catalog_of(view))
    _, warning, last = plan_lines(plan)
    assert warning.startswith("  Warning: views.loans: It belongs to 'analyst'")
    assert last == "  Nothing to do."
    assert plan_as_dict(plan)["warnings"] == list(plan.warnings)
    status = registered_status(LOANS, view)
    assert status.state is State.DRIFTED
    assert "analyst" in status.reason
    assert "TRUSTED_OWNERS" in status.advice
    assert status_as_dict(DatabaseStatus("default", (status,)))["views"][0]["synced"] is None
