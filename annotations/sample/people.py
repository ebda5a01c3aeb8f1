"""People, and the snowman: each drawn around the point it stands on."""

from random import Random

from annotations.sample.canvas import Canvas, Pen, darker, lighter, rgb
from annotations.sample.light import Light
from annotations.sample.plants import shadow

SKINS = tuple(rgb(c) for c in ("f2c9a5", "d9a27a", "a9714b", "7a4d33", "f6d7bd"))


HAIRS = tuple(rgb(c) for c in ("3b2a22", "6b432a", "c98d4b", "22222a", "a9a3a0", "b5532f"))


COATS = {
    "red": rgb("d64545"),
    "yellow": rgb("f2b632"),
    "blue": rgb("3d6fb5"),
    "green": rgb("4b8f6a"),
    "purple": rgb("7d5ba6"),
    "white": rgb("f3efe6"),
    "orange": rgb("ec7f37"),
}


INK = rgb("2a2730")


def person(
    canvas: Canvas,
    rng: Random,
    light: Light,
    x: float,
    y: float,
    size: float,
    *,
    coat: str,
    child: bool = False,
    arm: str = "down",
    flip: bool = False,
) -> tuple[float, float]:
    """Somebody standing or walking; returns where the raised (``arm="up"``) or hanging hand is."""
    shadow(canvas, light, x, y, size * 0.2)
    pen = Pen(canvas, x, y, size, flip=flip)
    skin, hair, cloth = light.lit(rng.choice(SKINS)), light.lit(rng.choice(HAIRS)), light.lit(COATS[coat])
    legs, stride = (
        light.lit(rng.choice([rgb("3c4661"), rgb("5b5048"), rgb("2f3440"), rgb("7a6a58")])),
        rng.uniform(0.05, 0.11),
    )
    dress = rng.random() < 0.45
    top = 0.74 if child else 0.8
    r = 0.13 if child else 0.095
    for side in (-1, 1):
        pen.line(
            [(side * 0.035, 0.42), (side * stride, 0.035)],
            skin if dress and not light.is_winter else legs,
            0.075,
        )
        pen.oval(side * stride + 0.03, 0.022, 0.065, 0.03, light.lit(rgb("40332e")))
    pen.line([(-0.07, top - 0.07), (-0.15, 0.55), (-0.13, 0.42)], darker(cloth, 0.15), 0.065, curved=True)
    hem = (0.2, 0.26) if dress else (0.12, 0.38)
    pen.blob(
        [
            (-0.1, top - 0.04),
            (-0.115, 0.6),
            (-hem[0], hem[1]),
            (0, hem[1] - 0.015),
            (hem[0], hem[1]),
            (0.115, 0.6),
            (0.1, top - 0.04),
            (0, top),
        ],
        cloth,
    )
    hand = (0.21, top + 0.12) if arm == "up" else (0.14, 0.42)
    elbow = (0.2, top - 0.14) if arm == "up" else (0.16, 0.56)
    pen.line([(0.075, top - 0.07), elbow, hand], darker(cloth, 0.08), 0.065, curved=True)
    pen.oval(*hand, 0.036, 0.036, skin)
    head = top + r * 0.95
    if dress:
        pen.blob(
            [
                (-r, head + 0.05),
                (-r * 1.25, head - r * 1.3),
                (0, head - r * 1.5),
                (r * 0.7, head - r),
                (r * 0.9, head + 0.05),
                (0, head + r * 1.15),
            ],
            hair,
        )
    pen.oval(0, head, r * 0.92, r, skin)
    pen.blob(
        [
            (-r, head - 0.01),
            (-r * 0.8, head + r * 0.85),
            (r * 0.2, head + r * 1.15),
            (r * 0.98, head + r * 0.45),
            (r * 0.5, head + r * 0.42),
            (-r * 0.35, head + r * 0.38),
        ],
        hair,
    )
    if light.is_winter:
        wool = light.lit(COATS[rng.choice(sorted(COATS))])
        pen.blob(
            [
                (-r * 1.05, head + r * 0.25),
                (-r * 0.8, head + r),
                (0, head + r * 1.35),
                (r * 0.8, head + r),
                (r * 1.05, head + r * 0.25),
                (0, head + r * 0.35),
            ],
            wool,
        )
        pen.oval(0, head + r * 1.4, r * 0.28, r * 0.28, lighter(wool, 0.5))
        pen.line([(-0.075, top - 0.01), (0.075, top - 0.01)], wool, 0.055)
    pen.oval(r * 0.35, head - 0.004, 0.011, 0.014, INK)
    pen.oval(r * 0.75, head - 0.004, 0.011, 0.014, INK)
    pen.line(
        [(r * 0.35, head - r * 0.45), (r * 0.6, head - r * 0.5), (r * 0.78, head - r * 0.4)],
        darker(skin, 0.45),
        0.01,
        curved=True,
    )
    canvas.note("person", x - size * 0.14, y - size * 0.95, x + size * 0.14, y)
    return pen.at(*hand)


def snowman(canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float) -> None:
    shadow(canvas, light, x, y, size * 0.34)
    pen = Pen(canvas, x, y, size, flip=rng.random() < 0.5)
    white, blue = light.lit(rgb("fbfdff")), light.lit(rgb("cfdfee"))
    for cy, r in ((0.24, 0.27), (0.58, 0.2), (0.83, 0.14)):
        pen.oval(0, cy, r, r, blue)
        pen.oval(-0.02, cy + 0.015, r * 0.9, r * 0.9, white)
    for side in (-1, 1):
        pen.line([(side * 0.18, 0.6), (side * 0.4, 0.74)], light.lit(rgb("6b4a34")), 0.025)
        pen.oval(side * 0.05, 0.87, 0.017, 0.017, INK)
    pen.poly([(0, 0.84), (0.17, 0.81), (0, 0.79)], light.lit(rgb("ee8434")))
    pen.line([(-0.13, 0.71), (0.13, 0.71)], light.lit(COATS[rng.choice(["red", "blue", "green"])]), 0.06)
    pen.poly(
        [
            (-0.16, 0.94),
            (0.16, 0.94),
            (0.16, 0.965),
            (0.1, 0.965),
            (0.1, 1.12),
            (-0.1, 1.12),
            (-0.1, 0.965),
            (-0.16, 0.965),
        ],
        INK,
    )
    canvas.note("", x - size * 0.25, y - size, x + size * 0.25, y)
