"""The example of docs/explanation/runs.md, with a broker in memory."""

from __future__ import annotations

import uuid

from celery import Celery
from django.db import connections

from orm_views_admin.runs import perform

app = Celery("tests", broker="memory://", backend="cache+memory://")
app.conf.broker_connection_retry_on_startup = True


@app.task
def perform_request(request: str) -> None:
    try:
        perform(uuid.UUID(request))
    finally:
        connections.close_all()


def submit(request: str) -> None:
    perform_request.delay(request)
