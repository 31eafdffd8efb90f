"""Ways past the guard that were tried: one thing after the other."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, models, transaction

from orm_views_core.privacy import personal
from orm_views_core.privacy.api import judge_views
from orm_views_core.sync import sync_views
from tests.core.keeping import declare, run
from tests.demo.lending.models import Customer

from .saying import columns, plan, problems, warnings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal", "all_is_granted")]


def test_a_declaration_that_goes_away_although_nothing_differs(registered):
    view = declare("V", "SELECT email FROM lending_customer", exposes=("email",))
    sync_views()
    registered.unregister(view)
    declare("V", "SELECT email FROM lending_customer")
    assert columns(problems()) == ["views.v.email"]


def test_a_not_personal_that_goes_away_below(registered):
    view = declare("H", "SELECT left(email, 1) AS i FROM lending_customer", hidden=True, not_personal=("i",))
    declare("V", "SELECT i FROM views.h")
    sync_views()
    registered.unregister(view)
    declare("H", "SELECT left(email, 1) AS i FROM lending_customer", hidden=True)
    assert columns(problems()) == ["views.v.i"]
    assert columns(problems(views=["views.v"])) == ["views.v.i"]


def test_a_declaration_of_a_class_that_is_gone_ends_nothing(registered, analyst):
    view = declare("H", "SELECT left(email, 1) AS i FROM lending_customer", hidden=True, not_personal=("i",))
    sync_views()
    registered.unregister(view)
    run(f"CREATE VIEW public.o AS SELECT i FROM views.h; GRANT SELECT ON public.o TO {analyst}")
    declare("W", "SELECT 1 AS a")
    assert columns(warnings(views=["views.w"])) == ["public.o.i"]


def test_columns_of_a_hidden_view_that_change_their_names(registered):
    view = declare("H", "SELECT city::varchar(254) AS a, email AS b FROM lending_customer", hidden=True)
    declare("V", "SELECT a FROM views.h")
    sync_views()
    registered.unregister(view)
    declare("H", "SELECT city::varchar(254) AS b, email AS a FROM lending_customer", hidden=True)
    assert columns(problems()) == ["views.v.a"]


def test_columns_of_a_hidden_view_that_change_their_places(registered):
    view = declare("H", "SELECT city::varchar(254) AS a, email AS b FROM lending_customer", hidden=True)
    declare("V", "SELECT a FROM views.h")
    sync_views()
    registered.unregister(view)
    declare("H", "SELECT email AS b, city::varchar(254) AS a FROM lending_customer", hidden=True)
    assert problems() == []
    sync_views()
    assert judge_views(connection).problems == ()


def test_a_column_that_a_whole_row_of_a_hidden_view_gets(registered, analyst):
    view = declare("H", "SELECT id FROM lending_customer", hidden=True)
    sync_views()
    run(f"CREATE VIEW public.o AS SELECT h FROM views.h; GRANT SELECT ON public.o TO {analyst}")
    registered.unregister(view)
    declare("H", "SELECT id, email FROM lending_customer", hidden=True)
    assert columns(problems()) == ["public.o.h"]


def test_columns_renamed_by_hand_below():
    declare("H", "SELECT id, city AS label FROM lending_customer", hidden=True)
    declare("V", "SELECT label FROM views.h")
    sync_views()
    run("ALTER TABLE lending_customer RENAME COLUMN city TO was_city")
    run("ALTER TABLE lending_customer RENAME COLUMN email TO city")
    run("ALTER TABLE lending_customer RENAME COLUMN was_city TO email")
    assert [str(each.column) for each in judge_views(connection).problems] == ["views.v.label"]


def test_a_view_below_that_is_not_ours(analyst):
    run("CREATE VIEW public.theirs AS SELECT id, email AS e FROM lending_customer")
    declare("V", "SELECT e FROM public.theirs")
    assert columns(problems()) == ["views.v.e"]


def test_a_view_below_that_is_in_a_schema_of_postgresql():
    run("CREATE VIEW information_schema.theirs AS SELECT id, email AS e FROM lending_customer")
    declare("V", "SELECT e FROM information_schema.theirs")
    assert columns(problems()) == ["views.v.e"]


def test_statistics_of_the_table():
    declare("V", "SELECT most_common_vals::text AS x FROM pg_stats WHERE tablename = 'lending_customer'")
    assert columns(problems()) == ["views.v.x"]


def test_a_view_that_belongs_to_somebody_else(make_role, analyst):
    declare("V", "SELECT email FROM lending_customer", hidden=True)
    sync_views()
    run(f"GRANT CREATE ON SCHEMA views TO {make_role('boss')}; ALTER VIEW views.v OWNER TO boss")
    assert problems() == []
    run(f"GRANT SELECT ON views.v TO {analyst}")
    assert columns(problems()) == ["views.v.email"]


def test_a_materialised_view_whose_rows_are_from_before(registered):
    """It is filled anew in the sync that makes it readable, because what it reads changes."""
    run(
        "INSERT INTO lending_customer (email, first_name, last_name, date_of_birth, city, registered_on) "
        "VALUES ('a@b.c', 'A', 'B', '2000-01-01', 'Bern', '2020-01-01')"
    )
    views = [
        declare("H", "SELECT id, email::text AS x FROM lending_customer", hidden=True),
        declare("M", "SELECT id, x FROM views.h", materialised=True, hidden=True),
    ]
    sync_views()
    for view in views:
        registered.unregister(view)
    declare("H", "SELECT id, ''::text AS x FROM lending_customer", hidden=True)
    declare("M", "SELECT id, x FROM views.h", materialised=True)
    assert columns(problems(views=["views.m"])) == ["views.m.x"]
    assert problems() == []
    sync_views()
    assert run("SELECT DISTINCT x FROM views.m") == [("",)]


def test_a_column_that_may_be_written_and_not_read_is_not_returned(analyst, settings):
    """RETURNING needs SELECT on what it returns, and so does what a CHECK OPTION says of a row."""
    settings.ORM_VIEWS = {}
    declare("V", "SELECT id, email, city FROM lending_customer WHERE city <> 'x'", check_option="local")
    sync_views()
    run(f"GRANT INSERT, UPDATE, DELETE, SELECT (id, city) ON views.v TO {analyst}")
    assert problems() == []
    run(
        "INSERT INTO lending_customer (email, first_name, last_name, date_of_birth, city, registered_on) "
        "VALUES ('a@b.c', 'A', 'B', '2000-01-01', 'Bern', '2020-01-01')"
    )
    run(f"SET LOCAL ROLE {analyst}")
    for sql in ("UPDATE views.v SET city = 'y' RETURNING email", "DELETE FROM views.v RETURNING email"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            run(sql)
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        run("UPDATE views.v SET city = 'x'")
    assert "a@b.c" not in str(error.value)


def test_grants_between_two_syncs(analyst, settings):
    settings.ORM_VIEWS = {}
    declare("V", "SELECT id, email FROM lending_customer")
    declare("W", "SELECT id FROM views.v")
    sync_views()
    run(f"GRANT SELECT (id) ON views.v TO {analyst}")
    sync_views(force=True)
    run(f"GRANT SELECT (email) ON views.v TO {analyst}")
    assert columns(problems(force=True)) == ["views.v.email"]
    assert columns(problems(views=["views.v"])) == ["views.v.email"]


def test_a_view_below_that_is_dropped_and_made_anew_by_others(analyst):
    declare("H", "SELECT id, city AS label FROM lending_customer", hidden=True)
    sync_views()
    run(f"CREATE VIEW public.o AS SELECT label FROM views.h; GRANT SELECT ON public.o TO {analyst}")
    run(
        "DROP VIEW public.o; DROP VIEW views.h; CREATE VIEW views.h AS SELECT id, email FROM lending_customer"
    )
    run(f"CREATE VIEW public.o AS SELECT email FROM views.h; GRANT SELECT ON public.o TO {analyst}")
    made = plan()
    assert [each for each in made.problems if "public.o" in each] or made.warnings


def test_a_name_that_the_path_finds_elsewhere_than_before(analyst):
    run("CREATE SCHEMA first; CREATE TABLE first.person (x text); CREATE TABLE public.person (x text)")
    meta = type("Meta", (), {"db_table": "person", "app_label": "lending"})
    fields = {"x": personal(models.TextField())}
    type("Person", (models.Model,), {"__module__": Customer.__module__, "Meta": meta, **fields})
    run("SET LOCAL search_path = first, public")
    declare("V", "SELECT x FROM person")
    assert columns(problems()) == ["views.v.x"]
