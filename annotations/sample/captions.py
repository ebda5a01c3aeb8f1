"""Writes below a scene what a person might: part of what is seen, in many words, at times what is missing."""

from random import Random

from annotations.sample.stage import Mention, Stage
from annotations.sample.wording import (
    ABSENT,
    EXTRAS,
    HEROES,
    HOURS,
    LIKELY_ABSENT,
    NUMBERS,
    PLACES,
    TAG_OF,
    WEATHERS,
    WORDS,
)

EMPTY_SHARE, NEGATED_SHARE = 0.05, 0.2


def write(stage: Stage, truth: tuple[str, ...]) -> str:
    """A caption, true of the scene but never all of it; now and then an empty one."""
    rng = stage.rng
    if rng.random() < EMPTY_SHARE:
        return ""
    seen = [m for m in _merged(stage.mentions) if _is_seen(m, truth)]
    heroes = [m for m in seen if m.thing in HEROES]
    extras = [m for m in seen if m.thing in EXTRAS]
    rng.shuffle(heroes)
    rng.shuffle(extras)
    where, when = rng.choice(PLACES[stage.place]), _when(stage)
    said = _sentence(rng, heroes, extras, where, when)
    missing = _missing(stage, truth)
    if missing and rng.random() < NEGATED_SHARE:
        said = f"{said}, {missing}" if rng.random() < 0.7 else f"{missing}; {said}"
    return _finish(rng, said)


def _merged(mentions: list[Mention]) -> list[Mention]:
    """One mention a thing: three trees here and two there are five trees."""
    first: dict[str, Mention] = {}
    for mention in mentions:
        before = first.get(mention.thing)
        first[mention.thing] = Mention(mention.thing, before.count + mention.count) if before else mention
    return list(first.values())


def _of_other_kinds(first: Mention, others: list[Mention]) -> list[Mention]:
    """``others`` without a second mention of one tag, so that nobody writes "boat, sailboat"."""
    used, kept = {TAG_OF.get(first.thing, first.thing)}, []
    for mention in others:
        kind = TAG_OF.get(mention.thing, mention.thing)
        if kind not in used:
            used.add(kind)
            kept.append(mention)
    return kept


def _is_seen(mention: Mention, truth: tuple[str, ...]) -> bool:
    """Things outside the vocabulary were drawn in front and need no proof."""
    tag = TAG_OF.get(mention.thing, mention.thing)
    return tag in truth or tag not in WORDS


def _when(stage: Stage) -> str:
    rng, light = stage.rng, stage.light
    if light.weather in WEATHERS and stage.place != "underwater" and rng.random() < 0.7:
        return rng.choice(WEATHERS[light.weather])
    if stage.place == "underwater":
        return ""
    if light.is_winter and rng.random() < 0.25:
        return rng.choice(["with snow everywhere", "after the first snow", "all white outside"])
    if light.hour == "day" and rng.random() < 0.3:
        return rng.choice([f"in {light.season}", f"on {_article(light.season)} day"])
    return rng.choice(HOURS[light.hour])


def _sentence(rng: Random, heroes: list[Mention], extras: list[Mention], where: str, when: str) -> str:
    first = heroes[0] if heroes else extras[0] if extras else None
    if first is None:
        return _join(rng.choice(["quiet", "nothing going on", "an empty view", "just the view"]), where, when)
    rest = _of_other_kinds(first, heroes[1:] + extras)
    subject, doing = _phrase(rng, first), _doing(rng, first)
    other = _phrase(rng, rest[0]) if rest else ""
    third = _phrase(rng, rest[1]) if len(rest) > 1 else ""
    forms = [
        _join(subject, doing, where, when),
        _join(subject, where),
        _join(when or where, "-", subject, doing),
        _join("we saw", subject, doing, where),
        f"{_join(where, when)}, {_join(subject, doing)}",
    ]
    if other:
        forms += [
            _join(subject, "and", other, where, when),
            _join(subject, doing, where, "with", other, "behind"),
            _join(subject, "near", other) + (f", {when}" if when else ""),
            _join(other, "and", subject, where),
        ]
    if third:
        forms += [
            f"{_join(subject, doing)}, {other}, {third}",
            _join(subject, "with", other, "and", third, when),
        ]
    bare = ", ".join(_noun(rng, m) for m in [first, *rest[:2]])
    return rng.choice([*forms, *forms, bare])


def _noun(rng: Random, mention: Mention) -> str:
    word = rng.choice(WORDS.get(mention.thing, (mention.thing,)))
    return _plural(word) if mention.count > 1 else word


def _plural(word: str) -> str:
    odd = {
        "person": "people",
        "snowman": "snowmen",
        "man": "men",
        "woman": "women",
        "child": "children",
        "fish": "fish",
        "daisy": "daisies",
        "poppy": "poppies",
        "ferry": "ferries",
    }
    return odd.get(word, f"{word}s")


def _phrase(rng: Random, mention: Mention) -> str:
    """The thing with its number and, sometimes, its look: "two white birds", "our puppy"."""
    word, dressed = _noun(rng, mention), mention.look if rng.random() < 0.6 else ""
    if mention.thing in ("person", "child") and dressed:
        return f"{_article(word)} in {dressed}"
    if mention.thing in ("sun", "moon"):
        return f"the {dressed + ' ' if dressed else ''}{word}" if dressed != "crescent" else "a crescent moon"
    named = f"{dressed} {word}" if dressed and not word.startswith(f"{dressed} ") else word
    if mention.count == 1:
        mine = mention.thing in ("dog", "cat") and rng.random() < 0.2
        return f"our {named}" if mine else _article(named)
    number = NUMBERS.get(mention.count, "many") if mention.thing != "mountain" else ""
    vague = (
        rng.choice(["some", "a few", "lots of"])
        if mention.count > 5
        else rng.choice([number, "some", number])
    )
    return f"{vague} {named}".strip()


def _article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _doing(rng: Random, mention: Mention) -> str:
    choices = {
        "sitting": ("sitting", "sitting quietly", "waiting"),
        "running": ("running", "chasing around", "in full run"),
        "waiting": ("waiting", "looking around", "standing still"),
        "lying": ("lying down", "dozing", "taking a nap"),
        "walking": ("out for a walk", "walking", "strolling along"),
        "flying": ("in flight", "circling", "flying past"),
        "perched": ("hopping about", "on the ground"),
        "with umbrella": ("with an umbrella", "out walking", "keeping dry" if mention.thing else ""),
        "with kite": ("flying a kite", "letting a kite go up"),
        "with balloons": ("holding balloons", "with something colourful on a string"),
    }
    if not mention.doing or rng.random() < 0.25:
        return ""
    return rng.choice(choices.get(mention.doing, (mention.doing,)))


def _missing(stage: Stage, truth: tuple[str, ...]) -> str:
    options = [tag for tag in LIKELY_ABSENT[stage.place] if tag not in truth and not _contradicts(stage, tag)]
    return stage.rng.choice(ABSENT[stage.rng.choice(options)]) if options else ""


def _contradicts(stage: Stage, tag: str) -> bool:
    """A thing drawn but half hidden is neither claimed nor denied; at night nobody misses the sun."""
    drawn = {TAG_OF.get(m.thing, m.thing) for m in stage.mentions}
    return tag in drawn or (tag in ("sun", "cloud") and stage.light.is_dark)


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part).replace(" ,", ",")


def _finish(rng: Random, text: str) -> str:
    """Most people begin with a capital and end with a stop; some do neither."""
    style = rng.random()
    if style < 0.15:
        return text
    text = text[0].upper() + text[1:]
    return text if style < 0.35 else f"{text}."
