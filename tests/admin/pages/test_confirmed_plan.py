"""A plan that is confirmed is carried out on what it was shown with, or not at all.

Between the page with the plan and its confirmation something is changed, by hand or by a deploy. The answer
is 409 with the new plan, and nothing is done. What changes nothing about the views does not get in the way.
"""

from __future__ import annotations

import html as html_module
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.models import Index

from orm_views_admin.models import Run
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import sync_views
from tests.admin.browse import (
    LIST,
    declare,
    declare_materialised,
    forget,
    hidden_fields,
    key,
    run_page,
    text_of,
)
from tests.conftest import WHOLE

pytestmark = pytest.mark.django_db
SYNC = f"{LIST}sync/"
WARNING = "The database or the code has changed since this plan was made. Nothing was done."

STAR = "SELECT * FROM source"
MISSING, PLAIN, STORED = "missing", "plain", "materialised"


@dataclass(frozen=True)
class Kind:
    """A kind of step about ``views.v``.

    Attributes:
        what: what the view is in the database when the plan is shown.
        says: what the plan says.
        old: declares the view as it is synced; None when it is not declared then.
        new: the same, as it is planned.
        by_hand: SQL that is sent in between.
    """

    what: str
    says: str
    old: Callable[[], Any] | None
    new: Callable[[], Any] | None
    by_hand: str = ""

    @property
    def is_drop(self) -> bool:
        return self.new is None


def view(sql: str = STAR, **attributes: Any) -> Callable[[], Any]:
    return lambda: declare("V", sql, **attributes)


def stored(sql: str = STAR, **attributes: Any) -> Callable[[], Any]:
    return lambda: declare_materialised("V", sql, **attributes)


AFTER = f"{STAR} WHERE n > 0"
SAME = f"{STAR} -- the same"
INDEXES = [Index(fields=["n"], name="declared")]
KINDS = {
    "create": Kind(MISSING, "+ create views.v", None, view()),
    "create materialised": Kind(MISSING, "+ create views.v", None, stored()),
    "replace": Kind(PLAIN, "~ replace views.v", view(), view(AFTER)),
    "rebuild": Kind(PLAIN, "± rebuild views.v", view(), view("SELECT 1 AS one, * FROM source")),
    "rebuild materialised": Kind(STORED, "± rebuild views.v", stored(), stored(AFTER)),
    "drop": Kind(PLAIN, "- drop views.v", view(), None),
    "drop materialised": Kind(STORED, "- drop views.v", stored(), None),
    "adopt": Kind(PLAIN, "= adopt views.v", view(), view(SAME)),
    "adopt materialised": Kind(STORED, "= adopt views.v", stored(), stored(SAME)),
    "grant": Kind(PLAIN, "~ grant views.v", view(), view(), "REVOKE SELECT ON views.v FROM reader"),
    "index": Kind(STORED, "~ re-index views.v", stored(), stored(indexes=INDEXES)),
    "options": Kind(PLAIN, "~ set options views.v", view(), view(security_barrier=True)),
    "comment": Kind(PLAIN, "~ comment views.v", view(__doc__="What."), view(__doc__="Why.")),
    "comment materialised": Kind(
        STORED, "~ comment views.v", stored(__doc__="What."), stored(__doc__="Why.")
    ),
}

