"""A picture's bytes: the display copy, thumbnails, and the original for managers."""

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from annotations.api import downloads
from annotations.errors import BadInput, NotFound, RoleTooLow
from annotations.permissions import allows, required_role
from annotations.pictures import RENDITION_SIZES_PX
from annotations.selectors.files import PictureFile, picture_file
from annotations.services import images, storage

MAX_AGE_S = 365 * 24 * 3600
CONTENT_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}


class ImageFile(APIView):
    """The picture as people see it: upright, without position. `?original=1` is what was sent in."""

    permission_classes = [IsAuthenticated]
    content_negotiation_class = downloads.AsItIs

    @extend_schema(parameters=[OpenApiParameter("original", bool)], responses={200: bytes, 304: None})
    def get(self, request: Request, project_id: int, image_id: int) -> HttpResponseBase:
        picture = picture_file(request.user, project_id, image_id)
        if request.query_params.get("original") in ("1", "true"):
            if not allows(picture.role, "see_original"):
                raise RoleTooLow(
                    f"The stored original needs the role {required_role('see_original').value} or higher; "
                    f"yours is {picture.role}."
                )
            return _served(request, picture, variant="original", save_as=picture.name)
        return _served(request, picture, variant="as-is" if picture.shows_as_is else storage.DISPLAY)


class ImageThumbnail(APIView):
    permission_classes = [IsAuthenticated]
    content_negotiation_class = downloads.AsItIs

    @extend_schema(
        parameters=[OpenApiParameter("size", int, enum=RENDITION_SIZES_PX, default=256)],
        responses={200: bytes, 304: None},
    )
    def get(self, request: Request, project_id: int, image_id: int) -> HttpResponseBase:
        """The picture made small, upright and without position."""
        size = request.query_params.get("size", "256")
        if size not in map(str, RENDITION_SIZES_PX):
            raise BadInput(
                f"size: expected one of {', '.join(map(str, RENDITION_SIZES_PX))}, got “{size}”.",
                code="bad_size",
            )
        return _served(request, picture_file(request.user, project_id, image_id), variant=size)


def _served(
    request: Request, picture: PictureFile, *, variant: str, save_as: str | None = None
) -> HttpResponseBase:
    """The variant's bytes, or 304 where the browser has them already: they never change."""
    etag = f'"{picture.sha256[:32]}-{variant}"'
    response: HttpResponseBase
    if etag in request.META.get("HTTP_IF_NONE_MATCH", ""):
        response = HttpResponse(status=304)
        del response["Content-Type"]
    else:
        response = _bytes(picture, variant)
        response["Content-Disposition"] = (
            content_disposition_header(save_as is not None, save_as or "") or "inline"
        )
    response["ETag"] = etag
    response["Cache-Control"] = f"private, immutable, max-age={MAX_AGE_S}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _bytes(picture: PictureFile, variant: str) -> HttpResponseBase:
    stored = variant in ("original", "as-is")
    key = picture.storage_key if stored else _rendition(picture, variant)
    if storage.local_path(key) is None:
        return HttpResponseRedirect(default_storage.url(key))
    try:
        stream = storage.open_for_reading(key)
    except FileNotFoundError as error:
        raise NotFound("The picture's file is missing from the storage.", code="file_missing") from error
    kind = CONTENT_TYPES.get(picture.format, "application/octet-stream") if stored else "image/jpeg"
    return FileResponse(stream, content_type=kind)


def _rendition(picture: PictureFile, variant: str) -> str:
    return images.rendition_key(
        picture.project_id,
        sha256=picture.sha256,
        original_key=picture.storage_key,
        size_px=None if variant == storage.DISPLAY else int(variant),
    )
