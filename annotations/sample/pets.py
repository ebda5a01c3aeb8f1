"""Dogs and cats in their poses, each drawn around the point it stands on."""

from random import Random

from annotations.sample.canvas import Canvas, Colour, Pen, darker, lighter, mix, rgb
from annotations.sample.light import Light
from annotations.sample.plants import shadow

FURS = {
    "brown": rgb("9c6b3f"),
    "black": rgb("3a3638"),
    "white": rgb("efe9df"),
    "golden": rgb("d9a35b"),
    "grey": rgb("8d9199"),
    "ginger": rgb("d9823b"),
}


INK = rgb("2a2730")


def dog(
    canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float, *, pose: str, fur: str
) -> None:
    """A dog that stands, runs or sits; ``size`` is its height."""
    coat = light.lit(FURS[fur])
    flip = rng.random() < 0.5
    shadow(canvas, light, x, y, size * 0.6)
    (_dog_sitting if pose == "sits" else _dog_standing)(
        Pen(canvas, x, y, size, flip=flip), light, coat, runs=pose == "runs"
    )
    half = 0.5 if pose == "sits" else 0.75
    canvas.note("dog", x - half * size, y - size, x + half * size, y)


def _dog_standing(pen: Pen, light: Light, coat: Colour, *, runs: bool) -> None:
    back = darker(coat, 0.2)
    reach = 0.2 if runs else 0.0
    for hip, foot in ((-0.4, -0.34 - reach), (0.38, 0.42 + reach)):
        pen.line([(hip, 0.45), (foot, 0.05 + reach * 0.4)], back, 0.11)
    pen.line([(-0.5, 0.6), (-0.68, 0.72), (-0.76, 0.95)], coat, 0.08, curved=True)
    pen.blob(
        [
            (-0.58, 0.52),
            (-0.5, 0.68),
            (-0.1, 0.67),
            (0.3, 0.74),
            (0.48, 0.64),
            (0.45, 0.44),
            (0.1, 0.37),
            (-0.4, 0.38),
        ],
        coat,
    )
    for hip, foot in ((-0.5, -0.5 - reach), (0.28, 0.28 + reach)):
        pen.line([(hip, 0.47), (foot, 0.05 + reach * 0.25)], coat, 0.12)
    pen.line([(0.34, 0.62), (0.52, 0.82)], coat, 0.26)
    pen.line([(0.34, 0.76), (0.52, 0.66)], light.lit(rgb("d64545")), 0.06)
    _dog_head(pen, light, coat, 0.58, 0.88)


def _dog_sitting(pen: Pen, light: Light, coat: Colour, *, runs: bool) -> None:
    pen.line([(-0.28, 0.06), (-0.5, 0.1), (-0.58, 0.28)], coat, 0.08, curved=True)
    pen.blob(
        [(-0.34, 0.02), (-0.36, 0.25), (-0.18, 0.52), (0.02, 0.72), (0.24, 0.7), (0.3, 0.45), (0.24, 0.02)],
        coat,
    )
    pen.line([(0.1, 0.4), (0.1, 0.05)], darker(coat, 0.2), 0.11)
    pen.oval(-0.14, 0.18, 0.22, 0.19, mix(coat, darker(coat, 0.2), 0.5))
    pen.line([(0.22, 0.5), (0.24, 0.05)], coat, 0.12)
    pen.line([(-0.14, 0.04), (0.06, 0.04)], mix(coat, darker(coat, 0.2), 0.5), 0.09)
    pen.line([(0.02, 0.66), (0.28, 0.64)], light.lit(rgb("3d6fb5")), 0.06)
    _dog_head(pen, light, coat, 0.16, 0.82)


def _dog_head(pen: Pen, light: Light, coat: Colour, x: float, y: float) -> None:
    pen.oval(x, y, 0.185, 0.165, coat)
    pen.oval(x + 0.2, y - 0.06, 0.15, 0.085, lighter(coat, 0.22))
    pen.oval(x + 0.32, y - 0.02, 0.045, 0.038, INK)
    pen.line([(x + 0.16, y - 0.11), (x + 0.28, y - 0.1)], darker(coat, 0.45), 0.014)
    pen.blob(
        [
            (x - 0.12, y + 0.13),
            (x - 0.02, y + 0.06),
            (x - 0.05, y - 0.18),
            (x - 0.15, y - 0.19),
            (x - 0.19, y),
        ],
        darker(coat, 0.3),
    )
    pen.oval(x + 0.08, y + 0.05, 0.026, 0.03, INK)
    pen.oval(x + 0.088, y + 0.06, 0.009, 0.009, rgb("ffffff"))


def cat(
    canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float, *, pose: str, fur: str
) -> None:
    """A cat that sits (facing us), walks or lies; ``size`` is the height of a sitting one."""
    coat = light.lit(FURS[fur])
    shadow(canvas, light, x, y, size * 0.42)
    pen = Pen(canvas, x, y, size, flip=rng.random() < 0.5)
    {"sits": _cat_sitting, "walks": _cat_walking, "lies": _cat_lying}[pose](pen, coat)
    half, tall = {"sits": (0.4, 1.0), "walks": (0.6, 0.85), "lies": (0.6, 0.5)}[pose]
    canvas.note("cat", x - half * size, y - tall * size, x + half * size, y)


