"""The part of an image's page that shows images like it; the page asks for it once it stands."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.selectors import images
from annotations.views import gallery
from annotations.views.base import ProjectPage
from mlmodels.services import similar

SHOWN = 12


class SimilarPart(ProjectPage):
    template = "annotations/_image_similar.html"
    section = "gallery"
    needs = "see_gallery"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int, image_id: int) -> HttpResponse:
        """To anybody but htmx, the gallery filtered by what looks alike."""
        image = images.get(self.project, image_id)
        if not self.is_part:
            return redirect(f"{self.address('gallery')}?like={image.pk}")
        near = similar.nearest(project_id, image.pk, limit=SHOWN)
        found = images.by_ids(self.project, [found_id for found_id, _ in near.found]) if near else []
        nothing = (
            "No other image has been looked at yet."
            if near
            else "The model has not looked at this image yet."
        )
        tiles = gallery.tiles(self.project, found, hide_tags=images.is_blind(self.project, image))
        return self.page(image=image, tiles=tiles, nothing=nothing)
