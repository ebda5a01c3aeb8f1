"""Composes the sample project: which scene comes when, in which light, and what is true of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from annotations.sample import captions, country, lake, shore_and_town, underwater, window
from annotations.sample.canvas import Canvas
from annotations.sample.light import choose_light
from annotations.sample.stage import Stage
from annotations.sample.vocabulary import VOCABULARY


@dataclass(frozen=True)
class Scene:
    """One drawn picture: a JPEG, what somebody wrote below it, and the tags that are true of it."""

    name: str
    picture: bytes
    caption: str
    tags: tuple[str, ...]


PLACES: dict[str, tuple[int, Callable[[Stage], None]]] = {  # how often, and who draws it
    "meadow": (4, country.meadow),
    "lake": (3, lake.lake),
    "winter": (3, country.winter),
    "sky": (3, country.open_sky),
    "garden": (2, country.garden),
    "road": (2, country.country_road),
    "underwater": (2, underwater.underwater),
    "window": (2, window.window),
    "beach": (3, shore_and_town.beach),
    "harbour": (2, shore_and_town.harbour),
    "village": (3, shore_and_town.village),
    "city": (2, shore_and_town.city),
}
DECK = [place for place, (copies, _) in PLACES.items() for _ in range(copies)]
SIZES = [(640, 480)] * 6 + [(640, 427)] * 3 + [(640, 360), (480, 640), (480, 640), (427, 640), (560, 560)]
NO_WINTER = {"meadow", "garden", "beach", "harbour", "road"}
FILLS_THE_VIEW = {  # what is drawn this wide shows, whatever stands in front of it
    "rain": "rain",
    "snow": "snow",
    "snowfall": "snow",
    "under water": "water",
    "lake": "water",
    "sea": "water",
    "river": "water",
    "city": "city",
}


def draw_scenes(count: int = 240, *, seed: int = 1) -> Iterator[Scene]:
    """Draw ``count`` scenes one after another; the same seed and Pillow give the same bytes.

    Scene n does not depend on ``count``: fewer scenes are the first ones of more.
    """
    for number in range(1, count + 1):
        yield draw_scene(number, seed=seed)


def draw_scene(number: int, *, seed: int = 1) -> Scene:
    """Draw scene ``number``, counted from 1, without those before it."""
    rng = Random(f"{seed}:{number}")  # noqa: S311 - pictures, not secrets
    place = _place(number, seed)
    stage = _stage(place, rng)
    PLACES[place][1](stage)
    return Scene(
        name=f"scene-{number:04}.jpg",
        picture=stage.canvas.jpeg(),
        caption=captions.write(stage, truth(stage)),
        tags=truth(stage),
    )


def _place(number: int, seed: int) -> str:
    """Places are dealt from a shuffled deck, so that every stretch of scenes has some of each."""
    hand, card = divmod(number - 1, len(DECK))
    deck = list(DECK)
    Random(f"{seed}:deck:{hand}").shuffle(deck)  # noqa: S311
    return deck[card]


def _stage(place: str, rng: Random) -> Stage:
    size = rng.choice(SIZES if place not in ("city", "village") else SIZES[:10])
    seasons = (
        ["spring", "summer", "summer", "autumn"]
        if place in NO_WINTER
        else ["spring", "summer", "autumn", "winter"]
    )
    season = "winter" if place == "winter" else rng.choice(seasons)
    hour = rng.choices(["day", "morning", "dusk", "night"], [45, 14, 19, 22])[0]
    falling = "snowfall" if season == "winter" else "rain"
    weather = rng.choices(
        ["clear", "cloudy", falling], [44, 36, 30 if place in ("window", "city", "village") else 13]
    )[0]
    light = choose_light(rng, hour=hour, season=season, weather=weather)
    return Stage(Canvas(*size), rng, light, place)


def truth(stage: Stage) -> tuple[str, ...]:
    """The vocabulary's tags that can be seen, in the vocabulary's order."""
    seen = stage.canvas.visible() | {
        FILLS_THE_VIEW[m.thing] for m in stage.mentions if m.thing in FILLS_THE_VIEW
    }
    return tuple(tag.name for tag in VOCABULARY if tag.name in seen)
