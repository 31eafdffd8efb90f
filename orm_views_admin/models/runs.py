"""A refresh of a view, a sync of a database, or an export of rows; and the steps of a sync."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, NamedTuple, TypedDict

from django.conf import settings
from django.db import connections, models, router
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orm_views_core.engines.short_transactions import in_short_transaction
from orm_views_core.names import ViewName

from .telling import Telling, beside_others, made_of


class StepState(models.TextChoices):
    """The state of a step of a sync.

    BUILT: the new version of a view is built and waits for the swap.
    UNDONE: the step was carried out and then rolled back.
    """

    PENDING = "pending", _("pending")
    RUNNING = "running", _("running")
    BUILT = "built", _("built")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    UNDONE = "undone", _("undone")


class RunStep(TypedDict, total=False):
    """A step of a sync, as a run stores it.

    Attributes:
        text: what the step does, in English.
        action: the value of its ``Action``; runs of earlier releases have none.
        target: what it changes; likewise.
        state: a :class:`StepState`.
        seconds: the duration of the step before the swap; None when it is unknown.
    """

    text: str
    action: str
    target: str
    state: str
    seconds: float | None


class Target(NamedTuple):
    """What a run refreshes or syncs: a view, or a database when ``schema`` and ``name`` are empty."""

    database: str
    schema: str = ""
    name: str = ""


class RunQuerySet(models.QuerySet["Run"]):
    """Runs, whose updates do not fail when other sessions update runs too."""

    def without_exports(self) -> RunQuerySet:
        """Return the refreshes and syncs."""
        return self.exclude(kind=Run.Kind.EXPORT)

    def update(self, **facts: Any) -> int:
        """Update the runs; outside of a transaction of the caller, in a short one."""
        if found := made_of(facts):
            facts = {name: str(fact) if name in found else fact for name, fact in facts.items()}
            facts["sentences"] = beside_others(found, router.db_for_write(Run))
        work = partial(super().update, **facts)
        self._for_write = True
        return work() if connections[self.db].in_atomic_block else in_short_transaction(self.db, work)

    update.alters_data = True  # type: ignore[attr-defined]  # templates must not call it


class Run(Telling):
    """A refresh of one view or a sync of one database, from any origin; or an export of rows of one view.

    ``runs/queue.py`` creates the runs that staff start, and ``runs/recorder.py`` all others.

    Attributes:
        request: a UUID: what was asked for at once; several runs may share it.
        kind: a :class:`Run.Kind`.
        database: the alias.
        schema: the schema of the view; "" for a sync.
        name: the name of the view; "" for a sync.
        state: a :class:`Run.State`.
        origin: a :class:`Run.Origin`.
        user: the user of Django's who started it; None for none, or one who has been deleted.
        who: the user's name, or that of the system's user who ran a command.
        options: what was asked for besides.
        concurrently: whether readers could go on reading; None when that is not known.
        why_not: why they could not, in words.
        queued_at: when it was asked for.
        claimed_at: when a process took it; None before.
        started_at: the time as of which the rows are, by the clock of the view's database; None before.
        finished_at: when it ended; None before.
        seconds: how many seconds it took; None before its end.
        waited: how many of them were spent waiting for locks.
        rows_before: the estimated number of rows before; None when unknown.
        rows_after: the number of rows after; None when unknown.
        rows_exact: whether ``rows_after`` is exact.
        size_before: the size on disk in bytes before, with indexes; None when unknown.
        size_after: the same after.
        pid: the process id of the backend that works; None when there is none.
        backend_start: when that backend was started: a process id alone is used again.
        waiting_for: what it waits for, in words; "" for nothing.
        steps: of a sync: a list of objects with the text, the state and the seconds of each step.
        summary: what it did, in words.
        error: why it failed. It may quote rows: only those who may see rows may see it.
        error_summary: the error without what may quote rows.
        cancelled_by: who cancelled it; "" when nobody did.
        file: of an export: the name of its file in the storage; "" once it is deleted.
        sentences: what the texts of the run are made of, to be translated.
    """

    class Kind(models.TextChoices):
        """What the run does.

        Attributes:
            REFRESH: it refreshes a view.
            SYNC: it syncs a database.
            EXPORT: it writes rows of a view into a file.
        """

        REFRESH = "refresh", _("refresh")
        SYNC = "sync", _("sync")
        EXPORT = "export", _("export")

    class State(models.TextChoices):
        """The state of a run.

        Attributes:
            QUEUED: it waits for an executor, or for the runs before it.
            RUNNING: it is being carried out.
            SUCCEEDED: it has done what was asked for.
            JOINED: another session was refreshing the view already, and has given it new rows.
            FAILED: it has not done what was asked for. A sync that is all or nothing has changed nothing.
            SKIPPED: it was not begun, because a view that it reads failed.
            CANCELLED: somebody cancelled it.
            LOST: no process is left that could record how it ended.
        """

        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        SUCCEEDED = "succeeded", _("succeeded")
        JOINED = "joined", _("joined")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("skipped")
        CANCELLED = "cancelled", _("cancelled")
        LOST = "lost", _("lost")

    class Origin(models.TextChoices):
        """Where the run was started.

        Attributes:
            ADMIN: on a page of the admin.
            COMMAND: by a command.
            TASK: by a task or another worker.
            CODE: by code of the project.
        """

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
    error = models.TextField(
        _("error"), blank=True, help_text=_("It may quote rows: only those who may see rows may see it.")
    )
    error_summary = models.TextField(
        _("summary of the error"),
        blank=True,
        default="",
        db_default="",  # so that processes of the release before can write runs, too
        help_text=_("The error without what may quote rows."),
    )
    cancelled_by = models.CharField(_("cancelled by"), max_length=255, blank=True)
    file = models.CharField(
        _("file"),
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text=_("Of an export: the name of its file in the storage; empty once it is deleted."),
    )

    objects = RunQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # the permissions of RegisteredView apply
        ordering = ("-queued_at", "-id")
        indexes = (
            models.Index(fields=("database", "schema", "name", "queued_at"), name="orm_views_run_view"),
            models.Index(fields=("state",), name="orm_views_run_state"),
            models.Index(fields=("queued_at",), name="orm_views_run_queued"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("database", "schema", "name", "kind"),
                condition=models.Q(state__in=("queued", "running")) & ~models.Q(kind="export"),
                name="orm_views_admin_one_active_run",
            ),
        )
        verbose_name = _("run")
        verbose_name_plural = _("runs")

    @property
    def is_active(self) -> bool:
        """Whether the run has not ended."""
        return self.state in self.ACTIVE

    @property
    def target(self) -> Target:
        """The view that the run refreshes, or the database that it syncs."""
        return Target(self.database, self.schema, self.name)

    @property
    def view_name(self) -> ViewName | None:
        """The view that the run refreshes; None for a sync."""
        return ViewName(self.schema, self.name) if self.name else None

    def as_claimed(self) -> models.QuerySet[Run]:
        """Return a query set of this run, which is empty when another process has taken the run since."""
        return Run.objects.filter(pk=self.pk, claimed_at=self.claimed_at)

    def begin(self) -> bool:
        """Mark the run as running; return False when it was cancelled or another process has taken it."""
        wanted = self.as_claimed().filter(state__in=self.ACTIVE, cancelled_by="")
        return bool(wanted.update(state=self.State.RUNNING))

    def insert(self) -> None:
        """Save a new run.

        Raises:
            django.db.IntegrityError: when its target has an active run. A transaction of the caller goes on.
        """
        in_short_transaction(router.db_for_write(Run), partial(self.save, force_insert=True))
