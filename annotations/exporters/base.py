"""What an exporter is given and what it must offer. Writers know files, not the database.

A format is a function from a `Dataset` to named files, each a stream of bytes: `services.export_files` packs them.
Of what there are millions is a tuple: a frozen dataclass takes four times as long to make.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

Split = Literal["train", "test"]
TRAIN: Final = "train"
TEST: Final = "test"


class Provenance(NamedTuple):
    """Where a verdict comes from: the latest decision behind it. `at` is ISO 8601 in UTC."""

    source: str
    person: str | None
    at: str
    scope: str
    score: float | None
    model_version: int


class ExportRow(NamedTuple):
    """One image and what people said of it. Tag names are sorted; `implied_no` is empty unless asked for.

    `file` is the image's path within an archive: unique there whatever its case and ending, and safe to unpack.
    `picture_key` names its bytes; it is empty where they are gone. `not_asked` are today's tags that no review of
    a reviewed image answers, since they came later.
    """

    id: int
    name: str
    path: str
    sha256: str
    width_px: int
    height_px: int
    caption: str
    state: str
    is_holdout: bool
    yes: Sequence[str]
    no: Sequence[str]
    disputed: Sequence[str]
    implied_no: Sequence[str] = ()
    not_asked: Sequence[str] = ()
    provenance: Mapping[str, Provenance] | None = None
    reviews: Sequence[Mapping[str, Any]] = ()
    metadata: Mapping[str, Any] = MappingProxyType({})
    picture_key: str = ""
    file: str = ""

    @property
    def split(self) -> Split:
        """The usual names of the two sides, which outside readers expect."""
        return TEST if self.is_holdout else TRAIN

    @property
    def is_reviewed(self) -> bool:
        """Whether tags that are neither yes nor disputed are a no: people have finished this image."""
        return self.state in ("reviewed", "disputed")


@dataclass(frozen=True)
class VocabularyTag:
    """A tag of the vocabulary, with its parent's name. One that is not active is retired."""

    name: str
    parent: str = ""
    description: str = ""
    aliases: Sequence[str] = ()
    is_active: bool = True


@dataclass(frozen=True)
class Facts:
    """What holds for all rows.

    `sha256` covers contents: no ids, times or persons. `answers` counts yes, explicit no and disputed; `implies_no`
    says that a finished review answers the tags that it does not name.
    """

    images: int
    answers: int
    splits: Mapping[str, int]
    vocabulary: Sequence[VocabularyTag]
    vocabulary_version: int
    implies_no: bool
    sha256: str

    @property
    def split_names(self) -> Sequence[Split]:
        """The splits that have images; a dataset without any still has a training split."""
        both: tuple[Split, Split] = (TRAIN, TEST)
        return [split for split in both if self.splits.get(split)] or [TRAIN]


@dataclass(frozen=True)
class Needs:
    """What a format writes beyond verdicts; the reader fetches nothing else. `files`: paths within an archive."""

    provenance: bool = False
    reviews: bool = False
    implied_no: bool = False
    files: bool = True


@dataclass(frozen=True)
class Dataset:
    """What one export writes. `rows` may be passed through any number of times and never lie in memory at once.

    `picture` reads a row's bytes where pictures were asked for.
    """

    rows: Iterable[ExportRow]
    facts: Facts
    options: Mapping[str, Any]
    picture: Callable[[ExportRow], bytes] | None = None

    @property
    def with_pictures(self) -> bool:
        return self.picture is not None

    def of_split(self, split: str) -> Iterator[ExportRow]:
        return (row for row in self.rows if row.split == split)

    def tag_names(self) -> list[str]:
        return [tag.name for tag in self.facts.vocabulary]

    def tag_numbers(self, first: int = 0) -> dict[str, int]:
        """Each tag's place in the vocabulary, counted from `first`."""
        return {tag.name: number for number, tag in enumerate(self.facts.vocabulary, first)}


Files = Iterator[tuple[str, Iterable[bytes]]]


class Group(Enum):
    """Where a person looks for a format."""

    OWN = "Everything people said"
    TOOLS = "For other tools"
    TRAINING = "For training code"
    CLOUDS = "For cloud services"


class Pictures(Enum):
    """How a format holds pictures."""

    BESIDE = "beside"  # files beside the data, where asked for
    WITHIN = "within"  # bytes within the data, where asked for
    ALWAYS = "always"  # the format is made of them


@dataclass(frozen=True)
class Option:
    """What a person may choose: true or false, false by default; with `choices` one of these or nothing.

    `is_required`: there is no sensible default, and nobody else may choose.
    """

    text: str
    choices: Mapping[str, str] = field(default_factory=dict)
    is_required: bool = False


KEYWORDS: Final = "keywords"
INSIDE, BESIDE = "inside", "beside"
# Of every export whose pictures are files.
PICTURE_OPTIONS: Mapping[str, Option] = {
    KEYWORDS: Option(
        "Keywords of the image files",
        {
            INSIDE: "tags and caption written into copies, which have another sha256 then",
            BESIDE: "tags and caption in a .xmp file beside each",
        },
    )
}


@dataclass(frozen=True)
class OneFile:
    """How a format that is one file downloads when no pictures come with it; `name` is what `files` calls it.

    `in_passing` writes it of rows that pass but once, and of the vocabulary's version: where the format needs nothing
    that all rows together tell, it is written while they are read.
    """

    name: str
    content_type: str
    in_passing: Callable[[Iterable[ExportRow], int], Iterator[bytes]] | None = None

    @property
    def extension(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Exporter:
    """A format. `files` yields names with their bytes, piece by piece, to be taken in order.

    Attributes:
        suits: whom it is for, as a sentence.
        losses: what the format cannot hold, as sentences that are shown before anybody downloads.
        picture_paths: where a row's picture goes in the archive; several places, or none.
        recount: counts the images in what was written, by reading it back. `None` where the archive's own
            checks must do.
        refusal: why a dataset of this size does not fit the format, or None.
    """

    name: str
    title: str
    group: Group
    suits: str
    losses: tuple[str, ...]
    files: Callable[[Dataset], Files]
    recount: "Callable[[Written], int] | None" = None
    needs: Callable[[Mapping[str, Any]], Needs] = lambda options: Needs()
    options: Mapping[str, Option] = field(default_factory=dict)
    one_file: OneFile | None = None
    pictures: Pictures = Pictures.BESIDE
    picture_paths: Callable[[ExportRow, Mapping[str, Any]], Sequence[str]] = lambda row, options: (
        f"images/{row.file}",
    )
    refusal: Callable[[Facts], str | None] = lambda facts: None


class Written:
    """What an export wrote, opened for reading back."""

    def names(self) -> Sequence[str]:
        raise NotImplementedError

    def open(self, name: str) -> Any:
        """A binary stream of one file."""
        raise NotImplementedError
