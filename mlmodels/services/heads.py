"""The scorer that serves a project: the live head for today's vocabulary, or the prior before any version.

A model file that cannot be read never stops suggestions: the version that was live before serves on.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from annotations.selectors import model_inputs
from mlmodels import selectors
from mlmodels.models import Extractor, ModelVersion
from mlmodels.services import caption_words, encoders
from mlmodels.services.languages import Language

if TYPE_CHECKING:
    from mlmodels.core.learning.dataset import HeadInputs
    from mlmodels.core.learning.fusion import Scores
    from mlmodels.core.learning.heads import Head
    from mlmodels.core.learning.merged_heads import MergedHead

logger = logging.getLogger(__name__)

# Until so many images are reviewed a score is a prior: a ranking, not a calibrated probability.
CALIBRATED_FROM_IMAGES = 50
PRIOR_THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores images for the tags of one language. `version` is None while the prior serves.

    `problem` says why this is not the version that should serve, `instead_of` which that is.
    """

    version: ModelVersion | None
    head: "Head | MergedHead | None"
    extractor: Extractor | None
    thresholds: NDArray[np.float64]  # [K]
    problem: str = ""
    instead_of: int | None = None

    @property
    def number(self) -> int:
        return 0 if self.version is None else self.version.number

    @property
    def version_id(self) -> int | None:
        return None if self.version is None else self.version.pk

    @property
    def calibrated(self) -> bool:
        return self.version is not None and self.version.trained_images >= CALIBRATED_FROM_IMAGES

    @property
    def reads_meaning(self) -> bool:
        """Whether it uses what a text encoder says, where there is one."""
        return self.head is None or bool(self.head.encoding.text.encoder)

    def score(self, inputs: "HeadInputs") -> "Scores":
        if self.head is not None:
            return self.head.score(inputs)
        from mlmodels.core.learning.fusion import prior_scores

        return prior_scores(inputs)


def artifact_folder(version: ModelVersion) -> Path:
    return Path(settings.MODELS_ROOT) / version.artifact


@dataclass(frozen=True, eq=False)
class Serving:
    """The version that serves, None for the prior; `problem` and `instead_of` as in Scorer."""

    version: ModelVersion | None
    problem: str = ""
    instead_of: int | None = None


def scorer_for(project_id: int, language: Language) -> Scorer:
    """What serves the project now."""
    found = serving(project_id)
    scorer = of_version(found.version, language) if found.version else prior(project_id, language)
    return replace(scorer, problem=found.problem, instead_of=found.instead_of)


def serving(project_id: int) -> Serving:
    """The live version; where its file cannot be used the one that was live before, and so on to the prior."""
    live = selectors.live_version(project_id)
    return Serving(None) if live is None else first_usable([live, *selectors.earlier_live(live)])


def first_usable(candidates: list[ModelVersion]) -> Serving:
    """The first version whose file can be used; says so if that is not the first one."""
    from mlmodels.core.errors import ArtifactError

    problem, instead_of = "", None
    for version in candidates:
        try:
            load_head(version)
        except ArtifactError as error:
            logger.error("version %s of project %s: %s", version.number, version.project_id, error)
            why = f"{error.path.name}: {error.problem}"
            problem = problem or f"The file of version {version.number} cannot be used ({why})"
            instead_of = instead_of or version.pk
            continue
        if problem:
            problem += f"; version {version.number} serves instead."
        return Serving(version, problem, instead_of)
    problem += (
        "; nor can that of a version before it. Suggestions come from what was known before any review."
    )
    return Serving(None, problem, instead_of)


def of_version(version: ModelVersion, language: Language) -> Scorer:
    """The scorer of this version for the tags of `language`; raises ArtifactError."""
    head = for_tags(version, language.tag_ids)
    return Scorer(
        version=version, head=head, extractor=version.extractor, thresholds=head.thresholds.astype(np.float64)
    )


def for_tags(version: ModelVersion, tag_ids: Sequence[int]) -> "Head | MergedHead":
    """The version's head for today's tags, with what it knows of those that were merged or split; or ArtifactError."""
    from mlmodels.core.learning.merged_heads import carried

    kin = model_inputs.kinship(version.project_id)
    return carried(load_head(version), tag_ids, kin.survivors, kin.origins)


def prior(project_id: int, language: Language) -> Scorer:
    """What suggests before any version: captions and the backbone's own classes."""
    return Scorer(
        version=None,
        head=None,
        extractor=selectors.read_extractor(project_id),
        thresholds=np.full(len(language.terms), PRIOR_THRESHOLD),
    )


