"""Speed and accuracy of each person over a period: `person_work.py` and `person_accuracy.py` side by side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from annotations.models import Membership, Project, User
from annotations.selectors import arrays, kept, person_accuracy, person_work
from annotations.selectors.person_accuracy import Accuracy
from annotations.selectors.person_work import Work
from annotations.selectors.shares import Sums

PERIODS: dict[str, int | None] = {"7": 7, "30": 30, "all": None}
"""Days by the word that an address has for them."""
PERIOD_DEFAULT = "30"

DELETED = "Somebody"


@dataclass(frozen=True)
class Person:
    """Who is behind a row: somebody with an account, or without one any more (`user_id` None).

    `role` is None for those who are not in the project any more.
    """

    user_id: int | None
    username: str | None
    name: str
    role: str | None


@dataclass(frozen=True)
class Annotator:
    person: Person
    work: Work
    accuracy: Accuracy
    last_active_at: datetime


def of_project(project: Project, period: str) -> list[Annotator]:
    """Everybody who did something in the period, by name. Eight queries; large projects keep the figures."""
    days = PERIODS[period]
    since = None if days is None else timezone.now() - timedelta(days=days)
    told = kept.figures(
        project.pk, project.vocabulary_version, f"annotators-{period}", lambda: _worked_out(project, since)
    )
    people = _people(project, [user_id for user_id, *_ in told["work"] if user_id is not None])
    agreement, upheld = _sums(told["agreement"]), _sums(told["upheld"])
    found = [
        Annotator(
            person=people[user_id],
            work=Work(*figures),
            accuracy=person_accuracy.told(agreement, upheld, user_id),
            last_active_at=datetime.fromisoformat(last_active_at),
        )
        for user_id, last_active_at, *figures in told["work"]
        if user_id in people
    ]
    return sorted(found, key=ORDERS["name"])


def of_person(project: Project, user: User, period: str) -> list[Annotator]:
    """The person's own row alone; none where they did nothing in the period."""
    return [one for one in of_project(project, period) if one.person.user_id == user.pk]


def _by_name(one: Annotator) -> tuple[Any, ...]:
    """Deleted accounts last."""
    return one.person.user_id is None, one.person.name.casefold(), one.person.user_id or 0


def _falling(figure: Callable[[Annotator], float | None]) -> Callable[[Annotator], Any]:
    """The largest first, those without a figure last, names among equals."""

    def place(one: Annotator) -> tuple[Any, ...]:
        value = figure(one)
        return value is None, -(value or 0), _by_name(one)

    return place


ORDERS: dict[str, Callable[[Annotator], Any]] = {
    "name": _by_name,
    "reviews": _falling(lambda one: one.work.reviews),
    "alone": _falling(lambda one: one.work.alone),
    "seconds": _falling(lambda one: one.work.seconds),
    "keystrokes": _falling(lambda one: one.work.keystrokes),
    "undone": _falling(lambda one: one.work.share_undone),
    "agreement": _falling(lambda one: one.accuracy.agreement.share),
    "upheld": _falling(lambda one: one.accuracy.upheld.share),
    "last": _falling(lambda one: one.last_active_at.timestamp()),
}


def _worked_out(project: Project, since: datetime | None) -> dict[str, list[list[Any]]]:
    """Figures by a person's id, as JSON holds them: names and roles are read anew each time."""
    accuracy = person_accuracy.Sides(project, since)
    return {
        "work": person_work.since(project, since),
        "agreement": accuracy.agreement(),
        "upheld": accuracy.upheld(),
    }


def _sums(rows: list[list[Any]]) -> Mapping[int | None, Sums]:
    return {user_id: Sums(*figures) for user_id, *figures in rows}


def _people(project: Project, user_ids: list[int]) -> Mapping[int | None, Person]:
    """Two queries. An account that was deleted since the figures were worked out is missing."""
    roles = dict(Membership.objects.filter(project=project).values_list("user_id", "role"))
    users = User.objects.filter(arrays.among("id", user_ids))
    found: dict[int | None, Person] = {None: Person(None, None, DELETED, None)}
    for user in users:
        name = user.get_full_name() or user.username
        found[user.pk] = Person(user.pk, user.username, name, roles.get(user.pk))
    return found
