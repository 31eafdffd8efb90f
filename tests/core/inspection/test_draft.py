"""inspect_view of views that only the database has: the class that it drafts is adopted by a sync."""

from __future__ import annotations

import importlib.util
import json

import pytest
from django.core.management import CommandError, call_command

from orm_views_core.inspection.draft import class_name
from orm_views_core.status import get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresViewFromSQL

pytestmark = pytest.mark.django_db

LEGACY = r'''
CREATE SCHEMA legacy;
CREATE TABLE legacy.orders (id int PRIMARY KEY, city text, total numeric, words text[], "Odd Name" int);
CREATE VIEW legacy.zz_base AS SELECT id, city, total, words, "Odd Name" FROM legacy.orders;
CREATE VIEW legacy.aa_reader WITH (security_barrier) AS
    SELECT city, count(*) AS orders FROM legacy.zz_base WHERE city LIKE 'Y%' AND city !~ '^\s"""quoted"""$'
      AND city <> '50%% off' AND city <> E'two\nlines' GROUP BY city;
CREATE VIEW legacy.checked WITH (check_option = local) AS SELECT id FROM legacy.orders WHERE id > 0;
CREATE MATERIALIZED VIEW legacy.totals AS SELECT id, city, total, words FROM legacy.zz_base;
CREATE UNIQUE INDEX totals_by_id ON legacy.totals (id);
CREATE UNIQUE INDEX one_more ON legacy.totals (id, city);
CREATE INDEX totals_city ON legacy.totals (city, total DESC);
CREATE INDEX totals_words ON legacy.totals USING gin (words);
CREATE INDEX totals_upper ON legacy.totals (upper(city));
CREATE INDEX totals_some ON legacy.totals (city) WHERE total > 0;
CREATE MATERIALIZED VIEW legacy."Odd view!" AS SELECT 1 AS "Key £", 2 AS b WITH NO DATA;
CREATE UNIQUE INDEX ON legacy."Odd view!" ("Key £", b);
CREATE VIEW legacy.nothing AS SELECT FROM legacy.orders;
CREATE RECURSIVE VIEW legacy.numbers (n) AS
    VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 5;
COMMENT ON VIEW legacy.zz_base IS 'All orders.';
COMMENT ON VIEW legacy.aa_reader IS E'By city.\n\n  Ends in "quotes", has \\backslash and """three"""';
COMMENT ON VIEW legacy.checked IS '  indented';
COMMENT ON COLUMN legacy.zz_base.city IS 'Where it went.';
CREATE FUNCTION legacy.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER refuse INSTEAD OF INSERT ON legacy.zz_base FOR EACH ROW EXECUTE FUNCTION legacy.refuse();
'''


@pytest.fixture
def legacy(execute):
    execute(LEGACY)


@pytest.fixture
def run(capsys):
    """A function that runs the command and returns what it printed."""

    def run(*args):
        call_command("inspect_view", *args, no_color=True)
        return capsys.readouterr().out

    return run


@pytest.fixture
def load(tmp_path):
    """A function that imports a draft, which registers its classes."""

    def load(text):
        path = tmp_path / "drafted_views.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def planned():
    (plan,) = plan_views()
    assert plan.problems == ()
    return [(step.action.verb, str(step.name)) for step in plan.steps]


def comments(take_picture):
    """Everything in the picture but the views' comments, which get a sync state."""
    picture = take_picture()
    return {
        name: facts[:7] + facts[8:] if isinstance(facts, tuple) else facts for name, facts in picture.items()
    }


def test_a_drafted_schema_is_adopted_and_nothing_is_rebuilt(legacy, run, load, take_picture, capsys):
    load(run("--all", "legacy"))
    before = comments(take_picture)
    call_command("sync_views", "--plan", no_color=True)
    assert "7 to adopt, 0 unchanged" in capsys.readouterr().out
    names = ["aa_reader", "checked", "nothing", "numbers", "totals", "zz_base", "Odd view!"]
    assert sorted(planned()) == sorted(("adopt", f"legacy.{name}") for name in names)
    sync_views()
    after = comments(take_picture)
    after.pop("schema views", None)
    assert after == before
    assert planned() == []
    states = {str(v.name): v.state.value for each in get_statuses() for v in each.views}
    assert states.pop("legacy.Odd view!") == "not populated"
    assert set(states.values()) == {"synced"}


def test_the_module_has_each_view_after_those_that_it_reads(legacy, run, load):
    module = load(run("--all", "legacy"))
    names = [name for name in vars(module) if name[0].isupper()]
    assert names.index("ZzBase") < names.index("AaReader")
    assert names.index("ZzBase") < names.index("Totals")


