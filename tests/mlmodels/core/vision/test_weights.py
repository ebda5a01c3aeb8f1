"""Weight files as people have them: timm's, torchvision's, wrapped, wrong, cut, hostile. All made here."""

import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from mlmodels.core.errors import UnknownBackboneError, WeightsError
from mlmodels.core.vision.backbones import FeaturesAndLogits, load_backbone
from mlmodels.core.vision.fitting import fit
from mlmodels.core.vision.weights import file_names, sha256_of_file

SMALL = "mobilenetv3_small_050"


def with_running_statistics(model: nn.Module, *, seed: int = 0) -> nn.Module:
    """Give every batch normalisation its own numbers, so that a mix-up shows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, std=0.1)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.1)
    return model.eval()


def pixels(side_px: int = 64) -> torch.Tensor:
    return torch.rand(2, 3, side_px, side_px, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture(scope="module")
def small() -> nn.Module:
    return with_running_statistics(timm.create_model(SMALL, pretrained=False))


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    return with_running_statistics(torchvision.models.resnet18(weights=None))


def refusal(path: Path, name: str = SMALL) -> WeightsError:
    with pytest.raises(WeightsError) as caught:
        load_backbone(name, weights_file=path, allow_hub=False)
    assert caught.value.path == path
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("file_name", "write"),
    [
        (f"{SMALL}.safetensors", lambda state, path: save_file(state, path)),
        (f"{SMALL}.lamb_in1k.pth", torch.save),
        ("mobilenetv3_small_050_lambc-4b7bbe87.pth", torch.save),
    ],
)
def test_folder_is_searched_for_timms_own_file_names(
    small: nn.Module, tmp_path: Path, file_name: str, write: Callable[[dict, Path], None]
) -> None:
    write(small.state_dict(), tmp_path / file_name)
    backbone = load_backbone(SMALL, weights_dir=tmp_path, allow_hub=False)
    assert backbone.spec.weights_source == f"file:{file_name}"
    assert backbone.spec.weights_sha256 == sha256_of_file(tmp_path / file_name)
    with torch.inference_mode():
        assert torch.allclose(backbone.module(pixels())[1], small(pixels()), atol=1e-5)


def test_folder_is_searched_for_torchvisions_own_file_names(resnet: nn.Module, tmp_path: Path) -> None:
    torch.save(resnet.state_dict(), tmp_path / "resnet18-f37072fd.pth")
    torch.save({}, tmp_path / "resnet18-notahash.pth")
    backbone = load_backbone("resnet18", weights_dir=tmp_path, allow_hub=False)
    assert backbone.spec.weights_source == "file:resnet18-f37072fd.pth"
    with torch.inference_mode():
        assert torch.allclose(backbone.module(pixels())[1], resnet(pixels()), atol=1e-4)


def test_torchvision_file_with_other_tensor_names_gives_torchvisions_outputs(tmp_path: Path) -> None:
    model = with_running_statistics(torchvision.models.efficientnet_b0(weights=None))
    torch.save(model.state_dict(), tmp_path / "efficientnet_b0_rwightman-7f5810bc.pth")
    backbone = load_backbone("efficientnet_b0", weights_dir=tmp_path, allow_hub=False)
    with torch.inference_mode():
        assert torch.allclose(backbone.module(pixels())[1], model(pixels()), atol=1e-4)


def test_file_in_another_publishers_names_goes_through_timms_conversion(tmp_path: Path) -> None:
    model = timm.create_model("vit_tiny_patch16_224", pretrained=False).eval()
    state = {f"visual.trunk.{key}": tensor for key, tensor in reversed(model.state_dict().items())}
    found = fit("vit_tiny_patch16_224", tmp_path / "clip.pth", state)
    with torch.inference_mode():
        assert torch.equal(found(pixels(224)), model(pixels(224)))


def test_lenient_conversion_does_not_let_random_tensors_through(resnet: nn.Module, tmp_path: Path) -> None:
    torch.save(resnet.state_dict(), tmp_path / "inception.pth")
    assert "inception_v3" in refusal(tmp_path / "inception.pth", "inception_v3").problem


def test_side_heads_for_training_are_left_out(small: nn.Module, tmp_path: Path) -> None:
    extended = {**small.state_dict(), "AuxLogits.conv0.weight": torch.zeros(3)}
    assert fit(SMALL, tmp_path / "any.pth", extended) is not None


@pytest.mark.parametrize("wrapper", ["state_dict", "state_dict_ema", "model"])
def test_training_checkpoint_is_unwrapped(small: nn.Module, tmp_path: Path, wrapper: str) -> None:
    path = tmp_path / "checkpoint.pth"
    state = {f"module.{key}": tensor for key, tensor in small.state_dict().items()}
    torch.save({"epoch": 3, wrapper: state}, path)
    backbone = load_backbone(SMALL, weights_file=path, allow_hub=False)
    with torch.inference_mode():
        assert torch.allclose(backbone.module(pixels())[1], small(pixels()), atol=1e-5)


def test_named_file_wins_over_the_folder(small: nn.Module, tmp_path: Path) -> None:
    torch.save(small.state_dict(), tmp_path / f"{SMALL}.pth")
    torch.save(small.state_dict(), tmp_path / "mine.pth")
    spec = load_backbone(SMALL, weights_file=tmp_path / "mine.pth", weights_dir=tmp_path).spec
    assert spec.weights_source == "file:mine.pth"


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_cut_file_is_refused_by_name(small: nn.Module, tmp_path: Path, suffix: str, share: float) -> None:
    whole, path = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(small.state_dict(), whole)
    path.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    refusal(path)


def test_file_of_another_architecture_is_refused_by_name(resnet: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / f"{SMALL}.pth"
    torch.save(resnet.state_dict(), path)
    assert f"expected the weights of {SMALL}" in refusal(path).problem


def test_one_missing_and_one_misshapen_tensor_are_refused(small: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "almost.pth"
    state = small.state_dict()
    torch.save({key: tensor for key, tensor in state.items() if key != "conv_stem.weight"}, path)
    assert "lacks conv_stem.weight" in refusal(path).problem
    torch.save({**state, "classifier.bias": torch.zeros(10)}, path)
    assert "classifier.bias is [10] instead of [1000]" in refusal(path).problem


class Harmful:
    """A pickle that would create a file when read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_file_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    path, mark = tmp_path / "harmful.pth", tmp_path / "mark"
    torch.save({"weight": Harmful(mark)}, path)
    refusal(path)
    path.write_bytes(pickle.dumps(Harmful(mark)))
    refusal(path)
    assert not mark.exists()


