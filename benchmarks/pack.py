"""A PACK on disk: a folder with `items.csv` (filename, caption, tags, split), `tags.txt` and `images/`."""

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Photo:
    name: str
    path: Path
    caption: str
    tags: frozenset[str]
    split: str


@dataclass(frozen=True)
class Pack:
    photos: tuple[Photo, ...]
    tags: tuple[str, ...]

    def of(self, split: str) -> list[Photo]:
        return [photo for photo in self.photos if photo.split == split]


def read(folder: Path) -> Pack:
    """Raises SystemExit with a sentence if the folder is no PACK."""
    for name in ("items.csv", "tags.txt", "images"):
        if not (folder / name).exists():
            raise SystemExit(f"{folder} is no PACK: it lacks {name}.")
    with (folder / "items.csv").open(encoding="utf-8", newline="") as file:
        photos = tuple(
            Photo(
                name=row["filename"],
                path=folder / "images" / row["filename"],
                caption=row["caption"],
                tags=frozenset(filter(None, row["tags"].split("|"))),
                split=row["split"],
            )
            for row in csv.DictReader(file)
        )
    tags = tuple((folder / "tags.txt").read_text(encoding="utf-8").split("\n"))
    return Pack(photos, tuple(tag for tag in tags if tag))
