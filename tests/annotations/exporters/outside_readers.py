"""Exports read back by the tools that people use them with: each answers the tags by file, without its ending."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import crc32c
import datasets
import jsonschema
from datumaro.components.dataset import Dataset as DatumaroDataset
from label_studio_sdk.label_interface import LabelInterface
from pycocotools.coco import COCO
from tfrecord import example_pb2

from mlmodels.core.vision.torchvision_shim import ensure_operators

Found = dict[str, set[str]]


def _closed(**properties: object) -> dict[str, object]:
    """An object of just these keys."""
    names = list(properties)
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


# As the services' documentation describes their files.
_TEXT = {"type": "string", "minLength": 1}
_NAMES = {"type": "array", "items": _TEXT, "uniqueItems": True}
_FIFTYONE = _closed(classes=_NAMES, labels={"type": "object", "additionalProperties": _NAMES})
_SAGEMAKER = _closed(
    **{
        "source-ref": _TEXT,
        "tags": {"type": "array", "items": {"type": "integer", "minimum": 0}, "uniqueItems": True},
        "tags-metadata": _closed(
            **{
                "class-map": {"type": "object", "additionalProperties": _TEXT},
                "confidence-map": {
                    "type": "object",
                    "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
                },
                "job-name": _TEXT,
                "type": {"const": "groundtruth/image-classification-multilabel"},
                "human-annotated": {"enum": ["yes", "no"]},
                "creation-date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"},
            }
        ),
    }
)
_VERTEX = _closed(
    imageGcsUri=_TEXT,
    classificationAnnotations={"type": "array", "items": _closed(displayName=_TEXT)},
    dataItemResourceLabels=_closed(
        **{"aiplatform.googleapis.com/ml_use": {"enum": ["training", "validation", "test"]}}
    ),
)


def of_datumaro(format: str) -> Callable[[Path], Found]:
    def read(folder: Path) -> Found:
        found: Found = {}
        dataset = DatumaroDataset.import_from(str(folder), format)
        labels = dataset.categories()[next(iter(dataset.categories()))]
        for item in dataset:
            tags = {
                labels[one.label].name
                for one in item.annotations
                if hasattr(one, "label") and one.attributes.get("score", 1) > 0
            }
            found[item.id] = tags
        return found

    return read


def csv_rows(folder: Path) -> Found:
    rows = _csv((folder / "images.csv").read_text("utf-8"))
    return {row["path"] or row["name"]: set(_split(_unguarded(row["tags"]))) for row in rows}


def csv_long(folder: Path) -> Found:
    found: Found = {}
    for row in _csv((folder / "verdicts.csv").read_text("utf-8")):
        tags = found.setdefault(row["path"] or row["name"], set())
        tags |= {_unguarded(row["tag"])} if row["verdict"] == "yes" else set()
    return found


def jsonl(folder: Path) -> Found:
    lines = (folder / "images.jsonl").read_text("utf-8").splitlines()
    return {row["path"] or row["name"]: set(row["yes"]) for row in map(json.loads, lines)}


def pycocotools(folder: Path) -> Found:
    found: Found = {}
    for document in sorted((folder / "annotations").glob("labels_*.json")):
        coco = COCO(str(document))
        for image in coco.loadImgs(coco.getImgIds()):
            said = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
            names = {one["name"] for one in coco.loadCats([one["category_id"] for one in said])}
            found[_stem(image["file_name"])] = names
    return found


def label_studio(folder: Path) -> Found:
    config = (folder / "config.xml").read_text("utf-8")
    interface = LabelInterface(config)
    found: Found = {}
    for task in json.loads((folder / "tasks.json").read_text("utf-8")):
        for annotation in task["annotations"]:
            assert interface.validate_annotation(annotation), annotation
        for prediction in task["predictions"]:
            assert interface.validate_prediction(prediction), prediction
        result = [one for annotation in task["annotations"] for one in annotation["result"]]
        tags = {choice for one in result for choice in one["value"]["choices"]}
        found[_stem(task["data"]["image"].removeprefix("images/"))] = tags
    return found


def hugging_face(folder: Path) -> Found:
    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(folder), cache_dir=str(folder.parent / "cache")
    )
    found: Found = {}
    for split in loaded.values():
        for row in split.cast_column("image", datasets.Image(decode=False)):
            path = Path(row["image"]["path"])
            found[_stem(str(path.relative_to(folder)).split("/", 1)[1])] = set(row["tags"])
    return found


def parquet_with_datasets(folder: Path) -> Found:
    loaded = datasets.load_dataset(
        "parquet", data_dir=str(folder / "data"), cache_dir=str(folder.parent / "cache")
    )
    found: Found = {}
    for split in loaded.values():
        assert isinstance(split.features["image"], datasets.Image)
        for row in split.cast_column("image", datasets.Image(decode=False)):
            found[_stem(row["image"]["path"])] = set(row["tags"])
    return found


def tfrecord(folder: Path) -> Found:
    """Framing and checksums by another library than the one that wrote them."""
    found: Found = {}
    labels = (folder / "labels.txt").read_text("utf-8").split("\n")
    for file in sorted(folder.glob("*.tfrecord")):
        data = io.BytesIO(file.read_bytes())
        while head := data.read(8):
            assert int.from_bytes(data.read(4), "little") == _masked(head)
            record = data.read(int.from_bytes(head, "little"))
            assert int.from_bytes(data.read(4), "little") == _masked(record)
            feature = example_pb2.Example.FromString(record).features.feature
            names = [name.decode() for name in feature["image/class/text"].bytes_list.value]
            assert names == [labels[number] for number in feature["image/class/label"].int64_list.value]
            found[_stem(feature["image/filename"].bytes_list.value[0].decode())] = set(names)
    return found


def image_folder(folder: Path) -> Found:
    ensure_operators()
    from torchvision.datasets import ImageFolder  # (only now: see the shim)

    found: Found = {}
    for split in ("train", "test"):
        if (folder / split).is_dir():
            read = ImageFolder(str(folder / split))
            for path, number in read.samples:
                file = str(Path(path).relative_to(folder / split)).split("/", 1)[1]
                found.setdefault(_stem(file), set()).add(unquote(read.classes[number]))
    return found


def fiftyone(folder: Path) -> Found:
    document = json.loads((folder / "labels.json").read_text("utf-8"))
    jsonschema.validate(document, _FIFTYONE)
    return {key: set(tags) for key, tags in document["labels"].items()}


def sagemaker(folder: Path) -> Found:
    found: Found = {}
    for manifest in sorted(folder.glob("*.manifest")):
        for line in map(json.loads, manifest.read_text("utf-8").splitlines()):
            jsonschema.validate(line, _SAGEMAKER)
            metadata = line["tags-metadata"]
            assert (
                set(metadata["class-map"]) == set(metadata["confidence-map"]) == set(map(str, line["tags"]))
            )
            found[_stem(line["source-ref"].removeprefix("images/"))] = set(metadata["class-map"].values())
    return found


def vertex(folder: Path) -> Found:
    found: Found = {}
    for line in map(json.loads, (folder / "images.jsonl").read_text("utf-8").splitlines()):
        jsonschema.validate(line, _VERTEX)
        tags = {one["displayName"] for one in line["classificationAnnotations"]}
        found[_stem(line["imageGcsUri"].removeprefix("images/"))] = tags
    return found


def _stem(file: str) -> str:
    return file.rpartition(".")[0]


def _csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _split(cell: str) -> list[str]:
    """Names of a cell: a backslash makes the letter after it a plain one."""
    names = [""]
    letters = iter(cell)
    for letter in letters:
        if letter == "|":
            names.append("")
        else:
            names[-1] += next(letters) if letter == "\\" else letter
    return [name for name in names if name]


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:2] in ("=", "+", "-", "@") else cell


def _masked(data: bytes) -> int:
    crc = crc32c.crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


READERS = {
    "csv": csv_rows,
    "csv-long": csv_long,
    "jsonl": jsonl,
    "csv-onehot": of_datumaro("roboflow_multiclass"),
    "coco": of_datumaro("coco_labels"),
    "label-studio": label_studio,
    "cvat": of_datumaro("cvat"),
    "datumaro": of_datumaro("datumaro"),
    "open-images": of_datumaro("open_images"),
    "voc": of_datumaro("voc_classification"),
    "imagenet-txt": of_datumaro("imagenet_txt"),
    "hf-imagefolder": hugging_face,
    "parquet": parquet_with_datasets,
    "imagefolder": image_folder,
    "tfrecord": tfrecord,
    "fiftyone": fiftyone,
    "sagemaker": sagemaker,
    "vertex": vertex,
}
