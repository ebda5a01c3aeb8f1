"""Places outdoors on dry land: meadow, winter, open sky, garden, country road."""

from annotations.sample import birds_and_fish, cast, nature, people, vehicles
from annotations.sample.canvas import darker, mix
from annotations.sample.stage import Stage


def meadow(stage: Stage) -> None:
    horizon = stage.h * stage.rng.uniform(0.46, 0.6)
    cast.heavens(stage, horizon=horizon)
    front = _land(stage, horizon, peaks=0.3)
    if stage.chance(0.35):
        size = stage.h * stage.rng.uniform(0.2, 0.3)
        x = stage.rng.uniform(0.15, 0.85) * stage.w
        cast.house(stage, x=x, y=front + stage.h * 0.03, size=size)
        stage.taken.append((x - size * 0.5, x + size * 0.5))
    actors(stage, low=0.9, scale=stage.rng.choice([1.0, 1.0, 1.25, 1.6]))
    if not stage.light.is_winter and stage.chance(0.4):
        cast.flowers(stage, top=stage.h * 0.93, count=34, size=stage.h * 0.14)
    if stage.chance(0.25):
        cast.gulls(stage, horizon=horizon)
    cast.weather(stage)


def _land(stage: Stage, horizon: float, *, peaks: float, trees: bool = True) -> float:
    """Layers of ground from ``horizon`` to the front; returns where the nearest one begins."""
    canvas, rng, light = stage.canvas, stage.rng, stage.light
    if stage.chance(peaks):
        nature.mountains(
            canvas, rng, light, base=horizon + 10, tall=stage.h * rng.uniform(0.22, 0.34), far=0.45
        )
        stage.say("mountain", count=3)
    layers = rng.choice([2, 3])
    for i in range(layers):
        near = (i + 1) / layers
        y = horizon + (stage.h * 0.8 - horizon) * i / layers
        line = nature.ridge(rng, stage.w, y, stage.h * rng.uniform(0.025, 0.05))
        nature.hill(canvas, light, line, near=near * 0.9)
        if trees and stage.chance(0.6):
            cast.trees_on(
                stage,
                line,
                count=rng.randint(2, 7),
                size=stage.h * (0.12 + 0.16 * near),
                distance=0.55 * (1 - near),
            )
        bottom = y
    if light.is_winter:
        stage.say("snow")
    cast.grass_blades(stage, top=bottom + stage.h * 0.08)
    return bottom + stage.h * 0.05


def actors(stage: Stage, *, low: float, scale: float = 1.0) -> None:
    """One to three of: person, dog, cat, bird on the ground, tree, snowman, ball."""
    rng, h = stage.rng, min(stage.h, stage.w * 0.8)
    options = ["person", "person", "person", "dog", "dog", "cat", "bird", "tree"]
    if stage.light.is_winter:
        options += ["snowman", "snowman"]
    for name in rng.sample(options, rng.choice([1, 2, 2, 3])):
        y = stage.h * (low + rng.uniform(-0.03, 0.04))
        if name == "person":
            cast.person(stage, y=y, size=h * 0.36 * scale)
        elif name == "dog":
            cast.dog(stage, y=y, size=h * 0.2 * scale)
        elif name == "cat":
            cast.cat(stage, y=y, size=h * 0.18 * scale)
        elif name == "tree":
            cast.front_tree(stage, y=y - stage.h * 0.08, size=h * rng.uniform(0.45, 0.62))
        elif name == "bird":
            _perched(stage, y, h * 0.13 * scale)
        else:
            x = stage.room(h * 0.16)
            if x is not None:
                people.snowman(stage.canvas, rng, stage.light, x, y, h * 0.34)
                stage.say("snowman")


def _perched(stage: Stage, y: float, size: float) -> None:
    x = stage.room(size * 0.7)
    if x is not None:
        tone = stage.rng.choice(sorted(cast.BIRD_TONES))
        birds_and_fish.bird_perched(
            stage.canvas, stage.rng, stage.light, x, y, size, tone=cast.BIRD_TONES[tone]
        )
        stage.say("bird", look=tone, doing="perched")


def winter(stage: Stage) -> None:
    rng = stage.rng
    horizon = stage.h * rng.uniform(0.46, 0.58)
    cast.heavens(stage, horizon=horizon)
    front = _land(stage, horizon, peaks=0.5)
    if stage.chance(0.6):
        x, size = rng.uniform(0.2, 0.8) * stage.w, stage.h * rng.uniform(0.26, 0.36)
        cast.house(stage, x=x, y=front + stage.h * 0.06, size=size)
        stage.taken.append((x - size * 0.45, x + size * 0.45))
    for _ in range(rng.randint(0, 2)):
        cast.front_tree(stage, y=front + stage.h * 0.1, size=stage.h * rng.uniform(0.4, 0.6), kind="pine")
    if stage.chance(0.25):
        cast.fence(stage, y=stage.h * 0.88, tall=stage.h * 0.12)
    actors(stage, low=0.92)
    cast.weather(stage)