def _cat_sitting(pen: Pen, coat: Colour) -> None:
    shade, belly = darker(coat, 0.22), lighter(coat, 0.35)
    pen.line([(0.2, 0.07), (0.44, 0.08), (0.54, 0.28), (0.46, 0.48)], shade, 0.1, curved=True)
    pen.blob(
        [
            (-0.29, 0.02),
            (-0.32, 0.24),
            (-0.2, 0.52),
            (0, 0.66),
            (0.2, 0.52),
            (0.32, 0.24),
            (0.29, 0.02),
            (0, -0.01),
        ],
        coat,
    )
    pen.blob([(-0.11, 0.1), (-0.12, 0.4), (0, 0.56), (0.12, 0.4), (0.11, 0.1)], belly)
    for side in (-1, 1):
        pen.oval(side * 0.1, 0.05, 0.085, 0.055, lighter(coat, 0.2))
        pen.line([(side * 0.27, 0.32), (side * 0.18, 0.31)], shade, 0.03)
        pen.line([(side * 0.29, 0.22), (side * 0.19, 0.22)], shade, 0.03)
    _cat_head(pen, coat, 0, 0.78)


def _cat_head(pen: Pen, coat: Colour, x: float, y: float) -> None:
    shade = darker(coat, 0.22)
    for side in (-1, 1):
        pen.poly(
            [(x + side * 0.23, y + 0.02), (x + side * 0.22, y + 0.27), (x + side * 0.04, y + 0.14)], coat
        )
        pen.poly(
            [(x + side * 0.19, y + 0.08), (x + side * 0.19, y + 0.21), (x + side * 0.09, y + 0.14)],
            rgb("e8a6a0"),
        )
    pen.oval(x, y, 0.24, 0.19, coat)
    for dx in (-0.07, 0, 0.07):
        pen.line([(x + dx, y + 0.17), (x + dx * 0.8, y + 0.1)], shade, 0.028)
    pen.oval(x, y - 0.07, 0.12, 0.08, lighter(coat, 0.35))
    for side in (-1, 1):
        pen.oval(x + side * 0.1, y + 0.025, 0.042, 0.05, rgb("c8d96a"))
        pen.oval(x + side * 0.1, y + 0.025, 0.017, 0.044, INK)
        for k in (-1, 0, 1):
            pen.line(
                [(x + side * 0.1, y - 0.06), (x + side * 0.3, y - 0.06 + 0.035 * k)],
                lighter(coat, 0.55),
                0.009,
            )
    pen.poly([(x - 0.03, y - 0.035), (x + 0.03, y - 0.035), (x, y - 0.065)], rgb("d97b7b"))


def _cat_walking(pen: Pen, coat: Colour) -> None:
    shade = darker(coat, 0.22)
    for hip, foot in ((-0.3, -0.36), (0.26, 0.34)):
        pen.line([(hip, 0.32), (foot, 0.04)], shade, 0.08)
    pen.line([(-0.4, 0.42), (-0.58, 0.5), (-0.62, 0.72), (-0.54, 0.88)], coat, 0.075, curved=True)
    pen.blob(
        [
            (-0.44, 0.36),
            (-0.38, 0.5),
            (0, 0.49),
            (0.3, 0.53),
            (0.4, 0.44),
            (0.34, 0.3),
            (0, 0.26),
            (-0.34, 0.25),
        ],
        coat,
    )
    for hip, foot in ((-0.36, -0.28), (0.2, 0.16)):
        pen.line([(hip, 0.34), (foot, 0.04)], coat, 0.085)
    for dx in (-0.22, -0.1, 0.02, 0.14):
        pen.line([(dx, 0.5), (dx + 0.02, 0.38)], shade, 0.03)
    _cat_head(Pen(pen.canvas, *pen.at(0.44, 0.6), pen.size * 0.82, flip=pen.flip), coat, 0, 0)


def _cat_lying(pen: Pen, coat: Colour) -> None:
    pen.line([(-0.44, 0.12), (-0.6, 0.06), (-0.62, 0.0), (-0.3, 0.03)], darker(coat, 0.22), 0.09, curved=True)
    pen.blob(
        [(-0.54, 0.03), (-0.52, 0.24), (-0.25, 0.4), (0.1, 0.38), (0.4, 0.26), (0.5, 0.04), (0, 0)], coat
    )
    for dx in (-0.36, -0.24, -0.12, 0.0):
        pen.line([(dx, 0.36), (dx + 0.03, 0.24)], darker(coat, 0.22), 0.035)
    pen.oval(0.42, 0.05, 0.14, 0.055, lighter(coat, 0.2))
    _cat_head(Pen(pen.canvas, *pen.at(0.38, 0.3), pen.size * 0.85, flip=pen.flip), coat, 0, 0)
