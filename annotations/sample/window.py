"""The one place indoors: what is seen out of a window, and what stands on its sill."""

from annotations.sample import cast, nature, plants
from annotations.sample.canvas import darker, lighter, mix, rgb
from annotations.sample.stage import Stage


def window(stage: Stage) -> None:
    """A look out of a window from inside: sill, curtains, a cat or a vase, and weather beyond the panes."""
    rng, canvas, light, w, h = stage.rng, stage.canvas, stage.light, stage.w, stage.h
    horizon = h * rng.uniform(0.52, 0.6)
    cast.heavens(stage, horizon=horizon)
    line = nature.ridge(rng, w, horizon, h * 0.03)
    nature.hill(canvas, light, line, near=0.6)
    cast.trees_on(stage, line, count=rng.choice([0, 2, 5]), size=h * 0.2, distance=0.3)
    if light.is_winter:
        stage.say("snow")
    cast.weather(stage)
    wall = rng.choice([rgb("d8c3a5"), rgb("b9c4c9"), rgb("e3b7a0"), rgb("a9b89a"), rgb("c9b6d1")])
    wall = mix(wall, rgb("3a3048"), 0.45 if light.is_dark else 0.05)
    frame = mix(rgb("fbf7ee"), rgb("3a3048"), 0.3 if light.is_dark else 0.0)
    edge, sill = w * 0.1, h * 0.8
    for x0, y0, x1, y1 in ((0, 0, edge, h), (w - edge, 0, w, h), (0, 0, w, h * 0.06), (0, sill, w, h)):
        canvas.rectangle(x0, y0, x1, y1, wall)
        canvas.note("", x0, y0, x1, y1)
    for x0, y0, x1, y1 in (
        (edge - 8, h * 0.05, edge + 6, sill),
        (w - edge - 6, h * 0.05, w - edge + 8, sill),
        (edge, h * 0.05, w - edge, h * 0.075),
        (w / 2 - 5, h * 0.05, w / 2 + 5, sill),
        (edge, h * 0.36, w - edge, h * 0.375),
    ):
        canvas.rectangle(x0, y0, x1, y1, frame)
    canvas.rectangle(edge * 0.5, sill - 4, w - edge * 0.5, sill + h * 0.045, lighter(frame, 0.2), radius=3)
    canvas.rectangle(edge * 0.6, sill + h * 0.045, w - edge * 0.6, sill + h * 0.06, darker(wall, 0.16))
    _curtains(
        stage,
        rng.choice([rgb("c8553d"), rgb("588b8b"), rgb("f2d0a4"), rgb("7d6b91"), rgb("e5989b")]),
        edge,
        sill,
    )
    _on_the_sill(stage, sill + h * 0.02)


def _curtains(stage: Stage, colour: tuple[int, int, int], edge: float, sill: float) -> None:
    tone = mix(colour, rgb("241c38"), 0.4 if stage.light.is_dark else 0.0)
    for side in (0, 1):
        for k in range(4):
            x0 = edge * (0.05 + 0.42 * k)
            fold = tone if k % 2 == 0 else darker(tone, 0.1)
            pull = edge * 0.18 * k
            points = [
                (x0, 0.0),
                (x0 + edge * 0.44, 0.0),
                (x0 + edge * 0.44 - pull * 1.1, sill + stage.h * 0.12),
                (x0 - pull * 0.8, sill + stage.h * 0.12),
            ]
            stage.canvas.polygon([(stage.w - x, y) if side else (x, y) for x, y in points], fold)
    stage.canvas.rectangle(
        0, stage.h * 0.02, stage.w, stage.h * 0.035, mix(rgb("6b4a34"), rgb("241c38"), 0.3)
    )


def _on_the_sill(stage: Stage, y: float) -> None:
    rng, h = stage.rng, min(stage.h, stage.w)
    stage.taken = [(0.0, stage.w * 0.14), (stage.w * 0.86, float(stage.w))]
    with_cat = stage.chance(0.65)
    if with_cat:
        cast.cat(stage, y=y, size=h * rng.uniform(0.32, 0.4), pose=rng.choice(["sits", "sits", "lies"]))
    if not with_cat or stage.chance(0.5):
        x = stage.room(h * 0.14)
        if x is not None:
            _vase(stage, x, y, h * 0.18)


def _vase(stage: Stage, x: float, y: float, tall: float) -> None:
    rng = stage.rng
    kind = rng.choice(["tulip", "daisy", "poppy"])
    for dx, lift in ((-0.3, 0.0), (0.32, 0.05), (0.0, 0.16)):
        plants.flower(
            stage.canvas,
            rng,
            stage.light,
            x + dx * tall,
            y - tall * (0.6 + lift),
            tall * 1.25,
            kind=kind,
            petal=rng.choice(plants.PETALS),
        )
    tone = stage.light.lit(rng.choice([rgb("3f7d8c"), rgb("d98c5f"), rgb("f0e6d2"), rgb("7d5ba6")]))
    shape = [
        (-0.2, 0.0),
        (-0.34, 0.3),
        (-0.24, 0.7),
        (-0.2, 0.95),
        (0.2, 0.95),
        (0.24, 0.7),
        (0.34, 0.3),
        (0.2, 0.0),
    ]
    stage.canvas.blob([(x + px * tall, y - py * tall) for px, py in shape], tone)
    stage.canvas.polygon(
        [
            (x - 0.24 * tall, y - 0.55 * tall),
            (x + 0.24 * tall, y - 0.55 * tall),
            (x + 0.27 * tall, y - 0.45 * tall),
            (x - 0.27 * tall, y - 0.45 * tall),
        ],
        lighter(tone, 0.25),
    )
    stage.canvas.note("flower", x - tall * 0.4, y - tall * 1.9, x + tall * 0.4, y - tall)
    stage.say(kind, count=3, doing="in a vase")
