"""A form whose files are staged while they arrive, kept only where the page says so. For pages that import."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from annotations.errors import DomainError
from annotations.importers import uploads
from annotations.importers.uploads import StagedUpload
from annotations.permissions import allows
from annotations.services import storage
from annotations.views.base import ProjectPage


# The token stands in the form, and reading the form stages its files: the check comes after the role's.
@method_decorator(csrf_exempt, name="dispatch")
class StagedFormPage(ProjectPage):
    """Answers a refusal with its own form; set `keeps_area` once something else looks after the files."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" or not self._may_send():
            return super().dispatch(request, *args, **kwargs)
        self.area, self.keeps_area = uploads.stage_uploads(request).area, False
        checked = csrf_protect(lambda request: super(StagedFormPage, self).dispatch(request, *args, **kwargs))
        try:
            return checked(request)
        except DomainError as error:  # of the form itself, which the check is the first to read
            return self.show(error)
        finally:
            if not self.keeps_area:
                storage.delete_area(self.area)

    def show(self, error: DomainError | None = None) -> HttpResponse:
        raise NotImplementedError

    def sent(self) -> Mapping[str, Any]:
        """The form's fields without its token."""
        form = self.request.POST
        return {name: form[name] for name in form if name != "csrfmiddlewaretoken"}

    def uploaded(self) -> list[StagedUpload]:
        found = [upload for name in self.request.FILES for upload in self.request.FILES.getlist(name)]
        return [upload for upload in found if isinstance(upload, StagedUpload)]

    def _may_send(self) -> bool:
        try:
            return self.request.user.is_authenticated and allows(self.membership.role, self.needs)
        except DomainError:
            return False
