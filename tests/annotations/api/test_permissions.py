"""Every route of people and data, tried by every role and by a stranger: the permission table, end to end."""

import pytest
from rest_framework.test import APIClient

from annotations.api import snapshots as snapshots_api
from annotations.models import DuplicateGroup, Proposal, Snapshot
from annotations.services import duplicates, flags, invitations, near_pairs, proposals, snapshots, tags
from annotations.types import ProposalSpec
from tests.factories import make_copies, make_images, make_tags

# method, address below the project, body, the least role that gets through
ROUTES = [
    ("get", "", None, "annotator"),
    ("patch", "", {"description": "New."}, "manager"),
    ("get", "stats/", None, "annotator"),
    ("get", "members/", None, "manager"),
    ("post", "members/", {"user": "second", "role": "reviewer"}, "manager"),
    ("post", "members/", {"user": "second", "role": "admin"}, "admin"),
    ("delete", "members/second/", None, "manager"),
    ("get", "audit/", None, "manager"),
    ("get", "annotators/", None, "manager"),
    ("get", "annotators/?user=me", None, "annotator"),
    ("get", "invitations/", None, "manager"),
    ("post", "invitations/", {"role": "manager", "note": "Ada"}, "manager"),
    ("post", "invitations/", {"role": "admin"}, "admin"),
    ("delete", "invitations/{invitation}/", None, "manager"),
    ("delete", "invitations/{to_admin}/", None, "admin"),
    ("get", "tags/", None, "annotator"),
    ("get", "tags/?q=do", None, "annotator"),
    ("post", "tags/", {"name": "cat"}, "manager"),
    ("get", "tags/{tag}/", None, "annotator"),
    ("patch", "tags/{tag}/", {"description": "Barks."}, "manager"),
    ("post", "tags/{tag}/retire/", None, "manager"),
    ("post", "tags/{tag}/merge/?preview=true", {"into": "wolf"}, "manager"),
    ("post", "tags/{tag}/merge/", {"into": "wolf"}, "manager"),
    ("post", "tags/{tag}/split/", {"into": ["hound", "puppy"]}, "manager"),
    ("post", "tags/{wolf}/undo/", None, "manager"),
    ("delete", "tags/{tag}/", None, "manager"),
    ("get", "tags/?deleted=true", None, "annotator"),
    ("get", "proposals/", None, "manager"),
    ("post", "proposals/{proposal}/adopt/", {}, "manager"),
    ("post", "proposals/{proposal}/adopt/", {"alias_of": "dog"}, "manager"),
    ("post", "proposals/{proposal}/dismiss/", None, "manager"),
    ("post", "proposals/{dismissed}/restore/", None, "manager"),
    ("get", "flags/", None, "annotator"),
    ("post", "flags/", {"image": 0, "comment": "See."}, "annotator"),
    ("get", "flags/{flag}/", None, "annotator"),
    ("post", "flags/{flag}/comments/", {"comment": "Yes."}, "annotator"),
    ("post", "flags/{flag}/resolve/", None, "reviewer"),
    ("post", "flags/{resolved}/reopen/", None, "reviewer"),
    ("get", "images/", None, "annotator"),
    ("get", "images/{image}/", None, "annotator"),
    ("patch", "images/{image}/", {"revision": 1, "caption": "New."}, "manager"),
    ("delete", "images/{image}/", None, "manager"),
    ("get", "images/bulk/", None, "reviewer"),
    ("post", "images/bulk/", {"filter": {}, "add": ["dog"]}, "reviewer"),
    ("post", "images/bulk/", {"filter": {}, "delete": True}, "manager"),
    ("get", "images/{image}/similar/", None, "annotator"),
    ("get", "suspects/", None, "reviewer"),
    ("get", "suspects/?kind=missing&tag=dog", None, "reviewer"),
    ("get", "disagreements/", None, "reviewer"),
    ("get", "agreement/", None, "manager"),
    ("get", "agreement/?blind=true", None, "manager"),
    ("get", "trash/", None, "manager"),
    ("post", "trash/restore/", {"ids": [1]}, "manager"),
    ("get", "exports/", None, "manager"),
    ("get", "exports/formats/", None, "manager"),
    ("post", "exports/", {"format": "csv"}, "manager"),
    ("get", "snapshots/", None, "manager"),
    ("post", "snapshots/", {"name": "first"}, "manager"),
    ("get", "snapshots/{snapshot}/", None, "manager"),
    ("delete", "snapshots/{snapshot}/", None, "manager"),
    ("get", "duplicates/", None, "manager"),
    ("get", "duplicates/{group}/", None, "manager"),
    ("post", "duplicates/{group}/keep/", {}, "manager"),
    ("post", "duplicates/{group}/join/", {"keep": 0}, "manager"),
    ("post", "duplicates/{decided}/undo/", None, "manager"),
    ("post", "queue/next/", {"count": 1}, "annotator"),
    ("post", "queue/renew/", {"leases": []}, "annotator"),
    ("post", "queue/release/", {"leases": []}, "annotator"),
    ("post", "reviews/", [], "annotator"),
    ("get", "verify/?tag=dog", None, "reviewer"),
    ("post", "verify/", {"tag": "dog", "yes": [], "no": []}, "reviewer"),
    ("delete", "", None, "admin"),
]
RANKS = ["annotator", "reviewer", "manager", "admin"]


