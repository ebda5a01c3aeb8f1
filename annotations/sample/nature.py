"""Sky, ground, water and weather: what fills a picture before anything stands in it."""

import math
from random import Random

from PIL import Image

from annotations.sample.canvas import (
    SUPERSAMPLE,
    Canvas,
    Colour,
    Pen,
    Point,
    darker,
    lighter,
    mix,
    rgb,
    smooth,
)
from annotations.sample.light import Light

SUN = rgb("ffd166")
MOON = rgb("f6efd2")


def sky(canvas: Canvas, light: Light, *, horizon: float) -> None:
    canvas.backdrop(light.sky, bottom=horizon + 2)
    if horizon < canvas.height:
        canvas.backdrop([light.sky[-1], light.sky[-1]], top=horizon)


def stars(canvas: Canvas, rng: Random, *, low: float, count: int = 60) -> None:
    for _ in range(count):
        x, y = rng.uniform(0, canvas.width), rng.uniform(0, low) * rng.uniform(0.3, 1)
        r = rng.choice([0.7, 0.9, 1.1, 1.6])
        canvas.ellipse(x, y, r, r, rgb("fff7dc"), alpha=rng.uniform(0.5, 0.95))


def sun(canvas: Canvas, light: Light, x: float, y: float, radius: float) -> None:
    low = light.hour == "dusk"
    colour = rgb("ffb25a") if low else SUN
    canvas.glow(x, y, radius * 5, lighter(colour, 0.5), 0.75)
    canvas.glow(x, y, radius * 2, rgb("fff3cf"), 0.5)
    canvas.ellipse(x, y, radius, radius, lighter(colour, 0.15))
    canvas.ellipse(x, y, radius * 0.86, radius * 0.86, lighter(colour, 0.35))
    canvas.note("sun", x - radius, y - radius, x + radius, y + radius)


def moon(canvas: Canvas, light: Light, x: float, y: float, radius: float, *, crescent: bool) -> None:
    canvas.glow(x, y, radius * 5, rgb("cfd8f5"), 0.5)
    pen = Pen(canvas, x, y, radius, tilt=0.35)
    if crescent:
        outer = [(math.cos(a), math.sin(a)) for a in (math.pi / 2 + i * math.pi / 24 for i in range(25))]
        inner = [
            (0.55 * math.cos(a), math.sin(a)) for a in (3 * math.pi / 2 - i * math.pi / 24 for i in range(25))
        ]
        pen.poly(outer + inner, MOON)
    else:
        pen.oval(0, 0, 1, 1, MOON)
        for cx, cy, r in ((-0.3, 0.25, 0.22), (0.35, 0.35, 0.13), (0.2, -0.35, 0.26), (-0.45, -0.35, 0.1)):
            pen.oval(cx, cy, r, r, mix(MOON, rgb("b9b08a"), 0.45))
    canvas.note("moon", x - radius, y - radius, x + radius, y + radius)


def cloud(canvas: Canvas, rng: Random, light: Light, x: float, y: float, width: float) -> None:
    """A flat-bottomed heap of puffs, ``width`` wide, standing on ``y``."""
    grey = light.weather in ("rain", "snowfall")
    body = mix(rgb("ffffff"), light.sky[0], 0.42 if grey else 0.06)
    if light.hour == "dusk":
        body = mix(body, rgb("f7b7a3"), 0.45)
    if light.is_dark:
        body = mix(light.sky[-1], rgb("dfe6f5"), 0.22)
    if grey and not light.is_dark:
        body = mix(body, rgb("6d7a88"), 0.3)
    shade = mix(body, light.sky[0], 0.28)
    puffs = rng.randint(4, 6)
    heights = [math.sin(math.pi * (i + 0.75) / (puffs + 0.5)) * rng.uniform(0.8, 1.15) for i in range(puffs)]
    base = width * 0.2
    for colour, lift, shrink in ((shade, 0.0, 1.0), (body, width * 0.025, 0.93)):
        for i, tall in enumerate(heights):
            cx = x - width / 2 + width * (i + 0.5) / puffs
            r = (width * 0.1 + width * 0.11 * tall) * shrink
            canvas.ellipse(cx, y - r * 0.75 - lift - tall * base * 0.25, r, r, colour)
        canvas.rectangle(
            x - width * 0.5 * shrink,
            y - width * 0.15 - lift,
            x + width * 0.5 * shrink,
            y - lift,
            colour,
            radius=width * 0.075,
        )
    canvas.note("cloud", x - width / 2, y - width * 0.36, x + width / 2, y)


