"""What people hold or play with: balloons on strings, umbrellas, kites, balls."""

import math
from random import Random

from annotations.sample.canvas import (
    Canvas,
    Pen,
    Point,
    darker,
    lighter,
    oval,
    rgb,
    smooth,
)
from annotations.sample.light import Light
from annotations.sample.plants import shadow
from annotations.sample.vehicles import PAINTS


def toy_balloons(canvas: Canvas, rng: Random, light: Light, hand: Point, size: float) -> None:
    """A bunch of balloons on strings held in ``hand``."""
    for paint in rng.sample(sorted(PAINTS), rng.choice([1, 3, 4])):
        bx, by = hand[0] + rng.uniform(-0.4, 0.4) * size, hand[1] - size * rng.uniform(0.8, 1.25)
        canvas.line([hand, (bx, by + size * 0.26)], light.lit(rgb("4a4a55")), 0.8)
        tone = light.lit(PAINTS[paint])
        canvas.polygon(
            [(bx - 4, by + size * 0.3), (bx + 4, by + size * 0.3), (bx, by + size * 0.22)], darker(tone, 0.15)
        )
        canvas.polygon(oval(bx, by, size * 0.2, size * 0.25), tone)
        canvas.polygon(
            oval(bx - size * 0.07, by - size * 0.09, size * 0.035, size * 0.06, tilt=0.4), lighter(tone, 0.5)
        )
        canvas.note("balloon", bx - size * 0.18, by - size * 0.22, bx + size * 0.18, by + size * 0.22)


def umbrella(
    canvas: Canvas, rng: Random, light: Light, foot: Point, tall: float, width: float, *, paint: str
) -> None:
    """An open umbrella whose stick goes up from ``foot``."""
    pen = Pen(canvas, foot[0], foot[1], width, tilt=rng.uniform(-0.12, 0.12))
    tone, other = light.lit(PAINTS[paint]), light.lit(rgb("fbf4e6"))
    rise = tall / width
    pen.line([(0, 0), (0, rise)], light.lit(rgb("6b5a4c")), 0.03)
    arc = [
        (0.5 * math.cos(a), rise - 0.34 + 0.4 * math.sin(a))
        for a in (math.pi - i * math.pi / 24 for i in range(25))
    ]
    scallops = [
        (0.5 - (i + k) / 5 * 1.0, rise - 0.34 + 0.05 * math.sin(math.pi * k))
        for i in range(5)
        for k in (0.0, 0.25, 0.5, 0.75)
    ]
    pen.poly(arc + scallops, tone)
    striped = rng.random() < 0.6
    for i, (x0, x1) in enumerate(((-0.3, -0.1), (0.1, 0.3))):
        panel = [
            (x0, rise - 0.34),
            ((x0 * 0.7), rise - 0.06),
            (0, rise + 0.06),
            ((x1 * 0.7), rise - 0.06),
            (x1, rise - 0.34),
            ((x0 + x1) / 2, rise - 0.29),
        ]
        pen.poly(panel, other if striped else darker(tone, 0.12 + 0.06 * i))
    pen.line([(0, rise + 0.05), (0, rise + 0.12)], light.lit(rgb("6b5a4c")), 0.025)
    top = foot[1] - tall
    canvas.note(
        "umbrella", foot[0] - width * 0.45, top - width * 0.05, foot[0] + width * 0.45, top + width * 0.34
    )


def kite(canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float, *, hand: Point) -> None:
    first, second = (light.lit(PAINTS[p]) for p in rng.sample(sorted(PAINTS), 2))
    middle = ((x + hand[0]) / 2, (y + hand[1]) / 2 + 26)
    canvas.line(smooth([(x, y), middle, hand], closed=False, steps=12), light.lit(rgb("55555f")), 0.8)
    pen = Pen(canvas, x, y, size, tilt=rng.uniform(-0.5, 0.5))
    pen.line([(0, -0.55), (0.12, -0.8), (-0.08, -1.05), (0.08, -1.3)], first, 0.03, curved=True)
    for ty in (-0.78, -1.02, -1.26):
        pen.poly([(0.02, ty), (-0.12, ty + 0.07), (-0.12, ty - 0.07)], second)
        pen.poly([(0.02, ty), (0.16, ty + 0.07), (0.16, ty - 0.07)], second)
    pen.poly([(0, 0.6), (-0.42, 0.12), (0, -0.6), (0.42, 0.12)], first)
    pen.poly([(0, 0.6), (0, 0.12), (0.42, 0.12)], second)
    pen.poly([(0, -0.6), (0, 0.12), (-0.42, 0.12)], second)
    canvas.note("", x - size * 0.3, y - size * 0.5, x + size * 0.3, y + size * 0.5)


def ball(canvas: Canvas, light: Light, x: float, y: float, radius: float, *, paint: str) -> None:
    shadow(canvas, light, x, y, radius * 1.1)
    tone = light.lit(PAINTS[paint])
    pen = Pen(canvas, x, y - radius, radius, tilt=0.4)
    pen.oval(0, 0, 1, 1, tone)
    pen.oval(0, 0, 0.42, 1, light.lit(rgb("fbf7ec")))
    pen.oval(-0.4, 0.4, 0.16, 0.12, rgb("ffffff"), alpha=0.6)
