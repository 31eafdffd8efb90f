"""How a view differs from its class, and which views a sync looks at."""

from __future__ import annotations

import dataclasses
import re

import pytest

from orm_views_core.database.relations import Grant, InstalledIndex
from orm_views_core.exceptions import CyclicDependencyError
from orm_views_core.plan.diff import (
    NO_DIFFERENCES,
    Differences,
    differences,
    find_scope,
    has_text_by_hand,
    is_reader,
    kept_comment,
)
from tests.core.values import MATERIALISED, catalog_of, define, foreign, install, name, state_of

LOANS = define("loans", "SELECT 1 AS id", comment="The loans.", grant_select_to=("analyst",))


def scope_of(definitions, catalog, **asked):
    if "only" in asked:
        asked["only"] = [name(text) for text in asked["only"]]
    return find_scope({d.name: d for d in definitions}, catalog, **asked)


def names(views):
    return [view.name for view in views]


def test_a_view_does_not_differ_after_a_sync():
    difference = differences(LOANS, install(LOANS))
    assert difference == Differences()
    assert not difference.is_pending
    assert not difference.needs_dry_run


def test_a_view_that_is_not_there_is_missing():
    assert differences(LOANS, None) == Differences(missing=True)


def test_a_table_with_the_views_name_is_the_only_difference_reported():
    table = install(LOANS, kind=None, relation="table", state=None)
    assert differences(LOANS, table) == Differences(obstructed_by="table")


BARRED = dataclasses.replace(LOANS, options=(("security_barrier", "true"),))
CASES = {
    "the class has changed": (dataclasses.replace(LOANS, sql="SELECT 2 AS id"), {}, {"code"}),
    "its options have changed": (
        dataclasses.replace(LOANS, options=(("security_barrier", "true"),)),
        {},
        {"code"},
    ),
    "its columns are called otherwise": (dataclasses.replace(LOANS, columns=("number",)), {}, {"code"}),
    "its kind has changed": (dataclasses.replace(LOANS, kind=MATERIALISED), {}, {"code", "other_kind"}),
    "changed by hand": (LOANS, {"definition": "SELECT 3 AS id"}, {"drifted"}),
    "options set by hand": (LOANS, {"options": (("security_barrier", "true"),)}, set()),
    "an option of the class reset by hand": (BARRED, {"options": ()}, {"drifted"}),
    "an option of the class set otherwise by hand": (
        BARRED,
        {"options": (("security_barrier", "false"),)},
        {"drifted"},
    ),
    "an option set by hand beside the class's": (
        BARRED,
        {"options": (("security_barrier", "true"), ("security_invoker", "true"))},
        set(),
    ),
    "never recorded": (LOANS, {"state": None}, {"unrecorded"}),
    "another comment": (LOANS, {"text": "Somebody's words."}, {"comment"}),
    "a role that cannot read": (LOANS, {"grants": frozenset()}, {"grant"}),
    "another docstring": (dataclasses.replace(LOANS, comment="All loans."), {}, {"comment"}),
    "another help_text": (
        dataclasses.replace(LOANS, column_comments={"id": "Number."}),
        {},
        {"column_comments"},
    ),
    "another role": (dataclasses.replace(LOANS, grant_select_to=("analyst", "new")), {}, {"grant", "record"}),
    "a role less": (dataclasses.replace(LOANS, grant_select_to=()), {}, {"revoke", "record"}),
    "other storage parameters": (LOANS, {}, set()),
    "held by a refresh": (LOANS, {"definition": None}, set()),
}


@pytest.mark.parametrize(("definition", "found", "expected"), CASES.values(), ids=CASES)
def test_only_what_differs_is_reported(definition, found, expected):
    difference = differences(definition, install(BARRED if definition is BARRED else LOANS, **found))
    differing = {f.name for f in dataclasses.fields(difference) if getattr(difference, f.name)}
    assert differing == expected
    assert difference.is_pending == bool(expected)
    assert difference.needs_dry_run == bool(expected & {"code", "drifted", "unrecorded", "other_kind"})


UNDOCUMENTED = dataclasses.replace(LOANS, comment="")


