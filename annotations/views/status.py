"""What runs and what does not, for signed-in people; the sentence that pages poll; every component in every state."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from annotations.views import workers
from annotations.views.base import Page
from tagger import health


@dataclass(frozen=True)
class Part:
    """One running part: its name, what it does, whether it answers, and what waits while it does not."""

    name: str
    does: str
    runs: bool
    without: str


class StatusPage(Page):
    template = "annotations/status.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        parts = _parts()
        return self.page(parts=parts, all_run=all(part.runs for part in parts))


class WorkerNotice(Page):
    """Answers 204 while a page already says the right thing, so that nothing is read out twice."""

    @method_decorator(never_cache)
    def get(self, request: HttpRequest) -> HttpResponse:
        asked = request.GET.get("on", "").split(",")
        notice = workers.notice([name for name in workers.MISSING if name in asked])
        if notice.text == request.GET.get("said"):
            return HttpResponse(status=204)
        return render(request, "partials/_workers.html", {"worker_notice": notice})


class PatternsPage(Page):
    template = "annotations/patterns.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page()


def _parts() -> list[Part]:
    state = health.worker_state()
    broker = any(state.values()) or health.broker_answers()
    return [
        # Without a database there is no session, and so no page to say it on.
        Part("Database", "keeps images, tags and decisions (PostgreSQL)", True, ""),
        Part("Broker", "carries messages to the workers (Redis)", broker, "All background work waits."),
        Part("Worker for files", "imports and exports (queue io)", state["io"], "Imports and exports wait."),
        Part(
            "Worker for suggestions",
            "looks at images and captions (queue ml)",
            state["ml"],
            "New suggestions wait; reviewing goes on.",
        ),
        Part(
            "Worker for training",
            "trains and judges model versions (queue train)",
            state["train"],
            "Answers are stored; the next model waits.",
        ),
        Part("Scheduler", "starts retraining and repairs in time (beat)", state["beat"], "Retraining waits."),
    ]
