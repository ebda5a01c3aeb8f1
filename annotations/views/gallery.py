"""The gallery: thumbnails by filter in keyset pages. One image: `views/image.py`; many at once: `views/bulk.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from annotations.models import Image, Project
from annotations.selectors import bulk, image_filters, images, people, queue
from annotations.selectors.images import ImageFilter
from annotations.views.base import ProjectPage

PAGE_SIZE = 60
TAGS_ON_TILE = 3
# A filter's images are counted so far; more of them are “over 300”.
COUNTED_MAX = 300
ORDERINGS = {
    "created": "Oldest first",
    "newest": "Newest first",
    "shuffle": "Mixed",
    "priority": "Asked first",
    "nearest": "Most alike",
}
STATES = [
    ("", "Any state"),
    *((state, state.capitalize()) for state in Image.State.values if state != "removed"),
]


@dataclass(frozen=True)
class Tile:
    image: Image
    thumbnail_url: str
    yes: tuple[str, ...]

    @property
    def larger_url(self) -> str:
        """For tiles that are wider than the small thumbnail."""
        return queue.thumbnail_url(self.image, 512)

    @property
    def more(self) -> int:
        return max(0, len(self.yes) - TAGS_ON_TILE)

    @property
    def more_than_one(self) -> int:
        """Where there is room for one tag only."""
        return max(0, len(self.yes) - 1)


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
        wanted, said, problems = image_filters.read_kindly(self.project, request.GET.dict())
        ordering = request.GET.get("ordering") or ("nearest" if wanted.like_id else "created")
        matching = images.matching(self.project, wanted)
        rows = images.ordered(matching, ordering, request.GET.get("after"))
        found = list(rows[: PAGE_SIZE + 1])
        shown = found[:PAGE_SIZE]
        is_more = "after" in request.GET
        kept = said | ({"ordering": request.GET["ordering"]} if request.GET.get("ordering") else {})
        context: dict[str, Any] = {
            "tiles": tiles(self.project, shown, hide_tags=images.tells_of_blind(self.project, wanted)),
            "more": _address(kept, after=images.cursor(shown[-1], ordering))
            if len(found) > PAGE_SIZE
            else "",
            "query": urlencode(kept),
            "is_later": is_more,
        }
        if not (is_more and self.is_part):
            is_whole = not is_more and len(found) <= PAGE_SIZE
            context |= self._around(wanted, said, kept, ordering) | {
                "problems": problems,
                "total": len(found) if is_whole else images.count_up_to(matching, COUNTED_MAX),
                "counted_max": COUNTED_MAX,
            }
        response = self.page(
            200, "annotations/_gallery_more.html" if is_more and self.is_part else None, **context
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    def back(self) -> str:
        return self.address("gallery")

    def _around(
        self, wanted: ImageFilter, said: dict[str, str], kept: dict[str, str], ordering: str
    ) -> dict[str, Any]:
        """What stands around the wall: filters, orders, and what is being done to many images."""
        return {
            "said": said,
            "chosen": chosen(self.project, wanted, kept),
            "is_filtered": wanted != ImageFilter(),
            "ordering": ordering,
            "orderings": [
                (key, text) for key, text in ORDERINGS.items() if key != "nearest" or wanted.like_id
            ],
            "states": STATES,
            "people": people.names(self.project),
        } | bulk.live(self.project)


def tiles(project: Project, shown: Sequence[Image], *, hide_tags: bool = False) -> list[Tile]:
    """Two queries more than `truths`, however many images."""
    truths = {} if hide_tags else images.truths(project, shown)
    yes = {image_id: truth.yes for image_id, truth in truths.items()}
    names = images.tag_names(project, {tag_id for tag_ids in yes.values() for tag_id in tag_ids})
    return [
        Tile(
            image,
            queue.addresses(image)["thumbnail_url"],
            tuple(sorted(names[tag_id] for tag_id in yes.get(image.pk, ()))),
        )
        for image in shown
    ]


def chosen(project: Project, wanted: ImageFilter, kept: dict[str, str]) -> list[Chosen]:
    """The filters that are on, in words, each with the address that takes it away."""
    names = images.tag_names(project, {wanted.tag_id or 0, wanted.suggested_id or 0})
    return [Chosen(text, _without(kept, name)) for name, text in in_words(wanted, kept, names).items()]


def in_words(wanted: ImageFilter, said: dict[str, str], names: Any) -> dict[str, str]:
    """What each part of the filter says, by its name in the address."""
    told = {
        "q": f"Caption: {wanted.words}" if wanted.words else "",
        "state": f"State: {wanted.state}" if wanted.state else "",
        "disagreement": "Disputed" if wanted.disagreement else "",
        "tag": f"{wanted.answer.capitalize()}: {names[wanted.tag_id]}" if wanted.tag_id else "",
        "suggested": f"Suggested: {names[wanted.suggested_id]}" if wanted.suggested_id else "",
        "min_score": f"Score from {wanted.min_score:.2f}" if wanted.min_score is not None else "",
        "reviewer": f"Reviewed by {wanted.reviewer}" if wanted.reviewer else "",
        "since": f"Reviewed from {said.get('since', '')}" if wanted.since else "",
        "until": f"Reviewed to {said.get('until', '')}" if wanted.until else "",
        "is_holdout": "" if wanted.is_holdout is None else "Holdout" if wanted.is_holdout else "Not holdout",
        "flagged": "" if wanted.flagged is None else "Flagged" if wanted.flagged else "Not flagged",
        "like": f"Like image {wanted.like_id}" if wanted.like_id else "",
    }
    return {name: text for name, text in told.items() if text}


# What goes with a filter goes when it goes.
_TOGETHER = {"tag": ("answer",), "suggested": ("min_score",), "like": ("ordering",)}


def _without(kept: dict[str, str], name: str) -> str:
    gone = {name, *_TOGETHER.get(name, ())}
    return _address({key: value for key, value in kept.items() if key not in gone})


def _address(kept: dict[str, str], **more: str) -> str:
    return f"?{urlencode(kept | more)}"
