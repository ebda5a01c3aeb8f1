"""Datasets with everything that is awkward in them, and exports of them unpacked into a folder."""

import contextlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from annotations.exporters import names
from annotations.exporters.base import Dataset, ExportRow, Provenance, VocabularyTag
from annotations.exporters.frozen import Freezer, FrozenRows
from annotations.exporters.registry import FORMATS
from annotations.services import export_files, storage
from tests.annotations.files import picture, rotated

AWKWARD = (
    *("a b", "a,b", 'quo"te', "co:lon", "sla/sh", "=1+1", "@at", "pi|pe", "back\\slash", "50% off", "#hash"),
    *("🐕", "שלום", "café", "cafe\u0301 au lait", "don't & <won't>", "trailing dot."),
)
SAID = Provenance("person", "ines", "2026-01-02T00:00:00.000000Z", "image", 0.5, 3)


def row(number: int, yes: Sequence[str] = (), *, path: str = "", **changes: Any) -> ExportRow:
    path = path or f"folder{number}/same.jpg"
    said: dict[str, Any] = {
        "id": number,
        "name": path.rpartition("/")[2],
        "path": path if "/" in path else "",
        "sha256": f"{number:064x}",
        "width_px": 64,
        "height_px": 48,
        "caption": "@first\nsecond — “quoted”",
        "state": "reviewed",
        "is_holdout": False,
        "yes": tuple(sorted(yes)),
        "no": (),
        "disputed": (),
        "provenance": dict.fromkeys(yes, SAID),
        "file": names.safe_path(path, changes.pop("ending", "jpg")),
    }
    return ExportRow(**said | changes)


def awkward_rows(folder: Path) -> list[ExportRow]:
    """Images of every awkward kind, with their pictures in `folder`; the holdout has nothing but an empty one."""
    rows = [
        row(1, AWKWARD),
        row(2, is_holdout=True),
        row(3, path="with space.jpg"),
        row(4, state="pending", path="unseen/never.jpg"),
        row(5, ("🐕",), no=("a b",), disputed=("a,b",), state="disputed", path='wei"rd:na#me?.jpg'),
        row(6, ("a b",), path="twins/twin.png", ending="png"),
        row(7, ("a,b",), path="twins/Twin.jpg"),
        row(8, ("café",), path="no ending"),
        row(9, ("שלום", "🐕"), path="שלום/🐕.jpg", caption=""),
        row(10, ("a b",), path="turned.jpg", width_px=40, height_px=80),
    ]
    return [_with_picture(one, folder) for one in rows]


def _with_picture(one: ExportRow, folder: Path) -> ExportRow:
    kind = "PNG" if one.file.endswith("png") else "JPEG"
    file = folder / f"{one.id}.{kind.lower()}"
    file.write_bytes(rotated(one.id) if one.name == "turned.jpg" else picture(one.id, format=kind))
    return one._replace(picture_key=f"{storage.SERVER_FILE}{file}")


@contextlib.contextmanager
def frozen(
    rows: Sequence[ExportRow],
    folder: Path,
    *,
    tags: Sequence[str] = AWKWARD,
    options: Mapping[str, Any] | None = None,
    with_pictures: bool = False,
) -> Iterator[Dataset]:
    """The dataset of these rows, as an export gets it."""
    file = folder / "rows.jsonl"
    with file.open("wb") as stream:
        freezer = Freezer(stream)
        freezer.add(sorted(rows, key=lambda one: one.sha256))
    vocabulary = [VocabularyTag(name, parent="🐕" if name == "שלום" else "") for name in sorted(tags)]
    yield Dataset(
        rows=FrozenRows(lambda: file.open("rb"), freezer.clashes()),
        facts=freezer.facts(vocabulary, 7, implies_no=True),
        options=options or {},
        picture=export_files.picture if with_pictures else None,
    )


def write(format: str, dataset: Dataset, folder: Path) -> Path:
    """The written file, which reads back whole."""
    exporter, target = FORMATS[format], folder / f"{format}.written"
    with target.open("wb") as stream:
        packed = export_files.write(exporter, dataset, stream, manifest={"format": format}, on_picture=int)
    key = f"{storage.SERVER_FILE}{target}"
    held = dataset.facts.images - len(packed.lost)
    export_files.check(key, exporter, images=held, with_pictures=dataset.with_pictures)
    return target


def unpacked(format: str, dataset: Dataset, folder: Path) -> Path:
    """The folder that the export unpacks to; one-file formats lie in it under the format's own name."""
    written = write(format, dataset, folder)
    target = folder / format
    one_file = FORMATS[format].one_file
    if one_file and not dataset.with_pictures:
        target.mkdir()
        (target / one_file.name).write_bytes(written.read_bytes())
    else:
        with zipfile.ZipFile(written) as archive:
            archive.extractall(target)
    return target
