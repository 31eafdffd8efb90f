"""The page that plans a sync, has the plan confirmed and starts the sync."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orm_views_admin import runs
from orm_views_admin.addresses import ViewAddress
from orm_views_admin.disclosure import text_for
from orm_views_admin.permissions import Permission, may, unseen
from orm_views_admin.plan_words import count_words
from orm_views_admin.tables.plan import StepTable, show_steps
from orm_views_admin.trends import StepKey, usual_steps
from orm_views_admin.ui.meanings import ShownMeaning, show_meaning
from orm_views_admin.ui.wording import listed, name_list, number, with_names
from orm_views_core.definitions.definition import SkippedView
from orm_views_core.definitions.registered import registered_views
from orm_views_core.names import ViewName
from orm_views_core.output.plans import stages_of
from orm_views_core.plan.steps import Action, Plan, Step
from orm_views_core.sync import plan_views

from .base import UNREADABLE, Link, Page
from .confirmation import ConfirmationPage
from .forms import ConfirmPlanForm
from .selection import Selection


@dataclass(frozen=True)
class DatabasePlan:
    """The plan of one database with its form, or the error that prevents it, as a user may read them.

    Attributes:
        only: the views that were asked for; all when None.
    """

    alias: str
    page: Page
    usual: Mapping[StepKey, float]
    form: ConfirmPlanForm | None = None
    error: Exception | None = None
    only: Collection[ViewName] | None = None

    @property
    def plan(self) -> Plan | None:
        return self.form.plan if self.form else None

    @property
    def errors(self) -> list[str]:
        """What prevents the sync."""
        if self.error is not None:
            return [self.page.explain(self.error, self.alias)]
        problems = self.plan.problems if self.plan else ()
        return [text_for(self._user, problem, self.alias) for problem in problems]

    @property
    def warnings(self) -> list[str]:
        """What somebody should do something about."""
        warnings = self.plan.warnings if self.plan else ()
        return [self.page.withhold(warning, self.alias) for warning in warnings]

    @property
    def refusal(self) -> str:
        """Why the user may not confirm the plan; "" if the user may.

        To confirm is to have seen: a plan with anything that the user may not see or sync is for others.
        """
        steps = [step for step in (self.plan.steps if self.plan else ()) if step.name.name]
        if others := sum(not self._sees(step.name) for step in steps):
            words = ngettext(
                "It has %(count)s step of a view that you may not see. "
                "Who may see and sync all of its views can confirm it.",
                "It has %(count)s steps of views that you may not see. "
                "Who may see and sync all of its views can confirm it.",
                others,
            )
            return words % {"count": number(others)}
        own = [step.target for step in steps if not may(self._user, Permission.SYNC, self._at(step.name))]
        words = _("You may not sync %(names)s. Who may sync all of its views can confirm it.")
        return words % {"names": listed(dict.fromkeys(own))} if own else ""

    @property
    def can_be_confirmed(self) -> bool:
        """Whether the user may have the plan carried out."""
        return self.form is not None and self.form.can_be_confirmed and not self.refusal

    @property
    def summary(self) -> str:
        """The plan in one line: “2 to create, 1 to drop, 38 unchanged”."""
        if self.plan is None:
            return ""
        shown = replace(self.plan, steps=self._steps)
        parts = [count_words(action, count) for action, count in shown.counts.items()]
        words = listed([*parts, _("%(count)s unchanged") % {"count": number(self._unchanged(self.plan))}])
        if self.plan.steps or self.plan.problems:
            return words
        return _("Nothing to do: %(counts)s") % {"counts": words}

    def _unchanged(self, plan: Plan) -> int:
        """Return how many of the views that the user may see stay as they are."""
        if not unseen(self._user, self.alias).names:
            return plan.unchanged
        registered = registered_views(self.alias).names
        looked_at = registered if self.only is None else registered.intersection(self.only)
        changed = {step.name for step in plan.steps}
        return sum(self._sees(name) for name in looked_at - changed)

    @property
    def stages(self) -> list[SafeString]:
        """How the plan is carried out, one sentence for each stage; empty if it swaps no views."""
        if self.plan is None or (stages := stages_of(self.plan)) is None:
            return []
        sentences = (
            (_("Built aside, while readers go on reading: %(names)s."), stages.aside),
            (_("Swapped: %(names)s."), stages.swapped),
            (_("Created in the swap: %(names)s."), stages.created),
            (_("Built during the swap, while readers wait: %(names)s."), stages.deferred),
        )
        return [
            with_names(words, names=name_list(dict.fromkeys(step.target for step in steps)))
            for words, all_steps in sentences
            if (steps := [step for step in all_steps if self._sees(step.name)])
        ]

    @property
    def meanings(self) -> list[ShownMeaning]:
        """The views whose columns or rows mean something else afterwards."""
        meanings = [each for each in (self.plan.meanings if self.plan else ()) if self._sees(each.view)]
        return [
            show_meaning(replace(each, by_way_of=tuple(filter(self._sees, each.by_way_of))), self._url)
            for each in meanings
        ]

    @property
    def skipped(self) -> list[SkippedView]:
        """The views that are for other engines, each with the reason."""
        return self.page.visible_skipped(self.alias, self.plan.skipped) if self.plan else []

    @property
    def tables(self) -> list[StepTable]:
        """The tables of the steps: views that were changed, and views that are affected by those."""
        shown = []
        if self.plan:
            plan = replace(self.plan, steps=self._steps)
            shown = show_steps(plan, self._user, self._url_of, self.usual)
        tables = (
            (_("Changes"), [each for each in shown if not each.step.indirect]),
            (_("Indirectly affected"), [each for each in shown if each.step.indirect]),
        )
        return [StepTable(steps, label=label) for label, steps in tables if steps]

    @property
    def _user(self) -> Any:
        return self.page.request.user

    def _at(self, name: ViewName) -> ViewAddress:
        return ViewAddress(self.alias, name)

    def _sees(self, name: ViewName) -> bool:
        """Return whether the user may see a view. Whoever syncs may see schemas, which have no name."""
        return not name.name or may(self._user, Permission.VIEW, self._at(name))

    @cached_property
    def _steps(self) -> tuple[Step, ...]:
        """The steps that the user may see."""
        return tuple(step for step in (self.plan.steps if self.plan else ()) if self._sees(step.name))

    def _url_of(self, step: Step) -> str:
        return self._url(step.name) if step.name.name else ""

    def _url(self, name: ViewName) -> str:
        """Return the URL of the page of a view; "" if it has none: neither it nor its schema is ours."""
        if name.schema not in self._schemas:
            return ""
        return self.page.url("detail", ViewAddress(self.alias, name))

    @cached_property
    def _schemas(self) -> frozenset[str]:
        """The schemas whose views have pages: those of the registered views, and of the views in the plan."""
        ours = [step.name for step in (self.plan.steps if self.plan else ()) if step.action is Action.DROP]
        return frozenset(name.schema for name in (*registered_views(self.alias).names, *ours))


class SyncPage(ConfirmationPage):
    """The plan of each database. Exactly the confirmed plan is carried out, or nothing is."""

    template_name = "orm_views_admin/sync.html"
    permission = Permission.SYNC
    nothing_selected = gettext_lazy("Select the views to sync first.")

    def show(self, selection: Selection) -> HttpResponse:
        return self._show(selection, self._make_plans(selection, {}))

    def start(self, selection: Selection) -> HttpResponse:
        """Plan again and start the sync if the plan is the confirmed one.

        Core compares the plans once more when it holds its lock.
        """
        plans = self._make_plans(selection, self.request.POST)
        confirmed = [shown.form for shown in plans if shown.form is not None and shown.form.is_bound]
        if not confirmed or any(form.is_stale for form in confirmed):
            stale = _(
                "The database or the code has changed since this plan was made. Nothing was done. "
                "This is the new plan; look at it before you confirm."
            )
            messages.error(self.request, stale)
            return self._show(selection, self._make_plans(selection, {}), status=409)
        if any(shown.refusal for shown in plans if shown.form in confirmed):
            return self._show(selection, plans, status=403)
        if not all(form.can_be_confirmed and form.is_valid() for form in confirmed):
            return self._show(selection, plans)
        only = self._wanted(selection)
        try:
            started = [
                runs.start_sync(self.request.user, plan.database, only[plan.database], plan.fingerprint)
                for plan in (form.plan for form in confirmed)
            ]
        except UNREADABLE as error:
            messages.error(self.request, self.explain(error))
            return self._show(selection, plans)
        return self.redirect_to(started)

    def _show(self, selection: Selection, plans: Sequence[DatabasePlan], status: int = 200) -> HttpResponse:
        title = _("Sync all views")
        if selection.single:
            title = with_names(_("Sync %(name)s"), name=selection.single.name)
        elif count := len(selection.addresses):
            title = ngettext("Sync %(count)s view", "Sync %(count)s views", count) % {"count": number(count)}
        compare = Link(_("Compare data"), self.url_about("compare", *selection.addresses))
        return self.render(
            title,
            parent=self.link_to(selection.single),
            status_code=status,
            plans=plans,
            several=len(plans) > 1,
            can_confirm=any(shown.can_be_confirmed for shown in plans),
            keys=selection.keys,
            tools=[compare] if selection.can_be_compared else [],
        )

    def _make_plans(self, selection: Selection, confirmation: Mapping[str, Any]) -> list[DatabasePlan]:
        """Plan each database separately: an error in one of them must not hide the plans of the others.

        Args:
            selection: the views to plan.
            confirmation: the submitted fields of the plans' forms; empty if nothing was confirmed.
        """
        plans = []
        usual = usual_steps(selection.by_database)
        for n, (alias, only) in enumerate(self._wanted(selection).items()):
            try:
                (plan,) = plan_views([alias], only=only)
            except UNREADABLE as error:
                plans.append(DatabasePlan(alias, self, {}, error=error))
                continue
            data = confirmation if f"{alias}-fingerprint" in confirmation else None
            form = ConfirmPlanForm(plan, data, prefix=alias, auto_id=f"id-{n}-%s")
            plans.append(DatabasePlan(alias, self, usual.get(alias, {}), form, only=only))
        return plans

    def _wanted(self, selection: Selection) -> dict[str, list[ViewName] | None]:
        """Return the selected views without those that the user may not see: it is not told that they are."""
        return {
            alias: only
            if only is None
            else [name for name in only if self.may(Permission.VIEW, ViewAddress(alias, name))]
            for alias, only in selection.by_database.items()
        }
