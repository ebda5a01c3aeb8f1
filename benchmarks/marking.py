"""Marks: right answers counted, wrong ones listed, both printed as Markdown. What is asked is in `language.py`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Figures to beat, of the first rules here and of another method, on earlier and other sets of 30 to 90 cases each.
TO_BEAT = {
    "base forms": "0.957 (lookup tables 0.757)",
    "noun-phrase heads, F": "0.956 (trained on UD 0.945)",
    "entities with kind, F": "0.43 (trained on UD)",
    "negation": "0.885 (negspaCy 0.769)",
    "phrase to tag, first": "0.70",
    "phrase to tag by encoder, first": "0.92",
    "phrase to tag, rules then encoder, first": "0.95",
}


@dataclass(frozen=True)
class Error:
    """One wrong answer."""

    part: str
    measure: str
    text: str
    expected: str
    got: str


@dataclass(frozen=True)
class Score:
    """Right answers of `n` asked; for a search, `found` answers were given and the figure is F."""

    part: str
    measure: str
    right: int
    n: int
    found: int | None = None

    @property
    def figure(self) -> float:
        return 2 * self.right / max(1, self.n + (self.n if self.found is None else self.found))


@dataclass(frozen=True)
class Found:
    """An answer of a search, by which it is compared, and as it is written in the list of errors."""

    key: tuple[int | str, ...]
    text: str


class Sheet:
    """The scores and errors of one part of the sets."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.scores: list[Score] = []
        self.errors: list[Error] = []

    def ask(
        self, measure: str, answers: Iterable[tuple[str, str, str, bool]], *, listed: bool = True
    ) -> None:
        """Notes answers: text, what was expected, what came, and whether that is right."""
        told = list(answers)
        if listed:
            self.errors += [Error(self.part, measure, *answer) for *answer, right in told if not right]
        self.scores.append(Score(self.part, measure, sum(right for *_, right in told), len(told)))

    def search(
        self,
        measure: str,
        texts: Iterable[tuple[str, list[Found], list[Found]]],
        *,
        listed: bool = True,
    ) -> None:
        """Notes what was to be found in each text, and what was; each is right once."""
        right = wanted = found = 0
        for text, expected, got in texts:
            expected_keys, got_keys = ({answer.key for answer in answers} for answers in (expected, got))
            right += len(expected_keys & got_keys)
            wanted, found = wanted + len(expected_keys), found + len(got_keys)
            missed = [answer.text for answer in expected if answer.key not in got_keys]
            extra = [answer.text for answer in got if answer.key not in expected_keys]
            if listed and (missed or extra):
                self.errors.append(Error(self.part, measure, text, ", ".join(missed), ", ".join(extra)))
        self.scores += [
            Score(self.part, f"{measure}, precision", right, found),
            Score(self.part, f"{measure}, recall", right, wanted),
            Score(self.part, f"{measure}, F", right, wanted, found),
        ]


def print_table(sheets: Sequence[Sheet]) -> None:
    print("| measure | development | n | held back | n | to beat |")
    print("| --- | --- | --- | --- | --- | --- |")
    for scores in zip(*(sheet.scores for sheet in sheets), strict=True):
        cells = [f"{score.figure:.3f} | {score.n}" for score in scores]
        print(
            "|",
            " | ".join([scores[0].measure, *cells, TO_BEAT.get(scores[0].measure, "")]),
            "|",
        )


def print_errors(errors: Iterable[Error]) -> None:
    part = measure = ""
    for error in errors:
        if (error.part, error.measure) != (part, measure):
            part, measure = error.part, error.measure
            print(f"\n### {measure}, {part.replace('_', ' ')}\n")
        print(f"- {error.text}: expected {error.expected or 'nothing'}; got {error.got or 'nothing'}")
