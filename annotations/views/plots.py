"""Plots as tables: what each column is and what each row says. The browser draws them; no geometry is here.

`partials/_plot.html` writes the table, `static/js/elements/data-plot.js` draws from it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["line", "columns", "rows", "dumbbells", "points", "spark"]
# How a plot uses a column. "low" and "high" bound the column before them; a column without a role is in the table only.
Role = Literal[
    "", "name", "series", "x", "line", "bar", "ref", "low", "high", "point", "size", "from", "to", "label"
]
Form = Literal["text", "count", "share", "signed", "percent", "number", "precise"]
Value = str | float | None


@dataclass(frozen=True)
class Column:
    """`form` says how its numbers are written; `tone` how it is coloured (empty: ink)."""

    name: str
    role: Role = ""
    form: Form = "count"
    tone: str = ""

    @property
    def is_text(self) -> bool:
        return self.form == "text"


@dataclass(frozen=True)
class Cell:
    """What a reader sees, and the number behind it as the browser reads it; empty where there is none."""

    text: str
    number: str
    is_text: bool


@dataclass(frozen=True)
class Row:
    cells: tuple[Cell, ...]
    tone: str = ""


@dataclass(frozen=True)
class Plot:
    """`name` is its title for screen readers; `low` and `high` fix the axis of the numbers where they are given.

    `span` ends the axis of x, which says the name of its column then: how far a line that still grows will go.
    """

    kind: Kind
    name: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    low: float | None = None
    high: float | None = None
    traits: str = ""
    span: float | None = None


def plot(
    kind: Kind,
    name: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Value]],
    *,
    tones: Sequence[str] = (),
    low: float | None = None,
    high: float | None = None,
    traits: str = "",
    span: float | None = None,
) -> Plot:
    """A plot of these rows, one value a column. `tones` colours rows; `traits` are words for the drawing:
    "area" fills below a line, "diagonal" adds the line of equal coordinates, "dots" marks each point."""
    written = [
        Row(
            tuple(_cell(value, column) for value, column in zip(row, columns, strict=True)),
            tones[index] if tones else "",
        )
        for index, row in enumerate(rows)
    ]
    return Plot(kind, name, tuple(columns), tuple(written), low, high, traits, span)


def _cell(value: Value, column: Column) -> Cell:
    if isinstance(value, str):
        return Cell(value, "", column.is_text)
    return Cell(written(value, column.form), "" if value is None else repr(value), column.is_text)


def written(value: float | None, form: Form) -> str:
    """A number as tables and labels show it; a dash where there is none."""
    if value is None:
        return "–"
    if form == "share":
        return "1.00" if value >= 0.995 else f"{value:.2f}".removeprefix("0")
    if form == "signed":
        return _signed(value)
    if form == "percent":
        return f"{value:.0%}".replace("%", " %")
    if form == "precise":
        return f"{value:.4f}".removeprefix("0")
    return f"{value:.2f}" if form == "number" else f"{value:,.0f}"


def _signed(value: float) -> str:
    text = f"{abs(value):.2f}".removeprefix("0")
    if text == ".00":
        return "0"
    return f"−{text}" if value < 0 else f"+{text}"
