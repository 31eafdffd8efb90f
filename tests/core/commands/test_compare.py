"""``sync_views --plan --compare``: what a plan does to the rows of views."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from orm_views_core.privacy import marks
from orm_views_core.sync import sync_views
from tests.core.comparison.changing import declare
from tests.demo.lending.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def goods(registered, execute):
    execute(
        "CREATE TABLE goods AS SELECT g AS id, g * 10 AS price, 'n' || g AS name"
        " FROM generate_series(1, 50) g"
    )
    declare("Base", "SELECT id, price, name FROM goods")
    declare("Top", "SELECT price FROM views.base WHERE id < 3")
    declare("Apart", "SELECT id, random() AS dice FROM goods")
    sync_views()
    declare(
        "Base",
        "SELECT id, price + CASE WHEN id > 46 THEN 1 ELSE 0 END AS price, name, 1 AS one"
        " FROM goods WHERE id <> 7 UNION ALL SELECT 1000, 5, E'a\\nb', 1",
    )


@pytest.fixture
def printed(capsys):
    def printed(*arguments, **options):
        call_command("sync_views", "--plan", *arguments, no_color=True, **options)
        lines = capsys.readouterr().out.splitlines()
        start = next((n for n, line in enumerate(lines) if line.startswith("Rows in")), len(lines))
        return lines[start:]

    return printed


def test_what_is_printed(goods, printed):
    first, *lines = printed("--compare")
    assert first.startswith("Rows in database 'default', compared in ")
    assert lines == [
        "  ~ views.base: 1 row added, 1 removed, 4 of 50 rows changed: price in 4",
        "      columns: one is new",
        "      rows with the same id are compared",
        "      + id=1000, price=5, name=a\\nb, one=1",
        "      - id=7, price=70, name=n7",
        "      ~ id=47, price: 470 → 471",
        "      ~ id=48, price: 480 → 481",
        "      ~ id=49, price: 490 → 491",
        "      ~ … -v 2 shows 4",
        "  ~ views.top: no row differs, of 2 rows",
        "      rows with the same price are compared",
    ]
    assert "      ~ id=50, price: 500 → 501" in printed("--compare", verbosity=2)


def test_some_views(goods, printed):
    assert [line for line in printed("--compare", "top", "apart") if line[:4].strip()][1:] == [
        "  = views.apart: 50 of 50 rows changed: dice in 50",
        "  ~ views.top: no row differs, of 2 rows",
    ]
    lines = printed("--compare", "views.apart")
    assert "      NOT REPEATABLE: dice. Computed twice, the new definition gives other values there." in lines


def test_a_key_and_stored_rows(goods, printed, execute):
    assert "      rows with the same name are compared" in printed("--compare", "base", "--key", "name")
    declare("Kept", "SELECT id, price FROM goods", stored=True)
    sync_views()
    declare("Kept", "SELECT id, price FROM goods WHERE id > 5", stored=True)
    lines = printed("--compare", "kept", "--stored")
    assert "  ~ views.kept: 5 rows removed" in lines
    assert any(line.startswith("      with the stored rows, which are ") for line in lines)


def test_json(goods, capsys):
    call_command("sync_views", "--plan", "--compare", "base", "--json")
    ((plan),) = json.loads(capsys.readouterr().out)
    (found,) = plan["comparison"]["views"]
    assert found["view"] == "views.base"
    numbers = ("old_rows", "new_rows", "added", "removed", "changed")
    assert [found[name] for name in numbers] == [50, 50, 1, 1, 4]
    assert found["changed_by_column"] == {"price": 4}
    assert found["samples"][0] == {
        "change": "added",
        "old": None,
        "new": {"id": "1000", "price": "5", "name": "a\nb", "one": "1"},
    }
    call_command("sync_views", "--plan", "--json")
    assert "comparison" not in json.loads(capsys.readouterr().out)[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--compare"], r"^--compare shows what a plan does to rows\. Add --plan\.$"),
        (["--plan", "--key", "id"], r"^--key says how rows are compared\. Add --compare\.$"),
        (["--plan", "--stored"], r"^--stored says how rows are compared\. Add --compare\.$"),
        (["--plan", "--compare", "nobody"], "nobody"),
        (["--plan", "--compare", "base", "--key", "prise"], "has no column 'prise' in both definitions"),
    ],
)
def test_what_cannot_be_compared(goods, arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("sync_views", *arguments)


def test_nothing_to_compare(registered, printed):
    declare("Base", "SELECT 1 AS id")
    sync_views()
    assert printed("--compare")[1:] == ["  No view gets other rows."]


def test_new_dropped_and_failing_views(goods, printed, registered):
    declare("Base", "SELECT id, 1 / (id - 3) AS price, name FROM goods")
    declare("Fresh", "SELECT id FROM goods")
    lines = printed("--compare")
    assert "  ! views.base: not compared. The rows of views.base cannot be read: division by zero." in lines
    assert "  + views.fresh: new, 50 rows" in lines


def test_personal_values_are_not_printed(registered, printed, monkeypatch, demo_data):
    monkeypatch.setattr(Customer._meta.get_field("email"), marks.ATTRIBUTE, True, raising=False)
    monkeypatch.setattr(marks, "_used", True)
    declare("Shown", "SELECT id, email, city FROM lending_customer", exposes=["email"])
    sync_views()
    declare("Shown", "SELECT id, upper(email) AS email, 'x' AS city FROM lending_customer", exposes=["email"])
    lines = printed("--compare", verbosity=2)
    assert "  ~ views.shown: 50 of 50 rows changed: email in 50, city in 50" in lines
    assert any("email: (masked), city: " in line for line in lines)
    assert "@" not in "".join(lines)


def test_what_quotes_personal_values_is_not_printed(registered, printed, monkeypatch, demo_data):
    monkeypatch.setattr(marks, "_used", True)
    declare("Shown", "SELECT id, email FROM lending_customer")
    sync_views()
    declare("Shown", "SELECT id, email FROM lending_customer WHERE email::int > 0")
    text = " ".join(printed("--compare"))
    assert "@" not in text
    assert "not compared. The rows of views.shown cannot be read. PostgreSQL reports SQLSTATE 22P02" in text
