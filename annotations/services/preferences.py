"""What a person sets for themselves alone: the keys of the Review page."""

from collections.abc import Mapping, Sequence

from django.db import transaction

from annotations import review_keys
from annotations.errors import BadInput, Conflict
from annotations.models import User
from annotations.selectors import key_map

KEYS_A_COMMAND = 2
_BY_NAME = {command.name: command for command in review_keys.COMMANDS}


@transaction.atomic
def set_keys(*, actor: User, keys: Mapping[str, Sequence[str]]) -> None:
    """Give these commands other keys; the rest keep theirs. All or none.

    Raises BadInput for what is no key, and Conflict where a key belongs to another command or, as a hotkey, to a tag
    of the person's projects. Both name the command in the field `command`.
    """
    user = _locked(actor)
    wanted = {name: _checked(name, written) for name, written in keys.items()}
    own = {
        name: found for name, found in (key_map.own(user) | wanted).items() if not _is_default(name, found)
    }
    _refuse_shared(own, wanted)
    _refuse_hotkeys(user, own, wanted)
    _store(actor, user, "keys", own)


@transaction.atomic
def reset_keys(*, actor: User) -> None:
    """Every command has the keys of the list again."""
    _store(actor, _locked(actor), "keys", {})


@transaction.atomic
def set_single_keys(*, actor: User, are_on: bool) -> None:
    """Let letters, digits and signs act in Review, or sleep. Enter goes on acting."""
    _store(actor, _locked(actor), "single_keys", are_on)


def _locked(actor: User) -> User:
    """The row, locked: two pages that save at once must not lose each other's half."""
    return User.objects.select_for_update().get(pk=actor.pk)


def _store(actor: User, user: User, name: str, value: object) -> None:
    user.preferences[name] = value
    user.save(update_fields=["preferences"])
    actor.preferences = user.preferences


def _checked(name: str, written: Sequence[str]) -> list[str]:
    command = _BY_NAME.get(name)
    if command is None:
        raise BadInput(f"The Review page has no command “{name[:40]}”.", code="unknown_command", command=name)
    if not 1 <= len(written) <= KEYS_A_COMMAND:
        raise BadInput(
            f"“{command.title}” has one key or two, not {len(written)}.", code="bad_key", command=name
        )
    return list(dict.fromkeys(_key(command, text) for text in written))


def _key(command: review_keys.Command, text: str) -> str:
    key = review_keys.canonical(text)
    if key is None:
        digit = len(text) == 1 and text in review_keys.DIGITS
        reason = (
            "Digits toggle the tags of an image."
            if digit
            else "Give one letter or sign, or a key such as Enter, Space or ArrowRight."
        )
        raise BadInput(
            f"“{text[:40]}” cannot be a key of “{command.title}”. {reason}",
            code="bad_key",
            command=command.name,
        )
    return key


def _is_default(name: str, keys: Sequence[str]) -> bool:
    return tuple(keys) == _BY_NAME[name].keys


def _refuse_shared(own: Mapping[str, Sequence[str]], wanted: Mapping[str, Sequence[str]]) -> None:
    owners: dict[str, review_keys.Command] = {}
    # What was just asked for is told to give way, not what stood there before.
    for command in sorted(review_keys.COMMANDS, key=lambda one: one.name in wanted and one.name in own):
        for key in own.get(command.name) or (*command.keys, *command.also):
            other = owners.setdefault(key, command)
            if other is not command:
                raise Conflict(
                    f"{review_keys.label(key)} already does “{other.title}”. Choose another key, "
                    f"or change that command too.",
                    code="key_taken",
                    command=command.name,
                )


def _refuse_hotkeys(
    user: User, own: Mapping[str, Sequence[str]], wanted: Mapping[str, Sequence[str]]
) -> None:
    asked = {key: name for name in wanted for key in own.get(name, ())}
    for key, tag in key_map.hotkeys_met(user, asked).items():
        raise Conflict(
            f"{review_keys.label(key)} is the hotkey of the tag “{tag.name}” in {tag.project.name}. "
            "Choose another key.",
            code="key_taken",
            command=asked[key],
        )
