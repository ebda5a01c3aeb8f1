"""Puts people, animals and things on a stage where there is room, and says what they are doing."""

from annotations.sample import birds_and_fish, buildings, nature, people, pets, plants, toys, vehicles
from annotations.sample.canvas import darker, rgb
from annotations.sample.stage import Stage

BIRD_TONES = {
    "white": rgb("f6f6f2"),
    "blue": rgb("4f86c6"),
    "black": rgb("3c3f4a"),
    "red": rgb("cf5648"),
    "grey": rgb("9aa3ad"),
}


def heavens(stage: Stage, *, horizon: float, sun_low: float = 0.5) -> None:
    """Sky with sun or moon, stars and clouds down to ``horizon``."""
    canvas, rng, light = stage.canvas, stage.rng, stage.light
    nature.sky(canvas, light, horizon=horizon)
    wet = light.weather in ("rain", "snowfall")
    r = min(stage.w, stage.h) * rng.uniform(0.045, 0.075)
    x, y = (
        rng.uniform(0.14, 0.86) * stage.w,
        rng.uniform(0.2, sun_low if light.hour == "dusk" else 0.4) * horizon,
    )
    if light.is_dark:
        if not wet:
            nature.stars(canvas, rng, low=horizon * 0.9, count=rng.randint(35, 90))
            stage.say("star", count=9)
        if not wet and stage.chance(0.85):
            crescent = stage.chance(0.5)
            nature.moon(canvas, light, x, max(y, r * 1.3), r, crescent=crescent)
            stage.say("moon", look="crescent" if crescent else "full")
            stage.glint_x = x
    elif not wet and stage.chance(0.72 if light.weather == "clear" else 0.3):
        nature.sun(canvas, light, x, max(y, r * 1.3), r)
        stage.say("sun")
        stage.glint_x = x
    if wet and stage.chance(0.6):
        nature.cloud_deck(canvas, rng, light)
        stage.say("cloud", count=9, look="dark")
    elif wet or light.weather == "cloudy":
        clouds(stage, horizon=horizon, count=rng.randint(2, 4))


def clouds(stage: Stage, *, horizon: float, count: int) -> None:
    placed = 0
    for _ in range(count * 5):
        wide = stage.w * stage.rng.uniform(0.16, 0.32)
        x, y = stage.rng.uniform(0, stage.w), stage.rng.uniform(0.16, 0.62) * horizon
        if placed < count and stage.canvas.is_free(x - wide / 2, y - wide * 0.34, x + wide / 2, y + 4):
            nature.cloud(stage.canvas, stage.rng, stage.light, x, y, wide)
            placed += 1
    if placed:
        stage.say(
            "cloud",
            count=placed,
            look=stage.rng.choice(["white", "fluffy", ""]) if not stage.light.is_dark else "",
        )


def weather(stage: Stage) -> None:
    """What falls in front of everything."""
    if stage.light.weather == "rain":
        nature.rain(stage.canvas, stage.rng, stage.light)
        stage.say("rain")
    elif stage.light.weather == "snowfall":
        nature.snowfall(stage.canvas, stage.rng, stage.light)
        stage.say("snowfall")


def gulls(stage: Stage, *, horizon: float, tone: str = "", big: bool = False) -> None:
    name = tone or stage.rng.choice(sorted(BIRD_TONES))
    if stage.light.is_dark:
        name = "white"
    wanted, flown = stage.rng.randint(1, 2) if big else stage.rng.randint(2, 5), 0
    for _ in range(wanted * 6):
        size = stage.h * (stage.rng.uniform(0.16, 0.24) if big else stage.rng.uniform(0.07, 0.13))
        x, y = stage.rng.uniform(0.08, 0.92) * stage.w, stage.rng.uniform(0.18, 0.85) * horizon
        if flown < wanted and stage.canvas.is_free(
            x - size / 2, y - size * 0.36, x + size / 2, y + size * 0.12
        ):
            birds_and_fish.bird_flying(
                stage.canvas, stage.rng, stage.light, x, y, size, tone=BIRD_TONES[name]
            )
            flown += 1
    if flown:
        stage.say("bird", count=flown, look=name, doing="flying")


