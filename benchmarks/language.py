"""How well and how fast captions are read, against the hand-labelled sets in `language_sets/`.

    python benchmarks/language.py [--errors [PART]] [--pipeline NAME] [--encoder FOLDER] [--pack PACK] [--json FILE]

Reads with the app's own pipeline and reader. `--errors` lists every wrong answer; `--pipeline` judges another
spaCy pipeline in its place; `--encoder` lets a sentence encoder suggest tags too; `--pack` times the captions of a
PACK instead of the sets' own. Answers are counted in `marking.py`; speed is in `language_speed.py`.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import gold
import language_speed
import pack
from gold import Caption, Labelled, Negation, Phrase
from marking import Found, Sheet, print_errors, print_table
from spacy.language import Language
from spacy.tokens import Doc, Span, Token

from mlmodels.core.language.pipeline import build_pipeline
from mlmodels.core.language.reader import CaptionReader
from mlmodels.core.types import TagTerm

# What OntoNotes and CoNLL pipelines call the kinds of the sets; a pipeline's other kinds (dates, numbers) do not count.
KINDS = {
    **{kind: kind for kind in gold.KINDS},
    "PER": "PERSON",
    "GPE": "PLACE",
    "LOC": "PLACE",
    "FAC": "PLACE",
    "ORG": "ORGANISATION",
    "WORK_OF_ART": "WORK",
    "PRODUCT": "OTHER",
    "MISC": "OTHER",
}
NO_PHRASE = {"PRON", "DET", "NUM"}


def judge_captions(sheet: Sheet, nlp: Language, captions: Sequence[Caption]) -> None:
    """Base forms, parts of speech, noun phrases and entities of whole captions."""
    docs = list(nlp.pipe(caption.text for caption in captions))
    pairs = list(zip(captions, docs, strict=True))
    sheet.ask(
        "base forms",
        (
            (caption.text, f"{label.text}: {label.value}", lemma, lemma == label.value)
            for caption, doc in pairs
            for label in caption.lemmas
            for lemma in [token_at(doc, label.end).lemma_.lower()]
        ),
    )
    sheet.ask(
        "base forms left alone",
        (
            (caption.text, label.text, lemma, lemma == label.text.lower())
            for caption, doc in pairs
            for label in uninflected(caption)
            for lemma in [token_at(doc, label.end).lemma_.lower()]
        ),
    )
    sheet.ask(
        "heads tagged as nouns",
        (
            (caption.text, label.text, token.pos_, token.pos_ in {"NOUN", "PROPN"})
            for caption, doc in pairs
            for label in caption.heads
            for token in [token_at(doc, label.end)]
        ),
    )
    sheet.search(
        "noun-phrase heads",
        (
            (caption.text, [Found((label.end,), label.text) for label in caption.heads], heads_in(doc))
            for caption, doc in pairs
        ),
    )
    for measure, typed in (("entities with kind", True), ("entities by extent", False)):
        sheet.search(
            measure,
            (
                (
                    caption.text,
                    [entity(label.start, label.text, label.value, typed=typed) for label in caption.entities],
                    entities_in(doc, typed=typed),
                )
                for caption, doc in pairs
            ),
            listed=typed,  # who errs by extent errs by extent and kind
        )


def uninflected(caption: Caption) -> list[Labelled]:
    """Heads that are base forms already: singular by the labels, and neither names nor nouns without a singular."""
    plural = {label.start for label in caption.lemmas}
    return [
        head
        for head in caption.heads
        if head.start not in plural
        and not head.text.lower().endswith(("s", "people"))
        and not any(name.start <= head.start < name.end for name in caption.entities)
    ]


def token_at(doc: Doc, end: int) -> Token:
    """The token that holds the character before `end`."""
    return next(token for token in doc if token.idx + len(token) >= end)


def heads_in(doc: Doc) -> list[Found]:
    """The head of each noun phrase that is no pronoun or numeral, known by where it ends."""
    heads = [head_of(span) for span in doc.spans.get("noun_phrases", ())]
    return [Found((head.idx + len(head),), head.text) for head in heads if head.pos_ not in NO_PHRASE]


def head_of(span: Span) -> Token:
    """The parser's head where there is one, else the last noun."""
    if span.doc.has_annotation("DEP"):
        return span.root
    nouns = [token for token in span if token.pos_ in {"NOUN", "PROPN"}]
    return nouns[-1] if nouns else span[-1]


def entities_in(doc: Doc, *, typed: bool) -> list[Found]:
    return [
        entity(span.start_char, span.text, KINDS[span.label_], typed=typed)
        for span in doc.ents
        if span.label_ in KINDS
    ]


def entity(start: int, text: str, kind: str, *, typed: bool) -> Found:
    """An entity without its leading article, which pipelines keep or drop; a title keeps its capital The."""
    if text.startswith("the ") or (kind != "WORK" and text.startswith("The ")):
        start, text = start + 4, text[4:]
    key = (start, start + len(text), kind) if typed else (start, start + len(text))
    return Found(key, f"{text} ({kind})" if typed else text)


