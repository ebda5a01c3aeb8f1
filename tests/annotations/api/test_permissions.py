"""Every route of people and data, tried by every role and by a stranger: the permission table, end to end."""

import pytest
from rest_framework.test import APIClient

from annotations.models import Proposal
from annotations.services import flags, proposals
from annotations.types import ProposalSpec
from tests.factories import make_images, make_tags

# method, address below the project, body, the least role that gets through
ROUTES = [
    ("get", "", None, "annotator"),
    ("patch", "", {"description": "New."}, "manager"),
    ("get", "stats/", None, "annotator"),
    ("get", "members/", None, "manager"),
    ("post", "members/", {"user": "second", "role": "reviewer"}, "manager"),
    ("post", "members/", {"user": "second", "role": "admin"}, "admin"),
    ("delete", "members/second/", None, "manager"),
    ("get", "tags/", None, "annotator"),
    ("get", "tags/?q=do", None, "annotator"),
    ("post", "tags/", {"name": "cat"}, "manager"),
    ("get", "tags/{tag}/", None, "annotator"),
    ("patch", "tags/{tag}/", {"description": "Barks."}, "manager"),
    ("post", "tags/{tag}/retire/", None, "manager"),
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
    ("post", "queue/next/", {"count": 1}, "annotator"),
    ("post", "queue/renew/", {"leases": []}, "annotator"),
    ("post", "queue/release/", {"leases": []}, "annotator"),
    ("post", "reviews/", [], "annotator"),
    ("get", "verify/?tag=dog", None, "reviewer"),
    ("post", "verify/", {"tag": "dog", "yes": [], "no": []}, "reviewer"),
    ("delete", "", None, "admin"),
]
RANKS = ["annotator", "reviewer", "manager", "admin"]


def raise_two_flags(cast):
    """An open and a resolved one, both the annotator's own."""
    image = cast.project.images.order_by("pk").first()
    for _ in range(2):
        flag = flags.raise_flag(cast.project, image.pk, comment="See.", actor=cast.annotator)
    flags.resolve(flag, actor=cast.reviewer)


def call(client, cast, method, address, body):
    proposed = {row.text: row.pk for row in cast.project.proposals.all()}
    image = cast.project.images.order_by("pk").first()
    open_flag, resolved_flag = cast.project.flags.order_by("pk")
    if isinstance(body, dict) and body.get("image") == 0:
        body = body | {"image": image.pk}
    address = address.format(
        tag=cast.project.tags.get(name="dog").pk,
        image=image.pk,
        flag=open_flag.pk,
        resolved=resolved_flag.pk,
        proposal=proposed["surf"],
        dismissed=proposed["kite"],
    )
    return getattr(client, method)(f"/api/v1/projects/{cast.project.pk}/{address}", body, format="json")


@pytest.mark.parametrize("who", [*RANKS, "outsider", "nobody"])
@pytest.mark.parametrize(("method", "address", "body", "least"), ROUTES)
def test_each_route_for_each_role(cast, client_of, method, address, body, least, who):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    proposals.replace_open(
        cast.project.pk, [ProposalSpec("tag", text, None, 3, {}) for text in ("surf", "kite")]
    )
    proposals.dismiss(Proposal.objects.get(text="kite"), actor=cast.manager)
    raise_two_flags(cast)
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
