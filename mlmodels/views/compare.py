"""Page that compares any two versions: figures side by side, and every tag, the largest change first."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from annotations.errors import NotFound
from annotations.selectors import model_inputs
from annotations.views.base import ProjectPage
from mlmodels import selectors
from mlmodels.models import ModelVersion
from mlmodels.views import comparison, plots

VERSIONS_OFFERED = 200
TAGS_SHOWN = 30
# A plot of more rows is taller than a canvas can be; the table of each version has them all.
TAGS_DRAWN = 250


class ComparePage(ProjectPage):
    template = "mlmodels/compare.html"
    section = "models"
    needs = "see_models"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        offered = selectors.light_versions(project_id, VERSIONS_OFFERED)
        by = request.GET.get("by", "ap")
        if by not in comparison.FIGURES:
            by = "ap"
        shared: dict[str, Any] = {"offered": offered, "by": by, "figures_offered": comparison.FIGURES.items()}
        if len(offered) < 2:
            return self.page(**shared)
        live_id = model_inputs.live(project_id).version_id
        one, other = self._chosen(offered, live_id)
        figure, words = comparison.FIGURES[by]
        rows = comparison.tag_rows(one, other, figure)
        drawn = rows[: TAGS_DRAWN if "all" in request.GET else TAGS_SHOWN]
        return self.page(
            one=one,
            other=other,
            pair=(one, other),
            idle=[version for version in dict.fromkeys((one, other)) if version.pk != live_id],
            figures=comparison.figures(one, other),
            words=words,
            compared_plot=plots.compared(drawn, f"v{one.number}", f"v{other.number}", words),
            drawn=len(drawn),
            count=len(rows),
            **shared,
        )

    def _chosen(
        self, offered: Sequence[ModelVersion], live_id: int | None
    ) -> tuple[ModelVersion, ModelVersion]:
        """The two that are asked for; else what serves (or the newest), and the version before it."""
        ids = [version.pk for version in offered]
        newer = self._asked("b") or (live_id if live_id in ids else ids[0])
        before = [version_id for version_id in ids if version_id != newer]
        if newer in ids:
            before = ids[ids.index(newer) + 1 :] or before
        return self._version(self._asked("a") or before[0]), self._version(newer)

    def _asked(self, name: str) -> int | None:
        value = self.request.GET.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None

    def _version(self, version_id: int) -> ModelVersion:
        version = selectors.version(self.project.pk, version_id)
        if version is None:
            raise NotFound(f"Model version {version_id} does not exist in this project.")
        return version