def trees_on(
    stage: Stage, line: list[tuple[float, float]], *, count: int, size: float, distance: float, kind: str = ""
) -> None:
    """Trees standing on a ridge, in loose groups."""
    if not count:
        return
    middle = stage.rng.uniform(0.1, 0.9) * stage.w
    spots = []
    for _ in range(count):
        x = stage.rng.gauss(middle, stage.w * 0.16) if stage.chance(0.6) else stage.rng.uniform(0, stage.w)
        spots.append((nature.height_at(line, x), x))
    for y, x in sorted(spots):
        plants.tree(
            stage.canvas,
            stage.rng,
            stage.light,
            x,
            y + size * 0.05,
            size * stage.rng.uniform(0.7, 1.15),
            kind=kind,
            distance=distance,
        )
    stage.say("tree", count=count)


def front_tree(stage: Stage, *, y: float, size: float, kind: str = "") -> None:
    x = stage.room(size * 0.3)
    if x is not None:
        plants.tree(stage.canvas, stage.rng, stage.light, x, y, size, kind=kind)
        stage.say("palm" if kind == "palm" else "tree", look=stage.rng.choice(["", "big", "old"]))


def dog(stage: Stage, *, y: float, size: float) -> None:
    pose = stage.rng.choice(["stands", "runs", "sits"])
    fur = stage.rng.choice(["brown", "black", "white", "golden", "brown"])
    x = stage.room(size * (0.5 if pose == "sits" else 0.85))
    if x is None:
        return
    pets.dog(stage.canvas, stage.rng, stage.light, x, y, size, pose=pose, fur=fur)
    stage.say("dog", look=fur, doing={"stands": "waiting", "runs": "running", "sits": "sitting"}[pose])
    if pose == "runs" and stage.chance(0.5):
        ball(stage, y=y, size=size * 0.17)


def cat(stage: Stage, *, y: float, size: float, pose: str = "") -> None:
    pose = pose or stage.rng.choice(["sits", "walks", "lies"])
    fur = stage.rng.choice(["ginger", "grey", "black", "white", "ginger"])
    x = stage.room(size * (0.42 if pose == "sits" else 0.68))
    if x is not None:
        pets.cat(stage.canvas, stage.rng, stage.light, x, y, size, pose=pose, fur=fur)
        stage.say("cat", look=fur, doing={"sits": "sitting", "walks": "walking", "lies": "lying"}[pose])


def ball(stage: Stage, *, y: float, size: float) -> None:
    x = stage.room(size)
    if x is not None:
        paint = stage.rng.choice(sorted(vehicles.PAINTS))
        toys.ball(stage.canvas, stage.light, x, y, size, paint=paint)
        stage.say("ball", look=paint)


def person(
    stage: Stage, *, y: float, size: float, props: tuple[str, ...] = ("", "", "kite", "balloons", "umbrella")
) -> None:
    """Somebody, perhaps with an umbrella, a kite or balloons. In the rain, mostly an umbrella."""
    rng, wet = stage.rng, stage.light.weather == "rain"
    prop = (
        "umbrella"
        if wet and stage.chance(0.75)
        else rng.choice([p for p in props if p != "umbrella" or not stage.light.is_dark] or [""])
    )
    child = stage.chance(0.4)
    tall = size * (0.72 if child else 1.0)
    x = stage.room(tall * (0.42 if prop in ("umbrella", "balloons") else 0.24))
    if x is None:
        return
    coat = rng.choice(sorted(people.COATS))
    flip = x > stage.w / 2 if prop == "kite" else stage.chance(0.5)
    hand = people.person(
        stage.canvas,
        rng,
        stage.light,
        x,
        y,
        tall,
        coat=coat,
        child=child,
        arm="up" if prop else rng.choice(["down", "down", "up"]),
        flip=flip,
    )
    who = "child" if child else "person"
    doing = {"umbrella": "with umbrella", "kite": "with kite", "balloons": "with balloons"}.get(
        prop, "walking"
    )
    stage.say(who, look=coat, doing=doing)
    if prop == "umbrella":
        paint = rng.choice(sorted(vehicles.PAINTS))
        toys.umbrella(stage.canvas, rng, stage.light, hand, tall * 0.42, tall * 0.78, paint=paint)
        stage.say("umbrella", look=paint)
    elif prop == "balloons":
        toys.toy_balloons(stage.canvas, rng, stage.light, hand, tall * 0.42)
        stage.say("balloon", count=3)
    elif prop == "kite":
        toys.kite(
            stage.canvas,
            rng,
            stage.light,
            x + (-1 if flip else 1) * stage.w * rng.uniform(0.15, 0.3),
            stage.h * rng.uniform(0.14, 0.3),
            stage.h * 0.1,
            hand=hand,
        )
        stage.say("kite")


