"""What more reviews would bring, as sentences and plots, from a stored forecast. No queries here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.views.plots import Column, Plot, plot, written
from mlmodels.models import LearningForecast
from mlmodels.services import tuned_backbones

HELPS, LEARNT, UNSURE = "more examples would help", "learnt as far as it goes", "cannot be told yet"
WORDS = {True: HELPS, False: LEARNT, None: UNSURE}
TONES = {True: "live", False: "", None: "context"}
# Twice the images rarely bring less than this without the curve being flat.
HARDLY = 0.01
TAGS_DRAWN = 40


@dataclass(frozen=True)
class Told:
    """A forecast as the page of the models says it. `tags`: how many active tags there are of each word."""

    advice: str
    sentence: str
    plot: Plot
    judged: str
    version_id: int
    version_number: int
    tags: Sequence[tuple[str, int]]
    has_seen_answers: bool


def told(row: LearningForecast, active_ids: Collection[int]) -> Told | None:
    """In words, of the tags that are active today; None where its points are too few to say anything."""
    if not row.overall:
        return None
    return Told(
        advice=advice(row.overall),
        sentence=sentence(row.overall),
        plot=curve(row.overall),
        judged=judged(row),
        version_id=row.version_id,
        version_number=row.version.number,
        tags=_counted(one for tag_id, one in row.tags.items() if int(tag_id) in active_ids),
        has_seen_answers=tuned_backbones.has_seen_answers(row.version),
    )


def advice(overall: Mapping[str, Any]) -> str:
    """A yes only where the gain is above nothing in its whole range."""
    last = overall["expected"][-1]
    gain = last["value"] - overall["now"]
    if gain < HARDLY and last["gain_upper"] < 2 * HARDLY:
        return "Hardly: it is learnt as far as it goes"
    if gain < HARDLY:
        return "A little may still come"
    if last["gain_lower"] > 0:
        return "Yes, more reviews still teach it"
    return "Perhaps: more reviews may also bring nothing"


def of_tag(row: LearningForecast, tag_id: int) -> str:
    """Whether more examples of this tag would help; empty where no fit judged it."""
    one = row.tags.get(str(tag_id))
    return WORDS[one["would_help"]] if one else ""


def judged(row: LearningForecast) -> str:
    """On which images the points were judged."""
    images = f"{len(row.judged_ids):,}"
    if row.judged_on == "holdout":
        return f"{images} holdout images"
    return f"{images} reviewed images that were set aside for it"


def sentence(overall: Mapping[str, Any]) -> str:
    """With 500 more reviewed images AP is expected to rise from .64 to .66 (.65 to .67)."""
    first = overall["expected"][0]
    now, later, low, high = (
        written(value, "share") for value in (overall["now"], first["value"], first["lower"], first["upper"])
    )
    verb = f"stay at {later}" if now == later else f"rise from {now} to {later}"
    return f"With {first['more']:,} more reviewed images AP is expected to {verb} ({low} to {high})."


def curve(overall: Mapping[str, Any]) -> Plot:
    """AP at smaller numbers of images, a mean over draws, and what is expected at larger ones."""
    by_size: dict[int, list[float]] = {}
    for images, value in overall["points"]:
        by_size.setdefault(images, []).append(value)
    measured = [
        (images, sum(values) / len(values), None, None, None) for images, values in sorted(by_size.items())
    ]
    today = [(overall["images"], None, overall["now"], overall["now"], overall["now"])]
    later = [(one["images"], None, one["value"], one["lower"], one["upper"]) for one in overall["expected"]]
    return plot(
        "line",
        "Average precision by reviewed images, measured and expected",
        [
            Column("Images", "x"),
            Column("Measured", "line", "share"),
            Column("Expected", "line", "share", tone="run"),
            Column("from", "low", "share"),
            Column("to", "high", "share"),
        ],
        [*measured, *today, *later],
        traits="dots",
    )


def of_tags(row: LearningForecast, names: Mapping[int, str]) -> Plot | None:
    """Of each tag AP now and expected with twice the images, the largest gain first; None without any."""
    found = [(names[int(tag_id)], one) for tag_id, one in row.tags.items() if int(tag_id) in names]
    if not found:
        return None
    found.sort(key=lambda pair: (pair[1]["now"] - pair[1]["value"], pair[0]))
    return plot(
        "dumbbells",
        "Average precision of each tag now, and expected with twice the images",
        [
            Column("Tag", "name", "text"),
            Column("Now", "from", "share"),
            Column("Twice the images", "to", "share"),
            Column("from", "", "share"),
            Column("to", "", "share"),
            Column("Examples", "label", "text"),
        ],
        [
            (name, one["now"], one["value"], one["lower"], one["upper"], WORDS[one["would_help"]])
            for name, one in found[:TAGS_DRAWN]
        ],
        tones=[TONES[one["would_help"]] for _, one in found[:TAGS_DRAWN]],
        low=0,
        high=1,
    )


def _counted(tags: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    words = [WORDS[one["would_help"]] for one in tags]
    return [(word, words.count(word)) for word in WORDS.values() if word in words]
