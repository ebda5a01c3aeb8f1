"""The default extractor with its packaged weights: engines agree, odd pictures pass, drawn things are seen."""

import subprocess
import sys

import numpy as np
import pytest
import timm
import torch
from PIL import Image, ImageDraw

from mlmodels.core.errors import EngineError
from mlmodels.core.vision import engines
from mlmodels.core.vision.backbones import Backbone, BackboneSpec, FeaturesAndLogits, load_backbone
from mlmodels.core.vision.engines import OpenVinoEngine, TorchEngine, agreement, choose_engine
from mlmodels.core.vision.extractor import Extractor, load_extractor
from mlmodels.core.vision.reduction import shorten
from mlmodels.core.vision.transforms import Transform, mirrored, transform_for

# ImageNet's numbers of the things drawn below.
CLOCKS, CROSSWORD, ENVELOPE = [409, 892], [918], [549]


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone(allow_hub=False)


@pytest.fixture(scope="module")
def small() -> Backbone:
    """Random weights, few of them: the choice between engines asks for no more."""
    model = timm.create_model("mobilenetv3_small_050", pretrained=False)
    spec = BackboneSpec(
        "small", 64, (0.5,) * 3, (0.5,) * 3, "bicubic", 1024, 1000, "", "0" * 64, any_size=True
    )
    return Backbone(spec, FeaturesAndLogits(model))


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return load_extractor(allow_hub=False, engine="openvino")


@pytest.fixture(scope="module")
def torch_extractor(backbone: Backbone) -> Extractor:
    return Extractor(backbone.spec, transform_for(backbone.spec), TorchEngine(backbone.module, device="cpu"))


def clock() -> Image.Image:
    image = Image.new("RGB", (320, 320), (235, 230, 220))
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 40, 280, 280), fill="white", outline="black", width=10)
    for hour in range(12):
        angle = hour * np.pi / 6
        at = (160 + 95 * np.sin(angle) - 8, 160 - 95 * np.cos(angle) - 10)
        draw.text(at, str(hour or 12), fill="black", font_size=26)
    draw.line((160, 160, 160, 80), fill="black", width=8)
    draw.line((160, 160, 215, 190), fill="black", width=10)
    return image


def crossword() -> Image.Image:
    image, dice = Image.new("RGB", (320, 320), "white"), np.random.default_rng(0)
    draw = ImageDraw.Draw(image)
    for x, y in np.ndindex(15, 15):
        box = (10 + x * 20, 10 + y * 20, 30 + x * 20, 30 + y * 20)
        draw.rectangle(box, outline="black", fill="black" if dice.random() < 0.2 else "white")
        if dice.random() < 0.4:
            draw.text(box[:2], str(dice.integers(1, 80)), fill="black", font_size=8)
    return image


def envelope() -> Image.Image:
    image = Image.new("RGB", (320, 320), (90, 60, 40))
    draw = ImageDraw.Draw(image)
    draw.rectangle((30, 80, 290, 250), fill=(245, 240, 225), outline=(120, 110, 90), width=2)
    draw.line((30, 80, 160, 180, 290, 80), fill=(120, 110, 90), width=3)
    draw.line((30, 250, 120, 150), fill=(190, 180, 160), width=2)
    draw.line((290, 250, 200, 150), fill=(190, 180, 160), width=2)
    return image


def odd_pictures() -> list[Image.Image]:
    colours = np.random.default_rng(2).integers(0, 256, (97, 203, 3), dtype=np.uint8)
    return [
        Image.new("RGB", (12_000, 40), (200, 30, 30)),
        Image.new("RGB", (1, 1), (3, 200, 90)),
        Image.new("L", (33, 900), 128),
        Image.fromarray(colours),
        clock(),
    ]


def test_packaged_weights_recognise_drawn_things(extractor: Extractor) -> None:
    seen = extractor.embed([clock(), crossword(), envelope()]).class_probabilities
    for row, numbers in zip(seen, (CLOCKS, CROSSWORD, ENVELOPE), strict=True):
        assert int(row.argmax()) in numbers
        assert row[numbers].sum() > 0.3


