"""A change that a sync made to a view: what was found, and what the sync left."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypedDict

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orm_views_core.database.relations import Grant
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, from_json

from .runs import Run
from .telling import Telling, made_of


class Facts(TypedDict, total=False):
    """What a view has besides its definition. A key that is left out is not known.

    Attributes:
        kind: the value of its ``ViewKind``.
        owner: the role that owns it.
        comment: its comment without the sync state.
        columns: the name and the type of each column, in their order.
        column_comments: the comments of columns, by the name of the column.
        options: its options, by name.
        indexes: the definition of each index, by name.
        grants: the privileges of each role, by role; those that it may pass on have ``*`` behind them.
    """

    kind: str
    owner: str
    comment: str
    columns: list[list[str]]
    column_comments: dict[str, str]
    options: dict[str, str]
    indexes: dict[str, str]
    grants: dict[str, list[str]]


#: The digest of a definition of which PostgreSQL's text is not known.
UNKNOWN = "?"


def digest_of(definition: str | None) -> str:
    """Return what tells a definition from others. There is one for "", which stands for no view."""
    return UNKNOWN if definition is None else hashlib.sha256(definition.encode()).hexdigest()[:32]


def privileges_by_role(grants: Iterable[Grant]) -> dict[str, list[str]]:
    """Return the privileges of each role as :class:`Facts` has them, in the order of the roles."""
    privileges: defaultdict[str, list[str]] = defaultdict(list)
    for grant in sorted(grants, key=lambda grant: (grant.role, grant.privilege)):
        privileges[grant.role].append(f"{grant.privilege} *" if grant.grantable else grant.privilege)
    return {**privileges}


class ViewChangeQuerySet(models.QuerySet["ViewChange"]):
    """Changes of views."""

    def of(self, database: str, name: ViewName) -> ViewChangeQuerySet:
        """Return the changes of one view."""
        return self.filter(database=database, schema=name.schema, name=name.name)

    def before(self, change: ViewChange | None) -> ViewChangeQuerySet:
        """Return the older changes of the view of a change, or of an outer query, the newest first."""
        return self._beside(change, "lt").order_by("-at", "-pk")

    def after(self, change: ViewChange) -> ViewChangeQuerySet:
        """Return the newer changes of the view of a change, the oldest first."""
        return self._beside(change, "gt").order_by("at", "pk")

    def _beside(self, change: ViewChange | None, side: str) -> ViewChangeQuerySet:
        def fact(name: str) -> Any:
            return models.OuterRef(name) if change is None else getattr(change, name)

        same = self.filter(**{name: fact(name) for name in ("database", "schema", "name")})
        at_once = models.Q(at=fact("at"), **{f"pk__{side}": fact("pk")})
        return same.filter(models.Q(**{f"at__{side}": fact("at")}) | at_once)

    def in_list(self) -> ViewChangeQuerySet:
        """Return the changes without long texts, each with the digest of what the one before it left."""
        left = ViewChange.objects.before(None).exclude(after_digest="").values("after_digest")[:1]
        long = ("before", "after", "facts_before", "facts_after", "lost", "sql")
        return self.defer(*long).annotate(left_before=models.Subquery(left))


class ViewChange(Telling):
    """What one sync did to one view, as ``runs/changes.py`` records it after the commit.

    It is a version of the view. The changes of a view are kept when their runs are deleted, and when the view
    is dropped.
    """

    class Found(models.TextChoices):
        """How a sync found a view; "" if its sync state does not say."""

        AS_LEFT = "as left", _("as the sync before had left it")
        CHANGED = "changed", _("changed since")
        RESTORED = "restored", _("restored since")

    run = models.ForeignKey(
        Run,
        # A run that is not kept any more leaves its number here. One statement deletes old runs then, also
        # by processes of the release before, and where the table of changes is not there yet.
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="changes",
        verbose_name=_("run"),
    )
    database = models.CharField(_("database"), max_length=255)
    schema = models.CharField(_("schema"), max_length=63)
    name = models.CharField(_("name"), max_length=63)
    at = models.DateTimeField(_("at"), default=timezone.now, help_text=_("When it was committed."))
    origin = models.CharField(_("origin"), max_length=10, choices=Run.Origin, default=Run.Origin.CODE)
    who = models.CharField(_("who"), max_length=255, blank=True)
    actions = models.JSONField(_("actions"), default=list, help_text=_("The values of core's actions."))
    reason = models.TextField(_("reason"), blank=True)
    found = models.CharField(_("found"), max_length=10, blank=True, choices=Found)
    before = models.TextField(
        _("definition before"),
        blank=True,
        help_text=_("As PostgreSQL wrote it; empty for no view, and when it stayed as it was."),
    )
    after = models.TextField(
        _("definition after"),
        blank=True,
        help_text=_("Likewise; that of the class when what PostgreSQL wrote is not known."),
    )
    before_digest = models.CharField(
        _("digest before"), max_length=32, blank=True, help_text=_("Empty when it stayed as it was.")
    )
    after_digest = models.CharField(_("digest after"), max_length=32, blank=True, help_text=_("Likewise."))
    facts_before = models.JSONField(_("facts before"), null=True, blank=True)
    facts_after = models.JSONField(_("facts after"), null=True, blank=True)
    lost = models.JSONField(_("lost"), default=list, blank=True)
    sql = models.TextField(_("SQL"), blank=True, help_text=_("The statements that were sent."))

    objects = ViewChangeQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # the permissions of RegisteredView apply
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=("database", "schema", "name", "at"), name="orm_views_change_view"),
            models.Index(fields=("at",), name="orm_views_change_at"),
        )
        verbose_name = _("change of a view")
        verbose_name_plural = _("changes of views")

    def keep_sentences(self) -> None:
        super().keep_sentences()
        if lost := made_of({str(n): text for n, text in enumerate(self.lost)}):
            self.sentences = {**(self.sentences or {}), "lost": lost}

    @property
    def said_lost(self) -> list[Sentence]:
        """What is lost, as sentences."""
        data = (self.sentences or {}).get("lost", {})
        return [from_json(data.get(str(n)), text) for n, text in enumerate(self.lost)]

    @property
    def view_name(self) -> ViewName:
        """The view."""
        return ViewName(self.schema, self.name)

    def is_after_hand(self, left_before: str | None) -> bool:
        """Return whether somebody had changed or dropped the view since the change before.

        Args:
            left_before: the ``after_digest`` of the last change before this one that has one; None for none.
        """
        if left_before is None or not self.before_digest:
            return False
        is_there, was_there = (digest != digest_of("") for digest in (self.before_digest, left_before))
        if is_there and was_there and self.found:
            return self.found == self.Found.CHANGED
        is_known = is_there != was_there or UNKNOWN not in {self.before_digest, left_before}
        return is_known and self.before_digest != left_before
