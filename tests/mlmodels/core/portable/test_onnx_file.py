"""A head with its backbone as an ONNX file: the same scores as here, and everything that its user needs to know."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from mlmodels.core.errors import PortableModelError, TrainingDataError
from mlmodels.core.learning.dataset import CaptionText, HeadInputs, TrainingSet
from mlmodels.core.learning.fitting import fit
from mlmodels.core.learning.merged_heads import MergedHead, carried
from mlmodels.core.portable import onnx_file
from mlmodels.core.portable.network import PictureScores
from mlmodels.core.portable.onnx_file import Card, PortableTag
from mlmodels.core.vision.backbones import Backbone, BackboneSpec, load_backbone
from mlmodels.core.vision.engines import TorchEngine
from mlmodels.core.vision.extractor import Extractor
from mlmodels.core.vision.transforms import transform_for

COLOURS = ("red", "green", "blue", "yellow")
TAGS = (11, 12, 13, 14)
HALF = (0.5, 0.5, 0.5)


class Small(nn.Module):
    """A backbone of a few thousand numbers with a wide feature, so that it is shortened."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, width, 8, stride=8), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.classifier = nn.Linear(width, classes)

    def forward(self, pixels):
        features = self.body(pixels).flatten(1)
        return features, self.classifier(features)


def small(width: int, classes: int) -> Backbone:
    spec = BackboneSpec("small", 32, HALF, HALF, "bilinear", width, classes, "", "0" * 64, any_size=False)
    return Backbone(spec, Small(width, classes).eval())


def pictures(count: int) -> list[Image.Image]:
    """One spot of a colour on grey, in another place and size each time."""
    rng = np.random.default_rng(3)
    made = []
    for number in range(count):
        picture = Image.new("RGB", (90, 70), (120, 120, 120))
        x, y, side = rng.integers(0, 40), rng.integers(0, 30), rng.integers(15, 40)
        picture.paste(COLOURS[number % len(COLOURS)], (int(x), int(y), int(x + side), int(y + side)))
        made.append(picture)
    return made


def mapped(classes: int) -> np.ndarray:
    """Some classes speak for the first two tags, none for the others."""
    found = np.zeros((classes, len(TAGS)), dtype=np.float32)
    found[::7, 0], found[3::9, 1] = 1, 1
    return found


def inputs_of(seen, class_map, *, encoder="") -> HeadInputs:
    """Every other image has a caption that names its tag."""
    count = len(seen.features)
    said = np.zeros((count, len(TAGS)), dtype=np.float32)
    said[np.arange(count), np.arange(count) % len(TAGS)] = 1
    said[::2] = 0
    text = CaptionText(encoder, np.where(said.any(1)[:, None], np.eye(8, dtype=np.float32)[:1], 0), said)
    evidence = seen.class_probabilities @ class_map if seen.class_probabilities.shape[1] else said * 0
    return HeadInputs(
        vision=seen.features,
        has_vision=np.ones(count, dtype=bool),
        class_prior=evidence,
        caption_prior=said,
        terms=tuple((COLOURS[n % 4], "spot") if n % 2 else () for n in range(count)),
        has_caption=said.any(axis=1),
        text=text if encoder else None,
    )


def fitted(backbone: Backbone, *, mirror: bool = True, encoder: str = ""):
    """An extractor over the backbone, and a head that was fitted on what it sees of made pictures."""
    extractor = Extractor(
        backbone.spec,
        transform_for(backbone.spec, mirror=mirror),
        TorchEngine(backbone.module, device="cpu"),
    )
    class_map = mapped(backbone.spec.class_count or 10)
    seen = extractor.embed(pictures(48))
    truth = (np.arange(48)[:, None] % 4 == np.arange(4)).astype(np.int8)
    training = TrainingSet(
        inputs_of(seen, class_map, encoder=encoder), truth, np.ones(48, np.float32), TAGS, tuple(range(48))
    )
    return extractor, fit(training, seed=0).head, class_map


def written(backbone, extractor, head, class_map, *, mirror: bool = True) -> bytes:
    network = PictureScores(backbone, head, class_map, mirror=mirror)
    return onnx_file.build(network, side_px=extractor.side_px, described={})


def largest_difference(file, extractor, head, class_map) -> float:
    fresh = pictures(60)[48:]
    expected = onnx_file.scores_without_caption(head, extractor.embed(fresh), class_map)
    assert expected.std() > 0.1, "scores that do not differ would prove nothing"
    pixels = np.stack([extractor.prepare(picture) for picture in fresh])
    return float(np.abs(onnx_file.Runner(file).score(pixels) - expected).max())


@pytest.fixture(scope="module")
def real():
    backbone = load_backbone(allow_hub=False)
    return backbone, *fitted(backbone)


@pytest.fixture(scope="module")
def real_file(real) -> bytes:
    return written(*real)


