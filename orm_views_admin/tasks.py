"""The task of ``django.tasks`` that performs a request; of the ``django-tasks`` package before Django 6.0.

Only the executor and workers import this module: a task is checked against ``TASKS`` when it is defined.
"""

from __future__ import annotations

import uuid

try:
    from django.tasks import task
except ModuleNotFoundError:
    from django_tasks import task  # type: ignore[import-not-found, no-redef, unused-ignore]

from .runs.performer import perform


@task()
def perform_request(request: str) -> None:
    """Perform a request, unless another process has taken it.

    Queued tasks name this function by its dotted path, so the path must not change.
    """
    perform(uuid.UUID(request))
