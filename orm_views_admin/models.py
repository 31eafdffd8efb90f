"""The one table of this app, ``Run``; and a model without a table, which carries the permissions."""

from __future__ import annotations

import statistics
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.status import read_sync_states

#: So many of the last runs say how long the next one will take.
_USUAL = 10


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


class Run(models.Model):
    """A refresh of one view or a sync of one database, by whomever it was started.

    ``recording.py`` writes what core's signals say into it; ``runs.py`` creates those that staff start.
    """

    class Kind(models.TextChoices):
        """What is done."""

        REFRESH = "refresh", _("refresh")
        SYNC = "sync", _("sync")

    class State(models.TextChoices):
        """How it stands. A run that is lost had nobody any more who could have said how it ended."""

        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        SUCCEEDED = "succeeded", _("succeeded")
        JOINED = "joined", _("joined")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("skipped")
        CANCELLED = "cancelled", _("cancelled")
        LOST = "lost", _("lost")

    class Origin(models.TextChoices):
        """From where it was started."""

        ADMIN = "admin", _("admin")
        COMMAND = "command", _("command line")
        TASK = "task", _("task")
        CODE = "code", _("code")

    ACTIVE: ClassVar = (State.QUEUED, State.RUNNING)

    request = models.UUIDField(
        _("request"), db_index=True, help_text=_("What was asked for at once; several runs may share it.")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    database = models.CharField(_("database"), max_length=255)
    schema = models.CharField(_("schema"), max_length=63, blank=True)
    name = models.CharField(_("name"), max_length=63, blank=True, help_text=_("Empty for a sync."))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    origin = models.CharField(_("origin"), max_length=10, choices=Origin, default=Origin.CODE)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    who = models.CharField(
        _("who"),
        max_length=255,
        blank=True,
        help_text=_("The user's name, or that of the system's user who ran a command."),
    )
    options = models.JSONField(
        _("options"),
        default=dict,
        blank=True,
        help_text=_("What was asked for besides, as whoever carries it out needs it."),
    )
    concurrently = models.BooleanField(_("concurrently"), null=True, blank=True)
    why_not = models.TextField(_("why not concurrently"), blank=True)
    queued_at = models.DateTimeField(_("queued at"), default=timezone.now)
    claimed_at = models.DateTimeField(
        _("claimed at"),
        null=True,
        blank=True,
        help_text=_("When a process took it. It is queued until those before it are done."),
    )
    started_at = models.DateTimeField(
        _("started at"), null=True, blank=True, help_text=_("By the clock of the view's database.")
    )
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    seconds = models.FloatField(_("seconds"), null=True, blank=True)
    waited = models.FloatField(
        _("waited"), null=True, blank=True, help_text=_("Seconds of waiting for locks.")
    )
    rows_before = models.BigIntegerField(_("rows before"), null=True, blank=True)
    rows_after = models.BigIntegerField(_("rows after"), null=True, blank=True)
    rows_exact = models.BooleanField(_("rows are exact"), default=False)
    size_before = models.BigIntegerField(_("size before"), null=True, blank=True)
    size_after = models.BigIntegerField(_("size after"), null=True, blank=True)
    pid = models.IntegerField(_("backend"), null=True, blank=True)
    backend_start = models.DateTimeField(
        _("start of the backend"), null=True, blank=True, help_text=_("A pid alone is used again.")
    )
    waiting_for = models.TextField(_("waiting for"), blank=True)
    steps = models.JSONField(
        _("steps"),
        default=list,
        blank=True,
        help_text=_("Of a sync: a list of objects with text, state and seconds."),
    )
    summary = models.TextField(_("summary"), blank=True)
    error = models.TextField(_("error"), blank=True)
    cancelled_by = models.CharField(_("cancelled by"), max_length=255, blank=True)

    class Meta:
        default_permissions = ()  # those of RegisteredView say who may do what
        ordering = ("-queued_at", "-id")
        indexes = (
            models.Index(fields=("database", "schema", "name", "queued_at"), name="orm_views_run_view"),
            models.Index(fields=("state",), name="orm_views_run_state"),
            models.Index(fields=("queued_at",), name="orm_views_run_queued"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("database", "schema", "name", "kind"),
                condition=models.Q(state__in=("queued", "running")),
                name="orm_views_admin_one_active_run",
            ),
        )
        verbose_name = _("run")
        verbose_name_plural = _("runs")

    @property
    def is_active(self) -> bool:
        """Whether it has not come to an end."""
        return self.state in self.ACTIVE

    @property
    def view_name(self) -> ViewName | None:
        """The view that it refreshes; None for a sync."""
        return ViewName(self.schema, self.name) if self.name else None

    @property
    def usual_seconds(self) -> float | None:
        """How long such a run takes: the median of the last ten, else what the view's sync state says.

        None when that is unknown, also because the database does not answer.
        """
        alike = Run.objects.filter(
            database=self.database,
            schema=self.schema,
            name=self.name,
            kind=self.kind,
            state=self.State.SUCCEEDED,
            seconds__isnull=False,
        )
        if taken := list(alike.values_list("seconds", flat=True)[:_USUAL]):
            return statistics.median(seconds for seconds in taken if seconds is not None)
        if (name := self.view_name) is None:
            return None
        try:
            state = read_sync_states(self.database, [name]).get(name)
        except OrmViewsError:
            return None
        return state.seconds if state else None
