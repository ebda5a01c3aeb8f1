"""What carries people: cars, boats, bicycles, hot-air balloons."""

import math
from random import Random

from annotations.sample.buildings import LAMP
from annotations.sample.canvas import (
    Canvas,
    Pen,
    Point,
    darker,
    lighter,
    mix,
    rgb,
    smooth,
)
from annotations.sample.light import Light
from annotations.sample.plants import shadow

PAINTS = {
    "red": rgb("d64545"),
    "blue": rgb("3a78b8"),
    "yellow": rgb("f0b429"),
    "green": rgb("4f9d69"),
    "white": rgb("f2efe8"),
    "orange": rgb("ec7f37"),
    "turquoise": rgb("3fb0ac"),
}


def car(
    canvas: Canvas,
    rng: Random,
    light: Light,
    x: float,
    y: float,
    size: float,
    *,
    paint: str,
    van: bool = False,
) -> None:
    """A car ``size`` long seen from the side, its wheels on ``y``."""
    body = light.lit(PAINTS[paint])
    shadow(canvas, light, x, y, size * 0.55)
    pen = Pen(canvas, x, y, size, flip=rng.random() < 0.5)
    glass = light.lit(rgb("bfe0ec"))
    if van:
        pen.blob(
            [
                (-0.5, 0.08),
                (-0.5, 0.3),
                (-0.48, 0.46),
                (-0.3, 0.48),
                (0.2, 0.48),
                (0.36, 0.44),
                (0.46, 0.28),
                (0.5, 0.2),
                (0.5, 0.08),
                (0.3, 0.07),
                (-0.3, 0.07),
            ],
            body,
        )
        panes = [
            [(-0.42, 0.29), (-0.42, 0.42), (-0.22, 0.42), (-0.22, 0.29)],
            [(-0.18, 0.29), (-0.18, 0.42), (0.02, 0.42), (0.02, 0.29)],
            [(0.06, 0.29), (0.06, 0.42), (0.31, 0.41), (0.4, 0.29)],
        ]
    else:
        pen.blob([(-0.33, 0.24), (-0.22, 0.42), (-0.05, 0.45), (0.12, 0.43), (0.28, 0.25), (0, 0.2)], body)
        pen.blob(
            [
                (-0.5, 0.1),
                (-0.5, 0.24),
                (-0.4, 0.28),
                (0, 0.27),
                (0.3, 0.26),
                (0.46, 0.21),
                (0.5, 0.1),
                (0.3, 0.07),
                (-0.3, 0.07),
            ],
            body,
        )
        panes = [
            [(-0.27, 0.27), (-0.19, 0.39), (-0.03, 0.41), (-0.03, 0.27)],
            [(0.01, 0.27), (0.01, 0.41), (0.1, 0.39), (0.22, 0.27)],
        ]
    for pane in panes:
        pen.poly(pane, glass)
        (ax, ay), (bx, by) = pane[0], pane[1]
        pen.poly([pane[0], (bx, by), (bx + 0.05, by), (ax + 0.05, ay)], lighter(glass, 0.35))
    pen.line([(-0.46, 0.17), (0.46, 0.17)], darker(body, 0.16), 0.02)
    pen.line([(-0.04, 0.22), (0.02, 0.22)], darker(body, 0.35), 0.014)
    for wx in (-0.28, 0.28):
        pen.oval(wx, 0.09, 0.105, 0.105, darker(body, 0.4))
        pen.oval(wx, 0.085, 0.088, 0.088, rgb("26262c"))
        pen.oval(wx, 0.085, 0.045, 0.045, light.lit(rgb("c9ced6")))
    pen.oval(0.475, 0.18, 0.022, 0.032, rgb("fff2bd"))
    pen.oval(-0.485, 0.19, 0.016, 0.03, light.lit(rgb("b3242a")))
    if light.hour in ("night", "dusk"):
        gx, gy = pen.at(0.52, 0.18)
        canvas.glow(gx, gy, size * 0.22, rgb("fff0b8"), 0.7)
    canvas.note("car", x - size * 0.5, y - size * 0.4, x + size * 0.5, y)


