"""Stores what other models say of an import's images. A tag that the vocabulary lacks is told, never created."""

from collections.abc import Mapping, Sequence

from annotations.importers.base import ItemError
from annotations.models import ImportJob, OutsideSuggestion
from annotations.selectors import arrays, vocabulary
from annotations.services.import_images import ImageRow
from annotations.services.import_items import WaitingItem

Rows = dict[tuple[int, str], tuple[list[int], list[float]]]


def store(
    job: ImportJob, placed: Sequence[tuple[WaitingItem, ImageRow]]
) -> tuple[frozenset[int], list[ItemError]]:
    """Replace the rows of each image and model; returns the images where that changed something, and errors.

    Call inside the batch's transaction.
    """
    suggested = [(item, image) for item, image in placed if item.suggestions]
    if not suggested:
        return frozenset(), []
    words = dict.fromkeys(word for item, _ in suggested for word in item.suggestions["scores"])
    ids = vocabulary.ids_by_word(job.project, list(words))
    rows: Rows = {}
    errors = []
    for item, image in suggested:
        scores = item.suggestions["scores"]
        if by_tag := _by_tag(scores, ids):
            rows[image.pk, item.suggestions["model"]] = (list(by_tag), list(by_tag.values()))
        if missing := [word for word in scores if word not in ids]:
            errors.append(_unknown(item, missing))
    return _replace(rows), errors


def _by_tag(scores: Mapping[str, float], ids: Mapping[str, int]) -> dict[int, float]:
    """Scores of known tags, best first; of two words for one tag the better."""
    best: dict[int, float] = {}
    for word in sorted(scores, key=lambda word: -scores[word]):
        if word in ids:
            best.setdefault(ids[word], scores[word])
    return best


def _replace(rows: Rows) -> frozenset[int]:
    """Upsert the rows that differ from what is stored."""
    held = OutsideSuggestion.objects.filter(arrays.among("image_id", {image_id for image_id, _ in rows}))
    stored = {(row.image_id, row.model): (row.tag_ids, row.scores) for row in held}
    changed = {key: said for key, said in rows.items() if stored.get(key) != said}
    OutsideSuggestion.objects.bulk_create(
        (
            OutsideSuggestion(image_id=image_id, model=model, tag_ids=tag_ids, scores=scores)
            for (image_id, model), (tag_ids, scores) in changed.items()
        ),
        update_conflicts=True,
        unique_fields=["image", "model"],
        update_fields=["tag_ids", "scores", "updated_at"],
    )
    return frozenset(image_id for image_id, _ in changed)


def _unknown(item: WaitingItem, words: Sequence[str]) -> ItemError:
    named = ", ".join(f"“{word[:60]}”" for word in words[:5]) + (" and more" if len(words) > 5 else "")
    return ItemError(
        item.name,
        "unknown_tag",
        f"{named}: no active tag of this project. Suggestions of such tags were left out: "
        "create the tag, then import again.",
        is_part=True,
    )
