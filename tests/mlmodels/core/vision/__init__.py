"""Core vision comes first, since without it timm and torchvision may not import (see its torchvision_shim)."""

import mlmodels.core.vision  # noqa: F401
