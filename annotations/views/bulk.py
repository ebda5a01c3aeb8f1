"""Actions on many images of the gallery: the question with its count, the start, and what it has come to.

Without script the question is a page of its own; with it, a dialog before the wall.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from annotations import tasks
from annotations.errors import BadInput
from annotations.models import BulkJob
from annotations.numbers import whole_number
from annotations.selectors import bulk as bulk_jobs
from annotations.selectors import image_filters, jobs, vocabulary
from annotations.services import bulk, requests
from annotations.views.base import ProjectPage


@dataclass(frozen=True)
class Action:
    """What is asked for, as the page words it. `question` gets the tag and the images."""

    question: str
    verb: str
    consequences: tuple[str, ...]


ACTIONS = {
    "add": Action(
        "Add “{tag}” to {images}?",
        "Add",
        ("Each of them gets an explicit yes of this tag alone; nothing else about it changes.",),
    ),
    "remove": Action(
        "Remove “{tag}” from {images}?",
        "Remove",
        ("Each of them gets an explicit no: the tag is not suggested there again.",),
    ),
    "queue": Action(
        "Send {images} to the front of the queue?",
        "Send",
        (
            "What is sent is asked about next. What is reviewed, and the holdout, which comes by lot, is left out.",
        ),
    ),
    "delete": Action(
        "Delete {images}?",
        "Delete",
        (
            "What is deleted goes to the trash and leaves lists, queue, training and exports.",
            "It can be undone.",
        ),
    ),
}


class BulkPage(ProjectPage):
    template = "annotations/bulk_confirm.html"
    section = "gallery"
    needs = "see_gallery"
    post_needs = "verify"
    depends_on = ("io",)

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """What runs, for the page that polls."""
        return self._live() if self.is_part else redirect("gallery", project_id)

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """Ask first; with `confirmed` start."""
        if request.POST.get("act") not in ACTIONS:
            raise BadInput("Choose what to do with the picked images.", code="nothing_to_do")
        return self._start() if request.POST.get("confirmed") else self._ask()

    def refused(self, error: Any) -> HttpResponse:
        """In the dialog a refusal is a sentence."""
        if self.request.method == "POST" and self.is_part and error.status not in (403, 404):
            return self.page(200, "annotations/_bulk_refused.html", error=error, query=self._query())
        return super().refused(error)

    def back(self) -> str:
        query = self._query()
        return self.address("gallery") + (f"?{query}" if query else "")

    def _ask(self) -> HttpResponse:
        act = self.request.POST["act"]
        action = ACTIONS[act]
        bulk.require_roles(self.membership, delete=act == "delete")
        said = self._said()
        count = bulk.choice(self.project, filter=said["filter"], ids=said["ids"]).order_by().count()
        if not count:
            raise BadInput("No image is picked. Pick some first.", code="nothing_picked")
        tag = self._tag_name() if act in ("add", "remove") else ""
        pictures = f"{count:,} image{'' if count == 1 else 's'}"
        hidden = {"act": act, "tag": tag, "count": str(count), "client_id": str(uuid.uuid4())}
        hidden |= {"all": "true"} if said["ids"] is None else {"ids": ",".join(map(str, said["ids"]))}
        response = self.page(
            200,
            "annotations/_bulk_confirm.html" if self.is_part else None,
            as_part=self.is_part,
            question=action.question.format(tag=tag, images=pictures),
            verb=action.verb,
            consequences=action.consequences,
            is_delete=act == "delete",
            hidden=hidden.items(),
            query=self._query(),
        )
        patch_vary_headers(response, ["HX-Request"])
        return response

    def _start(self) -> HttpResponse:
        sent, said = self.request.POST, self._said()
        act = sent["act"]
        asked: dict[str, Any] = {
            "add": [sent.get("tag", "")] if act == "add" else [],
            "remove": [sent.get("tag", "")] if act == "remove" else [],
            "queue": act == "queue",
            "delete": act == "delete",
            "count": whole_number(sent.get("count", "")),
        }
        stored, is_new = requests.once(
            project_id=self.project.pk,
            user=self.user,
            client_id=sent.get("client_id") or None,
            body=asked | said,
            act=lambda: {"job": bulk.start(self.membership, **said, **asked).pk},
        )
        if is_new:
            tasks.nudge(tasks.run_bulk, stored["job"])
        return self._live() if self.is_part else redirect(self.back())

    def _said(self) -> dict[str, Any]:
        """The choice: everything that passes the address's filter, or ids, by script as one list."""
        if self.request.POST.get("all"):
            return {"filter": self._filter(), "ids": None}
        words = [*self.request.POST.getlist("picked"), *self.request.POST.get("ids", "").split(",")]
        ids = [number for word in words if (number := whole_number(word)) is not None]
        return {"filter": None, "ids": sorted(set(ids))}

    def _filter(self) -> dict[str, str]:
        sent = self.request.GET.dict()
        return {name: sent[name] for name in image_filters.NAMES if sent.get(name)}

    def _query(self) -> str:
        kept = QueryDict(mutable=True)
        kept.update(
            self._filter() | {key: self.request.GET[key] for key in ("ordering",) if key in self.request.GET}
        )
        return kept.urlencode()

    def _tag_name(self) -> str:
        return vocabulary.active_tag(self.project, self.request.POST.get("tag", "").strip()).name

    def _live(self) -> HttpResponse:
        return self.page(200, "annotations/_bulk_live.html", **bulk_jobs.live(self.project))


class BulkJobPage(ProjectPage):
    """One action that runs or has ended: cancel it, take it back, put its sentence away."""

    section = "gallery"
    needs = "verify"

    def post(self, request: HttpRequest, project_id: int, job_id: int) -> HttpResponse:
        job = jobs.job_of(BulkJob, self.project, job_id)
        act = request.POST.get("act")
        if act == "cancel":
            bulk.cancel(self.membership, job)
        elif act == "undo":
            tasks.nudge(tasks.run_bulk, bulk.undo(self.membership, job).pk)
        elif act == "put_away":
            bulk.put_away(job)
        if self.is_part:
            return self.page(200, "annotations/_bulk_live.html", **bulk_jobs.live(self.project))
        return redirect(self.back())

    def back(self) -> str:
        return self.address("gallery")
