"""External dependents are kept if they still fit, and dropped only with drop_dependents."""

from __future__ import annotations

from orm_views_core.database.extras import TABLE, Extra
from orm_views_core.plan.steps import Action, Phase
from tests.core.chains import A, B, C, chain, changed, materialised, reasons, swap
from tests.core.values import CITY, MATERIALISED, foreign, plan_for, said, sql

REPORT = foreign("public.report", "views.a", definition="SELECT id FROM views.a")
ON_REPORT = foreign("public.summary", "public.report", definition="SELECT id FROM public.report")
NO_ID = "column a.id does not exist"
GOES = "views.a has to be rebuilt (its class has changed: column id is removed)"


def rebuilt(*others, **asked):
    """A sync that removes a column of a view which external dependents read."""
    return plan_for((changed(A),), chain(A, others=others), new_columns={"a": [CITY]}, **asked)


def test_a_replacement_leaves_somebody_elses_view_alone():
    plan = plan_for((changed(A), B, C), chain(others=(REPORT,)))
    assert said(plan) == ["replace a"]
    assert not plan.problems


def test_somebody_elses_view_that_still_fits_is_pointed_at_the_new_version():
    plan = rebuilt(REPORT, ON_REPORT)
    assert not plan.problems
    assert said(plan) == ["rebuild a", "replace report"]
    step = plan.steps[1]
    assert step.definition is None, "it gets no sync state: it is not ours"
    assert step.indirect
    assert step.reason == "it reads views.a, which is rebuilt"
    assert sql(step, Phase.REPLACE) == (
        'CREATE OR REPLACE VIEW "public"."report" AS\nSELECT id FROM "orm_views_staging_0".a',
    )
    assert plan.unchanged == 0


def test_somebody_elses_view_that_gets_other_columns_is_created_again_with_all_that_it_had():
    grant = Extra("grant", "of SELECT to friend", f"GRANT SELECT ON {TABLE} TO friend")
    comment = Extra("comment", "", f"COMMENT ON VIEW {TABLE} IS 'Mine.'")
    plan = plan_for(
        (changed(A),),
        chain(A, others=(REPORT, ON_REPORT)),
        new_columns={"a": [CITY], "public.report": [CITY]},
        keep={"public.report": [comment, grant]},
    )
    assert said(plan) == ["rebuild a", "rebuild report", "replace summary"]
    step = plan.steps[1]
    assert sql(step, Phase.BUILD)[1:] == (
        """COMMENT ON VIEW "orm_views_staging_1"."report" IS 'Mine.'""",
        'GRANT SELECT ON "orm_views_staging_1"."report" TO friend',
    )
    assert step.definition is None
    assert plan.staging == {"views": "orm_views_staging_0", "public": "orm_views_staging_1"}
    assert swap(plan) == ["CREATE summary", "DROP report", "DROP a", "ALTER a", "ALTER report"]


def test_somebody_elses_materialised_view_is_built_again_as_empty_or_full_as_it_was():
    for populated in (True, False):
        stored = foreign("public.stored", "views.a", kind=MATERIALISED, populated=populated)
        plan = rebuilt(stored)
        assert said(plan) == ["rebuild a", "rebuild stored"]
        assert plan.steps[1].fills is populated


def test_somebody_elses_materialised_view_is_not_computed_anew_for_a_replacement():
    stored = foreign("public.stored", "views.a", kind=MATERIALISED)
    assert said(plan_for((changed(A),), chain(A, others=(stored,)))) == ["replace a"]


def test_a_plain_view_of_ours_below_somebody_elses_materialised_one_is_rebuilt_when_that_is():
    stored = foreign("public.stored", "views.b", "views.a", kind=MATERIALISED)
    plan = plan_for((changed(A), B), chain(A, B, others=(stored,)), new_columns={"a": [CITY]})
    assert said(plan) == ["rebuild a", "rebuild b", "rebuild stored"]


def test_somebody_elses_view_that_fits_no_more_stops_the_sync_with_what_postgresql_says():
    plan = rebuilt(REPORT, refused={"public.report": NO_ID})
    (problem,) = plan.problems
    assert problem == (
        f"{GOES}, and public.report, which is not ours, reads it and no longer fits. "
        f"PostgreSQL refuses its SQL: {NO_ID}. "
        "Change or drop public.report first, or use --drop-dependents to drop it."
    )


def test_every_view_that_fits_no_more_is_named():
    other = foreign("public.other", "views.a")
    plan = rebuilt(REPORT, other, refused={"public.report": NO_ID, "public.other": NO_ID})
    assert [problem.count("public.report") for problem in plan.problems] == [0, 2]


def test_what_fits_no_more_is_dropped_with_all_that_reads_it_if_that_is_said():
    fits = foreign("public.fits", "views.a", definition="SELECT 1 AS id FROM views.a")
    plan = rebuilt(REPORT, ON_REPORT, fits, refused={"public.report": NO_ID}, drop_dependents=True)
    assert not plan.problems
    assert said(plan) == ["drop summary", "drop report", "rebuild a", "replace fits"]
    assert (
        reasons(plan)["report"] == "it reads views.a, which it no longer fits, and --drop-dependents is set"
    )
    assert swap(plan) == ["CREATE fits", "DROP summary", "DROP report", "DROP a", "ALTER a"]


def test_what_still_fits_is_not_dropped_even_if_that_is_said():
    plan = rebuilt(REPORT, drop_dependents=True)
    assert Action.DROP not in plan.counts


def test_a_table_that_uses_the_type_of_the_rows_stops_the_sync_and_is_never_dropped():
    table = foreign("public.kept", "views.a", kind=None, relation="table")
    for drop_dependents in (False, True):
        (problem,) = rebuilt(table, drop_dependents=drop_dependents).problems
        assert problem == (
            f"{GOES}, and the table public.kept uses the type of its rows. Change public.kept first."
        )


def test_a_table_that_uses_the_type_of_the_rows_is_no_trouble_for_a_replacement():
    table = foreign("public.kept", "views.a", kind=None, relation="table")
    plan = plan_for((changed(A),), chain(A, others=(table,)))
    assert said(plan) == ["replace a"]
    assert not plan.problems


def test_what_is_no_view_and_depends_on_one_that_goes_stops_the_sync():
    function = "function last_id(views.a)"
    (problem,) = rebuilt(dependents={"a": [function]}).problems
    assert problem == (
        f"{GOES}, and {function} depends on it. Drop that first, and create it again afterwards."
    )
    assert not plan_for((changed(A),), chain(A), dependents={"a": [function]}).problems
    (problem,) = plan_for((), chain(A), orphans=["a"], dependents={"a": [function]}).problems
    assert problem.startswith("views.a has to be dropped (no class declares it any more), and function")


def test_what_is_in_between_of_ours_and_somebody_elses_is_rebuilt_together():
    """a ← report (theirs) ← b (ours, materialised)."""
    b = materialised(changed(B, "SELECT id FROM public.report"))
    ours = foreign("views.b", "public.report")
    catalog = chain(A, others=(REPORT, ours))
    plan = plan_for((changed(A), b), catalog, new_columns={"a": [CITY]})
    assert {step.name.name: step.action for step in plan.steps}["report"] is Action.REBUILD
