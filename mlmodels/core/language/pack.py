"""The file that `build_pack` wrote, read into arrays: one table for each part of speech.

What the facts mean is in `wordnet.py`. Word forms are found by binary search, so that all costs about 13 MB of memory.
"""

import gzip
import json
from bisect import bisect_left, bisect_right
from pathlib import Path

import numpy as np

from mlmodels.core.errors import LanguageDataError

PACK_PATH = Path(__file__).resolve().parent.parent / "data" / "wordnet.gz"
PACK_FORMAT = 3
Numbers = memoryview  # of uint64, int32, uint16, uint8 or bool; indexing gives Python numbers
BEGINNING = 8  # bytes of a lemma that are compared as one number
EDGES = ("hypernyms", "verbs", "nouns", "defining")


class PosTable:
    """The pack's arrays of one part of speech; synsets are ranks here.

    Rows are read through memoryviews: single numbers out of NumPy arrays cost several times as much.
    """

    def __init__(self, pos: str, arrays: dict[str, np.ndarray]) -> None:
        own = {name[2:]: array for name, array in arrays.items() if name.startswith(f"{pos}.")}
        self.pos = pos
        self._lemmas = own["lemmas"].tobytes()
        ends = np.flatnonzero(own["lemmas"] == ord("\n")).astype(np.int32)
        starts = np.concatenate([[0], ends + 1, [len(self._lemmas) + 1]]).astype(np.int32)
        self._starts: Numbers = starts.data
        self._beginnings: Numbers = beginnings(own["lemmas"], starts[:-1], starts[1:] - 1).data
        self._first_sense: Numbers = cumulative(own["senses_per_lemma"]).data
        self._senses: Numbers = own["senses"].data
        self._counts: Numbers = own["counts"].data
        self._by_synset: Numbers = np.argsort(own["senses"], kind="stable").astype(np.int32).data
        self._capitals: Numbers = bits(own.get("capitals"), len(self._senses)).data
        self._offsets: Numbers = np.cumsum(own["offset_steps"], dtype=np.int32).data
        self.lexfiles: Numbers = own["lexfiles"].data
        self.instances: Numbers = bits(own.get("instances"), len(self.lexfiles)).data
        self._edges: dict[str, tuple[Numbers, Numbers]] = {
            name: (cumulative(own[f"{name}_per_synset"]).data, own[name].data)
            for name in EDGES
            if name in own
        }
        lines = own["exceptions"].tobytes().decode().splitlines()
        self.exceptions = {form: bases for form, *bases in (line.split() for line in lines)}

    def _lemma(self, row: int) -> bytes:
        return self._lemmas[self._starts[row] : self._starts[row + 1] - 1]

    def _rows(self, lemma: str) -> slice:
        """Where the senses of a lemma stand; an empty slice for an unknown one."""
        wanted = lemma.encode("utf-8", "replace")
        beginning = int.from_bytes(wanted[:BEGINNING].ljust(BEGINNING, b"\0"), "big")
        first = bisect_left(self._beginnings, beginning)
        last = bisect_right(self._beginnings, beginning, first)
        row = bisect_left(range(last), wanted, first, key=self._lemma)
        if row == last or self._lemma(row) != wanted:
            return slice(0, 0)
        return slice(self._first_sense[row], self._first_sense[row + 1])

    def senses(self, lemma: str) -> list[tuple[int, int]]:
        """(synset rank, count) of each sense, most frequent first; empty when the lemma is unknown."""
        own = self._rows(lemma)
        return list(zip(self._senses[own], self._counts[own], strict=True))

    def capitalised(self, lemma: str) -> list[int]:
        """Ranks of the synsets in which the lemma is written with a capital ("Turkey", not "turkey")."""
        own = self._rows(lemma)
        return [rank for rank, capital in zip(self._senses[own], self._capitals[own], strict=True) if capital]

    def related(self, edge: str, synset: int) -> list[int]:
        """Ranks of the synsets that `edge` (one of `EDGES`) leads to."""
        if edge not in self._edges:
            return []
        first, targets = self._edges[edge]
        return targets[first[synset] : first[synset + 1]].tolist()

    def words(self, synset: int) -> list[str]:
        """Lemmas of a synset, in alphabetical order."""
        first = bisect_left(self._by_synset, synset, key=self._senses.__getitem__)
        last = bisect_right(self._by_synset, synset, key=self._senses.__getitem__)
        rows = [bisect_right(self._first_sense, int(sense)) - 1 for sense in self._by_synset[first:last]]
        return [self._lemma(row).decode() for row in rows]

    def name(self, synset: int) -> str:
        return f"{self.pos}{self._offsets[synset]:08d}"

    def rank(self, name: str) -> int:
        offset = int(name[1:])
        rank = bisect_left(self._offsets, offset)
        if rank == len(self._offsets) or self._offsets[rank] != offset:
            raise KeyError(f"expected a synset of WordNet 3.0, got {name!r}: look it up with synsets()")
        return rank


def beginnings(text: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The first eight bytes of each row of a text as a number, uint64 [rows], in the order of the rows.

    Example:
        >>> text = np.frombuffer(b"a cat", np.uint8)
        >>> [hex(number) for number in beginnings(text, np.array([0, 2]), np.array([1, 5])).tolist()]
        ['0x6100000000000000', '0x6361740000000000']
    """
    numbers = np.zeros(len(starts), np.uint64)
    for place in range(BEGINNING):
        at = np.minimum(starts + place, len(text) - 1)
        letters = np.where(starts + place < ends, text[at], 0)
        numbers = (numbers << np.uint64(8)) | letters.astype(np.uint64)
    return numbers


def bits(packed: np.ndarray | None, length: int) -> np.ndarray:
    """One flag a row, bool [length]; all false where the part of speech has none."""
    if packed is None:
        return np.zeros(length, bool)
    return np.unpackbits(packed, count=length).astype(bool)


def cumulative(per_row: np.ndarray) -> np.ndarray:
    """Where each row's slice starts, int32, one longer than the rows."""
    return np.concatenate([[0], np.cumsum(per_row, dtype=np.int32)]).astype(np.int32)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Unpacks the arrays that `build_pack` wrote."""
    try:
        head, _, body = gzip.decompress(path.read_bytes()).partition(b"\n")
        header = json.loads(head)
    except (OSError, EOFError, ValueError) as error:
        raise LanguageDataError(
            f"expected a WordNet pack at {path}, got {error}: run build_pack again"
        ) from error
    if header["format"] != PACK_FORMAT:
        raise LanguageDataError(
            f"expected pack format {PACK_FORMAT}, got {header['format']}: run build_pack again"
        )
    arrays, cursor = {}, 0
    for name, (dtype, length) in header["arrays"].items():
        size = np.dtype(dtype).itemsize
        block = np.frombuffer(body, np.uint8, count=length * size, offset=cursor)
        arrays[name] = np.ascontiguousarray(block.reshape(size, length).T).view(dtype).reshape(length)
        cursor += length * size
    return arrays
