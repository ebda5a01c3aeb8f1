"""Writes of proposals: replaced by what captions say now; adopted, dismissed and taken back by people.

Which words are proposed, and why, is decided on the model's side. Every change here is one transaction.
"""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from annotations.errors import Conflict
from annotations.models import CaptionProgress, Project, Proposal, Tag, TagAlias, User
from annotations.models.tag import name_key
from annotations.selectors import proposals as read_proposals
from annotations.services import audit, tags
from annotations.types import ProposalSpec, TagSpec

_UPDATED = ["text", "captions", "rank", "evidence"]
_DECIDED = ["state", "decided_by", "decided_at", "result_tag", "result_word", "result_kind"]


@transaction.atomic
def replace_open(project_id: int, specs: Sequence[ProposalSpec]) -> int:
    """Make these the open proposals, best first; what people decided stays. Returns how many are open.

    A word that has entered the vocabulary meanwhile is left out, and one whose adoption was taken back stays.
    """
    project = _locked(project_id)
    wanted = _free(project, specs)
    known = {_identity(row): row for row in Proposal.objects.filter(project=project)}
    fresh: list[Proposal] = []
    changed: list[Proposal] = []
    for rank, (identity, spec) in enumerate(wanted.items()):
        row = known.get(identity) or Proposal(
            project=project, kind=spec.kind, key=identity[1], tag_id=spec.tag_id
        )
        if row.state != Proposal.State.OPEN:
            continue
        row.text, row.captions, row.rank, row.evidence = spec.text, spec.captions, rank, spec.evidence
        (fresh if row.pk is None else changed).append(row)
    kept = {row.pk for row in changed}
    gone = Proposal.objects.filter(project=project, state=Proposal.State.OPEN, result_tag=None)
    gone.exclude(pk__in=kept).delete()
    Proposal.objects.bulk_create(fresh)
    Proposal.objects.bulk_update(changed, _UPDATED, batch_size=500)
    return len(fresh) + len(changed)


def report_reading(project_id: int, *, read: int, total: int, is_reading: bool) -> None:
    """Say how far the captions have been read; the end of the reading is when proposals are up to date."""
    values: dict[str, object] = {"read": read, "total": total, "is_reading": is_reading}
    if not is_reading:
        values["finished_at"] = timezone.now()
    CaptionProgress.objects.update_or_create(project_id=project_id, defaults=values)


@transaction.atomic
def adopt(proposal: Proposal, *, actor: User, name: str | None = None) -> Proposal:
    """Do what is proposed: make the tag, or give its tag the alias. With `name`, make a tag of that name instead.

    Raises Conflict `already_decided`, or `tag_exists` where the word has been taken meanwhile.
    """
    row = _open(proposal)
    if row.kind == Proposal.Kind.ALIAS and name is None:
        return _as_alias(row, row.tag, actor)
    return _as_tag(row, row.text if name is None else name, actor)


@transaction.atomic
def adopt_as_alias(proposal: Proposal, tag: Tag, *, actor: User) -> Proposal:
    """Make the word another word for this tag, whatever was proposed."""
    return _as_alias(_open(proposal), tag, actor)


@transaction.atomic
def dismiss(proposal: Proposal, *, actor: User) -> Proposal:
    """Put a proposal away for good: it is not made again, until somebody restores it."""
    return _decide(_open(proposal), Proposal.State.DISMISSED, "proposals.dismiss", actor)


@transaction.atomic
def restore(proposal: Proposal, *, actor: User) -> Proposal:
    """Take the decision back: a tag that was made is retired again, an alias removed, and the proposal is open."""
    row = _row(proposal)
    if row.state == Proposal.State.OPEN:
        raise Conflict(
            f"“{row.text}” is open: there is nothing to take back.", code="not_decided", state=row.state
        )
    if row.state == Proposal.State.ACCEPTED and row.result_tag is not None:
        if row.result_kind == Proposal.Kind.ALIAS:
            _remove_alias(row.result_tag, row.result_word, actor)
            row.result_tag, row.result_word, row.result_kind = None, "", ""
        elif row.result_tag.retired_at is None:
            tags.retire(row.result_tag, actor=actor)
    return _decide(row, Proposal.State.OPEN, "proposals.restore", actor)


def _as_tag(row: Proposal, name: str, actor: User) -> Proposal:
    made = row.result_tag
    is_taken_back = made is not None and made.retired_at is not None and made.deleted_at is None
    if made is not None and is_taken_back and made.key == name_key(name):
        tags.revive(made, actor=actor)
    else:
        made = tags.create_many(row.project, [TagSpec(name=name)], actor=actor)[0]
    row.result_tag, row.result_word, row.result_kind = made, made.name, Proposal.Kind.TAG
    return _decide(row, Proposal.State.ACCEPTED, "proposals.adopt", actor)


def _as_alias(row: Proposal, tag: Tag | None, actor: User) -> Proposal:
    if tag is None or tag.retired_at is not None:
        raise Conflict(
            "A retired tag takes no new words: revive it first, or choose another.", code="already_retired"
        )
    words = [alias.name for alias in tag.aliases.order_by("pk")]
    tags.update(tag, {"aliases": [*words, row.text]}, actor=actor)
    row.result_tag, row.result_word, row.result_kind = tag, row.text, Proposal.Kind.ALIAS
    return _decide(row, Proposal.State.ACCEPTED, "proposals.adopt_alias", actor)


def _remove_alias(tag: Tag, word: str, actor: User) -> None:
    words = [alias.name for alias in tag.aliases.order_by("pk")]
    left = [other for other in words if name_key(other) != name_key(word)]
    if len(left) < len(words):
        tags.update(tag, {"aliases": left}, actor=actor)


def _decide(row: Proposal, state: str, action: str, actor: User) -> Proposal:
    row.state = state
    row.decided_by, row.decided_at = (None, None) if state == Proposal.State.OPEN else (actor, timezone.now())
    row.save(update_fields=_DECIDED)
    details = {"proposal": row.pk, "text": row.text, "tag": row.result_tag_id}
    audit.record(row.project_id, action, actor_id=actor.pk, **details)
    return row


def _open(proposal: Proposal) -> Proposal:
    row = _row(proposal)
    if row.state != Proposal.State.OPEN:
        raise Conflict(f"“{row.text}” is {row.state} already.", code="already_decided", state=row.state)
    return row


def _row(proposal: Proposal) -> Proposal:
    """The proposal as it is now, locked behind its project: vocabulary and proposals change one at a time."""
    project = _locked(proposal.project_id)
    row = read_proposals.get(project, proposal.pk)
    row.project = project
    return row


def _locked(project_id: int) -> Project:
    return Project.objects.select_for_update().get(pk=project_id)


Identity = tuple[str, str, int | None]


def _identity(row: Proposal) -> Identity:
    return row.kind, row.key, row.tag_id


def _free(project: Project, specs: Sequence[ProposalSpec]) -> dict[Identity, ProposalSpec]:
    """The specs whose words nobody has taken and whose tags are active, each once. Three queries."""
    keys = {name_key(spec.text) for spec in specs}
    taken = set(Tag.objects.filter(project=project, key__in=keys).values_list("key", flat=True))
    taken |= set(TagAlias.objects.filter(project=project, key__in=keys).values_list("key", flat=True))
    active = {None, *Tag.objects.filter(project=project, retired_at=None).values_list("pk", flat=True)}
    wanted: dict[Identity, ProposalSpec] = {}
    for spec in specs:
        key = name_key(spec.text)
        if key not in taken and spec.tag_id in active:
            wanted.setdefault((spec.kind, key, spec.tag_id), spec)
    return wanted
