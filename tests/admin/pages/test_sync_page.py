"""Planning, confirming and carrying out a sync in the browser: what is confirmed is what is done."""

from __future__ import annotations

import html as html_module
import re

import pytest
from django.db import connections

from orm_views_core.names import ViewName
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import sync_views
from tests.admin.browse import (
    LIST,
    bare,
    declare,
    declare_materialised,
    forget,
    hidden_fields,
    key,
    run_page,
    text_of,
)

pytestmark = pytest.mark.django_db
SYNC = f"{LIST}sync/"


def states(alias="default"):
    (database,) = get_statuses([alias])
    return {view.name.name: view.state for view in database.views if view.name}


def confirm(browse, page, **typed):
    """Send the form of a plan's page as it is, with what somebody typed."""
    fields = {name: [html_module.unescape(v) for v in values] for name, values in hidden_fields(page).items()}
    return browse.post(SYNC, confirm="Sync now", **fields, **typed)


def test_a_plan_says_in_one_line_what_it_does_then_each_step(browse, registered):
    declare("Same", "SELECT 1 AS one")
    declare("Changed", "SELECT id FROM lending_customer")
    declare_materialised("Above", "SELECT count(*) AS n FROM views.changed")
    declare("Plain", "SELECT id FROM lending_customer")
    declare("Reader", "SELECT n FROM views.above")
    gone = declare("Gone", "SELECT 1 AS one")
    sync_views()
    registered.unregister(gone)
    declare("Changed", "SELECT id FROM lending_customer WHERE id > 5")
    declare("Plain", "SELECT id FROM lending_customer WHERE id > 6")
    declare("Fresh", "SELECT 1 AS one")
    page = browse.get(SYNC)
    text = text_of(page)
    assert "1 to create, 2 to replace, 2 to rebuild, 1 to drop, 1 unchanged" in text
    assert "~ replace views.plain its class has changed" in text
    assert (
        "± rebuild views.changed its class has changed, and views.above is built from its new version" in text
    )
    assert "+ create views.fresh it is not in the database" in text
    assert "- drop views.gone no class declares it any more" in text
    direct, indirect = text.split("Indirectly affected")
    assert "rebuild views.above" not in direct
    assert "± rebuild views.above its rows come from views.changed, which changes" in indirect
    assert "~ replace views.reader it reads views.above, which is rebuilt" in indirect
    assert "ov-added" in page
    assert "CREATE OR REPLACE VIEW" in text
    assert "all its readers, from then on" in text


def test_a_plan_says_what_is_built_aside_what_is_swapped_and_what_becomes_of_what_was_added(browse, execute):
    declare_materialised("Stored", "SELECT id, city FROM lending_customer")
    declare("Reader", "SELECT id FROM views.stored")
    sync_views()
    execute("CREATE INDEX kept ON views.stored (id); CREATE INDEX lost ON views.stored (city)")
    declare_materialised("Stored", "SELECT id FROM lending_customer")
    text = text_of(browse.get(SYNC))
    assert "Built aside, while readers go on reading: views.stored." in text
    assert "Swapped: views.reader, views.stored." in text
    assert "Keeps: index kept" in text
    assert "Loses index lost: column" in text


def test_a_plan_that_swaps_nothing_says_nothing_of_a_swap(browse):
    declare("Fresh", "SELECT 1 AS one")
    text = text_of(browse.get(SYNC))
    assert "Swapped" not in text
    assert "Built aside" not in text


def test_confirming_does_what_was_shown_and_leads_to_its_run(browse):
    declare("Ages", "SELECT 1 AS one")
    declare("Towns", "SELECT 1 AS one")
    text = browse.read(run_page(confirm(browse, browse.get(SYNC))))
    assert states() == {"ages": State.SYNCED, "towns": State.SYNCED}
    assert "Sync of database “default”" in text
    assert "It has ended: succeeded." in text
    assert "✓ done create views.ages" in text


def test_one_view_is_synced_alone(browse):
    declare("Ages", "SELECT 1 AS one")
    declare("Towns", "SELECT 1 AS one")
    page = browse.get(SYNC, view=key("ages"))
    assert "views.towns" not in page
    run_page(confirm(browse, page))
    assert states() == {"ages": State.SYNCED, "towns": State.MISSING}


