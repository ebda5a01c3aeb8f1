"""Finds the formats among files that came together. A new one is a module with a `find`, named here."""

import re
from dataclasses import replace

from annotations.importers.base import Batch, StagedFile
from annotations.importers.formats import (
    addressed_lines,
    cvat,
    documents,
    imagefolder,
    imagenet,
    onehot,
    open_images,
    parquet,
    tfrecord,
    voc,
)
from annotations.importers.formats.base import Finder, Sent

_FINDERS: tuple[Finder, ...] = (
    *(documents.find, cvat.find, open_images.find, onehot.find, addressed_lines.find, parquet.find),
    # The lists last: others have files of these names too.
    *(tfrecord.find, voc.find, imagenet.find, imagefolder.find),
)
_DATA = re.compile(r"\.(?:json|xml|manifest|parquet|tfrecords?(?:-\d+-of-\d+)?)$", re.IGNORECASE)
MAX_DATA_BYTES = 4 * 2**30


def is_data(name: str) -> bool:
    """Whether a file may be larger than a picture, since it is read by the piece."""
    return _DATA.search(name) is not None


def taken(files: tuple[StagedFile, ...], area: str) -> Batch:
    """The files with those of formats read as tables; what is no part of a format stays among the files."""
    sent = Sent(files, area)
    batch = Batch(files)
    for find in _FINDERS:
        if one := find(sent):
            sent = sent.without(one.used)
            # Pictures within data are looked for by their own names, not among the sent ones.
            batch = replace(
                batch,
                files=(*batch.files, *one.pictures),
                errors=(*batch.errors, *one.errors),
                tables=(*batch.tables, *one.tables),
            )
            batch = replace(batch, files=tuple(file for file in batch.files if file.name not in one.used))
    return batch
