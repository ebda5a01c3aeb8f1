"""A tiny backbone that is worth tuning: most of its last channels are dead, so that a linear layer sees little.

And pictures that it can learn to tell apart: a tag is a bar across the picture, each tag at its own angle and colour.
"""

from pathlib import Path

import mlmodels.core.vision  # noqa: F401  isort: skip  (timm cannot be imported without it)
import numpy as np
import timm
import torch
from PIL import Image, ImageDraw

NAME = "test_efficientnet"
LIVE_CHANNELS = 3
BARS = {
    0: ((255, 40, 40), (0, 0, 159, 159)),
    1: ((40, 90, 255), (0, 80, 159, 80)),
    2: ((40, 200, 60), (80, 0, 80, 159)),
}


def put_weights(folder: Path, *, seed: int = 3, zeroed: bool = False) -> Path:
    """Write the backbone's weights under timm's name and return the file.

    Dead channels give about 1e-8, which two engines round differently; `zeroed`, they give 0 in every engine.
    """
    torch.manual_seed(seed)
    model = timm.create_model(NAME, pretrained=False)
    with torch.no_grad():
        model.bn2.bias[LIVE_CHANNELS:] = 0.0 if zeroed else -20.0
        if zeroed:
            model.bn2.weight[LIVE_CHANNELS:] = 0.0
    path = folder / f"{NAME}.pth"
    torch.save(model.state_dict(), path)
    return path


def picture(number: int, tags: set[int], *, side_px: int = 160) -> Image.Image:
    """A noisy picture with a bar for each tag; every number gives other noise."""
    noise = np.random.default_rng(number).integers(60, 190, (side_px // 8, side_px // 8, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((side_px, side_px), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(image)
    shift = number % 40 - 20
    for tag in tags:
        colour, (left, top, right, bottom) = BARS[tag]
        scale = side_px / 160
        line = [
            (left + shift) * scale,
            (top + shift) * scale,
            (right + shift) * scale,
            (bottom + shift) * scale,
        ]
        draw.line(line, fill=colour, width=round(14 * scale))
    return image