def open_sky(stage: Stage) -> None:
    """Hot-air balloons, birds or a kite high above a low horizon."""
    rng, canvas, light = stage.rng, stage.canvas, stage.light
    horizon = stage.h * rng.uniform(0.74, 0.82)
    cast.heavens(stage, horizon=horizon)
    if stage.chance(0.45):
        nature.mountains(canvas, rng, light, base=horizon + 8, tall=stage.h * 0.22, far=0.5)
        stage.say("mountain", count=3)
    for near in (0.4, 0.85):
        line = nature.ridge(rng, stage.w, horizon + stage.h * 0.1 * near, stage.h * 0.025)
        nature.hill(canvas, light, line, near=near)
        cast.trees_on(
            stage, line, count=rng.choice([0, 3, 6]), size=stage.h * 0.09, distance=0.4 * (1 - near)
        )
    if light.is_winter:
        stage.say("snow")
    if stage.chance(0.75):
        _balloons(stage, horizon)
        if stage.chance(0.35):
            cast.gulls(stage, horizon=horizon)
    else:
        cast.gulls(stage, horizon=horizon, big=True)
    cast.weather(stage)


def _balloons(stage: Stage, horizon: float) -> None:
    rng, flown, paint = stage.rng, 0, ""
    for share in rng.sample([0.5, 0.36, 0.26, 0.2, 0.16], rng.randint(1, 4)):
        size = min(stage.h, stage.w) * share
        for _ in range(10):
            x, y = (
                rng.uniform(size * 0.4, stage.w - size * 0.4),
                rng.uniform(size * 1.08, max(size * 1.1, horizon * 0.97)),
            )
            if stage.canvas.is_free(x - size * 0.36, y - size, x + size * 0.36, min(y, horizon - 12)):
                paint = rng.choice(sorted(vehicles.PAINTS))
                vehicles.balloon(stage.canvas, rng, stage.light, x, y, size, paint=paint)
                flown += 1
                break
    if flown:
        stage.say("hot-air balloon", count=flown, look=paint if flown == 1 else "")


def garden(stage: Stage) -> None:
    """Large flowers in front; a fence, a house or trees behind; perhaps a cat."""
    rng, h, w = stage.rng, stage.h, stage.w
    horizon = h * rng.uniform(0.4, 0.5)
    cast.heavens(stage, horizon=horizon)
    line = nature.ridge(rng, w, horizon, h * 0.03)
    nature.hill(stage.canvas, stage.light, line, near=0.6)
    cast.trees_on(stage, line, count=rng.choice([0, 2, 4]), size=h * 0.22, distance=0.3)
    nature.hill(stage.canvas, stage.light, nature.ridge(rng, w, h * 0.6, h * 0.015), near=1.0)
    if stage.chance(0.5):
        cast.house(stage, x=rng.uniform(0.25, 0.75) * w, y=h * 0.64, size=h * 0.36)
    if stage.chance(0.65):
        cast.fence(stage, y=h * 0.72, tall=h * 0.17)
    for _ in range(rng.choice([1, 1, 2])):
        name = rng.choice(["cat", "cat", "bird", "person", "dog", ""])
        if name == "cat":
            cast.cat(stage, y=h * 0.84, size=h * 0.26)
        elif name == "dog":
            cast.dog(stage, y=h * 0.84, size=h * 0.27)
        elif name == "bird":
            _perched(stage, h * 0.82, h * 0.14)
        elif name == "person":
            cast.person(stage, y=h * 0.86, size=h * 0.48, props=("", "", "balloons"))
    kind = rng.choice(["daisy", "tulip", "poppy", "sunflower"])
    cast.flowers(stage, top=h * 0.98, count=15, size=min(h, w) * rng.uniform(0.2, 0.28), kind=kind)
    cast.weather(stage)


def country_road(stage: Stage) -> None:
    rng, h, w = stage.rng, stage.h, stage.w
    horizon = h * rng.uniform(0.44, 0.54)
    cast.heavens(stage, horizon=horizon)
    _land(stage, horizon, peaks=0.55, trees=stage.chance(0.8))
    level = h * rng.uniform(0.74, 0.8)
    verge = stage.light.ground(1.0)
    stage.canvas.rectangle(0, level - 5, w, level, mix(verge, darker(verge, 0.2), 0.6))
    cast.road(stage, top=level, bottom=level + h * 0.14, kerb=False)
    tall = h * rng.uniform(0.36, 0.5)
    for _ in range(rng.choice([0, 1, 2])):
        cast.front_tree(stage, y=level - 4, size=tall)
    stage.taken.clear()
    for _ in range(rng.choice([1, 1, 2])):
        cast.car(stage, y=level + h * 0.1, size=min(h, w) * rng.uniform(0.3, 0.4))
    if stage.chance(0.3):
        x = stage.room(h * 0.16)
        if x is not None:
            vehicles.bicycle(
                stage.canvas,
                rng,
                stage.light,
                x,
                level + h * 0.08,
                h * 0.25,
                paint=rng.choice(["red", "blue", "green"]),
            )
            stage.say("bicycle")
    if not stage.light.is_winter and stage.chance(0.4):
        cast.flowers(stage, top=h * 0.985, count=26, size=h * 0.1)
    if stage.chance(0.25):
        cast.gulls(stage, horizon=horizon)
    cast.weather(stage)
