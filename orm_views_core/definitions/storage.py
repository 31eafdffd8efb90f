"""Compiles how a materialised view is stored: its tablespaces and its storage parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from django.conf import settings

from orm_views_core.names import MAX_IDENTIFIER_BYTES
from orm_views_core.sentences import says
from orm_views_core.views.base import PostgresMaterialisedViewMixin
from orm_views_core.views.identity import invalid
from orm_views_core.views.options import ViewOptions

from .definition import TABLESPACE

_NAME = re.compile(r"[a-z_]+")
_VALUE = re.compile(r"[A-Za-z0-9_.+-]+")


class Tablespaces(NamedTuple):
    """The tablespaces of a view and of its indexes; "" for that of the database."""

    view: str
    indexes: str


def tablespaces_of(options: ViewOptions) -> Tablespaces:
    """Return the tablespaces of a class. Django's settings have the defaults.

    Raises:
        InvalidViewError: one of them is no name, or the view is not stored.
    """
    for attribute in ("db_tablespace", "index_tablespace"):
        value = getattr(options, attribute)
        if value is None:
            continue
        _refuse_plain(options, attribute)
        if not isinstance(value, str) or not 0 < len(value.encode()) <= MAX_IDENTIFIER_BYTES or "\0" in value:
            raise invalid(
                options.view,
                says(
                    "its %(attribute)s is %(value)r. Give it the name of a tablespace.",
                    attribute=attribute,
                    value=value,
                ),
            )
    if not issubclass(options.view, PostgresMaterialisedViewMixin):
        return Tablespaces("", "")
    view = options.db_tablespace or settings.DEFAULT_TABLESPACE
    return Tablespaces(view, options.index_tablespace or settings.DEFAULT_INDEX_TABLESPACE or view)


def compile_storage(options: ViewOptions) -> dict[str, str]:
    """Return the storage parameters and the tablespace of a view, as PostgreSQL stores them.

    Raises:
        InvalidViewError: one of them is wrong, or the view is not stored.
    """
    parameters: object = options.storage_parameters
    if parameters:
        _refuse_plain(options, "storage_parameters")
    if not isinstance(parameters, Mapping):
        problem = says(
            "its storage_parameters is %(parameters)r, not a dict. Write {'fillfactor': 70}.",
            parameters=parameters,
        )
        raise invalid(options.view, problem)
    compiled = {}
    for name, value in parameters.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name == TABLESPACE:
            hint = says(
                "Write names as PostgreSQL has them, such as 'fillfactor'. Those of TOAST are set by hand."
            )
            raise invalid(
                options.view, says("its storage_parameters has %(name)r. %(hint)s", name=name, hint=hint)
            )
        spelt = str(value).lower() if isinstance(value, bool) else str(value)
        if not isinstance(value, (bool, int, float, str)) or not _VALUE.fullmatch(spelt):
            hint = says("Give a number, True, False or a word.")
            raise invalid(
                options.view,
                says(
                    "its storage_parameters has %(name)r: %(value)r. %(hint)s",
                    name=name,
                    value=value,
                    hint=hint,
                ),
            )
        compiled[name] = spelt
    tablespace = tablespaces_of(options).view
    return {**compiled, TABLESPACE: tablespace} if tablespace else compiled


def _refuse_plain(options: ViewOptions, attribute: str) -> None:
    if not issubclass(options.view, PostgresMaterialisedViewMixin):
        raise invalid(
            options.view,
            says(
                "it sets %(attribute)s, and only materialised views are stored. Remove it.",
                attribute=attribute,
            ),
        )
