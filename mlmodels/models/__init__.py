"""The tables of the model's life, one module a noun. Rules live in services, reads in selectors."""

from mlmodels.models.caption import CaptionFeature, CaptionReading
from mlmodels.models.feature import Extractor, ImageFeature, ProjectExtractor
from mlmodels.models.policy import PolicyCheck, TrainingPolicy
from mlmodels.models.run import TrainingRun
from mlmodels.models.scan import CaptionScan
from mlmodels.models.version import ModelVersion

__all__ = [
    "CaptionFeature",
    "CaptionReading",
    "CaptionScan",
    "Extractor",
    "ImageFeature",
    "ModelVersion",
    "PolicyCheck",
    "ProjectExtractor",
    "TrainingPolicy",
    "TrainingRun",
]
