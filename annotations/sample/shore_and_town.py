"""Places by the sea and among houses: beach, harbour, village street, city."""

from annotations.sample import buildings, cast, nature, toys, vehicles
from annotations.sample.canvas import darker, rgb
from annotations.sample.stage import Stage


def beach(stage: Stage) -> None:
    rng, h, w = stage.rng, stage.h, stage.w
    horizon, shore = h * rng.uniform(0.4, 0.48), h * rng.uniform(0.66, 0.74)
    cast.heavens(stage, horizon=horizon, sun_low=0.8)
    nature.water(stage.canvas, rng, stage.light, top=horizon, bottom=shore + h * 0.06, glint_x=stage.glint_x)
    stage.say("sea")
    for _ in range(rng.choice([0, 0, 1, 2])):
        cast.boat(
            stage, y=horizon + (shore - horizon) * rng.uniform(0.25, 0.55), size=h * rng.uniform(0.14, 0.24)
        )
    nature.sand(stage.canvas, rng, stage.light, nature.ridge(rng, w, shore, h * 0.018))
    stage.say("beach")
    stage.taken.clear()
    if stage.chance(0.35):
        cast.front_tree(stage, y=h * 0.85, size=h * 0.6, kind="palm")
    if stage.light.weather != "rain" and not stage.light.is_dark and stage.chance(0.55):
        _parasol(stage, h * 0.88)
    for name in rng.sample(
        ["person", "person", "person", "dog", "ball", "gull", "cat"], rng.choice([1, 2, 2, 3])
    ):
        y = h * rng.uniform(0.86, 0.95)
        if name == "person":
            cast.person(stage, y=y, size=h * 0.36)
        elif name == "dog":
            cast.dog(stage, y=y, size=h * 0.2)
        elif name == "ball":
            cast.ball(stage, y=y, size=h * 0.04)
        elif name == "cat":
            cast.cat(stage, y=y, size=h * 0.18)
        else:
            cast.gulls(stage, horizon=horizon, tone="white")
    cast.weather(stage)


def _parasol(stage: Stage, y: float) -> None:
    size = min(stage.h, stage.w) * stage.rng.uniform(0.34, 0.42)
    x = stage.room(size * 0.52)
    if x is None:
        return
    paint = stage.rng.choice(sorted(vehicles.PAINTS))
    towel = stage.light.lit(vehicles.PAINTS[stage.rng.choice(sorted(vehicles.PAINTS))])
    stage.canvas.polygon(
        [
            (x - size * 0.4, y),
            (x + size * 0.3, y),
            (x + size * 0.4, y + size * 0.12),
            (x - size * 0.34, y + size * 0.12),
        ],
        towel,
    )
    toys.umbrella(stage.canvas, stage.rng, stage.light, (x, y + 3), size, size, paint=paint)
    stage.say("parasol", look=paint)


def harbour(stage: Stage) -> None:
    """Open sea with boats large and small, perhaps a lighthouse on a rock."""
    rng, h, w = stage.rng, stage.h, stage.w
    horizon = h * rng.uniform(0.44, 0.56)
    cast.heavens(stage, horizon=horizon, sun_low=0.85)
    if stage.chance(0.3):
        nature.mountains(stage.canvas, rng, stage.light, base=horizon, tall=h * 0.18, far=0.65)
        stage.say("mountain", count=2)
    nature.water(stage.canvas, rng, stage.light, top=horizon, bottom=h, glint_x=stage.glint_x)
    stage.say("sea")
    if stage.chance(0.45):
        _lighthouse(stage, horizon)
    for depth in sorted(rng.sample([0.12, 0.3, 0.55, 0.75], rng.choice([0, 1, 2, 3]))):
        cast.boat(stage, y=horizon + (h - horizon) * depth, size=min(h, w) * (0.14 + 0.42 * depth))
    if stage.chance(0.55):
        cast.gulls(stage, horizon=horizon, tone="white", big=stage.chance(0.35))
    cast.weather(stage)


def _lighthouse(stage: Stage, horizon: float) -> None:
    side, h = stage.rng.choice([0.14, 0.86]), stage.h
    x = stage.w * side
    rock = stage.light.lit(rgb("6d6a72"))
    buildings.lighthouse(stage.canvas, stage.light, x, horizon + h * 0.02, h * 0.36)
    points = [
        (x - h * 0.2, horizon + h * 0.09),
        (x - h * 0.13, horizon + h * 0.01),
        (x, horizon - h * 0.01),
        (x + h * 0.12, horizon + h * 0.02),
        (x + h * 0.2, horizon + h * 0.09),
    ]
    stage.canvas.polygon(points, rock)
    stage.canvas.polygon(
        [points[2], points[3], points[4], (x + h * 0.03, horizon + h * 0.09)], darker(rock, 0.18)
    )
    nature.ripple(stage.canvas, x, horizon + h * 0.09, h * 0.22, 2.5, stage.light.lit(rgb("f5fafc")))
    stage.taken.append((x - h * 0.2, x + h * 0.2))
    stage.say("lighthouse")


