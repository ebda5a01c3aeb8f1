"""Which column says what: guessed from names and first cells, changed by the person, checked before it is used."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any

from annotations.errors import BadInput
from annotations.exporters import csv_long, csv_rows
from annotations.importers import suggested
from annotations.importers.base import TAGS_SEPARATOR
from annotations.importers.folder import PICTURE_SUFFIXES
from annotations.importers.tables.base import Columns, Row, Table, listed

# What a column may be, in words for people. A column that is nothing is left out.
TARGETS: Mapping[str, str] = {
    "path": "Path of the image",
    "name": "File name",
    "sha256": "sha256 of the file",
    "url": "Address",
    "caption": "Caption",
    "tags": "Tags",
    "no": "Tags that do not apply",
    "disputed": "Tags in dispute",
    "not_asked": "Tags nobody was asked about",
    "tag": "One tag",
    "verdict": "Verdict on that tag",
    "state": "State",
    "split": "Split",
    "holdout": "Of the holdout",
    "suggestions": "Suggestions of another model",
    "model_version": "Name of the model that suggests",
    "metadata": "Metadata",
}
NOTHING = ""
SEPARATORS = ("|", ",", ";")
NAMES_A_PICTURE = ("path", "name", "sha256", "url")
ROWS_LOOKED_AT = 50

_KNOWN_NAMES: Mapping[str, Sequence[str]] = {
    "path": ("path", "file_path", "filepath", "image_path", "img_path", "relative_path"),
    "name": ("name", "file_name", "filename", "file", "image_name", "image", "img", "picture", "photo"),
    "sha256": ("sha256", "sha_256"),
    "url": ("url", "image_url", "img_url", "uri", "link", "src"),
    "caption": ("caption", "text", "description", "alt", "alt_text", "title"),
    "tags": ("tags", "yes", "tag_list", "labels", "label", "classes", "categories", "keywords"),
    "no": ("no", "not_tags", "negatives"),
    "disputed": ("disputed",),
    "not_asked": ("not_asked",),
    "holdout": ("is_holdout",),
    "split": ("split", "subset", "fold"),
    "metadata": ("metadata", "meta", "attributes"),
}
# Guessed after all others, and not by these names alone.
_OF_ANOTHER_MODEL: Mapping[str, Sequence[str]] = {
    "suggestions": ("suggestions", "predictions", "predicted"),
    "model_version": ("model_version", "model_name", "model"),
}
_ALL_NAMES = {**_KNOWN_NAMES, **_OF_ANOTHER_MODEL}
_OURS = tuple(frozenset(columns) for columns in (csv_rows.COLUMNS, csv_long.COLUMNS))
_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


def read(table: Table, said: Mapping[str, str] | None = None, *, separator: str = "") -> Columns:
    """The guesses for a table, with what a person said of single columns in their place. Raises BadInput."""
    sample = [row for row in islice(table.rows(), ROWS_LOOKED_AT) if isinstance(row, Row)]
    checked = _checked(table, said or {})
    targets = _with_said(guess(table.columns, sample), checked)
    _guess_model(targets, checked)
    if not any(target in NAMES_A_PICTURE for target in targets.values()):
        raise BadInput(
            f"{table.name}: expected a column that names the pictures, such as “path” or “name”, "
            f"got {listed(table.columns)}. Say which one it is; columns are separated by comma, semicolon or tab.",
            code="missing_column",
            file=table.name,
            found=list(table.columns[:50]),
        )
    if "verdict" in targets.values() and "tag" not in targets.values():
        raise BadInput(
            f"{table.name}: expected a column of tags beside the one of verdicts, got none. Say which one it is.",
            code="bad_mapping",
            file=table.name,
        )
    if separator and separator not in SEPARATORS:
        raise BadInput(
            f"tags_separator: expected one of {' '.join(SEPARATORS)}, got {separator[:20]!r}.",
            code="bad_option",
        )
    is_guarded = any(ours <= set(table.columns) for ours in _OURS)
    separator = separator or _separator(targets, sample, is_guarded)
    return Columns(targets, separator, is_guarded, table.empty_is_absent, _by_name)


def guess(columns: Sequence[str], sample: Sequence[Row]) -> dict[str, str]:
    """A target for each column, or nothing; each target but metadata once."""
    targets = dict.fromkeys(columns, NOTHING)
    by_key: dict[str, str] = {}
    for column in columns:
        by_key.setdefault(_key(column), column)
    for target, names in _KNOWN_NAMES.items():
        if found := next((by_key[name] for name in names if name in by_key), None):
            targets[found] = target
    if "tag" in by_key:
        targets[by_key["tag"]] = "tag" if "verdict" in by_key else "tags"
        if "verdict" in by_key:
            targets[by_key["verdict"]] = "verdict"
    # A state says something of a review only where we wrote it ourselves.
    if (
        "state" in by_key
        and {"sha256", "state"} <= by_key.keys()
        and ({"split", "yes", "disputed"} & by_key.keys())
    ):
        targets[by_key["state"]] = "state"
    if not any(target in NAMES_A_PICTURE for target in targets.values()):
        _guess_by_cells(targets, sample)
    suggesting = (column for column in _free(targets, "suggestions") if _suggests(column, sample))
    if found := next(suggesting, None):
        targets[found] = "suggestions"
        _guess_model(targets)
    return targets


def _guess_by_cells(targets: dict[str, str], sample: Sequence[Row]) -> None:
    """A column whose first cells look like pictures' names, addresses or sha256s."""
    for column, taken in targets.items():
        cells = [str(cell).strip() for row in sample if (cell := row.cells.get(column))]
        if taken or not cells:
            continue
        if all(_SHA256.fullmatch(cell) for cell in cells):
            target = "sha256"
        elif all(cell.lower().startswith(("http://", "https://")) for cell in cells):
            target = "url"
        elif all(cell.lower().endswith(PICTURE_SUFFIXES) for cell in cells):
            target = "path"
        else:
            continue
        if target not in targets.values():
            targets[column] = target


