"""Pairs of perceptual hashes that differ in few bits, among any number of them, without comparing each with each.

After M. Norouzi, A. Punjani, D. Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", 2012: hashes are cut
into bands; two that differ in few bits differ in very few within at least one band. numpy only: no Django, no database.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BITS = 64
BANDS = 4
BAND_BITS = BITS // BANDS
# An ordinary hash has 31 or 32 bits set. One with few is of a picture with next to nothing in it, like any other such.
SET_BITS_LEAST = 24
# Of one picture only the nearest are kept: of thousands of frames each needs no more than some to hang together.
NEAREST_KEPT = 20
QUERIES_AT_ONCE = 8_192
COMPARED_AT_ONCE = 2_000_000

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]
# Mirroring a picture turns the sign of every second column of its frequencies: bit 0, 2, 4 ... of each byte.
MIRROR = np.uint64(0x5555555555555555)
_EMPTY = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Near:
    """Pairs of places in the hashes that were given, `earlier` before `later`, all int64 [P].

    `bits`: in how many of 64 they differ; `mirrored` [P] bool: they do so once one of them is mirrored.
    """

    earlier: Places
    later: Places
    bits: Places
    mirrored: NDArray[np.bool_]


class Index:
    """Hashes as their pHash stands in the database, int64 [N], to be asked for pairs.

    Example:
        >>> index = Index(np.array([0x0F0F0F0F0F0F0F0F, 7, 0x0F0F0F0F0F0F0F0E], dtype=np.int64), most_bits=8)
        >>> near = index.pairs(0, 3)
        >>> near.earlier.tolist(), near.later.tolist(), near.bits.tolist()
        ([0], [2], [1])
    """

    def __init__(self, hashes: NDArray[np.int64], *, most_bits: int) -> None:
        self._hashes: Hashes = hashes.view(np.uint64)
        self._most_bits = most_bits
        telling = np.flatnonzero(np.bitwise_count(self._hashes) >= SET_BITS_LEAST)
        _, first, place = np.unique(self._hashes[telling], return_index=True, return_inverse=True)
        # Equal hashes are compared once: each later one is a pair with the first of them.
        self._first_of = np.full(len(hashes), -1, np.int64)
        self._first_of[telling] = telling[first][place]
        firsts = np.sort(telling[first])
        self._bands = [
            _Band(self._hashes[firsts], firsts, band, radius) for band, radius in enumerate(_radii(most_bits))
        ]

    def pairs(self, start: int, stop: int) -> Near:
        """Those whose later place is in [start, stop), with the nearest of each kept."""
        places = np.arange(start, stop, dtype=np.int64)
        firsts = self._first_of[places]
        again = (firsts >= 0) & (firsts != places)
        asking = places[firsts == places]
        found = [self._ask(asking, stop, mirrored=mirrored) for mirrored in (False, True)]
        equal = Near(
            firsts[again], places[again], np.zeros(again.sum(), np.int64), np.zeros(again.sum(), bool)
        )
        return _nearest(equal, *found)

    def _ask(self, asking: Places, stop: int, *, mirrored: bool) -> Near:
        hashes = self._hashes[asking] ^ MIRROR if mirrored else self._hashes[asking]
        earlier, later, bits = [_EMPTY], [_EMPTY], [_EMPTY]
        for band in self._bands:
            for at, other, other_hash in band.candidates(hashes, stop):
                differ = np.bitwise_count(hashes[at] ^ other_hash)
                near = (differ <= self._most_bits) & (other < asking[at])
                earlier.append(other[near])
                later.append(asking[at[near]])
                bits.append(differ[near].astype(np.int64))
        places = np.concatenate(earlier)
        return Near(places, np.concatenate(later), np.concatenate(bits), np.full(len(places), mirrored))


class _Band:
    """One sixteenth-bit word of every hash, sorted, and the words that lie within a radius of any."""

    def __init__(self, hashes: Hashes, places: Places, band: int, radius: int) -> None:
        """`places` rise."""
        self._shift, self._radius = np.uint64(band * BAND_BITS), radius
        self._rising, self._words_rising = places, self._words(hashes)
        order = np.argsort(self._words_rising, kind="stable")  # of one word, places still rise
        self._hashes, self._places = hashes[order], places[order]
        self._starts = np.cumsum(self._sizes(len(places))) - self._sizes(len(places))

    def candidates(self, hashes: Hashes, stop: int) -> Iterator[tuple[Places, Places, Hashes]]:
        """(which of `hashes`, the other's place, the other's hash): words within the radius, places before `stop`."""
        words = self._words(hashes)
        sizes = self._sizes(int(np.searchsorted(self._rising, stop)))
        for flipped in _flips(self._radius):
            wanted = words ^ flipped
            counts = sizes[wanted]
            for at in _portions(counts):
                each = counts[at]
                total = int(each.sum())
                if not total:
                    continue
                ends = np.cumsum(each)
                inside = np.repeat(self._starts[wanted[at]] - (ends - each), each) + np.arange(total)
                yield (
                    np.repeat(np.arange(at.start, at.stop), each),
                    self._places[inside],
                    self._hashes[inside],
                )

    def _sizes(self, count: int) -> Places:
        """How many of the first `count` hashes have each word."""
        return np.bincount(self._words_rising[:count], minlength=1 << BAND_BITS)

    def _words(self, hashes: Hashes) -> Places:
        return ((hashes >> self._shift) & np.uint64((1 << BAND_BITS) - 1)).astype(np.int64)


def _radii(most_bits: int) -> list[int]:
    """How far each band is searched: if all bands differed in more, the hashes would in more than `most_bits`."""
    least, more = divmod(most_bits + 1, BANDS)
    return [least + (band < more) - 1 for band in range(BANDS)]


def _flips(radius: int) -> list[int]:
    """Every word of at most `radius` set bits."""
    return [
        sum(1 << bit for bit in bits)
        for count in range(radius + 1)
        for bits in itertools.combinations(range(BAND_BITS), count)
    ]


def _portions(counts: Places) -> Iterator[slice]:
    """Slices of the queries whose candidates together fit into memory, however full a band's word is."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + COMPARED_AT_ONCE, side="right")))
        yield slice(start, stop)
        start = stop


def _nearest(*found: Near) -> Near:
    """Each pair once, by its fewest bits, and of each later place its nearest."""
    earlier, later, bits, mirrored = (
        np.concatenate([getattr(part, name) for part in found])
        for name in ("earlier", "later", "bits", "mirrored")
    )
    order = np.lexsort((mirrored, bits, earlier, later))
    earlier, later, bits, mirrored = (column[order] for column in (earlier, later, bits, mirrored))
    fresh = np.ones(len(later), bool)
    fresh[1:] = (earlier[1:] != earlier[:-1]) | (later[1:] != later[:-1])
    earlier, later, bits, mirrored = (column[fresh] for column in (earlier, later, bits, mirrored))
    order = np.lexsort((earlier, bits, later))
    earlier, later, bits, mirrored = (column[order] for column in (earlier, later, bits, mirrored))
    _, starts, counts = np.unique(later, return_index=True, return_counts=True)
    kept = np.arange(len(later)) - np.repeat(starts, counts) < NEAREST_KEPT
    return Near(earlier[kept], later[kept], bits[kept], mirrored[kept])