def test_what_the_class_can_declare_is_in_it_and_the_rest_is_said(legacy, run, load):
    text = run("legacy.totals")
    totals = load(text).Totals
    assert totals.pk_field == "id"
    assert [(index.name, index.fields) for index in totals.indexes] == [
        ("totals_city", ["city", "-total"]),
        ("totals_words", ["words"]),
    ]
    for kept in ("one_more", "totals_upper", "totals_some"):
        assert f"# index {kept} is not part of the class. Syncs keep it." in text
    text = run("legacy.zz_base")
    assert "which only database 'default' has. Put it into postgres_views.py or database_views.py.\n" in text
    assert load(text).ZzBase.__doc__ == "All orders."
    assert "# trigger refuse is not part of the class." in text
    assert "# column comment city is not part of the class." in text
    checked = run("legacy.checked")
    assert load(checked).Checked.check_option == "local"
    assert "# Its comment cannot be written as a docstring." in checked
    assert load(run("legacy.Odd view!")).OddView.pk_field == ("Key £", "b")
    assert load(run("legacy.aa_reader")).AaReader.security_barrier is True


@pytest.mark.parametrize("setting", [[], ["drafted_staff"]])
def test_grants_are_declared_unless_a_sync_would_change_them(
    setting, execute, make_role, settings, run, load
):
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": setting}
    staff, analyst, outside = (make_role(f"drafted_{name}") for name in ("staff", "analyst", "outside"))
    execute("CREATE SCHEMA legacy; CREATE VIEW legacy.a AS SELECT 1 AS x")
    execute("CREATE VIEW legacy.b AS SELECT 1 AS x")
    execute(f"GRANT USAGE ON SCHEMA legacy TO {staff}, {analyst}")
    execute(f"GRANT SELECT ON legacy.a TO {staff}, {analyst}, {outside}")
    execute(f"GRANT INSERT ON legacy.a TO {analyst}")
    text = run("--all", "legacy")
    module = load(text)
    assert set(module.A.grant_select_to) | set(setting) == {staff, analyst}
    assert module.B.hidden is bool(setting)
    assert f"# grant of SELECT to {outside} is not part of the class." in text
    assert f"# grant of INSERT to {analyst} is not part of the class." in text
    assert planned() == [("adopt", "legacy.a"), ("adopt", "legacy.b")]


def test_a_public_grant_in_a_schema_of_everybody_is_adopted(execute, run, load):
    execute("CREATE VIEW public.legacy AS SELECT 1 AS x; GRANT SELECT ON public.legacy TO PUBLIC")
    execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    assert load(run("public.legacy")).Legacy.grant_select_to == ["public"]
    assert planned() == [("adopt", "public.legacy")]


def test_a_role_that_may_look_names_up_as_public_needs_no_further_grant(execute, make_role, run, load):
    role = make_role("drafted_reader")
    execute("CREATE VIEW public.legacy AS SELECT 1 AS x; GRANT USAGE ON SCHEMA public TO PUBLIC")
    execute(f"GRANT SELECT ON public.legacy TO {role}")
    assert load(run("public.legacy")).Legacy.grant_select_to == [role]
    assert planned() == [("adopt", "public.legacy")]


def test_a_name_without_a_schema_is_looked_for_where_views_are(execute, run):
    execute("CREATE SCHEMA views; CREATE VIEW views.legacy AS SELECT 1 AS x")
    assert "class Legacy(PostgresViewFromSQL):" in run("legacy")
    execute("CREATE VIEW public.legacy AS SELECT 1 AS x")
    with pytest.raises(CommandError, match="Several views have the name 'legacy'"):
        run("legacy")


def test_what_a_class_declares_or_an_extension_owns_is_left_out(execute, run):
    class Declared(PostgresViewFromSQL):
        sql = "SELECT 1 AS x"

    sync_views()
    execute("CREATE VIEW views.legacy AS SELECT 1 AS x")
    execute("CREATE VIEW views.member AS SELECT 1 AS x; ALTER EXTENSION plpgsql ADD VIEW views.member")
    text = run("--all")
    assert "# Left out: a class declares views.declared." in text
    assert "# Left out: views.member belongs to the extension plpgsql." in text
    assert "class Legacy" in text
    assert "class Declared" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name a view, or use --all"),
        (["--all", "nowhere"], "Schema 'nowhere' of database 'default' has no views"),
        (["legacy.nobody"], "No registered view is called 'legacy.nobody'"),
        (["pg_catalog.pg_views"], "No registered view is called"),
    ],
)
def test_what_cannot_be_drafted_is_an_error(arguments, message, run):
    with pytest.raises(CommandError, match=message):
        run(*arguments)


def test_a_draft_as_json(legacy, run, load):
    facts = json.loads(run("legacy.zz_base", "--json"))
    assert (facts["database"], facts["views"]) == ("default", ["legacy.zz_base"])
    assert load(facts["draft"]).ZzBase


def test_a_view_of_another_owner_is_said_not_to_be_adopted(execute, make_role, run):
    role = make_role("drafted_owner")
    execute("CREATE SCHEMA legacy; CREATE VIEW legacy.a AS SELECT 1 AS x")
    execute(f"ALTER VIEW legacy.a OWNER TO {role}")
    assert f"# It belongs to {role}, a role that is not trusted" in run("legacy.a")


@pytest.mark.parametrize(
    ("view", "expected"),
    [("loan_book", "LoanBook"), ("class", "Class"), ("None", "ViewNone"), ("2024", "View2024")],
)
def test_the_class_is_named_after_the_view(view, expected):
    assert class_name(view) == expected
    assert class_name(view, {expected}) == f"{expected}2"
