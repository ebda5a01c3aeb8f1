"""Trees and flowers."""

import math
from collections.abc import Sequence
from random import Random

from annotations.sample.canvas import Canvas, Colour, Pen, darker, lighter, mix, rgb
from annotations.sample.light import Light

BARK = rgb("7a5a42")
PETALS = tuple(
    rgb(c) for c in ("e4572e", "f25f7a", "ffd23f", "f7f3ea", "9a6fd0", "ff8fa3", "f4a259", "5b8def")
)


def shadow(canvas: Canvas, light: Light, x: float, y: float, half: float) -> None:
    """A soft dark pool where something stands."""
    canvas.ellipse(x, y, half, max(1.5, half * 0.16), rgb("1a2440"), alpha=0.10 if light.is_winter else 0.17)


def tree(
    canvas: Canvas,
    rng: Random,
    light: Light,
    x: float,
    y: float,
    size: float,
    *,
    kind: str = "",
    distance: float = 0.0,
) -> None:
    """A tree of height ``size`` with its foot at (x, y)."""
    kinds = {"winter": ["pine", "pine", "bare"], "autumn": ["round", "round", "poplar", "pine"]}
    kind = kind or rng.choice(kinds.get(light.season, ["round", "round", "oak", "pine", "poplar"]))
    shadow(canvas, light, x, y, size * 0.26)
    pen = Pen(canvas, x, y, size, flip=rng.random() < 0.5)
    TREES[kind](pen, rng, light, distance)
    half = {"pine": 0.24, "poplar": 0.18, "palm": 0.2, "bare": 0.2}.get(kind, 0.32)
    canvas.note("tree", x - half * size, y - size * 0.95, x + half * size, y - size * 0.15)


def _round(pen: Pen, rng: Random, light: Light, distance: float) -> None:
    leaf = light.lit(rng.choice(light.leaves), distance)
    bark = light.lit(BARK, distance)
    pen.poly([(-0.045, 0), (-0.025, 0.5), (0.025, 0.5), (0.045, 0)], bark)
    for tone, dx, dy, shrink in (
        (darker(leaf, 0.18), 0.0, 0.0, 1.0),
        (leaf, -0.03, 0.03, 0.88),
        (lighter(leaf, 0.16), -0.08, 0.09, 0.5),
    ):
        for cx, cy, r in ((0, 0.68, 0.29), (-0.17, 0.55, 0.19), (0.18, 0.56, 0.19), (0.05, 0.8, 0.2)):
            pen.oval(cx * shrink + dx, 0.66 + (cy - 0.66) * shrink + dy, r * shrink, r * shrink, tone)


def _oak(pen: Pen, rng: Random, light: Light, distance: float) -> None:
    leaf = light.lit(rng.choice(light.leaves), distance)
    bark = light.lit(darker(BARK, 0.15), distance)
    pen.poly([(-0.08, 0), (-0.04, 0.2), (-0.05, 0.5), (0.05, 0.5), (0.04, 0.2), (0.08, 0)], bark)
    pen.line([(0, 0.3), (-0.18, 0.5)], bark, 0.035)
    pen.line([(0, 0.28), (0.16, 0.48)], bark, 0.035)
    crown = [
        (-0.42, 0.5),
        (-0.4, 0.72),
        (-0.2, 0.92),
        (0.05, 0.98),
        (0.3, 0.86),
        (0.43, 0.62),
        (0.36, 0.44),
        (0.1, 0.42),
        (-0.2, 0.4),
    ]
    pen.blob(crown, darker(leaf, 0.14))
    pen.blob([(px * 0.86 - 0.03, 0.7 + (py - 0.68) * 0.84) for px, py in crown], leaf)
    for cx, cy in ((-0.22, 0.72), (0.02, 0.84), (0.16, 0.66), (-0.08, 0.58)):
        pen.oval(cx, cy, 0.09, 0.06, lighter(leaf, 0.14))


