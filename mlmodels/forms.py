"""Forms of the model's pages: they read what was typed. What is allowed, services decide."""

from collections.abc import Mapping
from typing import Any

from django import forms

from mlmodels.models import TrainingPolicy
from mlmodels.services import policy

WEEK_S = 604_800


class PolicyForm(forms.Form):
    every_reviews = forms.IntegerField(
        min_value=1,
        max_value=100_000,
        label="Train after this many reviews",
        help_text="Reviews that may be trained on and that no version has read.",
    )
    after_quiet_seconds = forms.FloatField(
        min_value=0,
        max_value=WEEK_S,
        label="Or after this many seconds of quiet",
        help_text="When people stop answering, even a single answer is learnt.",
    )
    at_most_every_seconds = forms.FloatField(
        min_value=0,
        max_value=WEEK_S,
        label="But at most once in this many seconds",
        help_text="After a failed run it is at least 60.",
    )
    paused = forms.BooleanField(
        required=False, label="Paused", help_text="Nothing is trained by itself; “Train now” still works."
    )

    @classmethod
    def of(cls, found: TrainingPolicy) -> "PolicyForm":
        values = {name: getattr(found, name) for name in policy.FIELDS}
        # 3 instead of 3.0
        return cls(initial={name: f"{v:g}" if isinstance(v, float) else v for name, v in values.items()})

    def refuse(self, message: str, fields: Mapping[str, Any]) -> None:
        """Show why the service refused, at the fields that it names."""
        named = {name: text for name, text in fields.items() if name in self.fields}
        for name, text in named.items():
            self.add_error(name, text)
        if not named:
            self.add_error(None, message)
