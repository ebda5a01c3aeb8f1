"""API of images: list, one with everything about it, change caption or metadata, trash."""

from dataclasses import replace
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations import tasks
from annotations.api.base import PAGED, ProjectView, limit_of, next_address
from annotations.api.serializers import ImageChanges
from annotations.models import Image, Project
from annotations.permissions import allows, required_role
from annotations.selectors import counters, image_filters, images, queue, score_order, verify
from annotations.selectors.images import ImageFilter
from annotations.services import image_edits
from annotations.types import ImageTruth


def row_json(image: Image, truth: ImageTruth, names: dict[int, str]) -> dict[str, Any]:
    return {
        "id": image.pk,
        "name": image.name,
        "path": image.path,
        "sha256": image.sha256,
        "caption": image.caption,
        "state": image.state,
        "is_holdout": image.is_holdout,
        "width_px": image.width_px,
        "height_px": image.height_px,
        "yes": sorted(names[tag_id] for tag_id in truth.yes),
        "priority": image.priority,
        "revision": image.revision,
        **queue.addresses(image),
    }


class ImageList(ProjectView):
    @extend_schema(
        operation_id="images_list",
        parameters=[
            *(OpenApiParameter(name, str) for name in image_filters.NAMES),
            OpenApiParameter(
                "ordering", str, description=f"{', '.join(images.ORDERINGS)}, or {images.BY_SCORE}TAG."
            ),
            *PAGED,
        ],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """With `ordering=score:{tag}` rows have that `score`, and `built_at` says when their order was built.

        What is `like` a holdout image that waits for reviews has no `yes`: it would be an answer.
        """
        project = self.project(required_role("see_images"))
        ordering = request.query_params.get("ordering", "created")
        limit = limit_of(request)
        wanted = image_filters.read(project, request.query_params.dict())
        if wanted.flagged is not None and not allows(self.membership.role, "see_all_flags"):
            wanted = replace(wanted, flagged_by=self.membership.user_id)
        rows = images.matching(project, wanted)
        tag_id = score_order.tag_of(project, ordering)
        if tag_id is not None:
            rows = score_order.scored(rows, project, tag_id)
        found = list(images.ordered(rows, ordering, request.query_params.get("after"))[: limit + 1])
        shown = found[:limit]
        truths = images.truths(project, shown)
        names = dict(images.tag_names(project))
        more = len(found) > limit
        answer: dict[str, Any] = {
            "results": [row_json(image, truths[image.pk], names) for image in shown],
            "next": next_address(request, images.cursor(shown[-1], ordering)) if more else None,
        }
        if images.tells_of_blind(project, wanted):
            for row in answer["results"]:
                del row["yes"]
        if tag_id is not None:
            self._tell_scores(project, answer, shown)
        elif wanted == ImageFilter():
            answer["count"] = counters.read(project.pk).get("images", 0)
        return Response(answer)

    def _tell_scores(self, project: Project, answer: dict[str, Any], shown: list[Image]) -> None:
        """Each row's score, and how old the order is; one that is too old is built anew in the background."""
        tasks.keep_ranked(project.pk)
        answer["built_at"] = verify.built_at(project)
        for row, image in zip(answer["results"], shown, strict=True):
            row["score"] = round(image.score, 4)  # type: ignore[attr-defined]


class ImageDetail(ProjectView):
    @extend_schema(operation_id="images_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, image_id: int) -> Response:
        """An image with its verdicts, suggestions and history; an annotator sees their own part of that."""
        project = self.project()
        return Response(self._json(project, images.get(project, image_id)))

    @extend_schema(request=ImageChanges, responses={200: dict})
    def patch(self, request: Request, project_id: int, image_id: int) -> Response:
        """Managers. Caption or metadata; `revision` is the one that was read, else 409."""
        project = self.project(required_role("edit_images"))
        body = ImageChanges(data=request.data)
        body.is_valid(raise_exception=True)
        changes = dict(body.validated_data)
        image = image_edits.update(project, image_id, changes.pop("revision"), changes, actor=request.user)
        return Response(self._json(project, image))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, project_id: int, image_id: int) -> Response:
        """Managers. Moves the image to the trash for 30 days."""
        project = self.project(required_role("edit_images"))
        image_edits.trash(project, image_id, actor=request.user)
        return Response(status=204)

    def _json(self, project: Project, image: Image) -> dict[str, Any]:
        truth = images.truths(project, [image])[image.pk]
        names = dict(images.tag_names(project))
        sees_all = allows(self.membership.role, "see_history")
        return row_json(image, truth, names) | {
            "metadata": image.metadata,
            "created_at": image.created_at,
            "tags": {
                "yes": sorted(names[tag_id] for tag_id in truth.yes),
                "no": sorted(names[tag_id] for tag_id in truth.no),
                "disputed": sorted(names[tag_id] for tag_id in truth.disputed),
            },
            "suggestions": images.suggestions(project, image),
            "history": images.history(image, only_of=None if sees_all else self.membership.user),
        }
