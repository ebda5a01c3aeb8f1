"""What was said of many images, by tag name, for exporters: most of a project is plain and is read at a glance.

Plain is an image of which nothing has to be weighed: at most one review counts, and no tag was answered twice. A
test holds these against `truth.verdicts`, to which everything else is left.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform

from annotations.exporters.base import Needs, Provenance
from annotations.models import Decision, Image, Project, Tag
from annotations.selectors import arrays, truth
from annotations.selectors.export_reviews import Counted, Reviews, iso
from annotations.selectors.truth import ActiveTags
from annotations.types import ImageTruth

_NONE: frozenset[int] = frozenset()
_JUDGED = (Image.State.REVIEWED.value, Image.State.DISPUTED.value)
_YES, _IMPORT = Decision.Value.YES.value, Decision.Source.IMPORT.value
_WHOLE, _ALONE = Decision.Scope.IMAGE.value, Decision.Scope.TAG.value


class Said(NamedTuple):
    """Sorted names of tags by verdict, and where each verdict comes from: fields of an ExportRow, in its order."""

    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    disputed: tuple[str, ...] = ()
    implied_no: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    provenance: Mapping[str, Provenance] = {}


_NOTHING = Said()


@dataclass(frozen=True)
class Words:
    """The names of all tags by id, which are active, which were when, and whether the unmarked is a no here."""

    project: Project
    names: Mapping[int, str]
    active: frozenset[int]
    periods: ActiveTags
    implied_counts: bool
    _asked: "dict[int | None, _Asked]" = field(default_factory=dict)

    @classmethod
    def of(cls, project: Project) -> "Words":
        found = list(Tag.objects.filter(project=project).values_list("id", "name", "retired_at"))
        return cls(
            project=project,
            names={tag_id: name for tag_id, name, _ in found},
            active=frozenset(tag_id for tag_id, _, retired_at in found if retired_at is None),
            periods=ActiveTags(project),
            implied_counts=project.unmarked == Project.Unmarked.NO,
        )

    def named(self, tag_ids: Collection[int]) -> tuple[str, ...]:
        return tuple(sorted([self.names[tag_id] for tag_id in tag_ids])) if tag_ids else ()

    def asked(self, version: int | None) -> "_Asked":
        """What a finished review of this vocabulary version answers; None is no review at all."""
        found = self._asked.get(version)
        if found is None:
            answered = _NONE
            if self.implied_counts and version is not None:
                answered = self.periods.at(version).difference(self.periods.merges.by_tag)
            found = _Asked(answered, self.active.difference(answered) if self.implied_counts else _NONE)
            self._asked[version] = found
        return found

    def is_after_merges(self, version: int) -> bool:
        merges = self.periods.merges.in_order
        return not merges or version >= merges[-1].version


class _Asked(NamedTuple):
    """The tags that a review answers without naming them, and of today's tags those that it does not answer so."""

    answered: frozenset[int]
    others: frozenset[int]


# A decision as the row that was read, which costs half of a tuple with names: `_ANSWER`, then `_ORIGIN` if wanted.
_Answer = tuple[Any, ...]
_ANSWER = ("image_id", "tag_id", "value", "review_id", "scope", "source")


def of_images(words: Words, states: Mapping[int, str], reviews: Reviews, needs: Needs) -> dict[int, Said]:
    """What was said of these images, whose states are given. One query, and four more where some are not plain."""
    answers = _answers(states, words, needs)
    found, others = {}, []
    for image_id, state in states.items():
        review, given = reviews.counted.get(image_id), answers.get(image_id, ())
        if review is None and not given and state not in _JUDGED:
            found[image_id] = _NOTHING
            continue
        verdicts = None if image_id in reviews.several else plain(review, given, words)
        if verdicts is None:
            others.append(image_id)
            continue
        asked = words.asked(review.version if review else None)
        origins = _origins(given, verdicts, words.names) if needs.provenance and given else {}
        found[image_id] = _plainly(verdicts, asked, state, words, needs, origins)
    if others:
        found |= _weighed(others, states, words, needs)
    return found


def plain(review: Counted | None, answers: Iterable[_Answer], words: Words) -> dict[int, str] | None:
    """The verdicts that are not implied, by tag; None where something has to be weighed."""
    explicit: dict[int, str] = {}
    alone: dict[int, str] = {}
    for answer in answers:
        _, tag_id, value, review_id, scope, source = answer[: len(_ANSWER)]
        if scope == _WHOLE:
            if review is None or review_id != review.review_id:
                return None
            explicit[tag_id] = value
        elif (
            tag_id in alone or review_id is not None or (review and not _is_outranked(scope, source, review))
        ):
            return None
        else:
            alone[tag_id] = value
    if words.periods.merges.in_order and not _is_beside_merges(review, explicit, alone, words):
        return None
    if not alone:
        return explicit
    answered = words.asked(review.version if review else None).answered
    return {tag_id: value for tag_id, value in alone.items() if tag_id not in answered} | explicit


