"""Two versions tag by tag, as rows: what each reached, how sure that is, and what changed. Reads nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlmodels.models import ModelVersion

FIGURES = {"ap": ("average_precision", "Average precision"), "f1": ("f1", "F1")}

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class ComparedTag:
    """One tag in two versions; None where a version did not judge it. `missing`: why the later has not learnt it.

    `is_better` is None where the intervals leave it open.
    """

    name: str
    before: float | None
    before_bounds: Bounds
    after: float | None
    after_bounds: Bounds
    judged_yes: int
    is_better: bool | None
    missing: str = ""

    @property
    def change(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def tone(self) -> str:
        if self.missing:
            return "context"
        if self.is_better is None:
            return ""
        return "live" if self.is_better else "stop"


def tag_rows(one: ModelVersion, other: ModelVersion, figure: str) -> list[ComparedTag]:
    """Tags that both have judged, the largest change first; at the end those that the later one has not learnt."""
    shared = one.tag_metrics.keys() & other.tag_metrics.keys()
    rows = [_row(one.tag_metrics[tag_id], other.tag_metrics[tag_id], figure) for tag_id in shared]
    known = [row for row in rows if row.change is not None]
    return sorted(known, key=lambda row: (bool(row.missing), -abs(row.change or 0.0), row.name))


def _row(before: Mapping[str, Any], after: Mapping[str, Any], figure: str) -> ComparedTag:
    return ComparedTag(
        name=after.get("name", ""),
        before=before.get(figure),
        before_bounds=_bounds(before, figure),
        after=after.get(figure),
        after_bounds=_bounds(after, figure),
        judged_yes=after.get("judged_yes") or 0,
        is_better=is_better(before, after, figure),
        missing=_missing(after),
    )


def _missing(figures: Mapping[str, Any]) -> str:
    """“7 of 10 yes needed”; empty for a tag that was learnt."""
    support, needed = figures.get("support") or 0, figures.get("needed") or 0
    return f"{support} of {needed} yes needed" if support < needed else ""


def is_better(before: Mapping[str, Any], after: Mapping[str, Any], figure: str, sign: int = 1) -> bool | None:
    """Whether the later is better, where more is or (`sign` -1) less is; None where the intervals leave it open."""
    value, later = before.get(figure), after.get(figure)
    if value is None or later is None or not _is_clear(_bounds(before, figure), _bounds(after, figure)):
        return None
    return bool((later - value) * sign > 0)


def _is_clear(before: Bounds, after: Bounds) -> bool:
    """Whether the intervals have nothing in common; a change within them may come from the images."""
    (low, high), (later_low, later_high) = before, after
    if low is None or high is None or later_low is None or later_high is None:
        return False
    return later_low > high or later_high < low


def _bounds(figures: Mapping[str, Any], figure: str) -> Bounds:
    low, high = figures.get(f"{figure}_interval") or (None, None)
    return low, high


@dataclass(frozen=True)
class Written:
    """“.61”, or a dash, and “.57 to .65”, or nothing."""

    value: str
    interval: str


@dataclass(frozen=True)
class ComparedFigure:
    """A figure over all tags in both versions, written out. `is_better` is None where the intervals leave it open."""

    name: str
    before: Written
    after: Written
    change: float | None
    is_better: bool | None

    @property
    def both(self) -> tuple[Written, Written]:
        return self.before, self.after


_OVERALL = (
    ("micro_f1", "F1, all tags together", 1),
    ("macro_f1", "F1, macro", 1),
    ("macro_average_precision", "Average precision, macro", 1),
    ("corrections", "Corrections an image", -1),
    ("keystrokes", "Keystrokes an image", -1),
    ("calibration_error", "Calibration error", -1),
)


def figures(one: ModelVersion, other: ModelVersion) -> list[ComparedFigure]:
    """The figures over all tags side by side; those that neither version has are left out."""
    return [
        _figure(name, words, sign, one.metrics, other.metrics)
        for name, words, sign in _OVERALL
        if one.metrics.get(name) is not None or other.metrics.get(name) is not None
    ]


def _figure(
    name: str, words: str, sign: int, before: Mapping[str, Any], after: Mapping[str, Any]
) -> ComparedFigure:
    values = before.get(name), after.get(name)
    change = None if None in values else float(values[1]) - float(values[0])  # type: ignore[arg-type]
    better = is_better(before, after, name, sign)
    return ComparedFigure(words, _written(before, name), _written(after, name), change, better)


def _written(metrics: Mapping[str, Any], name: str) -> Written:
    low, high = _bounds(metrics, name)
    interval = "" if low is None or high is None else f"{_number(low)} to {_number(high)}"
    return Written(_number(metrics.get(name)), interval)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".removeprefix("0")