def village(stage: Stage) -> None:
    rng, h, w = stage.rng, stage.h, stage.w
    ground = h * rng.uniform(0.68, 0.74)
    cast.heavens(stage, horizon=ground * 0.8)
    back = nature.ridge(rng, w, ground - h * 0.16, h * 0.03)
    nature.hill(stage.canvas, stage.light, back, near=0.5)
    cast.trees_on(stage, back, count=rng.choice([0, 3, 6]), size=h * 0.2, distance=0.35)
    nature.hill(
        stage.canvas, stage.light, [(-5.0, ground - h * 0.06), (w + 5.0, ground - h * 0.06)], near=0.9
    )
    _row_of_houses(stage, ground - h * 0.045)
    cast.road(stage, top=ground, bottom=h + 4)
    if stage.light.is_winter:
        stage.say("snow")
    stage.taken.clear()
    _street_life(stage, ground)
    cast.weather(stage)


def _row_of_houses(stage: Stage, y: float) -> None:
    rng, w = stage.rng, stage.w
    x = rng.uniform(-0.1, 0.06) * w
    built = 0
    while x < w * 0.95:
        size = stage.h * rng.uniform(0.26, 0.36)
        if built and stage.chance(0.25):
            cast.trees_on(stage, [(x + size * 0.3, y - 2)], count=1, size=size * 1.1, distance=0.0)
            x += size * 0.65
            continue
        buildings.house(stage.canvas, rng, stage.light, x + size / 2, y, size)
        built += 1
        x += size * rng.uniform(1.06, 1.35)
    stage.say("house", count=built)


def _street_life(stage: Stage, ground: float) -> None:
    rng, h = stage.rng, min(stage.h, stage.w)
    names = ["car", "car", "person", "person", "dog", "cat", "bicycle", "lamp"]
    if stage.chance(0.5):
        cast.car(stage, y=stage.h * rng.uniform(0.89, 0.94), size=h * rng.uniform(0.38, 0.5))
    for name in rng.sample(names, rng.choice([1, 2, 2, 3])):
        if name == "car":
            cast.car(stage, y=stage.h * rng.uniform(0.88, 0.93), size=h * rng.uniform(0.36, 0.46))
        elif name == "person":
            cast.person(
                stage, y=ground + stage.h * 0.02, size=h * 0.32, props=("", "", "", "balloons", "umbrella")
            )
        elif name == "dog":
            cast.dog(stage, y=ground + stage.h * 0.02, size=h * 0.16)
        elif name == "cat":
            cast.cat(stage, y=ground + stage.h * 0.015, size=h * 0.15)
        elif name == "bicycle":
            x = stage.room(h * 0.16)
            if x is not None:
                vehicles.bicycle(
                    stage.canvas,
                    rng,
                    stage.light,
                    x,
                    ground + stage.h * 0.03,
                    h * 0.26,
                    paint=rng.choice(["red", "blue", "green"]),
                )
                stage.say("bicycle")
        else:
            x = stage.room(h * 0.05)
            if x is not None:
                buildings.lamp_post(stage.canvas, stage.light, x, ground, stage.h * 0.4)
                stage.say("street lamp")


def city(stage: Stage) -> None:
    rng, h = stage.rng, stage.h
    ground = h * rng.uniform(0.72, 0.78)
    cast.heavens(stage, horizon=ground)
    for distance, low, high in ((0.75, 0.26, 0.62), (0.4, 0.2, 0.52), (0.0, 0.1, 0.44)):
        _skyline(stage, ground, distance, low * h, high * h)
    stage.say("city")
    if stage.chance(0.3):
        cast.gulls(stage, horizon=ground * 0.55)
    if stage.chance(0.3):
        stage.canvas.rectangle(0, ground - h * 0.05, stage.w, ground, stage.light.lit(rgb("b9b4ab")))
        nature.water(stage.canvas, rng, stage.light, top=ground, bottom=h, glint_x=None)
        nature.reflection(stage.canvas, line=ground, depth=h - ground, strength=0.45)
        stage.say("river")
        for _ in range(rng.choice([0, 1, 2])):
            cast.boat(stage, y=h * rng.uniform(0.88, 0.94), size=h * rng.uniform(0.2, 0.28))
    else:
        cast.road(stage, top=ground, bottom=h + 4)
        for _ in range(rng.choice([0, 1, 2])):
            cast.front_tree(stage, y=ground - h * 0.03, size=h * 0.3)
        _street_life(stage, ground)
    if stage.light.is_winter:
        stage.say("snow")
    cast.weather(stage)


def _skyline(stage: Stage, ground: float, distance: float, low: float, high: float) -> None:
    rng, w = stage.rng, stage.w
    x = rng.uniform(-0.08, 0.0) * w
    while x < w:
        wide = rng.uniform(0.07, 0.15) * w
        buildings.tower(
            stage.canvas, rng, stage.light, x, ground, wide, rng.uniform(low, high), distance=distance
        )
        x += wide * rng.choice([1.02, 1.08, 1.5, 2.2] if distance < 0.2 else [1.0, 1.05, 1.2])
