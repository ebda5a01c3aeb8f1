"""Versions, verdicts and the ledger as pages say them: words and rows made from rows. Reads nothing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotations.services import snapshot_truth
from mlmodels.models import ModelVersion, PolicyCheck, TrainingRun

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
class Entry:
    """One line of the ledger. `outcome` is ran, waited, refused or asked."""

    at: datetime
    outcome: str
    tone: str
    text: str


@dataclass(frozen=True)
class Fact:
    """A figure of a version in words: how far it moves with other images, and what it is beside."""

    name: str
    value: str
    interval: str = ""
    note: str = ""


@dataclass(frozen=True)
class TagRow:
    """One tag of a version. `change` is the F1 gained since the version before it."""

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    change: float | None
    support: int
    needed: int
    threshold: float | None
    judged_yes: int
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


def reasons(version: ModelVersion) -> list[str]:
    """What the gate said, with the incumbents by their numbers instead of their places."""
    incumbents = version.details.get("incumbents", [])
    said = [
        _comparison(version.details, f"incumbent_{place}", _incumbent(place, number))
        for place, number in enumerate(incumbents)
    ]
    said.append(_comparison(version.details, "frozen", "the backbone as it was, taught the same answers"))
    others = [reason for reason in version.reasons if not reason.startswith(_SAID_ELSEWHERE)]
    told = [sentence for sentence in said if sentence] + [_sentence(reason) for reason in others]
    return told or [_sentence(reason) for reason in version.reasons]


# Waiting for the run that is open, for the pause after it, or for the next answer, is part of every run: no reader
# misses it.
PASSING_MOMENTS = frozenset({"run_open", "too_soon", "no_features", "nothing_new"})


def ledger(checks: Sequence[PolicyCheck], asked: Sequence[TrainingRun], limit: int) -> list[Entry]:
    """Why the policy trained or did not, and what people asked for themselves, the newest first.

    `checks` come without PASSING_MOMENTS.
    """
    entries = [_of_check(check) for check in checks] + [_of_person(run) for run in asked]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]


def stage(run: TrainingRun) -> str:
    return STAGES.get(run.stage, run.stage) if run.state == "running" else STAGES[""]


def tag_rows(version: ModelVersion, before: ModelVersion | None) -> list[TagRow]:
    """The best F1 first; tags with too few yes to learn from at the end, the nearest to it first."""
    earlier: Mapping[str, Any] = before.tag_metrics if before else {}
    rows = [
        _tag_row(figures, earlier.get(tag_id, {}).get("f1"))
        for tag_id, figures in version.tag_metrics.items()
    ]
    return sorted(
        rows,
        key=lambda row: (
            not row.is_learnt,
            -(row.f1 or 0.0) if row.is_learnt else 0.0,
            -row.support,
            row.name,
        ),
    )


def _tag_row(figures: Mapping[str, Any], earlier_f1: float | None) -> TagRow:
    f1 = figures.get("f1")
    return TagRow(
        name=figures.get("name", ""),
        precision=figures.get("precision"),
        recall=figures.get("recall"),
        f1=f1,
        change=None if f1 is None or earlier_f1 is None else f1 - earlier_f1,
        support=figures.get("support") or 0,
        needed=figures.get("needed") or 0,
        threshold=figures.get("threshold"),
        judged_yes=figures.get("judged_yes") or 0,
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


def _comparison(details: Mapping[str, Any], prefix: str, name: str) -> str:
    """“Against v4: AP −.012 (−.057 to .034), keystrokes −.10 an image (−.48 to .25).”; empty if it was not made."""
    parts = []
    for figure, words, digits in (
        ("average_precision", "AP {}", 3),
        ("keystrokes", "{} keystrokes saved an image", 2),
    ):
        values = [details.get(f"{prefix}_{figure}_{part}") for part in ("point", "lower", "upper")]
        known = [_signed(float(value), digits) for value in values if value is not None]
        if len(known) < len(values):
            return ""
        point, lower, upper = known
        parts.append(f"{words.format(point)} ({lower} to {upper})")
    return f"Against {name}: {', '.join(parts)}."


def _signed(value: float, digits: int) -> str:
    text = f"{abs(value):.{digits}f}"
    text = text[1:] if text.startswith("0.") else text
    if not float(text):
        return "0"
    return f"−{text}" if value < 0 else f"+{text}"


def _of_check(check: PolicyCheck) -> Entry:
    text = check.reason
    if check.run is not None:
        text = f"{text} {_result(check.run)}".strip()
    tone = {"ran": "live", "waited": "wait", "refused": "stop"}[check.outcome]
    return Entry(check.created_at, check.outcome, tone, text)


def _of_person(run: TrainingRun) -> Entry:
    who = run.actor.get_username() if run.actor else "Somebody"
    what = f"fine-tuning, run {run.pk}" if run.kind == TrainingRun.Kind.FINETUNE else f"run {run.pk}"
    return Entry(run.created_at, "asked", "run", f"{who} asked for {what}. {_result(run)}".strip())


def _result(run: TrainingRun) -> str:
    """What became of a run."""
    number = run.result.get("version", {}).get("number")
    if run.state in ("queued", "running"):
        return "It is not finished."
    if run.kind == TrainingRun.Kind.FINETUNE:
        return _tuned(run, number)
    if run.state == "done":
        if run.result.get("skipped") or not number:
            return run.reason
        return f"v{number} went live. {run.reason}".strip()
    if number and run.state == "refused":
        taught = run.result.get("snapshot")
        return f"v{number} did not pass the gate. {snapshot_truth.told(taught) if taught else ''}".strip()
    return _sentence(f"{run.state}: {run.reason}" if run.reason else run.state)


def _tuned(run: TrainingRun, number: int | None) -> str:
    """What became of a tuned backbone, and of workers on the way."""
    notes = " ".join(run.tuning.get("notes", []))
    if number and run.state == "done":
        told = f"v{number}, on the tuned backbone, passed the gate. {run.reason}"
    elif number:
        told = f"v{number}, on the tuned backbone, did not pass the gate: {run.reason}"
    else:
        told = f"{run.state}: {run.reason}" if run.reason else run.state
    return f"{_sentence(told)} {notes}".strip()


def _sentence(text: str) -> str:
    text = text.strip()
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."