def test_a_comment_by_hand_is_kept_where_the_class_has_no_docstring():
    by_hand = install(UNDOCUMENTED, text="Somebody's words.", state=None)
    assert has_text_by_hand(UNDOCUMENTED, by_hand)
    assert kept_comment(UNDOCUMENTED, by_hand) == "Somebody's words."
    assert not differences(UNDOCUMENTED, by_hand).comment
    view = install(UNDOCUMENTED, text="Somebody's words.", state=state_of(UNDOCUMENTED, text_by_hand=True))
    assert kept_comment(UNDOCUMENTED, view) == "Somebody's words."
    assert not differences(UNDOCUMENTED, view).comment


def test_a_docstring_takes_the_place_of_a_comment_by_hand():
    by_hand = install(LOANS, text="Somebody's words.", state=state_of(LOANS, text_by_hand=True))
    assert not has_text_by_hand(LOANS, by_hand)
    assert kept_comment(LOANS, by_hand) == "The loans."
    assert differences(LOANS, by_hand).comment


def test_the_docstring_that_a_class_had_is_not_taken_for_a_comment_by_hand():
    before = install(LOANS)
    assert not has_text_by_hand(UNDOCUMENTED, before)
    assert kept_comment(UNDOCUMENTED, before) == UNDOCUMENTED.label
    assert differences(UNDOCUMENTED, before).comment


def test_a_view_that_is_not_there_and_one_without_comment_have_none_by_hand():
    assert not has_text_by_hand(UNDOCUMENTED, None)
    assert not has_text_by_hand(UNDOCUMENTED, install(UNDOCUMENTED, state=None))
    assert kept_comment(LOANS, None) == "The loans."


def test_a_view_without_docstring_is_labelled_unless_somebody_else_has_commented_on_it():
    assert not differences(UNDOCUMENTED, install(UNDOCUMENTED)).comment
    assert differences(UNDOCUMENTED, install(UNDOCUMENTED, text="")).comment
    assert differences(UNDOCUMENTED, install(UNDOCUMENTED, text="sales.Before")).comment
    by_hand = install(UNDOCUMENTED, text="By hand.", state=state_of(UNDOCUMENTED, text_by_hand=True))
    assert not differences(UNDOCUMENTED, by_hand).comment
    theirs = install(UNDOCUMENTED, text="Theirs.", state=None, is_trusted=False)
    assert not differences(UNDOCUMENTED, theirs).comment


def test_a_sync_state_of_an_earlier_release_is_no_difference():
    state = state_of(UNDOCUMENTED, installed=install(UNDOCUMENTED).fingerprint, is_json=True)
    before = install(UNDOCUMENTED, state=state, text="")
    assert differences(UNDOCUMENTED, before) == NO_DIFFERENCES
    assert differences(UNDOCUMENTED, before).old_form
    assert not differences(UNDOCUMENTED, dataclasses.replace(before, is_ours_to_change=False)).old_form


def test_only_column_comments_of_the_class_are_compared():
    definition = dataclasses.replace(LOANS, column_comments={"id": "Number.", "city": "Town."})
    installed = install(LOANS, column_comments={"id": "Number.", "city": "Old.", "by_hand": "Somebody's."})
    assert differences(definition, installed).column_comments == {"city": "Town."}


def test_storage_parameters_of_a_materialised_view_are_not_of_its_class():
    definition = define("loans", kind=MATERIALISED)
    assert differences(definition, install(definition, options=(("fillfactor", "70"),))) == Differences()


def test_an_index_made_by_hand_is_not_drift():
    definition = define("loans", kind=MATERIALISED)
    by_hand = InstalledIndex("by_hand", False, "btree (id)")
    assert not differences(definition, install(definition, indexes=(by_hand,))).is_pending


def granted(*roles, by_command=(), owner="owner", readers=None):
    definition = dataclasses.replace(LOANS, grant_select_to=tuple(roles))
    readers = [*roles, *by_command] if readers is None else readers
    state = state_of(
        definition, installed=install(definition).fingerprint, granted_by_command=tuple(by_command)
    )
    grants = frozenset(Grant(role, "SELECT") for role in readers)
    return install(definition, owner=owner, grants=grants, state=state)


def test_a_role_that_somebody_granted_by_hand_keeps_its_grant():
    installed = granted("analyst", readers=["analyst", "friend"])
    assert differences(LOANS, installed).revoke == ()


def test_a_role_that_the_command_named_is_granted_and_kept():
    difference = differences(LOANS, install(LOANS), ["dashboards", "analyst"])
    assert difference.grant == ("dashboards",)
    assert differences(LOANS, granted("analyst", by_command=["dashboards"])) == Differences()