def car(stage: Stage, *, y: float, size: float) -> None:
    x = stage.room(size * 0.54)
    if x is not None:
        paint, van = stage.rng.choice(sorted(vehicles.PAINTS)), stage.chance(0.3)
        vehicles.car(stage.canvas, stage.rng, stage.light, x, y, size, paint=paint, van=van)
        stage.say("van" if van else "car", look=paint, doing=stage.rng.choice(["parked", "driving by"]))


def boat(stage: Stage, *, y: float, size: float, kind: str = "") -> None:
    x = stage.room(size * 0.55)
    if x is not None:
        kind = kind or stage.rng.choice(["sail", "sail", "steamer", "row"])
        paint = stage.rng.choice(sorted(vehicles.PAINTS))
        vehicles.boat(stage.canvas, stage.rng, stage.light, x, y, size, kind=kind, paint=paint)
        stage.say({"sail": "sailboat", "steamer": "ship", "row": "rowing boat"}[kind], look=paint)


def house(stage: Stage, *, x: float, y: float, size: float) -> None:
    buildings.house(stage.canvas, stage.rng, stage.light, x, y, size)
    stage.say("house")


def fence(stage: Stage, *, y: float, tall: float) -> None:
    paint = stage.rng.choice([rgb("f6f1e4"), rgb("9a7650"), rgb("b8a58c")])
    full = stage.chance(0.5)
    x0, x1 = (
        (-5.0, stage.w + 5.0)
        if full
        else sorted((stage.rng.choice([-5.0, stage.w + 5.0]), stage.w * stage.rng.uniform(0.4, 0.6)))
    )
    buildings.fence(stage.canvas, stage.light, y=y, tall=tall, x0=x0, x1=x1, paint=paint)
    stage.say("fence", look="wooden" if paint != rgb("f6f1e4") else "white")


def flowers(stage: Stage, *, top: float, count: int, size: float, kind: str = "") -> None:
    kind = kind or stage.rng.choice(["daisy", "tulip", "poppy"])
    plants.flower_bed(
        stage.canvas, stage.rng, stage.light, top=top, count=count, size=size, kind=kind, low_at=stage.taken
    )
    stage.say(kind, count=9)


def grass_blades(stage: Stage, *, top: float) -> None:
    if not stage.light.is_winter:
        plants.tufts(stage.canvas, stage.rng, stage.light, top=top, count=26)


def road(stage: Stage, *, top: float, bottom: float, kerb: bool = True) -> None:
    """A road straight across the picture, with a pavement above it where there is a kerb."""
    light = stage.light
    grey = light.lit(rgb("686d78"))
    if kerb:
        pave = light.lit(rgb("f1f5f8") if light.is_winter else rgb("c9c3b8"))
        stage.canvas.rectangle(0, top - stage.h * 0.06, stage.w, top, pave)
        stage.canvas.rectangle(0, top - stage.h * 0.012, stage.w, top, darker(pave, 0.18))
    stage.canvas.backdrop([darker(grey, 0.08), grey], top=top, bottom=bottom)
    middle, dash = (top + bottom) / 2, stage.w * 0.08
    x = -dash * stage.rng.random()
    while x < stage.w:
        stage.canvas.rectangle(x, middle - 2, x + dash * 0.6, middle + 2, light.lit(rgb("f2ead2")))
        x += dash
    stage.canvas.note("", 0, top, stage.w, bottom)
    stage.say("road")
