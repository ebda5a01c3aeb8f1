"""The tables of the model's life, one module a noun. Rules live in services, reads in selectors."""

from mlmodels.models.caption import CaptionFeature, CaptionReading
from mlmodels.models.export import ModelExport
from mlmodels.models.feature import Extractor, ImageFeature, ProjectExtractor
from mlmodels.models.forecast import LearningForecast
from mlmodels.models.policy import AskingPolicy, PolicyCheck, TrainingPolicy
from mlmodels.models.run import TrainingRun
from mlmodels.models.scan import CaptionScan
from mlmodels.models.suspect import Suspect, SuspectCheck, SuspectKind, SuspectList
from mlmodels.models.version import ModelVersion

__all__ = [
    "AskingPolicy",
    "CaptionFeature",
    "CaptionReading",
    "CaptionScan",
    "Extractor",
    "ImageFeature",
    "LearningForecast",
    "ModelExport",
    "ModelVersion",
    "PolicyCheck",
    "ProjectExtractor",
    "Suspect",
    "SuspectCheck",
    "SuspectKind",
    "SuspectList",
    "TrainingPolicy",
    "TrainingRun",
]
