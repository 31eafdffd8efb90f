"""``migrate_views`` as its users call it."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from orm_views_core.sync import sync_views

from .conftest import query

TOTALS = "SELECT id, total FROM depot_order"
WIDER = 'AlterField("Order", "total", models.BigIntegerField())'
SHORTER = 'RemoveField("Order", "note")'


def type_of(view: str, column: str) -> str:
    return str(
        query(
            f"SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
            f"WHERE attrelid = '{view}'::regclass AND attname = '{column}'"
        )[0][0]
    )


def functions_left() -> int:
    rows = query("SELECT count(*) FROM pg_proc WHERE proname LIKE 'orm\\_views\\_%'")
    schemas = query("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'orm\\_views\\_%'")
    return int(rows[0][0]) + int(schemas[0][0])


@pytest.fixture
def before(depot, release):
    """A release with a plain view, a materialised one, and a view of somebody else."""
    release({"Stored": TOTALS}, Totals=TOTALS, Aside="SELECT id, size FROM depot_other")
    sync_views()
    query("CREATE SCHEMA reports; CREATE VIEW reports.theirs AS SELECT sum(total) AS total FROM depot_order")
    return depot


def test_migrations_and_views_in_one_transaction(before):
    before.write("0002_wider", WIDER)
    out = before.migrate()
    assert "Applying depot.0002_wider... OK" in out
    assert "put aside: views.totals: depot_order.total gets another type" in out
    assert "put aside: reports.theirs, which is not ours: depot_order.total gets another type" in out
    assert "put aside: views.aside" not in out
    assert {type_of(f"views.{name}", "total") for name in ("totals", "stored")} == {"bigint"}
    assert query("SELECT total FROM reports.theirs") == [(15,)]
    assert query("SELECT count(*), sum(total) FROM views.stored") == [(5, 15)]
    assert not functions_left()
    assert "Nothing to do" in before.migrate()


def test_what_fails_leaves_everything_as_it_was(before, take_picture):
    before.write("0002_wider", WIDER)
    before.write("0003_broken", 'RunSQL("SELECT no_such_function()")')
    picture = take_picture()
    with pytest.raises(
        CommandError, match=r"depot\.0003_broken: function no_such_function\(\) does not exist"
    ):
        before.migrate()
    assert take_picture() == picture
    assert before.applied() == ["0001_initial"]


def test_an_invalid_view_takes_the_migrations_back(before, release, take_picture):
    before.write("0002_wider", WIDER)
    release(Totals="SELECT id, no_such_column FROM depot_order")
    picture = take_picture()
    with pytest.raises(CommandError, match="no_such_column"):
        before.migrate()
    assert take_picture() == picture
    assert before.applied() == ["0001_initial"]


def test_a_view_of_others_that_does_not_fit_any_more_stops_the_run(before, take_picture):
    query("CREATE VIEW reports.notes AS SELECT note FROM depot_order")
    before.write("0002_shorter", SHORTER)
    picture = take_picture()
    with pytest.raises(CommandError, match=r"reports\.notes, which is not ours, .* use --drop-dependents"):
        before.migrate()
    assert take_picture() == picture
    out = before.migrate("--drop-dependents")
    assert "Dropped reports.notes, which did not fit any more" in out
    assert query("SELECT to_regclass('reports.notes')") == [(None,)]


def test_a_view_whose_class_goes_in_the_same_release_is_dropped(depot, release):
    release(Notes="SELECT note FROM depot_order", Totals=TOTALS)
    sync_views()
    depot.write("0002_shorter", SHORTER)
    release(Totals=TOTALS)
    depot.migrate()
    assert query("SELECT to_regclass('views.notes'), to_regclass('views.totals')::text") == [
        (None, "views.totals")
    ]


def test_the_rows_of_a_materialised_view_are_there_when_its_build_fails(depot, release):
    stored = "SELECT id, total / size AS share FROM depot_order JOIN depot_other USING (id)"
    release({"Stored": stored})
    sync_views()
    rows = query("SELECT * FROM views.stored ORDER BY id")
    query("UPDATE depot_other SET size = 0 WHERE id = 3")
    depot.write("0002_wider", WIDER)
    with pytest.raises(CommandError, match="division by zero"):
        depot.migrate()
    assert depot.applied() == ["0001_initial", "0002_wider"]
    assert query("SELECT * FROM views.stored ORDER BY id") == rows
    query("UPDATE depot_other SET size = 1 WHERE id = 3")
    call_command("sync_views", verbosity=0)
    assert query("SELECT share FROM views.stored WHERE id = 3") == [(3,)]
    assert not functions_left()


def test_it_can_build_materialised_views_in_the_same_transaction(before):
    before.write("0002_wider", WIDER)
    out = before.migrate("--rebuild-inside")
    assert type_of("views.stored", "total") == "bigint"
    assert out.count("Syncing views in database") == 1
    assert not functions_left()


def test_a_materialised_view_that_reads_a_view_with_another_type_is_built_later(depot, release):
    release({"Stored": "SELECT id, total FROM views.totals"}, Totals=TOTALS)
    sync_views()
    depot.write("0002_wider", WIDER)
    out = depot.migrate()
    first, second = out.split("Committed.")
    assert "rebuild  views.totals" in first
    assert "views.stored" not in first
    assert "rebuild  views.stored" in second
    assert type_of("views.stored", "total") == "bigint"
    assert query("SELECT sum(total) FROM views.stored") == [(15,)]
    assert not functions_left()


def test_backwards(before, release):
    before.write("0002_wider", WIDER)
    before.migrate()
    out = before.migrate("0001")
    assert "Unapplying depot.0002_wider... OK" in out
    assert type_of("views.totals", "total") == "integer"
    assert before.applied() == ["0001_initial"]


def test_to_a_migration_that_is_not_enough_for_the_views_yet(before, release):
    before.write("0002_wider", WIDER)
    before.write("0003_more", 'AddField("Order", "more", models.IntegerField(default=3))')
    release({"Stored": TOTALS}, Totals="SELECT id, total, more FROM depot_order")
    out = before.migrate("0002")
    assert "not synced, because migrations are yet to be applied" in out
    assert type_of("views.totals", "total") == "bigint"
    before.migrate()
    assert query("SELECT count(more) FROM views.totals") == [(5,)]
    assert not functions_left()


def test_faking_changes_nothing_but_the_record(before):
    before.write("0002_wider", WIDER)
    out = before.migrate("--fake")
    assert "put aside" not in out
    assert before.applied() == ["0001_initial", "0002_wider"]
    assert type_of("depot_order", "total") == "integer"


def test_sync_on_migrate_does_not_sync_twice(before, settings):
    settings.ORM_VIEWS = {"SYNC_ON_MIGRATE": True}
    before.write("0002_wider", WIDER)
    assert (
        before.migrate().count("Syncing views in database") == 2
    )  # in the transaction, and the rows after it


def test_the_plan(before, take_picture):
    before.write("0002_wider", WIDER)
    before.write(
        "0003_index",
        'AddIndexConcurrently("Order", models.Index(fields=["city"], name="by_city"))',
        atomic=False,
    )
    picture = take_picture()
    out = before.migrate("--plan")
    assert "Plan for database 'default': 2 migrations, then a sync of the views." in out
    assert (
        "  > apply  depot.0002_wider\n      puts aside reports.theirs: depot_order.total gets another type"
        in out
    )
    assert "! cannot be in one transaction with others: AddIndexConcurrently runs outside" in out
    assert "views.stored comes back as its class says; built after the migrations" in out
    assert take_picture() == picture
    shown = json.loads(before.migrate("--plan", "--json"))
    assert [each["name"] for each in shown["migrations"]] == ["0002_wider", "0003_index"]
    assert {each["view"] for each in shown["migrations"][0]["puts_aside"]} == {
        "views.totals",
        "views.stored",
        "reports.theirs",
    }
    with pytest.raises(CommandError, match="yet to be applied") as raised:
        before.migrate("--check")
    assert raised.value.returncode == 1


def test_check_with_nothing_to_do(before):
    before.migrate("--check")


CONCURRENTLY = 'AddIndexConcurrently("Order", models.Index(fields=["city"], name="by_city"))'
ALONE = {
    "an index that is made concurrently": (CONCURRENTLY, "AddIndexConcurrently runs outside of transactions"),
    "SQL with CONCURRENTLY": (
        'RunSQL("CREATE INDEX CONCURRENTLY by_city ON depot_order (city)")',
        "PostgreSQL runs CREATE … CONCURRENTLY in no transaction",
    ),
    "SQL with a COMMIT": ('RunSQL("BEGIN; SELECT 1; COMMIT")', "its SQL has BEGIN"),
    "VACUUM in code": ('run("VACUUM depot_order")', "VACUUM cannot run inside a transaction block"),
    "a durable block": (
        "RunPython(transaction.atomic(durable=True)(lambda apps, editor: None))",
        "it needs a transaction of its own",
    ),
}


@pytest.mark.parametrize("what", ALONE)
def test_what_cannot_be_in_the_transaction_is_refused_or_cut_out(before, take_picture, what):
    operation, why = ALONE[what]
    before.write("0002_wider", WIDER)
    before.write("0003_alone", operation, atomic=False)
    before.write("0004_rename", 'RenameField("Order", "city", "town")')
    picture = take_picture()
    with pytest.raises(CommandError, match=r"depot\.0003_alone cannot run in one transaction") as raised:
        before.migrate()
    assert why in str(raised.value)
    assert take_picture() == picture
    before.migrate("--split")
    assert before.applied() == ["0001_initial", "0002_wider", "0003_alone", "0004_rename"]
    assert type_of("views.stored", "total") == "bigint"
    assert query("SELECT total FROM reports.theirs") == [(15,)]
    assert not functions_left()


def test_a_label_of_an_enum_that_a_later_migration_uses(before, take_picture):
    before.write("0002_mood", "RunSQL(\"CREATE TYPE mood AS ENUM ('good')\")")
    before.migrate()
    before.write("0003_label", "RunSQL(\"ALTER TYPE mood ADD VALUE 'bad'\")")
    before.write("0004_use", "RunSQL(\"SELECT 'bad'::mood\")")
    picture = take_picture()
    with pytest.raises(CommandError, match=r"depot\.0004_use .*a label of an enum"):
        before.migrate()
    assert take_picture() == picture
    before.migrate("--split")
    assert before.applied()[-2:] == ["0003_label", "0004_use"]


def test_deferred_constraints_are_checked_between_migrations(before):
    before.write(
        "0002_line",
        'CreateModel("Line", [("id", models.AutoField(primary_key=True)), '
        '("order", models.ForeignKey("depot.Order", models.CASCADE))])',
    )
    before.write("0003_rows", 'run("INSERT INTO depot_line (order_id) VALUES (1)")')
    before.write("0004_alter", 'AddField("Line", "n", models.IntegerField(default=1))')
    before.migrate()
    assert before.applied()[-1] == "0004_alter"
    query("DROP TABLE depot_line")


def test_what_somebody_else_owns_and_we_may_not_replace_is_named(before, make_role):
    role = make_role("stranger")
    query(f"ALTER VIEW reports.theirs OWNER TO {role}; GRANT SELECT ON depot_order TO {role}")
    before.write("0002_wider", WIDER)
    us = make_role("deployer")
    query(f"GRANT CREATE ON DATABASE {connection.settings_dict['NAME']} TO {us}")
    for schema in ("public", "views", "reports"):
        query(f"GRANT ALL ON SCHEMA {schema} TO {us}; GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {us}")
    query("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO " + us)
    for view, kind in {"totals": "VIEW", "stored": "MATERIALIZED VIEW", "aside": "VIEW"}.items():
        query(f"ALTER {kind} views.{view} OWNER TO {us}")
    query(f"ALTER SCHEMA views OWNER TO {us}; ALTER TABLE depot_order OWNER TO {us}")
    query(f"SET ROLE {us}")
    try:
        with pytest.raises(
            CommandError, match=r"reports\.theirs stands against the migration\. It belongs to"
        ):
            before.migrate()
    finally:
        query("RESET ROLE")
    assert before.applied() == ["0001_initial"]


def test_what_was_done_as_json(before):
    before.write("0002_wider", WIDER)
    (done,) = json.loads(before.migrate("--json"))
    assert done["migrations"] == ["depot.0002_wider"]
    assert {each["view"] for each in done["put_aside"]} == {"views.totals", "views.stored", "reports.theirs"}
    assert {(each["action"], each["view"]) for each in done["steps"]} == {
        ("rebuild", "views.totals"),
        ("rebuild", "views.stored"),
    }


def test_initial_migrations_can_be_faked(before):
    query("DELETE FROM django_migrations WHERE app = 'depot'")
    before.write("0002_wider", WIDER)
    out = before.migrate("--fake-initial")
    assert "0001_initial... FAKED" in out
    assert before.applied() == ["0001_initial", "0002_wider"]
    assert type_of("views.totals", "total") == "bigint"


@pytest.mark.django_db(databases=["default", "warehouse"], transaction=True)
def test_another_database(before, release):
    before.write("0002_wider", WIDER)
    out = before.migrate("--database", "warehouse")
    assert "Syncing views in database 'warehouse'" in out
    assert type_of("views.totals", "total") == "integer"
    with connections["warehouse"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations WHERE app = 'depot'")
        assert cursor.fetchone() == (2,)
        cursor.execute("DELETE FROM django_migrations WHERE app = 'depot'")
        cursor.execute("DROP TABLE depot_order, depot_other")


def test_a_migration_that_does_not_exist_is_told_by_django(before):
    with pytest.raises(CommandError, match="Cannot find a migration matching '0009' from app 'depot'"):
        before.migrate("0009")


def test_views_that_fit_neither_way_stop_the_way_back_or_are_dropped_knowingly(before, release):
    before.write("0002_more", 'AddField("Order", "more", models.IntegerField(default=3))')
    release({"Stored": TOTALS}, Totals="SELECT id, more FROM depot_order")
    before.migrate()
    with pytest.raises(CommandError, match=r"(?s)views\.totals stood against .* use --drop-dependents"):
        before.migrate("0001")
    assert before.applied() == ["0001_initial", "0002_more"]
    out = before.migrate("0001", "--drop-dependents")
    assert "Dropped views.totals, which did not fit any more" in out
    before.migrate()
    assert query("SELECT count(more) FROM views.totals") == [(5,)]


def test_code_that_fails_takes_everything_back(before, take_picture):
    before.write("0002_wider", WIDER)
    before.write("0003_code", 'RunPython(lambda apps, editor: {}["nothing"])')
    picture = take_picture()
    with pytest.raises(KeyError, match="nothing"):
        before.migrate()
    assert take_picture() == picture
    assert before.applied() == ["0001_initial"]


def test_code_runs_once_although_its_statement_is_sent_again(before):
    insert, alter = (
        "INSERT INTO depot_other (size) VALUES (77)",
        "ALTER TABLE depot_order ALTER total TYPE bigint",
    )
    before.write("0002_wider", f"run({insert!r}, {alter!r})")
    before.migrate()
    assert query("SELECT count(*) FROM depot_other WHERE size = 77") == [(1,)]
    assert type_of("views.totals", "total") == "bigint"


def test_what_was_made_by_hand_stays(before):
    query(
        "GRANT SELECT (id) ON views.stored TO PUBLIC; CREATE INDEX by_hand ON views.stored (total);"
        "COMMENT ON INDEX views.by_hand IS 'mine'; COMMENT ON COLUMN views.totals.id IS 'mine too';"
        "CREATE STATISTICS views.both ON id, total FROM views.stored;"
        "ALTER VIEW reports.theirs SET (security_barrier = true);"
        "CREATE VIEW reports.over AS SELECT id FROM views.stored; GRANT SELECT ON reports.over TO PUBLIC"
    )
    before.write("0002_wider", WIDER)
    before.migrate()
    assert query(
        "SELECT has_column_privilege('pg_monitor', 'views.stored', 'id', 'SELECT'), "
        "obj_description('views.by_hand'::regclass), col_description('views.totals'::regclass, 1), "
        "(SELECT count(*) FROM pg_statistic_ext WHERE stxname = 'both'), "
        "(SELECT reloptions::text FROM pg_class WHERE oid = 'reports.theirs'::regclass), "
        "has_table_privilege('pg_monitor', 'reports.over', 'SELECT'), (SELECT count(*) FROM reports.over)"
    ) == [(True, "mine", "mine too", 1, "{security_barrier=true}", True, 5)]


def test_a_view_that_reads_a_table_and_a_materialised_view_that_are_both_migrated(depot, release):
    both = "SELECT o.total, s.total AS stored FROM depot_order AS o JOIN views.stored AS s USING (id)"
    release({"Stored": TOTALS}, Both=both)
    sync_views()
    query("CREATE SCHEMA reports; CREATE VIEW reports.both AS " + both)
    depot.write("0002_wider", WIDER)
    depot.migrate()
    for view in ("views.both", "reports.both"):
        assert type_of(view, "total") == "bigint"
        assert query(f"SELECT count(*), sum(stored) FROM {view}") == [(5, 15)]


def test_code_that_rolls_back_what_it_did(before):
    """What was put aside for a statement is not aside any more when the code rolls it back."""
    code = """RunPython(lambda apps, editor: undo_and_do(editor))"""
    before.write("0002_code", code)
    path = before.folder / "0002_code.py"
    path.write_text(
        path.read_text()
        + """

