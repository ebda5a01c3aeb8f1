"""Variants of training pictures: RandAugment and mirror images on pixels, mixup on what the trained part is given."""

from collections.abc import Sequence

import torch
from torch import Tensor

import mlmodels.core.vision  # noqa: F401  isort: skip  (torchvision cannot be imported without it)
from torchvision.transforms import v2

_GREY = [128, 128, 128]


def varied(pictures: Tensor, *, operations: int, magnitude: int) -> Tensor:
    """Pictures uint8 [N, 3, H, W] under RandAugment (E. Cubuk et al., 2020) and by chance mirrored, one by one.

    Draws from torch's global generator.

    Example:
        >>> pictures = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
        >>> varied(pictures, operations=2, magnitude=7).shape
        torch.Size([2, 3, 8, 8])
    """
    change = v2.Compose(
        [
            v2.RandAugment(num_ops=operations, magnitude=magnitude, fill=_GREY),
            v2.RandomHorizontalFlip(),
        ]
    )
    return torch.stack([change(picture) for picture in pictures])


def standardised(pictures: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Pictures uint8 [N, 3, H, W] as the backbone wants them: float32, by its mean and deviation.

    Example:
        >>> standardised(torch.full((1, 3, 1, 1), 255, dtype=torch.uint8), (0.5,) * 3, (0.5,) * 3).ravel().tolist()
        [1.0, 1.0, 1.0]
    """
    shift = torch.tensor(mean, device=pictures.device).view(3, 1, 1)
    scale = torch.tensor(std, device=pictures.device).view(3, 1, 1)
    return (pictures.float() / 255 - shift) / scale


def mixed(inputs: Tensor, truth: Tensor, *, alpha: float) -> tuple[Tensor, Tensor]:
    """Mix each image with its neighbour in the batch (H. Zhang et al., 2018), and their truths.

    A tag that is unknown on either image is unknown on the mixture. On activations it is manifold mixup (V. Verma et
    al., 2019), held at one depth.

    Args:
        inputs: [N, C, H, W], pixels or activations.
        truth: [N, K], 1 yes, 0 no, below 0 unknown.
        alpha: of the beta distribution that the share is drawn from; 0 mixes nothing.

    Returns:
        Mixed inputs, and float truth with the share of yes in [0, 1] or -1.

    Example:
        >>> truth = torch.tensor([[1, -1], [1, 0]])
        >>> mixed(torch.zeros(2, 1, 1, 1), truth, alpha=0.2)[1].tolist()
        [[1.0, -1.0], [1.0, -1.0]]
    """
    known = (truth >= 0).float()
    yes = truth.clamp(min=0).float()
    if not alpha or len(inputs) < 2:
        return inputs, torch.where(known > 0, yes, -1.0)
    both = torch.cat([yes, known], dim=1)
    inputs, both = v2.MixUp(alpha=alpha, num_classes=both.shape[1])(inputs, both)
    yes, known = both.chunk(2, dim=1)
    return inputs, torch.where(known > 1 - 1e-6, yes, -1.0)
