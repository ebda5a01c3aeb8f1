"""Errors of `core`: one family, so that a caller catches what it can handle and nothing else."""

from pathlib import Path


class CoreError(Exception):
    """Base of every error that `core` raises on purpose."""


class LanguageDataError(CoreError):
    """A file that language needs (WordNet pack, spaCy pipeline) is missing, damaged or of another format."""


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


class SamplingError(CoreError):
    """Arrays or shares from which nothing can be drawn; `field` names them."""

    def __init__(self, field: str, problem: str) -> None:
        """Name the field first."""
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class UnknownBackboneError(CoreError):
    """A name that timm does not know; `near` holds the names closest to it."""

    def __init__(self, name: str, near: tuple[str, ...]) -> None:
        """Offer what was probably meant."""
        hint = f"did you mean {', '.join(near)}?" if near else "see timm.list_models()."
        super().__init__(f"backbone: expected a timm model name, got {name!r}; {hint}")
        self.name = name
        self.near = near


class WeightsError(CoreError):
    """Weights that are missing or do not fit; `path` is the refused file, None if none was found."""

    def __init__(self, path: Path | None, problem: str) -> None:
        """Name the file first, where there is one."""
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem


class DeviceError(CoreError):
    """A device that torch does not see here; `seen` are those that it sees."""

    def __init__(self, device: str, seen: tuple[str, ...], *, has_cuda_build: bool) -> None:
        """Tell apart a machine without a GPU and a torch that could not use one."""
        why = "" if has_cuda_build else "; this torch is built without CUDA"
        super().__init__(
            f"device: expected one that torch sees here ({', '.join(seen)}), got {device!r}{why}; name another one, "
            "or none for the best there is"
        )
        self.device = device
        self.seen = seen


class EngineError(CoreError):
    """An inference engine that was asked for and cannot be used; `engine` is its name."""

    def __init__(self, engine: str, problem: str) -> None:
        """Name the engine first."""
        super().__init__(f"engine {engine}: {problem}")
        self.engine = engine
        self.problem = problem


class TextEncoderError(CoreError):
    """A file of a sentence encoder that is missing or does not fit; `path` is the file."""

    def __init__(self, path: Path, problem: str) -> None:
        """Name the file first: it is what an operator looks for."""
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class PortableModelError(CoreError):
    """A model that cannot be written as one file that others run, or that would not score as it does here."""
