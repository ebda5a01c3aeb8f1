"""API of reviews: store one or a list, take one back."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView, checked
from annotations.api.serializers import ActBody, ReviewBody
from annotations.errors import BadInput, DomainError
from annotations.models import Image, Review
from annotations.selectors import queue
from annotations.services import reviews
from annotations.types import Answer
from tagger import api_errors

LIST_MAX = 200


def review_json(review: Review, image: Image) -> dict[str, Any]:
    decisions = list(review.decisions.order_by("id").values_list("tag_id", "value"))
    return {
        "id": review.pk,
        "client_id": review.client_id,
        "image": review.image_id,
        "user": review.user.username if review.user else None,
        "outcome": review.outcome,
        "yes": [tag_id for tag_id, value in decisions if value == "yes"],
        "no": [tag_id for tag_id, value in decisions if value == "no"],
        "counted": review.counted,
        "seconds": review.seconds,
        "keystrokes": review.keystrokes,
        "picture_ms": review.picture_ms,
        "blind": review.blind,
        "model_version": {"id": review.model_version_id, "number": review.model_number},
        "vocabulary_version": review.vocabulary_version,
        "created_at": review.created_at,
        "undone_at": review.undone_at,
        "state": image.state,
        "revision": image.revision,
    }


class ReviewList(ProjectView):
    @extend_schema(request=ReviewBody, responses={201: dict, 200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """One review, or a list of at most 200: then 200 with `[{status, review|error}]` in order."""
        self.project()
        if isinstance(request.data, list):
            return Response(self._record_list(request.data))
        recorded = reviews.record(self.membership, answer_of(request.data))
        return Response(
            review_json(recorded.review, recorded.review.image), status=201 if recorded.is_new else 200
        )

    def _record_list(self, bodies: list[Any]) -> list[dict[str, Any]]:
        """Each answer stands for itself: one that is refused does not hold the others back."""
        if len(bodies) > LIST_MAX:
            raise BadInput(
                f"At most {LIST_MAX} reviews fit into one request, not {len(bodies)}.", code="too_many"
            )
        return [self._record_one(body) for body in bodies]

    def _record_one(self, body: Any) -> dict[str, Any]:
        try:
            recorded = reviews.record(self.membership, answer_of(body))
        except DomainError as error:
            return {"status": error.status} | api_errors.body(error.code, error.message, error.fields)
        status = 201 if recorded.is_new else 200
        return {"status": status, "review": review_json(recorded.review, recorded.review.image)}


def answer_of(data: Any) -> Answer:
    """The checked body of one review. Raises BadInput naming the field."""
    body = ReviewBody(data=data)
    if not body.is_valid():
        field, complaints = next(iter(body.errors.items()))
        raise BadInput(f"{field}: {_first(complaints)}", code="bad_input", **body.errors)
    said = body.validated_data
    return Answer(
        client_id=str(said["client_id"]) if said["client_id"] else None,
        image_id=said["image"],
        lease=said["lease"],
        revision=said["revision"],
        outcome=said["outcome"],
        tags=tuple(said["tags"]),
        rejected=tuple(said["rejected"]),
        seconds=said["seconds"],
        keystrokes=said["keystrokes"],
        picture_ms=said["picture_ms"],
        create_missing=said["create_missing"],
    )


def _first(complaints: Any) -> str:
    while isinstance(complaints, list | dict) and complaints:
        complaints = complaints[0] if isinstance(complaints, list) else next(iter(complaints.values()))
    return str(complaints)


class ReviewUndo(ProjectView):
    @extend_schema(request=ActBody, responses={200: dict})
    def post(self, request: Request, project_id: int, review_id: int) -> Response:
        """Takes back one's own review or, as a reviewer, anybody's. `item` is its image, handed out again."""
        self.project()
        answer, _ = self.answered_once(checked(ActBody, request), lambda: self._undo(review_id))
        return Response(answer)

    def _undo(self, review_id: int) -> dict[str, Any]:
        review, lease = reviews.undo(self.membership, review_id)
        image = Image.objects.get(pk=review.image_id)
        answer: dict[str, Any] = {"review": review_json(review, image), "item": None}
        if lease is not None:
            lease.image = image
            answer |= queue.item(lease)
            answer["item"] = queue.item(lease)
        return answer
