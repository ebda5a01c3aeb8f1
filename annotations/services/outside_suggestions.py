"""Stores what other models say of an import's images. A tag that the vocabulary lacks is told, never created."""

from collections.abc import Mapping, Sequence

from django.db import connection

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
    """Upsert the rows that differ from what is stored: arrays in one statement, as a table's rows are many."""
    held = OutsideSuggestion.objects.filter(arrays.among("image_id", {image_id for image_id, _ in rows}))
    stored = {
        (image_id, model): said
        for image_id, model, *said in held.values_list("image_id", "model", "tag_ids", "scores")
    }
    changed = {key: said for key, said in rows.items() if stored.get(key) != [*said]}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO annotations_outsidesuggestion (image_id, model, tag_ids, scores, updated_at)
            SELECT said.image_id, said.model, said.tag_ids::bigint[], said.scores::float8[], now()
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS said(image_id, model, tag_ids, scores)
            ON CONFLICT (image_id, model) DO UPDATE
            SET tag_ids = excluded.tag_ids, scores = excluded.scores, updated_at = excluded.updated_at
            """,
            [
                arrays.literal(image_id for image_id, _ in changed),
                arrays.text_literal(model for _, model in changed),
                arrays.text_literal(arrays.literal(tag_ids) for tag_ids, _ in changed.values()),
                arrays.text_literal(arrays.literal(scores) for _, scores in changed.values()),
            ],
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
