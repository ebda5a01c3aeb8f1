"""The tags that the sample project starts with.

Other things are drawn and written about too (kite, fence, beach, ball, star, road, ...): they are left out
on purpose, so that a newcomer finds something to add.
"""

from typing import NamedTuple


class SampleTag(NamedTuple):
    """One tag; ``hotkey`` is None where no letter comes to mind or the review page needs it as a command."""

    name: str
    aliases: tuple[str, ...]
    description: str
    hotkey: str | None


VOCABULARY: tuple[SampleTag, ...] = (
    SampleTag(
        "sun", ("sunshine",), "The sun itself is seen, high or low. Daylight alone is not enough.", None
    ),
    SampleTag("moon", ("crescent",), "The moon is in the picture, full or as a crescent.", "m"),
    SampleTag("cloud", ("overcast",), "At least one cloud, white or grey.", "c"),
    SampleTag(
        "rain", ("drizzle", "downpour", "shower"), "Rain is falling. A wet street alone is not rain.", None
    ),
    SampleTag(
        "snow",
        ("snowfall", "snowflake"),
        "Snow on the ground or in the air; white peaks alone count not.",
        None,
    ),
    SampleTag(
        "mountain",
        ("peak", "alps"),
        "High, rocky or pointed ground. Round green hills are no mountains.",
        None,
    ),
    SampleTag("tree", ("pine", "fir", "birch", "palm"), "Any tree, with or without leaves; no bushes.", "e"),
    SampleTag("flower", ("blossom", "tulip", "daisy", "poppy"), "Flowers, wild, planted or in a vase.", "l"),
    SampleTag(
        "water", ("lake", "sea", "river", "ocean"), "A lake, a river or the sea. Puddles do not count.", "w"
    ),
    SampleTag("house", ("cottage", "cabin", "barn"), "A small building with a roof that slopes.", "h"),
    SampleTag(
        "city", ("skyline", "skyscraper", "downtown"), "Tall buildings with many windows, near or far.", "y"
    ),
    SampleTag("car", ("automobile", "van"), "A car or van, moving or parked.", None),
    SampleTag("boat", ("sailboat", "ship", "dinghy"), "Anything that floats and carries people.", "o"),
    SampleTag("balloon", ("hot-air balloon",), "A hot-air balloon or a toy balloon.", None),
    SampleTag("umbrella", ("parasol",), "Against rain or sun, open.", None),
    SampleTag("person", ("man", "woman", "child", "people"), "One person or more, however small.", "p"),
    SampleTag("dog", ("puppy", "hound"), "A dog of any size.", "d"),
    SampleTag("cat", ("kitten", "tabby"), "A cat of any colour.", "k"),
    SampleTag("bird", ("gull", "duck", "swallow"), "Birds in the air, on the water or perched.", "i"),
    SampleTag("fish", ("minnow",), "A fish, in or out of the water.", None),
)
