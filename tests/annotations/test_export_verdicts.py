"""What exports read at a glance is what the one selector of what people said derives, on histories of every kind."""

import random

import pytest

from annotations.exporters.base import ExportRow, Needs
from annotations.models import Decision, Image, Review
from annotations.selectors import export_reviews, export_rows, export_verdicts, merges, truth
from annotations.selectors.export_verdicts import Said, Words
from annotations.services import tag_trash, tags
from tests.annotations.surgery import active_names, change_vocabulary, merge
from tests.annotations.test_verify import answer
from tests.factories import make_cast, make_images, make_tags, review_next

EVERYTHING = Needs(provenance=True, reviews=True, implied_no=True)


@pytest.mark.parametrize("unmarked", ["no", "unknown"])
@pytest.mark.parametrize("wanted_reviews", [1, 2])
@pytest.mark.parametrize("with_merges", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_rows_say_what_the_rules_say(db, monkeypatch, seed, with_merges, wanted_reviews, unmarked):
    cast = lived_in(random.Random(seed), with_merges, reviews_per_image=wanted_reviews, unmarked=unmarked)
    rows = read(cast)
    at_a_glance = plain_images(cast)
    assert 0 < len(at_a_glance) < len(rows), "the history has images of both kinds"
    monkeypatch.setattr(export_verdicts, "plain", lambda *any: None)
    assert not plain_images(cast)
    for row, weighed in zip(rows, read(cast), strict=True):
        assert row == weighed
    derived = truth.verdicts(cast.project, [row.id for row in rows])
    names = dict(cast.project.tags.values_list("pk", "name"))
    for row in rows:
        said = derived[row.id]
        for field in ("yes", "no", "disputed", "implied_no"):
            assert set(getattr(row, field)) == {names[tag_id] for tag_id in getattr(said, field)}


def lived_in(rng: random.Random, with_merges: bool, **project):
    """A project after months: reviews, also taken back, imports, single answers, tags that come and go."""
    cast = make_cast(holdout_percent=0, **project)
    make_tags(cast.project, "cliff", "rock", "sea", "sky")
    pictures = make_images(cast.project, 30)
    for step in range(63):
        if step % 9 == 8 and with_merges:
            change_vocabulary(cast, rng, step)
        elif step % 9 == 8:
            make_tags(cast.project, f"tag {step}")
        elif step % 9 == 4:
            import_something(cast, rng, pictures)
        else:
            say_something(cast, rng, pictures)
    if with_merges and not merges.of_project(cast.project).in_order:
        merge(cast, *active_names(cast)[:2])
    retired = cast.project.tags.get(name=active_names(cast)[0])
    tags.retire(retired, actor=cast.manager)
    tag_trash.delete(cast.project.tags.get(name=active_names(cast)[-1]), actor=cast.manager)
    make_images(cast.project, 6, first=30)
    for _ in range(3):  # after the last merge
        review_next(cast, cast.second, yes=tuple(active_names(cast)[:1]))
    return cast


def say_something(cast, rng, pictures) -> None:
    active = active_names(cast)
    user = rng.choice([cast.annotator, cast.reviewer, cast.manager])
    if rng.random() < 0.8:
        waiting = cast.project.images.filter(state=Image.State.PENDING).exclude(reviews__user=user)
        if waiting.exists():
            some = rng.sample(active, min(3, len(active)))
            review = review_next(cast, user, yes=some[: rng.randrange(3)], rejected=some[2:]).review
            if rng.random() < 0.1:  # taken back, or come too late to count
                Review.objects.filter(pk=review.pk).update(counted=False)
        return
    user = rng.choice([cast.reviewer, cast.manager])
    some = rng.sample(pictures, 2)
    name = rng.choice(active)
    answer(cast, name, yes=some[:1], no=some[1:], user=user)
    if rng.random() < 0.3:
        tag_id = cast.project.tags.get(name=name).pk
        decide(
            some[0], tag_id, scope="adjudicate", source="person", value=rng.choice(["yes", "no"]), user=user
        )


def import_something(cast, rng, pictures) -> None:
    """Tags as imports leave them, of some of which it is said that they are complete."""
    image, ids = (
        rng.choice(pictures),
        list(cast.project.tags.filter(retired_at=None).values_list("pk", flat=True)),
    )
    cast.project.refresh_from_db()
    if rng.random() < 0.3:
        review = Review.objects.create(
            project=cast.project,
            image=image,
            outcome="reviewed",
            source="import",
            vocabulary_version=cast.project.vocabulary_version,
        )
        decide(image, rng.choice(ids), review=review, scope="image")
    for tag_id in rng.sample(ids, 2):
        decide(image, tag_id, scope="tag", value=rng.choice(["yes", "yes", "no"]))


def decide(image, tag_id: int, **said) -> None:
    fields = {"value": "yes", "source": "import"} | said
    Decision.objects.create(project=image.project, image=image, tag_id=tag_id, **fields)


def read(cast) -> list[ExportRow]:
    chunks = export_rows.chunks(cast.project, export_rows.Filter(), EVERYTHING)
    return [row for chunk in chunks for row in chunk]


def plain_images(cast) -> list[int]:
    """Images that people spoke of and of which nothing has to be weighed."""
    words = Words.of(cast.project)
    ids = list(cast.project.images.values_list("pk", flat=True))
    reviews = export_reviews.of_images(ids, told=False)
    answers = export_verdicts._answers(ids, words, Needs())
    return [
        pk
        for pk in ids
        if (pk in reviews.counted or pk in answers)
        and pk not in reviews.several
        and export_verdicts.plain(reviews.counted.get(pk), answers.get(pk, ()), words) is not None
    ]


def test_fields_of_what_was_said_stand_as_in_a_row():
    start = ExportRow._fields.index("yes")
    assert ExportRow._fields[start : start + len(Said._fields)] == Said._fields


@pytest.mark.parametrize("count", [2, 20])
def test_a_chunk_takes_the_same_queries_however_many_images(cast, django_assert_num_queries, count):
    make_tags(cast.project, "cliff", "rock")
    make_images(cast.project, count)
    for _ in range(count):
        review_next(cast, cast.annotator, yes=("cliff",), rejected=("rock",))
    with django_assert_num_queries(6):
        rows = read(cast)
    assert [(row.yes, row.no) for row in rows] == [(("cliff",), ("rock",))] * count
