"""API of the vocabulary: list, create, type-ahead, edit, retire."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, flag_of, limit_of, page
from annotations.api.serializers import TagBody, TagChanges
from annotations.errors import BadInput, NotFound, Refused
from annotations.models import Decision, Project, Role, Tag
from annotations.selectors import vocabulary
from annotations.services import requests, tags
from annotations.types import TagSpec

SEARCH_LIMIT = 50


def tag_json(tag: Tag) -> dict[str, Any]:
    return {
        "id": tag.pk,
        "name": tag.name,
        "aliases": [alias.name for alias in tag.aliases.all()],
        "parent": tag.parent_id,
        "hotkey": tag.hotkey,
        "colour": tag.colour,
        "description": tag.description,
        "retired_at": tag.retired_at,
    }


def tag_of(project: Project, tag_id: int) -> Tag:
    tag = Tag.objects.filter(project=project, pk=tag_id).select_related("project").first()
    if tag is None:
        raise NotFound(f"Tag {tag_id} is not in this project.", tag=tag_id)
    return tag


class TagList(ProjectView):
    @extend_schema(operation_id="tags_list", responses={200: dict})
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project()
        text = request.query_params.get("q")
        if text is None:
            retired = flag_of(request, "retired")
            rows = vocabulary.all_tags(project) if retired else vocabulary.active_tags(project)
            return page(request, rows, lambda found: [tag_json(tag) for tag in found])
        if "\x00" in text:
            raise BadInput("`q` must not hold a NUL character.", code="bad_query")
        matches = vocabulary.search(project, text[:200], min(limit_of(request), SEARCH_LIMIT))
        results = [tag_json(match["tag"]) | {"matched_alias": match["matched_alias"]} for match in matches]
        return Response({"results": results, "next": None})

    @extend_schema(request=TagBody(many=True), responses={201: dict})
    def post(self, request: Request, project_id: int) -> Response:
        project = self.project(Role.MANAGER)
        many = isinstance(request.data, list)
        body = TagBody(data=request.data if many else [request.data], many=True)
        body.is_valid(raise_exception=True)
        items = [dict(item) for item in body.validated_data]
        client_id = next((item["client_id"] for item in items if "client_id" in item), None)
        specs = [
            TagSpec(**{key: value for key, value in item.items() if key != "client_id"}) for item in items
        ]

        def create() -> dict[str, Any]:
            return {"ids": [tag.pk for tag in tags.create_many(project, specs, actor=request.user)]}

        stored, is_new = requests.once(
            project_id=project.pk, user=request.user, client_id=client_id, body=items, act=create
        )
        found = vocabulary.all_tags(project).in_bulk(stored["ids"])
        answers = [tag_json(found[tag_id]) for tag_id in stored["ids"]]
        return Response(answers if many else answers[0], status=201 if is_new else 200)


class TagDetail(ProjectView):
    @extend_schema(operation_id="tags_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, tag_id: int) -> Response:
        return Response(tag_json(tag_of(self.project(), tag_id)))

    @extend_schema(request=TagChanges, responses={200: dict})
    def patch(self, request: Request, project_id: int, tag_id: int) -> Response:
        tag = tag_of(self.project(Role.MANAGER), tag_id)
        body = TagChanges(data=request.data)
        body.is_valid(raise_exception=True)
        if flag_of(request, "preview"):
            return Response(touched_by(tag))
        changes = {key: value for key, value in body.validated_data.items() if key != "client_id"}
        return Response(tag_json(tags.update(tag, changes, actor=request.user)))


class TagRetire(ProjectView):
    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, project_id: int, tag_id: int) -> Response:
        tag = tag_of(self.project(Role.MANAGER), tag_id)
        if flag_of(request, "preview"):
            return Response(touched_by(tag))
        return Response(tag_json(tags.retire(tag, actor=request.user)))


class TagUndo(ProjectView):
    @extend_schema(request=None, responses={200: dict})
    def post(self, request: Request, project_id: int, tag_id: int) -> Response:
        """Takes a retirement back, the one surgery that can be undone so far."""
        tag = tag_of(self.project(Role.MANAGER), tag_id)
        if tag.retired_at is None:
            raise Refused("There is nothing to undo: the tag is not retired.", code="nothing_to_undo")
        return Response(tag_json(tags.revive(tag, actor=request.user)))


def touched_by(tag: Tag) -> dict[str, Any]:
    """What a change of the tag would touch."""
    decisions = Decision.objects.filter(tag=tag)
    return {
        "decisions": decisions.count(),
        "images": decisions.values("image").distinct().count(),
        "children": tag.children.count(),
    }
