"""A model without a table, for the permissions and the entry in the admin's index."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy


class NoRows(models.Manager["RegisteredView"]):
    """A manager without rows: code that reads all models, such as ``dumpdata``, must not need a table."""

    def get_queryset(self) -> models.QuerySet[RegisteredView]:
        return super().get_queryset().none()


class RegisteredView(models.Model):
    """The views of all databases. It has permissions and an entry in the admin's index, but no table."""

    objects = NoRows()

    class Meta:
        base_manager_name = "objects"
        managed = False
        default_permissions = ("view",)
        permissions = (
            ("preview_registeredview", "Can see rows of views"),
            ("preview_hidden_registeredview", "Can see rows of hidden views"),
            ("view_personal_registeredview", "Can see personal data in rows of views"),
            ("export_registeredview", "Can export rows of views"),
            ("refresh_registeredview", "Can refresh materialised views"),
            ("cancel_registeredview", "Can cancel refreshes and syncs"),
            ("sync_registeredview", "Can sync views"),
        )
        verbose_name = pgettext_lazy("in a database", "view")
        verbose_name_plural = pgettext_lazy("in a database", "views")
