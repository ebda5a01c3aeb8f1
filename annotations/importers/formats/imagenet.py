"""ImageNet text lists: `synsets.txt` with a tag a line, and a list a split of files with the numbers of their tags."""

import re
from collections.abc import Iterator

from annotations.importers.base import ItemError, StagedFile
from annotations.importers.formats import base, lists
from annotations.importers.formats.base import Found, Sent, found, undeclared
from annotations.importers.tables.base import OpenedTable, Row, place

_LISTS = ("train.txt", "val.txt", "valid.txt", "test.txt")
# A name with spaces stands in quotes, its ending behind them.
_QUOTED = re.compile(r'"([^"]*)"(\S*)(.*)', re.DOTALL)
# As the original says it: a number of WordNet, then several names of which the first is the usual one.
_SYNSET = re.compile(r"n\d{8} ([^,]+)")


def find(sent: Sent) -> Found | None:
    used: list[StagedFile] = []
    tables: list[OpenedTable] = []
    for synsets in sent.named("synsets.txt"):
        listed = [file for name in _LISTS for file in sent.beside(synsets, name)]
        tables += [_opened(sent, synsets, file) for file in listed]
        used += [synsets, *listed] if listed else []
    return found(used, tables) if used else None


def _opened(sent: Sent, synsets: StagedFile, file: StagedFile) -> OpenedTable:
    return base.table(file.name, lambda: _rows(sent, synsets, file), unit="line")


def _rows(sent: Sent, synsets: StagedFile, file: StagedFile) -> Iterator[Row | ItemError]:
    names = [_tag(line) for line in lists.names(sent, synsets)]
    split = base.split_of(file.name)
    for number, line in lists.lines(sent, file):
        if isinstance(line, ItemError):
            yield line
            continue
        path, numbers = _parts(line)
        tags = []
        for word in numbers:
            if word.isdecimal() and len(word) < 10 and int(word) < len(names) and names[int(word)]:
                tags.append(names[int(word)])
            else:
                yield undeclared(place(file.name, number, unit="line"), word)
        yield base.row(number, path=sent.located(path, file.name, split), tags=tags, split=split)


def _tag(line: str) -> str:
    synset = _SYNSET.match(line)
    return synset[1].strip() if synset else line


def _parts(line: str) -> tuple[str, list[str]]:
    if quoted := _QUOTED.fullmatch(line):
        return quoted[1] + quoted[2], quoted[3].split()
    path, *numbers = line.split()
    return path, numbers
