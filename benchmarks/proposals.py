"""Whether proposals find what a vocabulary lacks: tags are removed at random, and captions have to propose them again.

    python benchmarks/proposals.py PACK [--removed 10] [--seeds 20] [--json FILE]

One table: of the removed tags, how many come back among the first so many proposals, averaged over the seeds. Below
it, what people's answers add to the synonyms, and processor seconds. `captions` in the table is the ceiling: removed
tags that stand in enough captions at all.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

from pack import Pack, read

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mlmodels.core.language.census import Census
from mlmodels.core.language.known import KnownWords
from mlmodels.core.language.occurrences import occurrences
from mlmodels.core.language.pipeline import build_pipeline
from mlmodels.core.language.proposals import fewest_captions, propose_tags
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.language.substitution import Answered
from mlmodels.core.language.synonyms import propose_synonyms
from mlmodels.core.types import TagTerm

LOOKED_AT = (10, 20, 50, 100, 200)
ANSWERED = (0, 100, 500, 2_000)


@dataclass(frozen=True)
class Row:
    """Of the removed tags, those among the first `proposals`: mean, fewest and most over the seeds."""

    proposals: int
    removed: int
    found: float
    fewest: int
    most: int
    in_captions: float


@dataclass(frozen=True)
class Synonyms:
    """What is proposed after so many answered images, by rule."""

    answered: int
    by_wordnet: int
    by_answers: int
    first: str


@dataclass(frozen=True)
class Cost:
    """Processor seconds of one core."""

    captions: int
    captions_a_second: float
    proposing_seconds: float


def count(pack: Pack) -> Census:
    census, pipeline = Census(), build_pipeline()
    for number, doc in enumerate(pipeline.pipe(photo.caption for photo in pack.photos)):
        census.add(number, occurrences(doc))
    return census


def found_again(census: Census, tags: Sequence[str], removed: int, seeds: int) -> list[Row]:
    """The table; the same seed removes the same tags."""
    lists, gone_lists, ceilings = [], [], []
    fewest = fewest_captions(census)
    for seed in range(seeds):
        gone = set(random.Random(seed).sample(sorted(tags), removed))
        kept = [TagTerm(number, tag) for number, tag in enumerate(tags) if tag not in gone]
        lists.append([tag.text for tag in propose_tags(census, kept)])
        gone_lists.append(gone)
        frequent = [form for form in census.forms.values() if form.captions >= fewest]
        ceilings.append(
            sum(any(KnownWords([TagTerm(0, tag)]).covers(form) for form in frequent) for tag in gone)
        )
    rows = []
    for number in LOOKED_AT:
        hits = [len(gone & set(texts[:number])) for texts, gone in zip(lists, gone_lists, strict=True)]
        rows.append(Row(number, removed, mean(hits), min(hits), max(hits), mean(ceilings)))
    return rows


def synonyms(census: Census, pack: Pack) -> list[Synonyms]:
    """Synonyms for the whole vocabulary, by the number of answered images; the answers are the pack's truth."""
    tags = [TagTerm(number, tag) for number, tag in enumerate(pack.tags)]
    ids = {tag.name: tag.id for tag in tags}
    train = pack.of("train")
    readings = CaptionReader(tags).read([photo.caption for photo in train])
    answers = []
    for photo, reading in zip(train, readings, strict=True):
        yes = {ids[name] for name in photo.tags}
        answers.append(Answered.of(yes, set(ids.values()) - yes, reading))
    random.Random(0).shuffle(answers)
    rows = []
    for number in ANSWERED:
        proposed = propose_synonyms(census, tags, answers[:number])
        by_answers = [one for one in proposed if one.rule == "answers"]
        first = ", ".join(f"{one.text} for {pack.tags[one.tag_id]}" for one in (by_answers or proposed)[:6])
        rows.append(Synonyms(number, len(proposed) - len(by_answers), len(by_answers), first))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path, metavar="PACK")
    parser.add_argument("--removed", type=int, default=10, help="tags taken out of the vocabulary (10)")
    parser.add_argument("--seeds", type=int, default=20, help="draws to average over (20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    options = parser.parse_args()
    pack = read(options.pack)
    build_pipeline()("warm")
    started = time.process_time()
    census = count(pack)
    counted = time.process_time() - started
    started = time.process_time()
    propose_tags(census, [TagTerm(number, tag) for number, tag in enumerate(pack.tags)])
    cost = Cost(census.captions, census.captions / counted, time.process_time() - started)
    rows = found_again(census, pack.tags, options.removed, options.seeds)
    words = synonyms(census, pack)
    print_tables(rows, words, cost)
    if options.json:
        told = {"found": rows, "synonyms": words, "cost": [cost]}
        content = {name: [asdict(row) for row in some] for name, some in told.items()}  # type: ignore[attr-defined]
        options.json.write_text(json.dumps(content, indent=1) + "\n")


def print_tables(rows: Sequence[Row], words: Sequence[Synonyms], cost: Cost) -> None:
    print("| first proposals | removed tags | come back | fewest, most | captions name |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        spread = f"{row.fewest}, {row.most}"
        print(f"| {row.proposals} | {row.removed} | {row.found:.1f} | {spread} | {row.in_captions:.1f} |")
    print("\n| answered images | synonyms by WordNet | by answers | first of them |")
    print("| ---: | ---: | ---: | --- |")
    for word in words:
        print(f"| {word.answered:,} | {word.by_wordnet} | {word.by_answers} | {word.first} |")
    print(
        f"\n{cost.captions:,} captions counted at {cost.captions_a_second:,.0f} a second of one core; "
        f"proposals made of the counts in {cost.proposing_seconds * 1000:.0f} ms."
    )


if __name__ == "__main__":
    main()
