"""Comments, options, rules, triggers and defaults made by hand are kept by every change of a view."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection

from tests.core.keeping import (
    KINDS,
    MATERIALISED,
    PLAIN,
    REBUILD_MATERIALISED,
    REBUILD_PLAIN,
    REPLACE,
    TO_MATERIALISED,
    TO_PLAIN,
    each,
    run,
    survives,
)

pytestmark = pytest.mark.django_db

EVERY = [*PLAIN, *MATERIALISED, *KINDS]

COMMENT = """
SELECT split_part(obj_description('views.v'::regclass, 'pg_class'), '[orm_views ', 1)
"""
COLUMN_COMMENTS = """
SELECT attname, col_description(attrelid, attnum) FROM pg_attribute
WHERE attrelid = 'views.v'::regclass AND attnum > 0 AND col_description(attrelid, attnum) IS NOT NULL
ORDER BY 1
"""
OPTIONS = "SELECT unnest(reloptions) FROM pg_class WHERE oid = 'views.v'::regclass ORDER BY 1"
RULES = """
SELECT rulename, pg_get_ruledef(oid), obj_description(oid, 'pg_rewrite') FROM pg_rewrite
WHERE ev_class = 'views.v'::regclass AND rulename <> '_RETURN' ORDER BY 1
"""
TRIGGERS = """
SELECT tgname, pg_get_triggerdef(oid), tgenabled, obj_description(oid, 'pg_trigger') FROM pg_trigger
WHERE tgrelid = 'views.v'::regclass ORDER BY 1
"""
DEFAULTS = """
SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef
JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = 'views.v'::regclass ORDER BY 1
"""


def comment_on(change, text):
    kind = "MATERIALIZED VIEW" if change.was_materialised else "VIEW"
    run(f"COMMENT ON {kind} views.v IS $text${text}$text$")


@each(EVERY)
def test_the_comment_of_a_view_without_a_docstring(change):
    text = "What it's for: \\'100%' of {the} things\nNot to be dropped"
    change.begin()
    comment_on(change, text)
    change.finish()
    ((comment,),) = run(COMMENT)
    assert comment.strip() == text


@each(EVERY)
def test_a_comment_is_the_docstring_where_there_is_one(change):
    change.begin()
    comment_on(change, "by hand")
    change.finish(__doc__="By its class")
    ((comment,),) = run(COMMENT)
    assert comment.strip() == "By its class"


@each(EVERY)
def test_comments_on_columns(change):
    add = "COMMENT ON COLUMN views.v.city IS 'it''s 100%'; COMMENT ON COLUMN views.v.amount IS E'\\\\ {}'"
    survives(change, add, COLUMN_COMMENTS)


@each([REBUILD_PLAIN, REBUILD_MATERIALISED])
def test_a_comment_on_a_column_that_goes_is_reported_as_lost(change):
    change.begin()
    run("COMMENT ON COLUMN views.v.other IS 'x'; COMMENT ON COLUMN views.v.city IS 'y'")
    step = change.finish()
    (lost,) = step.lost
    assert "column comment other" in lost
    assert run(COLUMN_COMMENTS) == [("city", "y")]


@each(MATERIALISED)
def test_storage_parameters(change):
    add = (
        "ALTER MATERIALIZED VIEW views.v SET (fillfactor = 70, autovacuum_enabled = off, "
        "autovacuum_vacuum_scale_factor = 0.05, parallel_workers = 2)"
    )
    survives(change, add, OPTIONS)


@each(MATERIALISED)
def test_storage_parameters_of_long_values(change):
    add = (
        "ALTER MATERIALIZED VIEW views.v "
        "SET (toast.autovacuum_enabled = off, toast.autovacuum_vacuum_threshold = 7)"
    )
    options = """
    SELECT unnest(t.reloptions) FROM pg_class t JOIN pg_class c ON c.reltoastrelid = t.oid
    WHERE c.oid = 'views.v'::regclass ORDER BY 1
    """
    survives(change, add, options)


@each(PLAIN)
def test_security_options_of_plain_views(change):
    options = "security_barrier = true"
    if connection.pg_version >= 150000:
        options += ", security_invoker = true"
    step = survives(change, f"ALTER VIEW views.v SET ({options})", OPTIONS)
    if step.action.verb == "rebuild":
        assert "option security_barrier=true" in step.kept


@each([REPLACE, REBUILD_PLAIN])
@pytest.mark.parametrize("option", ["local", "cascaded"])
def test_the_check_option(change, option):
    survives(change, f"ALTER VIEW views.v SET (check_option = {option})", OPTIONS)


@each(PLAIN)
def test_the_options_of_the_class_and_those_set_by_hand_add_up(change):
    """CREATE OR REPLACE VIEW resets the options that it does not repeat."""
    change.begin(security_barrier=True)
    assert run(OPTIONS) == [("security_barrier=true",)]
    run("ALTER VIEW views.v SET (check_option = local)")
    before = run(OPTIONS)
    change.finish(security_barrier=True)
    assert len(before) == 2
    assert run(OPTIONS) == before


@each([TO_MATERIALISED, TO_PLAIN])
def test_options_of_the_other_kind_are_reported_as_lost(change):
    change.begin()
    if change.was_materialised:
        run("ALTER MATERIALIZED VIEW views.v SET (fillfactor = 70)")
    else:
        run("ALTER VIEW views.v SET (security_barrier = true)")
    change.change()
    planned = change.plan()
    step = change.finish()
    assert step.lost == planned.lost
    (lost,) = step.lost
    assert "fillfactor" in lost or "security_barrier" in lost
    assert run(OPTIONS) == []


INSERT = "INSERT INTO public.things VALUES (new.id, new.city, new.amount)"
TAKE = "DELETE FROM public.things WHERE id = old.id; INSERT INTO public.things VALUES (0)"


@each(PLAIN)
def test_rules(change):
    add = [
        f"CREATE RULE put AS ON INSERT TO views.v DO INSTEAD {INSERT}",
        f"CREATE RULE \"a 'v' TO views.v\" AS ON DELETE TO views.v WHERE old.id > 1 DO INSTEAD ({TAKE})",
        "COMMENT ON RULE put ON views.v IS 'puts'",
        "CREATE RULE idle AS ON UPDATE TO views.v DO ALSO NOTHING",
    ]
    step = survives(change, add, RULES)
    if step.action.verb == "rebuild":
        assert {"rule put", "rule idle"} <= set(step.kept)
    run("INSERT INTO views.v (id, city, amount) VALUES (1000, 'x', 1)")
    assert run("SELECT city FROM views.v WHERE id = 1000") == [("x",)]


@each(PLAIN)
def test_instead_of_triggers(change):
    run(
        "CREATE FUNCTION public.put() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN INSERT INTO public.things VALUES (new.id, new.city, new.amount); RETURN new; END$$"
    )
    add = [
        "CREATE TRIGGER put INSTEAD OF INSERT ON views.v FOR EACH ROW EXECUTE FUNCTION public.put('a ON b')",
        "COMMENT ON TRIGGER put ON views.v IS 'puts'",
        'CREATE TRIGGER " ON views.v " INSTEAD OF UPDATE ON views.v FOR ROW EXECUTE FUNCTION public.put()',
    ]
    survives(change, add, TRIGGERS)
    run("INSERT INTO views.v (id, city, amount) VALUES (1000, 'x', 1)")
    assert run("SELECT city FROM views.v WHERE id = 1000") == [("x",)]


@each(PLAIN)
def test_statement_triggers(change):
    run("CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$")
    add = (
        "CREATE TRIGGER note AFTER INSERT OR DELETE ON views.v FOR EACH STATEMENT "
        "EXECUTE FUNCTION public.note()"
    )
    step = survives(change, add, TRIGGERS)
    if step.action.verb == "rebuild":
        assert "trigger note" in step.kept


@each(PLAIN)
def test_defaults_of_columns(change):
    add = [
        "ALTER VIEW views.v ALTER COLUMN city SET DEFAULT 'it''s 100%'",
        "ALTER VIEW views.v ALTER COLUMN amount SET DEFAULT length('abc') + 1",
    ]
    step = survives(change, add, DEFAULTS)
    if step.action.verb == "rebuild":
        assert {"default city", "default amount"} <= set(step.kept)


@each([REBUILD_PLAIN])
def test_what_needs_a_column_that_goes_is_reported_as_lost(change):
    change.begin()
    run("ALTER VIEW views.v ALTER COLUMN other SET DEFAULT 7; ALTER VIEW views.v ALTER city SET DEFAULT 'x'")
    run("CREATE RULE put AS ON INSERT TO views.v DO INSTEAD INSERT INTO public.things VALUES (new.other)")
    run("CREATE RULE take AS ON DELETE TO views.v DO INSTEAD NOTHING")
    step = change.finish()
    assert sorted(lost.partition(":")[0] for lost in step.lost) == ["default other", "rule put"]
    assert set(step.kept) >= {"default city", "rule take"}
    assert [name for name, *_ in run(RULES)] == ["take"]


@each(KINDS)
def test_rules_and_triggers_that_the_new_kind_cannot_have_are_reported_as_lost(change):
    change.begin()
    if not change.was_materialised:
        run("CREATE RULE take AS ON DELETE TO views.v DO INSTEAD NOTHING")
        run("ALTER VIEW views.v ALTER city SET DEFAULT 'x'")
        expected = ["default city", "rule take"]
    else:
        run("CREATE INDEX by_city ON views.v (city); ALTER MATERIALIZED VIEW views.v CLUSTER ON by_city")
        run("CREATE STATISTICS public.both ON id, city FROM views.v")
        expected = ["extended statistics both", "index by_city"]
    change.change()
    planned = change.plan()
    step = change.finish()
    assert step.lost == planned.lost
    assert sorted(lost.partition(":")[0] for lost in step.lost) == expected


#: What depends on which extension, so that dropping the extension drops it too.
EXTENSION_DEPENDENCIES = """
SELECT coalesce(tgname, relname), extname
FROM pg_depend d
JOIN pg_extension e ON e.oid = d.refobjid
LEFT JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
LEFT JOIN pg_trigger t ON t.oid = d.objid AND d.classid = 'pg_trigger'::regclass
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'x' ORDER BY 1
"""


@each(MATERIALISED)
def test_a_materialised_view_and_an_index_that_depend_on_an_extension(change):
    add = [
        'CREATE INDEX "by City" ON views.v (city)',
        'ALTER INDEX views."by City" DEPENDS ON EXTENSION plpgsql',
        "ALTER MATERIALIZED VIEW views.v DEPENDS ON EXTENSION plpgsql",
    ]
    step = survives(change, add, EXTENSION_DEPENDENCIES)
    assert "extension dependency plpgsql" in step.kept


@each([REBUILD_PLAIN, REPLACE])
def test_a_trigger_that_depends_on_an_extension(change):
    add = [
        "CREATE FUNCTION public.put() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        'CREATE TRIGGER "My Put" INSTEAD OF INSERT ON views.v FOR EACH ROW EXECUTE FUNCTION public.put()',
        'ALTER TRIGGER "My Put" ON views.v DEPENDS ON EXTENSION plpgsql',
    ]
    survives(change, add, EXTENSION_DEPENDENCIES)


def test_a_materialised_view_that_becomes_plain_cannot_depend_on_an_extension():
    TO_PLAIN.begin()
    run("ALTER MATERIALIZED VIEW views.v DEPENDS ON EXTENSION plpgsql")
    (lost,) = TO_PLAIN.finish().lost
    assert lost.startswith("extension dependency plpgsql: ")


def test_a_plain_view_cannot_depend_on_an_extension():
    REPLACE.begin()
    with pytest.raises(ProgrammingError):
        run("ALTER VIEW views.v DEPENDS ON EXTENSION plpgsql")
