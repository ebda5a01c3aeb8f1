"""Frozen values that cross module boundaries in annotations. No rules here.

Of what there are millions is a tuple: a frozen dataclass takes four times as long to make.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


@dataclass(frozen=True)
class ImageTruth:
    """The verdicts on one image, as tag ids. A tag in none of the sets was not asked."""

    image_id: int
    yes: frozenset[int]
    no: frozenset[int]
    implied_no: frozenset[int]
    disputed: frozenset[int]
    # How often its draw took it, against a draw of equal chances; None where chance had no part in it.
    draw_rate: float | None = None


@dataclass(frozen=True)
class TrainableCounts:
    """What may be trained on, as counts of rows read in one snapshot. Only ever grow."""

    decisions: int
    reviews: int
    newest_at: datetime | None


@dataclass(frozen=True)
class SnapshotRef:
    """A snapshot, as one who trains from it names it: it stays known by name and sha256 after it was removed."""

    id: int
    name: str
    sha256: str


class SuggestionRow(NamedTuple):
    """What the model says of one image; parallel sequences, best first, at most 20.

    One who has them as text may hand them over as such, which is faster for millions: numbers as PostgreSQL's
    array literals, `sources` as `models.sources` packs them.
    """

    image_id: int
    tag_ids: Sequence[int] | str
    scores: Sequence[float] | str
    offered_ids: Sequence[int] | str
    sources: Sequence[list[dict[str, Any]]] | str
    calibrated: bool
    model_version_id: int | None
    model_number: int
    vocabulary_version: int


class QueueRank(NamedTuple):
    """Where an image stands in the active order: small `rank` first, with the reason shown to people.

    `appeal` is how often the order draws it against a draw of equal chances: 1 on the mean over all that wait.
    `component` names the strategy that brought it.
    """

    image_id: int
    rank: float
    reason: str
    appeal: float = 1.0
    component: str = "random"


@dataclass(frozen=True)
class TagSpec:
    """A tag to create."""

    name: str
    aliases: Sequence[str] = ()
    parent: int | str | None = None
    hotkey: str | None = None
    description: str = ""


@dataclass(frozen=True)
class Answer:
    """What a person sends about one image. `tags` and `rejected` hold names or ids."""

    client_id: str | None
    image_id: int
    lease: str
    revision: int
    outcome: str
    tags: Sequence[int | str] = ()
    rejected: Sequence[int | str] = ()
    seconds: float | None = None
    keystrokes: int | None = None
    picture_ms: int | None = None
    create_missing: bool = False


@dataclass(frozen=True)
class ProposalSpec:
    """A word that captions propose: as a tag, or with `tag_id` as another word for that tag.

    `evidence` holds the rule with its figures, and `examples` as {image, start, end, text}, counted in characters.
    """

    kind: str
    text: str
    tag_id: int | None
    captions: int
    evidence: dict[str, Any]
