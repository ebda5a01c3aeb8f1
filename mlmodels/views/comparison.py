"""Two versions tag by tag, as rows: what each reached, how sure that is, and what changed. Reads nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlmodels.models import ModelVersion

FIGURES = {"ap": ("average_precision", "Average precision"), "f1": ("f1", "F1")}
# Less than this is no change to the eye.
VISIBLE = 0.005

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class ComparedTag:
    """One tag in two versions; None where a version did not judge it."""

    name: str
    before: float | None
    before_bounds: Bounds
    after: float | None
    after_bounds: Bounds
    judged_yes: int

    @property
    def change(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def tone(self) -> str:
        change = self.change or 0.0
        if abs(change) < VISIBLE:
            return ""
        return "live" if change > 0 else "stop"


def tag_rows(one: ModelVersion, other: ModelVersion, figure: str) -> list[ComparedTag]:
    """Tags that both have judged, the largest change first."""
    shared = one.tag_metrics.keys() & other.tag_metrics.keys()
    rows = [_row(one.tag_metrics[tag_id], other.tag_metrics[tag_id], figure) for tag_id in shared]
    known = [row for row in rows if row.change is not None]
    return sorted(known, key=lambda row: (-abs(row.change or 0.0), row.name))


def _row(before: Mapping[str, Any], after: Mapping[str, Any], figure: str) -> ComparedTag:
    return ComparedTag(
        name=after.get("name", ""),
        before=before.get(figure),
        before_bounds=_bounds(before, figure),
        after=after.get(figure),
        after_bounds=_bounds(after, figure),
        judged_yes=after.get("judged_yes") or 0,
    )


def _bounds(figures: Mapping[str, Any], figure: str) -> Bounds:
    low, high = figures.get(f"{figure}_interval") or (None, None)
    return low, high


@dataclass(frozen=True)
class ComparedFigure:
    """A figure over all tags in both versions, written out with its interval. `is_better` is None without a change."""

    name: str
    before: str
    after: str
    change: float | None
    is_better: bool | None


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
    is_better = None if change is None or abs(change) < VISIBLE else change * sign > 0
    return ComparedFigure(words, _with_interval(before, name), _with_interval(after, name), change, is_better)


def _with_interval(metrics: Mapping[str, Any], name: str) -> str:
    """“.61 (.57 to .65)”, or a dash."""
    low, high = _bounds(metrics, name)
    value = _number(metrics.get(name))
    return value if low is None or high is None else f"{value} ({_number(low)} to {_number(high)})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".removeprefix("0")
