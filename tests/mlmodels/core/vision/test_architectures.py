"""Every architecture that the documentation names, one at a time: weight files in timm's and torchvision's formats.

The files are made here with random numbers. What comes out of a loaded backbone must be what the library that
wrote the file computes itself: its logits, and the vector in front of its classifier.
"""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from mlmodels.core.errors import UnknownBackboneError, WeightsError
from mlmodels.core.vision.backbones import Backbone, load_backbone
from mlmodels.core.vision.weights import read_state

# timm's name: input side, feature dimension, classes, and the side the test looks at (small where any will do).
TIMM = {
    "resnet50": (224, 2048, 1000, 64),
    "vgg16": (224, 4096, 1000, 224),
    "inception_v3": (299, 2048, 1000, 96),
    "efficientnet_b0": (224, 1280, 1000, 64),
    "convnext_tiny": (224, 768, 1000, 64),
    "vit_small_patch16_224": (224, 384, 1000, 224),
    "vit_xsmall_patch16_clip_224": (224, 256, 512, 224),
    "vit_small_patch16_224.dino": (224, 384, 0, 224),
}
# timm's name: torchvision's file, and the module whose input is the vector in front of the classifier.
TORCHVISION = {
    "resnet50": ("resnet50-0676ba61.pth", "fc", 64),
    "vgg16": ("vgg16-397923af.pth", "classifier.6", 224),
    "inception_v3": ("inception_v3_google-0cc3c7bd.pth", "fc", 96),
    "efficientnet_b0": ("efficientnet_b0_rwightman-7f5810bc.pth", "classifier.1", 64),
    "convnext_tiny": ("convnext_tiny-983f1562.pth", "classifier.2", 64),
}


@pytest.fixture(autouse=True)
def one_at_a_time() -> Iterator[None]:
    """The largest has half a gigabyte of weights: the last one is gone before the next comes."""
    yield
    gc.collect()


def made(create: object, *arguments: object, **options: object) -> nn.Module:
    """A model whose batch normalisations differ from one another, so that a mix-up shows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = create(*arguments, **options)  # type: ignore[operator]
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_var, 0.5, 1.5)
                nn.init.normal_(module.running_mean, std=0.1)
    return model.eval()


def pixels(side_px: int) -> Tensor:
    return torch.rand(1, 3, side_px, side_px, generator=torch.Generator().manual_seed(1)) * 2 - 1


def outputs(backbone: Backbone, side_px: int) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        return backbone.module(pixels(side_px))


def assert_close(found: Tensor, wanted: Tensor) -> None:
    scale = float(wanted.abs().max())
    assert scale > 0, "a comparison of zeros would show nothing"
    assert float((found - wanted).abs().max()) <= 1e-4 * scale


def write(model: nn.Module, path: Path) -> Path:
    state = {key: tensor.contiguous() for key, tensor in model.state_dict().items()}
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return path


@pytest.mark.parametrize("name", TIMM)
def test_timms_files_give_timms_outputs_and_the_code_finds_size_and_layer(name: str, tmp_path: Path) -> None:
    input_px, feature_dim, class_count, side_px = TIMM[name]
    model = made(timm.create_model, name, pretrained=False)
    write(model, tmp_path / f"{name}.safetensors")
    pickled = write(model, tmp_path / f"{name}.pth")
    with torch.inference_mode():
        maps = model.forward_features(pixels(side_px))
        wanted = model.forward_head(maps, pre_logits=True), model.forward_head(maps)
    cfg = model.pretrained_cfg

    backbone = load_backbone(name, weights_dir=tmp_path, allow_hub=False)
    from_pickle = read_state(pickled)

    spec = backbone.spec
    assert (spec.input_px, spec.feature_dim, spec.class_count) == (input_px, feature_dim, class_count)
    assert (spec.mean, spec.std) == (tuple(cfg["mean"]), tuple(cfg["std"]))
    assert spec.weights_source == f"file:{name}.safetensors"
    features, logits = outputs(backbone, side_px)
    assert_close(features, wanted[0])
    assert_close(logits, wanted[1])
    assert backbone.module.model.state_dict().keys() == from_pickle.keys()
    for key, tensor in backbone.module.model.state_dict().items():
        assert torch.equal(tensor, from_pickle[key])


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvisions_file_gives_torchvisions_logits_and_penultimate_features(
    name: str, tmp_path: Path
) -> None:
    file_name, classifier, side_px = TORCHVISION[name]
    options = {"init_weights": False} if name in ("inception_v3", "vgg16") else {}
    model = made(getattr(torchvision.models, name), weights=None, **options)
    if name == "inception_v3":
        model.transform_input = False  # its own change of statistics; here both see the same pixels
    torch.save(model.state_dict(), tmp_path / file_name)
    seen: list[Tensor] = []
    model.get_submodule(classifier).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        wanted_logits = model(pixels(side_px))
    del model

    backbone = load_backbone(name, weights_dir=tmp_path, allow_hub=False)
    (tmp_path / file_name).unlink()

    assert backbone.spec.weights_source == f"file:{file_name}"
    features, logits = outputs(backbone, side_px)
    assert_close(features, seen[0])
    assert_close(logits, wanted_logits)


@pytest.mark.parametrize("name", TIMM)
def test_weights_of_another_architecture_are_refused_by_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.pth"
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), path)
    with pytest.raises(WeightsError, match=f"expected the weights of {name}, got others") as caught:
        load_backbone(name, weights_dir=tmp_path, allow_hub=False)
    assert caught.value.path == path
    assert str(path) in str(caught.value)
    assert "name the right file" in caught.value.problem


@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b0", "vit_small_patch16_224"])
def test_cut_file_and_one_misshapen_tensor_are_refused_by_name(name: str, tmp_path: Path) -> None:
    model = made(timm.create_model, name, pretrained=False)
    path = write(model, tmp_path / f"{name}.safetensors")
    path.write_bytes(path.read_bytes()[:-1_000])
    with pytest.raises(WeightsError, match="download it again") as cut:
        load_backbone(name, weights_dir=tmp_path, allow_hub=False)
    path.unlink()

    state = model.state_dict()
    key = next(key for key, tensor in state.items() if tensor.ndim == 1)
    state[key] = state[key][:-1]
    misshapen = tmp_path / f"{name}.pth"
    torch.save(state, misshapen)
    with pytest.raises(WeightsError, match=f"{key} is .* instead of") as wrong:
        load_backbone(name, weights_dir=tmp_path, allow_hub=False)

    assert (cut.value.path, wrong.value.path) == (path, misshapen)


def test_numbers_that_are_none_are_refused_with_their_tensor(tmp_path: Path) -> None:
    model = timm.create_model("resnet10t", pretrained=False)
    state = model.state_dict()
    state["conv1.0.weight"][0, 0, 0, 0] = float("nan")
    torch.save(state, tmp_path / "resnet10t.pth")
    with pytest.raises(WeightsError, match=r"expected numbers, got NaN or infinity in conv1\.0\.weight"):
        load_backbone("resnet10t", weights_dir=tmp_path, allow_hub=False)


def test_unknown_tag_of_a_known_architecture_is_answered_with_its_tags() -> None:
    with pytest.raises(UnknownBackboneError, match=r"resnet50\.tv_in1k") as caught:
        load_backbone("resnet50.tv_in2k", allow_hub=False)
    assert "resnet50.tv_in1k" in caught.value.near