def _is_outranked(scope: str, source: str, review: Counted) -> bool:
    """Whether a review has the say before an answer to one tag, whichever came first: a person's before an import's."""
    return source == _IMPORT and scope == _ALONE and review.source != _IMPORT


def _is_beside_merges(
    review: Counted | None, explicit: Mapping[int, str], alone: Mapping[int, str], words: Words
) -> bool:
    """Whether the merges of the project change nothing of this: all of it came later, about tags that remain."""
    merges = words.periods.merges
    if alone:
        return review is None and alone.keys().isdisjoint(merges.by_tag.keys() | merges.into.keys())
    return (review is None or words.is_after_merges(review.version)) and explicit.keys().isdisjoint(
        merges.by_tag
    )


def _plainly(
    verdicts: Mapping[int, str],
    asked: _Asked,
    state: str,
    words: Words,
    needs: Needs,
    origins: Mapping[str, Provenance],
) -> Said:
    implied = asked.answered.difference(verdicts) if needs.implied_no else ()
    not_asked = asked.others.difference(verdicts) if asked.others and state in _JUDGED else ()
    return Said(
        yes=words.named([tag_id for tag_id, value in verdicts.items() if value == _YES]),
        no=words.named([tag_id for tag_id, value in verdicts.items() if value != _YES]),
        implied_no=words.named(implied),
        not_asked=words.named(not_asked),
        provenance=origins,
    )


def _origins(
    answers: Iterable[_Answer], verdicts: Mapping[int, str], names: Mapping[int, str]
) -> Mapping[str, Provenance]:
    """The latest decision that agrees with each verdict."""
    latest = {names[answer[1]]: _origin(answer) for answer in answers if verdicts.get(answer[1]) == answer[2]}
    return dict(sorted(latest.items())) if len(latest) > 1 else latest


def _origin(answer: _Answer) -> Provenance:
    _, _, _, _, scope, source, person, at, score, model_number = answer
    return Provenance(source, person, at, scope, None if score is None else orjson.loads(score), model_number)


def _weighed(
    image_ids: Sequence[int], states: Mapping[int, str], words: Words, needs: Needs
) -> dict[int, Said]:
    """What the rules make of images that are not plain."""
    truths = truth.verdicts(words.project, image_ids)
    origins = _weighed_origins(truths, words) if needs.provenance else {}
    return {
        image_id: Said(
            yes=words.named(said.yes),
            no=words.named(said.no),
            disputed=words.named(said.disputed),
            implied_no=words.named(said.implied_no) if needs.implied_no else (),
            not_asked=words.named(_not_asked(states[image_id], said, words)),
            provenance=origins.get(image_id, {}),
        )
        for image_id, said in truths.items()
    }


def _not_asked(state: str, said: ImageTruth, words: Words) -> Collection[int]:
    """Active tags that the reviews of a reviewed image do not answer; none where the unmarked is unknown anyway."""
    if not words.implied_counts or state not in _JUDGED:
        return ()
    return words.active.difference(said.yes, said.no, said.implied_no, said.disputed)


def _weighed_origins(truths: Mapping[int, ImageTruth], words: Words) -> dict[int, dict[str, Provenance]]:
    """The latest decision that agrees with each verdict; of a disputed tag simply the latest."""
    counted = _decisions(truths).exclude(review__counted=False).exclude(review__undone_at__isnull=False)
    latest: dict[int, dict[str, Provenance]] = defaultdict(dict)
    for answer in counted.values_list(*_ANSWER, *_ORIGIN):
        image_id, answered_id, value, *_ = answer
        said, tag_id = truths[image_id], words.periods.merges.survivor(answered_id)
        if tag_id in said.disputed or tag_id in (said.yes if value == _YES else said.no):
            latest[image_id][words.names[tag_id]] = _origin(answer)
    return {image_id: dict(sorted(by_tag.items())) for image_id, by_tag in latest.items()}


_ORIGIN = ("user__username", iso("created_at"), KeyTextTransform("score", "suggestion"), "model_number")


def _answers(image_ids: Collection[int], words: Words, needs: Needs) -> dict[int, list[_Answer]]:
    """The decisions on each image that were not taken back, in the order they were made; none on tags in the trash."""
    deleted = words.periods.deleted
    columns = (*_ANSWER, *_ORIGIN) if needs.provenance else _ANSWER
    found: dict[int, list[_Answer]] = defaultdict(list)
    for answer in _decisions(image_ids).values_list(*columns):
        if answer[1] not in deleted:
            found[answer[0]].append(answer)
    return found


def _decisions(image_ids: Iterable[int]) -> QuerySet[Decision]:
    return Decision.objects.filter(truth.NOT_TAKEN_BACK, arrays.among("image_id", image_ids)).order_by("id")
