"""Open Images CSV: human-verified labels, with a confidence of 1 for yes and 0 for a verified no."""

from collections.abc import Iterator

from annotations.exporters import cells, names, recounts
from annotations.exporters.base import Dataset, Exporter, ExportRow, Files, Group, Needs, Option

_IMAGE_COLUMNS = (
    *("ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL", "Author"),
    *("Title", "OriginalSize", "OriginalMD5", "Thumbnail300KURL", "Rotation"),
)
_LABEL_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence")
_SOURCE = "verification"


def files(dataset: Dataset) -> Files:
    """Label names are the tags themselves; the file of descriptions has no header, as in the originals."""
    tags = ((name, name) for name in dataset.tag_names())
    yield "annotations/class-descriptions.csv", cells.write(None, tags)
    images = (_image(row) for row in dataset.rows)
    yield "annotations/image_ids_and_rotation.csv", cells.write(_IMAGE_COLUMNS, images)
    for split in dataset.facts.split_names:
        labels = (line for row in dataset.of_split(split) for line in _labels(row))
        yield f"annotations/{split}-annotations-human-imagelabels.csv", cells.write(_LABEL_COLUMNS, labels)


def _image(row: ExportRow) -> tuple[object, ...]:
    """Written pictures keep their own orientation, so nothing has to be turned."""
    key = names.stem(row.file)
    return (key, row.split, "", "", "", "", "", row.path or row.name, "", "", "", "0.0")


def _labels(row: ExportRow) -> Iterator[tuple[object, ...]]:
    key = names.stem(row.file)
    for confidence, tags in ((1, row.yes), (0, row.no), (0, row.implied_no)):
        for tag in tags:
            yield key, _SOURCE, tag, confidence


EXPORTER = Exporter(
    name="open-images",
    title="Open Images CSV",
    group=Group.TRAINING,
    suits="The one common form with verified no's.",
    losses=(
        "No's that a finished review implies are written only with the option implied_no.",
        "Without it an image to which nothing applies looks like one that nobody has reviewed.",
        "Disputed tags, captions, metadata and who decided are not written.",
        "The holdout is the subset “test”.",
    ),
    files=files,
    needs=lambda options: Needs(implied_no=bool(options.get("implied_no"))),
    options={"implied_no": Option("Write the no's that finished reviews imply as verified no's too.")},
    picture_paths=lambda row, options: (f"images/{row.split}/{row.file}",),
    recount=recounts.csv_rows("image_ids_and_rotation.csv"),
)
