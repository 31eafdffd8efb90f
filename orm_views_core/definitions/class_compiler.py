"""Compiles one view class into its definition, and checks its options."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import cast

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import REFRESH_EVERY_HINT, Settings, is_refresh_every, is_role_list
from orm_views_core.exceptions import InvalidViewDependencies, OrmViewsError, SkippedViewError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.quoting import because, unquoted
from orm_views_core.sentences import listed, says
from orm_views_core.spelling import Spelling, spelling_of
from orm_views_core.spelling.postgresql import POSTGRESQL
from orm_views_core.sql.lexer import strip_statement
from orm_views_core.views.base import BasePostgresView, ParameterisedSQL, PostgresMaterialisedViewMixin
from orm_views_core.views.engines import problem_of, why_skipped
from orm_views_core.views.identity import describe, invalid, kind_of, label_of, name_of
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.readable import column_comments, is_readable

from .build_settings import NOT_BUILT, combined, problems_of
from .definition import BuildSettings, ViewDefinition
from .indexes import compile_indexes
from .staff import Staff, staff_of
from .staff import problems_of as problems_of_staff
from .storage import compile_storage

#: The values of the options in ``WITH (...)``.
_WITH_OPTIONS: Mapping[str, tuple[object, ...]] = {
    "security_barrier": (True, False),
    "security_invoker": (True, False),
    "check_option": ("local", "cascaded"),
}


def compile_class(
    view: type[BasePostgresView],
    select: ParameterisedSQL,
    connection: BaseDatabaseWrapper,
    settings: Settings,
) -> ViewDefinition:
    """Compile one view class.

    Args:
        view: the class.
        select: its SELECT.
        connection: the view's database. Its driver writes parameters as literals.
        settings: the settings of the project.

    Raises:
        InvalidViewError: an option of the class is wrong. The message names the class, its file and line.
    """
    options = ViewOptions(view)
    name = name_of(view)
    spelling = spelling_of(connection) or POSTGRESQL
    can = spelling.abilities
    materialised = kind_of(view) is ViewKind.MATERIALISED_VIEW and can.materialised
    kind = ViewKind.MATERIALISED_VIEW if materialised else ViewKind.VIEW
    if materialised and options.updatable:
        problem = says(
            "it sets updatable, and PostgreSQL cannot update a materialised view. Remove one of them."
        )
        raise invalid(view, problem)
    return ViewDefinition(
        label=label_of(view),
        source=options.source,
        database=connection.alias,
        name=name,
        kind=kind,
        sql=statement_of(view, select, connection),
        columns=select.columns,
        comment=options.docstring,
        column_comments=column_comments(view),
        options=_with_options(options, connection, spelling),
        indexes=compile_indexes(options, name, connection) if can.materialised else (),
        with_data=bool(options.with_data),
        hidden=bool(options.hidden),
        grant_select_to=_roles(options, settings) if can.grants and not options.hidden else (),
        declared_dependencies=_dependencies(options),
        is_readable=is_readable(view),
        view=view,
        refresh_every=_refresh_every(options, settings) if can.materialised else None,
        build_settings=_build_settings(options, settings, kind) if can.materialised else (),
        not_personal=_columns(options, "not_personal"),
        exposes=_columns(options, "exposes"),
        staff=_staff(options),
    )


def _with_options(
    options: ViewOptions, connection: BaseDatabaseWrapper, spelling: Spelling
) -> tuple[tuple[str, str], ...]:
    compiled, can = [], spelling.abilities
    for option, allowed in _WITH_OPTIONS.items():
        value = getattr(options, option)
        if value is None:
            continue
        if value not in allowed:
            choices = listed(map(repr, allowed), " or ")
            raise invalid(
                options.view,
                says(
                    "its %(option)s is %(value)r. It can be %(choices)s.",
                    option=option,
                    value=value,
                    choices=choices,
                ),
            )
        if option not in can.options:
            if not can.refuses:
                continue
            raise invalid(
                options.view,
                says(
                    "it sets %(option)s, and %(engine)s has no such option. Remove it, or set engines on "
                    "the class.",
                    option=option,
                    engine=spelling.title,
                ),
            )
        if issubclass(options.view, PostgresMaterialisedViewMixin):
            problem = says(
                "it sets %(option)s, and only plain views have that option. Remove it.", option=option
            )
            raise invalid(options.view, problem)
        has_version = can.staging  # of PostgreSQL
        if option == "security_invoker" and has_version and connection.pg_version < 150000:  # type: ignore[attr-defined]
            problem = says(
                "it sets security_invoker, and database %(database)r is not PostgreSQL 15 yet.",
                database=connection.alias,
            )
            raise invalid(
                options.view, says("%(problem)s Remove it, or upgrade the server.", problem=problem)
            )
        compiled.append((option, value if isinstance(value, str) else str(value).lower()))
    storage = compile_storage(options).items() if can.materialised else ()
    return tuple(sorted([*compiled, *storage]))


def _roles(options: ViewOptions, settings: Settings) -> tuple[str, ...]:
    roles = options.grant_select_to
    if not is_role_list(roles):
        raise invalid(
            options.view, says("its grant_select_to is %(roles)r. Give a list of role names.", roles=roles)
        )
    return tuple(dict.fromkeys([*settings.GRANT_SELECT_TO, *roles]))


def _columns(options: ViewOptions, name: str) -> tuple[str, ...]:
    columns = getattr(options, name)
    if not is_role_list(columns):
        raise invalid(
            options.view,
            says(
                "its %(name)s is %(columns)r. Give a list of names of its columns.",
                name=name,
                columns=columns,
            ),
        )
    if name == "exposes" and (both := sorted({*columns} & {*options.not_personal})):
        problem = says("its columns %(names)s are in not_personal and in exposes.", names=listed(both))
        raise invalid(
            options.view,
            says(
                "%(problem)s A column that is not personal exposes nothing. Remove one of them.",
                problem=problem,
            ),
        )
    return tuple(columns)


def _staff(options: ViewOptions) -> Staff:
    for problem, hint in problems_of_staff(options.staff):
        raise invalid(options.view, says("%(problem)s %(hint)s", problem=problem, hint=hint))
    return staff_of(options.staff)


def _refresh_every(options: ViewOptions, settings: Settings) -> dt.timedelta | None:
    materialised = issubclass(options.view, PostgresMaterialisedViewMixin)
    value = options.refresh_every(settings.REFRESH_EVERY if materialised else None)
    if value is not None and not materialised:
        problem = says("it sets refresh_every, and only materialised views are refreshed. Remove it.")
        raise invalid(options.view, problem)
    if not is_refresh_every(value):
        raise invalid(
            options.view,
            says(
                "its refresh_every is %(value)r. %(hint)s",
                value=value,
                hint=REFRESH_EVERY_HINT,
            ),
        )
    return cast("dt.timedelta | None", value)


def build_settings_of(view: type[BasePostgresView], settings: Settings) -> BuildSettings:
    """Return the settings of PostgreSQL for builds and refreshes of a materialised view.

    Raises:
        InvalidViewError: one of them is wrong.
    """
    own = ViewOptions(view).build_settings
    for problem, hint in problems_of(own):
        raise invalid(view, says("%(problem)s %(hint)s", problem=problem, hint=hint))
    return combined(own, settings)


def _build_settings(options: ViewOptions, settings: Settings, kind: ViewKind) -> BuildSettings:
    if kind is ViewKind.MATERIALISED_VIEW:
        return build_settings_of(options.view, settings)
    if options.build_settings:
        raise invalid(options.view, says("%(problem)s Remove it.", problem=NOT_BUILT))
    return ()


def _dependencies(options: ViewOptions) -> tuple[ViewName, ...]:
    names = []
    for other in options.view_dependencies:
        if not (isinstance(other, type) and issubclass(other, BasePostgresView)):
            raise InvalidViewDependencies(
                says(
                    "%(view)s: its view_dependencies have %(other)r, which is not a view class.",
                    view=describe(options.view),
                    other=other,
                )
            )
        database = ViewOptions(other).database
        if database != options.database:
            raise InvalidViewDependencies(
                says(
                    "%(view)s is in database %(database)r, but depends on %(other)s, which is in "
                    "%(elsewhere)r. A view reads one database only.",
                    view=describe(options.view),
                    database=options.database,
                    other=describe(other),
                    elsewhere=database,
                )
            )
        if why := why_skipped(other, database):
            raise InvalidViewDependencies(
                says(
                    "%(view)s depends on %(other)s, which is skipped. %(why)s Take it out of "
                    "view_dependencies, or set the same engines here.",
                    view=describe(options.view),
                    other=describe(other),
                    why=why,
                )
            )
        names.append(name_of(other))
    return tuple(names)


def select_of(view: type[BasePostgresView]) -> ParameterisedSQL:
    """Return the SELECT of a view class and its parameters.

    Raises:
        InvalidViewError: the class has no SELECT, or creating it fails; or its engines are wrong.
    """
    if view._view_may_be_limited and (problem := problem_of(view)):
        raise invalid(view, says("%(problem)s %(hint)s", problem=problem.what, hint=problem.hint))
    try:
        select = view._parameterised_sql
    except SkippedViewError as error:
        raise invalid(view, says("it reads a view that is skipped: %(why)s", why=error.message)) from error
    except OrmViewsError:
        raise
    except NotImplementedError as error:
        neither = says(
            "it has neither sql nor get_queryset(). Write one, or pass should_register=False to a base."
        )
        raise invalid(view, unquoted(neither)) from error
    except EmptyResultSet as error:
        never = says("its queryset never returns a row, as .none() or filter(id__in=[]), so it has no SQL.")
        raise invalid(view, unquoted(never)) from error
    except Exception as error:
        raise invalid(view, because(says("its SQL cannot be created"), error)) from error
    if not isinstance(select.sql, str):
        raise invalid(view, says("its sql is %(sql)r, not a string.", sql=select.sql))
    return select


def statement_of(
    view: type[BasePostgresView], select: ParameterisedSQL, connection: BaseDatabaseWrapper
) -> str:
    """Return the SELECT of a view class with its parameters as literals.

    Raises:
        InvalidViewError: the SELECT is empty or more than one statement, or creating it fails.
    """
    spelling = spelling_of(connection) or POSTGRESQL
    try:
        sql = spelling.literal(connection, select.sql, select.params)
    except Exception as error:
        raise invalid(view, because(says("its SQL cannot be created"), error)) from error
    statement, another_follows = strip_statement(sql, spelling.rules)
    if not statement:
        raise invalid(view, says("its sql is empty. Write the view's SELECT."))
    if another_follows:
        raise invalid(
            view, says("its sql has more than one statement. Remove what follows the first semicolon.")
        )
    return statement
