"""What captions say of tags in the form that scoring reads: plain lists, and evidence as JSON that is stored as it is.

A scoring handles millions of mentions: an object for each would cost more than the head.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mlmodels.core.types import CaptionMatch, CaptionReading

# Up to `core.language.near_meaning.NEAREST` a mention helps to rank; as a reason it would only puzzle people.
SHOWN_ABOVE = 0.12


class Said(NamedTuple):
    """What one caption says: parallel lists of its matches, the places of negated ones, and its content lemmas."""

    tag_ids: list[int]
    scores: list[float]
    evidence: list[str]
    negated: list[int]
    terms: tuple[str, ...]

    @property
    def matches(self) -> "tuple[CaptionMatch, ...]":
        """The same as objects."""
        from mlmodels.core.types import CaptionMatch, Evidence

        return tuple(
            CaptionMatch(tag_id, score, Evidence(**json.loads(evidence)))
            for tag_id, score, evidence in zip(self.tag_ids, self.scores, self.evidence, strict=True)
        )

    def reading(self) -> "CaptionReading":
        """The reading that this was made of."""
        from mlmodels.core.types import CaptionReading

        return CaptionReading(self.matches, self.terms)

    def is_shown(self, place: int) -> bool:
        """Whether a match is shown as a reason: a mention, or a denied one."""
        return self.scores[place] > SHOWN_ABOVE or place in self.negated

    def denied(self) -> list[int]:
        """Ids of the tags that the caption denies."""
        return [self.tag_ids[place] for place in self.negated]


def of_reading(reading: "CaptionReading") -> Said:
    return Said(
        tag_ids=[match.tag_id for match in reading.matches],
        scores=[match.score for match in reading.matches],
        evidence=[_as_json(match) for match in reading.matches],
        negated=[place for place, match in enumerate(reading.matches) if match.evidence.negated],
        terms=tuple(reading.terms),
    )


def _as_json(match: "CaptionMatch") -> str:
    found = match.evidence
    said: dict[str, Any] = {"start": found.start, "end": found.end, "text": found.text, "rule": found.rule}
    if found.negated:
        said |= {"negated": True, "cue_start": found.cue_start, "cue_end": found.cue_end}
    return json.dumps(said, separators=(",", ":"))


@dataclass(frozen=True, eq=False)
class Mentions:
    """All mentions in N captions as arrays of one length: the row of the caption, the column of the tag, the score."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    scores: NDArray[np.float32]

    @classmethod
    def of(cls, readings: Sequence[Said], column: Mapping[int, int]) -> "Mentions":
        lengths = [len(said.tag_ids) for said in readings]
        return cls(
            rows=np.repeat(np.arange(len(readings)), lengths),
            columns=np.array([column[tag_id] for said in readings for tag_id in said.tag_ids], dtype=np.intp),
            scores=np.array(list(chain.from_iterable(said.scores for said in readings)), dtype=np.float32),
        )
