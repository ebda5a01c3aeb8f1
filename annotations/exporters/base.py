"""What an exporter is given and what it must offer. Writers know files, not the database."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Provenance:
    """Where a verdict comes from: the latest decision behind it. `at` is ISO 8601 in UTC."""

    source: str
    person: str | None
    at: str
    scope: str
    score: float | None
    model_version: int


@dataclass(frozen=True)
class ExportRow:
    """One image and what people said of it. Tag names are sorted; `implied_no` is empty unless asked for."""

    id: int
    name: str
    path: str
    sha256: str
    width_px: int
    height_px: int
    caption: str
    state: str
    is_holdout: bool
    yes: tuple[str, ...]
    no: tuple[str, ...]
    disputed: tuple[str, ...]
    implied_no: tuple[str, ...] = ()
    provenance: Mapping[str, Provenance] | None = None
    reviews: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Needs:
    """What a format writes beyond verdicts; the reader fetches nothing else."""

    provenance: bool = False
    reviews: bool = False
    implied_no: bool = False


@dataclass(frozen=True)
class Context:
    """What holds for the whole file."""

    vocabulary_version: int
    options: Mapping[str, Any]


Writer = Callable[[Iterable[ExportRow], Context], Iterator[bytes]]


@dataclass(frozen=True)
class Exporter:
    """A format: `write` turns rows into bytes piece by piece; `losses` say what the format cannot hold.

    `options` maps what a person may choose to its explanation; every option is true or false, false by default.
    """

    name: str
    title: str
    extension: str
    content_type: str
    losses: tuple[str, ...]
    needs: Callable[[Mapping[str, Any]], Needs]
    write: Writer
    options: Mapping[str, str]
