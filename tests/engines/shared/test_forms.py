"""SQL of many forms, which every engine understands. The names of views in it are found on each of them."""

from __future__ import annotations

import pytest

from orm_views_core.status import State, get_statuses
from orm_views_core.views import ViewFromSQL

from .scenes import done

pytestmark = pytest.mark.usefixtures("parcels")


def declare(class_name, sql, name):
    return type(class_name, (ViewFromSQL,), {"sql": sql, "name": name, "__module__": __name__})


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM shop_parcel;",
        "SELECT id FROM shop_parcel -- the end",
        "SELECT id FROM shop_parcel /* views.orders */",
        "-- views.orders\nSELECT id FROM shop_parcel",
        "SELECT id FROM shop_parcel WHERE shelf <> 'views.orders'",
        "SELECT id FROM shop_parcel WHERE shelf <> 'it''s 100% %s'",
        "WITH kept AS (SELECT id FROM shop_parcel) SELECT id FROM kept",
        "SELECT id FROM shop_parcel UNION SELECT id FROM shop_parcel",
        "SELECT DISTINCT p.id FROM shop_parcel AS p JOIN shop_parcel AS q ON q.id = p.id ORDER BY p.id",
        "SELECT id FROM shop_parcel WHERE id IN (SELECT id FROM views.inner_one)",
        "SELECT id FROM VIEWS.inner_one",
        "SELECT inner_one.id FROM views.inner_one",
        "SELECT inner_one.id FROM views.inner_one WHERE inner_one.id > 0 ORDER BY inner_one.id",
        "SELECT views.inner_one.id FROM views.inner_one",
        "SELECT inner_one.* FROM views.inner_one WHERE views.inner_one.id > 0",
        "SELECT p.id FROM shop_parcel p JOIN views.inner_one ON inner_one.id = p.id",
        "SELECT p.id FROM shop_parcel p LEFT JOIN views.inner_one USING (id) WHERE inner_one.id IS NOT NULL",
        "SELECT id FROM shop_parcel p WHERE EXISTS (SELECT 1 FROM views.inner_one WHERE inner_one.id = p.id)",
        "SELECT inner_one.id FROM views.inner_one AS inner_one",
        "SELECT inner_one.id FROM shop_parcel AS inner_one JOIN views.inner_one AS o ON o.id = inner_one.id",
        "SELECT views.inner_one.* FROM views.inner_one",
        "SELECT inner_one.id FROM (views.inner_one JOIN shop_parcel p ON p.id = inner_one.id)",
        "SELECT inner_one.id FROM shop_parcel p, views.inner_one WHERE p.id = inner_one.id",
        "SELECT inner_one.id FROM views.inner_one UNION SELECT inner_one.id FROM views.inner_one",
        "SELECT id FROM (SELECT inner_one.id FROM views.inner_one) AS s",
        "WITH s AS (SELECT inner_one.id FROM views.inner_one) SELECT s.id FROM s",
        "WITH inner_one AS (SELECT id FROM shop_parcel) SELECT inner_one.id FROM inner_one",
        "WITH inner_one AS (SELECT id + 1 AS n FROM views.inner_one) SELECT inner_one.n - 1 FROM inner_one",
        "SELECT inner_one.id FROM views.inner_one inner_one",
        "SELECT inner_one.id, (SELECT max(o.id) FROM views.inner_one o) AS n FROM views.inner_one",
        "SELECT inner_one.id FROM views.inner_one LEFT JOIN views.inner_one AS o ON o.id = inner_one.id",
        "SELECT inner_one.id FROM views . inner_one",
        "SELECT inner_one.id FROM views.inner_one /* inner_one.x */ WHERE inner_one.id IS NOT NULL",
        "SELECT inner_one.id FROM views.inner_one GROUP BY inner_one.id HAVING count(inner_one.id) = 1",
        "SELECT CASE WHEN inner_one.id > 0 THEN inner_one.id END AS id FROM views.inner_one LIMIT 9",
        "SELECT a.id FROM views.inner_one a, views.inner_one b WHERE a.id = b.id",
        "SELECT count(*) + id - count(*) AS id FROM shop_parcel GROUP BY id",
        "\n\n   SELECT id\n\tFROM shop_parcel\n\n",
        "SELECT id, row_number() OVER (ORDER BY id) AS n FROM shop_parcel",
    ],
)
def test_sql_of_many_forms_is_synced_once(database, sql):
    declare("Inner", "SELECT id FROM shop_parcel", "inner_one")
    view = declare("One", sql, "one")
    assert ("create", "views.one") in done()
    assert [row[0] for row in database.rows(view)] == [1, 2, 3]
    assert done() == []
    (shown,) = get_statuses(["default"])
    assert {each.state for each in shown.views} == {State.SYNCED}