def _pine(pen: Pen, rng: Random, light: Light, distance: float) -> None:
    green = rng.choice([rgb("2f6b57"), rgb("3b7a5a"), rgb("2c5f63"), rgb("476f4a")])
    leaf = light.lit(green, distance)
    pen.poly([(-0.035, 0), (-0.035, 0.2), (0.035, 0.2), (0.035, 0)], light.lit(BARK, distance))
    snow = light.lit(rgb("f7fbff"), distance * 0.6)
    for low, top, half in ((0.12, 0.52, 0.25), (0.34, 0.74, 0.2), (0.56, 1.0, 0.145)):
        pen.poly(
            [
                (-half, low),
                (0, top),
                (half, low),
                (half * 0.5, low - 0.025),
                (0, low + 0.01),
                (-half * 0.5, low - 0.025),
            ],
            leaf,
        )
        pen.poly([(0, low + 0.01), (0, top), (half, low), (half * 0.5, low - 0.025)], darker(leaf, 0.16))
        if light.is_winter:
            pen.blob(
                [
                    (0, top),
                    (-half * 0.62, low + 0.13),
                    (-half * 0.3, low + 0.16),
                    (0, low + 0.11),
                    (half * 0.3, low + 0.18),
                    (half * 0.5, low + 0.16),
                ],
                snow,
            )


def _poplar(pen: Pen, rng: Random, light: Light, distance: float) -> None:
    leaf = light.lit(rng.choice(light.leaves), distance)
    pen.poly([(-0.03, 0), (-0.02, 0.3), (0.02, 0.3), (0.03, 0)], light.lit(BARK, distance))
    shape = [
        (0, 1.0),
        (-0.1, 0.8),
        (-0.15, 0.5),
        (-0.1, 0.2),
        (0.0, 0.15),
        (0.1, 0.2),
        (0.15, 0.5),
        (0.1, 0.8),
    ]
    pen.blob(shape, darker(leaf, 0.14))
    pen.blob([(px * 0.75 - 0.025, 0.04 + py * 0.95) for px, py in shape], leaf)


def _birch(pen: Pen, rng: Random, light: Light, distance: float) -> None:
    pen.poly([(-0.035, 0), (-0.018, 0.85), (0.018, 0.85), (0.035, 0)], light.lit(rgb("f1ede2"), distance))
    for i in range(7):
        pen.line(
            [(-0.02, 0.08 + i * 0.07), (0.006 * (i % 3), 0.085 + i * 0.07)],
            light.lit(rgb("4a4440"), distance),
            0.012,
        )
    leaf = light.lit(rng.choice(light.leaves), distance)
    for i in range(26):
        angle, r = i * 2.4, 0.25 * math.sqrt((i + 1) / 26)
        tone = (leaf, lighter(leaf, 0.15), darker(leaf, 0.12))[i % 3]
        pen.oval(r * math.cos(angle), 0.72 + 1.05 * r * math.sin(angle), 0.085, 0.07, tone)


def _bare(pen: Pen, rng: Random, light: Light, distance: float) -> None:
    bark = light.lit(rgb("5d4a42"), distance)
    pen.poly([(-0.05, 0), (-0.018, 0.55), (0.018, 0.55), (0.05, 0)], bark)
    _branch(pen, rng, (0.0, 0.45), 1.57, 0.3, 0.028, 4, bark)


def _branch(
    pen: Pen,
    rng: Random,
    foot: tuple[float, float],
    angle: float,
    length: float,
    width: float,
    left: int,
    colour: Colour,
) -> None:
    tip = (foot[0] + length * math.cos(angle), foot[1] + length * math.sin(angle))
    pen.line([foot, tip], colour, width)
    if left:
        for turn in (-1, 1):
            _branch(
                pen,
                rng,
                tip,
                angle + turn * rng.uniform(0.3, 0.65),
                length * rng.uniform(0.55, 0.75),
                width * 0.62,
                left - 1,
                colour,
            )


def _palm(pen: Pen, rng: Random, light: Light, distance: float) -> None:
    bark, leaf = light.lit(rgb("9a7650"), distance), light.lit(rgb("3d9a5f"), distance)
    pen.line([(0, 0), (0.05, 0.3), (0.13, 0.58), (0.24, 0.8)], bark, 0.05, curved=True)
    for i, angle in enumerate((0.1, 0.65, 1.3, 1.95, 2.6, 3.1)):
        tone = darker(leaf, 0.16) if i % 2 else leaf
        cos, sin = math.cos(angle), math.sin(angle)
        tip = (0.24 + 0.36 * cos, 0.8 + 0.22 * sin - 0.12)
        mid = (0.24 + 0.2 * cos, 0.84 + 0.22 * sin)
        pen.blob([(0.24, 0.82), (mid[0], mid[1] + 0.03), tip, (mid[0] - 0.02 * cos, mid[1] - 0.055)], tone)
    pen.oval(0.22, 0.78, 0.03, 0.03, light.lit(rgb("6b4a2f")))
    pen.oval(0.27, 0.78, 0.03, 0.03, light.lit(rgb("7b563a")))


