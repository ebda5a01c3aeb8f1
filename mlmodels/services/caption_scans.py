"""The counts over a project's captions: read in slices from where the last one stopped, held by one worker at a time.

They outlive every worker, so a kill costs one slice. What is made of them stands in `proposals.py`.
"""

import json
import logging
import time
import uuid
import zlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q
from django.db.models.functions import Now

from annotations.selectors import proposals as read_proposals
from mlmodels.models import CaptionScan

if TYPE_CHECKING:
    from spacy.language import Language as Pipeline

    from mlmodels.core.language.census import Census

logger = logging.getLogger(__name__)

# A slice is one task: so short that other work of the queue, such as a prediction, comes in between.
SLICE_S = 2.0
SLICE_CAPTIONS = 10_000
BATCH_CAPTIONS = 64
CLAIM_STALE_AFTER = timedelta(seconds=30)
# What stands behind so many characters is hardly about the picture.
CAPTION_CHARS = 4_000
# Captions are counted anew when more than this share of them has changed: fewer move no proposal.
CHANGED_SHARE = 0.01


def note_changes(project_id: int, image_ids: Iterable[int]) -> None:
    """Remember that captions which may have been counted are others now."""
    scan = CaptionScan.objects.filter(project_id=project_id).first()
    counted = sum(image_id <= scan.after_id for image_id in image_ids) if scan else 0
    if counted:
        CaptionScan.objects.filter(project_id=project_id).update(changed=F("changed") + counted)


def claim(project_id: int) -> CaptionScan | None:
    """Take the project's counts; None while somebody else holds them."""
    free = Q(claim=None) | Q(claimed_at__lt=Now() - CLAIM_STALE_AFTER)
    taken = CaptionScan.objects.filter(free, project_id=project_id).update(
        claim=uuid.uuid4(), claimed_at=Now()
    )
    return CaptionScan.objects.get(project_id=project_id) if taken else None


def held(scan: CaptionScan) -> Any:
    """The row while the claim is ours: what a worker writes that was overtaken goes nowhere."""
    return CaptionScan.objects.filter(project_id=scan.project_id, claim=scan.claim)


def stored_census(scan: CaptionScan, pipeline: "Pipeline") -> "Census":
    """The counts so far; those of another pipeline or format, and unreadable ones, are begun anew."""
    from mlmodels.core.errors import LanguageDataError
    from mlmodels.core.language.census import Census

    try:
        stored = json.loads(zlib.decompress(scan.counts)) if scan.counts else {}
        if stored.get("reader") == _reader(pipeline):
            return Census.of(stored["census"])
    except (zlib.error, ValueError, LanguageDataError):
        logger.warning("the counts over the captions of project %s are unreadable", scan.project_id)
    scan.after_id = 0
    return Census()


def read_slice(
    scan: CaptionScan, census: "Census", captions: Sequence[tuple[int, str]], pipeline: "Pipeline"
) -> None:
    """Count captions for a slice's time, then store the counts."""
    from mlmodels.core.language.occurrences import occurrences

    started = time.monotonic()
    for start in range(0, len(captions), BATCH_CAPTIONS):
        batch = captions[start : start + BATCH_CAPTIONS]
        with pipeline.memory_zone():
            docs = pipeline.pipe(caption for _, caption in batch)
            for (image_id, _), doc in zip(batch, docs, strict=True):
                census.add(image_id, occurrences(doc))
        scan.after_id = batch[-1][0]
        if time.monotonic() - started > SLICE_S:
            break
    _save(scan, census, pipeline)


def _save(scan: CaptionScan, census: "Census", pipeline: "Pipeline") -> None:
    stored = {"reader": _reader(pipeline), "census": census.state()}
    counts = zlib.compress(json.dumps(stored, separators=(",", ":")).encode(), 1)
    scan.captions = census.captions
    held(scan).update(after_id=scan.after_id, captions=census.captions, counts=counts, claimed_at=Now())


def _reader(pipeline: "Pipeline") -> str:
    """Who counted: another pipeline finds other words."""
    return " ".join(str(pipeline.meta[key]) for key in ("lang", "name", "version"))


def is_stale(scan: CaptionScan) -> bool:
    """Whether so many captions have changed, come late or gone that counting has to begin anew."""
    missing = abs(read_proposals.caption_count(scan.project_id) - scan.captions)
    return scan.changed + missing > CHANGED_SHARE * scan.captions


def restart(scan: CaptionScan) -> None:
    """Forget the counts; the next slice begins with the first caption."""
    held(scan).update(after_id=0, captions=0, counts=b"", changed=0, made_from="")
