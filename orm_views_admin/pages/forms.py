"""Confirming a plan: exactly the one that was shown, and by name what it drops."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from orm_views_core.plan.steps import Action, Plan


class ConfirmPlanForm(forms.Form):
    """Carries a plan's fingerprint, and asks for the name of everything that the plan drops for good."""

    fingerprint = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, plan: Plan, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = plan
        self.fields["fingerprint"].initial = plan.fingerprint
        self._names: dict[str, str] = {}
        for n, step in enumerate(step for step in plan.steps if step.action is Action.DROP):
            self._names[f"drop-{n}"] = step.target
            self.fields[f"drop-{n}"] = forms.CharField(
                label=_("Type “%(name)s” to confirm that it is dropped") % {"name": step.target},
                required=False,
                widget=forms.TextInput(
                    attrs={"autocomplete": "off", "spellcheck": "false", "class": "vTextField"}
                ),
            )

    @property
    def drop_fields(self) -> list[forms.BoundField]:
        """The fields to be shown, one for each view that is dropped."""
        return [self[field] for field in self._names]

    def clean(self) -> dict[str, Any]:
        for field, name in self._names.items():
            if self.cleaned_data.get(field, "") != name.strip():
                self.add_error(
                    field, _("Type the name exactly as it is written here: %(name)s") % {"name": name}
                )
        return self.cleaned_data
