"""Houses, towers, the lighthouse, and what stands along streets and gardens."""

from random import Random

from annotations.sample.canvas import Canvas, Colour, Pen, darker, mix, rgb
from annotations.sample.light import Light
from annotations.sample.plants import shadow

WALLS = tuple(
    rgb(c) for c in ("f3e3c9", "e9b08a", "d9695b", "f6f1e4", "9fc0c9", "e8c468", "b9c7a0", "cf8f8f")
)


ROOFS = tuple(rgb(c) for c in ("a8443a", "7a4a3c", "4f5b6b", "b5653a", "5b4450"))


LAMP = rgb("ffd98a")


def house(canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float) -> None:
    """A house ``size`` wide whose ground line is ``y``, in the middle of ``x``."""
    wall, roof = light.lit(rng.choice(WALLS)), light.lit(rng.choice(ROOFS))
    tall, rise = size * rng.uniform(0.5, 0.72), size * rng.uniform(0.32, 0.5)
    left, right, eave = x - size / 2, x + size / 2, y - tall
    snow = light.lit(rgb("f8fbff"))
    shadow(canvas, light, x, y, size * 0.6)
    side = rng.choice([-1, 1])
    cx = x + side * size * 0.24
    canvas.rectangle(
        cx - size * 0.05, eave - rise * 0.95, cx + size * 0.05, eave - rise * 0.2, darker(roof, 0.2)
    )
    canvas.rectangle(left, eave - 1, right, y, wall)
    canvas.rectangle(right - size * 0.14, eave, right, y, darker(wall, 0.08))
    over = size * 0.07
    if rng.random() < 0.6:
        canvas.polygon([(left, eave), (x, eave - rise * 0.93), (right, eave)], wall)
        for edge in (left - over, right + over):
            inward = 1 if edge < x else -1
            drop = rise * over / (size / 2)
            slab = [
                (x, eave - rise),
                (edge, eave + drop),
                (edge + inward * over * 0.3, eave + drop + size * 0.06),
                (x, eave - rise + size * 0.085),
            ]
            canvas.polygon(slab, snow if light.is_winter else roof)
        canvas.ellipse(
            x, eave - rise * 0.3, size * 0.06, size * 0.06, LAMP if light.is_dark else darker(wall, 0.35)
        )
    else:
        canvas.polygon(
            [
                (left - over, eave),
                (left + size * 0.1, eave - rise * 0.8),
                (right - size * 0.1, eave - rise * 0.8),
                (right + over, eave),
            ],
            roof,
        )
        if light.is_winter:
            canvas.polygon(
                [
                    (left - over * 0.6, eave - 4),
                    (left + size * 0.1, eave - rise * 0.85),
                    (right - size * 0.1, eave - rise * 0.85),
                    (right + over * 0.6, eave - 4),
                ],
                snow,
            )
        else:
            for k in (0.25, 0.5, 0.75):
                inset = size * 0.17 * k - over
                canvas.line(
                    [(left + inset, eave - rise * 0.8 * k), (right - inset, eave - rise * 0.8 * k)],
                    darker(roof, 0.14),
                    1.0,
                )
    _house_front(canvas, rng, light, x, y, size, tall)
    canvas.note("house", left, eave - rise * 0.6, right, y)


def _window(canvas: Canvas, light: Light, x: float, y: float, w: float, h: float, *, on: bool) -> None:
    glass = LAMP if on else light.lit(rgb("8fb6c9"))
    canvas.rectangle(x, y, x + w, y + h, light.lit(rgb("fbf7ee")), radius=1)
    canvas.rectangle(x + 1.5, y + 1.5, x + w - 1.5, y + h - 1.5, glass)
    canvas.rectangle(x + w / 2 - 0.7, y, x + w / 2 + 0.7, y + h, light.lit(rgb("fbf7ee")))
    canvas.rectangle(x, y + h / 2 - 0.7, x + w, y + h / 2 + 0.7, light.lit(rgb("fbf7ee")))
    if on:
        canvas.glow(x + w / 2, y + h / 2, w * 1.6, LAMP, 0.35)


def _house_front(
    canvas: Canvas, rng: Random, light: Light, x: float, y: float, size: float, tall: float
) -> None:
    lit = light.hour in ("night", "dusk")
    door = light.lit(rng.choice([rgb("5b7f73"), rgb("7a4a34"), rgb("3f5f8a"), rgb("a8443a")]))
    dw, dh = size * 0.17, tall * 0.52
    canvas.rectangle(x - dw / 2, y - dh, x + dw / 2, y, door, radius=min(3.0, dw * 0.2))
    canvas.ellipse(x + dw * 0.28, y - dh * 0.48, dw * 0.07, dw * 0.07, light.lit(rgb("f2d08a")))
    w, h = size * 0.2, tall * 0.34
    for side in (-1, 1):
        _window(
            canvas, light, x + side * size * 0.31 - w / 2, y - tall * 0.8, w, h, on=lit and rng.random() < 0.8
        )


