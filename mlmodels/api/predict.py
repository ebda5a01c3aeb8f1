"""API of predictions: the picture goes to a worker of queue `ml`, since web processes hold no model."""

from typing import Any

from celery.exceptions import TimeoutError as NoAnswer
from drf_spectacular.utils import extend_schema
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.api.base import ProjectView
from annotations.errors import BadInput, DomainError, TooLarge
from mlmodels import tasks
from mlmodels.api.serializers import PredictBody
from mlmodels.errors import NoWorker
from mlmodels.services import prediction
from tagger.celery import SOMEBODY_WAITS
from tagger.parsers import SafeJSONParser

WAIT_S = 10.0
PICTURE_MAX_BYTES = 32 * 1024 * 1024


class Predict(ProjectView):
    parser_classes = [MultiPartParser, FormParser, SafeJSONParser]

    @extend_schema(request={"multipart/form-data": PredictBody}, responses={200: dict})
    def post(self, request: Request, project_id: int) -> Response:
        """Suggestions for a picture, a caption or both, by the live version. Nothing is stored."""
        project = self.project()
        body = PredictBody(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(_ask_worker(project.pk, body.validated_data))


def _ask_worker(project_id: int, fields: dict[str, Any]) -> dict[str, Any]:
    picture = fields.get("image")
    if picture is None and not fields["caption"].strip():
        raise BadInput("Send a picture as `image`, a `caption`, or both.", code="nothing_to_predict")
    if picture is not None and picture.size > PICTURE_MAX_BYTES:
        limit_mb = PICTURE_MAX_BYTES // 2**20
        raise TooLarge(f"The picture has {picture.size:,} bytes; at most {limit_mb} MiB are read.")
    try:
        answer = _answer_of_worker(project_id, None if picture is None else picture.read(), fields)
    except (NoAnswer, BrokerError, RedisError) as error:
        raise NoWorker from error
    if "error" in answer:
        raise _as_error(answer["error"])
    return answer


def _answer_of_worker(project_id: int, picture: bytes | None, fields: dict[str, Any]) -> dict[str, Any]:
    key = None if picture is None else prediction.hand_over(picture)
    asked = tasks.predict.apply_async(
        args=[project_id, key, fields["caption"], fields["limit"]],
        expires=WAIT_S,
        priority=SOMEBODY_WAITS,
    )
    try:
        answer: dict[str, Any] = asked.get(timeout=WAIT_S)
    finally:
        asked.forget()
    return answer


def _as_error(said: dict[str, Any]) -> DomainError:
    error = DomainError(said["message"], code=said["code"])
    error.status = said["status"]
    return error
