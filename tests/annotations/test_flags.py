"""Flags: who raises, sees, answers and resolves them, and what becomes of them."""

import pytest

from annotations.errors import BadInput, Conflict, NotFound
from annotations.models import AuditEvent, Flag, FlagComment, Image, Review
from annotations.selectors import flags as selector
from annotations.services import flags, image_edits
from tests.factories import Cast, make_images, review_next


def raised(cast: Cast, by: str = "annotator", comment: str = "Too dark to tell.") -> Flag:
    image = cast.project.images.first() or make_images(cast.project, 1)[0]
    return flags.raise_flag(cast.project, image.pk, comment=comment, actor=getattr(cast, by))


def seen_by(cast: Cast, who: str) -> list[int]:
    return [flag.pk for flag in selector.listing(cast.membership(getattr(cast, who)))]


def test_a_flag_leaves_the_image_where_it_is(cast: Cast) -> None:
    make_images(cast.project, 1)
    before = Image.objects.values("state", "revision", "reviews_done").get()
    flag = raised(cast, comment="  Too dark.\r\nReally. ")
    assert flag.comment == "Too dark.\nReally."
    assert Image.objects.values("state", "revision", "reviews_done").get() == before
    assert review_next(cast, cast.annotator).review.image_id == flag.image_id


def test_an_annotator_sees_their_own_flags_and_a_reviewer_all(cast: Cast) -> None:
    mine, other = raised(cast), raised(cast, by="second")
    assert seen_by(cast, "annotator") == [mine.pk]
    assert seen_by(cast, "reviewer") == [other.pk, mine.pk]
    with pytest.raises(NotFound):
        selector.get(cast.membership(cast.annotator), other.pk)
    assert selector.open_count(cast.membership(cast.annotator)) == 1
    assert selector.open_count(cast.membership(cast.reviewer)) == 2


def test_resolving_and_opening_again_is_written_down(cast: Cast) -> None:
    flag = raised(cast)
    assert flags.resolve(flag, actor=cast.reviewer).resolved_by == cast.reviewer
    with pytest.raises(Conflict, match="reviewer has resolved this flag already"):
        flags.resolve(flag, actor=cast.manager)
    assert flags.reopen(flag, actor=cast.manager).resolved_at is None
    with pytest.raises(Conflict):
        flags.reopen(flag, actor=cast.manager)
    flags.answer(flag, text="Look again.", actor=cast.reviewer)
    told = AuditEvent.objects.filter(project=cast.project, action__startswith="flags.").order_by("id")
    assert [(event.action, event.actor) for event in told] == [
        ("flags.raise", cast.annotator),
        ("flags.resolve", cast.reviewer),
        ("flags.reopen", cast.manager),
        ("flags.comment", cast.reviewer),
    ]


@pytest.mark.parametrize("said", ["", " \n ", "\x00", "x" * 2001])
def test_a_flag_says_something_and_not_too_much(cast: Cast, said: str) -> None:
    with pytest.raises(BadInput):
        raised(cast, comment=said)
    assert not Flag.objects.exists()


def test_flags_of_an_image_in_the_trash_are_shown_to_nobody_and_go_with_it(cast: Cast) -> None:
    flag = raised(cast)
    flags.answer(flag, text="Yes.", actor=cast.reviewer)
    image_edits.trash(cast.project, flag.image_id, actor=cast.manager)
    assert seen_by(cast, "reviewer") == []
    assert selector.open_count(cast.membership(cast.reviewer)) == 0
    with pytest.raises(NotFound):
        raised(cast)
    Image.objects.get(pk=flag.image_id).delete()
    assert not Flag.objects.exists()
    assert not FlagComment.objects.exists()


def test_flagged_images_are_a_subquery_for_filters(cast: Cast) -> None:
    first, second, _ = make_images(cast.project, 3)
    for image in (first, first, second):
        flags.raise_flag(cast.project, image.pk, comment="See.", actor=cast.annotator)
    flags.resolve(Flag.objects.get(image=second), actor=cast.reviewer)

    def among(state: str | None) -> set[int]:
        ids = selector.flagged_image_ids(cast.project, state=state)
        return set(Image.objects.filter(pk__in=ids).values_list("pk", flat=True))

    assert among("open") == {first.pk}
    assert among("resolved") == {second.pk}
    assert among(None) == {first.pk, second.pk}
    assert not Review.objects.exists()
