"""What a person is shown of an image, taken from stored suggestions. A blind item shows nothing."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from annotations.models import Decision, Lease, Project, QueueEntry, SuggestionSet, Tag
from annotations.models.queue import Stratum
from annotations.selectors import truth, vocabulary

SAMPLE, SENT = "sample", "sent to the front"


def why(entry: QueueEntry, stratum: str) -> str:
    """The queue's reason, in words for the person; a blind item gives nothing away."""
    if stratum in (Stratum.HOLDOUT, Stratum.BLIND):
        return SAMPLE
    if stratum == Stratum.RANDOM:
        return "random"
    return SENT if entry.priority > 0 else entry.reason


def why_one_tag(shown: Iterable[Mapping[str, Any]], mode: str, tag_id: int | None) -> str:
    """The reason where one tag is asked about: its score, or that the model says nothing of it here."""
    for entry in shown:
        if entry["tag"]["id"] == tag_id:
            return f"{mode}: {entry['tag']['name']} {entry['score']:.2f}"
    return "order"


class Word(NamedTuple):
    """What an Item calls a tag."""

    tag_id: int
    name: str


def words(project: Project, sets: Iterable[SuggestionSet]) -> dict[int, Word]:
    """The active tags in these suggestions, by the id that stands there. One query; three while suggestions are older
    than the vocabulary, as what was suggested of a tag that has been merged since is shown of the surviving one.
    """
    tag_ids = {tag_id for suggestions in sets for tag_id in suggestions.tag_ids}
    if not tag_ids:
        return {}
    active = Tag.objects.filter(project=project, retired_at=None)
    found = {pk: Word(pk, name) for pk, name in active.filter(pk__in=tag_ids).values_list("pk", "name")}
    into = vocabulary.survivors(project, tag_ids - found.keys())
    names = dict(active.filter(pk__in=into.values()).values_list("pk", "name")) if into else {}
    return found | {tag_id: Word(survivor, names[survivor]) for tag_id, survivor in into.items()}


def blocked(image_ids: list[int], sets: Mapping[int, SuggestionSet]) -> dict[int, set[int]]:
    """Tags that people explicitly rejected on these images. One query where nothing was rejected."""
    if not sets or not Decision.objects.filter(image_id__in=image_ids, value=Decision.Value.NO).exists():
        return {}
    return truth.explicit_no(image_ids)


def record(
    lease: Lease, suggestions: SuggestionSet | None, names: Mapping[int, Word], rejected: set[int]
) -> None:
    """Write the suggestions into the lease as an Item shows them; of a blind one what it keeps from its person."""
    entries = [] if suggestions is None else shown(suggestions, names, rejected)
    offered = [entry["tag"]["id"] for entry in entries if entry["offered"]]
    lease.shown = [] if lease.blind else entries
    lease.offered_ids, lease.withheld_ids = ([], offered) if lease.blind else (offered, [])
    showing = None if lease.blind else suggestions
    lease.calibrated = bool(showing and showing.calibrated)
    lease.model_version_id = showing.model_version_id if showing else None
    lease.model_number = showing.model_number if showing else 0


def shown(suggestions: SuggestionSet, names: Mapping[int, Word], rejected: set[int]) -> list[dict[str, Any]]:
    """The suggestions as an Item lists them: retired and rejected tags left out, each tag once."""
    offered = {names[tag_id].tag_id for tag_id in suggestions.offered_ids if tag_id in names}
    entries: dict[int, dict[str, Any]] = {}
    for tag_id, score, sources in zip(
        suggestions.tag_ids, suggestions.scores, suggestions.sources, strict=True
    ):
        word = names.get(tag_id)
        if word is None or word.tag_id in rejected or word.tag_id in entries:
            continue
        entries[word.tag_id] = {
            "tag": {"id": word.tag_id, "name": word.name},
            "score": round(score, 4),
            "offered": word.tag_id in offered,
            "sources": sources,
        }
    return list(entries.values())
