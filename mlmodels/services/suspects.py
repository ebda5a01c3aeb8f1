"""Ranks the answers that the live version doubts, and stores what people say when they look at them again.

A list replaces the one before it; what was looked at and found right is left out as long as the answer stands.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from django.db import connection, transaction
from django.utils import timezone
from numpy.typing import NDArray

from annotations.errors import Conflict, NotFound
from annotations.selectors import images as image_selector
from annotations.selectors import model_inputs, people, said, truth
from annotations.services import tag_answers
from annotations.types import ImageTruth
from mlmodels import selectors
from mlmodels.models import Suspect, SuspectCheck, SuspectKind, SuspectList
from mlmodels.services import heads
from mlmodels.services.evidence import truth_array

if TYPE_CHECKING:
    from mlmodels.core.evaluation.suspects import Ranked
    from mlmodels.services.heads import OutOfFold

# Below so many images scores are a ranking, not a calibrated probability, and doubts would be noise.
NEEDED_IMAGES = heads.CALIBRATED_FROM_IMAGES
READ_AT_ONCE = 2_000
# A list is ranked anew for each version, but for no more than a twentieth of the time.
SHARE_OF_TIME = 20


def is_due(project_id: int) -> bool:
    """Whether the live version has not ranked the suspects yet, and enough time has passed since another one did."""
    version = selectors.live_version(project_id)
    if version is None or version.trained_images < NEEDED_IMAGES:
        return False
    made = SuspectList.objects.filter(project_id=project_id).first()
    if made is None:
        return True
    rested = timezone.now() - made.read_at >= timedelta(seconds=SHARE_OF_TIME * made.seconds)
    return made.version_id != version.pk and rested


def refresh(project_id: int) -> int | None:
    """Rank by the live version's out-of-fold scores and the answers of this moment; how many, or None for nothing due.

    Nothing happens where its file cannot be read: the list of the version before it stays.
    """
    from mlmodels.core.errors import ArtifactError

    version = selectors.live_version(project_id)
    if version is None or not is_due(project_id):
        return None
    began, read_at = time.perf_counter(), timezone.now()
    try:
        scored = heads.load_out_of_fold(version)
    except ArtifactError:
        return None
    rows = _ranked(project_id, scored)
    with transaction.atomic():
        _lock(project_id)
        Suspect.objects.filter(project_id=project_id).delete()
        Suspect.objects.bulk_create(rows, batch_size=READ_AT_ONCE)
        SuspectList.objects.update_or_create(
            project_id=project_id,
            defaults={"version": version, "read_at": read_at, "seconds": time.perf_counter() - began},
        )
    return len(rows)


@transaction.atomic
def answer(project_id: int, image_id: int, tag_id: int, value: str, *, actor_id: int) -> int:
    """A person's yes or no to a suspected answer: it fixes it, or finds it right. The id of the decision on that tag.

    Raises:
        BadInput: the value is neither.
        NotFound: no such image, or the tag of the image is not suspected (any more).
        Conflict: `already_answered` since the list was ranked, or `answer_gone`: nobody says any more what is doubted.
    """
    tag_answers.refuse_other(value)
    found = _suspect(project_id, image_id, tag_id)
    image = image_selector.get(found.project, image_id)
    decision = tag_answers.answer(
        found.project,
        image,
        tag_id,
        value,
        actor=people.user(project_id, actor_id),
        scope=tag_answers.LAST_WORD,
    )
    SuspectCheck.objects.create(
        project_id=project_id,
        image=image,
        tag_id=tag_id,
        decision=decision,
        kind=found.kind,
        score=found.score,
    )
    return decision.pk


@transaction.atomic
def undo(project_id: int, decision_id: int, *, actor_id: int) -> SuspectCheck:
    """Take such an answer back: it counts as never made, and the answer before it stands and is suspected again."""
    rows = SuspectCheck.objects.select_related("project", "image", "tag")
    check = rows.filter(project=project_id, decision=decision_id).first()
    if check is None:
        raise NotFound(f"No suspect was answered by decision {decision_id}.", decision=decision_id)
    tag_answers.take_back(check.project, decision_id, actor=people.user(project_id, actor_id))
    return check


def stands(kind: str, tag_id: int, said_now: ImageTruth) -> bool:
    """Whether people still say what is doubted: a yes, or a no, explicit or implied."""
    if kind == SuspectKind.WRONG:
        return tag_id in said_now.yes
    return tag_id in said_now.no or tag_id in said_now.implied_no


def _suspect(project_id: int, image_id: int, tag_id: int) -> Suspect:
    """The suspect, locked; refused where it is none any more, or what people say of it has changed."""
    rows = Suspect.objects.select_for_update(of=("self",)).select_related("project")
    found = rows.filter(project=project_id, image=image_id, tag=tag_id).first()
    made = SuspectList.objects.filter(project_id=project_id).first()
    if found is None or made is None:
        raise NotFound(
            "This answer is not suspected any more: the list was ranked anew. Look at the next one.",
            image=image_id,
            tag=tag_id,
        )
    if said.answers_since(made.read_at).filter(image=image_id, tag=tag_id).exists():
        raise Conflict(
            "Somebody has answered this since. Look at the next one.", code="already_answered", image=image_id
        )
    if not stands(found.kind, tag_id, truth.verdicts(found.project, [image_id])[image_id]):
        raise Conflict(
            "Nobody says this any more: it was taken back or changed. Look at the next one.",
            code="answer_gone",
            image=image_id,
        )
    return found


def _ranked(project_id: int, scored: "OutOfFold") -> list[Suspect]:
    from mlmodels.core.evaluation import suspects

    active = [tag.tag_id for tag in model_inputs.active_tags(project_id)]
    survivors = model_inputs.kinship(project_id).survivors
    scored = scored.of_tags(active, survivors)
    tag_ids = scored.tag_ids.tolist()
    image_ids, said_now = _truth_now(project_id, scored.image_ids, tag_ids)
    rows = np.flatnonzero(np.isin(scored.image_ids, image_ids))
    checked = _checked(_looks(project_id, survivors), image_ids, tag_ids, said_now)
    found = suspects.find(said_now, scored.scores[rows], most=suspects.MOST_OF_A_KIND + len(checked))
    kinds: Sequence[tuple[SuspectKind, Ranked]] = (
        (SuspectKind.WRONG, found.wrong),
        (SuspectKind.MISSING, found.missing),
    )
    return [
        Suspect(
            project_id=project_id,
            image_id=int(image_ids[n]),
            tag_id=tag_ids[k],
            kind=kind,
            rank=rank,
            score=round(float(score), 4),
        )
        for kind, ranked in kinds
        for rank, (n, k, score) in enumerate(_unchecked(ranked, checked)[: suspects.MOST_OF_A_KIND], 1)
    ]


def _truth_now(
    project_id: int, scored_ids: NDArray[np.int64], tag_ids: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Those of the scored images that are still there, [N], and what people say of the tags, int8 [N, K]."""
    project = model_inputs.project(project_id)
    kept: list[int] = []
    arrays = [np.empty((0, len(tag_ids)), dtype=np.int8)]
    for start in range(0, len(scored_ids), READ_AT_ONCE):
        if project is None:  # in the trash by now
            break
        asked = [int(image_id) for image_id in scored_ids[start : start + READ_AT_ONCE]]
        there = {image.image_id for image in model_inputs.images(project_id, asked)}
        some = [image_id for image_id in asked if image_id in there]
        truths = truth.verdicts(project, some)
        kept += some
        arrays.append(truth_array([truths[image_id] for image_id in some], tag_ids))
    return np.array(kept, dtype=np.int64), np.concatenate(arrays)


