"""A table of very many rows, and what a process asks of a view of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

PER_PAGE = 50


class Asked(NamedTuple):
    """The parameters of a preview, and the same as SQL."""

    parameters: Mapping[str, str]
    sql: str


#: The parameters of the changelist: it has as many users as a page of the preview has rows at most.
USERS = {"is_staff__exact": "1"}
ASKED = {
    "filtered by its key": Asked({"column.id.equals": "{first}"}, "WHERE id = {first}"),
    "filtered by a range of its key": Asked(
        {"column.id.at_least": "{first}", "column.id.at_most": "{last}"},
        "WHERE id BETWEEN {first} AND {last}",
    ),
    "sorted by its key": Asked({"sort": "-id"}, "ORDER BY id DESC"),
    "sorted by a column without an index": Asked({"sort": "-amount"}, "ORDER BY amount DESC"),
}


def fill(rows: int) -> None:
    """Fill the table that the views read, and make as many users staff as a page has rows."""
    from django.contrib.auth.models import User
    from django.db import connections
    from scaled.models import Customer

    # The superuser is staff already.
    names = [f"user{number}" for number in range(PER_PAGE - 1)]
    User.objects.filter(username__in=names).update(is_staff=True)
    customer = Customer.objects.first()
    with connections["default"].cursor() as cursor:
        # Without these, the foreign key would be checked for each row.
        cursor.execute("ALTER TABLE scaled_purchase DISABLE TRIGGER ALL")
        cursor.execute("TRUNCATE scaled_purchase RESTART IDENTITY")
        cursor.execute(
            """
            INSERT INTO scaled_purchase (customer_id, number, amount, placed, paid)
            SELECT %s, 'P' || n, n::bigint * 7919 %% 99991, timestamptz '2024-01-01' + n * interval '1 s',
                   n %% 2 = 0
            FROM generate_series(1, %s) AS n
            """,
            [customer.pk, rows],
        )
        cursor.execute("VACUUM (ANALYZE) scaled_purchase")
        cursor.execute("CHECKPOINT")


def what_to_ask(title: str, rows: int) -> dict[str, Callable[[], object]]:
    """Return the page, the query that it sends without the page, and a stock changelist."""
    from django.db import connections
    from django.test import Client

    from .actions import STOCK, path_of, root

    numbers = {"first": str(rows // 2), "last": str(rows // 2 + PER_PAGE - 1)}
    asked = ASKED[title]
    parameters = {name: value.format(**numbers) for name, value in asked.parameters.items()}
    client = Client()
    client.force_login(root())

    def get(path: str, parameters: Mapping[str, str], row: bytes) -> None:
        response = client.get(path, parameters)
        assert response.status_code == 200, (path, response.status_code)
        assert row in response.content, path

    def query() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT * FROM views.view11 {asked.sql.format(**numbers)} LIMIT {PER_PAGE + 1}")
            found: list[Any] = cursor.fetchall()
        assert found

    return {
        "page": lambda: get(path_of("preview"), parameters, b'<td role="cell"'),
        "query": query,
        "stock": lambda: get(STOCK, USERS, b"field-username"),
    }