def test_selected_views_are_planned_from_the_list(browse):
    for name in ("Ages", "Towns", "Years"):
        declare(name, "SELECT 1 AS one")
    response = browse.post(SYNC, selected="1", view=[key("ages"), key("years")])
    page = response.content.decode()
    assert response.status_code == 200
    assert "Sync 2 views" in page
    assert states() == {"ages": State.MISSING, "towns": State.MISSING, "years": State.MISSING}
    assert confirm(browse, page).status_code == 302
    assert states() == {"ages": State.SYNCED, "towns": State.MISSING, "years": State.SYNCED}


def test_a_plan_that_has_become_another_one_is_409_and_nothing_is_done(browse):
    declare("Ages", "SELECT 1 AS one")
    page = browse.get(SYNC)
    declare("Ages", "SELECT 2 AS two")
    response = confirm(browse, page)
    text = text_of(response.content.decode())
    assert response.status_code == 409
    assert "has changed since this plan was made. Nothing was done." in text
    assert "SELECT 2 AS two" in text
    assert states() == {"ages": State.MISSING}
    assert confirm(browse, response.content.decode()).status_code == 302
    assert states() == {"ages": State.SYNCED}


def test_the_second_of_two_clicks_finds_nothing_to_do(browse, execute):
    declare("Ages", "SELECT 1 AS one")
    page = browse.get(SYNC)
    assert confirm(browse, page).status_code == 302
    (oid,) = execute("SELECT 'views.ages'::regclass::oid")
    second = confirm(browse, page)
    assert second.status_code == 409
    assert "Nothing to do:" in text_of(second.content.decode())
    assert execute("SELECT 'views.ages'::regclass::oid") == [oid]


@pytest.mark.parametrize("fingerprint", ["", "0" * 32, "<script>"])
def test_a_made_up_fingerprint_does_nothing(browse, fingerprint):
    declare("Ages", "SELECT 1 AS one")
    response = browse.post(SYNC, **{"confirm": "yes", "default-fingerprint": fingerprint})
    assert response.status_code == 409
    assert states() == {"ages": State.MISSING}


def test_confirming_without_any_fingerprint_does_nothing(browse):
    declare("Ages", "SELECT 1 AS one")
    assert browse.post(SYNC, confirm="yes").status_code == 409
    assert states() == {"ages": State.MISSING}


def test_dropping_asks_for_the_name_of_each_view(browse, registered):
    for name in ("Ages", "Towns", "Stays"):
        declare(name, "SELECT 1 AS one")
    sync_views()
    forget(registered, "Ages", "Towns")
    page = browse.get(SYNC)
    assert "Type “views.ages” to confirm that it is dropped" in bare(page)
    names = re.findall(r"Type “(views\.\w+)” to confirm", text_of(page))
    assert sorted(names) == ["views.ages", "views.towns"]
    for typed in (
        {},
        {"default-drop-0": names[0]},
        {"default-drop-0": names[1], "default-drop-1": names[0]},
        {"default-drop-0": "x", "default-drop-1": names[1]},
    ):
        response = confirm(browse, page, **typed)
        text = text_of(response.content.decode())
        assert response.status_code == 200
        assert "Type the name exactly as it is written here" in text
        assert states()["ages"] is State.ORPHANED
    typed = {f"default-drop-{i}": name for i, name in enumerate(names)}
    assert confirm(browse, page, **typed).status_code == 302
    assert states() == {"stays": State.SYNCED}


def test_an_empty_registry_is_refused(browse, registered):
    ages = declare("Ages", "SELECT 1 AS one")
    sync_views()
    registered.unregister(ages)
    page = browse.get(SYNC)
    assert "No view is registered for database" in text_of(page).replace("&#x27;", "'")
    assert 'name="confirm"' not in page


def test_invalid_sql_is_an_error_on_the_page_and_cannot_be_confirmed(browse):
    declare("Broken", "SELECT nonsense FROM lending_customer")
    page = browse.get(SYNC)
    assert "column &quot;nonsense&quot; does not exist" in page
    assert 'name="confirm"' not in page