def judge_negation(sheet: Sheet, nlp: Language, negations: Sequence[Negation]) -> None:
    """Whether a reader with the word as its only tag takes it for negated, in each sentence."""
    answers = []
    for case in negations:
        (reading,) = CaptionReader([TagTerm(1, case.word)], pipeline=nlp).read([case.sentence])
        got = "not read"
        for match in reading.matches:
            got = "negated" if match.evidence.negated or match.score == 0 else "plain"
        expected = "negated" if case.negated else "plain"
        answers.append((case.sentence, f"{case.word} {expected}", got, got == expected))
    sheet.ask("negation", answers)


def suggest(nlp: Language, phrases: Sequence[Phrase], *, near: bool = True) -> list[list[str]]:
    """The tags that a reader of the vocabulary suggests for each phrase, best first; `near`: merely near ones, too."""
    names = gold.tags()
    reader = CaptionReader([TagTerm(number, name) for number, name in enumerate(names)], pipeline=nlp)
    readings = reader.read([phrase.phrase for phrase in phrases])
    return [
        [
            names[match.tag_id]
            for match in reading.matches
            if match.score > 0 and (near or match.evidence.rule != "meaning")
        ]
        for reading in readings
    ]


def suggest_by_encoder(folder: Path, phrases: Sequence[Phrase]) -> list[list[str]]:
    """All tags by how near the phrase comes to them, nearest first."""
    from mlmodels.core.language.encoder import load_encoder  # brings torch
    from mlmodels.core.language.nearness import caption_vectors, tag_vectors

    encoder, names = load_encoder(folder), gold.tags()
    vectors = tag_vectors([TagTerm(number, name) for number, name in enumerate(names)], encoder.encode)
    nearness = vectors.meaning(caption_vectors([phrase.phrase for phrase in phrases], encoder.encode))
    return [[names[column] for column in row] for row in (-nearness).argsort(axis=1, kind="stable")]


def judge_phrases(
    sheet: Sheet, measure: str, phrases: Sequence[Phrase], suggested: Sequence[Sequence[str]]
) -> None:
    """Whether the expected tag comes first, or among three, tags that would be right too aside."""
    for name, depth in (("first", 1), ("among three", 3)):
        sheet.ask(
            f"{measure}, {name}",
            (
                (
                    phrase.phrase,
                    phrase.tag,
                    ", ".join(tags[:3]) or "nothing",
                    phrase.tag in [tag for tag in tags if tag not in phrase.also_right][:depth],
                )
                for phrase, tags in zip(phrases, suggested, strict=True)
            ),
            listed=depth == 1,
        )


def judge(part: str, nlp: Language, encoder: Path | None) -> Sheet:
    """Everything that the sets ask, for one part."""
    sheet = Sheet(part)
    judge_captions(sheet, nlp, [caption for caption in gold.captions() if caption.part == part])
    judge_negation(sheet, nlp, [case for case in gold.negations() if case.part == part])
    phrases = [phrase for phrase in gold.phrases() if phrase.part == part]
    by_rule = suggest(nlp, phrases)
    judge_phrases(sheet, "phrase to tag", phrases, by_rule)
    if encoder:
        nearest = suggest_by_encoder(encoder, phrases)
        judge_phrases(sheet, "phrase to tag by encoder", phrases, nearest)
        sure = suggest(nlp, phrases, near=False)  # what is merely near, an encoder knows better
        both = [[*rule, *near] for rule, near in zip(sure, nearest, strict=True)]
        judge_phrases(sheet, "phrase to tag, rules then encoder", phrases, both)
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--errors", nargs="?", const="all", choices=(*gold.PARTS, "all"), help="list every wrong answer"
    )
    parser.add_argument("--pipeline", help="an installed spaCy pipeline or its folder")
    parser.add_argument("--encoder", type=Path, help="folder of a sentence encoder")
    parser.add_argument("--pack", type=Path, help="a PACK whose captions are timed")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    nlp = build_pipeline(name=options.pipeline)
    sheets = [judge(part, nlp, options.encoder) for part in gold.PARTS]
    print_table(sheets)
    texts = (
        [photo.caption for photo in pack.read(options.pack).photos]
        if options.pack
        else [caption.text for caption in gold.captions()]
    )
    speeds = language_speed.measure(texts, options.pipeline)
    print()
    language_speed.print_table(speeds)
    errors = [error for sheet in sheets for error in sheet.errors]
    if options.errors:
        print_errors(error for error in errors if options.errors in (error.part, "all"))
    if options.json:
        figures = [{**asdict(score), "figure": score.figure} for sheet in sheets for score in sheet.scores]
        kept = {
            "scores": figures,
            "speeds": [asdict(speed) for speed in speeds],
            "errors": [asdict(error) for error in errors],
        }
        options.json.write_text(json.dumps(kept, indent=1, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main()