def cloud_deck(canvas: Canvas, rng: Random, light: Light) -> None:
    """A heavy grey cover along the upper edge."""
    w = canvas.width
    for row, (low, share) in enumerate(((0.2, 0.25), (0.13, 0.4), (0.06, 0.55))):
        colour = mix(light.sky[0], rgb("55616f") if not light.is_dark else rgb("0b1024"), share)
        x = -40.0
        canvas.rectangle(0, 0, w, canvas.height * low - 18, colour)
        while x < w + 40:
            r = rng.uniform(26, 58) * (1 - row * 0.15)
            canvas.ellipse(x, canvas.height * low - 24, r * 1.35, r * 0.62, colour)
            x += r * 1.25
    canvas.note("cloud", 0, 0, w, canvas.height * 0.16)


def ridge(rng: Random, width: float, y: float, swing: float, *, steps: int = 7) -> list[Point]:
    """A gently rolling line across the picture."""
    phase = rng.uniform(0, 6.28)
    speed = rng.uniform(0.7, 1.5)
    points = [
        (
            width * (i / steps * 1.3 - 0.15),
            y + swing * (0.65 * math.sin(phase + speed * i) + 0.35 * math.sin(phase * 2 + 2.3 * i)),
        )
        for i in range(steps + 1)
    ]
    return smooth(points, closed=False, steps=10)


def height_at(line: list[Point], x: float) -> float:
    """How high (y) a ridge is at ``x``."""
    return min(line, key=lambda p: abs(p[0] - x))[1]


def hill(canvas: Canvas, light: Light, line: list[Point], *, near: float) -> None:
    top = light.ground(near)
    low = light.ground(min(1.0, near + 0.25))
    floor = canvas.height + 2
    stops = [lighter(top, 0.10), mix(top, low, 0.5), darker(low, 0.05 if light.is_winter else 0.10)]
    canvas.gradient([*line, (line[-1][0], floor), (line[0][0], floor)], stops)
    if light.is_winter:
        canvas.note("snow", 0, max(y for _, y in line), canvas.width, canvas.height)
    else:
        canvas.note("", 0, max(y for _, y in line), canvas.width, canvas.height)


def mountains(canvas: Canvas, rng: Random, light: Light, *, base: float, tall: float, far: float) -> None:
    """A chain of peaks standing on ``base`` with lit and shaded flanks."""
    rock = light.lit(rng.choice([rgb("6c7a91"), rgb("7b7486"), rgb("5f7f8c"), rgb("8a7a78")]), far)
    snow = light.lit(rgb("f7fafc"), far * 0.5)
    x = rng.uniform(-0.25, -0.05) * canvas.width
    while x < canvas.width * 1.05:
        peak = tall * rng.uniform(0.55, 1.0)
        half = peak * rng.uniform(0.75, 1.1)
        _peak(canvas, rng, x + half, base, peak, half, rock, snow if peak > tall * 0.62 else None, light)
        x += half * rng.uniform(0.95, 1.35)


def _peak(
    canvas: Canvas,
    rng: Random,
    x: float,
    base: float,
    tall: float,
    half: float,
    rock: Colour,
    snow: Colour | None,
    light: Light,
) -> None:
    top = base - tall
    lean = rng.uniform(-0.12, 0.12) * half
    shade = darker(rock, 0.2)
    canvas.gradient([(x - half, base), (x, top), (x + half, base)], [rock, mix(rock, light.haze, 0.45)])
    crease = [
        (x, top),
        (x + lean + half * 0.1, top + tall * 0.3),
        (x + lean - half * 0.05, top + tall * 0.55),
        (x + lean + half * 0.12, base),
    ]
    canvas.gradient([*crease, (x + half, base)], [shade, mix(shade, light.haze, 0.4)])
    if snow:
        cut = rng.uniform(0.24, 0.36)
        left = [
            (x - half * cut, top + tall * cut),
            (x - half * cut * 0.5, top + tall * cut * 0.82),
            (x - half * cut * 0.15, top + tall * cut * 1.18),
        ]
        right = [
            (x + half * cut * 0.35, top + tall * cut * 0.8),
            (x + half * cut * 0.6, top + tall * cut * 1.12),
            (x + half * cut, top + tall * cut),
        ]
        canvas.polygon([(x, top), *left, *right], snow)
        canvas.polygon(
            [(x, top), (x + half * 0.1 * cut, top + tall * cut * 0.95), *right], mix(snow, rock, 0.3)
        )
    canvas.note("mountain", x - half * 0.5, top + tall * 0.35, x + half * 0.5, base)


