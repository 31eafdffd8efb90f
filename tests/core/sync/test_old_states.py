"""Databases that an earlier release has synced: their sync states are JSON."""

from __future__ import annotations

import re

import pytest
from django.core.management import call_command

from orm_views_core.database.sync_state import split_comment
from orm_views_core.plan.steps import Action
from orm_views_core.refresh import refresh_views
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views.registry import registry
from tests.admin.browse import declare, declare_materialised
from tests.core.database.json_states import as_old_comment

pytestmark = pytest.mark.django_db

COMMENTS = """
SELECT c.relname, CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END, c.oid, c.relfilenode,
       obj_description(c.oid, 'pg_class')
FROM pg_class c WHERE c.relnamespace = 'views'::regnamespace AND c.relkind IN ('v', 'm') ORDER BY 1
"""


@pytest.fixture
def old(registered, execute):
    """Views as an earlier release has synced them: that labelled no view."""
    declare("Told", "SELECT 1 AS id", __doc__="What it is.")
    declare("Plain", "SELECT * FROM views.told", grant_select_to=["public"])
    declare_materialised("Stored", "SELECT 1 AS id", pk_field="id")
    sync_views()
    for name, kind, _, _, comment in execute(COMMENTS):
        text, state = split_comment(comment)
        comment = as_old_comment(text if name == "told" else "", state).replace("'", "''")
        execute(f"COMMENT ON {kind} views.{name} IS '{comment}'")
    return execute(COMMENTS)


def test_they_are_written_anew_and_nothing_else_is_done(old, execute, capsys):
    assert {status.state for status in get_statuses()[0].views} == {State.SYNCED}
    (plan,) = plan_views()
    assert {(step.action, step.sql) for step in plan.steps} == {(Action.ADOPT, "")}
    assert plan.only_records
    call_command("sync_views", "--check")
    assert "Only sync states would be written" in capsys.readouterr().out
    before = {status.name: status.installed.state for status in get_statuses()[0].views}
    sync_views()
    after = {status.name: status.installed.state for status in get_statuses()[0].views}
    assert after == before
    assert [row[:4] for row in execute(COMMENTS)] == [row[:4] for row in old]
    assert [re.sub(r"\[orm_views [^\]]*\]", "[…]", row[4]) for row in execute(COMMENTS)] == [
        "lending.Plain\n[…]",
        "lending.Stored\n[…]",
        "What it is.\n[…]",
    ]
    assert sync_views()[0].steps == ()


def test_a_refresh_writes_them_anew_too(old, execute):
    refresh_views()
    ((comment,),) = execute("SELECT obj_description('views.stored'::regclass)")
    text, state = split_comment(comment)
    assert (text, state.is_json) == ("lending.Stored", False)
    call_command("sync_views", "--check")


def test_a_view_that_no_class_declares_any_more_is_an_orphan_all_the_same(old):
    with registry.isolated():
        (plan,) = plan_views(allow_drop_all=True)
    assert {step.action for step in plan.steps} == {Action.DROP}
