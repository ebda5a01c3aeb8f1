"""Bars of small plots as plain numbers, so that templates draw them in SVG without a style attribute."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 560.0, 40.0, 542.0, 14.0, 184.0
ROW_HEIGHT, ROW_TOP, ROW_LEFT, ROW_RIGHT = 24, 6, 128.0, 500.0


@dataclass(frozen=True)
class Bar:
    """A rectangle, with where its name and its value are written."""

    x: float
    y: float
    width: float
    height: float
    name: str
    value: int
    tone: str = ""
    is_named: bool = True

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def end(self) -> float:
        return round(self.x + self.width + 7, 1)


@dataclass(frozen=True)
class Line:
    """A line of the grid with its number."""

    y: float
    value: int

    @property
    def text_y(self) -> float:
        return round(self.y + 4, 1)


@dataclass(frozen=True)
class Columns:
    bars: tuple[Bar, ...]
    grid: tuple[Line, ...]


def columns(names: Sequence[str], values: Sequence[int], named: Sequence[bool]) -> Columns:
    """Upright bars; the last one is the present and stands out."""
    top = _round_up(max([*values, 1]))
    step = (RIGHT - LEFT) / max(len(values), 1)
    width = round(step * 0.64, 1)
    bars = []
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        height = round((BOTTOM - TOP) * value / top, 1)
        tone = "" if index == len(values) - 1 else "soft"
        x = round(LEFT + step * (index + 0.5) - width / 2, 1)
        bars.append(Bar(x, round(BOTTOM - height, 1), width, height, name, value, tone, named[index]))
    marks = sorted({0, top // 2, top})
    return Columns(tuple(bars), tuple(Line(round(BOTTOM - (BOTTOM - TOP) * v / top, 1), v) for v in marks))


def rows(names: Sequence[str], values: Sequence[int], tones: Sequence[str]) -> tuple[Bar, ...]:
    """Lying bars, one below the other."""
    top = max([*values, 1])
    return tuple(
        Bar(
            ROW_LEFT,
            ROW_TOP + ROW_HEIGHT * index,
            max(2.0, round((ROW_RIGHT - ROW_LEFT) * value / top, 1)),
            12,
            name,
            value,
            tone,
        )
        for index, (name, value, tone) in enumerate(zip(names, values, tones, strict=True))
    )


def _round_up(value: int) -> int:
    """The next 1, 2 or 5 times a power of ten (at least 2), so that the grid reads easily."""
    scale = 1
    while True:
        for factor in (2, 5, 10):
            if value <= factor * scale:
                return factor * scale
        scale *= 10