TREES = {
    "round": _round,
    "oak": _oak,
    "pine": _pine,
    "poplar": _poplar,
    "birch": _birch,
    "bare": _bare,
    "palm": _palm,
}


def flower(
    canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float, *, kind: str, petal: Colour
) -> None:
    """One flower of height ``size``: daisy, tulip, poppy or sunflower."""
    pen = Pen(canvas, x, y, size, flip=rng.random() < 0.5, tilt=rng.uniform(-0.12, 0.12))
    stem = light.lit(rgb("4f8a3f"))
    pen.line([(0, 0), (0.03, 0.4), (0, 0.75)], stem, 0.045, curved=True)
    pen.blob([(0.02, 0.1), (0.14, 0.32), (0.24, 0.4), (0.18, 0.2)], stem)
    pen.blob([(0.02, 0.05), (-0.12, 0.24), (-0.22, 0.3), (-0.15, 0.12)], darker(stem, 0.12))
    colour = light.lit(petal)
    if kind == "tulip":
        pen.blob(
            [
                (0, 0.62),
                (-0.15, 0.72),
                (-0.15, 0.98),
                (-0.06, 0.9),
                (0, 1.02),
                (0.06, 0.9),
                (0.15, 0.98),
                (0.15, 0.72),
            ],
            colour,
        )
        pen.blob([(0, 0.63), (-0.07, 0.75), (0, 0.98), (0.07, 0.75)], lighter(colour, 0.2))
        return
    count, long, thin, core = {
        "daisy": (10, 0.17, 0.055, 0.085),
        "poppy": (5, 0.14, 0.12, 0.06),
        "sunflower": (14, 0.2, 0.055, 0.13),
    }[kind]
    for i in range(count):
        a = 2 * math.pi * i / count
        tone = darker(colour, 0.08) if i % 2 else colour
        pen.oval(long * 0.75 * math.cos(a), 0.8 + long * 0.75 * math.sin(a), long * 0.72, thin, tone, tilt=a)
    middle = {"daisy": rgb("f2b632"), "poppy": rgb("33302f"), "sunflower": rgb("6b4226")}[kind]
    pen.oval(0, 0.8, core, core, light.lit(middle))


def flower_bed(
    canvas: Canvas,
    rng: Random,
    light: Light,
    *,
    top: float,
    count: int,
    size: float,
    kind: str = "",
    low_at: Sequence[tuple[float, float]] = (),
) -> None:
    """Flowers strewn from ``top`` down, larger the nearer, and low where they would hide somebody."""
    kind = kind or rng.choice(["daisy", "tulip", "poppy", "daisy"])
    colours = rng.sample(PETALS, rng.choice([1, 2, 3]))
    if kind == "sunflower":
        colours = [rgb("ffc93c")]
    spots = sorted(
        (rng.uniform(top, canvas.height + size * 0.35), rng.uniform(-5, canvas.width + 5))
        for _ in range(count)
    )
    for y, x in spots:
        near = (y - top) / max(1.0, canvas.height - top)
        tall = size * (0.45 + 0.55 * near)
        if any(left < x < right for left, right in low_at):
            tall *= 0.42
        flower(canvas, rng, light, x, y, tall, kind=kind, petal=rng.choice(colours))
        canvas.note("flower", x - tall * 0.2, y - tall, x + tall * 0.2, y - tall * 0.3)


def tufts(canvas: Canvas, rng: Random, light: Light, *, top: float, count: int) -> None:
    """Small blades of grass that keep a meadow from looking like paper."""
    blade = darker(light.ground(1.0), 0.14)
    for _ in range(count):
        y = rng.uniform(top, canvas.height)
        x = rng.uniform(0, canvas.width)
        size = 5 + 9 * (y - top) / max(1.0, canvas.height - top)
        for lean in (-0.45, 0.0, 0.45):
            canvas.polygon(
                [(x - 0.8, y), (x + lean * size, y - size), (x + 1.2, y)], mix(blade, light.ground(1.0), 0.3)
            )
