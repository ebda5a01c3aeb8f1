"""Points of plots as plain numbers, so that templates draw them in SVG without a style attribute. No queries here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LEFT, TOP, BOTTOM = 40.0, 16.0, 216.0
# The last 90 units are for the names at the ends of the lines.
WIDE, NARROW, MARGIN = 1110, 480, 90
SQUARE_LEFT, SQUARE_RIGHT, SQUARE_TOP, SQUARE_BOTTOM = 26.0, 290.0, 10.0, 189.0
UNITS_A_TICK = 110


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    tone: str = ""
    title: str = ""
    radius: float = 3.5


@dataclass(frozen=True)
class Tick:
    """A line of the grid, or a number below it."""

    at: float
    text: str

    @property
    def text_y(self) -> float:
        return round(self.at + 4, 1)


@dataclass(frozen=True)
class Curve:
    """Points joined by a line; `name` and `value` stand at its end."""

    name: str
    value: str
    path: str
    points: tuple[Point, ...]
    tone: str = ""
    end: Point | None = None

    @property
    def label_x(self) -> float:
        return round(self.end.x + 10, 1) if self.end else 0.0

    @property
    def label_y(self) -> float:
        return round(self.end.y + 4, 1) if self.end else 0.0


@dataclass(frozen=True)
class Plot:
    width: int
    curves: tuple[Curve, ...]
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]

    @property
    def right(self) -> int:
        return self.width - MARGIN


@dataclass(frozen=True)
class Judged:
    """One version in the plot of quality: how much it learnt from, and what it reached."""

    number: int
    reviews: int
    f1: float | None
    average_precision: float | None
    was_live: bool
    is_live: bool


def quality(versions: Sequence[Judged], width: int = WIDE) -> Plot | None:
    """F1 and average precision against reviews; the lines join what went live. None below two versions."""
    right = float(width - MARGIN)
    drawn = sorted(
        (found for found in versions if found.f1 is not None and found.average_precision is not None),
        key=lambda found: (found.reviews, found.number),
    )
    if len(drawn) < 2:
        return None
    values = [value for found in drawn for value in (found.f1, found.average_precision) if value is not None]
    low, high = math.floor(min(values) * 10) / 10, math.ceil(max(values) * 10) / 10
    high = max(high, low + 0.1)
    most = max(1, drawn[-1].reviews)

    def place(found: Judged, value: float, tone: str) -> Point:
        x = LEFT + (right - LEFT) * found.reviews / most
        y = BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low)
        state = "" if found.was_live else ", refused"
        title = f"v{found.number}{state}: {value:.3f}, {found.reviews:,} reviews"
        return Point(round(x, 1), round(y, 1), tone, title, 4.5 if found.is_live else 3.5)

    curves = []
    for name, field, tone in (("F1", "f1", ""), ("AP", "average_precision", "context")):
        points = tuple(place(found, getattr(found, field), _tone(found, tone)) for found in drawn)
        line = [point for point, found in zip(points, drawn, strict=True) if found.was_live]
        end = line[-1] if line else None
        last = [found for found in drawn if found.was_live][-1:]
        value = _short(getattr(last[0], field)) if last else ""
        curves.append(Curve(name, value, _path(line), points, tone, end))
    return Plot(width, _apart(curves), _grid_rows(low, high), _grid_columns(most, right))


def precision_recall(points: Sequence[dict[str, Any]]) -> Curve | None:
    """The curve over all tags together; None where nothing is known."""
    if not points:
        return None
    line = [Point(*_square(point["recall"], point["precision"])) for point in points]
    return Curve("all tags", "", _path(line), tuple(line))


def calibration(points: Sequence[dict[str, Any]]) -> tuple[Point, ...]:
    """How often scores came true, by step of the score; larger points stand for more pairs."""
    most = max((point["pairs"] for point in points), default=1)
    return tuple(
        Point(
            *_square(point["score"], point["came_true"]),
            title=f"score {point['score']:.2f}: {point['came_true']:.2f} came true, {point['pairs']:,} pairs",
            radius=round(2.5 + 2.5 * math.sqrt(point["pairs"] / most), 1),
        )
        for point in points
    )


def _tone(found: Judged, tone: str) -> str:
    if found.is_live:
        return "live"
    return tone if found.was_live else "down"


def _square(across: float, up: float) -> tuple[float, float]:
    x = SQUARE_LEFT + (SQUARE_RIGHT - SQUARE_LEFT) * across
    return round(x, 1), round(SQUARE_BOTTOM - (SQUARE_BOTTOM - SQUARE_TOP) * up, 1)


def _path(points: Sequence[Point]) -> str:
    return " ".join(f"{point.x},{point.y}" for point in points)


def _apart(curves: Sequence[Curve]) -> tuple[Curve, ...]:
    """Labels at the ends keep a line's height between them."""
    if len(curves) != 2 or not all(curve.end for curve in curves):
        return tuple(curves)
    upper, lower = curves
    assert upper.end is not None and lower.end is not None
    gap = 16 - abs(upper.end.y - lower.end.y)
    if gap <= 0:
        return (upper, lower)
    sign = -1 if upper.end.y <= lower.end.y else 1
    return (_moved(upper, sign * gap / 2), _moved(lower, -sign * gap / 2))


def _moved(curve: Curve, by: float) -> Curve:
    assert curve.end is not None
    end = Point(curve.end.x, round(curve.end.y + by, 1))
    return Curve(curve.name, curve.value, curve.path, curve.points, curve.tone, end)


def _short(value: float) -> str:
    return "1.00" if value >= 0.995 else f"{value:.2f}".removeprefix("0")


def _grid_rows(low: float, high: float) -> tuple[Tick, ...]:
    """A line at each tenth, or at each fifth where that would be many."""
    tenths = round((high - low) * 10)
    step = 1 if tenths <= 5 else 2
    return tuple(
        Tick(round(BOTTOM - (BOTTOM - TOP) * place / tenths, 1), _short(low + place / 10))
        for place in range(0, tenths + 1, step)
    )


def _grid_columns(most: int, right: float) -> tuple[Tick, ...]:
    """Round numbers below, as many as there is room for."""
    return tuple(
        Tick(round(LEFT + (right - LEFT) * value / most, 1), f"{value:,}")
        for value in _round_steps(most, int(right / UNITS_A_TICK))
    )


def _round_steps(most: int, ticks: int) -> list[int]:
    """Zero and at most `ticks` round numbers up to `most`."""
    scale = 1
    while True:
        for factor in (1, 2, 5):
            if most / (factor * scale) <= ticks:
                return list(range(0, most + 1, factor * scale))
        scale *= 10
