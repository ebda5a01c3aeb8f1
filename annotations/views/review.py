"""The server's part of the review page: a light GET for the keyboard page, and a plain form without script.

With `?tag=` the page asks about that tag alone; with `?one=` it lets one be chosen first.

The keyboard page talks to the API; the form posts through the same services.
"""

import uuid
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations import review_keys, tasks
from annotations.errors import BadInput
from annotations.models import Review, Role, Tag
from annotations.numbers import id_or_word
from annotations.permissions import allows
from annotations.selectors import key_map, one_tag, queue, vocabulary
from annotations.services import leases, reviews
from annotations.types import Answer
from annotations.views.base import ProjectPage

PLAIN = "?plain=1"
TAGS_SHOWN = 24
ORDERS = ("score", "uncertain")


class ReviewPage(ProjectPage):
    template = "annotations/review.html"
    section = "review"
    needs = "review"
    depends_on = ("ml",)

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        if request.GET.get("plain"):
            return self.page(plain_item=self._next_item(), plain_client_id=uuid.uuid4())
        if "tag" in request.GET or "one" in request.GET:
            return self._one_tag(request)
        return self.page(config=self._config(), can_verify=self._can_verify)

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Store the plain form's answer and show the next image."""
        reviews.record(self.membership, _answer(request))
        messages.success(request, "Saved.")
        return redirect(self.back())

    def back(self) -> str:
        return self.request.path + PLAIN

    def shared(self) -> dict[str, Any]:
        """Without the counts of the navigation, which the keyboard page does not show."""
        if self.request.GET.get("plain"):
            return super().shared()
        return {"project": self.project, "role": self.membership.role, "section": self.section}

    @property
    def _can_verify(self) -> bool:
        return allows(self.membership.role, "verify")

    def _one_tag(self, request: HttpRequest) -> HttpResponse:
        self.require("verify")
        number = request.GET.get("tag", "")
        if not number:
            words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
            return self.page(can_verify=True, choices=self._choices(words), words=words)
        tag = vocabulary.active_tag(self.project, id_or_word(number))
        order = request.GET.get("order", ORDERS[0])
        tasks.keep_ranked(self.project.pk)
        asked = {
            "tag": {"id": tag.pk, "name": tag.name},
            "order": order if order in ORDERS else ORDERS[0],
            "progress": asdict(one_tag.progress(self.project, tag.pk)),
        }
        return self.page(can_verify=True, one_tag=asked, config=self._config() | {"one_tag": asked})

    def _choices(self, words: str) -> list[Tag]:
        if words:
            return [match["tag"] for match in vocabulary.search(self.project, words, TAGS_SHOWN)]
        return list(vocabulary.active_tags(self.project)[:TAGS_SHOWN])

    def _config(self) -> dict[str, Any]:
        """What static/js/review/page.js reads."""
        user = self.membership.user
        return {
            "project": self.project.pk,
            "api": f"/api/v1/projects/{self.project.pk}/",
            "user": {"id": user.pk, "name": user.get_username()},
            "commands": review_keys.as_config(),
            "keys": key_map.own(user),
            "single_keys": key_map.are_single_keys_on(user),
            "hotkeys": vocabulary.hotkeys(self.project),
            "can_create_tags": allows(self.membership.role, "edit_tags"),
        }

    def _next_item(self) -> dict[str, Any] | None:
        claimed = leases.claim_next(
            self.project, self.membership.user, role=Role(self.membership.role), count=1
        )
        return queue.item(claimed[0]) if claimed else None


def _answer(request: HttpRequest) -> Answer:
    form = request.POST
    outcome = form.get("outcome", "")
    if outcome not in Review.Outcome.values:
        raise BadInput(f"Expected an answer ({', '.join(Review.Outcome.values)}), got “{outcome}”.")
    try:
        image_id, revision = int(form["image"]), int(form["revision"])
        client_id = str(uuid.UUID(form["client_id"]))
        picked = [int(tag_id) for tag_id in form.getlist("tags")]
    except (KeyError, ValueError) as error:
        raise BadInput("The form is not complete: open the page again and answer once more.") from error
    added = [name.strip() for name in form.get("added", "").split(",") if name.strip()]
    return Answer(
        client_id=client_id,
        image_id=image_id,
        lease=form.get("lease", ""),
        revision=revision,
        outcome=outcome,
        tags=(*picked, *added),
        create_missing=False,
    )
