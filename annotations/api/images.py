"""API of images: list, one with everything about it, change caption or metadata, trash."""

from datetime import MAXYEAR, datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, flag_of, limit_of, next_address, whole_number
from annotations.api.serializers import ImageChanges
from annotations.errors import BadInput
from annotations.models import Image, Project
from annotations.permissions import allows, required_role
from annotations.selectors import counters, images, queue, vocabulary
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
    @extend_schema(operation_id="images_list", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project(required_role("see_images"))
        ordering = request.query_params.get("ordering", "created")
        limit = limit_of(request)
        wanted = filter_of(request, project)
        rows = images.ordered(images.matching(project, wanted), ordering, request.query_params.get("after"))
        found = list(rows[: limit + 1])
        shown = found[:limit]
        truths = images.truths(project, shown)
        names = dict(images.tag_names(project))
        more = len(found) > limit
        answer: dict[str, Any] = {
            "results": [row_json(image, truths[image.pk], names) for image in shown],
            "next": next_address(request, images.cursor(shown[-1], ordering)) if more else None,
        }
        if wanted == ImageFilter():
            answer["count"] = counters.read(project.pk).get("images", 0)
        return Response(answer)


class ImageDetail(ProjectView):
    @extend_schema(operation_id="images_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, image_id: int) -> Response:
        project = self.project()
        return Response(self._json(project, images.get(project, image_id)))

    @extend_schema(request=ImageChanges, responses={200: dict})
    def patch(self, request: Request, project_id: int, image_id: int) -> Response:
        project = self.project(required_role("edit_images"))
        body = ImageChanges(data=request.data)
        body.is_valid(raise_exception=True)
        changes = dict(body.validated_data)
        image = image_edits.update(project, image_id, changes.pop("revision"), changes, actor=request.user)
        return Response(self._json(project, image))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, project_id: int, image_id: int) -> Response:
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


def filter_of(request: Request, project: Project) -> ImageFilter:
    """The filter in the query; raises BadInput naming the parameter that is wrong."""
    query = request.query_params
    for name, text in query.items():
        if "\x00" in text:
            raise BadInput(f"`{name}` must not hold a NUL character.", code="bad_query")
    state = query.get("state")
    if state and state not in Image.State.values:
        raise BadInput(f"`state` is one of {', '.join(Image.State.values)}, not “{state}”.", code="bad_state")
    return ImageFilter(
        state=state,
        is_holdout=flag_of(request, "is_holdout"),
        words=query.get("q"),
        tag_id=_tag_id(project, query.get("tag")),
        suggested_id=_tag_id(project, query.get("suggested")),
        reviewer=query.get("reviewer"),
        since=_since(query.get("since")),
        disagreement=bool(flag_of(request, "disagreement")),
    )


def _since(text: str | None) -> datetime | None:
    """The moment; one without a zone is in the installation's."""
    if text is None:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:  # well formed, but no such day
        moment = None
    if moment is None or not 1 < moment.year < MAXYEAR:  # the zone may move the outermost years out of range
        raise BadInput("`since` is a time like 2026-03-31T12:00:00Z.", code="bad_since")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _tag_id(project: Project, word: str | None) -> int | None:
    if word is None:
        return None
    number = whole_number(word)
    found, unknown = vocabulary.resolve(project, [word if number is None else number])
    if unknown:
        raise vocabulary.unknown_tags(unknown)
    return found[0]
