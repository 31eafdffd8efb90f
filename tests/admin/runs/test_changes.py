"""What a sync has changed of each view is recorded, once it is committed."""

from __future__ import annotations

import getpass
from contextlib import suppress

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from orm_views_admin.models import Run, ViewChange
from orm_views_admin.origins import started_by
from orm_views_admin.runs import start_sync
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.sync import sync_views
from tests.admin.browse import declare, declare_materialised
from tests.admin.changing import Changing, changes_of, last_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def changing(django_capture_on_commit_callbacks):
    return Changing(django_capture_on_commit_callbacks)


def test_a_created_view_has_a_definition_afterwards_and_none_before(changing):
    declare("Plain", "SELECT 1 AS one", __doc__="Just one.", grant_select_to=["analyst"])
    changing.sync()
    change = last_of("plain")
    assert change.actions == ["+ create"]
    assert (change.before, change.after) == ("", "SELECT 1 AS one")
    assert (change.facts_before, change.facts_after) == (None, None)
    assert 'CREATE VIEW "views"."plain"' in change.sql
    assert 'GRANT SELECT ON "views"."plain"' in change.sql
    assert change.reason == "it is not in the database"


def test_a_replaced_view_has_the_definition_that_was_found_and_the_new_one(changing):
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    declare("Plain", "SELECT 1 AS one, 2 AS two")
    changing.sync()
    created, replaced = changes_of("plain")
    assert replaced.actions == ["~ replace"]
    assert replaced.before == " SELECT 1 AS one;"
    assert not replaced.is_after_hand(created.after_digest)
    assert replaced.after == " SELECT 1 AS one,\n    2 AS two;"
    assert replaced.facts_before["columns"] == [["one", "integer"]]
    assert replaced.facts_after["columns"] == [["one", "integer"], ["two", "integer"]]


def test_a_rebuilt_view_is_named_as_it_is_in_its_place(changing):
    declare("Low", "SELECT 1 AS one")
    declare_materialised("Top", "SELECT one FROM views.low", pk_field="one")
    changing.sync()
    declare("Low", "SELECT 1.5 AS one")
    changing.sync()
    low, top = last_of("low"), last_of("top")
    assert low.actions == top.actions == ["± rebuild"]
    assert (low.before, low.after) == (" SELECT 1 AS one;", " SELECT 1.5 AS one;")
    assert top.before == top.after
    assert top.after.endswith("FROM views.low;")
    assert last_of("top").facts_before["columns"] == [["one", "integer"]]
    assert last_of("top").facts_after["columns"] == [["one", "numeric"]]


def test_a_dropped_view_keeps_what_it_was(changing, execute):
    declare("Stays", "SELECT 1 AS one")
    declare_materialised("Gone", "SELECT 1 AS one", pk_field="one", __doc__="Nobody needs it.")
    changing.sync()
    execute("GRANT SELECT ON views.gone TO analyst WITH GRANT OPTION")
    changing.forget("Gone")
    changing.sync()
    dropped = last_of("gone")
    assert dropped.actions == ["- drop"]
    assert dropped.before == " SELECT 1 AS one;"
    assert dropped.after == ""
    assert dropped.facts_before["grants"] == {"analyst": ["SELECT *"]}
    assert dropped.facts_before["comment"] == "Nobody needs it."
    assert list(dropped.facts_before["indexes"].values()) == ["UNIQUE USING btree (one)"]
    assert dropped.facts_after is None
    assert dropped.sql == 'DROP MATERIALIZED VIEW "views"."gone";'


def test_smaller_changes_of_one_sync_are_one_change_with_the_facts(changing):
    declare_materialised("Stored", "SELECT 1 AS one, 2 AS two", __doc__="Old.")
    changing.sync()
    declare_materialised(
        "Stored",
        "SELECT 1 AS one, 2 AS two",
        __doc__="New.",
        pk_field="one",
        grant_select_to=["analyst"],
    )
    changing.sync()
    change = last_of("stored")
    assert change.actions == ["~ index", "~ grant", "~ comment"]
    assert (change.before, change.after, change.before_digest, change.after_digest) == ("", "", "", "")
    before, after = change.facts_before, change.facts_after
    assert (before["comment"], after["comment"]) == ("Old.", "New.")
    assert (before["indexes"], list(after["indexes"].values())) == ({}, ["UNIQUE USING btree (one)"])
    assert (before["grants"], after["grants"]) == ({}, {"analyst": ["SELECT"]})
    assert change.reason.splitlines()[-1].startswith("its comment is not its docstring")
    assert "COMMENT ON MATERIALIZED VIEW" in change.sql


def test_an_option_is_a_change(changing):
    declare("Plain", "SELECT id FROM lending_customer")
    changing.sync()
    declare("Plain", "SELECT id FROM lending_customer", security_barrier=True)
    changing.sync()
    change = last_of("plain")
    assert change.actions == ["~ options"]
    assert change.facts_before["options"] == {}
    assert change.facts_after["options"] == {"security_barrier": "true"}


def test_a_revoked_privilege_is_a_change(changing):
    declare("Plain", "SELECT 1 AS one", grant_select_to=["analyst"])
    changing.sync()
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    change = last_of("plain")
    assert change.actions == ["~ revoke"]
    assert (change.facts_before["grants"], change.facts_after["grants"]) == ({"analyst": ["SELECT"]}, {})


