"""The filter of gallery, list and bulk actions, read from the words of an address or a JSON object.

One reader for all doors: the API refuses what makes no sense, a page leaves it out and says so.
"""

from collections.abc import Callable, Mapping
from datetime import MAXYEAR, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from annotations.errors import BadInput, DomainError
from annotations.models import Image, Project
from annotations.numbers import id_or_word, whole_number
from annotations.selectors import vocabulary
from annotations.selectors.images import ANSWERS, ImageFilter

_DAY_CHARS = len("2026-03-31")


def read(project: Project, said: Mapping[str, Any]) -> ImageFilter:
    """The filter; raises BadInput, or `unknown_tag`, naming the word that is wrong."""
    read_fields = {
        field: reader(project, name, _text(name, said[name]))
        for name, (field, reader) in _READERS.items()
        if said.get(name) not in (None, "")
    }
    if "min_score" in read_fields and "suggested_id" not in read_fields:
        raise BadInput(
            "`min_score` goes with `suggested`: name the tag whose score is meant.", code="bad_score"
        )
    if "tag_id" not in read_fields:
        read_fields.pop("answer", None)
    return ImageFilter(**read_fields)


def read_kindly(project: Project, said: Mapping[str, Any]) -> tuple[ImageFilter, dict[str, str], list[str]]:
    """The filter of what makes sense, those words of it, and a sentence for each that does not."""
    sound: dict[str, str] = {}
    problems = []
    for name in NAMES:
        if not said.get(name):
            continue
        try:
            _, reader = _READERS[name]
            reader(project, name, _text(name, said[name]))
        except DomainError as error:
            problems.append(error.message)
        else:
            sound[name] = said[name]
    if "suggested" not in sound:
        sound.pop("min_score", None)
    return read(project, sound), sound, problems


def refuse_unknown(said: Mapping[str, Any]) -> None:
    """A JSON object with a name that no filter has is a mistake, not a filter for everything."""
    unknown = sorted(map(str, said.keys() - _READERS.keys()))
    if unknown:
        raise BadInput(f"filter: expected {', '.join(NAMES)}; got {', '.join(unknown)}.", code="bad_filter")


def _text(name: str, value: Any) -> str:
    """A value of JSON as it would stand in an address."""
    if not isinstance(value, str | bool | int | float):
        raise BadInput(f"`{name}` is a word or a number, not {value!r}.", code="bad_query")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\x00" in text:
        raise BadInput(f"`{name}` must not hold a NUL character.", code="bad_query")
    return text


def _words(project: Project, name: str, text: str) -> str:
    return text


def _state(project: Project, name: str, text: str) -> str:
    if text not in Image.State.values:
        raise BadInput(f"`state` is one of {', '.join(Image.State.values)}, not “{text}”.", code="bad_state")
    return text


def _answer(project: Project, name: str, text: str) -> str:
    if text not in ANSWERS:
        raise BadInput(f"`answer` is one of {', '.join(ANSWERS)}, not “{text}”.", code="bad_answer")
    return text


def _flag(project: Project, name: str, text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise BadInput(f"`{name}` is true or false, not “{text}”.", code="bad_flag")
    return text.lower() in ("true", "1")


def _score(project: Project, name: str, text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0.0 <= score <= 1.0:
        raise BadInput(f"`min_score` is a number from 0 to 1, not “{text[:40]}”.", code="bad_score")
    return score


def _image(project: Project, name: str, text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise BadInput(f"`{name}` is the id of an image, not “{text[:40]}”.", code="bad_image")
    return number


def _tag(project: Project, name: str, text: str) -> int:
    return vocabulary.active_ids(project, [id_or_word(text)])[0]


def moment(name: str, text: str) -> datetime:
    """The day or time that the text names; one without a zone is in the installation's."""
    try:
        at = parse_datetime(text)
    except ValueError:  # well formed, but no such day
        at = None
    if at is None or not 1 < at.year < MAXYEAR:  # the zone may move the outermost years out of range
        raise BadInput(f"`{name}` is a day or a time like 2026-03-31T12:00:00Z.", code=f"bad_{name}")
    return at if timezone.is_aware(at) else timezone.make_aware(at)


def _since(project: Project, name: str, text: str) -> datetime:
    return moment(name, text)


def _until(project: Project, name: str, text: str) -> datetime:
    """Up to this moment; a day counts to its end."""
    at = moment(name, text)
    return at + timedelta(days=1) if len(text) == _DAY_CHARS else at


_READERS: dict[str, tuple[str, Callable[[Project, str, str], Any]]] = {
    "q": ("words", _words),
    "state": ("state", _state),
    "tag": ("tag_id", _tag),
    "answer": ("answer", _answer),
    "suggested": ("suggested_id", _tag),
    "min_score": ("min_score", _score),
    "reviewer": ("reviewer", _words),
    "since": ("since", _since),
    "until": ("until", _until),
    "disagreement": ("disagreement", _flag),
    "is_holdout": ("is_holdout", _flag),
    "flagged": ("flagged", _flag),
    "like": ("like_id", _image),
}
NAMES = tuple(_READERS)
