"""Versions and verdicts as pages say them: words and rows made from rows. Reads nothing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlmodels.models import ModelVersion, TrainingRun
from mlmodels.services import judging
from mlmodels.views import comparison

STAGES = {
    "": "waits for a worker",
    "read": "reading what people said",
    "fit": "fitting",
    "judge": "judging",
    "store": "storing the file",
    "rescore": "rescoring what is asked next",
    "publish": "going live",
}


@dataclass(frozen=True)
class VersionRow:
    """One line of the table. `state` is live, previous, provisional, refused, or empty for an earlier one."""

    version: ModelVersion
    state: str
    is_provisional: bool
    tone: str
    f1: float | None
    average_precision: float | None
    corrections: float | None
    keystrokes: float | None
    calibration_error: float | None
    judged_on: str


@dataclass(frozen=True)
class Fact:
    """A figure of a version in words: how far it moves with other images, and what it is beside."""

    name: str
    value: str
    interval: str = ""
    note: str = ""


@dataclass(frozen=True)
class TagRow:
    """One tag of a version. `change`: F1 gained since the version before it; `is_better`: None if by chance, maybe."""

    name: str
    average_precision: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    change: float | None
    support: int
    needed: int
    threshold: float | None
    judged_yes: int
    is_better: bool | None = None
    f1_range: str = ""

    @property
    def is_learnt(self) -> bool:
        return self.support >= self.needed

    @property
    def tone(self) -> str:
        return "live" if (self.f1 or 0.0) >= 0.6 else "wait"


def version_row(version: ModelVersion, *, live_id: int | None, previous_id: int | None) -> VersionRow:
    figures = version.metrics
    provisional = version.verdict == ModelVersion.Verdict.PROVISIONAL
    if version.pk == live_id:
        state, tone = "live", "live"
    elif version.verdict == ModelVersion.Verdict.REFUSED and version.activated_at is None:
        state, tone = "refused", "stop"
    elif version.pk == previous_id:
        state, tone = "previous", ""
    else:
        state, tone = ("provisional", "wait") if provisional else ("", "")
    return VersionRow(
        version=version,
        state=state,
        is_provisional=provisional and state in ("live", "previous"),
        tone=tone,
        f1=figures.get("micro_f1"),
        average_precision=figures.get("macro_average_precision"),
        corrections=figures.get("corrections"),
        keystrokes=figures.get("keystrokes"),
        calibration_error=figures.get("calibration_error"),
        judged_on="holdout" if figures.get("judged_on") == "holdout" else "training",
    )


# Incumbents are said by their numbers, and what it was judged on stands beside the verdict.
_SAID_ELSEWHERE = ("against incumbent", "against the backbone", "judged on")
_FROZEN = "the backbone as it was, taught the same answers"
_DIGITS = {"average_precision": 3, "keystrokes": 2}
_LOST = {"average_precision": "AP {} lower", "keystrokes": "{} more keystrokes an image"}


def reasons(version: ModelVersion) -> list[str]:
    """What the gate said, what decided first; with the incumbents by their numbers instead of their places."""
    rivals = _rivals(version)
    decisive = _decisive(version)
    places = sorted(rivals, key=lambda place: decisive is None or place != decisive.place)
    compared = [_comparison(version.details, place, rivals[place]) for place in places]
    told = [*map(sentence, _other_reasons(version)), *filter(None, compared)]
    return told or [sentence(reason) for reason in version.reasons]


def refusal(version: ModelVersion) -> str:
    """What decided that the gate refused it: “AP .031 lower than v2.”; empty where nothing is known of it."""
    others, loss = _other_reasons(version), _decisive(version)
    if others:
        return sentence(others[0])
    if loss is None:
        return ""
    size = _size(loss.point if loss.point < 0 else loss.lower, _DIGITS[loss.figure])
    lost = _LOST[loss.figure].format(size if loss.point < 0 else f"up to {size}")
    return f"{lost} than {_rivals(version)[loss.place]}."


def beside_refusal(version: ModelVersion) -> list[str]:
    """All that the gate said but what `refusal` says already."""
    decisive = refusal(version)
    return [reason for reason in reasons(version) if reason != decisive]


def _rivals(version: ModelVersion) -> dict[str, str]:
    """Names of what it was compared with, by their places in its details."""
    numbers = version.details.get("incumbents", [])
    named = {f"incumbent_{place}": _incumbent(place, number) for place, number in enumerate(numbers)}
    return named | {"frozen": _FROZEN}


def _decisive(version: ModelVersion) -> judging.Loss | None:
    """The comparison with an incumbent that a refused version failed by most."""
    if version.verdict != ModelVersion.Verdict.REFUSED:
        return None
    return judging.heaviest_loss(version.details, [place for place in _rivals(version) if place != "frozen"])


def _other_reasons(version: ModelVersion) -> list[str]:
    """What the gate said beside the comparisons."""
    return [reason for reason in version.reasons if not reason.startswith(_SAID_ELSEWHERE)]


def stage(run: TrainingRun) -> str:
    return STAGES.get(run.stage, run.stage) if run.state == "running" else STAGES[""]


def tag_rows(version: ModelVersion, before: ModelVersion | None) -> list[TagRow]:
    """The best F1 first; tags with too few yes to learn from at the end, the nearest to it first."""
    earlier: Mapping[str, Any] = before.tag_metrics if before else {}
    rows = [_tag_row(figures, earlier.get(tag_id, {})) for tag_id, figures in version.tag_metrics.items()]
    return sorted(
        rows,
        key=lambda row: (
            not row.is_learnt,
            -(row.f1 or 0.0) if row.is_learnt else 0.0,
            -row.support,
            row.name,
        ),
    )


def _tag_row(figures: Mapping[str, Any], earlier: Mapping[str, Any]) -> TagRow:
    f1, earlier_f1 = figures.get("f1"), earlier.get("f1")
    return TagRow(
        name=figures.get("name", ""),
        average_precision=figures.get("average_precision"),
        precision=figures.get("precision"),
        recall=figures.get("recall"),
        f1=f1,
        change=None if f1 is None or earlier_f1 is None else f1 - earlier_f1,
        support=figures.get("support") or 0,
        needed=figures.get("needed") or 0,
        threshold=figures.get("threshold"),
        judged_yes=figures.get("judged_yes") or 0,
        is_better=comparison.is_better(earlier, figures, "f1"),
        f1_range=_range(figures.get("f1_interval")),
    )


def facts(figures: Mapping[str, Any]) -> list[Fact]:
    """The four figures at the top of a version's page."""
    tags = figures.get("macro_tags") or 0
    over = f"over {tags:,} {'tag' if tags == 1 else 'tags'} with enough yes"

    def fact(name: str, figure: str, note: str = "") -> Fact:
        return Fact(name, _number(figures.get(figure)), _range(figures.get(f"{figure}_interval")), note)

    def beside(figure: str) -> str:
        value = figures.get(f"empty_form_{figure}")
        return "" if value is None else f"{_number(value)} from an empty form"

    return [
        fact("F1, all tags together", "micro_f1"),
        fact("Average precision, macro", "macro_average_precision", over),
        fact("Corrections an image", "corrections", beside("corrections")),
        fact("Keystrokes an image", "keystrokes", beside("keystrokes")),
    ]


