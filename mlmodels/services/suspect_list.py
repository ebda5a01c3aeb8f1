"""What a page or the API shows of the suspects: those that still wait for a look, with who said what."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef

from annotations.selectors import model_inputs, said, truth
from annotations.selectors.said import Said
from annotations.selectors.verdicts import verdict_on
from mlmodels import selectors
from mlmodels.models import ModelVersion, Suspect, SuspectCheck, SuspectKind, SuspectList
from mlmodels.services import tuned_backbones
from mlmodels.services.suspects import NEEDED_IMAGES, stands


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


@dataclass(frozen=True)
class Waiting:
    """A suspect in short, so that a whole list is read for its figures."""

    suspect_id: int
    image_id: int
    tag_id: int
    tag_name: str
    kind: str
    rank: int


@dataclass(frozen=True)
class Standing:
    """The suspects of a project that wait for a look, the likeliest mistake of each kind first."""

    project_id: int
    rows: Sequence[Waiting]

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        found = Counter(row.kind for row in self.rows)
        return {kind.value: found[kind.value] for kind in SuspectKind}

    def tags(self, *, kind: str) -> list[tuple[int, str]]:
        """Tags that those of this kind are about, by name."""
        found = {row.tag_id: row.tag_name for row in self.rows if row.kind == kind}
        return sorted(found.items(), key=lambda tag: tag[1].casefold())

    def page(
        self, *, kind: str, tag_id: int | None, after: int, limit: int
    ) -> tuple[list[Shown], int | None]:
        """The next ones after a rank, and the rank to go on after; None at the end. Five queries."""
        following = [
            row for row in self.rows if row.kind == kind and row.rank > after and tag_id in (None, row.tag_id)
        ]
        here = following[:limit]
        return self._shown(here), here[-1].rank if len(following) > limit else None

    def _shown(self, waiting: Sequence[Waiting]) -> list[Shown]:
        """With image, tag and who said what; one that was ranked anew in this moment is left out."""
        rows = Suspect.objects.select_related("image", "tag").in_bulk([row.suspect_id for row in waiting])
        told = said.of_pairs(self.project_id, [(row.image_id, row.tag_id) for row in waiting])
        return [
            Shown(rows[row.suspect_id], told[row.image_id, row.tag_id])
            for row in waiting
            if row.suspect_id in rows
        ]


def standing(project_id: int) -> Standing:
    """Suspects that nobody has answered since they were ranked, and whose answer is still what people say.

    Six queries, over a bounded list: an answer that was taken back is nobody's mistake.
    """
    rows, project = _unanswered(project_id), model_inputs.project(project_id)
    if not rows or project is None:
        return Standing(project_id, ())
    truths = truth.verdicts(project, sorted({row.image_id for row in rows}))
    return Standing(project_id, [row for row in rows if stands(row.kind, row.tag_id, truths[row.image_id])])


def _unanswered(project_id: int) -> list[Waiting]:
    made = SuspectList.objects.filter(project_id=project_id).first()
    if made is None:
        return []
    pair = {"image_id": OuterRef("image_id"), "tag_id": OuterRef("tag_id")}
    rows = Suspect.objects.filter(
        ~Exists(said.answers_since(made.read_at).filter(**pair)),
        project_id=project_id,
        image__deleted_at=None,
        tag__retired_at=None,
    )
    columns = ("pk", "image_id", "tag_id", "tag__name", "kind", "rank")
    return [Waiting(*row) for row in rows.order_by("rank", "pk").values_list(*columns)]


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
    return Shown(check, said.of_pairs(check.project_id, [pair])[pair])


def _verdict(check: SuspectCheck) -> str:
    """What people's answers to the tag amount to: yes, no, implied, disputed or unasked."""
    found = truth.verdicts(check.project, [check.image_id])[check.image_id]
    return verdict_on(check.tag_id, found) or "unasked"
