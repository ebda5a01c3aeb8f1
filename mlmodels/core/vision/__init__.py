"""Pictures to features: backbones, their weights, engines and the extractor. Decodes no files."""

from mlmodels.core.vision import torchvision_shim  # noqa: F401  (torchvision cannot be imported without it)
