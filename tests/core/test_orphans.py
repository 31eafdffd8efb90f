"""Views that a sync made and no class declares any more: dropped, unless something still reads them."""

from __future__ import annotations

from .chains import A, B, C, chain, changed, materialised, reasons, swap
from .values import CITY, define, plan_for, said


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
    assert "views.a has to go" in problem
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
