"""The catalogue of export formats. A new one is a module with an EXPORTER, named here."""

from annotations.errors import Refused
from annotations.exporters import (
    coco,
    csv_long,
    csv_onehot,
    csv_rows,
    cvat,
    datumaro,
    fiftyone,
    hf_imagefolder,
    imagefolder,
    imagenet_txt,
    jsonl,
    label_studio,
    open_images,
    parquet,
    sagemaker,
    tfrecord,
    vertex,
    voc,
)
from annotations.exporters.base import Exporter

_MODULES = (
    *(csv_rows, csv_long, jsonl, csv_onehot, coco, label_studio, cvat, datumaro, open_images, voc),
    *(imagenet_txt, hf_imagefolder, parquet, imagefolder, tfrecord, fiftyone, sagemaker, vertex),
)
FORMATS: dict[str, Exporter] = {module.EXPORTER.name: module.EXPORTER for module in _MODULES}


def exporter_for(name: str) -> Exporter:
    if name not in FORMATS:
        raise Refused(
            f"Expected one of the formats {', '.join(FORMATS)}, got “{name}”.",
            code="unsupported_format",
            formats=list(FORMATS),
        )
    return FORMATS[name]
