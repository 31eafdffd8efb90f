"""A model without a table: it carries the entry in the admin's index, and the permissions."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class NoRows(models.Manager["RegisteredView"]):
    """Asks for no rows, so that whatever goes through all models, as ``dumpdata`` does, can do so."""

    def get_queryset(self) -> models.QuerySet[RegisteredView]:
        return super().get_queryset().none()


class RegisteredView(models.Model):
    """Stands for the views of all databases."""

    objects = NoRows()

    class Meta:
        base_manager_name = "objects"
        managed = False
        default_permissions = ("view",)
        permissions = (
            ("preview_registeredview", "Can see rows of views"),
            ("export_registeredview", "Can export rows of views"),
            ("refresh_registeredview", "Can refresh materialised views"),
            ("cancel_registeredview", "Can cancel refreshes and syncs"),
            ("sync_registeredview", "Can sync views"),
        )
        verbose_name = _("view")
        verbose_name_plural = _("views")
