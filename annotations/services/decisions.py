"""Writes many decisions at once, by COPY: they are only ever added. What they may say, those know who decide it."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from annotations.models import Decision

_COLUMNS = "project_id, image_id, tag_id, user_id, review_id, value, scope, source, model_number, created_at"


class Answer(NamedTuple):
    """One verdict of one tag on one image, as it is stored."""

    image_id: int
    tag_id: int
    user_id: int | None
    review_id: int | None
    value: str
    scope: str


def add(project_id: int, answers: Iterable[Answer], *, source: Decision.Source) -> None:
    """Store them in this order. Call inside the transaction of what they belong to."""
    now = timezone.now().isoformat()
    rest = f"{source.value}\t0\t{now}\n"
    lines = [
        f"{project_id}\t{one.image_id}\t{one.tag_id}\t{_nullable(one.user_id)}\t{_nullable(one.review_id)}"
        f"\t{one.value}\t{one.scope}\t{rest}"
        for one in answers
    ]
    if not lines:
        return
    query = f"COPY annotations_decision ({_COLUMNS}) FROM STDIN"
    with connection.cursor() as cursor, cursor.cursor.copy(query) as copy:
        copy.write("".join(lines))


def _nullable(number: int | None) -> str:
    return r"\N" if number is None else str(number)