def test_the_default_backbone_with_a_head_scores_as_here(real, real_file) -> None:
    _, extractor, head, class_map = real
    assert largest_difference(real_file, extractor, head, class_map) < 1e-4


def test_any_number_of_pictures_is_scored_at_once_as_one_by_one(real, real_file) -> None:
    pixels = np.stack([real[1].prepare(picture) for picture in pictures(5)])
    runner = onnx_file.Runner(real_file)
    alone = np.concatenate([runner.score(pixels[at : at + 1]) for at in range(5)])
    np.testing.assert_allclose(runner.score(pixels), alone, atol=1e-5)


def test_the_same_parts_give_the_same_bytes() -> None:
    backbone = small(16, 10)
    parts = fitted(backbone)
    assert written(backbone, *parts) == written(backbone, *parts)


@pytest.mark.parametrize(
    ("width", "classes", "mirror", "encoder"),
    [(2100, 10, True, ""), (16, 0, True, ""), (16, 10, False, ""), (16, 10, True, "glove")],
    ids=["a wide feature is shortened", "no classes", "without the mirror image", "with a text encoder"],
)
def test_every_kind_of_extractor_and_head(width, classes, mirror, encoder) -> None:
    backbone = small(width, classes)
    parts = fitted(backbone, mirror=mirror, encoder=encoder)
    assert (parts[1].encoding.text.encoder == encoder) and largest_difference(
        written(backbone, *parts, mirror=mirror), *parts
    ) < 1e-4


def test_tags_that_were_merged_and_split_since() -> None:
    backbone = small(16, 10)
    extractor, head, _ = fitted(backbone)
    kept = [11, 13, 77, 99]
    merged = carried(head, kept, {12: 11, 14: 11}, {77: 13})
    assert isinstance(merged, MergedHead)
    class_map = mapped(10)[:, [0, 2, 2, 3]]
    file = written(backbone, extractor, merged, class_map)
    assert largest_difference(file, extractor, merged, class_map) < 1e-4


def test_the_file_says_what_it_is_and_how_pictures_are_prepared() -> None:
    backbone = small(16, 10)
    _, head, class_map = fitted(backbone)
    tags = tuple(PortableTag(tag, name, 0.5) for tag, name in zip(TAGS, ("红", "b", "c", "d"), strict=True))
    card = Card("Outdoors", 7, "small-32m-0", "Apache", tags)
    described = onnx_file.metadata(card, transform_for(backbone.spec))
    network = PictureScores(backbone, head, class_map, mirror=True)

    said = onnx_file.read_metadata(onnx_file.build(network, side_px=32, described=described))

    assert said["format"] == "tagger-model/1" and said["model_version"] == "7"
    assert (said["extractor"], said["licence"]) == ("small-32m-0", "Apache")
    assert json.loads(said["tags"])[0] == {"id": 11, "name": "红", "threshold": 0.5}
    assert json.loads(said["input"]) == {
        "name": "pixels",
        "side_px": 32,
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "interpolation": "bilinear",
        "resize": "squash",
        "colours": "RGB",
    }
    assert "without a caption" in said["captions"]


def test_a_file_that_scores_otherwise_is_refused(real, real_file) -> None:
    _, extractor, head, class_map = real
    pixels = np.stack([extractor.prepare(one) for one in onnx_file.made_pictures(extractor.side_px)])
    seen = extractor.embed_pixels(pixels)
    expected = onnx_file.scores_without_caption(head, seen, class_map)
    assert onnx_file.check(real_file, pixels, expected) < 1e-4
    other = replace(head, bias=head.bias + 0.5)
    with pytest.raises(PortableModelError, match="expected the scores that Tagger gives"):
        onnx_file.check(real_file, pixels, onnx_file.scores_without_caption(other, seen, class_map))


def test_a_head_of_another_extractor_is_refused() -> None:
    _, head, class_map = fitted(small(16, 10))
    with pytest.raises(TrainingDataError, match="expected 16 dimensions as in training, got 12"):
        PictureScores(small(12, 10), head, class_map, mirror=True)


def test_what_no_file_holds_is_refused_before_it_is_written(monkeypatch) -> None:
    backbone = small(16, 10)
    parts = fitted(backbone)
    monkeypatch.setattr(onnx_file, "MOST_BYTES", 1_000)
    with pytest.raises(PortableModelError, match="smaller backbone"):
        written(backbone, *parts)


def test_a_step_that_onnx_does_not_know_is_named_as_such() -> None:
    backbone = small(16, 10)
    extractor, head, class_map = fitted(backbone)

    class Unknown(Small):
        def forward(self, pixels):
            features, logits = super().forward(pixels)
            return torch.special.i1(features), logits

    strange = Backbone(backbone.spec, Unknown(16, 10).eval())
    with pytest.raises(PortableModelError, match="ONNX cannot express this backbone"):
        written(strange, extractor, head, class_map)
