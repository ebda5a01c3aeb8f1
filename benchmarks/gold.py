"""Reads the hand-labelled language sets in `language_sets/` (columns: its README). Measures nothing."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "language_sets"
PARTS = ("development", "held_back")
KINDS = ("PERSON", "PLACE", "ORGANISATION", "WORK", "EVENT", "OTHER")


@dataclass(frozen=True)
class Labelled:
    """A stretch of a caption, `text` at `start`, and what was said of it: a base form, a kind, or nothing."""

    text: str
    start: int
    value: str = ""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True)
class Caption:
    """A caption with the heads of its noun phrases, base forms of inflected words, and named entities."""

    part: str
    text: str
    heads: tuple[Labelled, ...]
    lemmas: tuple[Labelled, ...]
    entities: tuple[Labelled, ...]


@dataclass(frozen=True)
class Negation:
    """A sentence, a word of it, and whether the sentence says that the thing is not there."""

    part: str
    sentence: str
    word: str
    negated: bool


@dataclass(frozen=True)
class Phrase:
    """A phrase, the tag it should suggest, and others that would be right too."""

    part: str
    phrase: str
    tag: str
    also_right: tuple[str, ...]


def captions() -> list[Caption]:
    return [
        Caption(
            part=row["part"],
            text=row["caption"],
            heads=tuple(labelled(r"(?P<text>\S+?)@(?P<start>\d+)(?P<value>)", row["heads"].split())),
            lemmas=tuple(labelled(r"(?P<text>\S+?)@(?P<start>\d+)=(?P<value>\S+)", row["lemmas"].split())),
            entities=tuple(
                labelled(r"(?P<text>.+?)@(?P<start>\d+):(?P<value>[A-Z]+)", entity_cells(row["entities"]))
            ),
        )
        for row in rows("captions.tsv")
    ]


def negations() -> list[Negation]:
    return [
        Negation(row["part"], row["sentence"], row["word"], {"yes": True, "no": False}[row["negated"]])
        for row in rows("negation.tsv")
    ]


def phrases() -> list[Phrase]:
    return [
        Phrase(row["part"], row["phrase"], row["tag"], tuple(row["also_right"].split()))
        for row in rows("phrases.tsv")
    ]


def tags() -> list[str]:
    """The vocabulary that `phrases` are read against."""
    return (FOLDER / "tags.txt").read_text("utf-8").split()


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def entity_cells(cell: str) -> list[str]:
    return cell.split(" | ") if cell else []


def labelled(pattern: str, cells: list[str]) -> Iterator[Labelled]:
    for cell in cells:
        found = re.fullmatch(pattern, cell)
        if found is None:
            raise ValueError(f"expected {pattern}, got {cell!r}: correct the cell")
        yield Labelled(found["text"], int(found["start"]), found["value"])