#: What is in the database before the plan is shown.
BEFORE = """
CREATE TABLE source (n int, word text);
INSERT INTO source VALUES (1, 'one');
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
"""
BY_HAND = {
    PLAIN: "GRANT INSERT ON views.v TO somebody",
    STORED: "GRANT INSERT ON views.v TO somebody; CREATE INDEX made_by_hand ON views.v (word)",
}
#: SQL by what is changed, for the views of a kind: plain ones, materialised ones, or both.
CHANGED_BY_HAND = {
    (PLAIN, "its SELECT"): "CREATE OR REPLACE VIEW views.v AS SELECT n, 'x'::text AS word FROM source",
    (PLAIN, "another view of its name"): "DROP VIEW views.v; CREATE VIEW views.v AS SELECT * FROM source",
    (STORED, "another view of its name"): (
        "DROP MATERIALIZED VIEW views.v; CREATE MATERIALIZED VIEW views.v AS SELECT * FROM source"
    ),
    (PLAIN, "another kind"): ("DROP VIEW views.v; CREATE MATERIALIZED VIEW views.v AS SELECT * FROM source"),
    ("", "a grant"): "GRANT SELECT ON views.v TO somebody",
    ("", "a grant to everybody"): "GRANT SELECT ON views.v TO PUBLIC",
    ("", "a grant on a column"): "GRANT SELECT (n) ON views.v TO somebody",
    ("", "a revoke"): "REVOKE INSERT ON views.v FROM somebody",
    ("", "its comment"): "COMMENT ON {KIND} views.v IS 'by hand'",
    ("", "the comment of a column"): "COMMENT ON COLUMN views.v.n IS 'by hand'",
    ("", "its owner"): "ALTER TABLE views.v OWNER TO somebody",
    (PLAIN, "an option"): "ALTER VIEW views.v SET (security_invoker = false)",
    (STORED, "an option"): "ALTER MATERIALIZED VIEW views.v SET (fillfactor = 50)",
    (PLAIN, "a default"): "ALTER VIEW views.v ALTER COLUMN n SET DEFAULT 1",
    (PLAIN, "a trigger"): (
        "CREATE TRIGGER t INSTEAD OF INSERT ON views.v FOR EACH ROW EXECUTE FUNCTION nothing()"
    ),
    (PLAIN, "a rule"): "CREATE RULE r AS ON INSERT TO views.v DO INSTEAD NOTHING",
    (STORED, "an index"): "CREATE INDEX another ON views.v (n)",
    (STORED, "an index dropped"): "DROP INDEX views.made_by_hand",
    (STORED, "an index renamed"): "ALTER INDEX views.made_by_hand RENAME TO renamed_by_hand",
    (STORED, "the comment of an index"): "COMMENT ON INDEX views.made_by_hand IS 'by hand'",
    (STORED, "extended statistics"): "CREATE STATISTICS counted (ndistinct) ON n, word FROM views.v",
    (STORED, "a statistics target"): ("ALTER MATERIALIZED VIEW views.v ALTER COLUMN n SET STATISTICS 10"),
    ("", "a column renamed"): "ALTER {KIND} views.v RENAME COLUMN n TO renamed",
    ("", "a rename"): "ALTER {KIND} views.v RENAME TO renamed",
    ("", "another schema"): "ALTER {KIND} views.v SET SCHEMA public",
    ("", "a drop"): "DROP {KIND} views.v",
    ("", "a view that reads it"): "CREATE VIEW public.theirs AS SELECT n FROM views.v",
    ("", "a materialised view that reads it"): (
        "CREATE MATERIALIZED VIEW public.theirs AS SELECT n FROM views.v"
    ),
    ("", "a function that reads it"): (
        "CREATE FUNCTION public.reads() RETURNS bigint LANGUAGE sql "
        "BEGIN ATOMIC SELECT count(*) FROM views.v; END"
    ),
    ("", "a function of its rows"): (
        "CREATE FUNCTION public.takes(views.v) RETURNS int LANGUAGE sql AS 'SELECT 1'"
    ),
    ("", "a table of its rows"): "CREATE TABLE public.keeps (row views.v)",
    (MISSING, "a view of its name"): "CREATE VIEW views.v AS SELECT * FROM source",
    (MISSING, "a table of its name"): "CREATE TABLE views.v (n int)",
    (MISSING, "the table that it reads is gone"): "DROP TABLE source",
    (MISSING, "a column has another type"): "ALTER TABLE source ALTER COLUMN n TYPE bigint",
    ("all", "a role is gone"): "DROP OWNED BY reader; DROP ROLE reader",
    ("*", "a column of the table that it reads"): "ALTER TABLE source ADD COLUMN more int",
}


def another_class(kind: Kind) -> None:
    if kind.new is None:
        view()()
    elif kind.what is STORED:
        stored(f"{STAR} WHERE n > 5")()
    else:
        view(f"{STAR} WHERE n > 5")()


#: What a deploy changes: functions that get the registry and the kind.
DEPLOYED = {
    "its class": lambda registered, kind: another_class(kind),
    "a new class": lambda registered, kind: declare("Further", "SELECT 1 AS one"),
    "a new orphan": lambda registered, kind: forget(registered, "Other"),
}


def changes_of(kind: Kind) -> dict[str, str]:
    """Return what somebody may change by hand between a plan and its confirmation, as SQL."""
    found = {}
    for (what, change), sql in CHANGED_BY_HAND.items():
        fits = {"": kind.what != MISSING, "all": True, "*": not kind.is_drop}.get(what, what == kind.what)
        if fits:
            found[change] = sql.replace("{KIND}", "MATERIALIZED VIEW" if kind.what == STORED else "VIEW")
    return found


