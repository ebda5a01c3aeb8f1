"""A person's keys of the Review page: two fields a command, filled by a press, or in words where there is no script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from annotations import review_keys
from annotations.errors import DomainError
from annotations.selectors import key_map
from annotations.services import preferences
from annotations.views.base import Page

GROUPS = (
    ("All tags of an image", review_keys.ALL_TAGS),
    ("One tag at a time", review_keys.ONE_TAG),
    ("Both ways", None),
)


@dataclass(frozen=True)
class Row:
    """A command with what its two fields hold."""

    command: review_keys.Command
    first: str
    second: str
    usual: str
    error: str = ""


class KeysPage(Page):
    template = "annotations/keys.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        own = key_map.own(self.user)
        shown = {command.name: own.get(command.name, command.keys) for command in review_keys.COMMANDS}
        return self._show({name: [review_keys.label(key) for key in keys] for name, keys in shown.items()})

    def post(self, request: HttpRequest) -> HttpResponse:
        if "reset" in request.POST:
            preferences.reset_keys(actor=self.user)
            messages.success(request, "Every command has its usual keys again.")
            return redirect(self.back())
        written = self._written()
        try:
            preferences.set_keys(actor=self.user, keys=written)
        except DomainError as error:
            return self._show(written, status=400, error=error)
        preferences.set_single_keys(actor=self.user, are_on="single_keys" in request.POST)
        messages.success(request, "Saved. They hold in every project, wherever you sign in.")
        return redirect(self.back())

    def back(self) -> str:
        return (
            f"{self.request.path}?{urlencode({'next': self._next()})}" if self._next() else self.request.path
        )

    def _written(self) -> dict[str, list[str]]:
        sent = {command.name: self.request.POST.getlist(command.name) for command in review_keys.COMMANDS}
        return {name: [text.strip() for text in keys if text.strip()] for name, keys in sent.items() if keys}

    def _show(
        self, written: Mapping[str, Sequence[str]], status: int = 200, error: DomainError | None = None
    ) -> HttpResponse:
        groups = [
            (
                title,
                [_row(command, written, error) for command in review_keys.COMMANDS if command.mode == mode],
            )
            for title, mode in GROUPS
        ]
        return self.page(
            status,
            groups=groups,
            error=error,
            single_keys=key_map.are_single_keys_on(self.user),
            warnings=self._shadowed(),
            next=self._next(),
        )

    def _shadowed(self) -> list[str]:
        """Hotkeys that tags got after the person had chosen the same key."""
        keys = [key for chosen in key_map.own(self.user).values() for key in chosen]
        met = sorted(key_map.hotkeys_met(self.user, keys).items()) if keys else []
        return [
            f"{review_keys.label(key)} has become the hotkey of the tag “{tag.name}” in {tag.project.name}. "
            "Your command goes first."
            for key, tag in met
        ]

    def _next(self) -> str:
        """Where the person came from, if that is a page of ours."""
        address = self.request.GET.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(
            address, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )
        return address if is_ours else ""


def _row(
    command: review_keys.Command, written: Mapping[str, Sequence[str]], error: DomainError | None
) -> Row:
    first, second, *_ = (*written.get(command.name, ()), "", "")
    is_refused = error is not None and error.fields.get("command") == command.name
    return Row(
        command,
        first,
        second,
        usual=" or ".join(review_keys.label(key) for key in command.keys),
        error=error.message if error and is_refused else "",
    )
