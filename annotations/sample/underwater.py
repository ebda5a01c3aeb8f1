"""The one place below the surface: fish, weed, stones, bubbles and shafts of light."""

import math

from annotations.sample import birds_and_fish, nature
from annotations.sample.canvas import darker, lighter, mix, rgb
from annotations.sample.stage import Stage

WEEDS = tuple(rgb(c) for c in ("4fae6b", "7bbf4f", "2f8f7a", "d9677f"))


def underwater(stage: Stage) -> None:
    """Below the surface: fish, weed, stones, bubbles and shafts of light."""
    rng, canvas, w, h = stage.rng, stage.canvas, stage.w, stage.h
    top, deep = rng.choice([("8fdfe0", "12507f"), ("7fd3c2", "0f5a63"), ("8cc8ee", "23408a")])
    shallow, abyss = rgb(top), rgb(deep)
    canvas.backdrop([shallow, mix(shallow, abyss, 0.6), abyss])
    stage.say("under water")
    for _ in range(5):
        x, lean = rng.uniform(-0.1, 1.0) * w, rng.uniform(0.1, 0.25) * w
        wide = rng.uniform(0.04, 0.1) * w
        canvas.polygon(
            [(x, 0), (x + wide, 0), (x + wide * 2 + lean, h), (x + lean - wide, h)], rgb("ffffff"), alpha=0.07
        )
    bed = nature.ridge(rng, w, h * 0.88, h * 0.025)
    sand = mix(rgb("e6cf9c"), abyss, 0.35)
    canvas.gradient([*bed, (bed[-1][0], h + 2), (bed[0][0], h + 2)], [sand, darker(sand, 0.2)])
    for _ in range(rng.randint(5, 10)):
        _weed(stage, rng.uniform(0, w), h * rng.uniform(0.89, 0.97), h * rng.uniform(0.15, 0.4))
    for _ in range(rng.randint(3, 6)):
        x, r = rng.uniform(0, w), h * rng.uniform(0.02, 0.05)
        stone = mix(rgb("8d8f98"), abyss, rng.uniform(0.2, 0.5))
        canvas.ellipse(x, h * 0.93, r * 1.4, r, stone)
        canvas.ellipse(x - r * 0.2, h * 0.93 - r * 0.25, r * 0.9, r * 0.5, lighter(stone, 0.14))
    tones = [
        rgb(c) for c in rng.sample(["f28c38", "f2c230", "e8576b", "7fd1c7", "c98be0", "f3efe2", "5fa8f0"], 3)
    ]
    swum = _shoal(stage, tones)
    for _ in range(16):
        r = rng.uniform(1.5, 5)
        x, y = rng.uniform(0, w), rng.uniform(0, h * 0.9)
        canvas.ellipse(x, y, r, r, rgb("ffffff"), alpha=0.35)
        canvas.ellipse(x - r * 0.3, y - r * 0.3, r * 0.35, r * 0.35, rgb("ffffff"), alpha=0.8)
    stage.say("fish", count=swum)


def _shoal(stage: Stage, tones: list[tuple[int, int, int]]) -> int:
    rng, w, h, swum = stage.rng, stage.w, stage.h, 0
    wanted, scale = rng.choice([(1, 0.45), (3, 0.26), (5, 0.2), (8, 0.15)])
    for _ in range(wanted * 8):
        size = min(w, h) * scale * rng.uniform(0.8, 1.25)
        x, y = rng.uniform(size * 0.6, w - size * 0.6), rng.uniform(0.14, 0.78) * h
        if swum < wanted and stage.canvas.is_free(
            x - size / 2, y - size * 0.35, x + size / 2, y + size * 0.35
        ):
            birds_and_fish.fish(stage.canvas, rng, stage.light, x, y, size, tone=rng.choice(tones))
            swum += 1
    return swum


def _weed(stage: Stage, x: float, y: float, tall: float) -> None:
    colour = mix(stage.rng.choice(WEEDS), rgb("12507f"), stage.rng.uniform(0.1, 0.45))
    phase, wide = stage.rng.random(), tall * 0.055
    left, right = [], []
    for i in range(13):
        t = i / 12
        sway = tall * 0.08 * math.sin((t * 1.2 + phase) * 2 * math.pi) * (0.3 + t)
        half = wide * (1 - t) + 0.5
        left.append((x + sway - half, y - tall * t))
        right.append((x + sway + half, y - tall * t))
    stage.canvas.polygon(left + right[::-1], colour)
