"""Answers about one tag on many images: they answer that tag alone and never make an image reviewed.

A page's answers are taken back together: its row says when, and its decisions stay and count as never made.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotations.errors import BadInput, Conflict, NotFound, RoleTooLow
from annotations.models import Decision, Image, Membership, Project, SuggestionSet, User, VerifiedPage
from annotations.permissions import allows
from annotations.selectors import vocabulary
from annotations.services import tag_answers


@transaction.atomic
def answer_tag(
    project: Project,
    actor: User,
    *,
    word: int | str,
    yes: Sequence[int],
    no: Sequence[int],
    seconds: float | None = None,
    model_number: int | None = None,
) -> dict[str, Any]:
    """Store an explicit yes or no of one tag for each image; all or none. Answers the page and the counts stored.

    `model_number`: whose suggestions were shown; None where none were.
    """
    tag = vocabulary.active_tag(project, word)
    both = sorted(set(yes) & set(no))
    if both:
        raise BadInput(f"Image {both[0]} stands under yes and under no; choose one.", code="contradiction")
    values = dict.fromkeys(yes, Decision.Value.YES) | dict.fromkeys(no, Decision.Value.NO)
    images = Image.objects.filter(project=project, pk__in=values, deleted_at=None).in_bulk()
    missing = sorted(values.keys() - images.keys())
    if missing:
        raise NotFound(f"Image {missing[0]} is not in this project.", images=missing)
    counts = {"yes": len(set(yes)), "no": len(set(no))}
    if not values:
        return {"page": None, "tag": tag.pk, **counts}
    page = VerifiedPage.objects.create(project=project, tag=tag, user=actor, seconds=seconds, **counts)
    shown = _shown(tag.pk, values, model_number)
    stored = Decision.objects.bulk_create(_decisions(page, values, shown, model_number or 0))
    trainable = sum(not images[image_id].is_holdout for image_id in values)
    tag_answers.take_effect(project, stored, trainable=trainable)
    return {"page": page.pk, "tag": tag.pk, **counts}


@transaction.atomic
def undo(membership: Membership, page_id: int) -> dict[str, Any]:
    """Take a page's answers back: they count as never made, and whatever stood before them stands again."""
    page = _own_page(membership, page_id)
    if page.undone_at is not None:
        raise Conflict("This page was taken back already.", code="already_undone", page=page.pk)
    page.undone_at, page.undone_by = timezone.now(), membership.user
    page.save(update_fields=["undone_at", "undone_by"])
    tag_answers.take_back_page(page, actor=membership.user)
    return {"page": page.pk, "tag": page.tag_id, "yes": page.yes, "no": page.no, "undone_at": page.undone_at}


def _own_page(membership: Membership, page_id: int) -> VerifiedPage:
    page = VerifiedPage.objects.select_for_update().filter(project=membership.project_id, pk=page_id).first()
    if page is None:
        raise NotFound(f"Verified page {page_id} is not in this project.", page=page_id)
    if page.user_id != membership.user_id and not allows(membership.role, "undo_any_review"):
        raise RoleTooLow("You can take back your own pages; a reviewer takes back anybody's.")
    return page


def _shown(tag_id: int, image_ids: Mapping[int, str], model_number: int | None) -> dict[int, dict[str, Any]]:
    """The suggestion of the tag that each image showed; nothing where another model's has replaced it since."""
    if model_number is None:
        return {}
    sets = SuggestionSet.objects.filter(image__in=image_ids, model_number=model_number)
    shown = {}
    for row in sets:
        if tag_id in row.tag_ids:
            place = row.tag_ids.index(tag_id)
            shown[row.pk] = {
                "score": round(row.scores[place], 4),
                "offered": tag_id in row.offered_ids,
                "sources": row.sources[place],
            }
    return shown


def _decisions(
    page: VerifiedPage, values: Mapping[int, str], shown: Mapping[int, dict[str, Any]], model_number: int
) -> list[Decision]:
    return [
        Decision(
            project_id=page.project_id,
            image_id=image_id,
            tag_id=page.tag_id,
            user_id=page.user_id,
            verified_page=page,
            value=value,
            scope=Decision.Scope.TAG,
            suggestion=shown.get(image_id),
            model_number=model_number,
        )
        for image_id, value in values.items()
    ]
