"""Where backbones are cut: both halves together must be the whole, and what cannot be cut must say so."""

import pytest
import torch

import mlmodels.core.vision  # noqa: F401  isort: skip  (timm cannot be imported without it)
import timm

from mlmodels.core.learning import stages
from mlmodels.core.learning.tuning import TuningError

CUT = ("test_efficientnet", "test_resnet", "test_convnext")
SIDE_PX = 64


def model_of(name):
    torch.manual_seed(0)
    return timm.create_model(name, pretrained=False).eval()


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("count", [1, 2])
def test_front_and_back_are_the_whole_and_the_front_holds_nothing_trained(name, count):
    model = model_of(name)
    trained = stages.trained_names(model, count)
    front, back = stages.cut_in_two(model, trained, torch.rand(2, 3, SIDE_PX, SIDE_PX))
    pixels = torch.rand(3, 3, SIDE_PX, SIDE_PX)
    with torch.no_grad():
        assert torch.allclose(back.forward_features(front(pixels)), model.forward_features(pixels), atol=1e-5)
    inside = {key.removeprefix("model.") for key, _ in front.named_parameters()}
    inside = {key for key in inside if not key.startswith("head.")}  # no part of the maps
    assert inside and not inside & trained
    assert trained <= {key for key, _ in back.named_parameters()}


def test_a_transformer_is_not_cut_and_a_model_of_which_all_is_trained_neither():
    probe = torch.rand(2, 3, 160, 160)
    vit = model_of("test_vit")
    assert stages.cut_in_two(vit, stages.trained_names(vit, 1), probe) is None
    whole = model_of("test_resnet")
    assert stages.cut_in_two(whole, stages.trained_names(whole, None), probe) is None


@pytest.mark.parametrize("name", [*CUT, "test_vit"])
def test_the_models_own_classifier_is_never_trained(name):
    model = model_of(name)
    classifier = {
        key
        for key, _ in model.named_parameters()
        if key.startswith(("classifier", "head.fc", "fc", "head.w"))
    }
    assert not stages.trained_names(model, None) & classifier


def test_no_stage_is_refused():
    with pytest.raises(TuningError, match="at least 1 stage"):
        stages.trained_names(model_of("test_resnet"), 0)


def test_statistics_of_batch_normalisation_stay():
    model = model_of("test_resnet")
    tagging = stages.Tagging(model, model.num_features, 2)
    before = {name: tensor.clone() for name, tensor in tagging.named_buffers()}
    tagging.train()
    tagging(torch.rand(4, 3, SIDE_PX, SIDE_PX))
    assert all(torch.equal(tensor, before[name]) for name, tensor in tagging.named_buffers())
