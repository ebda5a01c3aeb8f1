"""One image of the gallery: picture, verdicts, suggestions and history; reviewers answer single tags here.

With `?panel=1` what the gallery shows of it beside the wall: the same parts, in less room.
"""

import json
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.errors import DomainError
from annotations.models import Image
from annotations.numbers import whole_number
from annotations.selectors import flags, image_filters, images, queue
from annotations.services import tag_answers
from annotations.types import ImageTruth
from annotations.views import gallery
from annotations.views.base import ProjectPage

VERDICTS = ("yes", "disputed", "no")
PANEL_SIZES = (512, 1024)


class ImagePage(ProjectPage):
    template = "annotations/image.html"
    section = "gallery"
    needs = "see_gallery"
    post_needs = "verify"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int, image_id: int) -> HttpResponse:
        image = images.get(self.project, image_id)
        told = self._facts(image) | self._way(image)
        if self.is_part and request.GET.get("panel"):
            way = {"panel_query": request.GET.urlencode()}
            return self.page(200, "annotations/_image_panel.html", **told | way)
        return self.page(flags=flags.of_image(self.membership, image), **told)

    def post(self, request: HttpRequest, project_id: int, image_id: int) -> HttpResponse:
        """Store or take back one answer to one tag; to htmx, what is known of the image now."""
        image = images.get(self.project, image_id)
        try:
            told, problem = self._answered(image), ""
        except DomainError as error:
            if not self.is_part:
                raise
            told, problem = None, error.message
        if not self.is_part:
            return redirect(self.back())
        facts = self._facts(image) | {"query": request.GET.urlencode(), "told": told, "problem": problem}
        if request.GET.get("panel") and not request.GET.get("like"):
            facts["tile"] = gallery.tiles(self.project, [image])[0]
            return self.page(200, "annotations/_image_answered.html", **facts)
        return self.page(200, "annotations/_image_facts.html", **facts)

    def back(self) -> str:
        return self.request.get_full_path()

    def _answered(self, image: Image) -> dict[str, Any] | None:
        """Do what was pressed; what to tell of it, with the answer that Undo takes back."""
        sent = self.request.POST
        if sent.get("undo"):
            decision_id = whole_number(sent["undo"])
            tag_answers.take_back(self.project, decision_id or 0, actor=self.user)
            return None
        value = "no" if sent.get("no") else "yes"
        number = whole_number(sent.get(value, ""))
        word = sent.get("word", "").strip() if number is None else number
        decision = tag_answers.answer(self.project, image, word, value, actor=self.user)
        return {"text": f"Said {value} to “{decision.tag.name}”.", "decision": decision.pk}

    def _facts(self, image: Image) -> dict[str, Any]:
        """What is known of the image now, with names in place of ids."""
        truth = images.truths(self.project, [image])[image.pk]
        history = images.history(image)
        suggestions = images.suggestions(self.project, image)
        names = images.tag_names(self.project, _mentioned(truth, history))
        return {
            "image": image,
            "addresses": queue.addresses(image),
            "larger": [(size, queue.thumbnail_url(image, size)) for size in PANEL_SIZES],
            "verdicts": _verdicts(truth, names),
            "implied_no": len(truth.implied_no),
            "suggestions": [entry for entry in suggestions if entry["tag"]["id"] not in truth.yes],
            "evidence": _evidence(suggestions),
            "is_blind": images.is_blind(self.project, image),
            "history": [_told(entry, names) for entry in history],
        }

    def _way(self, image: Image) -> dict[str, Any]:
        """The images before and after this one in the gallery as it was filtered, and the way back to it."""
        wanted, said, _ = image_filters.read_kindly(self.project, self.request.GET.dict())
        ordering = self.request.GET.get("ordering") or ("nearest" if wanted.like_id else "created")
        kept = said | ({"ordering": ordering} if self.request.GET.get("ordering") else {})
        if ordering not in images.ORDERINGS or (ordering == "nearest" and not wanted.like_id):
            return {"query": "", "before": None, "after": None}
        rows = images.matching(self.project, wanted)
        here = rows.filter(pk=image.pk).first() if ordering == "nearest" else image
        before, after = images.around(rows, ordering, here) if here else (None, None)
        return {"query": urlencode(kept), "before": before, "after": after}


def _mentioned(truth: ImageTruth, history: list[dict[str, Any]]) -> set[int]:
    """Tags that the page names."""
    tag_ids = set(truth.yes | truth.no | truth.disputed)
    for entry in history:
        tag_ids |= {*entry["yes"], *entry["no"]} if entry["kind"] == "review" else {entry["tag"]}
    return tag_ids


def _verdicts(truth: ImageTruth, names: Any) -> list[tuple[str, list[tuple[int, str]]]]:
    """Each verdict that was given, with its tags as id and name."""
    found = []
    for verdict in VERDICTS:
        tags = [(tag_id, names[tag_id]) for tag_id in getattr(truth, verdict)]
        if tags:
            found.append((verdict, sorted(tags, key=lambda tag: tag[1].casefold())))
    return found


def _evidence(suggestions: list[dict[str, Any]]) -> str:
    """What was read in the caption, by tag, as `lib/caption.js` takes it; empty where nothing was."""
    read = [
        {
            "name": entry["tag"]["name"],
            "offered": entry["offered"],
            "sources": [source for source in entry["sources"] if source.get("evidence")],
        }
        for entry in suggestions
    ]
    read = [entry for entry in read if entry["sources"]]
    return json.dumps(read) if read else ""


def _told(entry: dict[str, Any], names: Any) -> dict[str, Any]:
    """A line of the history with names in place of ids."""
    if entry["kind"] == "review":
        return entry | {
            "yes": [names[tag_id] for tag_id in entry["yes"]],
            "no": [names[tag_id] for tag_id in entry["no"]],
        }
    return entry | {"tag_name": names[entry["tag"]]}
