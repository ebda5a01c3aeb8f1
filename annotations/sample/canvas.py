"""A supersampled picture to draw on: smooth shapes, gradients, glows, and a note of what stays visible.

Coordinates are pixels of the finished picture, y downwards. What to draw is decided elsewhere.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

SUPERSAMPLE = 3
NOTE_CELL_PX = 10
VISIBLE_SHARE = 0.45


def rgb(text: str) -> Colour:
    """Read ``"f4a261"`` as a colour."""
    return (int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16))


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """``a`` with ``share`` (0 to 1) of ``b`` in it."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return (red, green, blue)


def lighter(colour: Colour, share: float = 0.2) -> Colour:
    return mix(colour, (255, 255, 255), share)


def darker(colour: Colour, share: float = 0.2) -> Colour:
    return mix(colour, (16, 18, 40), share)


def smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 6) -> list[Point]:
    """A Catmull-Rom curve through ``points``."""
    p = np.asarray(points, dtype=float)
    before, after = (np.roll(p, 1, 0), np.roll(p, -1, 0))
    after2 = np.roll(p, -2, 0)
    if not closed:
        before[0], after[-1] = p[0], p[-1]
        after2[-1], after2[-2] = p[-1], p[-1]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    a, b, c, d = (q[:, None, :] for q in (before, p, after, after2))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    if not closed:
        curve = np.concatenate([curve[:-1].reshape(-1, 2), p[-1:]])
    return [(float(x), float(y)) for x, y in curve.reshape(-1, 2)]


def oval(cx: float, cy: float, rx: float, ry: float, *, tilt: float = 0.0) -> list[Point]:
    """An ellipse as a polygon, turned by ``tilt`` radians."""
    angles = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    x, y = rx * np.cos(angles), ry * np.sin(angles)
    cos, sin = math.cos(tilt), math.sin(tilt)
    return list(zip((cx + x * cos - y * sin).tolist(), (cy + x * sin + y * cos).tolist(), strict=True))


