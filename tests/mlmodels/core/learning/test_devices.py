"""A step of tuning leaves nothing behind on the CPU.

On the device "meta" torch works out shapes alone, and refuses to join tensors of two devices as a GPU would. What a GPU
computes, and its memory, this does not try: benchmarks/finetune.py --device cuda.
"""

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from mlmodels.core.learning import augmentation, finetune, frozen, losses, stages

ELSEWHERE = "meta"
IMAGES, TAGS, SIDE_PX = 8, 5, 96


@pytest.fixture
def backbone():
    import timm  # after mlmodels.core, without which it cannot import torchvision

    return timm.create_model("test_efficientnet").to(ELSEWHERE).eval()


@pytest.fixture
def pictures():
    return torch.zeros(IMAGES, 3, SIDE_PX, SIDE_PX, dtype=torch.uint8, device=ELSEWHERE)


@pytest.fixture
def truth():
    return torch.ones(IMAGES, TAGS, dtype=torch.int8, device=ELSEWHERE)


def test_tensors_of_two_devices_are_refused(truth):
    """Else the tests below could not fail."""
    with pytest.raises(RuntimeError, match="not on the expected device"):
        losses.asymmetric(torch.zeros(IMAGES, TAGS), truth)


def test_variants_are_made_where_the_pictures_are(pictures, truth):
    varied = augmentation.varied(pictures, operations=2, magnitude=7)
    inputs = augmentation.standardised(varied, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
    mixed, shares = augmentation.mixed(inputs, truth, alpha=0.2)

    assert {one.device.type for one in (varied, inputs, mixed, shares)} == {ELSEWHERE}


@pytest.mark.parametrize("cost", [losses.asymmetric, losses.binary_cross_entropy])
def test_a_step_goes_from_the_loss_to_the_average(backbone, truth, cost):
    model = stages.Tagging(backbone, backbone.num_features, TAGS).to(ELSEWHERE)
    stages.freeze(model.backbone, stages.trained_names(backbone, 1))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained)
    average = AveragedModel(model, multi_avg_fn=finetune._averaging(0.9))

    logits = model(torch.zeros(IMAGES, 3, SIDE_PX, SIDE_PX, device=ELSEWHERE))
    loss = cost(logits.float(), truth)
    loss.backward()
    optimizer.step()
    average.update_parameters(model)

    assert all(parameter.grad is not None for parameter in trained)
    assert {one.device.type for one in (logits, loss, *average.parameters())} == {ELSEWHERE}


def test_the_frozen_part_runs_where_the_probe_is(backbone):
    probe = torch.zeros(2, 3, SIDE_PX, SIDE_PX, device=ELSEWHERE)
    front = frozen.runner(stages.Front(backbone), probe, passes=10**6)

    assert front(probe).device.type == ELSEWHERE
