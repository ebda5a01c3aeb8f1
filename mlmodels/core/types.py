"""Frozen records that cross the boundary of `core`. No behaviour, no Django objects, no tensors."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TagTerm:
    """A tag of the vocabulary as language sees it: its id, its name and its other words."""

    id: int
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Why a caption speaks for a tag. Offsets count characters of the caption, end exclusive.

    `rule` is one of "exact", "alias", "lemma", "hypernym", "meaning"; the cue is the word that negates.
    """

    start: int
    end: int
    text: str
    rule: str
    negated: bool = False
    cue_start: int | None = None
    cue_end: int | None = None


@dataclass(frozen=True)
class CaptionMatch:
    """One tag that a caption speaks of; `score` in [0, 1] ranks, and is calibrated only by the head."""

    tag_id: int
    score: float
    evidence: Evidence


@dataclass(frozen=True)
class CaptionReading:
    """What was read in one caption.

    `matches` holds the best match per tag; a negated one has score 0.0 and stands only where the caption
    has no plain mention of the tag. `terms` are the lemmas of the content words, in order, with repeats.
    """

    matches: tuple[CaptionMatch, ...]
    terms: tuple[str, ...]
