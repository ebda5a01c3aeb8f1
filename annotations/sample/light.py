"""Palettes: which colours sky, ground and things have at an hour, in a season, in a weather."""

from dataclasses import dataclass
from random import Random

from annotations.sample.canvas import Colour, mix, rgb

SKIES: dict[str, tuple[str, ...]] = {
    "day": ("4a9fd8 8ccbe8 dff1f0", "5fb3d9 a5d8e6 f6f2df", "3f8fc9 7fc0e3 d3ebf3", "74c2d4 b5e1dc fcf4de"),
    "morning": ("86b4e0 f0dbd0 fdeccd", "a6c9e8 f7d3c6 fdf1d8", "7fb7c9 d6e3cf fbe9b7"),
    "dusk": (
        "3d3a78 b5648c f4a36b fbd38d",
        "5b4b8a e07a7a f9b572",
        "27406f 7a6ba8 f0a58f fcd9a0",
        "6a3b62 d9625a fbb668",
    ),
    "night": ("0d1636 1d2f5c 425a8c", "151233 2b2558 5b4f8e", "0a1c30 164058 34707d"),
    "grey": ("7d8b99 a3afb8 c9cfd2", "8a95a8 b0b7c3 d6d6d3", "66788a 93a4b0 bfcacd"),
    "frost": ("9cc3dd cfe3ec f5f5f2", "aebfd8 dde4ee f9f0ea", "7fb0d6 c3ddec f6f6f1"),
}
GRASS: dict[str, tuple[str, ...]] = {  # far, near
    "spring": ("b5d68b 6cb055", "c0d98a 7db74f"),
    "summer": ("9cc57d 4d8f4c", "a9c46c 5b9444", "8fc196 3f8560"),
    "autumn": ("dcc07c a8803c", "cfae6b 8f7a3a", "d9b56c b5763b"),
    "winter": ("e3edf5 f8fafc", "d8e5f1 f4f8fb"),
}
LEAVES: dict[str, tuple[str, ...]] = {
    "spring": ("8cc152", "a3cf62", "f2b8c6", "6bb05a"),
    "summer": ("3f8f4f", "56a055", "2f7d5b", "6fa548"),
    "autumn": ("e08a2e", "c9542f", "e6b23c", "a8552b"),
    "winter": ("5d7f86", "4f7a78", "6a8a8c"),
}
WATER: dict[str, tuple[str, ...]] = {  # far, near
    "day": ("9fd6e3 2f86b0", "8cd0d6 2a8c9e", "a9d8ec 3d7fc0"),
    "morning": ("f3d9c4 6fa3c0", "e6dccb 5f9aae"),
    "dusk": ("f6b07c 5a4a86", "f2a37e 7a4b77"),
    "night": ("3f5a8c 0f1c40", "356a78 0c2236"),
    "grey": ("b9c6cc 66808f", "b5bfc6 5d7787"),
    "frost": ("d5e8f0 6d9fbd", "cfdfe8 7d9fb8"),
}
TINTS: dict[str, tuple[str, float]] = {
    "day": ("fff6e0", 0.0),
    "morning": ("f6d3b4", 0.14),
    "dusk": ("6b3f6e", 0.30),
    "night": ("18265a", 0.5),
    "grey": ("8794a2", 0.26),
    "frost": ("b9cfe4", 0.12),
}


def stops(text: str) -> tuple[Colour, ...]:
    return tuple(rgb(word) for word in text.split())


@dataclass(frozen=True)
class Light:
    """The hour, the season and the weather, with the colours they give."""

    hour: str  # day, morning, dusk, night
    season: str  # spring, summer, autumn, winter
    weather: str  # clear, cloudy, rain, snowfall
    sky: tuple[Colour, ...]
    grass: tuple[Colour, ...]
    water: tuple[Colour, ...]
    leaves: tuple[Colour, ...]
    tint: Colour
    tint_share: float

    @property
    def haze(self) -> Colour:
        return self.sky[-1]

    @property
    def is_dark(self) -> bool:
        return self.hour == "night"

    @property
    def is_winter(self) -> bool:
        return self.season == "winter"

    def lit(self, colour: Colour, distance: float = 0.0) -> Colour:
        """``colour`` as it looks in this light, ``distance`` (0 near to 1 far) away."""
        return mix(mix(colour, self.tint, self.tint_share), self.haze, distance * 0.75)

    def ground(self, near: float) -> Colour:
        """The ground's colour from far (0) to near (1)."""
        return self.lit(mix(self.grass[0], self.grass[-1], near), (1 - near) * 0.35)


def choose_light(rng: Random, *, hour: str, season: str, weather: str) -> Light:
    mood = hour
    if hour in ("day", "morning") and weather in ("rain", "snowfall"):
        mood = "grey" if weather == "rain" else rng.choice(["grey", "frost"])
    elif hour == "day" and season == "winter":
        mood = "frost"
    tint, share = TINTS[mood]
    return Light(
        hour=hour,
        season=season,
        weather=weather,
        sky=stops(rng.choice(SKIES[mood])),
        grass=stops(rng.choice(GRASS[season])),
        water=stops(rng.choice(WATER[mood])),
        leaves=tuple(rgb(text) for text in LEAVES[season]),
        tint=rgb(tint),
        tint_share=share,
    )
