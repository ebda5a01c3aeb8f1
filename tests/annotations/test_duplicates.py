"""Near-duplicates decided on: kept for good, or joined with what they have, and everything back by undo."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.errors import BadInput, Conflict, NotFound
from annotations.models import AuditEvent, Counter, Decision, DuplicateGroup, Image, QueueEntry
from annotations.selectors import audit, duplicates, truth
from annotations.services import counters, image_edits, near_pairs, tag_answers, trash
from annotations.services import duplicates as services
from tests.factories import make_copies, make_images, make_tags

pytestmark = pytest.mark.django_db


@pytest.fixture
def copies(cast):
    """Three near-copies: the last is the largest, each has a tag of its own."""
    make_tags(cast.project, "dog", "lake", "boat")
    images = make_copies(cast.project, 3)
    for number, (image, name) in enumerate(zip(images, ("dog", "lake", "boat"), strict=True)):
        image.width_px, image.caption = 100 * (number + 1), f"Caption {number}."
        image.save()
        tag_answers.answer(cast.project, image, name, "yes", actor=cast.manager)
    near_pairs.find(cast.project.pk)
    return images


@pytest.fixture
def group(cast, copies):
    return DuplicateGroup.objects.get(project=cast.project)


def open_groups(cast):
    return [row.id for row in duplicates.listing(cast.project)]


def yes_of(cast, image):
    names = dict(cast.project.tags.values_list("pk", "name"))
    return sorted(names[tag_id] for tag_id in truth.verdicts(cast.project, [image.pk])[image.pk].yes)


def totals(project):
    while counters.fold():
        pass
    return dict(Counter.objects.filter(project=project).values_list("name", "value"))


def join(cast, group, keep, **options):
    options = {"take_tags": True, "take_caption": True, "actor": cast.manager} | options
    return services.join(cast.project, group.pk, keep.pk, **options)


def test_joining_keeps_one_with_the_tags_and_captions_of_the_others(cast, group, copies):
    join(cast, group, copies[1])
    gone = Image.objects.filter(project=cast.project, deleted_at__isnull=False)
    assert {image.pk for image in gone} == {copies[0].pk, copies[2].pk}
    kept = Image.objects.get(pk=copies[1].pk)
    assert yes_of(cast, kept) == ["boat", "dog", "lake"]
    assert kept.caption == "Caption 1.\nCaption 2.\nCaption 0."
    assert open_groups(cast) == []


def test_without_asking_for_them_nothing_is_taken_over(cast, group, copies):
    join(cast, group, copies[1], take_tags=False, take_caption=False)
    kept = Image.objects.get(pk=copies[1].pk)
    assert (yes_of(cast, kept), kept.caption, kept.revision) == (["lake"], "Caption 1.", 1)


def test_undo_of_a_join_leaves_all_as_it_was(cast, group, copies):
    before, answers = totals(cast.project), [yes_of(cast, image) for image in copies]
    join(cast, group, copies[2])
    services.undo(cast.project, group.pk, actor=cast.manager)
    assert not Image.objects.filter(deleted_at__isnull=False).exists()
    assert [yes_of(cast, image) for image in copies] == answers
    assert Image.objects.get(pk=copies[2].pk).caption == "Caption 2."
    assert open_groups(cast) == [group.pk]
    after = totals(cast.project)
    same = ("images", "pending", "decisions", "holdout")
    assert {name: after.get(name) for name in same} == {name: before.get(name) for name in same}
    assert QueueEntry.objects.filter(image__in=copies).count() == 3
    with pytest.raises(Conflict, match="taken back already"):
        services.undo(cast.project, group.pk, actor=cast.manager)


def test_undo_leaves_what_people_did_meanwhile(cast, group, copies):
    join(cast, group, copies[2])
    kept = Image.objects.get(pk=copies[2].pk)
    image_edits.update(cast.project, kept.pk, kept.revision, {"caption": "Mine."}, actor=cast.manager)
    trash.restore_images(cast.project, [copies[0].pk], actor=cast.manager)
    image_edits.trash(cast.project, copies[0].pk, actor=cast.manager)
    services.undo(cast.project, group.pk, actor=cast.manager)
    assert Image.objects.get(pk=kept.pk).caption == "Mine."
    assert Image.objects.get(pk=copies[0].pk).deleted_at is not None
    assert Image.objects.get(pk=copies[1].pk).deleted_at is None


def test_a_no_on_the_kept_image_stands(cast, group, copies):
    tag_answers.answer(cast.project, copies[2], "dog", "no", actor=cast.reviewer)
    plan = join(cast, group, copies[2])
    assert [tag.name for tag in plan.tags] == ["lake"]
    assert yes_of(cast, copies[2]) == ["boat", "lake"]


def test_a_holdout_image_takes_no_tags_over_and_tells_none_while_it_waits(cast, group, copies):
    Image.objects.filter(pk=copies[0].pk).update(is_holdout=True)
    plan = services.plan(cast.project, group, copies[0].pk)
    assert plan.tags == () and "of the holdout" in plan.tags_stay
    plan = services.plan(cast.project, group, copies[2].pk)
    assert plan.tags == () and "waits for its reviews" in plan.tags_stay
    shown = duplicates.with_images(cast.project, [group.pk])[0]
    assert [member.yes for member in shown.members] == [None, None, None]


def test_groups_between_holdout_and_training_come_first(cast, group):
    mixed = make_copies(cast.project, 2)
    Image.objects.filter(pk=mixed[1].pk).update(is_holdout=True)
    both = make_copies(cast.project, 2, holdout=True)
    near_pairs.find(cast.project.pk)
    listed = duplicates.listing(cast.project)
    assert [(row.images, row.leaks) for row in listed] == [(2, True), (3, False), (2, False)]
    assert duplicates.image_ids(duplicates.get(cast.project, listed[0].id)) == {image.pk for image in mixed}
    assert duplicates.image_ids(duplicates.get(cast.project, listed[2].id)) == {image.pk for image in both}


def test_a_kept_group_is_not_asked_about_again_but_a_further_copy_is(cast, group, copies):
    services.keep(cast.project, group.pk, actor=cast.manager)
    near_pairs.find(cast.project.pk)
    assert open_groups(cast) == []
    late = make_images(cast.project, 1, first=90)[0]
    Image.objects.filter(pk=late.pk).update(phash=copies[0].phash)
    near_pairs.find(cast.project.pk)
    (again,) = open_groups(cast)
    assert late.pk in duplicates.image_ids(duplicates.get(cast.project, again))
    assert DuplicateGroup.objects.get(pk=group.pk).state == "kept"


def test_a_kept_group_can_be_asked_about_again(cast, group):
    services.keep(cast.project, group.pk, actor=cast.manager)
    assert [row.id for row in duplicates.listing(cast.project, state="kept")] == [group.pk]
    services.undo(cast.project, group.pk, actor=cast.manager)
    assert open_groups(cast) == [group.pk]


def test_the_best_to_keep_stands_first(cast, group, copies):
    shown = duplicates.with_images(cast.project, [group.pk])[0]
    assert [member.image.pk for member in shown.members] == [image.pk for image in reversed(copies)]
    assert [member.yes for member in shown.members] == [("boat",), ("lake",), ("dog",)]


def test_a_group_that_has_changed_is_refused(cast, group, copies):
    seen = [image.pk for image in copies]
    image_edits.trash(cast.project, copies[0].pk, actor=cast.manager)
    for act in (
        lambda: join(cast, group, copies[1], of=seen),
        lambda: services.keep(cast.project, group.pk, actor=cast.manager, of=seen),
    ):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "group_changed"
    assert Image.objects.filter(deleted_at=None).count() == 2


def test_strangers_cannot_be_kept_and_nothing_is_joined_twice(cast, group, copies):
    stranger = make_images(cast.project, 1, first=70)[0]
    with pytest.raises(BadInput, match="not one of this group"):
        join(cast, group, stranger)
    join(cast, group, copies[0])
    with pytest.raises(Conflict) as refused:
        join(cast, group, copies[0])
    assert refused.value.code == "already_joined"
    with pytest.raises(NotFound):
        duplicates.get(cast.project, group.pk + 100)


def test_the_trail_tells_of_each_decision(cast, group, copies):
    join(cast, group, copies[0])
    services.undo(cast.project, group.pk, actor=cast.manager)
    services.keep(cast.project, group.pk, actor=cast.manager)
    events = AuditEvent.objects.filter(action__startswith="duplicates.").order_by("pk")
    said = [told.sentence for told in audit.told(cast.project, list(events))]
    assert said == [
        f"joined 3 images that look alike, and kept “{copies[0].name}”",
        "took back what was decided on 3 images that look alike",
        "kept 3 images that look alike",
    ]


def test_tags_taken_over_are_the_managers_own_answers(cast, group, copies):
    join(cast, group, copies[0])
    taken = Decision.objects.filter(image=copies[0]).order_by("-pk")[:2]
    assert {(row.user, row.scope, row.value) for row in taken} == {(cast.manager, "tag", "yes")}


def test_a_page_of_groups_takes_as_many_queries_for_two_as_for_twelve(cast, group):
    def queries(ids):
        with CaptureQueriesContext(connection) as captured:
            duplicates.with_images(cast.project, ids)
        return len(captured)

    make_copies(cast.project, 2)
    near_pairs.find(cast.project.pk)
    few = queries(open_groups(cast))
    for _ in range(10):
        make_copies(cast.project, 2)
    near_pairs.find(cast.project.pk)
    assert len(open_groups(cast)) == 12
    assert queries(open_groups(cast)) == few