@pytest.fixture(autouse=True)
def no_worker_is_waited_for(monkeypatch):
    monkeypatch.setattr(snapshots_api, "WAIT_S", 0.0)


def raise_two_flags(cast):
    """An open and a resolved one, both the annotator's own."""
    image = cast.project.images.order_by("pk").first()
    for _ in range(2):
        flag = flags.raise_flag(cast.project, image.pk, comment="See.", actor=cast.annotator)
    flags.resolve(flag, actor=cast.reviewer)


def look_alike(cast):
    """Two groups of near-duplicates; the second is kept."""
    make_images(cast.project, 1)
    for copies in (2, 2):
        make_copies(cast.project, copies)
    near_pairs.find(cast.project.pk)
    duplicates.keep(cast.project, DuplicateGroup.objects.latest("pk").pk, actor=cast.manager)


def call(client, cast, method, address, body):
    proposed = {row.text: row.pk for row in cast.project.proposals.all()}
    image = cast.project.images.order_by("pk").first()
    invitation, to_admin = cast.project.invitations.order_by("pk")
    open_flag, resolved_flag = cast.project.flags.order_by("pk")
    if isinstance(body, dict) and body.get("image") == 0:
        body = body | {"image": image.pk}
    group, decided = DuplicateGroup.objects.filter(project=cast.project).order_by("pk")
    if isinstance(body, dict) and body.get("keep") == 0:
        body = body | {"keep": group.pairs.get().first_id}
    address = address.format(
        group=group.pk,
        decided=decided.pk,
        tag=cast.project.tags.get(name="dog").pk,
        wolf=cast.project.tags.get(name="wolf").pk,
        image=image.pk,
        invitation=invitation.pk,
        to_admin=to_admin.pk,
        flag=open_flag.pk,
        resolved=resolved_flag.pk,
        snapshot=Snapshot.objects.get().pk,
        proposal=proposed["surf"],
        dismissed=proposed["kite"],
    )
    return getattr(client, method)(f"/api/v1/projects/{cast.project.pk}/{address}", body, format="json")


@pytest.mark.parametrize("who", [*RANKS, "outsider", "nobody"])
@pytest.mark.parametrize(("method", "address", "body", "least"), ROUTES)
def test_each_route_for_each_role(cast, client_of, method, address, body, least, who):
    make_tags(cast.project, "dog", "wolf")
    tags.update(cast.project.tags.get(name="wolf"), {"description": "Howls."}, actor=cast.manager)
    look_alike(cast)
    proposals.replace_open(
        cast.project.pk, [ProposalSpec("tag", text, None, 3, {}) for text in ("surf", "kite")]
    )
    proposals.dismiss(Proposal.objects.get(text="kite"), actor=cast.manager)
    raise_two_flags(cast)
    snapshots.start(cast.project, actor=cast.manager, name="first")
    for role in ("annotator", "admin"):
        invitations.create(cast.membership(cast.admin), role=role)
    client = APIClient() if who == "nobody" else client_of(getattr(cast, who))
    status = call(client, cast, method, address, body).status_code
    if who == "nobody":
        assert status == 401
    elif who == "outsider":
        assert status == 404
    elif RANKS.index(who) >= RANKS.index(least):
        assert status in (200, 201, 202, 204)
    else:
        assert status == 403
