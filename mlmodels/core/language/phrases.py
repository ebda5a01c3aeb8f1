"""Base noun phrases from parts of speech alone: a determiner, what describes, and the nouns; no phrases in phrases."""

from collections.abc import Sequence

IN_A_PHRASE = frozenset({"ADJ", "NOUN", "PROPN", "NUM"})
HEADS = frozenset({"NOUN", "PROPN"})


def noun_phrases(pos: Sequence[str]) -> list[tuple[int, int]]:
    """Token spans (start, end exclusive) of base noun phrases; the last token of each is its head.

    Example:
        >>> noun_phrases(["DET", "ADJ", "NOUN", "VERB", "DET", "NOUN", "NOUN"])
        [(0, 3), (4, 7)]
    """
    spans: list[tuple[int, int]] = []
    end = len(pos)
    position = 0
    while position < end:
        if pos[position] not in IN_A_PHRASE and pos[position] != "DET":
            position += 1
            continue
        start = position
        while position < end and (
            pos[position] in IN_A_PHRASE or (pos[position] == "DET" and position == start)
        ):
            position += 1
        head = position
        while head > start and pos[head - 1] not in HEADS:
            head -= 1
        if head > start:
            spans.append((start, head))
    return spans
