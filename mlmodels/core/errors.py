"""Errors of `core`: one family, so that a caller catches what it can handle and nothing else."""

from pathlib import Path


class CoreError(Exception):
    """Base of every error that `core` raises on purpose."""


class LanguageDataError(CoreError):
    """A file that language needs (the WordNet pack, a spaCy pipeline) is missing, damaged or of another format."""


class ArtifactError(CoreError):
    """A model file that cannot be used; `path` is the file, the message what was expected and what to do."""

    def __init__(self, path: Path, problem: str) -> None:
        """Name the file first: it is what an operator looks for."""
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class TrainingDataError(CoreError):
    """Arrays that a head cannot be fitted on or applied to; `field` names the array."""

    def __init__(self, field: str, problem: str) -> None:
        """Name the array first."""
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
