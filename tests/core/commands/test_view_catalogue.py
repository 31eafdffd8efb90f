"""`view_catalogue`, as a pipeline calls it."""

from __future__ import annotations

import json
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from orm_views_core.sync import sync_views
from tests.core.catalogue.scene import declare, declare_materialised

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(tmp_path, capsys):
    """A function that calls the command for a directory of the test, and returns what it printed."""

    def write(*options, directory=None):
        call_command(
            "view_catalogue", "--output", str(directory or tmp_path / "site"), *options, no_color=True
        )
        return capsys.readouterr().out

    return write


@pytest.fixture
def two(make_role):
    """Two views, one of which a role may read."""
    declare("Towns", "SELECT id, city FROM lending_customer", grant_select_to=[make_role("reader")])
    declare("Loans", "SELECT id FROM lending_loan")
    sync_views()


def pages(directory):
    return sorted(file.relative_to(directory).as_posix() for file in directory.rglob("*.html"))


def test_it_writes_the_site_and_says_what_and_where(two, write, tmp_path):
    assert write() == (
        f"2 views and 2 tables in 8 files: 8 written, 0 removed.\nOpen {tmp_path / 'site' / 'index.html'}\n"
    )
    assert pages(tmp_path / "site") == [
        "index.html",
        "tables/public.lending_customer.html",
        "tables/public.lending_loan.html",
        "views/views.loans.html",
        "views/views.towns.html",
    ]
    assert write().startswith("2 views and 2 tables in 8 files: 0 written, 0 removed.")


def test_a_view_that_is_gone_loses_its_page(two, write, tmp_path):
    write()
    (tmp_path / "site" / "notes.txt").write_text("mine")
    assert write("--role", "reader").startswith("1 view and 1 table in 6 files: 4 written, 2 removed.")
    assert pages(tmp_path / "site") == [
        "index.html",
        "tables/public.lending_customer.html",
        "views/views.towns.html",
    ]
    assert (tmp_path / "site" / "notes.txt").read_text() == "mine"


def test_sql_is_in_it_only_when_asked_for(two, write, tmp_path):
    page = tmp_path / "site" / "views" / "views.towns.html"
    write()
    assert "FROM" not in page.read_text()
    write("--sql")
    assert re.search(r"<pre [^>]*><code> ?SELECT", page.read_text())
    write()
    assert "FROM" not in page.read_text()


def test_no_times_leaves_out_the_last_refresh(write, tmp_path):
    declare_materialised("Summary", "SELECT 1 AS one")
    sync_views()
    page = tmp_path / "site" / "views" / "views.summary.html"
    write()
    assert "<time" in page.read_text()
    write("--no-times")
    assert "<time" not in page.read_text()
    assert "as of its last refresh" in page.read_text()


def test_a_role_that_may_read_nothing_is_warned_of(write, make_role):
    assert write("--role", make_role("reader")).startswith(
        "Role 'reader' may read no view: the catalogue is empty."
    )


def test_an_unknown_role_and_a_directory_of_others_are_errors_and_write_nothing(two, write, tmp_path):
    with pytest.raises(CommandError, match="Database 'default' has no role 'nobody'"):
        write("--role", "nobody")
    assert not (tmp_path / "site").exists()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("mine")
    with pytest.raises(CommandError, match=r"has other files \(index\.html\) and no catalogue"):
        write()
    assert (tmp_path / "site" / "index.html").read_text() == "mine"


def test_an_output_is_required():
    with pytest.raises(CommandError, match="--output"):
        call_command("view_catalogue")


def test_a_database_that_does_not_answer_is_an_error_and_leaves_the_old_catalogue(
    two, write, tmp_path, misdirect
):
    write()
    before = (tmp_path / "site" / "catalogue.json").read_text()
    misdirect("default", {"HOST": "/nowhere"})
    with pytest.raises(CommandError, match=r"Database 'default' \(/nowhere:.*does not answer"):
        write("--database", "default")
    assert (tmp_path / "site" / "catalogue.json").read_text() == before


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_all_databases_are_in_one_catalogue_unless_one_is_named(write, tmp_path):
    declare("Towns", "SELECT id, city FROM lending_customer")
    declare("Taken", "SELECT id, city FROM lending_customer", database="warehouse")
    sync_views()
    write()
    assert pages(tmp_path / "site") == [
        "index.html",
        "tables/public.lending_customer.html",
        "tables/warehouse.public.lending_customer.html",
        "views/views.towns.html",
        "views/warehouse.views.taken.html",
    ]
    index = (tmp_path / "site" / "index.html").read_text()
    assert "Lending, in database warehouse" in index
    write("--database", "warehouse")
    assert pages(tmp_path / "site") == [
        "index.html",
        "tables/warehouse.public.lending_customer.html",
        "views/warehouse.views.taken.html",
    ]
    assert "in database" not in (tmp_path / "site" / "index.html").read_text()


@pytest.mark.django_db(transaction=True)
def test_sql_that_another_session_has_locked_is_named_and_nobody_waits(
    committed_views, write, tmp_path, other
):
    declare_materialised("Summary", "SELECT 1 AS one")
    sync_views()
    other.execute("REFRESH MATERIALIZED VIEW views.summary")
    printed = write("--sql")
    assert "The SQL of views.summary is missing: another session had locked it. Run this again." in printed
    assert (
        "another session had locked the view"
        in (tmp_path / "site" / "views" / "views.summary.html").read_text()
    )
    document = json.loads((tmp_path / "site" / "catalogue.json").read_text())
    assert document["databases"][0]["views"][0]["sql"] is None
    other.execute("ROLLBACK")
    assert "missing" not in write("--sql")


def test_no_row_is_read(write, execute):
    execute("CREATE SCHEMA shown")
    execute(
        "CREATE FUNCTION shown.fails() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$read$$; END'"
    )
    execute("CREATE VIEW shown.trap AS SELECT shown.fails() AS one")
    assert write("--sql").startswith("1 view and 0 tables")
    with pytest.raises(Exception, match="read"), connections["default"].cursor() as cursor:
        cursor.execute("SELECT * FROM shown.trap")