def test_a_role_that_moves_from_the_settings_to_the_command_keeps_its_grant():
    installed = granted("analyst", "dashboards")
    difference = differences(LOANS, installed, ["dashboards"])
    assert (difference.grant, difference.revoke) == ((), ())


def test_a_view_that_becomes_hidden_loses_all_that_syncs_granted_and_nothing_else():
    hidden = dataclasses.replace(LOANS, hidden=True, grant_select_to=())
    installed = granted(
        "analyst", by_command=["dashboards"], readers=["analyst", "dashboards", "friend", "owner"]
    )
    difference = differences(hidden, installed, ["dashboards"])
    assert difference.grant == ()
    assert set(difference.revoke) == {"analyst", "dashboards"}


def test_a_grant_that_was_revoked_by_hand_is_not_revoked_again():
    none = dataclasses.replace(LOANS, grant_select_to=())
    assert differences(none, granted("analyst", readers=[])).revoke == ()


def test_the_owner_needs_no_grant_and_loses_none():
    assert differences(LOANS, granted("analyst", readers=[], owner="analyst")).grant == ()
    none = dataclasses.replace(LOANS, grant_select_to=())
    assert differences(none, granted("analyst", readers=["analyst"], owner="analyst")).revoke == ()


def test_public_is_a_reader_under_any_spelling():
    everybody = install(LOANS, grants=frozenset({Grant("", "SELECT")}))
    assert is_reader("public", everybody)
    assert is_reader("PUBLIC", everybody)
    assert not is_reader("analyst", everybody)
    assert not is_reader("public", install(LOANS))


def test_a_privilege_other_than_select_makes_no_reader():
    assert not is_reader("analyst", install(LOANS, grants=frozenset({Grant("analyst", "UPDATE")})))


A = define("a")
B = define("b", "SELECT id FROM views.a")
C = define("c", "SELECT id FROM views.b")
CHAIN = (A, B, C)


def installed_chain(*definitions):
    reads = {"a": (), "b": ["a"], "c": ["b"]}
    return catalog_of(
        *(install(d, reads=frozenset(map(name, reads[d.name.name]))) for d in definitions or CHAIN)
    )


def test_an_unchanged_database_needs_no_dry_run():
    scope = scope_of(CHAIN, installed_chain())
    assert scope.try_views == []
    assert names(scope.order) == ["a", "b", "c"]


def test_a_change_is_tried_with_all_that_reads_it_and_not_with_what_it_reads():
    changed = dataclasses.replace(B, sql="SELECT id + 1 AS id FROM views.a")
    scope = scope_of((A, changed, C), installed_chain())
    assert names(scope.try_views) == ["b", "c"]


def test_external_dependents_are_ordered_and_tried_with_what_they_read():
    catalog = installed_chain()
    others = [foreign("public.d", "views.c"), foreign("public.e", "public.d"), foreign("public.f", "views.b")]
    catalog = catalog_of(*catalog.relations.values(), *others)
    external = [view.name for view in others]
    scope = scope_of(CHAIN, catalog, external=external)
    assert scope.try_views == []
    assert names(scope.differences) == ["a", "b", "c"], "they never differ themselves"
    changed = dataclasses.replace(C, sql="SELECT id + 1 AS id FROM views.b")
    scope = scope_of((A, B, changed), catalog, external=external)
    assert names(scope.try_views) == ["c", "d", "e"]
    assert scope.dependencies[name("public.d")] == {C.name}
    assert names(scope_of(CHAIN, catalog, external=external, force=True, only=["c"]).try_views) == [
        "c",
        "d",
        "e",
    ]


def test_a_class_may_read_an_external_dependent():
    report = foreign("public.report", "views.a")
    catalog = catalog_of(install(A), report)
    reader = define("reader", "SELECT id FROM public.report")
    scope = scope_of((reader, A), catalog, external=[report.name])
    assert names(scope.order) == ["a", "report", "reader"]


def test_a_circle_through_an_external_dependent_names_it():
    report = foreign("public.report", "views.a")
    changed = dataclasses.replace(A, sql="SELECT id FROM public.report")
    with pytest.raises(CyclicDependencyError, match=r"public\.report"):
        scope_of((changed,), catalog_of(install(A), report), external=[report.name])


