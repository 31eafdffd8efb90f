"""What the list costs: a fixed number of queries, and no work that grows with what is not shown."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised

pytestmark = pytest.mark.django_db(databases=["default", "warehouse"])


def count_queries(browse):
    """Load the list, and return how many queries it sent to each database."""
    with ExitStack() as stack:
        captured = {
            alias: stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections
        }
        html = browse.get(LIST)
    return html, {alias: len(context) for alias, context in captured.items()}


def declare_many(number):
    for n in range(number):
        database = "warehouse" if n % 3 == 0 else "default"
        make = declare_materialised if n % 50 == 0 else declare
        make(f"View{n:04}", f"SELECT {n} AS n, name FROM (VALUES ('x')) AS v (name)", database=database)
    sync_views()


def test_the_list_takes_as_many_queries_for_1000_views_as_for_10(browse):
    declare_many(10)
    browse.get(LIST)  # sessions and content types are cached from here on
    html, few = count_queries(browse)
    assert "None of the 10 views needs attention." in html
    declare_many(1000)
    began = time.perf_counter()
    html, many = count_queries(browse)
    seconds = time.perf_counter() - began
    assert "None of the 1,000 views needs attention." in html
    assert many == few
    assert set(few) == {"default", "warehouse"}
    # Far above what it takes, far below what formatting every view's SQL would.
    assert seconds < 5
