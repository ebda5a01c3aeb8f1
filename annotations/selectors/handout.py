"""What a person is shown of an image, taken from stored suggestions. A blind item shows nothing."""

from collections.abc import Iterable, Mapping
from typing import Any

from annotations.models import Decision, Lease, Project, QueueEntry, SuggestionSet, Tag
from annotations.models.queue import Stratum
from annotations.selectors import truth

SAMPLE = "sample"


def why(entry: QueueEntry, stratum: str) -> str:
    """The queue's reason, in words for the person; a blind item gives nothing away."""
    if stratum in (Stratum.HOLDOUT, Stratum.BLIND):
        return SAMPLE
    return "random" if stratum == Stratum.RANDOM else entry.reason


def why_one_tag(shown: Iterable[Mapping[str, Any]], mode: str, tag_id: int | None) -> str:
    """The reason where one tag is asked about: its score, or that the model says nothing of it here."""
    for entry in shown:
        if entry["tag"]["id"] == tag_id:
            return f"{mode}: {entry['tag']['name']} {entry['score']:.2f}"
    return "order"


def words(project: Project, sets: Iterable[SuggestionSet]) -> dict[int, str]:
    """Names of the active tags in these suggestions. One query."""
    tag_ids = {tag_id for suggestions in sets for tag_id in suggestions.tag_ids}
    if not tag_ids:
        return {}
    tags = Tag.objects.filter(project=project, pk__in=tag_ids, retired_at=None)
    return dict(tags.values_list("pk", "name"))


def blocked(image_ids: list[int], sets: Mapping[int, SuggestionSet]) -> dict[int, set[int]]:
    """Tags that people explicitly rejected on these images. One query where nothing was rejected."""
    if not sets or not Decision.objects.filter(image_id__in=image_ids, value=Decision.Value.NO).exists():
        return {}
    return truth.explicit_no(image_ids)


def record(
    lease: Lease, suggestions: SuggestionSet | None, names: Mapping[int, str], rejected: set[int]
) -> None:
    """Write the suggestions into the lease as an Item shows them."""
    entries = [] if suggestions is None or lease.blind else shown(suggestions, names, rejected)
    lease.shown = entries
    lease.offered_ids = [entry["tag"]["id"] for entry in entries if entry["offered"]]
    lease.calibrated = bool(suggestions and suggestions.calibrated)
    lease.model_version_id = suggestions.model_version_id if suggestions else None
    lease.model_number = suggestions.model_number if suggestions else 0


def shown(suggestions: SuggestionSet, names: Mapping[int, str], rejected: set[int]) -> list[dict[str, Any]]:
    """The suggestions as an Item lists them: retired and rejected tags left out."""
    offered = set(suggestions.offered_ids)
    return [
        {
            "tag": {"id": tag_id, "name": names[tag_id]},
            "score": round(score, 4),
            "offered": tag_id in offered,
            "sources": sources,
        }
        for tag_id, score, sources in zip(
            suggestions.tag_ids, suggestions.scores, suggestions.sources, strict=True
        )
        if tag_id in names and tag_id not in rejected
    ]
