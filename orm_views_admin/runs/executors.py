"""Executors: what performs the requests of staff.

An executor is a function that takes the id of a request as text. It has ``perform`` called with that id, and
returns before the request is performed, if it can.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.module_loading import import_string

from orm_views_admin.conf import executor_name, has_task_worker
from orm_views_core.engines.connections import leave_pools

from .performer import perform

Executor = Callable[[str], object]


def perform_inline(request: str) -> None:
    """Perform a request at once: the caller waits."""
    perform(uuid.UUID(request))


def perform_in_thread(request: str) -> None:
    """Perform a request in a thread of this process, on connections of the thread's own.

    The interpreter waits for these threads when it ends. Under uWSGI they need ``enable-threads``.
    """
    threading.Thread(target=_perform_and_close, args=[request], name=f"orm-views {request}").start()


def _perform_and_close(request: str) -> None:
    leave_pools()
    try:
        perform_inline(request)
    finally:
        connections.close_all()


def enqueue_task(request: str) -> None:
    """Enqueue a task of ``django.tasks``, or of the ``django-tasks`` package before Django 6.0."""
    # By its path, as workers find it: a task is checked against the setting TASKS when it is imported.
    import_string("orm_views_admin.tasks.perform_request").enqueue(request)


_EXECUTORS = {"inline": perform_inline, "thread": perform_in_thread, "task": enqueue_task}


def get_executor() -> Executor:
    """Return the executor that ``ORM_VIEWS_ADMIN["EXECUTOR"]`` names.

    Raises:
        ImproperlyConfigured: when that executor does not exist.
    """
    name = executor_name()
    given = f"ORM_VIEWS_ADMIN['EXECUTOR'] is {name!r}"
    if name == "task" and not has_task_worker():
        raise ImproperlyConfigured(f"{given}, and TASKS has no default backend that hands tasks to a worker.")
    if name in _EXECUTORS:
        return _EXECUTORS[name]
    try:
        executor: object = import_string(name)
    except ImportError as error:
        raise ImproperlyConfigured(f"{given}, which cannot be imported: {error}") from error
    if not callable(executor):
        raise ImproperlyConfigured(f"{given}, which cannot be called.")
    return executor