@pytest.fixture
def shown(execute, make_role, settings, registered, browse) -> Callable[[Kind], str]:
    """A function that makes the views of a kind, and returns the page with its plan."""

    def show(kind: Kind, **parameters: Any) -> str:
        for role in ("reader", "somebody"):
            make_role(role)
        settings.ORM_VIEWS = {"GRANT_SELECT_TO": ["reader"]}
        execute(BEFORE)
        declare("Other", "SELECT 1 AS one")
        if kind.old:
            kind.old()
        sync_views()
        if kind.what in BY_HAND:
            execute(BY_HAND[kind.what])
        forget(registered, "V")
        if kind.new:
            kind.new()
        if kind.by_hand:
            execute(kind.by_hand)
        page = browse.get(SYNC, **parameters)
        assert kind.says in text_of(page)
        assert 'name="confirm"' in page
        Run.objects.all().delete()  # those of the sync
        return page

    return show


def confirm(browse: Any, page: str) -> Any:
    """Send the form of a plan's page as it is, and type what it asks for."""
    fields = {name: [html_module.unescape(v) for v in values] for name, values in hidden_fields(page).items()}
    typed = {"default-drop-0": "views.v"} if "to confirm that it is dropped" in page else {}
    return browse.post(SYNC, confirm="Sync now", **fields, **typed)


#: What PostgreSQL counts by itself, in columns of pg_class.
_COUNTED = "{reltuples,relpages,relallvisible,relallfrozen,relfrozenxid,relminmxid}"
#: The catalogs, each with the column that tells what is not PostgreSQL's own.
_CATALOGS = {
    "pg_class": "oid",
    "pg_attribute": "attrelid",
    "pg_attrdef": "adrelid",
    "pg_rewrite": "ev_class",
    "pg_index": "indrelid",
    "pg_trigger": "tgrelid",
    "pg_statistic_ext": "stxrelid",
    "pg_description": "objoid",
    "pg_depend": "objid",
    "pg_proc": "oid",
    "pg_namespace": "oid",
}
_FIRST_OID = 16384


def whole_catalogs() -> list[Any]:
    """Return a picture of the catalogs with the versions of the rows, so that it tells what was written."""
    rows = " UNION ALL ".join(
        f"SELECT '{catalog}', md5((to_jsonb(row) - '{_COUNTED}'::text[])::text), row.xmin::text "
        f"FROM {catalog} AS row WHERE {column} >= {_FIRST_OID}"
        for catalog, column in _CATALOGS.items()
    )
    with connections["default"].cursor() as cursor:
        cursor.execute(f"{rows} ORDER BY 1, 2, 3")
        return list(cursor.fetchall())


def answer(browse: Any, page: str) -> str:
    """Confirm a plan that was overtaken; return what is wrong with the answer, or ""."""
    before = whole_catalogs()
    response = confirm(browse, page)
    new_page = response.content.decode()
    if response.status_code != 409 or WARNING not in text_of(new_page):
        return f"answered {response.status_code}"
    if hidden_fields(new_page).get("default-fingerprint") == hidden_fields(page)["default-fingerprint"]:
        return "shows the plan of before"
    if whole_catalogs() != before or Run.objects.exists():
        return "something was done"
    return ""


def sample(found: Mapping[str, Any], name: str, share: int) -> dict[str, Any]:
    """Return a share of some changes, others for each kind of step. With ``ATTACKS`` set, return all."""
    share = min(share, len(found))
    first, step = (0, 1) if WHOLE else ([*KINDS].index(name) % share, share)
    return dict([*found.items()][first::step])


@pytest.mark.parametrize("name", KINDS)
def test_a_change_by_hand_between_a_plan_and_its_confirmation_is_409(browse, execute, shown, name):
    page, wrong = shown(KINDS[name]), {}
    for change, sql in sample(changes_of(KINDS[name]), name, 8).items():
        with transaction.atomic():
            execute(sql)
            wrong[change] = answer(browse, page)
            transaction.set_rollback(True)
    assert wrong
    assert {change: text for change, text in wrong.items() if text} == {}


@pytest.mark.parametrize(
    ("name", "deploy"),
    [(name, deploy) for name in KINDS for deploy in sample(DEPLOYED, name, 6)],
)
def test_a_deploy_between_a_plan_and_its_confirmation_is_409(browse, registered, shown, name, deploy):
    page = shown(KINDS[name])
    DEPLOYED[deploy](registered, KINDS[name])
    assert answer(browse, page) == ""


