"""The one selector of what people said: training, metrics, pages and exports all read it.

Reads reviews and decisions and hands them to the rules in `verdicts.py`. Suggestions play no part here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from annotations.models import Decision, Image, Project, Review, TagPeriod
from annotations.selectors import arrays, merged_verdicts
from annotations.selectors import verdicts as rules
from annotations.selectors.merged_verdicts import Merge, Merges
from annotations.selectors.verdicts import OneTagAnswer, WholeReview
from annotations.types import ImageTruth

# Of decisions: an answer to one tag that was taken back counts as never made. (Reviews that were: see `_derive_chunk`.)
NOT_TAKEN_BACK = Q(undone_at=None)
# Of reviews: the chance of the draw, times the images it was drawn among.
DRAW_RATE = F("probability") * Coalesce(F("waiting"), 1)
# Images are derived in chunks, so that memory stays flat however large the project is.
CHUNK = 2_000


def verdicts(project: Project, image_ids: Sequence[int]) -> dict[int, ImageTruth]:
    """The truth of these images; one without any answer has four empty sets. Four queries a chunk at most."""
    return {truth.image_id: truth for truth in _each(project, image_ids)}


def one_by_one(project: Project, image_ids: Sequence[int]) -> Iterator[ImageTruth]:
    """The same in the order of the ids, for whoever keeps none of them: a chunk of rows in memory."""
    return _each(project, image_ids)


def training_truth(project: Project) -> Iterator[ImageTruth]:
    """What may be trained on: every answered image but the holdout's and the trash's, by ascending id.

    One after the other: with every implied no, all at once would fill gigabytes in a large project.
    """
    return _each(project, list(_training_images(project).order_by("id").values_list("id", flat=True)))


def holdout_truth(project: Project) -> Iterator[ImageTruth]:
    """The answered holdout images, by ascending id. Never trained on."""
    return _each(project, list(_holdout_images(project).order_by("id").values_list("id", flat=True)))


def answered_counts(project: Project, *, training: int, holdout: int) -> tuple[int, int]:
    """How many images `training_truth` and `holdout_truth` are of, counted no further than these numbers."""
    return _training_images(project)[:training].count(), _holdout_images(project)[:holdout].count()


def _training_images(project: Project) -> QuerySet[Image]:
    one_tag = Decision.objects.filter(NOT_TAKEN_BACK, image_id=OuterRef("pk"), review=None)
    imported = Review.objects.filter(image_id=OuterRef("pk"), source=Review.Source.IMPORT)
    return Image.objects.filter(project=project, is_holdout=False, deleted_at=None).filter(
        Q(reviews_done__gt=0) | Exists(one_tag) | Exists(imported)
    )


def _holdout_images(project: Project) -> QuerySet[Image]:
    return Image.objects.filter(project=project, is_holdout=True, deleted_at=None, state__in=_JUDGED_STATES)


def explicit_no(image_ids: Iterable[int]) -> dict[int, set[int]]:
    """Tags with an explicit no that stands, by image: they are not suggested there again. Two queries."""
    ids = list(image_ids)
    rejected = Decision.objects.filter(arrays.among("image_id", ids), value=Decision.Value.NO)
    touched = set(rejected.values_list("image_id", flat=True))
    if not touched:
        return {}
    project = Project.objects.get(images__id=next(iter(touched)))
    truths = verdicts(project, sorted(touched))
    return {image_id: set(truth.no) for image_id, truth in truths.items() if truth.no}


_JUDGED_STATES = (Image.State.REVIEWED, Image.State.DISPUTED)


def _each(project: Project, image_ids: Sequence[int]) -> Iterator[ImageTruth]:
    active = ActiveTags(project)
    for start in range(0, len(image_ids), CHUNK):
        yield from _derive_chunk(project, image_ids[start : start + CHUNK], active)


class ActiveTags:
    """Which tags were active in a vocabulary version, the same set for all its images; and which were merged."""

    def __init__(self, project: Project) -> None:
        periods = TagPeriod.objects.filter(tag__project=project)
        merged = ("tag__merged_into", "tag__merged_version", "tag__merged_at")
        found = list(periods.values_list("tag_id", "since", "until", "tag__deleted_at", *merged))
        # A tag in the trash counts as never asked about and never answered.
        self.deleted = frozenset(tag_id for tag_id, _, _, deleted_at, *_ in found if deleted_at is not None)
        rows = [(*row[:3], *row[4:]) for row in found if row[0] not in self.deleted]
        self._periods = [row[:3] for row in rows]
        self.merges = Merges({Merge(tag_id, *merge) for tag_id, _, _, *merge in rows if merge[0] is not None})
        self._by_version: dict[int, frozenset[int]] = {}

    def at(self, version: int) -> frozenset[int]:
        if version not in self._by_version:
            self._by_version[version] = frozenset(
                tag_id
                for tag_id, since, until in self._periods
                if since <= version and (until is None or version < until)
            )
        return self._by_version[version]


def _derive_chunk(project: Project, image_ids: Sequence[int], active: ActiveTags) -> Iterator[ImageTruth]:
    reviews = list(
        Review.objects.filter(
            arrays.among("image_id", image_ids), outcome=Review.Outcome.REVIEWED, counted=True, undone_at=None
        ).values_list("id", "image_id", "user_id", "created_at", "vocabulary_version", "source", DRAW_RATE)
    )
    explicit, answers = _decisions(image_ids, {review[0] for review in reviews}, active.deleted)
    whole: dict[int, list[WholeReview]] = defaultdict(list)
    for review_id, image_id, person, at, version, source, draw_rate in reviews:
        whole[image_id].append(
            WholeReview(
                person=person,
                at=at,
                asked=active.at(version),
                explicit=explicit.get(review_id, {}),
                imported=source == Review.Source.IMPORT,
                draw_rate=draw_rate,
                vocabulary_version=version,
            )
        )
    implied_counts = project.unmarked == Project.Unmarked.NO
    for image_id in image_ids:
        of_image, said = whole.get(image_id, []), answers.get(image_id, [])
        if active.merges.in_order:
            verdicts = merged_verdicts.of_tags(of_image, said, active.merges, implied_counts=implied_counts)
            yield rules.as_truth(image_id, of_image, verdicts)
        else:
            yield rules.derive(image_id, of_image, said, implied_counts=implied_counts)


def _decisions(
    image_ids: Sequence[int], counted_reviews: set[int], deleted: frozenset[int]
) -> tuple[dict[int, dict[int, str]], dict[int, list[OneTagAnswer]]]:
    """Explicit answers by review, and answers to one tag alone by image; none to tags in the trash."""
    explicit: dict[int, dict[int, str]] = defaultdict(dict)
    answers: dict[int, list[OneTagAnswer]] = defaultdict(list)
    rows = Decision.objects.filter(NOT_TAKEN_BACK, arrays.among("image_id", image_ids)).values_list(
        "image_id", "tag_id", "user_id", "review_id", "value", "scope", "source", "created_at"
    )
    for image_id, tag_id, person, review_id, value, scope, source, at in rows:
        if tag_id in deleted:
            continue
        if scope == Decision.Scope.IMAGE:
            if review_id in counted_reviews:
                explicit[review_id][tag_id] = value
            continue
        answers[image_id].append(
            OneTagAnswer(
                person=person,
                at=at,
                tag_id=tag_id,
                value=value,
                imported=source == Decision.Source.IMPORT,
                adjudicates=scope == Decision.Scope.ADJUDICATION,
            )
        )
    return explicit, answers