def undo_and_do(editor):
    for kind in ("numeric", "bigint"):
        try:
            with transaction.atomic():
                with editor.connection.cursor() as cursor:
                    cursor.execute(f"ALTER TABLE depot_order ALTER total TYPE {kind}")
                if kind == "numeric":
                    raise LookupError
        except LookupError:
            pass
    with transaction.atomic(), editor.connection.cursor() as cursor:
        cursor.execute("ALTER TABLE depot_order DROP COLUMN note CASCADE")
"""
    )
    before.migrate()
    assert {type_of(view, "total") for view in ("views.totals", "views.stored")} == {"bigint"}
    assert query("SELECT count(*) FROM views.totals") == [(5,)]
    assert not functions_left()


def test_a_table_with_the_type_of_a_views_rows_stops_the_run(before, take_picture):
    query("CREATE TABLE reports.kept (was views.stored)")
    before.write("0002_wider", WIDER)
    picture = take_picture()
    with pytest.raises(CommandError, match=r"reports\.kept .*uses the type of the rows"):
        before.migrate()
    assert take_picture() == picture


def test_views_are_put_aside_and_synced_as_the_sync_role(depot, release, settings, make_role):
    syncer = make_role("syncer")
    database = connection.settings_dict["NAME"]
    query(f"GRANT CREATE ON DATABASE {database} TO {syncer}; GRANT SELECT ON depot_order TO {syncer}")
    settings.ORM_VIEWS = {"SYNC_ROLE": syncer}
    release({"Stored": TOTALS}, Totals=TOTALS)
    sync_views()
    depot.write("0002_wider", WIDER)
    depot.migrate()
    owners = (
        "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'views'::regnamespace"
    )
    assert query(owners) == [(syncer,)]
    assert query(
        "SELECT relowner::regrole::text = current_user FROM pg_class WHERE relname = 'depot_order'"
    ) == [(True,)]
    assert {type_of(view, "total") for view in ("views.totals", "views.stored")} == {"bigint"}
    assert not functions_left()