def tower(
    canvas: Canvas,
    rng: Random,
    light: Light,
    x: float,
    y: float,
    width: float,
    tall: float,
    *,
    distance: float,
) -> None:
    """A tall building with rows of windows; its left edge is ``x``."""
    wall = light.lit(
        rng.choice(
            [
                rgb("8d99ae"),
                rgb("b7a99a"),
                rgb("6f7f95"),
                rgb("c08e76"),
                rgb("9aa79c"),
                rgb("d8cdbb"),
                rgb("5f6b80"),
            ]
        ),
        distance,
    )
    canvas.gradient(
        [(x, y - tall), (x + width, y - tall), (x + width, y), (x, y)], [wall, mix(wall, light.haze, 0.2)]
    )
    canvas.rectangle(x + width * 0.82, y - tall, x + width, y, darker(wall, 0.12))
    crown = rng.random()
    if crown < 0.25:
        canvas.rectangle(x + width * 0.2, y - tall - 10, x + width * 0.8, y - tall + 1, darker(wall, 0.06))
    elif crown < 0.4:
        canvas.line([(x + width / 2, y - tall - 26), (x + width / 2, y - tall)], darker(wall, 0.2), 1.6)
    elif crown < 0.5:
        canvas.polygon(
            [(x, y - tall), (x + width * 0.5, y - tall - 22), (x + width, y - tall)], darker(wall, 0.1)
        )
    share = {"night": 0.55, "dusk": 0.4}.get(light.hour, 0.0)
    step_x, step_y = rng.choice([(9, 12), (11, 13), (8, 15)])
    columns = max(1, int((width * 0.8 - 4) // step_x))
    gap = (width * 0.82 - columns * step_x) / 2
    for row in range(int((tall - 8) // step_y)):
        for column in range(columns):
            on = rng.random() < share
            glass = (
                mix(LAMP, wall, distance * 0.5)
                if on
                else mix(wall, light.lit(rgb("3f556e")), 0.45 if not light.is_dark else 0.3)
            )
            wx, wy = x + gap + column * step_x + step_x * 0.2, y - tall + 6 + row * step_y
            canvas.rectangle(wx, wy, wx + step_x * 0.6, wy + step_y * 0.55, glass)
    canvas.note("city", x, y - tall, x + width, y)


def fence(
    canvas: Canvas, light: Light, *, y: float, tall: float, x0: float, x1: float, paint: Colour
) -> None:
    wood = light.lit(paint)
    for rail in (0.35, 0.72):
        canvas.rectangle(
            x0, y - tall * rail - tall * 0.05, x1, y - tall * rail + tall * 0.05, darker(wood, 0.12)
        )
    step = tall * 0.42
    x = x0 + step * 0.3
    while x < x1 - step * 0.3:
        w = tall * 0.1
        canvas.polygon(
            [(x - w, y), (x - w, y - tall * 0.9), (x, y - tall), (x + w, y - tall * 0.9), (x + w, y)], wood
        )
        if light.is_winter:
            canvas.ellipse(x, y - tall * 0.97, w * 1.05, w * 0.6, light.lit(rgb("fbfdff")))
        x += step


def lamp_post(canvas: Canvas, light: Light, x: float, y: float, tall: float) -> None:
    iron = light.lit(rgb("3d444d"))
    canvas.rectangle(x - tall * 0.014, y - tall, x + tall * 0.014, y, iron)
    canvas.rectangle(x - tall * 0.035, y - tall * 0.05, x + tall * 0.035, y, iron, radius=1)
    on = light.hour in ("night", "dusk")
    if on:
        canvas.glow(x, y - tall, tall * 0.45, LAMP, 0.7)
    canvas.ellipse(x, y - tall, tall * 0.06, tall * 0.06, rgb("fff1c4") if on else light.lit(rgb("f4efe0")))


def lighthouse(canvas: Canvas, light: Light, x: float, y: float, tall: float) -> None:
    pen = Pen(canvas, x, y, tall)
    white, red = light.lit(rgb("fbf7ee")), light.lit(rgb("cf4a43"))
    for i in range(5):
        low, high = i * 0.15, (i + 1) * 0.15
        pen.poly(
            [
                (-0.11 + low * 0.06, low),
                (-0.11 + high * 0.06, high),
                (0.11 - high * 0.06, high),
                (0.11 - low * 0.06, low),
            ],
            red if i % 2 == 0 else white,
        )
    pen.poly([(0.03, 0), (0.03, 0.75), (0.066, 0.75), (0.11, 0)], darker(red, 0.5), alpha=0.18)
    pen.poly([(-0.1, 0.75), (0.1, 0.75), (0.1, 0.78), (-0.1, 0.78)], light.lit(rgb("3d444d")))
    if light.hour in ("night", "dusk"):
        canvas.glow(x, y - tall * 0.84, tall * 0.6, LAMP, 0.8)
    pen.poly([(-0.06, 0.78), (0.06, 0.78), (0.06, 0.9), (-0.06, 0.9)], rgb("ffe9a8"))
    pen.poly([(-0.085, 0.9), (0, 1.0), (0.085, 0.9)], red)
