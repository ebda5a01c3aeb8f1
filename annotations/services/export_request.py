"""What a person asks of an export, checked: which images, and the format's options."""

from collections.abc import Mapping
from typing import Any

from annotations.errors import BadInput
from annotations.exporters.base import Exporter, Option
from annotations.models import Image
from annotations.selectors import export_rows
from annotations.services import export_files


def wanted(sent: Mapping[str, Any]) -> export_rows.Filter:
    """The images. Raises BadInput for a filter that is not known."""
    unknown = sent.keys() - {"state", "is_holdout"}
    if unknown:
        raise BadInput(
            f"filter: expected `state` or `is_holdout`, got {', '.join(sorted(map(str, unknown)))}.",
            code="bad_filter",
        )
    state, is_holdout = sent.get("state"), sent.get("is_holdout")
    if state is not None and state not in Image.State.values:
        raise BadInput(
            f"filter: expected a state of {', '.join(Image.State.values)}, got {state!r}.", code="bad_filter"
        )
    if is_holdout is not None and not isinstance(is_holdout, bool):
        raise BadInput(
            f"filter: expected is_holdout to be true or false, got {is_holdout!r}.", code="bad_filter"
        )
    return export_rows.Filter(state=state, is_holdout=is_holdout)


def options(exporter: Exporter, sent: Mapping[str, Any], *, with_pictures: bool) -> dict[str, Any]:
    """What was chosen, checked."""
    known = export_files.options(exporter, with_pictures=with_pictures)
    for name, value in sent.items():
        option = known.get(name)
        if option is None or not _is_choice(option, value):
            raise BadInput(
                f"options: expected {_in_words(known)}; got {name} = {value!r}.", code="bad_option"
            )
    for name, option in known.items():
        if option.is_required and name not in sent:
            raise BadInput(
                f"options: {exporter.name} needs {name} (“{option.text}”) to be one of {', '.join(option.choices)}.",
                code="option_missing",
            )
    return dict(sent)


def _is_choice(option: Option, value: object) -> bool:
    if option.choices:
        return isinstance(value, str) and value in option.choices
    return isinstance(value, bool)


def _in_words(known: Mapping[str, Option]) -> str:
    said = [
        f"{name} as one of {', '.join(option.choices)}" if option.choices else f"{name} as true or false"
        for name, option in known.items()
    ]
    return " or ".join(said) or "none"
