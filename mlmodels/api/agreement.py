"""API of agreement: how alike people tag the same images."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, flag_of
from annotations.permissions import required_role
from annotations.selectors import vocabulary
from mlmodels.services import agreement
from mlmodels.services.agreement import Figures


def figures_json(figures: Figures) -> dict[str, Any]:
    """`alpha` with the bounds of its interval, null where it is not defined; `reading` null where it is too early."""
    alpha = figures.alpha
    return asdict(figures) | {
        "alpha": alpha and alpha.point,
        "lower": alpha and alpha.lower,
        "upper": alpha and alpha.upper,
        "reading": figures.reading or None,
    }


class AgreementView(ProjectView):
    @extend_schema(
        operation_id="agreement_retrieve",
        parameters=[
            OpenApiParameter("blind", bool, description="Only images that were tagged without suggestions.")
        ],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """Krippendorff's alpha with its 95 % interval for each tag in use (`results`) and over all (`overall`).

        From reviews of whole images by two people or more. `images` is how many were judged, `differ` on how many of
        these not all said the same, `yes_share` the share of yes among the answers, `rarer` on how many images somebody
        gave the rarer answer. `alpha` is null where nobody, or everybody, said yes. `reading` is reliable (from 0.8,
        the interval above 0.667), tentative (from 0.667) or unreliable.
        """
        project = self.project(required_role("see_quality"))
        blind = bool(flag_of(request, "blind"))
        told = agreement.told(project.pk, project.vocabulary_version, blind=blind)
        tags = [tag for tag in vocabulary.active_tags(project) if tag.pk in told.tags]
        return Response(
            {
                "blind": blind,
                "overall": figures_json(told.overall),
                "results": [
                    {"tag": {"id": tag.pk, "name": tag.name}, **figures_json(told.tags[tag.pk])}
                    for tag in tags
                ],
                "next": None,
            }
        )