def load_head(version: ModelVersion) -> "Head":
    """The head as it was stored; raises ArtifactError if the file is missing, cut or changed, or cannot be used.

    A head that was trained with a text encoder does not score without it: half of what it learnt would be missing. Nor
    does one that was trained with other word vectors than are shipped now.
    """
    from mlmodels.core.errors import ArtifactError

    folder = artifact_folder(version)
    head = _load_head(folder, version.artifact_sha256, version.extractor.dimensions)
    trained_with = head.encoding.text.encoder
    if trained_with and trained_with not in (encoders.key(), caption_words.key()):
        raise ArtifactError(
            folder,
            f"expected text encoder {trained_with} as in training, got {encoders.key() or 'none'}; "
            "set TAGGER_TEXT_ENCODER to that one, or train again",
        )
    return head


def is_usable(version: ModelVersion) -> bool:
    """Whether its file can be used here and now."""
    return first_usable([version]).version is not None


def forget() -> None:
    """Read files anew from now on, instead of serving what this process remembers of them."""
    _load_head.cache_clear()
    load_out_of_fold.cache_clear()


@lru_cache(maxsize=16)
def _load_head(folder: Path, sha256: str, dimensions: int) -> "Head":
    from mlmodels.core import artifacts
    from mlmodels.core.errors import ArtifactError, CoreError
    from mlmodels.core.learning.heads import Head

    tensors, manifest = artifacts.load(folder, sha256)
    path = folder / artifacts.TENSORS
    for name, array in tensors.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ArtifactError(path, f"expected numbers, got NaN or infinity in {name}; retrain it")
    try:
        head = Head.from_tensors(tensors, manifest)
        head.score(_unseen_image(head, dimensions))
    except (CoreError, KeyError, IndexError, TypeError, ValueError) as error:
        raise ArtifactError(
            path,
            f"expected a head over features of {dimensions} dimensions, got {type(error).__name__}: {error}; "
            "retrain it",
        ) from error
    return head


def _unseen_image(head: "Head", dimensions: int) -> "HeadInputs":
    """One image without anything in it: a head whose arrays do not fit together cannot score it."""
    from mlmodels.core.learning.dataset import CaptionText, HeadInputs

    tags, text = len(head.tag_ids), head.encoding.text
    blank = CaptionText(
        text.encoder, np.zeros((1, len(text.mean)), np.float32), np.zeros((1, tags), np.float32)
    )
    return HeadInputs(
        vision=np.zeros((1, dimensions), dtype=np.float32),
        has_vision=np.ones(1, dtype=bool),
        class_prior=np.zeros((1, tags), dtype=np.float32),
        caption_prior=np.zeros((1, tags), dtype=np.float32),
        terms=((),),
        has_caption=np.zeros(1, dtype=bool),
        text=blank if text.encoder else None,
    )


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """A version's scores of its own training images, each by a fit that had not seen it: [N, K]."""

    image_ids: NDArray[np.int64]  # [N]
    tag_ids: NDArray[np.int64]  # [K]
    scores: NDArray[np.float32]

    def of_tags(self, tag_ids: Sequence[int], survivors: Mapping[int, int]) -> "OutOfFold":
        """Those of the tags that it knows; one that was merged since counts for its survivor, as in `merged_heads`."""
        now = [survivors.get(tag_id, tag_id) for tag_id in self.tag_ids.tolist()]
        known = sorted(set(now).intersection(tag_ids))
        to = {tag_id: k for k, tag_id in enumerate(known)}
        scores = np.zeros((len(self.scores), len(known)), dtype=self.scores.dtype)
        for column, tag_id in enumerate(now):
            if tag_id in to:
                joined = scores[:, to[tag_id]]
                np.maximum(joined, self.scores[:, column], out=joined)
        return replace(self, tag_ids=np.array(known, dtype=np.int64), scores=scores)


@lru_cache(maxsize=2)
def load_out_of_fold(version: ModelVersion) -> OutOfFold:
    """Raises ArtifactError like `load_head`."""
    from mlmodels.core import artifacts

    tensors, manifest = artifacts.load(artifact_folder(version), version.artifact_sha256)
    return OutOfFold(
        image_ids=tensors["out_of_fold.image_ids"],
        tag_ids=np.asarray(manifest["tag_ids"], dtype=np.int64),
        scores=tensors["out_of_fold.scores"],
    )
