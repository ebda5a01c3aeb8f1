"""Page of what the queue asks: shares of the mixture, which an admin changes, and what answers say of all images."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.errors import DomainError
from annotations.selectors import draw, kept
from annotations.views.base import ProjectPage
from mlmodels import selectors, tasks
from mlmodels.forms import AskingForm
from mlmodels.services import asking, whole_project


class AskingPage(ProjectPage):
    template = "mlmodels/asking.html"
    section = "models"
    needs = "edit_policy"

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        return self._page(AskingForm.of(selectors.asking_policy(project_id)))

    def post(self, request: HttpRequest, project_id: int) -> HttpResponse:
        form = AskingForm(request.POST)
        if form.is_valid():
            try:
                asking.update(project_id, form.cleaned_data, actor_id=request.user.pk)
            except DomainError as error:
                form.refuse(error.message, error.fields)
            else:
                tasks.nudge(tasks.asking_changed, project_id)
                messages.success(request, "The shares are saved. The queue is put in order anew.")
                return redirect("models", project_id)
        return self._page(form, 400)

    def _page(self, form: AskingForm, status: int = 200) -> HttpResponse:
        policy = selectors.asking_policy(self.project.pk)
        return self.page(status, form=form, kept=draw.of_hundred(), policy=policy)


class WholeProjectPart(ProjectPage):
    """Asked for by the page once it stands: a large project takes a second."""

    template = "mlmodels/_whole_project.html"
    section = "models"
    needs = "edit_policy"
    depends_on = ()

    def get(self, request: HttpRequest, project_id: int) -> HttpResponse:
        """To anybody but htmx, the page itself."""
        if not self.is_part:
            return redirect("model-asking", project_id)
        told = whole_project.told(project_id, self.project.vocabulary_version)
        return self.page(told=told, is_kept=kept.is_large(project_id))