def boat(
    canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float, *, kind: str, paint: str
) -> None:
    """A sailing boat, rowing boat or steamer ``size`` long at the water line ``y``."""
    pen = Pen(canvas, x, y, size, flip=rng.random() < 0.5, tilt=rng.uniform(-0.04, 0.04))
    hull, white = light.lit(PAINTS[paint]), light.lit(rgb("fbf7ec"))
    wood = light.lit(rgb("7a5a42"))
    pen.poly([(-0.5, -0.01), (0, -0.12), (0.5, -0.01), (0, 0.03)], darker(light.water[-1], 0.22))
    tall = {"sail": 1.0, "steamer": 0.5, "row": 0.22}[kind]
    if kind == "sail":
        pen.line([(0.02, 0.1), (0.02, 1.0)], wood, 0.025)
        main = lighter(
            light.lit(rng.choice([rgb("fbf7ec"), rgb("f2dfb8"), PAINTS[rng.choice(sorted(PAINTS))]])), 0.1
        )
        pen.poly(smooth([(0.05, 0.96), (0.2, 0.6), (0.4, 0.22), (0.05, 0.2)], steps=3), main)
        pen.blob([(-0.01, 0.9), (-0.14, 0.5), (-0.36, 0.2), (-0.18, 0.21), (-0.01, 0.22)], darker(main, 0.1))
        pen.poly([(0.02, 1.0), (0.12, 0.97), (0.02, 0.94)], light.lit(rgb("d64545")))
    if kind == "steamer":
        pen.poly([(-0.26, 0.14), (-0.26, 0.32), (0.22, 0.32), (0.26, 0.14)], white)
        pen.poly([(-0.12, 0.32), (-0.12, 0.42), (0.12, 0.42), (0.14, 0.32)], darker(white, 0.06))
        pen.poly([(-0.22, 0.32), (-0.21, 0.52), (-0.1, 0.52), (-0.1, 0.32)], light.lit(rgb("d64545")))
        for wx in (-0.18, -0.04, 0.1):
            pen.oval(wx, 0.23, 0.035, 0.035, LAMP if light.is_dark else light.lit(rgb("6fa3c0")))
    if kind == "row":
        pen.line([(-0.1, 0.12), (-0.38, -0.06)], wood, 0.02)
        pen.line([(0.12, 0.12), (0.34, -0.06)], wood, 0.02)
    pen.poly(
        smooth(
            [
                (-0.5, 0.17),
                (-0.3, 0.15),
                (0, 0.13),
                (0.3, 0.15),
                (0.54, 0.2),
                (0.4, 0.02),
                (0.3, -0.02),
                (-0.32, -0.02),
                (-0.42, 0.02),
            ],
            steps=4,
        ),
        hull,
    )
    pen.line(
        [(-0.44, 0.11), (-0.2, 0.095), (0.2, 0.095), (0.46, 0.13)], lighter(hull, 0.55), 0.022, curved=True
    )
    for k in (-0.36, 0.05, 0.4):
        pen.poly([(k - 0.16, -0.02), (k, -0.045), (k + 0.16, -0.02), (k, 0.0)], lighter(light.water[0], 0.35))
    canvas.note("boat", x - size * 0.45, y - size * tall * 0.8, x + size * 0.45, y)


def balloon(
    canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float, *, paint: str
) -> None:
    """A hot-air balloon ``size`` high; (x, y) is the foot of its basket."""
    pen = Pen(canvas, x, y, size)
    first = PAINTS[paint]
    second = rng.choice([c for name, c in sorted(PAINTS.items()) if name != paint])
    tones = [light.lit(first), light.lit(second)]

    def gore(share: float) -> list[Point]:
        side = [(0.0, 1.0), (0.2, 0.96), (0.34, 0.82), (0.36, 0.64), (0.26, 0.42), (0.12, 0.25)]
        path = [(-px * share, py) for px, py in side[::-1]] + [(px * share, py) for px, py in side[1:]]
        return smooth(path, closed=False, steps=5)

    for rope in (-0.07, 0.07):
        pen.line([(rope * 1.5, 0.26), (rope, 0.1)], light.lit(rgb("5b4a3c")), 0.01)
    for i, share in enumerate((1.0, 0.78, 0.5, 0.2)):
        pen.poly(gore(share), tones[i % 2])
    rim = gore(1.0)
    pen.poly(
        [*rim[len(rim) // 2 :], *[(px * 0.62, py) for px, py in gore(1.0)[len(rim) // 2 :][::-1]]],
        darker(tones[0], 0.4),
        alpha=0.25,
    )
    pen.poly([(-0.12, 0.27), (0.12, 0.27), (0.09, 0.22), (-0.09, 0.22)], darker(tones[1], 0.2))
    pen.oval(-0.16, 0.78, 0.05, 0.1, rgb("ffffff"), tilt=0.4, alpha=0.28)
    pen.poly([(-0.085, 0.12), (0.085, 0.12), (0.07, 0.0), (-0.07, 0.0)], light.lit(rgb("a0713f")))
    pen.line([(-0.085, 0.115), (0.085, 0.115)], light.lit(rgb("6b4a2a")), 0.022)
    if light.is_dark:
        canvas.glow(x, y - size * 0.4, size * 0.5, LAMP, 0.45)
    canvas.note("balloon", x - size * 0.34, y - size * 0.95, x + size * 0.34, y - size * 0.1)


def bicycle(
    canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float, *, paint: str
) -> None:
    pen = Pen(canvas, x, y, size, flip=rng.random() < 0.5)
    tyre, frame = light.lit(rgb("2d2d34")), light.lit(PAINTS[paint])
    for wx in (-0.32, 0.32):
        pen.line(
            [
                (wx + 0.2 * math.cos(a), 0.21 + 0.2 * math.sin(a))
                for a in (i * math.pi / 14 for i in range(29))
            ],
            tyre,
            0.03,
        )
        for i in range(4):
            dx, dy = 0.19 * math.cos(i * math.pi / 4), 0.19 * math.sin(i * math.pi / 4)
            pen.line([(wx - dx, 0.21 - dy), (wx + dx, 0.21 + dy)], mix(tyre, light.haze, 0.5), 0.006)
    seat, bars, crank, rear, front = (-0.12, 0.52), (0.22, 0.52), (-0.02, 0.2), (-0.32, 0.21), (0.32, 0.21)
    for a, b in ((seat, crank), (crank, bars), (seat, bars), (rear, seat), (rear, crank), (front, bars)):
        pen.line([a, b], frame, 0.03)
    pen.line([bars, (0.2, 0.62), (0.28, 0.64)], tyre, 0.025)
    pen.line([(-0.19, 0.56), (-0.06, 0.56)], tyre, 0.045)
    pen.oval(*crank, 0.045, 0.045, tyre)