def test_an_adopted_view_is_a_change_that_keeps_the_definition(changing, execute):
    execute("CREATE SCHEMA views; CREATE VIEW views.plain AS SELECT 1 AS one")
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    change = last_of("plain")
    assert change.actions == ["= adopt"]
    assert change.before == change.after == " SELECT 1 AS one;"
    assert change.sql == ""


def test_what_the_sync_state_alone_records_is_a_change(changing, execute):
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    execute("GRANT SELECT ON views.plain TO analyst")
    declare("Plain", "SELECT 1 AS one", grant_select_to=["analyst"])
    changing.sync()
    change = last_of("plain")
    assert change.actions == ["~ grant"]
    assert change.facts_before["grants"] == change.facts_after["grants"] == {"analyst": ["SELECT"]}


def test_a_view_of_others_that_is_rebuilt_is_a_change_too(changing, execute):
    declare("Low", "SELECT 1 AS one")
    changing.sync()
    execute("CREATE VIEW public.theirs AS SELECT one FROM views.low")
    declare("Low", "SELECT 'x' AS one")
    changing.sync()
    (change,) = changes_of("theirs", schema="public")
    assert change.actions == ["± rebuild"]
    assert change.before == change.after
    assert change.facts_after["columns"] == [["one", "text"]]


def test_a_view_of_others_that_is_dropped_keeps_what_it_was(changing, execute):
    declare("Low", "SELECT 1 AS one, 2 AS two")
    changing.sync()
    execute("CREATE VIEW public.theirs AS SELECT two FROM views.low")
    declare("Low", "SELECT 'x' AS one")
    changing.sync(drop_dependents=True)
    (change,) = changes_of("theirs", schema="public")
    assert change.actions == ["- drop"]
    assert "two" in change.before


def test_a_sync_that_changes_nothing_leaves_no_change(changing):
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    changing.sync()
    assert len(changes_of("plain")) == 1


def test_a_change_by_hand_is_what_the_next_sync_finds(changing, execute):
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    execute("CREATE OR REPLACE VIEW views.plain AS SELECT 3 AS one")
    changing.sync()
    created, replaced = changes_of("plain")
    assert (replaced.before, replaced.after) == (" SELECT 3 AS one;", " SELECT 1 AS one;")
    assert replaced.is_after_hand(created.after_digest)


def test_changes_by_hand_are_told_from_those_of_syncs(changing, execute):
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    declare("Plain", "SELECT 2 AS one")
    changing.sync()
    execute("DROP VIEW views.plain")
    changing.sync()
    declare("Plain", "SELECT 2 AS one", __doc__="New.")
    changing.sync()
    declare("Plain", "SELECT 4 AS one")
    changing.sync()
    found = ViewChange.objects.in_list().order_by("pk")
    assert [(change.actions, change.is_after_hand(change.left_before)) for change in found] == [
        (["+ create"], False),
        (["~ replace"], False),
        (["+ create"], True),
        (["~ comment"], False),
        (["~ replace"], False),
    ]


def test_a_view_that_comes_back_after_a_drop_was_not_changed_by_hand(changing):
    declare("Plain", "SELECT 1 AS one")
    declare("Stays", "SELECT 1 AS one")
    changing.sync()
    changing.forget("Plain")
    changing.sync()
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    found = ViewChange.objects.in_list().filter(name="plain")
    assert [change.actions for change in found] == [["+ create"], ["- drop"], ["+ create"]]
    assert not any(change.is_after_hand(change.left_before) for change in found)


def test_a_failed_sync_leaves_no_change(changing):
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    declare("Plain", "SELECT 1 AS one, 2 AS two")
    declare_materialised("Broken", "SELECT 1 / (SELECT 0) AS none")
    with pytest.raises(OrmViewsError):
        changing.sync()
    assert ViewChange.objects.count() == 1
    assert Run.objects.first().state == "failed"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_a_sync_in_a_transaction_that_is_rolled_back_leaves_no_change():
    declare("Plain", "SELECT 1 AS one")
    with suppress(IntegrityError), transaction.atomic():
        sync_views()
        assert not ViewChange.objects.exists()
        raise IntegrityError
    assert not ViewChange.objects.exists()
    with transaction.atomic():
        sync_views()
    assert last_of("plain").run == Run.objects.get()


def test_who_and_from_where_are_those_of_the_run(changing, ann, at_once, capsys):
    declare("Plain", "SELECT 1 AS one")
    changing.call(call_command, "sync_views")
    declare("Plain", "SELECT 2 AS one")
    at_once(start_sync, ann, "default")
    declare("Plain", "SELECT 3 AS one")
    changing.sync()
    declare("Plain", "SELECT 4 AS one")
    with started_by(Run.Origin.TASK, user=ann):
        changing.sync()
    changes = changes_of("plain")
    assert [(change.origin, change.who) for change in changes] == [
        ("command", getpass.getuser()),
        ("admin", "ann"),
        ("code", ""),
        ("task", "ann"),
    ]
    assert [change.run for change in changes] == list(Run.objects.order_by("pk"))
