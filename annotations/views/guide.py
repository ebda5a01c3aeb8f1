"""The guide: the project's instructions, and each tag with its description and pictures. For everybody who reviews.

With `?part=1` the tags alone, which the review page puts into its dialog and browsers keep.
"""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response

from annotations.numbers import whole_number
from annotations.selectors import guide
from annotations.views.base import ProjectPage

TAGS_MOST = 40
# A changed description is seen within a minute; until then, and while the new one comes, the kept one is shown.
CACHE = "private, max-age=60, stale-while-revalidate=600"


class GuidePage(ProjectPage):
    template = "annotations/guide.html"
    section = "tags"
    needs = "see_tags"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponseBase:
        words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
        found = self._found(words)
        if not request.GET.get("part"):
            return self.page(guide=found, words=words, is_some="tags" in request.GET)
        told = {"project": self.project, "guide": found, "words": words}
        return _kept(request, render(request, "annotations/_guide_tags.html", told))

    def _found(self, words: str) -> guide.GuidePage:
        if words:
            return guide.matching(self.project, words)
        if "tags" in self.request.GET:
            numbers = map(whole_number, self.request.GET["tags"].split(",")[:TAGS_MOST])
            return guide.of_tags(self.project, [number for number in numbers if number is not None])
        return guide.everything(self.project, whole_number(self.request.GET.get("after", "")) or 0)


def _kept(request: HttpRequest, response: HttpResponse) -> HttpResponseBase:
    """The answer with what a browser needs to keep it; 304 where it has the same already."""
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    answer = get_conditional_response(request, etag=etag, response=response) or response
    answer["ETag"] = etag
    answer["Cache-Control"] = CACHE
    return answer
