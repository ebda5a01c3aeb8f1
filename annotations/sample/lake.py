"""The mountain lake, with what floats on it and whoever stands on its bank."""

from annotations.sample import birds_and_fish, cast, nature
from annotations.sample.country import actors
from annotations.sample.stage import Stage


def lake(stage: Stage) -> None:
    rng, canvas, light = stage.rng, stage.canvas, stage.light
    shore = stage.h * rng.uniform(0.48, 0.58)
    cast.heavens(stage, horizon=shore)
    if stage.chance(0.8):
        nature.mountains(
            canvas, rng, light, base=shore, tall=stage.h * rng.uniform(0.26, 0.4), far=rng.uniform(0.2, 0.5)
        )
        stage.say("mountain", count=3)
    bank = nature.ridge(rng, stage.w, shore - stage.h * 0.04, stage.h * 0.02)
    nature.hill(canvas, light, bank, near=0.45)
    if stage.chance(0.75):
        cast.trees_on(
            stage,
            bank,
            count=rng.randint(4, 9),
            size=stage.h * 0.14,
            distance=0.3,
            kind=rng.choice(["pine", "pine", ""]),
        )
    if stage.chance(0.3):
        x = rng.uniform(0.15, 0.85) * stage.w
        cast.house(stage, x=x, y=shore - 1, size=stage.h * 0.13)
    nature.water(canvas, rng, light, top=shore, bottom=stage.h, glint_x=stage.glint_x)
    nature.reflection(canvas, line=shore, depth=min(shore, stage.h - shore) * 0.9, strength=0.4)
    stage.say("lake")
    if light.is_winter:
        stage.say("snow")
    for _ in range(rng.choice([0, 1, 1, 2])):
        cast.boat(
            stage, y=shore + (stage.h - shore) * rng.uniform(0.3, 0.6), size=stage.h * rng.uniform(0.2, 0.32)
        )
    if stage.chance(0.4):
        _ducks(stage, stage.h * 0.86)
    _near_bank(stage)
    if stage.chance(0.2):
        cast.gulls(stage, horizon=shore * 0.8)
    cast.weather(stage)


def _ducks(stage: Stage, y: float) -> None:
    size, swum = stage.h * 0.085, 0
    for _ in range(stage.rng.randint(1, 3)):
        x = stage.room(size * 0.8)
        if x is not None:
            birds_and_fish.duck(
                stage.canvas, stage.rng, stage.light, x, y + stage.rng.uniform(-0.04, 0.03) * stage.h, size
            )
            swum += 1
    if swum:
        stage.say("duck", count=swum, doing="swimming")


def _near_bank(stage: Stage) -> None:
    """Sometimes the side from which we look, with somebody on it."""
    if not stage.chance(0.5):
        return
    line = nature.ridge(stage.rng, stage.w, stage.h * 0.91, stage.h * 0.02)
    nature.hill(stage.canvas, stage.light, line, near=1.0)
    stage.taken.clear()
    actors(stage, low=0.94, scale=0.9)
