"""Addresses: which application answers where."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from tagger import health


def _present(*modules: str) -> list[str]:
    return [module for module in modules if find_spec(module)]


urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerSplitView.as_view(), name="docs"),
    *[path("api/v1/", include(module)) for module in _present("annotations.api.urls", "mlmodels.api.urls")],
    *[path("", include(module)) for module in _present("mlmodels.urls", "annotations.urls")],
]