def test_what_stands_in_the_way_is_a_problem_and_cannot_be_confirmed(browse, execute):
    declare("Ages", "SELECT 1 AS one")
    sync_views()
    execute("CREATE VIEW public.theirs AS SELECT one FROM views.ages")
    declare("Ages", "SELECT 'x' AS word")
    page = browse.get(SYNC)
    assert "public.theirs, which is not ours, reads it" in text_of(page)
    assert 'name="confirm"' not in page
    (plan,) = __import__("orm_views_core.sync", fromlist=["plan_views"]).plan_views()
    response = browse.post(SYNC, **{"confirm": "yes", "default-fingerprint": plan.fingerprint})
    assert response.status_code == 200
    assert states()["ages"] is State.CHANGED


def test_rows_that_break_while_they_are_computed_are_the_error_of_its_run(browse):
    declare_materialised("Ages", "SELECT 1 / (id - id) AS ratio FROM generate_series(1, 2) AS id")
    text = browse.read(run_page(confirm(browse, browse.get(SYNC))))
    assert "It has ended: failed." in text
    assert "division by zero" in text
    assert states() == {"ages": State.MISSING}


def test_a_key_that_is_not_unique_is_the_error_of_its_run(browse):
    declare_materialised("Ages", "SELECT 1 AS one FROM generate_series(1, 2)", pk_field="one")
    assert "It has ended: failed." in browse.read(run_page(confirm(browse, browse.get(SYNC))))
    assert states() == {"ages": State.MISSING}


def test_nothing_to_do_says_so(browse):
    declare("Ages", "SELECT 1 AS one")
    sync_views()
    page = browse.get(SYNC)
    assert "Nothing to do: 1 unchanged" in text_of(page)
    assert 'name="confirm"' not in page


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_each_database_has_a_plan_of_its_own_and_one_button_confirms_them_all(browse):
    declare("Here", "SELECT 1 AS one")
    declare("There", "SELECT 1 AS one", database="warehouse")
    page = browse.get(SYNC)
    assert "Database “default”" in bare(page)
    assert "Database “warehouse”" in bare(page)
    text = browse.read(run_page(confirm(browse, page)))
    assert "Sync of 2 databases" in text
    assert "All have ended: 2 succeeded." in text
    assert states() == {"here": State.SYNCED}
    assert states("warehouse") == {"there": State.SYNCED}


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_when_one_of_several_plans_is_stale_nothing_is_done_anywhere(browse):
    declare("Here", "SELECT 1 AS one")
    declare("There", "SELECT 1 AS one", database="warehouse")
    page = browse.get(SYNC)
    declare("There", "SELECT 2 AS two", database="warehouse")
    assert confirm(browse, page).status_code == 409
    assert states() == {"here": State.MISSING}
    assert states("warehouse") == {"there": State.MISSING}


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_a_database_that_does_not_answer_does_not_hold_up_the_others(browse, cut_off):
    cut_off("warehouse")
    declare("Here", "SELECT 1 AS one")
    declare("There", "SELECT 1 AS one", database="warehouse")
    page = browse.get(SYNC)
    assert "does not answer" in page
    assert confirm(browse, page).status_code == 302
    assert states() == {"here": State.SYNCED}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_a_lock_that_cannot_be_had_is_the_error_of_its_run(browse, settings):
    settings.ORM_VIEWS = {"LOCK_TIMEOUT": 0.1, "LOCK_WAIT": 0.3}
    declare("Ages", "SELECT 1 AS one")
    sync_views()
    declare("Ages", "SELECT 2 AS one")
    page = browse.get(SYNC)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE views.ages IN ACCESS SHARE MODE")
            response = confirm(browse, page)
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    text = browse.read(run_page(response))
    assert "It has ended: failed." in text
    assert "a lock could not be had" in text
    assert states() == {"ages": State.CHANGED}


def test_names_of_the_request_are_compared_as_they_are(browse, registered):
    odd = declare("Odd", "SELECT 1 AS one", name='Od\'d "näme" 100%/x, y')
    declare("Stays", "SELECT 1 AS one")
    page = browse.get(SYNC, view=key('Od\'d "näme" 100%/x, y'))
    assert confirm(browse, page).status_code == 302
    registered.unregister(odd)
    page = browse.get(SYNC)
    typed = {"default-drop-0": str(ViewName("views", 'Od\'d "näme" 100%/x, y'))}
    assert "stays" in page
    assert confirm(browse, page, **typed).status_code == 302
    assert states() == {"stays": State.SYNCED}
