"""Extractors: the table's row for a name, and the network itself, loaded once in a worker process."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from mlmodels.models import Extractor

if TYPE_CHECKING:
    from mlmodels.core.vision.extractor import Extractor as VisionExtractor


@lru_cache(maxsize=2)
def load(name: str) -> "VisionExtractor":
    """The network, ready to embed. Only workers that need pixels call this: it loads torch."""
    from mlmodels.core.vision.extractor import load_extractor

    return load_extractor(name, weights_dir=Path(settings.WEIGHTS_DIR) if settings.WEIGHTS_DIR else None)


def loaded_row(name: str) -> Extractor:
    """The row of the network as it loads here; another file of weights is another extractor."""
    extractor = load(name)
    row, _ = Extractor.objects.get_or_create(
        key=extractor.key, defaults={"name": name, "dimensions": extractor.dimensions}
    )
    return row


def known_row(name: str) -> Extractor | None:
    """The newest extractor of this name that has looked at anything, without loading it."""
    return Extractor.objects.filter(name=name).order_by("-id").first()
