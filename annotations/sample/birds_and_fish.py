"""What flies, perches and swims."""

from random import Random

from annotations.sample.canvas import Canvas, Colour, Pen, darker, lighter, rgb
from annotations.sample.light import Light

INK = rgb("2a2730")


def bird_flying(
    canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float, *, tone: Colour
) -> None:
    """A bird in the air, ``size`` from wing tip to wing tip."""
    pen = Pen(canvas, x, y, size, flip=rng.random() < 0.5, tilt=rng.uniform(-0.2, 0.2))
    up = rng.uniform(0.12, 0.3)
    colour, dark = light.lit(tone), darker(light.lit(tone), 0.25)
    pen.blob(
        [
            (0.02, 0.0),
            (-0.12, up * 0.9),
            (-0.34, up * 0.95),
            (-0.52, up * 0.45),
            (-0.32, up * 0.6),
            (-0.1, -0.02),
        ],
        dark,
    )
    pen.blob([(-0.2, -0.08), (-0.02, -0.01), (0.16, 0.04), (0.22, 0.0), (0.12, -0.08), (-0.06, -0.1)], colour)
    pen.poly([(-0.16, -0.06), (-0.32, -0.05), (-0.3, -0.12), (-0.12, -0.1)], dark)
    pen.blob(
        [(-0.02, 0.0), (0.06, up * 1.1), (0.28, up * 1.25), (0.5, up * 0.8), (0.3, up * 0.85), (0.1, -0.02)],
        colour,
    )
    pen.poly([(0.2, 0.02), (0.29, -0.005), (0.2, -0.025)], light.lit(rgb("f2a13c")))
    if size > 40:
        pen.oval(0.155, 0.008, 0.012, 0.012, INK)
    canvas.note("bird", x - size * 0.4, y - size * 0.3, x + size * 0.4, y + size * 0.12)


def bird_perched(
    canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float, *, tone: Colour
) -> None:
    """A small round bird standing on (x, y)."""
    pen = Pen(canvas, x, y, size, flip=rng.random() < 0.5)
    colour = light.lit(tone)
    for dx in (-0.05, 0.08):
        pen.line([(dx, 0.25), (dx + 0.02, 0.0)], light.lit(rgb("8a5a34")), 0.03)
    pen.poly([(-0.3, 0.42), (-0.68, 0.3), (-0.66, 0.42), (-0.28, 0.58)], darker(colour, 0.3))
    pen.blob(
        [
            (-0.4, 0.44),
            (-0.2, 0.66),
            (0.05, 0.9),
            (0.3, 0.92),
            (0.4, 0.74),
            (0.34, 0.45),
            (0.1, 0.22),
            (-0.2, 0.24),
        ],
        colour,
    )
    pen.blob([(0.05, 0.24), (0.33, 0.48), (0.36, 0.66), (0.2, 0.6), (-0.02, 0.4)], light.lit(rgb("f3c9a0")))
    pen.blob([(-0.42, 0.42), (-0.16, 0.64), (0.1, 0.58), (0.02, 0.36), (-0.2, 0.32)], darker(colour, 0.22))
    pen.poly([(0.38, 0.84), (0.56, 0.76), (0.38, 0.7)], light.lit(rgb("f2a13c")))
    pen.oval(0.26, 0.8, 0.04, 0.04, INK)
    pen.oval(0.272, 0.815, 0.014, 0.014, rgb("ffffff"))
    canvas.note("bird", x - size * 0.45, y - size * 0.9, x + size * 0.4, y)


def duck(canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float) -> None:
    pen = Pen(canvas, x, y, size, flip=rng.random() < 0.5)
    body, head = rng.choice([(rgb("f6f2e8"), rgb("f6f2e8")), (rgb("a98a6b"), rgb("2f7a58"))])
    pen.blob(
        [
            (-0.6, 0.34),
            (-0.4, 0.16),
            (-0.1, 0.24),
            (0.2, 0.3),
            (0.42, 0.2),
            (0.36, 0.02),
            (0, -0.02),
            (-0.42, 0.0),
        ],
        light.lit(body),
    )
    pen.line([(0.26, 0.24), (0.3, 0.55)], light.lit(head), 0.17)
    pen.oval(0.32, 0.6, 0.16, 0.14, light.lit(head))
    pen.poly([(0.44, 0.66), (0.64, 0.57), (0.44, 0.53)], light.lit(rgb("f2a13c")))
    pen.oval(0.37, 0.64, 0.025, 0.025, INK)
    pen.blob([(-0.42, 0.2), (-0.1, 0.27), (0.14, 0.16), (-0.12, 0.06)], darker(light.lit(body), 0.12))
    pen.poly([(-0.75, 0.0), (0, -0.06), (0.65, 0.0), (0, 0.03)], lighter(light.water[-1], 0.3))
    canvas.note("bird", x - size * 0.5, y - size * 0.7, x + size * 0.55, y)


def fish(canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float, *, tone: Colour) -> None:
    """A fish ``size`` long, swimming."""
    pen = Pen(canvas, x, y, size, flip=rng.random() < 0.5, tilt=rng.uniform(-0.15, 0.15))
    deep = rng.uniform(0.17, 0.28)
    fin = darker(tone, 0.18)
    pen.blob([(-0.3, 0), (-0.52, deep * 0.95), (-0.46, 0), (-0.52, -deep * 0.95)], fin)
    pen.blob([(-0.1, deep * 0.8), (-0.02, deep * 1.5), (0.18, deep * 0.7)], fin)
    pen.blob([(-0.05, -deep * 0.8), (-0.06, -deep * 1.35), (0.12, -deep * 0.7)], fin)
    body = [
        (-0.36, 0.01),
        (-0.15, deep * 0.85),
        (0.15, deep),
        (0.38, deep * 0.5),
        (0.47, 0),
        (0.38, -deep * 0.5),
        (0.15, -deep),
        (-0.15, -deep * 0.85),
    ]
    pen.blob(body, tone)
    pen.blob([(px * 0.96, -0.3 * deep + py * 0.62) for px, py in body], lighter(tone, 0.22))
    if rng.random() < 0.6:
        for dx in (-0.12, 0.06):
            pen.blob(
                [
                    (dx, deep * 0.85),
                    (dx + 0.07, deep * 0.85),
                    (dx + 0.04, -deep * 0.85),
                    (dx - 0.02, -deep * 0.85),
                ],
                rgb("fbf6ea"),
            )
    pen.blob([(0.02, 0.02), (-0.12, 0.06), (-0.1, -0.08)], fin)
    pen.oval(0.33, deep * 0.22, 0.045, 0.045, rgb("ffffff"))
    pen.oval(0.34, deep * 0.22, 0.024, 0.024, INK)
    canvas.note("fish", x - size * 0.4, y - size * deep, x + size * 0.4, y + size * deep)
