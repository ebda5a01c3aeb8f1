"""Events of the audit trail for tests, made by the services."""

from annotations.models import Image, Tag
from annotations.services import flags, tags
from tests.factories import Cast, make_images, make_tags


def record_of_every_kind(cast: Cast, times: int) -> None:
    """So often: a tag made and retired, an image flagged and the flag answered."""
    for _ in range(times):
        name = f"tag {Tag.objects.count()}"
        tags.retire(Tag.objects.get(pk=make_tags(cast.project, name)[name]), actor=cast.manager)
        flag = flags.raise_flag(cast.project, new_image(cast).pk, comment="See.", actor=cast.annotator)
        flags.answer(flag, text="Yes.", actor=cast.reviewer)


def new_image(cast: Cast) -> Image:
    made = make_images(cast.project, 1, first=Image.objects.count())[0]
    return Image.objects.get(sha256=made.sha256)