def test_files_without_tensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.pth"
    torch.save([torch.zeros(2)], path)
    assert "got list" in refusal(path).problem
    torch.save({"a": torch.zeros(2), "b": 3}, path)
    assert "'b'" in refusal(path).problem
    refusal(tmp_path / "nowhere.pth")


def test_missing_weights_name_the_files_and_the_folder_that_would_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        load_backbone("resnet50", weights_dir=tmp_path, allow_hub=False)
    assert caught.value.path is None
    assert str(tmp_path) in str(caught.value)
    assert re.search(r"resnet50\.safetensors.*resnet50-\*\.pth", str(caught.value))


def test_unreachable_hub_is_answered_with_the_file_that_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> nn.Module:
        raise ConnectionError("no route")

    monkeypatch.setattr("timm.create_model", unreachable)
    with pytest.raises(WeightsError, match=r"did not answer \(ConnectionError\).*resnet50\.safetensors"):
        load_backbone("resnet50")


def test_unknown_backbone_is_answered_with_near_names() -> None:
    with pytest.raises(UnknownBackboneError, match="did you mean resnet50") as caught:
        load_backbone("resnet_50", allow_hub=False)
    assert "resnet50" in caught.value.near


def test_torchvision_names_with_a_publisher_are_known() -> None:
    assert "inception_v3_google-*.pth" in file_names("inception_v3", {})


@pytest.mark.parametrize("name", ["resnet18", SMALL, "vit_tiny_patch16_224", "convnext_atto"])
def test_features_and_logits_are_those_of_the_model(name: str) -> None:
    model = with_running_statistics(timm.create_model(name, pretrained=False))
    both = FeaturesAndLogits(model)
    with torch.inference_mode():
        both.share_head(pixels(224))
        features, logits = both(pixels(224))
        assert both.classifier is not None
        assert torch.allclose(logits, model(pixels(224)), atol=1e-4)
        pooled = model.forward_head(model.forward_features(pixels(224)), pre_logits=True)
        assert torch.allclose(features, pooled, atol=1e-5)


def test_head_that_is_not_one_linear_layer_keeps_its_own_way() -> None:
    model = timm.create_model("deit_tiny_distilled_patch16_224", pretrained=False).eval()
    both = FeaturesAndLogits(model)
    with torch.inference_mode():
        both.share_head(pixels(224))
        assert both.classifier is None
        assert torch.allclose(both(pixels(224))[1], model(pixels(224)), atol=1e-5)