#: What changes nothing about views: SQL, or functions.
HARMLESS: dict[str, tuple[Collection[str], Any]] = {
    "nothing": ({MISSING, PLAIN, STORED}, ""),
    "rows": (
        {MISSING, PLAIN, STORED},
        "INSERT INTO source VALUES (2, 'two'); DELETE FROM source WHERE n = 1",
    ),
    "statistics": ({MISSING, PLAIN, STORED}, "ANALYZE source"),
    "a table of somebody": ({MISSING, PLAIN, STORED}, "CREATE TABLE public.unrelated (n int)"),
    "a view of somebody": ({MISSING, PLAIN, STORED}, "CREATE VIEW public.theirs AS SELECT n FROM source"),
    "another view of ours": ({MISSING, PLAIN, STORED}, "GRANT SELECT ON views.other TO PUBLIC"),
    "an index of the table": ({MISSING, PLAIN, STORED}, "CREATE INDEX ON source (n)"),
    "statistics of its rows": ({STORED}, "ANALYZE views.v"),
    "a refresh": ({STORED}, "REFRESH MATERIALIZED VIEW views.v"),
    "a refresh of ours": ({STORED}, lambda: refresh_views(["v"])),
    "an index built anew": ({STORED}, "REINDEX TABLE views.v"),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_changes_nothing_about_the_views_does_not_get_in_the_way(browse, execute, shown, name):
    kind = KINDS[name]
    page, wrong = shown(kind), {}
    # A view that no class declares is not refreshed.
    fitting = {
        what: done
        for what, (kinds, done) in HARMLESS.items()
        if kind.what in kinds and not (callable(done) and kind.is_drop)
    }
    for what, done in sample(fitting, name, 6).items():
        with transaction.atomic():
            if callable(done):
                done()
            elif done:
                execute(done)
            Run.objects.all().delete()
            confirmed = confirm(browse, page)
            if confirmed.status_code != 302:
                wrong[what] = confirmed.status_code
            elif "It has ended: succeeded." not in browse.read(run_page(confirmed)):
                wrong[what] = "its run failed"
            transaction.set_rollback(True)
    assert wrong == {}


def test_the_language_of_whoever_confirms_does_not_matter(browse, shown):
    page = shown(KINDS["comment"])
    german = browse.client.get(SYNC, headers={"accept-language": "de"}).content.decode()
    assert 'lang="de"' in german
    assert hidden_fields(german) == hidden_fields(page)


OF_OTHERS = {
    "its SELECT": "CREATE OR REPLACE VIEW views.other AS SELECT 2 AS one",
    "a grant": "GRANT SELECT ON views.other TO PUBLIC",
    "a comment": "COMMENT ON VIEW views.other IS 'by hand'",
    "a drop": "DROP VIEW views.other",
    "a view that reads it": "CREATE VIEW public.theirs AS SELECT one FROM views.other",
}


@pytest.mark.parametrize("change", OF_OTHERS.values(), ids=OF_OTHERS)
def test_what_is_not_selected_does_not_matter(browse, execute, shown, change):
    page = shown(KINDS["replace"], view=key("v"))
    execute(change)
    text = browse.read(run_page(confirm(browse, page)))
    assert "It has ended: succeeded." in text


@pytest.mark.parametrize("change", ["its SELECT", "a grant", "a view that reads it", "a drop", "an option"])
def test_of_a_selected_view_every_change_is_409(browse, execute, shown, change):
    page = shown(KINDS["replace"], view=key("v"))
    execute(changes_of(KINDS["replace"])[change])
    assert answer(browse, page) == ""


def test_a_view_of_ours_that_hangs_on_a_selected_one_matters(browse, execute, shown):
    page = shown(KINDS["rebuild"], view=key("v"))
    execute("CREATE OR REPLACE VIEW views.other AS SELECT 1 AS one FROM views.v")
    assert answer(browse, page) == ""


def test_a_name_that_was_typed_confirms_only_the_drop_that_was_shown(browse, execute, shown):
    page = shown(KINDS["drop"])
    execute("CREATE OR REPLACE VIEW views.v AS SELECT n, 'precious'::text AS word FROM source")
    again = confirm(browse, page).content.decode()
    without_name = browse.post(SYNC, confirm="yes", **hidden_fields(again))
    assert "Type the name exactly" in text_of(without_name.content.decode())
    assert execute("SELECT to_regclass('views.v') IS NOT NULL") == [(True,)]
    run_page(confirm(browse, again))
    assert execute("SELECT to_regclass('views.v')") == [(None,)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_a_refresh_that_was_under_way_when_the_plan_was_shown_does_not_matter(browse):
    """While it locks the view, the view's rule and its indexes are not read."""
    declare_materialised("V", "SELECT 1 AS one", pk_field="one", __doc__="What.")
    sync_views()
    declare_materialised("V", "SELECT 1 AS one", pk_field="one", __doc__="Why.")
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; REFRESH MATERIALIZED VIEW views.v")
            page = browse.get(SYNC)
            cursor.execute("COMMIT")
    finally:
        other.close()
    assert "~ comment views.v" in text_of(page)
    assert "It has ended: succeeded." in browse.read(run_page(confirm(browse, page)))