def test_what_is_missing_is_tried_for_a_plan_and_by_a_sync_only_if_a_change_reads_it():
    catalog = installed_chain(B, C)
    assert names(scope_of(CHAIN, catalog).try_views) == ["a"]
    assert names(scope_of(CHAIN, catalog, try_missing=False).try_views) == []
    changed = dataclasses.replace(B, sql="SELECT id + 1 AS id FROM views.a")
    scope = scope_of((A, changed, C), installed_chain(B, C), try_missing=False)
    assert names(scope.try_views) == ["a", "b", "c"]


def test_force_tries_all_requested_views():
    assert names(scope_of(CHAIN, installed_chain(), force=True).try_views) == ["a", "b", "c"]
    assert names(scope_of(CHAIN, installed_chain(), force=True, only=["b"]).try_views) == ["b", "c"]


def test_only_the_requested_views_are_looked_at_with_the_missing_views_that_they_read():
    changed = [dataclasses.replace(d, sql=f"{d.sql} ") for d in CHAIN]
    assert names(scope_of(changed, installed_chain(), only=["b"]).differences) == ["b"]
    scope = scope_of(CHAIN, catalog_of(), only=["b"])
    assert names(scope.differences) == ["a", "b"]
    assert scope_of(CHAIN, catalog_of(), only=["nothing"]).differences == {}


def test_what_is_left_stays_although_what_it_reads_changes_unless_it_is_asked_for():
    changed = dataclasses.replace(B, sql="SELECT id + 1 AS id FROM views.a")
    views = (A, changed, C)
    assert names(scope_of(views, installed_chain(), only=["b"]).try_views) == ["b", "c"]
    assert names(scope_of(views, installed_chain(), only=["b"], leave=[C.name]).try_views) == ["b"]
    assert names(scope_of(views, installed_chain(), only=["b", "c"], leave=[C.name]).try_views) == ["b", "c"]


def test_a_table_in_the_way_is_not_tried():
    table = install(A, kind=None, relation="table", state=None)
    scope = scope_of((A, B), catalog_of(table), force=True)
    assert names(scope.try_views) == ["b"]


def test_an_unchanged_view_depends_on_what_postgresql_says_and_a_changed_one_on_its_sql():
    installed = install(A, reads=frozenset({name("b"), name("public.a_table")}))
    assert scope_of((A, C), catalog_of(installed)).dependencies[A.name] == frozenset()
    by_catalog = scope_of((A, define("b")), catalog_of(installed))
    assert by_catalog.dependencies[A.name] == {name("b")}
    changed = dataclasses.replace(A, sql="SELECT id FROM views.c")
    by_sql = scope_of((changed, define("b"), define("c")), catalog_of(installed))
    assert by_sql.dependencies[A.name] == {name("c")}


def test_declared_dependencies_count_beside_those_that_are_found():
    declared = dataclasses.replace(C, declared_dependencies=(name("a"), name("not.registered")))
    scope = scope_of((declared, A, B), catalog_of())
    assert scope.dependencies[C.name] == {name("a"), name("b")}
    assert names(scope.order) == ["a", "b", "c"]


def test_views_that_share_names_with_columns_run_in_no_false_circle():
    loans = define("loans", "SELECT id, status FROM lending_loan")
    status = define("status", "SELECT DISTINCT status FROM loans")
    scope = scope_of((status, loans), catalog_of(search_path=("public", "views")))
    assert names(scope.order) == ["loans", "status"]


def test_a_view_may_be_called_like_the_table_that_it_reads():
    loans = define("loans", "SELECT id FROM loans")
    scope = scope_of((loans,), catalog_of(search_path=("public", "views")))
    assert scope.dependencies[loans.name] == frozenset()


def test_a_circle_names_the_classes_and_where_they_are():
    a = dataclasses.replace(A, sql="SELECT id FROM views.c")
    with pytest.raises(CyclicDependencyError) as caught:
        scope_of((a, B, C), catalog_of())
    # Wherever it begins, each is followed by what it reads.
    circle = re.search(r"views\.(\w) → views\.(\w) → views\.(\w) → views\.(\w)\.", str(caught.value))
    assert circle is not None
    assert "".join(circle.groups()) in {"acba", "cbac", "bacb"}
    for label in ("lending.A", "lending.B", "lending.C"):
        assert f"{label} (/project/lending/postgres_views.py, line 7)" in str(caught.value)


def test_a_view_that_names_itself_with_its_schema_is_a_circle():
    with pytest.raises(CyclicDependencyError, match=r"views\.a → views\.a"):
        scope_of((define("a", "SELECT id FROM views.a"),), catalog_of())
