"""The page of all components, for whoever builds or reviews a page. It reads nothing."""

from django.views.generic import TemplateView


class Patterns(TemplateView):
    template_name = "annotations/patterns.html"
