"""The pages where psycopg 3 prepares what it sends."""

import pytest
from django.db.backends.postgresql.psycopg_any import is_psycopg3
from django.test import Client

from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin
from tests.core.engines.test_batches import PREPARING, declare


@pytest.mark.skipif(not is_psycopg3, reason="psycopg2 binds on the client")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_the_pages_answer_where_statements_are_prepared(misdirect, admin_client: Client):
    misdirect("default", {"OPTIONS": PREPARING})
    for column in ("1", "2::bigint", "'x'::text"):
        declare("A", f"SELECT {column} AS id, 'x' AS title")
        declare("M", "SELECT id, title FROM views.a", PostgresMaterialisedViewMixin, pk_field="id")
        sync_views()
        for name in ("a", "m"):
            for page in ("", "preview/", "count/"):
                address = f"/admin/orm-views/view/default/views/{name}/{page}"
                assert admin_client.get(address).status_code == 200, address
    for page in ("", "sync/", "refresh/", "runs/"):
        assert admin_client.get(f"/admin/orm-views/{page}").status_code == 200
