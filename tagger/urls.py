"""Addresses: which application answers where."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from tagger import health, metrics
from tagger.admin_site import site

handler404 = "tagger.api_errors.not_found"
handler500 = "tagger.api_errors.broken"

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("accounts/", include("allauth.urls")),
    path("admin/", site.urls),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerSplitView.as_view(), name="docs"),
    path("api/v1/", include("annotations.api.urls")),
    path("api/v1/", include("mlmodels.api.urls")),
    path("", include("mlmodels.urls")),
    path("", include("annotations.urls")),
]
