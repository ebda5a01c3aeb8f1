"""The grid: one tag, many images. A form that works without script; `static/js/verify/page.js` turns it into pages.

Both confirm through the same service. The order of images is built in the background; this page only asks for it.
"""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRefresh

from annotations import tasks
from annotations.errors import BadInput
from annotations.models import LiveModel, Tag, VerifiedPage
from annotations.numbers import id_or_word, whole_number
from annotations.selectors import key_map, pace, vocabulary
from annotations.selectors import verify as selector
from annotations.services import requests
from annotations.services import verify as service
from annotations.views.base import ProjectPage

# As many as the largest window shows, and the page after it.
SENT = 48
ON_PLAIN_PAGE = 24
TAGS_LISTED = 60
# Pages of earlier sessions that can be taken back from the keyboard.
PAGES_KNOWN = 20
ORDERS = {selector.BEST: "Best first", selector.UNCERTAIN: "Most uncertain"}


class VerifyPage(ProjectPage):
    template = "annotations/verify.html"
    section = "verify"
    needs = "verify"
    depends_on = ("io", "ml")

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        tasks.keep_ranked(self.project.pk)
        built_at = selector.built_at(self.project)
        if self.is_part:  # a page that waits for the first order asks whether it is there
            return HttpResponseClientRefresh() if built_at else HttpResponse(status=204)
        listed = selector.waiting_tags(self.project, TAGS_LISTED)
        tag = self._tag(listed)
        order = self._order()
        found = selector.candidates(self.project, tag.pk, order=order, limit=SENT) if tag else []
        tiles = [selector.tile(candidate) for candidate in found]
        waiting = selector.waiting_for(self.project, tag) if tag else None
        earlier = selector.last_pages(self.project, tag.pk, self.user.pk, PAGES_KNOWN) if tag else []
        return self.page(
            tag=tag,
            order=order,
            orders=ORDERS,
            listed=listed,
            waiting=waiting,
            tiles=tiles[:ON_PLAIN_PAGE],
            built_at=built_at,
            pace=pace.of(self.project),
            live_number=self._live_number(),
            model_number=selector.shared_model_number(found[:ON_PLAIN_PAGE]),
            has_suggestions=bool(tiles) or selector.has_suggestions(self.project),
            last_page=earlier[0] if earlier else None,
            client_id=uuid.uuid4(),
            config=self._config(tag, order, tiles, waiting.waiting, earlier)
            if tag and waiting and tiles
            else None,
        )

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Store the plain form's page and show the next."""
        tag, yes, no = self._said()
        number = whole_number(request.POST.get("model_number", ""))

        def store() -> dict[str, Any]:
            return service.answer_tag(self.project, self.user, word=tag, yes=yes, no=no, model_number=number)

        answer, _ = requests.once(
            project_id=self.project.pk,
            user=self.user,
            client_id=request.POST.get("client_id"),
            body={"tag": tag, "yes": yes, "no": no, "model_number": number},
            act=store,
        )
        messages.success(request, f"{answer['yes']} yes, {answer['no']} no stored.")
        return redirect(self.back())

    def back(self) -> str:
        tag, order = (self.request.POST.get(name, "") for name in ("tag", "order"))
        known = order if order in ORDERS else selector.BEST
        return f"{self.address('verify')}?tag={tag if tag.isdecimal() else ''}&order={known}"

    def _tag(self, listed: list[selector.WaitingTag]) -> Tag | None:
        """The one that is asked for, else the one that pays most."""
        word = self.request.GET.get("tag", "").strip()
        if word:
            return vocabulary.active_tag(self.project, id_or_word(word))
        return listed[0].tag if listed else None

    def _order(self) -> str:
        order = self.request.GET.get("order", selector.BEST)
        return order if order in ORDERS else selector.BEST

    def _live_number(self) -> int:
        return LiveModel.objects.filter(project=self.project).values_list("number", flat=True).first() or 0

    def _config(
        self,
        tag: Tag,
        order: str,
        tiles: list[dict[str, Any]],
        waiting: int,
        earlier: list[VerifiedPage],
    ) -> dict[str, Any]:
        """What static/js/verify/page.js reads."""
        return {
            "api": f"/api/v1/projects/{self.project.pk}/",
            "gallery": self.address("gallery"),
            "owner": f"{self.user.pk}-{self.project.pk}",
            "tag": {"id": tag.pk, "name": tag.name},
            "order": order,
            "waiting": waiting,
            "tiles": tiles,
            "earlier": [
                {"id": page.pk, "yes": page.yes, "no": page.no, "at": page.created_at} for page in earlier
            ],
            "keys": key_map.own(self.user),
            "single_keys": key_map.are_single_keys_on(self.user),
        }

    def _said(self) -> tuple[int, list[int], list[int]]:
        """Tag, and the images of a yes and of a no: on a form, what was not marked is a yes."""
        form = self.request.POST
        tag = whole_number(form.get("tag", ""))
        shown, marked = (list(map(whole_number, form.getlist(name))) for name in ("image", "no"))
        if tag is None or None in shown or None in marked:
            raise BadInput("The form is not complete: open the page again and confirm once more.")
        ids = [pk for pk in dict.fromkeys(shown) if pk is not None]
        return tag, [pk for pk in ids if pk not in marked], [pk for pk in ids if pk in marked]


class UndoVerifiedPage(VerifyPage):
    """Takes the plain form's last page back."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        page = whole_number(request.POST.get("page", ""))
        if page is None:
            raise BadInput("Which page? Open Verify again and take back its last page.")
        answer = service.undo(self.membership, page)
        messages.success(request, f"Taken back: {answer['yes']} yes, {answer['no']} no.")
        return redirect(self.back())
