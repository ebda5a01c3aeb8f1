"""Suggestions of other models, brought by an import, joined with ours where no head of ours has looked yet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from annotations.models import OutsideSuggestion, SuggestionSet
from annotations.selectors import arrays

MOST_SHOWN = 20
# From here on the chip is switched on, as with scores of ours that have no threshold of their own.
OFFERED_FROM = 0.5


def joined(image_ids: Iterable[int], sets: Mapping[int, SuggestionSet]) -> dict[int, SuggestionSet]:
    """The sets, and what other models say added to those of no head of ours. One query, none where ours has spoken."""
    unseen = [image_id for image_id in image_ids if image_id not in sets or not sets[image_id].model_number]
    found: dict[int, list[OutsideSuggestion]] = defaultdict(list)
    if unseen:
        rows = OutsideSuggestion.objects.filter(arrays.among("image_id", unseen)).order_by("pk")
        for row in rows:
            found[row.image_id].append(row)
    return {**sets, **{image_id: _joined(sets.get(image_id), others) for image_id, others in found.items()}}


def _joined(ours: SuggestionSet | None, others: Iterable[OutsideSuggestion]) -> SuggestionSet:
    """A set that is not stored: each tag with its best score, and every source behind it."""
    scores: dict[int, float] = {}
    sources: dict[int, Any] = defaultdict(list)  # the plugin for types takes their column for text
    offered = set(ours.offered_ids) if ours else set()
    for tag_id, score, said in zip(ours.tag_ids, ours.scores, ours.sources, strict=True) if ours else ():
        scores[tag_id] = score
        sources[tag_id] += said
    for other in others:
        for tag_id, score in zip(other.tag_ids, other.scores, strict=True):
            scores[tag_id] = max(score, scores.get(tag_id, 0.0))
            sources[tag_id].append({"kind": "import", "score": round(score, 4), "model": other.model})
            if score >= OFFERED_FROM:
                offered.add(tag_id)
    best = sorted(scores, key=lambda tag_id: (-scores[tag_id], tag_id))[:MOST_SHOWN]
    behind: Any = [sources[tag_id] for tag_id in best]
    return SuggestionSet(
        tag_ids=best,
        scores=[scores[tag_id] for tag_id in best],
        offered_ids=[tag_id for tag_id in best if tag_id in offered],
        sources=behind,
        model_version_id=ours.model_version_id if ours else None,
    )