def test_output_has_the_promised_shapes_and_norms(extractor: Extractor) -> None:
    output = extractor.embed(odd_pictures())
    assert output.features.shape == (5, extractor.dimensions)
    assert output.class_probabilities.shape == (5, 1000)
    assert output.features.dtype == output.class_probabilities.dtype == np.float32
    assert np.allclose(np.linalg.norm(output.features, axis=1), 1, atol=1e-5)
    assert np.allclose(output.class_probabilities.sum(axis=1), 1, atol=1e-4)
    assert (output.class_probabilities >= 0).all()


def test_engines_agree_on_pictures(extractor: Extractor, torch_extractor: Extractor) -> None:
    ours, reference = extractor.embed(odd_pictures()), torch_extractor.embed(odd_pictures())
    assert agreement(ours.features, reference.features) > 0.999
    assert np.abs(ours.class_probabilities - reference.class_probabilities).max() < 1e-3
    assert extractor.key == torch_extractor.key


def test_same_pictures_give_the_same_features(extractor: Extractor) -> None:
    first, second = extractor.embed(odd_pictures()), extractor.embed(odd_pictures())
    assert np.array_equal(first.features, second.features)
    assert np.array_equal(first.class_probabilities, second.class_probabilities)


def test_neighbours_in_a_batch_do_not_matter(extractor: Extractor) -> None:
    many = extractor.embed(odd_pictures() * 4).features
    alone = np.concatenate([extractor.embed([picture]).features for picture in odd_pictures()])
    assert np.allclose(many, np.tile(alone, (4, 1)), atol=1e-5)


def test_mirror_image_has_the_same_features(extractor: Extractor) -> None:
    flipped = clock().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    both = extractor.embed([clock(), flipped]).features
    assert agreement(both[:1], both[1:]) > 0.9999


def test_no_pictures_give_empty_arrays(extractor: Extractor) -> None:
    output = extractor.embed([])
    assert output.features.shape == (0, 1280)
    assert output.class_probabilities.shape == (0, 1000)


def test_key_names_backbone_transform_and_weights(backbone: Backbone, torch_extractor: Extractor) -> None:
    assert torch_extractor.key == "tf_efficientnet_lite0-256m-57934424"
    plain = Extractor(backbone.spec, transform_for(backbone.spec, mirror=False), torch_extractor.engine)
    assert plain.key == "tf_efficientnet_lite0-256-57934424"


def test_wide_features_are_shortened_and_keep_their_cosines() -> None:
    dice = np.random.default_rng(4)
    wide = dice.normal(size=(40, 2048)).astype(np.float32) + dice.normal(size=2048).astype(np.float32)
    short = shorten(wide)
    assert short.shape == (40, 2000)

    def cosines(rows: np.ndarray) -> np.ndarray:
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit @ unit.T

    assert np.abs(cosines(short) - cosines(wide)).max() < 0.02


def test_shortening_to_the_full_width_is_a_rotation() -> None:
    wide = np.random.default_rng(5).normal(size=(6, 64)).astype(np.float32)
    padded = np.pad(wide, ((0, 0), (0, 1)))  # 65 columns become 128, of which 64 stay
    assert np.allclose(shorten(wide, dimensions=64), wide)
    assert shorten(padded, dimensions=64).shape == (6, 64)
    corner = shorten(np.eye(128, dtype=np.float32), dimensions=127).astype(float)
    assert np.allclose(corner.T @ corner, np.eye(127) * 128 / 127, atol=1e-5)


def test_pixels_are_standardised_by_hand() -> None:
    transform = Transform(2, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), mirror=False)
    pixels = transform([Image.new("RGB", (7, 5), (255, 0, 51)), Image.new("L", (1, 1), 255)])
    assert pixels.shape == (2, 3, 2, 2)
    assert pixels[0, :, 1, 1] == pytest.approx([0.515 / 0.229, -0.456 / 0.224, -0.206 / 0.225], abs=1e-5)
    assert pixels[1, 0, 0, 0] == pytest.approx(0.515 / 0.229, abs=1e-5)


