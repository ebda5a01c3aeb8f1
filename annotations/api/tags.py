"""API of the vocabulary: list, create, type-ahead, edit, retire, merge, split, delete, undo; each change with a
preview.
"""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import PAGED, PREVIEW, ProjectView, checked, flag_of, limit_of, page
from annotations.api.serializers import ActBody, MergeBody, SplitBody, TagBody, TagChanges
from annotations.errors import BadInput, NotFound
from annotations.models import Project, Role, Tag
from annotations.selectors import tag_preview, trash, vocabulary
from annotations.selectors.tag_preview import Merged, Touched
from annotations.services import requests, tag_merges, tag_splits, tag_trash, tag_undo, tags
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
        "deleted_at": tag.deleted_at,
        "merged_into": tag.merged_into_id,
        "split_from": tag.split_from_id,
    }


def tag_of(project: Project, tag_id: int, *, in_trash: bool = False) -> Tag:
    """Of the vocabulary; one in the trash only if that is asked for."""
    tag = Tag.objects.filter(project=project, pk=tag_id).select_related("project").first()
    if tag is None or (tag.deleted_at is not None and not in_trash):
        raise NotFound(f"Tag {tag_id} is not in this project.", tag=tag_id)
    return tag


class TagList(ProjectView):
    @extend_schema(
        operation_id="tags_list",
        parameters=[
            OpenApiParameter(
                "q", str, description="What is typed: the beginning of a name or alias, or nearly it."
            ),
            OpenApiParameter("retired", bool, description="Retired ones too."),
            OpenApiParameter("deleted", bool, description="Those in the trash alone."),
            *PAGED,
        ],
        responses={200: dict},
    )
    def get(self, request: Request, project_id: int) -> Response:
        """Tags in use by id, or the best matches for what is typed in `q`, at most 50."""
        project = self.project()
        text = request.query_params.get("q")
        if text is None:
            return page(request, self._rows(project), lambda found: [tag_json(tag) for tag in found])
        if "\x00" in text:
            raise BadInput("`q` must not hold a NUL character.", code="bad_query")
        matches = vocabulary.search(project, text[:200], min(limit_of(request), SEARCH_LIMIT))
        results = [tag_json(match["tag"]) | {"matched_alias": match["matched_alias"]} for match in matches]
        return Response({"results": results, "next": None})

    @extend_schema(request=TagBody(many=True), responses={201: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Managers. One tag, or a list of them that is created as a whole."""
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
        answers = [tag_json(tag) for tag in vocabulary.created(project, stored["ids"])]
        return Response(answers if many else answers[0], status=201 if is_new else 200)

    def _rows(self, project: Project) -> QuerySet[Tag]:
        if flag_of(self.request, "deleted"):
            return trash.tags(project).prefetch_related("aliases").order_by("id")
        if flag_of(self.request, "retired"):
            return vocabulary.all_tags(project)
        return vocabulary.active_tags(project)


class TagDetail(ProjectView):
    @extend_schema(operation_id="tags_retrieve", responses={200: dict})
    def get(self, request: Request, project_id: int, tag_id: int) -> Response:
        """One tag of the vocabulary, in use or retired."""
        return Response(tag_json(tag_of(self.project(), tag_id)))

    @extend_schema(parameters=PREVIEW, request=TagChanges, responses={200: dict})
    def patch(self, request: Request, project_id: int, tag_id: int) -> Response:
        """Managers. Name, aliases, parent, hotkey, colour, description: what is sent is changed."""
        tag = tag_of(self.project(Role.MANAGER), tag_id)
        body = TagChanges(data=request.data)
        body.is_valid(raise_exception=True)
        if flag_of(request, "preview"):
            return Response(touched_json(tag_preview.of_tag(tag.project, tag)))
        changes = {key: value for key, value in body.validated_data.items() if key != "client_id"}
        return Response(tag_json(tags.update(tag, changes, actor=request.user)))

    @extend_schema(parameters=PREVIEW, request=None, responses={200: dict})
    def delete(self, request: Request, project_id: int, tag_id: int) -> Response:
        """Moves the tag to the trash, from where undo brings it back within 30 days; `preview` says what it touches."""
        tag = tag_of(self.project(Role.MANAGER), tag_id)
        if flag_of(request, "preview"):
            return Response(touched_json(tag_preview.of_tag(tag.project, tag)))
        return Response(tag_json(tag_trash.delete(tag, actor=request.user)))


class TagRetire(ProjectView):
    @extend_schema(parameters=PREVIEW, request=ActBody, responses={200: dict})
    def post(self, request: Request, project_id: int, tag_id: int) -> Response:
        """Managers. Nobody is asked about the tag any more; its answers stay."""
        tag = tag_of(self.project(Role.MANAGER), tag_id)
        if flag_of(request, "preview"):
            return Response(touched_json(tag_preview.of_tag(tag.project, tag)))
        said = checked(ActBody, request)
        answer, _ = self.answered_once(said, lambda: tag_json(tags.retire(tag, actor=request.user)))
        return Response(answer)


class TagMerge(ProjectView):
    @extend_schema(parameters=PREVIEW, request=MergeBody, responses={200: dict})
    def post(self, request: Request, project_id: int, tag_id: int) -> Response:
        """Makes the tag part of another one, and answers that one."""
        project = self.project(Role.MANAGER)
        tag = tag_of(project, tag_id)
        said = checked(MergeBody, request)
        if flag_of(request, "preview"):
            into = vocabulary.active_tag(project, said["into"])
            tag_merges.refuse(tag, into)
            return Response(merge_json(tag_preview.of_merge(project, tag, into)))

        def merge() -> dict[str, Any]:
            into = vocabulary.active_tag(project, said["into"])
            return tag_json(tag_merges.merge(tag, into, actor=request.user, keep_words=said["keep_words"]))

        answer, _ = self.answered_once(said, merge)
        return Response(answer)


class TagSplit(ProjectView):
    @extend_schema(parameters=PREVIEW, request=SplitBody, responses={200: dict})
    def post(self, request: Request, project_id: int, tag_id: int) -> Response:
        """Retires the tag and answers the new ones."""
        tag = tag_of(self.project(Role.MANAGER), tag_id)
        said = checked(SplitBody, request)
        specs = [TagSpec(name=name) for name in said["into"]]
        if flag_of(request, "preview"):
            tag_splits.refuse(tag, specs)
            return Response(touched_json(tag_preview.of_tag(tag.project, tag)))

        def split() -> list[dict[str, Any]]:
            return [tag_json(part) for part in tag_splits.split(tag, specs, actor=request.user)]

        answer, _ = self.answered_once(said, split)
        return Response(answer)


class TagUndo(ProjectView):
    @extend_schema(request=ActBody, responses={200: dict})
    def post(self, request: Request, project_id: int, tag_id: int) -> Response:
        """Takes back what was done to the tag last: an edit, a retirement, a merge, a split or a deletion."""
        tag = tag_of(self.project(Role.MANAGER), tag_id, in_trash=True)
        said = checked(ActBody, request)
        answer, _ = self.answered_once(said, lambda: tag_json(tag_undo.undo(tag, actor=request.user)))
        return Response(answer)


def touched_json(touched: Touched) -> dict[str, Any]:
    """What a change of the tag would touch."""
    return {
        "id": touched.tag.pk,
        "name": touched.tag.name,
        "decisions": touched.decisions,
        "images": touched.images,
        "yes": touched.yes,
        "no": touched.no,
        "disputed": touched.disputed,
        "aliases": list(touched.aliases),
        "hotkey": touched.tag.hotkey,
        "children": touched.children,
        "suggestions": touched.suggestions,
        "proposals": touched.proposals,
        "is_complete": touched.is_complete,
    }


def merge_json(merged: Merged) -> dict[str, Any]:
    """The tag as `touched_json`, the one that it goes into, and what they become together."""
    return touched_json(merged.tag) | {
        "into": touched_json(merged.into),
        "merged": {"yes": merged.yes, "no": merged.no, "disputed": merged.disputed},
        "differ": merged.differ,
        "differing": [image.pk for image in merged.differing],
        "not_asked": merged.not_asked,
        "hotkey_goes_over": merged.hotkey_goes_over,
    }
