"""The function of a project that may forbid more: ``ORM_VIEWS_ADMIN["PERMISSION"]``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from orm_views_admin.conf import get_settings

_KEY = "ORM_VIEWS_ADMIN['PERMISSION']"


class RightsError(ImproperlyConfigured):
    """It cannot be decided who may do what: the function of ``ORM_VIEWS_ADMIN["PERMISSION"]`` is wrong."""


@dataclass(frozen=True)
class ViewInfo:
    """The view that a function is asked about.

    Attributes:
        database: the alias of its database.
        schema: its schema.
        name: its name.
        label: the label of its class, such as ``shop.MonthlySales``; "" if no class declares it.
        view_class: the class; None if no class declares it, as for a view that was dropped.
    """

    database: str
    schema: str
    name: str
    label: str = ""
    view_class: type | None = None

    @property
    def app(self) -> str:
        """The label of the app that declares it; "" if no class does."""
        return self.label.rpartition(".")[0]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


Function = Callable[[Any, str, ViewInfo], bool]


def find_function() -> Function | None:
    """Return the function of the settings; None if there is none.

    Raises:
        RightsError: if it cannot be imported or called.
        ImproperlyConfigured: if the setting has a mistake.
    """
    path = get_settings().PERMISSION
    if path is None:
        return None
    try:
        function = import_string(path)
    except Exception as error:
        raise RightsError(f"{_KEY} is {path!r}, which cannot be imported: {error}") from error
    if not callable(function):
        raise RightsError(f"{_KEY} is {path!r}, which is {function!r} and cannot be called.")
    return function  # type: ignore[no-any-return]


def ask(function: Function, user: Any, action: str, view: ViewInfo) -> bool:
    """Return the answer of a function.

    Raises:
        RightsError: if it fails, or answers neither True nor False.
    """
    asked = f"{_KEY} was asked for the action {action!r} on {view}"
    try:
        answer = function(user, action, view)
    except Exception as error:
        raise RightsError(f"{asked}, and raised {type(error).__name__}: {error}") from error
    if not isinstance(answer, bool):
        raise RightsError(f"{asked}, and returned {answer!r}. It must return True or False.")
    return answer