def test_whole_picture_is_seen_and_mirrored_exactly() -> None:
    wide = Image.new("RGB", (400, 100), "black")
    wide.paste((255, 255, 255), (0, 0, 100, 100))
    pixels = Transform(8, (0.0,) * 3, (1.0,) * 3, "box")([wide])
    assert pixels[0, 0, 0].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    assert mirrored(pixels)[0, 0, 0].tolist() == [0, 0, 0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("input_px", "any_size", "side_px"), [(224, True, 256), (299, True, 352), (224, False, 224)]
)
def test_side_follows_what_the_backbone_takes(input_px: int, any_size: bool, side_px: int) -> None:
    spec = BackboneSpec("x", input_px, (0,) * 3, (1,) * 3, "bicubic", 9, 9, "", "", any_size)
    assert transform_for(spec).side_px == side_px


def test_choice_is_measured_and_explained(small: Backbone) -> None:
    choice = choose_engine(small)
    assert choice.images_per_s.keys() == {"torch", "openvino"}
    assert choice.engine.name == max(choice.images_per_s, key=lambda name: choice.images_per_s[name])
    assert choice.agreement is not None
    assert choice.agreement > 0.999


def test_disagreeing_engine_is_not_chosen(small: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: OpenVinoEngine, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        noise = np.random.default_rng(0).normal(size=(len(pixels), 1024)).astype(np.float32)
        return noise, np.zeros((len(pixels), 1000), np.float32)

    monkeypatch.setattr(OpenVinoEngine, "run", wrong)
    choice = choose_engine(small)
    assert choice.engine.name == "torch"
    assert "cosine" in choice.reason
    with pytest.raises(EngineError, match="openvino: expected features within cosine"):
        choose_engine(small, preferred="openvino")


def test_missing_openvino_leaves_torch(small: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    choice = choose_engine(small)
    assert choice.engine.name == "torch"
    assert "not installed" in choice.reason
    with pytest.raises(EngineError, match="not installed"):
        choose_engine(small, preferred="openvino")


def test_unknown_engine_is_refused(small: Backbone) -> None:
    with pytest.raises(EngineError, match="expected torch, openvino or auto"):
        choose_engine(small, preferred="abacus")


def test_openvino_sends_no_usage_reports() -> None:
    engines._quiet_openvino()
    assert sys.modules.get("openvino.tools.ovc.telemetry_stub") is not None
    assert sys.modules["openvino_telemetry"] is None


def test_torchvision_imports_after_core_vision_in_a_fresh_process() -> None:
    code = (
        "import mlmodels.core.vision, torchvision, timm; print(torchvision.models.resnet18().fc.out_features)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1000"


def test_softmax_equals_torchs() -> None:
    logits = np.random.default_rng(1).normal(0, 30, (4, 9)).astype(np.float32)
    wanted = torch.softmax(torch.from_numpy(logits), dim=1).numpy()
    assert np.allclose(engines.probabilities(logits), wanted, atol=1e-6)


@pytest.mark.parametrize("dimensions", [2048, 4096])
def test_wide_backbones_come_within_what_the_database_can_index(dimensions: int) -> None:
    class Wide:
        name = "wide"

        def run(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            dice = np.random.default_rng(int(pixels.sum() * 1000) % 2**32)
            count = len(pixels)
            return (
                dice.random((count, dimensions), np.float32),
                np.full((count, 1000), 0.001, np.float32),
            )

    half = (0.5, 0.5, 0.5)
    spec = BackboneSpec("wide", 32, half, half, "bicubic", dimensions, 1000, "", "0" * 64, any_size=True)
    extractor = Extractor(spec, transform_for(spec), Wide())
    output = extractor.embed([Image.new("RGB", (9, 9), colour) for colour in ("red", "green")])
    assert extractor.dimensions == 2000
    assert output.features.shape == (2, 2000)
    assert np.allclose(np.linalg.norm(output.features, axis=1), 1, atol=1e-5)
