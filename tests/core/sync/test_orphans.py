"""Orphans, which a sync created and no class declares any more, are dropped unless something reads them."""

from __future__ import annotations

from tests.core.chains import A, B, C, chain, changed, materialised, reasons, swap
from tests.core.values import CITY, define, foreign, plan_for, said


def test_an_orphan_is_dropped_after_what_replaces_has_been_replaced():
    plan = plan_for((changed(A),), chain(A, B), orphans=["b"])
    assert said(plan) == ["drop b", "replace a"]
    assert reasons(plan)["b"] == "no class declares it any more"
    assert swap(plan) == ["CREATE a", "DROP b"]


def test_orphans_go_readers_first():
    plan = plan_for((), chain(), orphans=["a", "b", "c"])
    assert said(plan) == ["drop c", "drop b", "drop a"]
    assert not plan.problems


def test_an_orphan_that_reads_what_is_rebuilt_goes_before_it():
    plan = plan_for((changed(A),), chain(), new_columns={"a": [CITY]}, orphans=["b", "c"])
    assert said(plan) == ["drop c", "drop b", "rebuild a"]
    assert swap(plan) == ["DROP c", "DROP b", "DROP a", "ALTER a"]


def test_an_orphan_in_the_way_goes_although_it_was_not_asked_for():
    plan = plan_for((changed(A),), chain(A, B), new_columns={"a": [CITY]}, orphans=["b"], only=["a"])
    assert set(said(plan)) == {"rebuild a", "drop b"}


def test_an_orphan_that_is_not_in_the_way_stays_when_others_are_asked_for():
    plan = plan_for((changed(A),), chain(A, B), orphans=["b"], only=["a"])
    assert said(plan) == ["replace a"]


def test_an_orphan_that_a_registered_view_still_reads_stops_the_sync():
    plan = plan_for((B, C), chain(), orphans=["a"])
    (problem,) = plan.problems
    assert "views.a has to be dropped" in problem
    assert "lending.B (/project/lending/postgres_views.py, line 7) still reads it" in problem


def test_an_orphan_that_a_registered_view_no_longer_reads_goes_after_that_was_replaced():
    plan = plan_for((changed(B, "SELECT 7 AS id"), C), chain(), orphans=["a"])
    assert said(plan) == ["drop a", "replace b"]
    assert swap(plan) == ["CREATE b", "DROP a"]
    assert not plan.problems


def test_a_view_can_be_renamed_although_others_read_it():
    renamed = define("a_new")
    reader = changed(B, "SELECT id FROM views.a_new")
    plan = plan_for((renamed, reader, C), chain(), orphans=["a"])
    assert said(plan) == ["drop a", "create a_new", "replace b"]
    assert swap(plan) == ["CREATE b", "DROP a"]
    assert not plan.problems


def test_a_view_can_be_renamed_although_a_materialised_one_reads_it():
    renamed = define("a_new")
    reader = changed(materialised(B), "SELECT id FROM views.a_new")
    plan = plan_for((renamed, reader, C), chain(A, materialised(B), C), orphans=["a"])
    assert said(plan) == ["drop a", "create a_new", "rebuild b", "replace c"]
    assert swap(plan) == ["CREATE c", "DROP b", "DROP a", "ALTER b"]
    assert not plan.problems


def test_an_orphan_in_the_way_takes_along_the_orphans_that_read_it():
    plan = plan_for((changed(A),), chain(), new_columns={"a": [CITY]}, orphans=["b", "c"], only=["a"])
    assert said(plan) == ["drop c", "drop b", "rebuild a"]


def test_an_orphan_that_somebody_else_reads_stops_the_sync():
    plan = plan_for((), chain(A, others=(foreign("public.report", "views.a"),)), orphans=["a"])
    (problem,) = plan.problems
    assert "public.report, which is not ours, still reads it" in problem
    assert "--drop-dependents" in problem


def test_an_orphan_takes_along_what_somebody_else_reads_it_with_if_that_is_said():
    others = (foreign("public.report", "views.a"), foreign("public.summary", "public.report"))
    plan = plan_for((), chain(A, others=others), orphans=["a"], drop_dependents=True)
    assert said(plan) == ["drop summary", "drop report", "drop a"]
    assert (
        reasons(plan)["summary"] == "it reads public.report, which is dropped, and --drop-dependents is set"
    )
    assert not plan.problems


def test_an_outsider_that_fits_but_reads_an_orphan_in_the_way_stops_the_sync():
    """It reads a view that is rebuilt, and an orphan that is dropped."""
    report = foreign("public.report", "views.a", "views.b", definition="SELECT id FROM views.a, views.b")
    asked = {"new_columns": {"a": [CITY]}, "orphans": ["b"], "only": ["a"]}
    (problem,) = plan_for((changed(A),), chain(A, B, others=(report,)), **asked).problems
    assert "public.report" in problem
    plan = plan_for((changed(A),), chain(A, B, others=(report,)), drop_dependents=True, **asked)
    assert said(plan) == ["drop report", "drop b", "rebuild a"]
