"""Label Studio: tasks with the annotations of one person or several. What only some of them say is in dispute.

The latest prediction of a task is what another model suggests.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from annotations.importers import suggested
from annotations.importers.base import ItemError, StagedFile
from annotations.importers.damage import broken_off, not_an_object
from annotations.importers.folder import PICTURE_SUFFIXES
from annotations.importers.formats import base
from annotations.importers.formats.base import Sent, text
from annotations.importers.json_documents import ANY, JSON_ERRORS, elements
from annotations.importers.suggested import Suggested
from annotations.importers.tables.base import OpenedTable, Row, place

_TASKS = (ANY,)
# Before the name of an uploaded file Label Studio puts eight digits and a hyphen.
_UPLOAD, _UPLOAD_CHARS = "/upload/", 9
# Of a prediction that names no score: as likely as not.
_NO_SCORE = 0.5
_OURS = ("sha256", "state", "no", "disputed")


def opened(sent: Sent, file: StagedFile) -> OpenedTable:
    return base.table(file.name, lambda: _rows(sent, file), unit="task")


def is_task(value: Any) -> bool:
    """Whether the first element of a list tells that it is an export of tasks."""
    if not isinstance(value, Mapping) or not isinstance(value.get("data"), Mapping):
        return False
    return bool({"annotations", "completions", "predictions"} & value.keys())


def _rows(sent: Sent, file: StagedFile) -> Iterator[Row | ItemError]:
    try:
        with sent.opened(file) as stream:
            for number, (_, task) in enumerate(elements(stream, (_TASKS,)), 1):
                if isinstance(task, Mapping) and isinstance(task.get("data"), Mapping):
                    yield _row(sent, file, number, task)
                else:
                    yield not_an_object(place(file.name, number, unit="task"), task)
    except JSON_ERRORS as error:
        yield broken_off(file.name, error)


def _row(sent: Sent, file: StagedFile, number: int, task: Mapping[str, Any]) -> Row:
    data = task["data"]
    split = text(data.get("split")) or ""
    address = _address(data)
    located = _located(sent, file, address, split)
    yes, disputed = _verdicts(task.get("annotations") or task.get("completions"))
    sha256 = base.digest(data.get("sha256"))
    is_ours = sha256 is not None and set(_OURS) <= data.keys()
    ours = data if is_ours else {}
    return base.row(
        number,
        path=located,
        url=address if address.startswith(("http://", "https://")) and located == address else None,
        sha256=sha256,
        caption=text(data.get("caption")),
        split=split,
        tags=yes,
        disputed=[*disputed, *(ours.get("disputed") or [])],
        no=ours.get("no"),
        state=ours.get("state"),
        # In an export of ours they are what our own model said.
        suggestions=None
        if is_ours
        else _suggested(task.get("predictions"), place(file.name, number, unit="task")),
    )


def _address(data: Mapping[str, Any]) -> str:
    """Where the task's picture is: under `image`, else the first text that ends as pictures' names do."""
    if isinstance(data.get("image"), str):
        return str(data["image"])
    texts = [value for value in data.values() if isinstance(value, str)]
    return next((one for one in texts if one.lower().split("?")[0].endswith(PICTURE_SUFFIXES)), "")


def _located(sent: Sent, file: StagedFile, address: str, split: str) -> str:
    served = parse_qs(urlsplit(address).query).get("d") if "?" in address else None
    path = f"/{served[0]}" if served else address  # served from local storage
    found = sent.located(path, file.name, split)
    if found not in sent.by_name and _UPLOAD in path:
        folder, _, name = path.rpartition("/")
        found = sent.located(f"{folder}/{name[_UPLOAD_CHARS:]}", file.name, split)
        return found if found in sent.by_name else path.rpartition("/")[2][_UPLOAD_CHARS:]
    return found


def _verdicts(annotations: Any) -> tuple[list[str], list[str]]:
    """What everybody says who was asked, and what only some say. An empty annotation says that nothing applies."""
    said = [_by_question(one) for one in annotations or [] if isinstance(one, Mapping) and not _is_void(one)]
    tags = dict.fromkeys(
        (question, tag) for one in said for question, listed in one.items() for tag in listed
    )
    yes: list[str] = []
    disputed: list[str] = []
    for question, tag in tags:
        asked = [one for one in said if question in one or not one]
        (yes if all(tag in one.get(question, ()) for one in asked) else disputed).append(tag)
    return [tag for tag in yes if tag not in disputed], disputed


def _is_void(annotation: Mapping[str, Any]) -> bool:
    return bool(annotation.get("was_cancelled") or annotation.get("skipped"))


def _by_question(annotation: Mapping[str, Any]) -> dict[str, list[str]]:
    """The tags under the name of the control in which they were chosen: regions have labels, images choices."""
    found: dict[str, list[str]] = {}
    for result, names in _results(annotation):
        found.setdefault(str(result.get("from_name")), []).extend(names)
    return found


def _suggested(predictions: Any, item: str) -> Suggested | None:
    """The latest prediction in which something is: an image has one set of suggestions a model, an item one model."""
    listed = predictions if isinstance(predictions, list) else []
    for prediction in (one for one in reversed(listed) if isinstance(one, Mapping)):
        model = prediction.get("model_version")
        said = [
            {"tag": name, "score": _score(result, prediction)}
            for result, names in _results(prediction)
            for name in names
            if name.strip()
        ]
        if said:
            return suggested.read(said, model if isinstance(model, str | int | float) else None, item=item)
    return None


def _score(*places: Mapping[str, Any]) -> float:
    """The first score from 0 to 1: of the result itself, else of the prediction that it is part of."""
    scores = (one.get("score") for one in places)
    numbers = (float(score) for score in scores if isinstance(score, int | float))
    return next((score for score in numbers if 0 <= score <= 1), _NO_SCORE)


def _results(annotation: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], list[str]]]:
    """Each result of an annotation or a prediction, with the names chosen in it."""
    listed = annotation.get("result")
    for result in listed if isinstance(listed, list) else []:
        if not isinstance(result, Mapping) or not isinstance(value := result.get("value"), Mapping):
            continue
        chosen = value.get("choices" if result.get("type") == "choices" else str(result.get("type")))
        if not isinstance(chosen, list) or result.get("type") == "textarea":
            continue
        # A taxonomy has a path a choice, of which the last part is the narrowest.
        names = [one[-1] if isinstance(one, list) and one else one for one in chosen]
        yield result, [name for name in names if isinstance(name, str)]
