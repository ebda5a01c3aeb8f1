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


def denials(readings: Sequence[Said], tag_ids: Sequence[int]) -> NDArray[np.bool_]:
    """Where captions deny a tag, bool [N, K]."""
    column = {tag_id: k for k, tag_id in enumerate(tag_ids)}
    denied = np.zeros((len(readings), len(column)), dtype=bool)
    for n, said in enumerate(readings):
        if said.negated:
            denied[n, [column[tag_id] for tag_id in said.denied()]] = True
    return denied


def _as_json(match: "CaptionMatch") -> str:
    found = match.evidence
    said: dict[str, Any] = {"start": found.start, "end": found.end, "text": found.text, "rule": found.rule}
    if found.negated:
        said |= {"negated": True, "cue_start": found.cue_start, "cue_end": found.cue_end}
    return json.dumps(said, separators=(",", ":"))


@dataclass(frozen=True, eq=False)
class Mentions:
    """All M mentions in N captions, one caption after the other, as arrays of one length."""

    rows: NDArray[np.intp]  # [M], the caption
    places: NDArray[np.intp]  # [M], the place in its lists
    columns: NDArray[np.intp]  # [M], the tag
    scores: NDArray[np.float32]  # [M]
    negated: NDArray[np.bool_]  # [M]

    @classmethod
    def of(cls, readings: Sequence[Said], column: Mapping[int, int]) -> "Mentions":
        lengths = np.array([len(said.tag_ids) for said in readings], dtype=np.intp)
        rows = np.repeat(np.arange(len(readings)), lengths)
        starts = np.cumsum(lengths) - lengths
        negated = np.zeros(len(rows), dtype=bool)
        for n, said in enumerate(readings):
            if said.negated:
                negated[starts[n] + np.array(said.negated)] = True
        return cls(
            rows=rows,
            places=np.arange(len(rows)) - starts[rows],
            columns=np.array([column[tag_id] for said in readings for tag_id in said.tag_ids], dtype=np.intp),
            scores=np.array(list(chain.from_iterable(said.scores for said in readings)), dtype=np.float32),
            negated=negated,
        )

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Which of them are shown as a reason, as `Said.is_shown`; bool [M]."""
        return np.asarray(self.negated | (self.scores > SHOWN_ABOVE))
