"""What a manager decides of near-duplicates: keep all, or keep one and move the others to the trash; and back.

How they are found stands in `near_pairs`. Tags that are taken over are answers of the manager to one tag each.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from annotations.errors import BadInput, Conflict
from annotations.models import Decision, DuplicateGroup, Image, Project, Tag, User
from annotations.models.image import CAPTION_MAX_CHARS
from annotations.selectors import duplicates, images, truth
from annotations.services import audit, image_edits, tag_answers


@dataclass(frozen=True)
class Plan:
    """What joining a group comes to: the image that stays, the others, and what it takes over from them."""

    kept: Image
    gone: tuple[Image, ...]
    tags: tuple[Tag, ...]
    caption: str
    # Why no tags can be taken over; empty where they can.
    tags_stay: str = ""


def plan(project: Project, group: DuplicateGroup, keep_id: int) -> Plan:
    """Look ahead; changes nothing. Raises BadInput if the image is not of the group, Conflict if nothing is to join."""
    return _plan(project, keep_id, Image.objects.filter(pk__in=duplicates.image_ids(group)))


@transaction.atomic
def join(
    project: Project,
    group_id: int,
    keep_id: int,
    *,
    take_tags: bool,
    take_caption: bool,
    actor: User,
    of: Sequence[int] | None = None,
) -> Plan:
    """Keep one image, move the others to the trash. Raises Conflict `group_changed` if the group is not `of` those."""
    group = duplicates.get(project, group_id, lock=True)
    rows = Image.objects.filter(pk__in=duplicates.image_ids(group)).select_for_update()
    decided = _plan(project, keep_id, rows)
    _refuse_changed([decided.kept, *decided.gone], of)
    done: dict[str, Any] = {"kept": keep_id, "decisions": [], "caption": None}
    if take_tags:
        answers = [(decided.kept, tag.pk, Decision.Value.YES) for tag in decided.tags]
        done["decisions"] = [row.pk for row in tag_answers.store(project, actor, answers)]
    if take_caption and decided.caption != decided.kept.caption:
        done["caption"] = decided.kept.caption
        changes = {"caption": decided.caption}
        updated = image_edits.update(project, keep_id, decided.kept.revision, changes, actor=actor)
        done["revision"] = updated.revision
    at = timezone.now()
    image_edits.trash_many(project, decided.gone, at=at)
    done |= {"trashed": [image.pk for image in decided.gone], "at": at.isoformat()}
    _decide(group, DuplicateGroup.State.OPEN, actor, done)
    audit.record(
        project.pk,
        "duplicates.join",
        actor_id=actor.pk,
        image=keep_id,
        images=len(decided.gone) + 1,
        trashed=done["trashed"],
        tags=[tag.pk for tag in decided.tags] if take_tags else [],
    )
    return decided


@transaction.atomic
def keep(project: Project, group_id: int, *, actor: User, of: Sequence[int] | None = None) -> DuplicateGroup:
    """All stay, and these pairs are not asked about again."""
    group = duplicates.get(project, group_id, lock=True)
    if group.state == DuplicateGroup.State.KEPT:
        return group
    here = list(Image.objects.filter(pk__in=duplicates.image_ids(group), deleted_at=None))
    _refuse_changed(here, of)
    _decide(group, DuplicateGroup.State.KEPT, actor, {})
    audit.record(project.pk, "duplicates.keep", actor_id=actor.pk, images=len(here), group=group_id)
    return group


@transaction.atomic
def undo(project: Project, group_id: int, *, actor: User) -> DuplicateGroup:
    """Ask again: a kept group is open, and what the last join did is taken back as far as it still stands."""
    group = duplicates.get(project, group_id, lock=True)
    if group.state != DuplicateGroup.State.KEPT and not group.joined:
        raise Conflict(
            "Nothing was decided on this group, or it was taken back already.", code="already_undone"
        )
    count = len(duplicates.image_ids(group))
    if group.state == DuplicateGroup.State.OPEN:
        count = _take_back(project, group.joined, actor=actor)
    _decide(group, DuplicateGroup.State.OPEN, None, {})
    audit.record(project.pk, "duplicates.undo", actor_id=actor.pk, images=count, group=group_id)
    return group


def _plan(project: Project, keep_id: int, rows: Any) -> Plan:
    here = duplicates.best_first(rows.filter(project=project, deleted_at=None).order_by("pk"))
    if len(here) < 2:
        raise Conflict("One image of this group is left: there is nothing to join.", code="already_joined")
    kept = next((image for image in here if image.pk == keep_id), None)
    if kept is None:
        raise BadInput(f"Image {keep_id} is not one of this group.", code="not_in_group", image=keep_id)
    gone = tuple(image for image in here if image.pk != keep_id)
    caption = _joined_caption(kept.caption, [image.caption for image in gone])
    if kept.is_holdout:
        said = "The image that stays is of the holdout, which is tagged without help: it takes no tags over."
        return Plan(kept, gone, (), caption, said)
    if any(images.is_blind(project, image) for image in gone):
        said = "A holdout image among them still waits for its reviews: its tags are not told."
        return Plan(kept, gone, (), caption, said)
    return Plan(kept, gone, _new_tags(project, kept, gone), caption)


def _new_tags(project: Project, kept: Image, gone: Sequence[Image]) -> tuple[Tag, ...]:
    """Active tags that another image has. What somebody said no to on the image that stays is left out."""
    truths = truth.verdicts(project, [kept.pk, *(image.pk for image in gone)])
    said = truths[kept.pk]
    wanted = {tag_id for image in gone for tag_id in truths[image.pk].yes} - said.yes - said.no
    return tuple(Tag.objects.filter(project=project, pk__in=wanted, retired_at=None).order_by("name"))


def _joined_caption(kept: str, others: Iterable[str]) -> str:
    """The caption with those of the others that say something else, a line each."""
    lines = dict.fromkeys(text.strip() for text in (kept, *others) if text.strip())
    joined = "\n".join(lines) if len(lines) > 1 or not kept else kept
    return joined if len(joined) <= CAPTION_MAX_CHARS else kept


def _refuse_changed(here: Sequence[Image], of: Sequence[int] | None) -> None:
    if of is not None and set(of) != {image.pk for image in here}:
        raise Conflict(
            f"The group has changed: it has {len(here)} images by now. Look at it again.",
            code="group_changed",
        )


def _decide(group: DuplicateGroup, state: str, actor: User | None, joined: dict[str, Any]) -> None:
    group.state, group.decided_by, group.joined = state, actor, joined
    group.decided_at = timezone.now() if actor else None
    group.save(update_fields=["state", "decided_by", "decided_at", "joined"])


def _take_back(project: Project, done: dict[str, Any], *, actor: User) -> int:
    """Images that lie where the join put them come back; a caption that nobody has changed since is as before."""
    rows = Image.objects.filter(project=project, pk__in=done["trashed"]).select_for_update()
    back = list(rows.filter(deleted_at=parse_datetime(done["at"])).order_by("pk"))
    image_edits.restore_many(project, back)
    tag_answers.take_back_many(project, done["decisions"], actor=actor)
    kept = Image.objects.filter(project=project, pk=done["kept"], deleted_at=None).first()
    if kept is not None and done["caption"] is not None and kept.revision == done["revision"]:
        changes = {"caption": done["caption"]}
        image_edits.update(project, kept.pk, kept.revision, changes, actor=actor)
    return len(back) + 1
