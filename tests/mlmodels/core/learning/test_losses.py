"""Masked losses against formulae written out pair by pair in plain Python, and what must hold whatever the numbers."""

import math

import numpy as np
import pytest
import torch

from mlmodels.core.learning.augmentation import mixed
from mlmodels.core.learning.losses import asymmetric, binary_cross_entropy

LOSSES = (binary_cross_entropy, asymmetric)


def made(images=7, tags=5, seed=0):
    random = np.random.default_rng(seed)
    logits = torch.from_numpy(random.normal(0, 3, (images, tags)).astype(np.float32))
    return logits, torch.from_numpy(random.integers(-1, 2, (images, tags)).astype(np.int8))


def by_hand(logits, truth, cost):
    """The mean of `cost(p, is_yes)` over known pairs, one after another in double precision."""
    costs = []
    for row, answers in zip(logits.tolist(), truth.tolist(), strict=True):
        for logit, answer in zip(row, answers, strict=True):
            if answer >= 0:
                costs.append(cost(1 / (1 + math.exp(-logit)), answer == 1))
    return sum(costs) / len(costs)


def test_binary_cross_entropy_is_the_sum_over_known_pairs():
    logits, truth = made()
    expected = by_hand(logits, truth, lambda p, yes: -math.log(p if yes else 1 - p))
    assert float(binary_cross_entropy(logits, truth)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("focus_yes", "focus_no", "margin"), [(0, 4, 0.05), (1, 2, 0.2), (0, 0, 0)])
def test_asymmetric_loss_is_the_papers_formula(focus_yes, focus_no, margin):
    logits, truth = made()

    def cost(p, yes):
        if yes:
            return (1 - p) ** focus_yes * -math.log(p)
        shifted = max(p - margin, 0)
        return shifted**focus_no * -math.log(1 - shifted)

    found = asymmetric(logits, truth, focus_yes=focus_yes, focus_no=focus_no, margin=margin)
    assert float(found) == pytest.approx(by_hand(logits, truth, cost), rel=1e-4)


def test_without_focus_and_margin_it_is_binary_cross_entropy():
    logits, truth = made()
    plain = asymmetric(logits, truth, focus_yes=0, focus_no=0, margin=0)
    assert float(plain) == pytest.approx(float(binary_cross_entropy(logits, truth)), rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_unknown_pairs_cost_nothing_and_pull_at_nothing(loss):
    logits, truth = made()
    logits.requires_grad_()
    loss(logits, truth).backward()
    assert (logits.grad[truth < 0] == 0).all()
    assert (logits.grad[truth >= 0] != 0).any()
    moved = torch.where(truth < 0, logits.detach() + 100, logits.detach())
    assert float(loss(moved, truth)) == pytest.approx(float(loss(logits.detach(), truth)))


@pytest.mark.parametrize("loss", LOSSES)
def test_nothing_known_costs_nothing(loss):
    logits = torch.zeros(2, 3, requires_grad=True)
    cost = loss(logits, torch.full((2, 3), -1))
    cost.backward()
    assert float(cost.detach()) == 0 and (logits.grad == 0).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_the_order_of_images_and_tags_does_not_matter(loss):
    logits, truth = made()
    images, tags = torch.randperm(7), torch.randperm(5)
    turned = loss(logits[images][:, tags], truth[images][:, tags])
    assert float(turned) == pytest.approx(float(loss(logits, truth)), rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("logit", [-80.0, 80.0])
def test_extreme_logits_stay_numbers(loss, logit):
    logits = torch.full((2, 2), logit, requires_grad=True)
    cost = loss(logits, torch.tensor([[1, 0], [0, -1]]))
    cost.backward()
    assert torch.isfinite(cost) and torch.isfinite(logits.grad).all()


def test_a_mixture_knows_only_what_both_images_know():
    torch.manual_seed(0)
    truth = torch.tensor([[1, 0, -1, 1], [0, 0, 1, 1]])
    inputs = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
    pixels, mixture = mixed(inputs, truth, alpha=1.0)
    share = 1 - float(pixels[0, 0, 0, 0])
    assert 0 < share < 1
    assert mixture[0].tolist() == pytest.approx([share, 0, -1, 1])
    assert mixture[1].tolist() == pytest.approx([1 - share, 0, -1, 1])
