"""The gallery: thumbnails by filter in keyset pages, and one image with its verdicts, suggestions and history."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from annotations.forms import GalleryForm
from annotations.models import Image
from annotations.selectors import flags, images, queue
from annotations.selectors.images import ImageFilter
from annotations.types import ImageTruth
from annotations.views.base import ProjectPage

PAGE_SIZE = 60
TAGS_ON_TILE = 3
ORDERINGS = {"created": "Oldest first", "newest": "Newest first", "shuffle": "Mixed"}


@dataclass(frozen=True)
class Tile:
    image: Image
    thumbnail_url: str
    yes: tuple[str, ...]

    @property
    def larger_url(self) -> str:
        """For tiles that are wider than the small thumbnail."""
        return self.thumbnail_url.replace("size=256", "size=512")

    @property
    def more(self) -> int:
        return max(0, len(self.yes) - TAGS_ON_TILE)


@dataclass(frozen=True)
class Chosen:
    """A filter that is on: what it says, and the address without it."""

    text: str
    without: str


class GalleryPage(ProjectPage):
    template = "annotations/gallery.html"
    section = "gallery"
    needs = "see_gallery"
    depends_on = ("io",)

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        names = images.tag_names(self.project)
        form = GalleryForm(request.GET, tags=sorted(names.items(), key=lambda item: item[1].casefold()))
        wanted = _filter(form)
        ordering = request.GET.get("ordering", "created")
        rows = images.ordered(images.matching(self.project, wanted), ordering, request.GET.get("after"))
        found = list(rows[: PAGE_SIZE + 1])
        shown = found[:PAGE_SIZE]
        context: dict[str, Any] = {
            "tiles": self._tiles(shown, names),
            "more": self._with(after=images.cursor(shown[-1], ordering)) if len(found) > PAGE_SIZE else "",
            "form": form,
            "chosen": self._chosen(wanted, names),
            "is_filtered": wanted != ImageFilter(),
            "is_whole": len(found) <= PAGE_SIZE and "after" not in request.GET,
            "ordering": ordering,
            "orderings": [(key, text) for key, text in ORDERINGS.items() if key in images.ORDERINGS],
        }
        is_more = self.is_part and "after" in request.GET
        response = self.page(200, "annotations/_gallery_more.html" if is_more else None, **context)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def back(self) -> str:
        return self.address("gallery")

    def _tiles(self, shown: list[Image], names: Any) -> list[Tile]:
        truths = images.truths(self.project, shown)
        return [
            Tile(
                image,
                queue.addresses(image)["thumbnail_url"],
                tuple(sorted(names[tag_id] for tag_id in truths[image.pk].yes)),
            )
            for image in shown
        ]

    def _with(self, **changes: str) -> str:
        query = self.request.GET.copy()
        for name, value in changes.items():
            query[name] = value
        return f"?{query.urlencode()}"

    def _without(self, name: str) -> str:
        query = self.request.GET.copy()
        query.pop(name, None)
        query.pop("after", None)
        return f"?{query.urlencode()}"

    def _chosen(self, wanted: ImageFilter, names: Any) -> list[Chosen]:
        said = {
            "q": wanted.words and f"Caption: {wanted.words}",
            "state": wanted.state and f"State: {wanted.state}",
            "tag": wanted.tag_id and f"Yes: {names[wanted.tag_id]}",
            "suggested": wanted.suggested_id and f"Suggested: {names[wanted.suggested_id]}",
        }
        return [Chosen(str(text), self._without(name)) for name, text in said.items() if text]


class ImagePage(ProjectPage):
    template = "annotations/image.html"
    section = "gallery"
    needs = "see_gallery"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int, image_id: int) -> HttpResponse:
        image = images.get(self.project, image_id)
        names = images.tag_names(self.project)
        return self.page(
            image=image,
            addresses=queue.addresses(image),
            verdicts=_verdicts(images.truths(self.project, [image])[image.pk], names),
            suggestions=images.suggestions(self.project, image),
            is_blind=image.is_holdout and image.reviews_done < self.project.reviews_per_image,
            flags=flags.of_image(self.membership, image),
            history=[_told(entry, names) for entry in images.history(image)],
        )


def _filter(form: GalleryForm) -> ImageFilter:
    """What is asked for; a field that makes no sense is left out, and the form says so."""
    form.is_valid()
    chosen = form.cleaned_data
    return ImageFilter(
        words=chosen.get("q") or None,
        state=chosen.get("state") or None,
        tag_id=chosen.get("tag"),
        suggested_id=chosen.get("suggested"),
    )


def _verdicts(truth: ImageTruth, names: Any) -> dict[str, list[str]]:
    parts = {"yes": truth.yes, "no": truth.no, "implied_no": truth.implied_no, "disputed": truth.disputed}
    return {
        verdict: sorted((names[tag_id] for tag_id in tag_ids), key=str.casefold)
        for verdict, tag_ids in parts.items()
    }


def _told(entry: dict[str, Any], names: Any) -> dict[str, Any]:
    """A line of the history with names in place of ids."""
    if entry["kind"] == "review":
        return entry | {
            "yes": [names[tag_id] for tag_id in entry["yes"]],
            "no": [names[tag_id] for tag_id in entry["no"]],
        }
    return entry | {"tag_name": names[entry["tag"]]}
