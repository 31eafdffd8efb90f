"""Planning a sync, confirming it and starting it: what is confirmed is what is done, or nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin import runs
from orm_views_admin.addresses import ViewAddress
from orm_views_admin.pages.runs.run import follow
from orm_views_admin.permissions import Permission
from orm_views_admin.tables.base import StepTable
from orm_views_admin.ui.wording import action_word, number
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.output.plans import stages_of, targets
from orm_views_core.plan.steps import Plan
from orm_views_core.sync import plan_views

from .base import Page
from .forms import ConfirmPlanForm
from .plan_steps import ShownStep, show_step
from .selection import FROM_LIST, Selection

CONFIRM = "confirm"


@dataclass
class DatabasePlan:
    """What the page shows of one database: a plan with its form, or why there is none."""

    alias: str
    plan: Plan | None = None
    form: ConfirmPlanForm | None = None
    errors: list[str] = field(default_factory=list)

    @property
    def is_confirmed(self) -> bool:
        """Whether the request confirms a plan of this database."""
        return self.form is not None and self.form.is_bound

    @property
    def is_stale(self) -> bool:
        """Whether the plan that the request confirms is another one."""
        form = self.form
        return form is None or form["fingerprint"].value() != form.plan.fingerprint

    @property
    def is_valid(self) -> bool:
        """Whether it can be carried out, as confirmed."""
        return self.can_be_confirmed and self.form is not None and self.form.is_valid()

    @property
    def can_be_confirmed(self) -> bool:
        """Whether there is something to do, and nothing in the way."""
        return self.plan is not None and bool(self.plan.steps) and not self.plan.problems

    @property
    def summary(self) -> str:
        """The plan in one line."""
        return summarise(self.plan) if self.plan else ""

    @property
    def stages(self) -> list[str]:
        """In which stages it is carried out, where readers have a part in it: one sentence each."""
        if self.plan is None or (found := stages_of(self.plan)) is None:
            return []
        stages = [
            (_("Built aside, while readers go on: %(names)s."), found.aside),
            (_("Swapped in one moment: %(names)s."), found.swapped),
            (_("Built in the swap, so readers wait: %(names)s."), found.deferred),
        ]
        return [text % {"names": targets(steps)} for text, steps in stages if steps]

    @property
    def tables(self) -> list[StepTable]:
        """The steps in order: those that somebody asked for, then those that follow from them."""
        if self.plan is None or not self.plan.steps:
            return []
        shown = [show_step(n, step) for n, step in enumerate(self.plan.steps, 1)]
        direct = [step for step in shown if not step.indirect]
        indirect = [step for step in shown if step.indirect]
        found: list[tuple[list[ShownStep], str]] = [
            (direct, _("Changes")),
            (indirect, _("Indirectly affected")),
        ]
        return [StepTable(steps, label) for steps, label in found if steps]


class SyncPage(Page):
    """GET, and POST from the list, plan; POST with ``confirm`` has the plan carried out."""

    template_name = "orm_views_admin/sync.html"
    permission = Permission.SYNC
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest) -> HttpResponse:
        selection = Selection.from_request(request.GET)
        return self._show(selection, _make_plans(selection))

    def post(self, request: HttpRequest) -> HttpResponse:
        selection = Selection.from_request(request.POST)
        if FROM_LIST in request.POST and not selection.addresses:
            messages.warning(request, _("Select the views to sync first."))
            return HttpResponseRedirect(self.url("list"))
        if CONFIRM not in request.POST:
            return self._show(selection, _make_plans(selection))
        return self._start(selection)

    def _start(self, selection: Selection) -> HttpResponse:
        """Plan again and compare before anything is done; core compares once more, under its lock."""
        plans = _make_plans(selection, self.request.POST)
        confirmed = [shown for shown in plans if shown.is_confirmed]
        if not confirmed or any(shown.is_stale for shown in confirmed):
            return self._show_stale(selection)
        if not all(shown.is_valid for shown in confirmed):
            return self._show(selection, plans)
        only = selection.by_database
        try:
            started = [
                runs.start_sync(self.request.user, shown.alias, only[shown.alias], shown.plan.fingerprint)
                for shown in confirmed
                if shown.plan is not None
            ]
        except (OrmViewsError, DatabaseError) as error:
            messages.error(self.request, str(error).strip())
            return self._show(selection, plans)
        return HttpResponseRedirect(follow(self.site, [run.request for run in started]))

    def _show_stale(self, selection: Selection) -> HttpResponse:
        messages.error(
            self.request,
            _(
                "The database or the code has changed since this plan was made. Nothing was done. "
                "This is the new plan; look at it before you confirm."
            ),
        )
        return self._show(selection, _make_plans(selection), status=409)

    def _show(self, selection: Selection, plans: Sequence[DatabasePlan], status: int = 200) -> HttpResponse:
        (title, parent) = (_("Sync all views"), None)
        if len(selection.addresses) == 1:
            (address,) = selection.addresses
            title, parent = _("Sync %(name)s") % {"name": address.name}, self._link_to(address)
        elif selection.addresses:
            count = len(selection.addresses)
            title = ngettext("Sync %(count)s view", "Sync %(count)s views", count) % {"count": number(count)}
        return self.render(
            title,
            parent=parent,
            status_code=status,
            plans=plans,
            several=len(plans) > 1,
            can_confirm=any(plan.can_be_confirmed for plan in plans),
            drops=any(plan.form is not None and plan.form.drop_fields for plan in plans),
            keys=selection.keys,
        )

    def _link_to(self, address: ViewAddress) -> tuple[str, str]:
        return str(address.name), self.url("detail", address)


def _make_plans(selection: Selection, data: Any = None) -> list[DatabasePlan]:
    """Plan each database by itself, so that one that is in trouble does not hide the others."""
    plans = []
    for n, (alias, only) in enumerate(selection.by_database.items()):
        prefix = f"{alias}-fingerprint"
        bound = data if data is not None and prefix in data else None
        shown = DatabasePlan(alias)
        try:
            (shown.plan,) = plan_views([alias], only=only)
        except (OrmViewsError, DatabaseError) as error:
            shown.errors.append(str(error).strip())
        else:
            shown.errors.extend(shown.plan.problems)
            if shown.can_be_confirmed or bound is not None:
                shown.form = ConfirmPlanForm(shown.plan, bound, prefix=alias, auto_id=f"id-{n}-%s")
        plans.append(shown)
    return plans


def summarise(plan: Plan) -> str:
    """Say what a plan does in one line: “2 to create, 1 to drop, 38 unchanged”."""
    parts = [
        _("%(count)s to %(action)s") % {"count": number(count), "action": action_word(action)}
        for action, count in plan.counts.items()
    ]
    return ", ".join([*parts, _("%(count)s unchanged") % {"count": number(plan.unchanged)}])
