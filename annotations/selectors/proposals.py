"""Reads of proposals for people, and of what proposals are made from for the model's side."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Left

from annotations.errors import NotFound
from annotations.models import CaptionProgress, Image, Project, Proposal, Tag, TagAlias
from annotations.selectors.queue import addresses

EXAMPLES_SHOWN = 3
BEFORE_CHARS, AFTER_CHARS = 70, 90


@dataclass(frozen=True)
class Example:
    """A picture whose caption has the word; the caption in three parts, the word in the middle."""

    image_id: int
    thumbnail_url: str
    start: int
    end: int
    before: str
    marked: str
    after: str


@dataclass(frozen=True)
class Shown:
    """A proposal as people see it."""

    proposal: Proposal
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class VocabularyWord:
    """A tag with its words, retired ones included: all that a proposal must not repeat."""

    tag_id: int
    name: str
    aliases: tuple[str, ...]
    is_retired: bool


def listing(
    project: Project, *, state: str = Proposal.State.OPEN, kind: str | None = None
) -> QuerySet[Proposal]:
    """Best first."""
    rows = Proposal.objects.filter(project=project, state=state)
    rows = rows.filter(kind=kind) if kind else rows
    return rows.select_related("tag", "result_tag", "decided_by").order_by("rank", "id")


def after(rows: QuerySet[Proposal], rank: int, last_id: int) -> QuerySet[Proposal]:
    """What follows the proposal of this rank and id in a listing."""
    return rows.filter(Q(rank__gt=rank) | Q(rank=rank, pk__gt=last_id))


def get(project: Project, proposal_id: int) -> Proposal:
    rows = Proposal.objects.filter(project=project).select_related(
        "tag", "result_tag", "decided_by", "project"
    )
    row = rows.filter(pk=proposal_id).first()
    if row is None:
        raise NotFound(f"Proposal {proposal_id} is not in this project.", proposal=proposal_id)
    return row


def counts(project: Project, state: str = Proposal.State.OPEN) -> dict[str, int]:
    """How many proposals of each kind are in this state. One query."""
    rows = Proposal.objects.filter(project=project, state=state).values_list("kind").annotate(Count("pk"))
    return dict.fromkeys(Proposal.Kind.values, 0) | dict(rows.order_by())


def with_examples(project: Project, rows: Sequence[Proposal]) -> list[Shown]:
    """The proposals with pictures and captions; one that has changed meanwhile is left out. One query."""
    wanted = {example["image"] for row in rows for example in row.evidence.get("examples", ())}
    last = max((example["end"] for row in rows for example in row.evidence.get("examples", ())), default=0)
    rows_of = Image.objects.filter(project=project, deleted_at=None).only("project_id")
    images = rows_of.annotate(said=Left("caption", last + AFTER_CHARS + 1)).in_bulk(wanted)
    return [Shown(row, _examples(row, images)) for row in rows]


def progress(project: Project) -> CaptionProgress:
    """How far the captions have been read; unsaved zeros before anybody has begun."""
    return CaptionProgress.objects.filter(project=project).first() or CaptionProgress(project=project)


def dismissed(project_id: int) -> list[tuple[str, str, int | None]]:
    """What people have put away, as (kind, text, tag id)."""
    rows = Proposal.objects.filter(project_id=project_id, state=Proposal.State.DISMISSED)
    return list(rows.order_by("id").values_list("kind", "text", "tag_id"))


def vocabulary_words(project_id: int) -> list[VocabularyWord]:
    """Every tag by ascending id. Two queries."""
    aliases: dict[int, list[str]] = {}
    rows = TagAlias.objects.filter(project_id=project_id).order_by("id")
    for tag_id, name in rows.values_list("tag_id", "name"):
        aliases.setdefault(tag_id, []).append(name)
    tags = Tag.objects.filter(project_id=project_id).order_by("id").values_list("id", "name", "retired_at")
    return [VocabularyWord(pk, name, tuple(aliases.get(pk, ())), at is not None) for pk, name, at in tags]


def captions(project_id: int, *, after_id: int, limit: int, chars: int) -> list[tuple[int, str]]:
    """The next captions by id of the image, each up to so many characters.

    Holdout images are left out: nothing that is learnt comes from them.
    """
    rows = _captioned(project_id).filter(pk__gt=after_id).order_by("pk")
    return list(rows.values_list("pk", Left("caption", chars))[:limit])


def has_captions(project_id: int, *, after_id: int = 0) -> bool:
    """Whether any image after this one has a caption to read."""
    return _captioned(project_id).filter(pk__gt=after_id).exists()


def caption_count(project_id: int) -> int:
    return _captioned(project_id).count()


def answered_captions(project_id: int, *, limit: int, chars: int) -> list[tuple[int, str]]:
    """Captions of images that somebody has reviewed; a stable random choice of at most `limit`."""
    rows = _captioned(project_id).filter(reviews_done__gt=0).order_by("shuffle", "pk")
    return list(rows.values_list("pk", Left("caption", chars))[:limit])


def texts_at(places: Collection[tuple[int, int, int]]) -> dict[tuple[int, int, int], str]:
    """The words at these places, (image id, start, end), of captions as they are now. One query."""
    last = max((end for _, _, end in places), default=1)
    rows = Image.objects.filter(pk__in={image_id for image_id, _, _ in places})
    said = dict(rows.values_list("pk", Left("caption", last)))
    return {place: said.get(place[0], "")[place[1] : place[2]] for place in places}


def _captioned(project_id: int) -> QuerySet[Image]:
    rows = Image.objects.filter(project_id=project_id, deleted_at=None, is_holdout=False)
    return rows.exclude(caption="")


def _examples(row: Proposal, images: Mapping[int, Any]) -> tuple[Example, ...]:
    shown = []
    for example in row.evidence.get("examples", ()):
        image = images.get(example["image"])
        start, end, text = example["start"], example["end"], example["text"]
        if image is None or image.said[start:end] != text:
            continue
        before, after = image.said[:start], image.said[end:]
        before = before if len(before) <= BEFORE_CHARS else "…" + before[-BEFORE_CHARS:]
        after = after if len(after) <= AFTER_CHARS else after[:AFTER_CHARS] + "…"
        shown.append(Example(image.pk, addresses(image)["thumbnail_url"], start, end, before, text, after))
    return tuple(shown[:EXAMPLES_SHOWN])
