"""The state of a view that shows personal data to others than its owner."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.exceptions import PersonalFieldError
from orm_views_core.lineage import RelationColumn, Way
from orm_views_core.names import ViewName
from orm_views_core.privacy import marks
from orm_views_core.status import Condition, State, get_detail, get_status, get_statuses
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.demo.lending.models import Customer

pytestmark = pytest.mark.django_db

CONTACTS = ViewName("views", "contacts")


@pytest.fixture
def email_is_personal(nothing_personal, monkeypatch):
    field: Any = Customer._meta.get_field("email")
    monkeypatch.setattr(field, marks.ATTRIBUTE, True, raising=False)
    monkeypatch.setattr(marks, "_used", True)


@pytest.fixture
def exposed(email_is_personal, execute):
    """A view that nobody could read when it was synced, and then somebody has granted it to everybody."""
    declare("Contacts", "SELECT id, email FROM lending_customer")
    declare("Towns", "SELECT DISTINCT city FROM lending_customer")
    sync_views()
    execute("GRANT SELECT ON views.contacts, views.towns TO PUBLIC")


def declare(class_name, sql, *bases, **attributes):
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def statuses(**options):
    return {view.name.name: view for view in get_statuses(["default"], **options)[0].views}


def test_it_is_a_state_of_its_own_with_the_message_of_the_guard(exposed):
    found = statuses()
    assert {name: view.state for name, view in found.items()} == {
        "contacts": State.EXPOSES,
        "towns": State.SYNCED,
    }
    contacts = found["contacts"]
    (problem,) = contacts.problems
    assert problem.column == RelationColumn(CONTACTS, "email")
    assert contacts.reason == f"{problem.what} {problem.advice}"
    assert contacts.advice == "Until then no view of this database can be synced."
    assert found["towns"].problems == found["towns"].warnings == ()


def test_it_is_more_urgent_than_all_but_a_view_that_cannot_be_read_and_an_invalid_class():
    assert list(State)[:3] == [State.UNREADABLE, State.INVALID, State.EXPOSES]
    assert State.EXPOSES.needs_attention


def test_whatever_else_is_to_be_done_is_said_behind_it(exposed, execute):
    declare("Contacts", "SELECT id, email, city FROM lending_customer")
    found = statuses()["contacts"]
    assert found.state is State.EXPOSES
    assert found.conditions[1:] == (
        Condition(State.CHANGED, "Its class has changed since the last sync.", "Sync it."),
    )


def test_a_relation_of_another_kind_can_expose_too(email_is_personal, execute):
    declare("Contacts", "SELECT id, email FROM lending_customer", PostgresMaterialisedViewMixin)
    execute("CREATE SCHEMA views; CREATE VIEW views.contacts AS SELECT email FROM lending_customer")
    execute("GRANT SELECT ON views.contacts TO PUBLIC")
    assert statuses()["contacts"].state is State.EXPOSES
    execute("REVOKE SELECT ON views.contacts FROM PUBLIC")
    assert statuses()["contacts"].state is State.WRONG_KIND


def test_what_is_declared_is_no_problem(email_is_personal):
    declare("Contacts", "SELECT email FROM lending_customer", exposes=("email",), grant_select_to=["analyst"])
    sync_views()
    assert statuses()["contacts"].state is State.SYNCED


def test_a_view_of_somebody_else_and_one_with_an_invalid_class_keep_their_states(exposed, execute):
    execute("CREATE VIEW views.theirs AS SELECT email FROM lending_customer")
    execute("GRANT SELECT ON views.theirs TO PUBLIC")
    declare("Contacts", "SELECT 1; SELECT 2")
    found = statuses()
    assert (found["theirs"].state, found["contacts"].state) == (State.UNMANAGED, State.INVALID)
    assert found["theirs"].problems == found["contacts"].problems == ()
    assert [each.column.column for each in found["theirs"].warnings] == ["email"]
    assert [each.column.column for each in found["contacts"].warnings] == ["email"]


def test_a_view_of_many_says_all_of_its_columns_and_nothing_of_others(exposed, execute):
    declare("More", "SELECT email AS a, lower(email) AS b FROM lending_customer")
    sync_views(views=["more"])
    execute("GRANT SELECT ON views.more TO PUBLIC")
    found = statuses()
    assert [each.column.column for each in found["more"].problems] == ["a", "b"]
    assert len(found["more"].reason.splitlines()) == 2
    assert [each.column.column for each in found["contacts"].problems] == ["email"]
    assert statuses(only=[CONTACTS])["contacts"].problems == found["contacts"].problems
    assert get_detail("default", CONTACTS).status.problems == found["contacts"].problems


def test_of_one_view_what_other_classes_declare_counts(email_is_personal):
    """Only the class of the view itself is compiled."""
    declare("Bands", "SELECT left(email, 1) AS band FROM lending_customer", not_personal=("band",))
    declare("Contacts", "SELECT band FROM views.bands", grant_select_to=["analyst"])
    sync_views()
    assert get_detail("default", CONTACTS).status.state is State.SYNCED
    assert statuses(only=[CONTACTS])["contacts"].state is State.SYNCED


def test_who_does_not_ask_for_it_pays_nothing(exposed):
    assert statuses(judged=False)["contacts"].state is State.SYNCED
    assert get_status("default", CONTACTS).state is State.SYNCED


def test_without_marks_no_query_more_is_sent(exposed, monkeypatch):
    def count(**options):
        with CaptureQueriesContext(connections["default"]) as queries:
            statuses(**options)
        return len(queries)

    assert count() > count(judged=False)
    monkeypatch.setattr(marks, "_used", False)
    assert count() == count(judged=False)


def test_a_wrong_mark_is_an_error(email_is_personal, settings):
    settings.ORM_VIEWS = {"PERSONAL": ["lending.Customer.mail"]}
    declare("Contacts", "SELECT 1 AS one")
    with pytest.raises(PersonalFieldError, match="has no field 'mail'"):
        get_statuses(["default"])
    assert get_statuses(["default"], judged=False)[0].error is None


def test_the_command_says_it(exposed):
    out = StringIO()
    call_command("show_views", "contacts", stdout=out, no_color=True)
    (line,) = [line for line in out.getvalue().splitlines() if "views.contacts" in line and "[ ]" in line]
    assert line.startswith(" [ ] exposes  views.contacts  view  ")
    assert "shows lending.Customer.email as it is" in line
    out = StringIO()
    call_command("show_views", "--json", stdout=out)
    states = {view["view"]: view["state"] for view in json.loads(out.getvalue())[0]["views"]}
    assert states == {"views.contacts": "exposes", "views.towns": "synced"}
    out = StringIO()
    call_command("show_views", "--openmetrics", stdout=out)
    assert 'view="views.contacts",state="exposes"} 1' in out.getvalue()


def test_the_detail_says_what_a_view_is_made_of_and_what_hangs_on_it(exposed, execute):
    declare("Above", "SELECT lower(email) AS mail FROM views.contacts WHERE id > 1")
    sync_views(views=["above"])
    execute("CREATE VIEW public.theirs AS SELECT mail FROM views.above")
    around = get_detail("default", CONTACTS).surroundings
    email = RelationColumn(ViewName("public", "lending_customer"), "email")
    above, theirs = ViewName("views", "above"), ViewName("public", "theirs")
    assert around.made_of.column("email").shows == {email}
    assert around.direct.column("email").shows == {email}
    assert around.goes_to == {
        "email": ((Way.COMPUTED_FROM, RelationColumn(above, "mail")),),
        "id": ((Way.USES, RelationColumn(above, "")),),
    }
    assert around.hanging == {theirs: {above}, above: {CONTACTS}}
    assert set(around.personal) == {"email"}
    around = get_detail("default", above).surroundings
    assert around.made_of.column("mail").computed_from == {email}
    assert around.direct.column("mail").computed_from == {RelationColumn(CONTACTS, "email")}
