"""Who carries out what staff start: a thread, this request, a worker of django.tasks, or a callable."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.module_loading import import_string

from orm_views_admin.conf import EXECUTORS, get_settings

#: Of a process's own: what it has not begun by then, it never will.
_SOON = dt.timedelta(minutes=10)
#: Of workers: they may be busy, or be away for the night.
_A_DAY = dt.timedelta(days=1)


class Executor(Protocol):
    """Takes requests and sees to it that ``runs.perform`` is called with each.

    Attributes:
        patience: how long a request may be in the queue before it is taken for lost.
    """

    patience: dt.timedelta

    def submit(self, request: uuid.UUID) -> None:
        """Take a request; return before it is carried out, if that can be."""


class InlineExecutor:
    """Carries a request out at once: whoever started it waits."""

    patience = _SOON

    def submit(self, request: uuid.UUID) -> None:
        """Carry a request out."""
        from .performer import perform  # it starts runs, and so imports this module

        perform(request)


class ThreadExecutor:
    """Carries each request out in a thread of this process, on connections of its own.

    The interpreter waits for these threads when it ends. Under uWSGI they need ``enable-threads``.
    """

    patience = _SOON

    def submit(self, request: uuid.UUID) -> None:
        """Start a thread."""
        threading.Thread(target=_perform_and_close, args=[request], name=f"orm-views {request}").start()


def _perform_and_close(request: uuid.UUID) -> None:
    from .performer import perform

    try:
        perform(request)
    finally:
        connections.close_all()


class TaskExecutor:
    """Enqueues a task of ``django.tasks``, or of the ``django-tasks`` package before Django 6.0."""

    patience = _A_DAY

    def submit(self, request: uuid.UUID) -> None:
        """Enqueue a task."""
        from orm_views_admin.tasks import (
            perform_request,  # a task looks at its backend's settings when it is defined
        )

        perform_request.enqueue(str(request))


class CallableExecutor:
    """Calls a function of the project's own with the request's id."""

    patience = _A_DAY

    def __init__(self, submit: Callable[[str], Any]) -> None:
        self._submit = submit

    def submit(self, request: uuid.UUID) -> None:
        """Call the function with the id as a string."""
        self._submit(str(request))


def get_executor() -> Executor:
    """Return the executor that ``ORM_VIEWS_ADMIN["EXECUTOR"]`` names.

    Raises:
        ImproperlyConfigured: when there is none of that name.
    """
    name = get_settings().EXECUTOR
    if name == "inline":
        return InlineExecutor()
    if name == "thread" or (name == "auto" and not has_real_tasks()):
        return ThreadExecutor()
    if name in EXECUTORS:
        if not has_real_tasks():
            raise ImproperlyConfigured(NO_TASKS)
        return TaskExecutor()
    try:
        submit = import_string(name)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"ORM_VIEWS_ADMIN['EXECUTOR'] is {name!r}, which cannot be imported: {error}"
        ) from error
    if not callable(submit):
        raise ImproperlyConfigured(f"ORM_VIEWS_ADMIN['EXECUTOR'] is {name!r}, which cannot be called.")
    return CallableExecutor(submit)


NO_TASKS = (
    "ORM_VIEWS_ADMIN['EXECUTOR'] is 'task', and TASKS has no default backend that hands tasks to a worker."
)


def has_real_tasks() -> bool:
    """Say whether the default backend of ``django.tasks`` hands tasks to somebody else.

    The immediate backend, Django's default, does them at once; the dummy one, never.
    """
    for package in ("django.tasks", "django_tasks"):
        try:
            tasks = import_module(package)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise
            continue
        if "default" not in tasks.task_backends.settings:
            return False
        backend = tasks.task_backends["default"]
        unreal = tuple(
            import_string(f"{package}.backends.{path}")
            for path in ("immediate.ImmediateBackend", "dummy.DummyBackend")
        )
        return not isinstance(backend, unreal)
    return False
