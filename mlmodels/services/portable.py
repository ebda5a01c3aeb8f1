"""A version as one ONNX file: its backbone, its head for today's tags, and what its user has to know. Stores nothing.

Only workers and commands call this: it loads torch.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annotations.errors import NotFound, Refused
from annotations.selectors import model_inputs
from mlmodels.errors import ArtifactNotReadable
from mlmodels.models import ModelVersion
from mlmodels.services import extractors, heads, languages
from mlmodels.services.languages import Language

if TYPE_CHECKING:
    from mlmodels.core.learning.heads import Head
    from mlmodels.core.learning.merged_heads import MergedHead
    from mlmodels.core.portable.onnx_file import Card
    from mlmodels.core.vision.backbones import Backbone
    from mlmodels.core.vision.transforms import Transform

STAGES = ("load", "write", "check", "store")


@dataclass(frozen=True, eq=False)
class PortableModel:
    """A file that was read back and scores as the app does; `difference` is the largest that was found."""

    data: bytes
    sha256: str
    tags: int
    extractor: str
    vocabulary_version: int
    difference: float


def build(version: ModelVersion, *, on_stage: Callable[[str], None] = lambda stage: None) -> PortableModel:
    """Make the file; `on_stage` hears of each stage that begins, and may raise.

    Raises:
        ArtifactNotReadable: the version's own file is missing, cut or changed.
        Refused: its backbone does not load here, or cannot be written.
    """
    from mlmodels.core.errors import CoreError
    from mlmodels.core.portable import onnx_file
    from mlmodels.core.portable.network import PictureScores

    on_stage("load")
    project = model_inputs.project(version.project_id)
    if project is None:
        raise NotFound
    language = languages.of_project(version.project_id)
    if not language.terms:
        raise Refused("The project has no tags: there is nothing to score.", code="no_tags")
    head = readable_head(version, language)
    backbone, transform = _backbone(version)
    try:
        network = PictureScores(backbone, head, language.class_map, mirror=transform.mirror)
        on_stage("write")
        described = onnx_file.metadata(_card(version, project.name, backbone, head, language), transform)
        data = onnx_file.build(network, side_px=transform.side_px, described=described)
        on_stage("check")
        difference = _checked(data, backbone, transform, head, language)
    except CoreError as error:
        raise Refused(f"Version {version.number} cannot be written: {error}.", code="not_portable") from error
    return PortableModel(
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        tags=len(language.terms),
        extractor=version.extractor.key,
        vocabulary_version=project.vocabulary_version,
        difference=difference,
    )


def readable_head(version: ModelVersion, language: Language) -> "Head | MergedHead":
    """The version's head for today's tags, read anew from its file; raises ArtifactNotReadable."""
    from mlmodels.core.errors import ArtifactError

    heads.forget()
    try:
        return heads.for_tags(version, language.tag_ids)
    except ArtifactError as error:
        raise ArtifactNotReadable(
            f"The file of version {version.number} cannot be used ({error.path.name}: {error.problem}).",
            version=version.pk,
        ) from error


def _backbone(version: ModelVersion) -> "tuple[Backbone, Transform]":
    """The backbone with the very weights that the head was trained over."""
    from mlmodels.core.errors import CoreError
    from mlmodels.core.vision.extractor import extractor_key
    from mlmodels.core.vision.transforms import transform_for

    wanted = version.extractor
    try:
        backbone = extractors.load_backbone(wanted.name)
    except CoreError as error:
        raise Refused(
            f"The extractor of version {version.number} does not load here: {error}.", code="no_weights"
        ) from error
    transform = transform_for(backbone.spec)
    if (found := extractor_key(backbone.spec, transform)) != wanted.key:
        raise Refused(
            f"Expected the weights of {wanted.key}, got those of {found}; put the file back.",
            code="other_weights",
        )
    return backbone, transform


def _card(
    version: ModelVersion, project: str, backbone: "Backbone", head: "Head | MergedHead", language: Language
) -> "Card":
    from mlmodels.core.portable.onnx_file import Card, PortableTag
    from mlmodels.core.vision.backbones import licence_of

    weights = licence_of(backbone.spec.name) or "unknown; ask whoever published them"
    return Card(
        project=project,
        version=version.number,
        extractor=version.extractor.key,
        licence=(
            f"Weights of the backbone {backbone.spec.name}: {weights}. The head was trained on this project's "
            "pictures and answers: whose they are decides who may use it."
        ),
        tags=tuple(
            PortableTag(term.id, term.name, round(float(threshold), 6))
            for term, threshold in zip(language.terms, head.thresholds, strict=True)
        ),
    )


def _checked(
    data: bytes,
    backbone: "Backbone",
    transform: "Transform",
    head: "Head | MergedHead",
    language: Language,
) -> float:
    """Read the file back and compare it with the app's own way from picture to score."""
    from mlmodels.core.portable import onnx_file
    from mlmodels.core.vision.engines import TorchEngine
    from mlmodels.core.vision.extractor import Extractor

    extractor = Extractor(backbone.spec, transform, TorchEngine(backbone.module, device="cpu"))
    pictures = onnx_file.made_pictures(transform.side_px)
    pixels = np.stack([extractor.prepare(picture) for picture in pictures])
    expected = onnx_file.scores_without_caption(head, extractor.embed_pixels(pixels), language.class_map)
    return onnx_file.check(data, pixels, expected)
