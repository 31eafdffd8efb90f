"""The task that a worker of ``django.tasks`` carries out; before Django 6.0, of the ``django-tasks`` package.

Only the executor and workers import this: a task is checked against ``TASKS`` when it is defined.
"""

from __future__ import annotations

import uuid

try:
    from django.tasks import task
except ModuleNotFoundError:
    from django_tasks import task  # type: ignore[import-not-found, no-redef, unused-ignore]

from .runs import perform


@task()
def perform_request(request: str) -> None:
    """Carry out a request, if nobody has."""
    perform(uuid.UUID(request))
