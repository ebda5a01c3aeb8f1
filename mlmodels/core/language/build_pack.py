"""Packs WordNet's database folder into the one file that `pack.py` reads: facts only.

Of a gloss only the set of common words that define a synset is kept (a steeple's has "church"), not its sentence.

Run as `python -m mlmodels.core.language.build_pack DICT_FOLDER OUTPUT`, where the folder is the one that
Debian's package `wordnet-base` installs. Nothing in the running application imports this module.
"""

import argparse
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mlmodels.core.language.pack import PACK_FORMAT
from mlmodels.core.language.wordnet import DETACHMENTS

POS_FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
HYPERNYM_POINTERS = ("@", "@i")
INSTANCE_POINTER = "@i"  # Paris is an instance of a city, a capital is a kind of one
DERIVATION_POINTER = "+"
DERIVED = {"n": ("verbs", "data.verb"), "a": ("nouns", "data.noun")}  # swimmer -> swim, snowy -> snow
HOLONYM_POINTERS = ("#p", "#m", "#s", ";c")  # what it is a part, member or substance of, and its field
EXAMPLES = re.compile(r";\s*\"")
CONTRASTS = re.compile(r"\((?:as opposed to|not|unlike|distinguished)[^)]*\)")
WORD = re.compile("[a-z]+")
LEAST_COUNT = 2  # of a defining word in WordNet's corpora: tags are common words
MOST_SYNSETS = 900  # a word that defines more tells nothing
SENSE_TYPES = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}


@dataclass
class Synset:
    """One line of a data file; offsets are WordNet's own, unique within a part of speech."""

    lexfile: int
    hypernyms: list[int] = field(default_factory=list)
    is_instance: bool = False
    definition: str = ""
    wholes: list[int] = field(default_factory=list)  # nouns of which this one is a part, or its field
    capitalised: set[str] = field(default_factory=set)  # lemmas in lower case that are written with a capital
    related: dict[str, list[int]] = field(default_factory=lambda: {"n": [], "v": []})  # derived from or to


def data_lines(path: Path) -> Iterator[str]:
    """Lines of a database file without its licence header, whose lines start with a space."""
    with path.open(encoding="utf-8") as lines:
        yield from (line for line in lines if not line.startswith(" "))


def read_synsets(path: Path) -> dict[int, Synset]:
    """Reads `data.POS`; the format is described in wndb(5WN)."""
    synsets = {}
    for line in data_lines(path):
        facts, _, gloss = line.partition("|")
        fields = facts.split()
        cursor = 4 + 2 * int(fields[3], 16)
        written = fields[4:cursor:2]
        synset = Synset(lexfile=int(fields[1]), capitalised={w.lower() for w in written if w != w.lower()})
        synset.definition = CONTRASTS.sub("", EXAMPLES.split(gloss)[0].lower())
        for number in range(int(fields[cursor])):
            symbol, offset, pos, _words = fields[cursor + 1 + 4 * number : cursor + 5 + 4 * number]
            if symbol in HYPERNYM_POINTERS:
                synset.hypernyms.append(int(offset))
                synset.is_instance |= symbol == INSTANCE_POINTER
            elif symbol in HOLONYM_POINTERS and pos == "n":
                synset.wholes.append(int(offset))
            elif symbol == DERIVATION_POINTER and int(offset) not in synset.related.get(pos, [int(offset)]):
                synset.related[pos].append(int(offset))
        synsets[int(fields[0])] = synset
    return synsets


def read_index(path: Path) -> dict[str, list[int]]:
    """Reads `index.POS`: for each lemma its synsets' offsets, most frequent sense first."""
    senses = {}
    for line in data_lines(path):
        fields = line.split()
        senses[fields[0]] = [int(offset) for offset in fields[-int(fields[2]) :]]
    return senses


