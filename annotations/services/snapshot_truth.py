"""What a snapshot teaches: its verdicts on the images that are still in the project, by today's tags.

Images are matched by their sha256, tags by their name or an alias. Nothing of the present answers is read.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import islice
from typing import Any

from annotations.errors import NotFound, Refused
from annotations.exporters.base import ExportRow
from annotations.models import Image, Project, Review, Snapshot
from annotations.selectors import jobs, model_inputs, vocabulary
from annotations.selectors.merged_verdicts import joined
from annotations.selectors.verdicts import DISPUTED, IMPLIED_NO, NO, YES
from annotations.services import freezing
from annotations.types import ImageTruth, SnapshotRef, TrainableCounts

# Images of so many rows are looked for at a time.
ROWS_AT_ONCE = 2_000
TAGS_NAMED = 10


def refer(project: Project, snapshot_id: int) -> SnapshotRef:
    """The snapshot as something to train from.

    Raises:
        NotFound: the project has no such snapshot.
        Refused: it is not frozen, or nobody had answered anything in it.
    """
    snapshot = jobs.job_of(Snapshot, project, snapshot_id)
    if not snapshot.file_key:
        raise Refused(
            f"“{snapshot.name}” is {snapshot.state}: only what is frozen can be trained from.",
            code="not_frozen",
        )
    if not snapshot.decisions:
        raise Refused(
            f"“{snapshot.name}” has no yes at all: there is nothing to learn from it. Pick a later snapshot.",
            code="nothing_to_learn",
        )
    return SnapshotRef(snapshot.pk, snapshot.name, snapshot.sha256)


class SnapshotTruth:
    """One passing through the rows of a snapshot; what was left out is known once `training_truth` has ended.

    Attributes:
        unreviewed: ids of the training-side images that nobody had finished when the snapshot was taken.
    """

    def __init__(self, project_id: int, snapshot: SnapshotRef) -> None:
        """Opens the file, and resolves its tags. Raises NotFound if it has been removed meanwhile."""
        self._project_id, self._snapshot = project_id, snapshot
        stored = Snapshot.objects.select_related("project").filter(project=project_id, pk=snapshot.id).first()
        if stored is None:
            raise NotFound(f"The snapshot “{snapshot.name}” was removed before the run could read it.")
        try:
            self._rows, facts = freezing.opened(stored.file_key, implied_no=True)
        except FileNotFoundError as error:
            raise NotFound(f"The file of the snapshot “{snapshot.name}” is gone.") from error
        self._images = facts.images
        names = [tag.name for tag in facts.vocabulary]
        self._tag_ids = vocabulary.ids_by_word(stored.project, names)
        self._left_out = [name for name in names if name not in self._tag_ids]
        asked = {tag.name for tag in facts.vocabulary if tag.is_active}
        self._joined = {
            tag_id: [(name, name in asked) for name in words]
            for tag_id, words in self._words_of_tags().items()
            if len(words) > 1
        }
        self._gone = self._holdout = self._decisions = self._reviews = 0
        self.unreviewed: list[int] = []

    def training_truth(self) -> Iterator[ImageTruth]:
        """The rows that may be trained on today: not the holdout's, and not of images that are gone."""
        rest = iter(self._rows)
        while rows := list(islice(rest, ROWS_AT_ONCE)):
            sides = model_inputs.sides_by_sha256(self._project_id, [row.sha256 for row in rows])
            for row in rows:
                image_id, is_holdout = sides.get(row.sha256, (None, False))
                if image_id is None:
                    self._gone += 1
                elif is_holdout:
                    self._holdout += 1
                else:
                    self._count(image_id, row)
                    yield self._truth(image_id, row)

    @property
    def counts(self) -> TrainableCounts:
        """What the rows that were passed through hold of decisions and reviews."""
        return TrainableCounts(decisions=self._decisions, reviews=self._reviews, newest_at=None)

    @property
    def lineage(self) -> dict[str, Any]:
        """What a version keeps of the snapshot that it was trained from, as plain JSON values."""
        return {
            "id": self._snapshot.id,
            "name": self._snapshot.name,
            "sha256": self._snapshot.sha256,
            "images": self._images,
            "images_gone": self._gone,
            "images_holdout": self._holdout,
            "tags_left_out": self._left_out,
        }

    def _words_of_tags(self) -> dict[int, list[str]]:
        words: dict[int, list[str]] = defaultdict(list)
        for name, tag_id in self._tag_ids.items():
            words[tag_id].append(name)
        return words

    def _count(self, image_id: int, row: ExportRow) -> None:
        self._decisions += len(row.yes) + len(row.no) + len(row.disputed)
        self._reviews += sum(_counts(review) for review in row.reviews)
        if row.state == Image.State.PENDING:
            self.unreviewed.append(image_id)

    def _truth(self, image_id: int, row: ExportRow) -> ImageTruth:
        """Every row weighs the same: with which probability it was drawn, a snapshot does not keep."""
        said = {
            YES: self._ids(row.yes),
            NO: self._ids(row.no),
            IMPLIED_NO: self._ids(row.implied_no),
            DISPUTED: self._ids(row.disputed),
        }
        if self._joined:
            self._join(row, said)
        return ImageTruth(
            image_id=image_id,
            yes=frozenset(said[YES]),
            no=frozenset(said[NO]),
            implied_no=frozenset(said[IMPLIED_NO]),
            disputed=frozenset(said[DISPUTED]),
        )

    def _ids(self, names: Sequence[str]) -> set[int]:
        return {self._tag_ids[name] for name in names if name in self._tag_ids}

    def _join(self, row: ExportRow, said: dict[str, set[int]]) -> None:
        """Tags that are one today get one verdict, by the rule of merged tags."""
        by_name = {
            name: verdict
            for verdict, names in (
                (YES, row.yes),
                (NO, row.no),
                (IMPLIED_NO, row.implied_no),
                (DISPUTED, row.disputed),
            )
            for name in names
        }
        for tag_id, words in self._joined.items():
            for ids in said.values():
                ids.discard(tag_id)
            # One that was retired by then was asked of nobody: its silence says nothing.
            verdicts = [by_name.get(name) for name, asked in words if asked or name in by_name]
            verdict = reduce(joined, verdicts) if verdicts else None
            if verdict is not None:
                said[verdict].add(tag_id)


def told(lineage: Mapping[str, Any]) -> str:
    """One sentence or two on what a version was trained from, and what of it was left out."""
    gone, holdout, tags = (lineage[name] for name in ("images_gone", "images_holdout", "tags_left_out"))
    sentences = [f"Trained from the snapshot “{lineage['name']}”."]
    if gone:
        sentences.append(f"{gone:,} of its {lineage['images']:,} images {'is' if gone == 1 else 'are'} gone.")
    if holdout:
        sentences.append(
            f"{holdout:,} {'is' if holdout == 1 else 'are'} in the holdout, which is never trained on."
        )
    if tags:
        more = f" and {len(tags) - TAGS_NAMED:,} more" if len(tags) > TAGS_NAMED else ""
        named = ", ".join(f"“{name}”" for name in tags[:TAGS_NAMED])
        sentences.append(f"Left out, as no active tag is called so today: {named}{more}.")
    return " ".join(sentences)


def _counts(review: Mapping[str, Any]) -> bool:
    return review["outcome"] == Review.Outcome.REVIEWED and review["counted"] and not review["undone"]
