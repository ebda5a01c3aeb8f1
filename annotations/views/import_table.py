"""Import by table: send it, say which column is what while looking at its first rows, then import it.

Two plain forms. Between them the files wait in staging; nothing is stored before the second one says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations import tasks
from annotations.errors import BadInput, DomainError
from annotations.importers import buckets, kept, sources, uploads
from annotations.importers.archives import opening as archives
from annotations.importers.tables.mapping import SEPARATORS, TARGETS
from annotations.importers.tables.preview import COLUMNS_SHOWN, Preview
from annotations.importers.uploads import StagedUpload
from annotations.services import imports
from annotations.views.staged_form import StagedFormPage

EXAMPLES_SHOWN = 3
_SEPARATOR_WORDS = {"|": "a bar |", ",": "a comma ,", ";": "a semicolon ;"}


@dataclass(frozen=True)
class Column:
    """One line of the mapping: the field's name in the form, and the column's first cells."""

    field: str
    name: str
    target: str
    examples: tuple[str, ...]


class ImportTablePage(StagedFormPage):
    template = "annotations/import_table.html"
    section = "import"
    needs = "import"
    depends_on = ("io",)

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        return self.show()

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        token = request.POST.get("kept", "")
        try:
            if not token:
                return self._first_look()
            area, files = kept.take(token, project_id=self.project.pk, user_id=self.user.pk)
        except DomainError as error:
            return self.show(error)
        return self._again(token, area, files)

    def show(self, error: DomainError | None = None) -> HttpResponse:
        return self.page(error.status if error else 200, refused=error)

    def shared(self) -> dict[str, Any]:
        """What the page needs before a table is looked at and after it: the sources beside this one among it."""
        return super().shared() | {"tab": "table", "buckets": buckets.allowed_names(), "limits": uploads}

    def _first_look(self) -> HttpResponse:
        files = _by_ending(self.uploaded())
        if not any(upload.field == "manifest" for upload in files):
            raise BadInput(
                "Expected a table, got none. Choose a CSV, TSV, JSON, JSON Lines or Parquet file.",
                code="nothing_sent",
            )
        try:
            shown = sources.previewed({}, files)
        except BadInput as error:
            if error.code != "missing_column":
                raise
            shown = sources.previewed({}, files, is_mapped=False)
        token = kept.keep(self.area, files, project_id=self.project.pk, user_id=self.user.pk)
        self.keeps_area = True
        return self._mapping(token, files, shown)

    def _again(self, token: str, area: str, files: list[StagedUpload]) -> HttpResponse:
        """The mapping as the person has changed it: shown again, or imported."""
        shown = sources.previewed({}, files, is_mapped=False)
        said = {**self.sent(), "mapping": _said(shown, self.request.POST)}
        try:
            if "look" in said:
                return self._mapping(token, files, sources.previewed(said, files))
            source = sources.read(said, files, area=area)
            job = imports.start(
                self.project,
                actor=self.user,
                source=source.name,
                batch=source.batch,
                options=sources.options(said),
                area=area,
            )
        except DomainError as error:
            return self._mapping(token, files, sources.previewed(said, files, is_mapped=False), error)
        kept.forget(area)
        tasks.nudge(tasks.run_import, job.pk)
        return redirect("import-report", self.project.pk, job.pk)

    def _mapping(
        self, token: str, files: list[StagedUpload], shown: Preview, error: DomainError | None = None
    ) -> HttpResponse:
        form = self.request.POST
        return self.page(
            error.status if error else 200,
            refused=error,
            kept=token,
            shown=shown,
            columns=_columns(shown),
            more_columns=max(0, len(shown.columns) - COLUMNS_SHOWN),
            targets=TARGETS,
            separators={mark: _SEPARATOR_WORDS[mark] for mark in SEPARATORS},
            file_count=sum(upload.field == "files" for upload in files),
            archive=next((upload.path for upload in files if upload.field == "archive"), ""),
            creates_tags="true" in form.getlist("create_tags", ["true"]) if "kept" in form else True,
            is_complete="complete" in form,
        )


def _said(shown: Preview, form: Mapping[str, str]) -> dict[str, str]:
    """What the person chose for each column; one that the page does not show keeps its guess."""
    chosen = {column.name: form.get(column.field) for column in _columns(shown)}
    return {name: target for name, target in chosen.items() if target is not None}


def _columns(shown: Preview) -> list[Column]:
    return [
        Column(
            f"column-{at}",
            name,
            shown.mapping[name],
            tuple(cell for row in shown.rows if (cell := row[at].strip()))[:EXAMPLES_SHOWN],
        )
        for at, name in enumerate(shown.columns[:COLUMNS_SHOWN])
    ]


def _by_ending(files: list[StagedUpload]) -> list[StagedUpload]:
    """An archive among the pictures is one."""
    for upload in files:
        if upload.field == "files" and archives.is_archive(upload.path):
            upload.field = "archive"
    return files