def _suggests(column: str, sample: Sequence[Row]) -> bool:
    """Whether the first cells bear the name out: predictions may be classes or boxes, and suggestions our own."""
    told = [cell for row in sample if not suggested.is_nothing(cell := row.cells.get(column))]
    if _key(column) == "suggestions":
        return not any(suggested.is_answer(cell) for cell in told)
    return not told or any(suggested.has_scores(cell) for cell in told)


def _guess_model(targets: dict[str, str], said: Collection[str] = ()) -> None:
    """Beside suggestions alone. In a table of verdicts it is the model that a person answered to, as we write it."""
    taken = set(targets.values())
    if "suggestions" not in taken or taken & {"model_version", "verdict"}:
        return
    if found := next((column for column in _free(targets, "model_version") if column not in said), None):
        targets[found] = "model_version"


def _free(targets: Mapping[str, str], wanted: str) -> list[str]:
    """The columns that bear a name of this target and are nothing else, the best name first."""
    names = _OF_ANOTHER_MODEL[wanted]
    found = [column for column, target in targets.items() if target == NOTHING and _key(column) in names]
    return sorted(found, key=lambda column: names.index(_key(column)))


def _separator(targets: Mapping[str, str], sample: Sequence[Row], is_guarded: bool) -> str:
    """The first of | ; , that stands within a cell of tags, in this order."""
    columns = [column for column, target in targets.items() if target in ("tags", "no", "disputed")]
    cells = [cell for row in sample for column in columns if isinstance(cell := row.cells.get(column), str)]
    found = (separator for separator in ("|", ";", ",") if any(separator in cell for cell in cells))
    return TAGS_SEPARATOR if is_guarded else next(found, TAGS_SEPARATOR)


def _checked(table: Table, said: Mapping[str, Any]) -> dict[str, str]:
    known = {unicodedata.normalize("NFC", column): column for column in table.columns}
    checked: dict[str, str] = {}
    for sent, sent_target in said.items():
        target = NOTHING if sent_target is None else sent_target
        column = known.get(unicodedata.normalize("NFC", sent))
        if column is None:
            raise BadInput(
                f"mapping: {table.name} has no column “{sent[:60]}”. Its columns are {listed(table.columns)}.",
                code="bad_mapping",
                column=sent[:200],
            )
        if target != NOTHING and (not isinstance(target, str) or target not in TARGETS):
            raise BadInput(
                f"mapping: expected column “{sent[:60]}” to be one of {', '.join(TARGETS)}, "
                f"or empty to leave it out, got {str(target)[:60]!r}.",
                code="bad_mapping",
                column=sent[:200],
            )
        if target not in (NOTHING, "metadata") and target in checked.values():
            raise BadInput(
                f"mapping: two columns are to be {target}. Choose one of them.",
                code="bad_mapping",
                column=sent[:200],
            )
        checked[column] = target
    return checked


def _with_said(guessed: Mapping[str, str], said: Mapping[str, str]) -> dict[str, str]:
    """What was said stands; a guess that it contradicts does not."""
    taken = set(said.values()) - {NOTHING, "metadata"}
    return {
        column: said.get(column, NOTHING if target in taken else target) for column, target in guessed.items()
    }


def _by_name(column: str) -> str:
    key = _key(column)
    return next((target for target, names in _ALL_NAMES.items() if key in names), NOTHING)


def _key(column: str) -> str:
    return re.sub(r"[\s\-]+", "_", unicodedata.normalize("NFC", column).strip().casefold())
