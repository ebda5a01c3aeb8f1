"""What the audit trail says of each action, in one table, and the kinds it can be narrowed to. No queries here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from annotations.models import Role

NAMED_MOST = 3

# A sentence goes on after the person's name; a word in braces is filled in from the event's details.
SENTENCES: dict[str, str] = {
    "projects.create": "created the project",
    "projects.update": "changed the settings: {fields}",
    "projects.trash": "moved the project to the trash",
    "projects.restore": "brought the project back from the trash",
    "members.set": "made {user} {role}",
    "members.remove": "removed {user} from the project",
    "invitations.create": "invited {invited} as {role}",
    "invitations.revoke": "took back the invitation of {invited} as {role}",
    "invitations.accept": "accepted an invitation of {inviter} and is {role} now",
    "tags.create": "made {new_tags}",
    "tags.update": "changed {edited_tag}",
    "tags.retire": "retired {tag}",
    "tags.revive": "brought back {tag}",
    "tags.merge": "merged the tag {own_name} into {into}",
    "tags.split": "split the tag {own_name} into {part_names}",
    "tags.trash": "moved the tag {own_name} to the trash",
    "tags.restore": "brought {tag} back from the trash",
    "tags.purge": "removed the tag {own_name} for good",
    "tags.undo_edit": "took back a change of {tag}",
    "tags.undo_merge": "took back the merge of {tag}",
    "tags.undo_split": "took back the split of {tag}",
    "proposals.adopt": "made a tag of the proposed word {text}",
    "proposals.adopt_alias": "made the proposed word {text} another word for {tag}",
    "proposals.dismiss": "dismissed the proposed word {text}",
    "proposals.restore": "opened the proposed word {text} again",
    "images.update": "changed the {fields} of {image}",
    "images.trash": "moved {image} to the trash",
    "images.restore": "brought {images} back from the trash",
    "images.purge": "removed {images} for good",
    "images.bulk": "{bulk}",
    "images.bulk_cancel": "stopped an action on {images}",
    "images.bulk_undo": "took back an action on {images}",
    "duplicates.join": "joined {images} that look alike, and kept {image}",
    "duplicates.keep": "kept {images} that look alike",
    "duplicates.undo": "took back what was decided on {images} that look alike",
    "flags.raise": "flagged {image}",
    "flags.comment": "replied to the flag of {flagged}",
    "flags.resolve": "resolved the flag of {image}",
    "flags.reopen": "opened the flag of {image} again",
    "imports.start": "started an import of {images}",
    "imports.list": "started an import from {place}",
    "imports.read": "started an import of the table {table}",
    "imports.cancel": "stopped an import of {images}",
    "exports.start": "started an export as {format}",
    "exports.cancel": "stopped an export as {format}",
    "snapshots.create": "froze the snapshot {snapshot}",
    "snapshots.remove": "removed the snapshot {snapshot}",
    "policy.update": "changed the training policy: {policy}",
    "policy.asking": "changed what the queue asks: {shares}",
    "training.start": "started training",
    "training.finetune": "started fine-tuning",
    "models.take_extractor": "took the tuned backbone {extractor}, which had passed the gate",
    "training.from_snapshot": "started training from the snapshot {snapshot}",
    "training.cancel": "stopped training",
    "training.cancel_finetune": "stopped fine-tuning",
    "models.activate": "put model {version} live",
    "models.export": "asked for model {version} as a file to take away",
    "models.export_cancel": "stopped making model {version} a file to take away",
    "models.fall_back": "{fallback}, as the file of the live version cannot be read",
}


@dataclass(frozen=True)
class Kind:
    """Actions that a reader looks for together, by what stands before the dot."""

    title: str
    areas: tuple[str, ...]


KINDS: dict[str, Kind] = {
    "people": Kind("People", ("members", "invitations")),
    "tags": Kind("Tags", ("tags", "proposals")),
    "images": Kind("Images", ("images", "duplicates")),
    "flags": Kind("Flags", ("flags",)),
    "transfers": Kind("Imports and exports", ("imports", "exports", "snapshots")),
    "model": Kind("Training and models", ("training", "models", "policy")),
    "project": Kind("The project", ("projects",)),
}


@dataclass(frozen=True)
class Names:
    """Names of what the events of a page speak of, by id. What is gone has none."""

    tags: Mapping[int, str]
    images: Mapping[int, str]
    flagged: Mapping[int, str]


def sentence(action: str, details: Mapping[str, Any], names: Names) -> str:
    """What was done, to follow the name of whoever did it. An action without a sentence shows as it is called."""
    template = SENTENCES.get(action)
    if template is None:
        return action.replace(".", ": ").replace("_", " ")
    return template.format_map(_Words(details, names))


class _Words(dict[str, str]):
    """Makes a word of a sentence when the sentence asks for it."""

    def __init__(self, details: Mapping[str, Any], names: Names) -> None:
        super().__init__()
        self.details, self.names = details, names

    def __missing__(self, word: str) -> str:
        return _WORDS[word](self.details, self.names)


def _tag(details: Mapping[str, Any], names: Names) -> str:
    name = names.tags.get(details.get("tag", 0))
    return "a tag that is gone" if name is None else f"the tag {quoted(name)}"


def _edited_tag(details: Mapping[str, Any], names: Names) -> str:
    """By the name it had then, and the one it has now if that is another."""
    now = names.tags.get(details.get("tag", 0))
    before = (details.get("before") or {}).get("name", now)
    if before is None:
        return _tag(details, names)
    return f"the tag {quoted(before)}" + (f", now {quoted(now)}" if now not in (None, before) else "")


def _new_tags(details: Mapping[str, Any], names: Names) -> str:
    made = [quoted(name) for name in details.get("names") or []]
    return f"the tag {_list(made)}" if len(made) == 1 else f"{len(made):,} tags: {_list(made)}"


def _image(details: Mapping[str, Any], names: Names) -> str:
    return _named(names.images, details.get("image"), "an image that is gone")


def _flagged(details: Mapping[str, Any], names: Names) -> str:
    return _named(names.flagged, details.get("flag"), "an image that is gone")


def _images(details: Mapping[str, Any], names: Names) -> str:
    count = details.get("images")
    if not isinstance(count, int):
        return "images"
    return "one image" if count == 1 else f"{count:,} images"


def _bulk(details: Mapping[str, Any], names: Names) -> str:
    """Answers to tags and a place in the queue go together; the trash stands alone."""
    images = _images(details, names)
    if details.get("delete"):
        return f"moved {images} to the trash"
    answers = [
        f"{answer} to {_list([_named(names.tags, tag_id, 'a tag that is gone') for tag_id in tag_ids])}"
        for answer, tag_ids in (("yes", details.get("add") or []), ("no", details.get("remove") or []))
        if tag_ids
    ]
    if not answers:
        return f"sent {images} to the front of the queue"
    queued = ", and sent them to the front of the queue" if details.get("queue") else ""
    return f"said {' and '.join(answers)} on {images}{queued}"


def _policy(details: Mapping[str, Any], names: Names) -> str:
    said = [
        words.format(details[field])
        for field, words in (
            ("every_reviews", "after every {} reviews"),
            ("at_most_every_seconds", "at most every {:g} s"),
            ("after_quiet_seconds", "after {:g} s of quiet"),
        )
        if isinstance(details.get(field), int | float)
    ]
    if "paused" in details:
        said.append("paused" if details["paused"] else "not paused")
    return ", ".join(said) or "nothing"


def _shares(details: Mapping[str, Any], names: Names) -> str:
    said = [
        f"{details[field]} % {words}"
        for field, words in (
            ("uncertain", "uncertain"),
            ("diverse", "diverse"),
            ("rare", "rare tags"),
            ("disagreement", "pixels against caption"),
        )
        if isinstance(details.get(field), int)
    ]
    return ", ".join(said) or "nothing"


def _fallback(details: Mapping[str, Any], names: Names) -> str:
    return f"put model v{details['number']} live again" if details.get("number") else "took the model off"


def _role(details: Mapping[str, Any], names: Names) -> str:
    role = details.get("role")
    return Role(role).with_article if role in Role.values else "a member"


def _fields(details: Mapping[str, Any], names: Names) -> str:
    fields = [str(field).replace("_", " ") for field in details.get("fields") or []]
    return _joined(fields) or "nothing"


_WORDS: dict[str, Callable[[Mapping[str, Any], Names], str]] = {
    "tag": _tag,
    "edited_tag": _edited_tag,
    "new_tags": _new_tags,
    "own_name": lambda details, _: quoted(details.get("name", "")),
    "into": lambda details, _: quoted(details.get("into", "")),
    "part_names": lambda details, _: _list([quoted(name) for name in details.get("names") or []]),
    "image": _image,
    "flagged": _flagged,
    "images": _images,
    "bulk": _bulk,
    "policy": _policy,
    "shares": _shares,
    "fallback": _fallback,
    "role": _role,
    "fields": _fields,
    "user": lambda details, _: str(details.get("user", "somebody")),
    "inviter": lambda details, _: str(details.get("by") or "somebody"),
    "invited": lambda details, _: quoted(details["note"]) if details.get("note") else "somebody",
    "text": lambda details, _: quoted(details.get("text", "")),
    "place": lambda details, _: quoted(details["place"]) if details.get("place") else "a bucket",
    "table": lambda details, _: quoted(details.get("table", "")),
    "format": lambda details, _: str(details.get("format", "a file")),
    "snapshot": lambda details, _: quoted(details.get("name", "")),
    "extractor": lambda details, _: str(details.get("extractor", "of a run")),
    "version": lambda details, _: f"v{details.get('number', '?')}",
}


def quoted(name: object) -> str:
    return f"“{name}”"


def _named(known: Mapping[int, str], number: Any, gone: str) -> str:
    return quoted(known[number]) if number in known else gone


def _list(names: list[str]) -> str:
    """The first few of them, and how many more there are."""
    shown = names[:NAMED_MOST]
    more = len(names) - len(shown)
    return _joined([*shown, f"{more:,} more"] if more else shown)


def _joined(parts: list[str]) -> str:
    *first, last = parts or [""]
    return f"{', '.join(first)} and {last}" if first else last