@dataclass
class Canvas:
    """The picture while it is drawn, and which tag owns which cell of it."""

    width: int
    height: int
    image: Image.Image = field(init=False)
    notes: list[tuple[str, int]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.image = Image.new("RGB", (self.width * SUPERSAMPLE, self.height * SUPERSAMPLE))
        self._solid = ImageDraw.Draw(self.image)
        self._glass = ImageDraw.Draw(self.image, "RGBA")
        rows, columns = -(-self.height // NOTE_CELL_PX), -(-self.width // NOTE_CELL_PX)
        self._owner = np.full((rows, columns), -1, dtype=np.int32)
        self._cells: list[int] = []

    def polygon(self, points: Sequence[Point], fill: Colour, *, alpha: float = 1.0) -> None:
        scaled = [(x * SUPERSAMPLE, y * SUPERSAMPLE) for x, y in points]
        if alpha >= 1:
            self._solid.polygon(scaled, fill=fill)
        else:
            self._glass.polygon(scaled, fill=(*fill, round(255 * alpha)))

    def blob(self, points: Sequence[Point], fill: Colour, *, alpha: float = 1.0) -> None:
        """A smooth closed shape through ``points``."""
        self.polygon(smooth(points), fill, alpha=alpha)

    def ellipse(
        self, cx: float, cy: float, rx: float, ry: float, fill: Colour, *, alpha: float = 1.0
    ) -> None:
        s = SUPERSAMPLE
        box = [(cx - rx) * s, (cy - ry) * s, (cx + rx) * s, (cy + ry) * s]
        if alpha >= 1:
            self._solid.ellipse(box, fill=fill)
        else:
            self._glass.ellipse(box, fill=(*fill, round(255 * alpha)))

    def rectangle(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        fill: Colour,
        *,
        radius: float = 0,
        alpha: float = 1.0,
    ) -> None:
        s = SUPERSAMPLE
        box = [x0 * s, y0 * s, x1 * s - 1, y1 * s - 1]
        if alpha >= 1:
            self._solid.rounded_rectangle(box, radius * s, fill=fill)
        else:
            self._glass.rounded_rectangle(box, radius * s, fill=(*fill, round(255 * alpha)))

    def line(self, points: Sequence[Point], fill: Colour, width: float, *, alpha: float = 1.0) -> None:
        """A line with round ends (straight ones where it is translucent)."""
        s = SUPERSAMPLE
        scaled = [(x * s, y * s) for x, y in points]
        if alpha < 1:
            self._glass.line(
                scaled, fill=(*fill, round(255 * alpha)), width=max(1, round(width * s)), joint="curve"
            )
            return
        self._solid.line(scaled, fill=fill, width=max(1, round(width * s)), joint="curve")
        r = width * s / 2
        if r >= 2:
            for x, y in (scaled[0], scaled[-1]):
                self._solid.ellipse([x - r, y - r, x + r, y + r], fill=fill)

    def gradient(self, points: Sequence[Point], stops: Sequence[Colour], *, alpha: float = 1.0) -> None:
        """A polygon filled from top to bottom with ``stops``, evenly spaced over its height."""
        s = SUPERSAMPLE
        xs, ys = [x * s for x, _ in points], [y * s for _, y in points]
        x0, y0 = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
        x1, y1 = min(self.image.width, math.ceil(max(xs))), min(self.image.height, math.ceil(max(ys)))
        if x1 <= x0 or y1 <= y0:
            return
        mask = Image.new("L", (x1 - x0, y1 - y0))
        ImageDraw.Draw(mask).polygon(
            [(x - x0, y - y0) for x, y in zip(xs, ys, strict=True)], fill=round(255 * alpha)
        )
        place = np.linspace(0, 1, len(stops))
        rows = (np.arange(y0, y1) - min(ys)) / max(1.0, max(ys) - min(ys))
        column = np.stack([np.interp(rows, place, [c[k] for c in stops]) for k in range(3)], axis=-1)
        paint = Image.fromarray(column.round().astype(np.uint8)[:, None, :]).resize(
            mask.size, Image.Resampling.NEAREST
        )
        self.image.paste(paint, (x0, y0), mask)

    def backdrop(self, stops: Sequence[Colour], *, top: float = 0, bottom: float | None = None) -> None:
        """The whole width, from ``top`` to ``bottom``, filled with ``stops`` downwards."""
        low = self.height if bottom is None else bottom
        w = self.width
        self.gradient([(0, top), (w, top), (w, low), (0, low)], stops)

    def glow(self, cx: float, cy: float, radius: float, colour: Colour, strength: float) -> None:
        """A soft round light, strongest in its middle."""
        size = max(2, round(2 * radius * SUPERSAMPLE))
        curve = [round(max(0.0, 1 - v / 181) ** 2 * 255 * strength) for v in range(256)]
        falloff = Image.radial_gradient("L").point(curve)
        mask = falloff.resize((size, size), Image.Resampling.BILINEAR)
        corner = (round((cx - radius) * SUPERSAMPLE), round((cy - radius) * SUPERSAMPLE))
        self.image.paste(colour, (*corner, corner[0] + size, corner[1] + size), mask)

    def note(self, tag: str, x0: float, y0: float, x1: float, y1: float) -> None:
        """Write down that the box now shows ``tag`` (or, with an empty name, hides what was there)."""
        top, left = max(0, round(y0 / NOTE_CELL_PX)), max(0, round(x0 / NOTE_CELL_PX))
        below, right = max(top + 1, round(y1 / NOTE_CELL_PX)), max(left + 1, round(x1 / NOTE_CELL_PX))
        whole = max(1, round((y1 - y0) / NOTE_CELL_PX)) * max(1, round((x1 - x0) / NOTE_CELL_PX))
        self._owner[top:below, left:right] = len(self.notes)
        self.notes.append((tag, whole))

    def is_free(self, x0: float, y0: float, x1: float, y1: float) -> bool:
        """Whether nothing was noted in the box yet."""
        c = NOTE_CELL_PX
        area = self._owner[max(0, int(y0 // c)) : int(y1 // c) + 1, max(0, int(x0 // c)) : int(x1 // c) + 1]
        return bool((area < 0).all())

    def visible(self) -> set[str]:
        """The tags of which at least one thing still shows most of itself inside the picture."""
        cells = np.bincount(self._owner[self._owner >= 0], minlength=len(self.notes))
        return {
            tag
            for (tag, whole), seen in zip(self.notes, cells, strict=True)
            if tag and seen >= VISIBLE_SHARE * whole
        }

    def jpeg(self) -> bytes:
        buffer = io.BytesIO()
        self.image.reduce(SUPERSAMPLE).save(buffer, "JPEG", quality=90, subsampling=0)
        return buffer.getvalue()


@dataclass(frozen=True)
class Pen:
    """Draws in a thing's own coordinates: origin where it stands, y upwards, one unit = ``size`` pixels."""

    canvas: Canvas
    x: float
    y: float
    size: float
    flip: bool = False
    tilt: float = 0.0

    def at(self, x: float, y: float) -> Point:
        x = -x if self.flip else x
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        return (self.x + (x * cos - y * sin) * self.size, self.y - (x * sin + y * cos) * self.size)

    def poly(self, points: Sequence[Point], fill: Colour, *, alpha: float = 1.0) -> None:
        self.canvas.polygon([self.at(*p) for p in points], fill, alpha=alpha)

    def blob(self, points: Sequence[Point], fill: Colour, *, alpha: float = 1.0) -> None:
        self.canvas.polygon(smooth([self.at(*p) for p in points]), fill, alpha=alpha)

    def oval(
        self,
        cx: float,
        cy: float,
        rx: float,
        ry: float,
        fill: Colour,
        *,
        tilt: float = 0.0,
        alpha: float = 1.0,
    ) -> None:
        self.poly(oval(cx, cy, rx, ry, tilt=tilt), fill, alpha=alpha)

    def line(self, points: Sequence[Point], fill: Colour, width: float, *, curved: bool = False) -> None:
        path = [self.at(*p) for p in points]
        self.canvas.line(smooth(path, closed=False) if curved else path, fill, width * self.size)
