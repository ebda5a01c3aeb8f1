"""What a page or the API shows of the suspects: those that still wait for a look, with who said what."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, QuerySet

from annotations.selectors import said, truth
from annotations.selectors.said import Said
from annotations.types import ImageTruth
from mlmodels import selectors
from mlmodels.models import ModelVersion, Suspect, SuspectCheck, SuspectKind, SuspectList
from mlmodels.services import tuned_backbones
from mlmodels.services.suspects import NEEDED_IMAGES


@dataclass(frozen=True)
class Shown:
    """A suspect with who gave the answer. `decision_id` and `verdict` once somebody has answered it just now."""

    row: Suspect | SuspectCheck  # with its image and tag
    said: Sequence[Said]
    decision_id: int | None = None
    verdict: str = ""

    @property
    def is_wrong(self) -> bool:
        """Whether a yes is doubted; else a no is."""
        return self.row.kind == SuspectKind.WRONG


@dataclass(frozen=True)
class State:
    """Which list there is, or what is missing for one: reviewed images learnt from, of `needed`."""

    made: SuspectList | None
    version: ModelVersion | None
    learnt: int
    needed: int

    @property
    def waits_for_reviews(self) -> bool:
        """Whether no version has learnt from enough images."""
        return self.made is None and self.learnt < self.needed

    @property
    def has_seen_answers(self) -> bool:
        """Whether the backbone behind the list has learnt from answers that are judged here."""
        return self.made is not None and tuned_backbones.has_seen_answers(self.made.version)


def state(project_id: int) -> State:
    """Three queries."""
    version = selectors.live_version(project_id)
    made = SuspectList.objects.select_related("version__extractor").filter(project_id=project_id).first()
    return State(made, version, version.trained_images if version else 0, NEEDED_IMAGES)


def waiting(project_id: int, *, kind: str, tag_id: int | None = None) -> QuerySet[Suspect]:
    """Suspects that nobody has answered since they were ranked, the likeliest mistake first."""
    made = SuspectList.objects.filter(project_id=project_id).first()
    if made is None:
        return Suspect.objects.none()
    pair = {"image_id": OuterRef("image_id"), "tag_id": OuterRef("tag_id")}
    rows = Suspect.objects.filter(
        ~Exists(said.answers_since(made.read_at).filter(**pair)),
        project_id=project_id,
        kind=kind,
        image__deleted_at=None,
        tag__retired_at=None,
    )
    return (rows if tag_id is None else rows.filter(tag_id=tag_id)).order_by("rank")


def counts(project_id: int) -> dict[str, int]:
    """How many of each kind wait. Four queries, over a bounded list."""
    return {kind.value: waiting(project_id, kind=kind).count() for kind in SuspectKind}


def tags(project_id: int, *, kind: str) -> list[tuple[int, str]]:
    """Tags that the waiting suspects of this kind are about, by name."""
    rows = waiting(project_id, kind=kind).order_by("tag__name").values_list("tag_id", "tag__name")
    return list(dict.fromkeys(rows))


def page(
    project_id: int, *, kind: str, tag_id: int | None, after: int, limit: int
) -> tuple[list[Shown], int | None]:
    """The next suspects after a rank, and the rank to go on after; None at the end. Few queries, however many rows.

    What people say by now decides: an answer that was taken back is nobody's mistake.
    """
    rows = waiting(project_id, kind=kind, tag_id=tag_id).filter(rank__gt=after)
    found = list(rows.select_related("project", "image", "tag")[: limit + 1])
    if not found:
        return [], None
    truths = truth.verdicts(found[0].project, sorted({row.image_id for row in found}))
    here = [row for row in found[:limit] if _stands(row, truths[row.image_id])]
    told = said.of_pairs([(row.image_id, row.tag_id) for row in here])
    shown = [Shown(row, told[row.image_id, row.tag_id]) for row in here]
    return shown, found[limit - 1].rank if len(found) > limit else None


def answered(project_id: int, decision_id: int) -> Shown | None:
    """The suspect that this decision answered, as it is shown right after; None if it was taken back."""
    rows = SuspectCheck.objects.select_related("project", "image", "tag")
    check = rows.filter(project=project_id, decision=decision_id, decision__undone_at=None).first()
    if check is None:
        return None
    shown = open_again(check)
    return replace(shown, decision_id=decision_id, verdict=_verdict(check))


def open_again(check: SuspectCheck) -> Shown:
    """The suspect that was looked at, with what people said of it."""
    pair = (check.image_id, check.tag_id)
    return Shown(check, said.of_pairs([pair])[pair])


def _verdict(check: SuspectCheck) -> str:
    """What people's answers to the tag amount to: yes, no, implied, disputed or unasked."""
    found = truth.verdicts(check.project, [check.image_id])[check.image_id]
    named = (
        ("yes", found.yes),
        ("no", found.no),
        ("implied", found.implied_no),
        ("disputed", found.disputed),
    )
    return next((name for name, tag_ids in named if check.tag_id in tag_ids), "unasked")


def _stands(row: Suspect, said_now: ImageTruth) -> bool:
    if row.kind == SuspectKind.WRONG:
        return row.tag_id in said_now.yes
    return row.tag_id in said_now.no or row.tag_id in said_now.implied_no
