"""What a version says of pictures that are in no project. Nothing is stored.

The same way as for features: threads decode ahead while the engine works on what they decoded before.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from annotations.errors import Refused
from annotations.pictures import PictureError, open_upright
from mlmodels.errors import ArtifactNotReadable
from mlmodels.models import ModelVersion
from mlmodels.services import (
    caption_features,
    extractors,
    features,
    heads,
    inputs,
    languages,
    mentions,
    scoring,
)
from mlmodels.services.heads import Scorer
from mlmodels.services.inputs import Features
from mlmodels.services.languages import Language

if TYPE_CHECKING:
    from mlmodels.core.vision.extractor import Extractor as VisionExtractor

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class TagScore:
    """What the version says of one tag."""

    name: str
    score: float
    offered: bool


@dataclass(frozen=True)
class TaggedFile:
    """A picture with its scores, the highest first, and all tags that were offered; or the reason why it has none."""

    name: str
    scores: tuple[TagScore, ...] = ()
    offered: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Tagger:
    """A version that is ready to tag."""

    scorer: Scorer
    language: Language
    network: "VisionExtractor"

    @property
    def number(self) -> int:
        return self.scorer.number


def ready(version: ModelVersion) -> Tagger:
    """Load what the version needs.

    Raises:
        ArtifactNotReadable: its file cannot be used.
        Refused: its extractor does not load here, or not with the weights that it was trained over.
    """
    from mlmodels.core.errors import ArtifactError, CoreError

    language = languages.of_project(version.project_id)
    if not language.terms:
        raise Refused("The project has no tags: there is nothing to say of pictures.", code="no_tags")
    try:
        scorer = heads.of_version(version, language)
    except ArtifactError as error:
        raise ArtifactNotReadable(
            f"The file of version {version.number} cannot be used ({error.path.name}: {error.problem}). "
            "Name another one with --version.",
            version=version.pk,
        ) from error
    try:
        network = extractors.load(version.extractor.name)
    except CoreError as error:
        raise Refused(
            f"The extractor of version {version.number} does not load here: {error}", code="no_weights"
        ) from error
    if network.key != version.extractor.key:
        raise Refused(
            f"Expected the weights of {version.extractor.key}, got those of {network.key}; put the file back.",
            code="other_weights",
        )
    return Tagger(scorer, language, network)


def tag(
    tagger: Tagger,
    names: Sequence[str],
    path_of: Callable[[str], Path],
    captions: Mapping[str, str],
    *,
    limit: int,
) -> Iterator[TaggedFile]:
    """Tag the pictures in their order, `limit` tags each, 0 for every one. A bad picture has its reason."""
    with ThreadPoolExecutor(features.DECODING_THREADS) as pool:
        for batch in _batches(tagger, names, path_of, pool):
            got = [(name, future.result()) for name, future in batch]
            good = [(name, pixels) for name, pixels in got if not isinstance(pixels, str)]
            scored = {one.name: one for one in _scored(tagger, good, captions, limit)} if good else {}
            for name, pixels in got:
                yield TaggedFile(name, problem=pixels) if isinstance(pixels, str) else scored[name]


def _batches(
    tagger: Tagger, names: Sequence[str], path_of: Callable[[str], Path], pool: ThreadPoolExecutor
) -> Iterator[list[tuple[str, "Future[Pixels | str]"]]]:
    """Batches that decode in threads while the caller uses the one before."""
    waiting: deque[list[tuple[str, Future[Pixels | str]]]] = deque()
    for start in range(0, len(names), features.BATCH_IMAGES):
        batch = names[start : start + features.BATCH_IMAGES]
        waiting.append([(name, pool.submit(_prepared, path_of(name), tagger.network)) for name in batch])
        if len(waiting) > features.BATCHES_AHEAD:
            yield waiting.popleft()
    yield from waiting


def _prepared(path: Path, network: "VisionExtractor") -> Pixels | str:
    """The picture as pixels, or why it cannot be had."""
    try:
        return network.prepare(open_upright(path, at_least_px=network.side_px))
    except PictureError as error:
        return error.message
    except OSError as error:
        return f"It cannot be read ({error.strerror})."


def _scored(
    tagger: Tagger, good: Sequence[tuple[str, Pixels]], captions: Mapping[str, str], limit: int
) -> Iterator[TaggedFile]:
    language, scorer = tagger.language, tagger.scorer
    output = tagger.network.embed_pixels(np.stack([pixels for _, pixels in good]))
    said = [captions.get(name, "") for name, _ in good]
    read = inputs.assemble(
        Features(
            vision=output.features,
            class_probabilities=inputs.imagenet_or_zeros(output.class_probabilities),
            present=np.ones(len(good), dtype=bool),
        ),
        said,
        tuple(mentions.of_reading(reading) for reading in language.read(said)),
        language,
        caption_features.vectors_now(said),
    )
    scores = scorer.score(read).probability
    for (name, _), row in zip(good, scores, strict=True):
        order = np.argsort(-row, kind="stable")
        is_offered = row >= scorer.thresholds
        yield TaggedFile(
            name,
            scores=tuple(
                TagScore(language.terms[k].name, scoring.rounded(row[k]), bool(is_offered[k]))
                for k in (order[:limit] if limit else order)
            ),
            offered=tuple(language.terms[k].name for k in order if is_offered[k]),
        )
