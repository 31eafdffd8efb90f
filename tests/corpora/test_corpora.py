"""A thousand views are stored as psql stores them, and left alone after a restore or an upgrade."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views.registry import registry

from .conftest import WHOLE
from .corpus import TABLES, corpus
from .servers import Server, client, connected_to, create_database, execute, programs, server_home

STORED = """
SELECT relname, pg_get_viewdef(oid), relkind FROM pg_class
WHERE relnamespace = '{}'::regnamespace AND relkind IN ('v', 'm')
"""
RESTORED = "corpora_restored"


def stored(schema):
    """What PostgreSQL stored of each view of a schema, as if the schema were `views`."""
    found = execute(STORED.format(schema))
    return {name: (kind, text.replace(f"{schema}.", "views.")) for name, text, kind in found}


def steps():
    (plan,) = plan_views(["default"])
    assert plan.problems == ()
    return {step.target: (step.action.verb, step.reason) for step in plan.steps}


def oids():
    return execute("SELECT relname, oid FROM pg_class WHERE relnamespace = 'views'::regnamespace ORDER BY 1")


def check():
    out = StringIO()
    call_command("sync_views", "--check", stdout=out, stderr=out)
    return out.getvalue()


def only_recorded_anew():
    """Assert that the next sync writes sync states at most; return how many."""
    found = steps()
    assert {target: step for target, step in found.items() if step[0] != "adopt"} == {}
    assert {reason for _, reason in found.values() if "changed in the database" in reason} == set()
    if found:
        assert "Only sync states would be written" in check()
    there = oids()
    sync_views()
    assert oids() == there
    assert steps() == {}
    return len(found)


def test_there_are_more_than_a_thousand():
    found = corpus(18, whole=True)
    assert len({sample.name for sample in found}) == len(found) == 1085
    assert len([sample for sample in found if sample.materialised]) > 400
    assert len({sample.sql for sample in found}) == len(found)


def test_each_view_is_stored_as_psql_stores_it(source, samples):
    with connected_to(source):
        execute("DROP SCHEMA IF EXISTS plain CASCADE; CREATE SCHEMA plain")
        for sample in samples:
            execute(sample.create("plain"))
        ours, plain = stored("views"), stored("plain")
        execute("DROP SCHEMA plain CASCADE")
    assert len(ours) == len(samples)
    assert ours == plain


def test_a_second_sync_does_nothing(source):
    with connected_to(source):
        assert steps() == {}
        there = oids()
        sync_views()
        assert oids() == there


def as_script(source, into, *arguments):
    script = client("pg_dump", "-d", source, *arguments)
    with connected_to(into):
        client("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", into, input=script)


def by_two_jobs(source, into, tmp_path: Path):
    file = str(tmp_path / "dump")
    client("pg_dump", "-Fc", "-d", source, "-f", file)
    client("pg_restore", "-j2", "-d", into, file)


whole_only = pytest.mark.skipif(not WHOLE, reason="nox --session corpora runs this")
WAYS = [
    pytest.param(lambda source, into, _: as_script(source, into), marks=whole_only, id="as a script"),
    pytest.param(lambda source, into, _: as_script(source, into, "--schema-only"), id="without rows"),
    pytest.param(by_two_jobs, id="by two jobs"),
]


@pytest.mark.parametrize("restore", WAYS)
def test_a_restored_database_is_only_recorded_anew(restore, source, samples, tmp_path):
    create_database(RESTORED)
    with connected_to(source):
        restore(source, RESTORED, tmp_path)
    with connected_to(RESTORED):
        # Of many views PostgreSQL wrote another text: they differ from the text in the sync state.
        assert only_recorded_anew() > len(samples) / 10


@whole_only
@pytest.mark.parametrize(("old", "new"), [(14, 18), (16, 18), (17, 18), (18, 17), (18, 16), (18, 14)])
def test_a_restore_into_another_major_version_only_records_anew(old, new, samples):
    for version in (old, new):
        if programs(version) is None:
            pytest.skip(f"there is no PostgreSQL {version} here: name its programs in CORPORA_SERVERS")
    with registry.isolated(), server_home() as home:
        for sample in corpus(min(old, new), whole=True):
            sample.declare()
        with Server(home, old).started() as settings, connected_to("postgres", **settings):
            create_database("corpora")
            with connected_to("corpora"):
                execute(TABLES)
                sync_views()
                script = client("pg_dump", "-d", "corpora")
        with Server(home, new).started() as settings, connected_to("postgres", **settings):
            create_database("corpora")
            with connected_to("corpora"):
                # An older server does not know every setting at the head of a newer dump.
                client("psql", "-qX", "-d", "corpora", input=script)
                assert only_recorded_anew() > len(samples) / 10


@whole_only
def test_pg_upgrade_only_records_anew(samples):
    with registry.isolated(), server_home() as home:
        for sample in corpus(16, whole=True):
            sample.declare()
        old, new = Server(home, 16), Server(home, 18)
        with old.started() as settings, connected_to("postgres", **settings):
            create_database("corpora")
            with connected_to("corpora"):
                execute(TABLES)
                sync_views()
        # From 18 on initdb turns checksums on, and pg_upgrade wants both alike.
        old.run("pg_checksums", "-D", str(old.data), "--enable", "--no-sync")
        arguments = ["-b", old.binaries, "-B", new.binaries, "-d", old.data, "-D", new.data, "-s", home]
        new.run("pg_upgrade", "-U", "postgres", "--no-sync", *map(str, arguments))
        with new.started() as settings, connected_to("corpora", **settings):
            assert only_recorded_anew() > len(samples) / 10