def water(
    canvas: Canvas, rng: Random, light: Light, *, top: float, bottom: float, glint_x: float | None
) -> None:
    """Open water between ``top`` and ``bottom``, with ripples and a path of light below sun or moon."""
    far, near = light.water
    canvas.backdrop([far, mix(far, near, 0.65), near], top=top, bottom=bottom)
    for _ in range(46):
        depth = rng.random() ** 1.5
        y = top + 3 + (bottom - top - 6) * depth
        half = (8 + 46 * depth) * rng.uniform(0.5, 1.2)
        x = rng.uniform(0, canvas.width)
        tone = (
            lighter(mix(far, near, depth), 0.22)
            if rng.random() < 0.6
            else darker(mix(far, near, depth), 0.12)
        )
        ripple(canvas, x, y, half, 0.7 + 1.5 * depth, tone)
    if glint_x is not None:
        _glint(canvas, rng, light, glint_x, top, bottom)
    canvas.note("water", 0, top, canvas.width, bottom)


def ripple(canvas: Canvas, x: float, y: float, half: float, thick: float, colour: Colour) -> None:
    canvas.polygon([(x - half, y), (x, y - thick), (x + half, y), (x, y + thick)], colour)


def _glint(canvas: Canvas, rng: Random, light: Light, x: float, top: float, bottom: float) -> None:
    colour = rgb("fff1c9") if not light.is_dark else rgb("e9edff")
    y = top + 3
    while y < bottom:
        depth = (y - top) / (bottom - top)
        half = (8 + 34 * depth) * rng.uniform(0.5, 1.1)
        ripple(
            canvas,
            x + rng.uniform(-10, 10) * (0.4 + depth),
            y,
            half,
            1 + 1.4 * depth,
            mix(light.water[0], colour, 0.75),
        )
        y += 5 + 9 * depth


def reflection(canvas: Canvas, *, line: float, depth: float, strength: float = 0.35) -> None:
    """Mirror what stands above ``line`` into the water below it."""
    y, d = round(line * SUPERSAMPLE), round(depth * SUPERSAMPLE)
    if y - d < 0 or y + d > canvas.image.height:
        return
    above = canvas.image.crop((0, y - d, canvas.image.width, y)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    fade = Image.linear_gradient("L").point([round((255 - v) * strength) for v in range(256)])
    canvas.image.paste(above, (0, y), fade.resize(above.size))


def rain(canvas: Canvas, rng: Random, light: Light) -> None:
    slope = rng.uniform(0.12, 0.4) * rng.choice([-1, 1])
    colour = lighter(light.haze, 0.45)
    for _ in range(230):
        x, y = rng.uniform(-40, canvas.width + 40), rng.uniform(-20, canvas.height)
        length = rng.uniform(12, 30)
        canvas.line(
            [(x, y), (x - slope * length, y + length)],
            colour,
            rng.choice([0.8, 1.1, 1.5]),
            alpha=rng.uniform(0.35, 0.75),
        )


def snowfall(canvas: Canvas, rng: Random, light: Light) -> None:
    for _ in range(190):
        x, y = rng.uniform(0, canvas.width), rng.uniform(0, canvas.height)
        r = rng.choice([1.2, 1.6, 2.1, 3.0, 3.8])
        canvas.ellipse(x, y, r, r, rgb("ffffff"), alpha=rng.uniform(0.6, 0.95))


def sand(canvas: Canvas, rng: Random, light: Light, line: list[Point]) -> None:
    near = light.lit(rng.choice([rgb("eed9a8"), rgb("f2dfb8"), rgb("e3c894")]))
    floor = canvas.height + 2
    foam = [(x, y - 5) for x, y in line]
    canvas.polygon([*foam, (line[-1][0], floor), (line[0][0], floor)], lighter(light.lit(rgb("fdfaf0")), 0.2))
    canvas.gradient(
        [*line, (line[-1][0], floor), (line[0][0], floor)], [darker(near, 0.12), near, lighter(near, 0.12)]
    )
    top = max(y for _, y in line)
    for _ in range(40):
        x, y = rng.uniform(0, canvas.width), rng.uniform(top + 5, canvas.height)
        canvas.ellipse(x, y, 1.4, 0.9, darker(near, 0.14))
    canvas.note("", 0, top, canvas.width, canvas.height)
