"""Forms of the model's pages: they read what was typed. What is allowed, services decide."""

from collections.abc import Mapping
from typing import Any

from django import forms

from mlmodels.models import AskingPolicy, TrainingPolicy
from mlmodels.services import asking, finetune_settings, policy

WEEK_S = 604_800


class SourceForm(forms.Form):
    """What a run learns from: a snapshot, or the answers as they are now."""

    snapshot = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    def snapshot_id(self) -> int | None:
        """The id that was picked; None for the answers as they are now, and for what is no id."""
        number: int | None = self.cleaned_data.get("snapshot") if self.is_valid() else None
        return number


class ServiceForm(forms.Form):
    """A form of settings that a service checks field by field."""

    def refuse(self, message: str, fields: Mapping[str, Any]) -> None:
        """Show why the service refused, at the fields that it names."""
        named = {name: text for name, text in fields.items() if name in self.fields}
        for name, text in named.items():
            self.add_error(name, text)
        if not named:
            self.add_error(None, message)


def _share(label: str, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(min_value=0, max_value=90, label=label, help_text=help_text)


class AskingForm(ServiceForm):
    """Percentages of the active order; what they leave is drawn at random."""

    uncertain = _share("Uncertain, in percent", "Where the model expects to be corrected most.")
    diverse = _share(
        "Diverse, in percent", "Uncertain pictures unlike each other and unlike what was reviewed."
    )
    rare = _share("Rare tags, in percent", "Where a tag with fewer than 10 yes is likeliest.")
    disagreement = _share(
        "Pixels against caption, in percent", "Where one says a tag and the other does not."
    )

    @classmethod
    def of(cls, found: AskingPolicy) -> "AskingForm":
        return cls(initial={name: getattr(found, name) for name in asking.FIELDS})


class FinetuneForm(forms.Form):
    """How to fine-tune, in the order of the page."""

    stages = forms.IntegerField(
        min_value=0,
        max_value=finetune_settings.MOST_STAGES,
        initial=1,
        label="Stages of the backbone",
        help_text="Counted from its end; 0 tunes all of it, which takes several times as long.",
    )
    epochs = forms.IntegerField(
        min_value=1,
        max_value=finetune_settings.MOST_EPOCHS,
        initial=12,
        label="Epochs at most",
        help_text="It stops sooner when images held back get no better.",
    )
    batch = forms.IntegerField(
        min_value=2,
        max_value=finetune_settings.MOST_BATCH,
        initial=32,
        label="Images at once",
        help_text="Halved by itself where a GPU's memory is too small.",
    )
    loss = forms.ChoiceField(
        choices=list(finetune_settings.LOSSES.items()), label="Loss", help_text="Asymmetric spares rare tags."
    )


class PolicyForm(ServiceForm):
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
    finetune_every_reviews = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=1_000_000,
        label="Fine-tune after this many reviews",
        help_text="0 or empty for never. Slow: see “Fine-tune”.",
    )
    finetune_cron = forms.CharField(
        required=False,
        max_length=100,
        label="Or fine-tune by this schedule",
        help_text="Cron in UTC, such as 0 3 * * 6 for Saturdays at 3; empty for never.",
    )
    paused = forms.BooleanField(
        required=False, label="Paused", help_text="Nothing is trained by itself; “Train now” still works."
    )

    def clean_finetune_every_reviews(self) -> int:
        return self.cleaned_data.get("finetune_every_reviews") or 0

    @classmethod
    def of(cls, found: TrainingPolicy) -> "PolicyForm":
        values = {name: getattr(found, name) for name in policy.FIELDS}
        # 3 instead of 3.0
        return cls(initial={name: f"{v:g}" if isinstance(v, float) else v for name, v in values.items()})
