"""A system check of ``ORM_VIEWS["SYNC_ROLE"]``, which asks the databases whether we may set it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import DatabaseError, InterfaceError, transaction

from orm_views_core.conf import get_settings, raw_setting_problems
from orm_views_core.documentation import page_address
from orm_views_core.engines.connections import get_connection, view_databases
from orm_views_core.engines.postgresql.roles import as_sync_role
from orm_views_core.exceptions import DatabaseUnavailableError, SyncFailedError, UnsupportedDatabaseError


@register(Tags.database, "orm_views")
def check_sync_role(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """orm_views_core.W017: the role that logs in cannot act as ``SYNC_ROLE``."""
    messages: list[CheckMessage] = []
    if raw_setting_problems() or get_settings().SYNC_ROLE is None:
        return messages
    for alias in [alias for alias in view_databases() if alias in (databases or ())]:
        try:
            connection = get_connection(alias)
            with transaction.atomic(using=alias), as_sync_role(connection):
                pass
        except SyncFailedError as error:
            hint = f"{page_address('explanation/security')} has the statements that create the roles."
            messages.append(checks.Warning(str(error), hint=hint, id="orm_views_core.W017"))
        except (DatabaseUnavailableError, UnsupportedDatabaseError, DatabaseError, InterfaceError):
            continue  # E002, or the command that needs the database, reports it.
    return messages