def _range(bounds: Sequence[float | None] | None) -> str:
    """“.57 to .63”; empty where nothing was measured."""
    if not bounds or None in bounds:
        return ""
    return " to ".join(_number(bound) for bound in bounds)


def _number(value: float | None) -> str:
    """.61, 1.00, 2.83, or a dash."""
    return "–" if value is None else f"{value:.2f}".removeprefix("0")


def _incumbent(place: int, number: int) -> str:
    name = f"v{number}" if number else "what the model knew before the first review"
    return f"{name}, the best of the last 30 days" if place else name


def _comparison(details: Mapping[str, Any], place: str, rival: str) -> str:
    """“Against v4: AP −.012 (−.057 to +.034), .10 more keystrokes an image (.48 more to .25 fewer).”; empty if it was
    not made."""
    names = [f"{place}_{figure}_{part}" for figure in _DIGITS for part in ("point", "lower", "upper")]
    if any(details.get(name) is None for name in names):
        return ""
    gain, least, most, saved, fewest, many = (float(details[name]) for name in names)
    digits = _DIGITS["average_precision"]
    precision = f"AP {_signed(gain, digits)} ({_signed(least, digits)} to {_signed(most, digits)})"
    keystrokes = (
        f"{_keystrokes(saved, ' keystrokes')} an image ({_keystrokes(fewest)} to {_keystrokes(many)})"
    )
    return f"Against {rival}: {precision}, {keystrokes}."


def _keystrokes(saved: float, what: str = "") -> str:
    """.10 more keystrokes, .25 fewer."""
    size = _size(saved, _DIGITS["keystrokes"])
    if size == "0":
        return f"as many{what}"
    return f"{size} {'more' if saved < 0 else 'fewer'}{what}"


def _signed(value: float, digits: int) -> str:
    size = _size(value, digits)
    if size == "0":
        return size
    return f"−{size}" if value < 0 else f"+{size}"


def _size(value: float, digits: int) -> str:
    """.031, 1.20, or 0 where nothing is left of it."""
    text = f"{abs(value):.{digits}f}".removeprefix("0")
    return text if float(text) else "0"


def sentence(text: str) -> str:
    text = text.strip()
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."