def read_counts(path: Path) -> dict[tuple[str, str], dict[int, int]]:
    """Reads `cntlist.rev`: (lemma, part of speech) -> sense number from 0 -> times it was counted."""
    counts: dict[tuple[str, str], dict[int, int]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, number, count = line.split()
        lemma, sense = key.split("%")
        of_lemma = counts.setdefault((lemma, SENSE_TYPES[sense[0]]), {})
        of_lemma[int(number) - 1] = max(of_lemma.get(int(number) - 1, 0), int(count))
    return counts


def pack_pos(folder: Path, pos: str, counts: dict[tuple[str, str], dict[int, int]]) -> dict[str, np.ndarray]:
    """Arrays of one part of speech; synsets and lemmas are named by their rank in sorted order."""
    synsets = read_synsets(folder / f"data.{POS_FILES[pos]}")
    index = read_index(folder / f"index.{POS_FILES[pos]}")
    offsets = sorted(synsets)
    rank = {offset: number for number, offset in enumerate(offsets)}
    lemmas = sorted(index, key=lambda lemma: lemma.encode())
    sense_counts = [
        counts.get((lemma, pos), {}).get(n, 0) for lemma in lemmas for n in range(len(index[lemma]))
    ]
    arrays: dict[str, np.ndarray] = {
        "lemmas": np.frombuffer("\n".join(lemmas).encode(), np.uint8),
        "senses_per_lemma": np.array([len(index[lemma]) for lemma in lemmas], np.uint8),
        "senses": np.array([rank[offset] for lemma in lemmas for offset in index[lemma]], np.int32),
        "counts": np.array(sense_counts, np.uint16),
        "offset_steps": np.diff(np.array([0, *offsets])).astype(np.uint16),
        "lexfiles": np.array([synsets[offset].lexfile for offset in offsets], np.uint8),
    }
    if pos in "nv":
        edges = [[rank[up] for up in synsets[offset].hypernyms] for offset in offsets]
        arrays["hypernyms_per_synset"] = np.array([len(ups) for ups in edges], np.uint8)
        arrays["hypernyms"] = np.array([up for ups in edges for up in ups], np.int32)
    if pos == "n":
        capitals = [lemma in synsets[offset].capitalised for lemma in lemmas for offset in index[lemma]]
        arrays["instances"] = np.packbits([synsets[offset].is_instance for offset in offsets])
        arrays["capitals"] = np.packbits(capitals)  # a bit a sense
    if pos in DERIVED:
        name, other = DERIVED[pos]
        other_rank = {offset: number for number, offset in enumerate(sorted(read_synsets(folder / other)))}
        letter = name[0]
        targets = [[other_rank[to] for to in synsets[offset].related[letter]] for offset in offsets]
        arrays[f"{name}_per_synset"] = np.array([len(own) for own in targets], np.uint8)
        arrays[name] = np.array([to for own in targets for to in own], np.int32)
    exceptions = sorted(set((folder / f"{POS_FILES[pos]}.exc").read_text(encoding="utf-8").splitlines()))
    arrays["exceptions"] = np.frombuffer("\n".join(exceptions).encode(), np.uint8)
    return arrays


@dataclass
class CommonWords:
    """Base forms of nouns and verbs that are common enough to be somebody's tag, and how inflected ones lead there."""

    bases: dict[str, frozenset[str]]  # "n" and "v"
    exceptions: dict[str, dict[str, str]]

    def of(self, word: str) -> set[str]:
        """The base forms of a word as it stands in a definition; empty for a rare word."""
        found = set()
        for pos, known in self.bases.items():
            forms = [self.exceptions[pos].get(word, word)]
            forms += [
                word[: -len(ending)] + instead
                for ending, instead in DETACHMENTS[pos]
                if word.endswith(ending)
            ]
            found.update([form for form in forms if form in known][:1])
        return found


def common_words(folder: Path, counts: dict[tuple[str, str], dict[int, int]]) -> CommonWords:
    """Reads which nouns and verbs are common, and their irregular forms."""
    bases = {
        pos: frozenset(
            lemma
            for (lemma, own), senses in counts.items()
            if own == pos and "_" not in lemma and len(lemma) > 2 and sum(senses.values()) >= LEAST_COUNT
        )
        for pos in "nv"
    }
    exceptions = {}
    for pos in "nv":
        lines = (folder / f"{POS_FILES[pos]}.exc").read_text(encoding="utf-8").splitlines()
        exceptions[pos] = {form: base for form, base, *_ in (line.split() for line in lines)}
    return CommonWords(bases, exceptions)


def pack_definitions(folder: Path, common: CommonWords) -> dict[str, np.ndarray]:
    """For each noun and verb the common words in its definition, and the words for what it is a part of."""
    tables = {pos: read_synsets(folder / f"data.{POS_FILES[pos]}") for pos in "nv"}
    lemmas: dict[int, list[str]] = {}
    for lemma, offsets in read_index(folder / "index.noun").items():
        for offset in offsets:
            lemmas.setdefault(offset, []).append(lemma)
    words = {
        pos: [
            set().union(*map(common.of, WORD.findall(synsets[offset].definition)))
            | {
                lemma
                for whole in synsets[offset].wholes
                for lemma in lemmas[whole]
                if lemma in common.bases["n"]
            }
            if not synsets[offset].is_instance
            else set()
            for offset in sorted(synsets)
        ]
        for pos, synsets in tables.items()
    }
    frequency = Counter(word for own in words.values() for some in own for word in some)
    kept = sorted(word for word, times in frequency.items() if times <= MOST_SYNSETS)
    number = {word: index for index, word in enumerate(kept)}
    arrays: dict[str, np.ndarray] = {"defining_words": np.frombuffer("\n".join(kept).encode(), np.uint8)}
    for pos, own in words.items():
        rows = [sorted(number[word] for word in some if word in number) for some in own]
        arrays[f"{pos}.defining_per_synset"] = np.array([len(row) for row in rows], np.uint8)
        arrays[f"{pos}.defining"] = np.array([one for row in rows for one in row], np.uint16)
    return arrays


def write_pack(arrays: dict[str, np.ndarray], output: Path) -> None:
    """Writes a JSON header line, then each array's bytes by significance (which gzip packs better)."""
    header = {name: [array.dtype.str, len(array)] for name, array in arrays.items()}
    raw = io.BytesIO()
    raw.write(json.dumps({"format": PACK_FORMAT, "arrays": header}).encode() + b"\n")
    for array in arrays.values():
        raw.write(array.view(np.uint8).reshape(len(array), -1).T.tobytes())
    output.write_bytes(gzip.compress(raw.getvalue(), compresslevel=9, mtime=0))


def main() -> None:
    """Reads the folder named first, writes the file named second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="folder with data.noun, index.noun, noun.exc, cntlist.rev ..."
    )
    parser.add_argument("output", type=Path, help="file to write, for example mlmodels/core/data/wordnet.gz")
    arguments = parser.parse_args()
    counts = read_counts(arguments.folder / "cntlist.rev")
    arrays = {
        f"{pos}.{name}": array
        for pos in POS_FILES
        for name, array in pack_pos(arguments.folder, pos, counts).items()
    }
    arrays |= pack_definitions(arguments.folder, common_words(arguments.folder, counts))
    write_pack(arrays, arguments.output)


if __name__ == "__main__":
    main()
