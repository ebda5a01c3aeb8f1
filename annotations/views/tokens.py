"""A person's own API tokens. A new one is shown once, in the answer that made it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from annotations.forms import TokenForm
from annotations.selectors import people
from annotations.services import tokens
from annotations.views.base import Page


class TokensPage(Page):
    template = "annotations/tokens.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(TokenForm())

    @method_decorator(never_cache)
    def post(self, request: HttpRequest) -> HttpResponse:
        form = TokenForm(request.POST)
        if not form.is_valid():
            return self._show(form, status=400)
        return self._show(TokenForm(), made=tokens.create(self.user, days=form.cleaned_data["days"]))

    def _show(self, form: TokenForm, status: int = 200, made: str = "") -> HttpResponse:
        return self.page(status, form=form, tokens=people.tokens(self.user), made=made)


class RevokeToken(Page):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, token_key: str) -> HttpResponse:
        tokens.revoke(self.user, token_key)
        messages.success(request, "The token is revoked: whatever used it is signed out.")
        return redirect(self.back())

    def back(self) -> str:
        return reverse("tokens")
