"""Changes of the vocabulary as tests make them, by name, and what was said before and after."""

from annotations.models import Image, TagChange
from annotations.selectors import (
    truth,
)
from annotations.services import tag_merges, tag_splits, tag_undo
from annotations.types import TagSpec
from tests.annotations.test_verify import answer
from tests.factories import make_tags, review_next


def tag(cast, name):
    return cast.project.tags.get(name=name)


def merge(cast, name, into, **said):
    merged = tag_merges.merge(tag(cast, name), tag(cast, into), actor=cast.manager, **said)
    cast.project.refresh_from_db()
    return merged


def undo(cast, name):
    undone = tag_undo.undo(tag(cast, name), actor=cast.manager)
    cast.project.refresh_from_db()
    return undone


def split(cast, name, *into):
    parts = tag_splits.split(tag(cast, name), [TagSpec(name=word) for word in into], actor=cast.manager)
    cast.project.refresh_from_db()
    return parts


def all_truths(cast):
    return truth.verdicts(cast.project, list(cast.project.images.order_by("pk").values_list("pk", flat=True)))


def truth_of(cast, image):
    return truth.verdicts(cast.project, [image.pk])[image.pk]


def words_of(cast, name):
    return sorted(alias.name for alias in tag(cast, name).aliases.all())


def active_names(cast):
    """In an order that is the same in every run."""
    return list(cast.project.tags.filter(retired_at=None).order_by("pk").values_list("name", flat=True))


def say_something(cast, rng, pictures):
    active = active_names(cast)
    user = rng.choice([cast.reviewer, cast.manager])
    if rng.random() < 0.5:
        waiting = cast.project.images.filter(state=Image.State.PENDING).exclude(reviews__user=user)
        if waiting.exists():
            yes = (rng.choice(active),) if rng.random() < 0.5 else ()
            review_next(cast, user, yes=yes)
        return
    some = rng.sample(pictures, 3)
    answer(cast, rng.choice(active), yes=some[:1], no=some[1:], user=user)


def change_vocabulary(cast, rng, step):
    active = active_names(cast)
    what = rng.choice(["merge", "merge", "create", "undo"])
    if what == "merge" and len(active) > 2:
        merge(cast, *rng.sample(active, 2))
    elif what == "undo" and (last := TagChange.objects.filter(undone_at=None).order_by("-pk").first()):
        undo(cast, last.tag.name)
    else:
        make_tags(cast.project, f"tag {step}")
