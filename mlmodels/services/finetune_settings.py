"""What an admin may choose of fine-tuning, checked; the rest stands in `core.learning.tuning`. No torch here."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from annotations.errors import BadInput

if TYPE_CHECKING:
    from mlmodels.core.learning.tuning import TuningSettings

MOST_STAGES, MOST_EPOCHS, MOST_BATCH = 64, 500, 1024
LOSSES = {"asymmetric": "asymmetric", "binary": "binary cross-entropy"}


@dataclass(frozen=True)
class FinetuneSettings:
    """`stages` counts from the end of the backbone; 0 tunes all of it."""

    stages: int = 1
    epochs: int = 12
    batch: int = 32
    loss: str = "asymmetric"

    def core(self, *, seed: int) -> "TuningSettings":
        from mlmodels.core.learning.tuning import TuningSettings

        values: dict[str, Any] = asdict(self) | {"stages": self.stages or None, "seed": seed}
        return TuningSettings(**values)


def read(options: Mapping[str, Any]) -> FinetuneSettings:
    """Settings from what was sent; raises BadInput naming the first that is not acceptable."""
    known = [field.name for field in fields(FinetuneSettings)]
    if unknown := sorted(set(options) - set(known)):
        raise BadInput(
            f"Unknown options: {', '.join(unknown)}. Fine-tuning takes {', '.join(known)}.",
            code="unknown_option",
        )
    for name, least, most in (
        ("stages", 0, MOST_STAGES),
        ("epochs", 1, MOST_EPOCHS),
        ("batch", 2, MOST_BATCH),
    ):
        value = options.get(name, least)
        if type(value) is not int or not least <= value <= most:
            raise BadInput(f"`{name}` is a whole number from {least} to {most}.", code=f"bad_{name}")
    if options.get("loss", "binary") not in LOSSES:
        raise BadInput(f"`loss` is one of {', '.join(LOSSES)}.", code="bad_loss")
    return FinetuneSettings(**options)


def of_run(options: Mapping[str, Any]) -> FinetuneSettings:
    """What a run was asked for with."""
    return read(options.get("finetune", {}))
