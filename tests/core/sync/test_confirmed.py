"""What is confirmed is what is done: a plan is not carried out on anything else than it was shown with."""

import pytest

from orm_views_core.exceptions import StalePlanError
from orm_views_core.sync import plan_views, sync_views
from tests.core.keeping import declare

pytestmark = pytest.mark.django_db

BY_HAND = {
    "its SELECT": "CREATE OR REPLACE VIEW views.v AS SELECT 1 AS id, 'by hand'::text AS city",
    "a comment": "COMMENT ON VIEW views.v IS 'by hand'",
    "the comment of a column": "COMMENT ON COLUMN views.v.city IS 'by hand'",
    "a grant": "GRANT SELECT ON views.v TO PUBLIC",
    "an option": "ALTER VIEW views.v SET (security_barrier = true)",
    "its owner": "ALTER VIEW views.v OWNER TO confirmed_owner",
    "a grant on a column": "GRANT SELECT (city) ON views.v TO PUBLIC",
    "a default": "ALTER VIEW views.v ALTER COLUMN city SET DEFAULT 'x'",
    "a rule": "CREATE RULE r AS ON INSERT TO views.v DO INSTEAD NOTHING",
    "a view that reads it": "CREATE VIEW public.theirs AS SELECT id FROM views.v",
    "a function of its rows": "CREATE FUNCTION takes(views.v) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "another view of its name": "DROP VIEW views.v; CREATE VIEW views.v AS SELECT 1 AS id, 'x'::text AS city",
}


@pytest.mark.parametrize("change", BY_HAND.values(), ids=BY_HAND)
def test_a_view_that_was_changed_by_hand_after_its_plan_was_shown(execute, make_role, change):
    make_role("confirmed_owner")
    declare("V", "SELECT 1 AS id, 'a'::text AS city")
    sync_views()
    declare("V", "SELECT 2 AS id, 'b'::text AS city")
    (plan,) = plan_views()
    execute(change)
    with pytest.raises(StalePlanError, match="has changed since this plan was made"):
        sync_views(databases=["default"], expected_fingerprint=plan.fingerprint)
    assert execute("SELECT id FROM views.v") == [(1,)]


def test_an_index_that_was_made_by_hand(execute):
    declare("V", "SELECT 1 AS id", materialised=True)
    sync_views()
    declare("V", "SELECT 2 AS id", materialised=True)
    (plan,) = plan_views()
    execute("CREATE INDEX by_hand ON views.v (id)")
    with pytest.raises(StalePlanError):
        sync_views(databases=["default"], expected_fingerprint=plan.fingerprint)


STAR = "SELECT * FROM public.things"


@pytest.mark.parametrize(
    "change",
    ["ADD COLUMN further int", "ALTER COLUMN id TYPE bigint"],
    ids=["a column more", "a column of another type"],
)
def test_a_table_that_a_new_view_reads_and_that_was_changed(execute, change):
    """The SQL of the plan is the same then. What comes out is not."""
    execute("CREATE TABLE public.things (id int)")
    declare("V", STAR)
    (plan,) = plan_views()
    execute(f"ALTER TABLE public.things {change}")
    with pytest.raises(StalePlanError):
        sync_views(databases=["default"], expected_fingerprint=plan.fingerprint)
    assert execute("SELECT to_regclass('views.v')") == [(None,)]


def test_another_class_with_the_same_select_is_another_plan(execute):
    declare("V", "SELECT 1 AS id")
    sync_views()
    declare("V", "SELECT 1 AS id -- once")
    (plan,) = plan_views()
    declare("V", "SELECT 1 AS id -- twice")
    with pytest.raises(StalePlanError):
        sync_views(databases=["default"], expected_fingerprint=plan.fingerprint)


def test_only_for_a_plan_that_is_confirmed_everything_is_read(execute):
    declare("V", "SELECT 1 AS id")
    sync_views()
    declare("V", "SELECT 2 AS id")
    (plan,) = plan_views()
    assert plan.digests
    plans = []
    sync_views(on_plan=plans.append)
    assert [each.digests for each in plans] == [{}]


def test_a_refresh_in_between_is_no_change(execute):
    declare("V", "SELECT 1 AS id", materialised=True)
    sync_views()
    declare("V", "SELECT 2 AS id", materialised=True)
    (plan,) = plan_views()
    execute("REFRESH MATERIALIZED VIEW views.v; ANALYZE views.v")
    sync_views(databases=["default"], expected_fingerprint=plan.fingerprint)
    assert execute("SELECT id FROM views.v") == [(2,)]


def test_a_change_of_another_view_is_no_change(execute):
    declare("V", "SELECT 1 AS id")
    declare("Other", "SELECT 1 AS id")
    sync_views()
    declare("V", "SELECT 2 AS id")
    (plan,) = plan_views()
    execute("GRANT SELECT ON views.other TO PUBLIC")
    sync_views(databases=["default"], expected_fingerprint=plan.fingerprint)
    assert execute("SELECT id FROM views.v") == [(2,)]
