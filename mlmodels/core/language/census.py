"""Counts over all captions, built up in chunks: in how many a thing is named, and where for example.

Memory is bounded by lossy counting (Manku and Motwani, VLDB 2002): when there are too many forms, those that were
met least are forgotten, so a count may be too low by at most `missed`. What is worth a proposal is not decided here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlmodels.core.errors import LanguageDataError
from mlmodels.core.language.occurrences import ENTITY, PHRASE, Occurrence

CENSUS_FORMAT = 1
FORMS_KEPT = 40_000
EXAMPLES_KEPT = 4

Place = tuple[int, int, int]  # image id, start, end


@dataclass(slots=True)
class Form:
    """One normal form: in how many captions it stands, what it is, and the first places where it was met."""

    captions: int
    kind: str
    text: str
    parts: tuple[str, ...]
    places: list[Place]


@dataclass
class Census:
    """Counts of normal forms and of the words they are made of.

    Example:
        >>> census = Census()
        >>> census.add(7, [Occurrence("dog", "phrase", "dog", ("dog",), 2, 5)])
        >>> census.forms["dog"].captions, census.captions, Census.of(census.state()) == census
        (1, 1, True)
    """

    captions: int = 0
    missed: int = 0
    forms: dict[str, Form] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)

    def add(self, image_id: int, found: Iterable[Occurrence]) -> None:
        """Count one caption; each form and each word counts once in it."""
        self.captions += 1
        parts: set[str] = set()
        for one in found:
            form = self.forms.get(one.key)
            if form is None:
                form = self.forms[one.key] = Form(0, one.kind, one.text, one.parts, [])
            elif (
                form.kind == ENTITY and one.kind == PHRASE
            ):  # "a Frisbee": what is also written small is no name
                form.kind, form.text, form.parts = one.kind, one.text, one.parts
            form.captions += 1
            parts.update(one.parts)
            if len(form.places) < EXAMPLES_KEPT:
                form.places.append((image_id, one.start, one.end))
        for part in sorted(parts):
            self.parts[part] = self.parts.get(part, 0) + 1
        if len(self.forms) > FORMS_KEPT or len(self.parts) > FORMS_KEPT:
            self._forget()

    def _forget(self) -> None:
        """Drop what was met least, until half of the room is free again."""
        while len(self.forms) > FORMS_KEPT // 2 or len(self.parts) > FORMS_KEPT // 2:
            self.missed += 1
            self.forms = {key: form for key, form in self.forms.items() if form.captions > self.missed}
            self.parts = {part: count for part, count in self.parts.items() if count > self.missed}

    def state(self) -> dict[str, Any]:
        """The counts as JSON values, from which `of` goes on."""
        return {
            "format": CENSUS_FORMAT,
            "captions": self.captions,
            "missed": self.missed,
            "parts": self.parts,
            "forms": {
                key: [form.captions, form.kind, form.text, list(form.parts), [list(p) for p in form.places]]
                for key, form in self.forms.items()
            },
        }

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Census":
        """Raises LanguageDataError for a state of another format."""
        if state.get("format") != CENSUS_FORMAT:
            raise LanguageDataError(
                f"expected counts of format {CENSUS_FORMAT}, got {state.get('format')!r}: count again from the start"
            )
        forms = {
            key: Form(captions, kind, text, tuple(parts), [(p[0], p[1], p[2]) for p in places])
            for key, (captions, kind, text, parts, places) in state["forms"].items()
        }
        return cls(state["captions"], state["missed"], forms, dict(state["parts"]))
