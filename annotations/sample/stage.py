"""One scene in the making: its picture, its light, and what has been put into it so far."""

from dataclasses import dataclass, field
from random import Random

from annotations.sample.canvas import Canvas
from annotations.sample.light import Light


@dataclass(frozen=True)
class Mention:
    """Something drawn that a caption may speak of: ``look`` is an adjective, ``doing`` what it is up to."""

    thing: str
    count: int = 1
    look: str = ""
    doing: str = ""


@dataclass
class Stage:
    canvas: Canvas
    rng: Random
    light: Light
    place: str
    mentions: list[Mention] = field(default_factory=list)
    taken: list[tuple[float, float]] = field(default_factory=list)
    glint_x: float | None = None

    @property
    def w(self) -> int:
        return self.canvas.width

    @property
    def h(self) -> int:
        return self.canvas.height

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def say(self, thing: str, *, count: int = 1, look: str = "", doing: str = "") -> None:
        self.mentions.append(Mention(thing, count, look, doing))

    def room(self, half: float) -> float | None:
        """A free place along the front, ``half`` to either side, or None where it is full."""
        if 2 * half > self.w * 0.96:
            return None
        for _ in range(14):
            x = self.rng.uniform(half * 1.02, self.w - half * 1.02)
            if all(x + half < left or x - half > right for left, right in self.taken):
                self.taken.append((x - half, x + half))
                return x
        return None
