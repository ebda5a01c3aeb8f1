"""Makes a project's proposals from the counts over its captions, its vocabulary and what people answered.

What is worth a proposal stands in `core.language`; how captions are counted in `caption_scans.py`.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from django.conf import settings

from annotations.selectors import counters, model_inputs, truth
from annotations.selectors import proposals as read_proposals
from annotations.services import proposals as write_proposals
from annotations.types import ProposalSpec
from mlmodels.models import CaptionScan
from mlmodels.services import caption_scans, languages

if TYPE_CHECKING:
    from spacy.language import Language as Pipeline

    from mlmodels.core.language.census import Census
    from mlmodels.core.language.proposals import ProposedTag
    from mlmodels.core.language.substitution import Answered
    from mlmodels.core.language.synonyms import ProposedSynonym

# Answered captions that are looked at for words that replace a tag's own.
ANSWERED_MOST = 3_000
# Proposals are made anew when the answers have grown by half.
ANSWERS_GROWTH = 1.5


def is_due(project_id: int) -> bool:
    """Whether captions wait to be read, or the proposals were made from another vocabulary or from fewer answers."""
    scan = CaptionScan.objects.filter(project_id=project_id).first()
    after_id = scan.after_id if scan else 0
    if read_proposals.has_captions(project_id, after_id=after_id):
        return True
    return scan is not None and (caption_scans.is_stale(scan) or scan.made_from != _source(scan))


def advance(project_id: int) -> bool:
    """Read one slice of captions, or make the proposals when all are read; returns whether more is to be done now.

    Called twice at once, one caller does the work. A killed one is followed by another where it was.
    """
    project = model_inputs.project(project_id)
    if project is None:
        return False
    if not CaptionScan.objects.filter(project_id=project_id).exists():
        if not read_proposals.has_captions(project_id):
            return False
        CaptionScan.objects.get_or_create(project_id=project_id)
    scan = caption_scans.claim(project_id)
    if scan is None:
        return False
    try:
        return _work(scan, languages.pipeline(project.caption_language))
    finally:
        caption_scans.held(scan).update(claim=None)


def _work(scan: CaptionScan, pipeline: "Pipeline") -> bool:
    census = caption_scans.stored_census(scan, pipeline)
    captions = read_proposals.captions(
        scan.project_id,
        after_id=scan.after_id,
        limit=caption_scans.SLICE_CAPTIONS,
        chars=caption_scans.CAPTION_CHARS,
    )
    if captions:
        caption_scans.read_slice(scan, census, captions, pipeline)
        total = read_proposals.caption_count(scan.project_id)
        read = min(census.captions, total)
        write_proposals.report_reading(scan.project_id, read=read, total=total, is_reading=True)
        return True
    if caption_scans.is_stale(scan):
        caption_scans.restart(scan)
        return True
    if scan.made_from == _source(scan):
        return False
    _make(scan, census)
    return is_due(scan.project_id)


def _make(scan: CaptionScan, census: "Census") -> None:
    """Replace the open proposals by what the counts say now."""
    from mlmodels.core.language.proposals import propose_tags
    from mlmodels.core.language.synonyms import propose_synonyms
    from mlmodels.core.types import TagTerm

    source = _source(scan)
    words = read_proposals.vocabulary_words(scan.project_id)
    active, retired = (
        [TagTerm(word.tag_id, word.name, word.aliases) for word in words if word.is_retired is is_retired]
        for is_retired in (False, True)
    )
    put_away = read_proposals.dismissed(scan.project_id)
    synonyms = propose_synonyms(
        census,
        active,
        _answered(scan.project_id),
        retired=retired,
        refused={(text, tag_id) for _, text, tag_id in put_away if tag_id is not None},
    )
    spoken_for = {one.text for one in synonyms} | {text for _, text, tag_id in put_away if tag_id is None}
    tags = propose_tags(census, [*active, *retired], but_not=spoken_for)
    write_proposals.replace_open(scan.project_id, _specs(tags, synonyms))
    write_proposals.report_reading(
        scan.project_id, read=census.captions, total=census.captions, is_reading=False
    )
    caption_scans.held(scan).update(made_from=source)


def _specs(tags: Sequence["ProposedTag"], synonyms: Sequence["ProposedSynonym"]) -> list[ProposalSpec]:
    """Both kinds in one order: by the number of captions that have the word."""
    places = {place for tag in tags for place in tag.places}
    places |= {place for synonym in synonyms for place in synonym.places}
    texts = read_proposals.texts_at(places)
    specs = [
        ProposalSpec("tag", one.text, None, one.captions, _evidence(one, texts, rule=one.kind, lift=one.lift))
        for one in tags
    ]
    specs += [
        ProposalSpec(
            "alias",
            one.text,
            one.tag_id,
            one.captions,
            _evidence(
                one, texts, rule=one.rule, precision=one.precision, lower=one.lower, support=one.support
            ),
        )
        for one in synonyms
    ]
    return sorted(specs, key=lambda spec: (-spec.captions, spec.text, spec.kind))


def _evidence(
    one: "ProposedTag | ProposedSynonym", texts: dict[tuple[int, int, int], str], **figures: Any
) -> dict[str, Any]:
    examples = [
        {"image": image_id, "start": start, "end": end, "text": texts[image_id, start, end]}
        for image_id, start, end in one.places
        if texts[image_id, start, end]
    ]
    return {"share": one.share, **figures, "examples": examples}


def _answered(project_id: int) -> "list[Answered]":
    """What people said of images with captions, beside what was read there."""
    from mlmodels.core.language.substitution import Answered

    project = model_inputs.project(project_id)
    rows = read_proposals.answered_captions(
        project_id, limit=ANSWERED_MOST, chars=caption_scans.CAPTION_CHARS
    )
    if project is None or not rows:
        return []
    truths = truth.verdicts(project, [image_id for image_id, _ in rows])
    readings = languages.of_project(project_id).read([caption for _, caption in rows])
    answered = []
    for (image_id, _), reading in zip(rows, readings, strict=True):
        said = truths[image_id]
        answered.append(Answered.of(said.yes, said.no | said.implied_no, reading))
    return answered


def _source(scan: CaptionScan) -> str:
    """What proposals would be made from now: vocabulary, reader of captions, captions, and the answers in steps."""
    project = model_inputs.project(scan.project_id)
    reviews = counters.read(scan.project_id).get("trainable_reviews", 0)
    step = int(math.log(1 + max(0, reviews), ANSWERS_GROWTH))
    words = read_proposals.vocabulary_words(scan.project_id)
    text = json.dumps(
        [project and project.caption_language, settings.SPACY_MODEL, [astuple(word) for word in words]]
    )
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]} {scan.captions} {scan.after_id} {step}"