def _looks(project_id: int, survivors: Mapping[int, int]) -> list[tuple[int, int, str]]:
    """Image, tag and answer of each look that stands; the tag is the survivor where it was merged since."""
    checks = SuspectCheck.objects.filter(project_id=project_id, decision__undone_at=None)
    found = checks.values_list("image_id", "tag_id", "decision__value")
    return [(image_id, survivors.get(tag_id, tag_id), value) for image_id, tag_id, value in found]


def _checked(
    looks: Iterable[tuple[int, int, str]],
    image_ids: NDArray[np.int64],
    tag_ids: Sequence[int],
    said_now: NDArray[np.int8],
) -> set[tuple[int, int]]:
    """Rows and columns that somebody looked at, of which the answer is still what they said."""
    row = {int(image_id): n for n, image_id in enumerate(image_ids)}
    column = {tag_id: k for k, tag_id in enumerate(tag_ids)}
    return {
        (row[image_id], column[tag_id])
        for image_id, tag_id, value in looks
        if image_id in row
        and tag_id in column
        and said_now[row[image_id], column[tag_id]] == tag_answers.ANSWERS[::-1].index(value)
    }


def _unchecked(ranked: "Ranked", checked: set[tuple[int, int]]) -> list[tuple[int, int, float]]:
    found = zip(ranked.rows.tolist(), ranked.columns.tolist(), ranked.scores.tolist(), strict=True)
    return [(n, k, score) for n, k, score in found if (n, k) not in checked]


def _lock(project_id: int) -> None:
    """One list a project at a time; the lock ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('suspects'), %s)", [project_id])
