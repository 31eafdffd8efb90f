"""The form that confirms a plan."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from orm_views_admin.ui.wording import with_names
from orm_views_core.plan.steps import Action, Plan


class ConfirmPlanForm(forms.Form):
    """Contains the fingerprint of a plan, and a field for each view that the plan drops for good.

    The user confirms a drop by typing the view's name.
    """

    fingerprint = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, plan: Plan, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = plan
        self.fields["fingerprint"].initial = plan.fingerprint
        dropped = [step.target for step in plan.steps if step.action is Action.DROP]
        self._names = {f"drop-{n}": name for n, name in enumerate(dropped)}
        for field, name in self._names.items():
            self.fields[field] = forms.CharField(
                label=with_names(_("Type “%(name)s” to confirm that it is dropped"), name=name),
                required=False,
                widget=forms.TextInput(
                    attrs={"autocomplete": "off", "spellcheck": "false", "class": "vTextField"}
                ),
            )

    @property
    def can_be_confirmed(self) -> bool:
        """Whether the plan has steps and no problems."""
        return bool(self.plan.steps) and not self.plan.problems

    @property
    def is_stale(self) -> bool:
        """Whether the submitted fingerprint is that of another plan."""
        return bool(self["fingerprint"].value() != self.plan.fingerprint)

    @property
    def drop_fields(self) -> list[forms.BoundField]:
        """The fields in which drops are confirmed."""
        return [self[field] for field in self._names]

    def clean(self) -> dict[str, Any]:
        for field, name in self._names.items():
            if self.cleaned_data.get(field, "") != name.strip():
                words = _("Type the name exactly as it is written here: %(name)s")
                self.add_error(field, with_names(words, name=name))
        return self.cleaned_data
