"""The API of proposals: listed best first, decided once, taken back."""

import uuid

import pytest

from annotations.models import Proposal, Tag, TagAlias
from annotations.services import proposals
from annotations.types import ProposalSpec
from tests.factories import make_images, make_tags


@pytest.fixture
def api(cast, client_of):
    """Calls below the cast's project, as its manager: status and JSON."""
    client = client_of(cast.manager)

    def call(method, address="", body=None):
        if not address.startswith("http"):
            address = f"/api/v1/projects/{cast.project.pk}/proposals/{address}"
        answer = getattr(client, method)(address, body, format="json")
        return answer.status_code, answer.json()

    return call


@pytest.fixture
def proposed(cast):
    """Two tags, a synonym of dog, each with one example."""
    dog = make_tags(cast.project, "dog")["dog"]
    image = make_images(cast.project, 1, caption="A hound in the surf, a kite")[0]

    def spec(kind, text, tag_id=None, **figures):
        start = image.caption.index(text)
        place = {"image": image.pk, "start": start, "end": start + len(text), "text": text}
        return ProposalSpec(kind, text, tag_id, 7, {**figures, "examples": [place]})

    specs = [
        spec("tag", "surf", rule="phrase", share=0.5, lift=None),
        spec("alias", "hound", dog, rule="wordnet", share=0.5),
        spec("tag", "kite", rule="phrase", share=0.25, lift=None),
    ]
    proposals.replace_open(cast.project.pk, specs)
    return {row.text: row for row in Proposal.objects.all()}


def test_a_proposal_says_what_speaks_for_it(api, proposed):
    status, body = api("get")
    assert status == 200 and body["count"] == 3 and body["next"] is None
    surf, hound, _ = body["results"]
    assert (surf["kind"], surf["text"], surf["captions"], surf["tag"]) == ("tag", "surf", 7, None)
    assert (surf["evidence"]["rule"], surf["evidence"]["share"]) == ("phrase", 0.5)
    (example,) = surf["evidence"]["examples"]
    assert (example["start"], example["end"], example["text"]) == (15, 19, "surf")
    assert hound["tag"]["name"] == "dog" and hound["result"] is None


def test_by_kind_and_state(api, proposed, cast):
    proposals.dismiss(proposed["kite"], actor=cast.manager)
    assert [row["text"] for row in api("get", "?kind=alias")[1]["results"]] == ["hound"]
    assert [row["text"] for row in api("get", "?kind=tag")[1]["results"]] == ["surf"]
    (dismissed,) = api("get", "?state=dismissed")[1]["results"]
    assert (dismissed["text"], dismissed["decided_by"]) == ("kite", "manager")


@pytest.mark.parametrize("query", ["?kind=verb", "?state=lost", "?after=x", "?after=1-x", "?limit=0"])
def test_a_query_that_makes_no_sense_is_refused(api, proposed, query):
    status, body = api("get", query)
    assert status == 400 and body["error"]["code"].startswith("bad_")


def test_pages_hold_every_proposal_once(api, proposed):
    texts, address = [], "?limit=1"
    while address:
        body = api("get", address)[1]
        texts += [row["text"] for row in body["results"]]
        address = body["next"]
    assert texts == ["surf", "hound", "kite"]


def test_queries_do_not_grow_with_the_list(cast, client_of, django_assert_max_num_queries):
    client = client_of(cast.manager)
    address = f"/api/v1/projects/{cast.project.pk}/proposals/"
    client.get(address)
    used = []
    for count in (2, 20):
        specs = [ProposalSpec("tag", f"word {n}", None, 3, {"examples": []}) for n in range(count)]
        proposals.replace_open(cast.project.pk, specs)
        with django_assert_max_num_queries(12) as queries:
            assert len(client.get(address).json()["results"]) == count
        used.append(len(queries))
    assert used[0] == used[1]


def test_adopting_makes_the_tag(api, proposed):
    status, body = api("post", f"{proposed['surf'].pk}/adopt/", {})
    assert status == 200 and body["state"] == "accepted"
    assert body["result"] == {
        "kind": "tag",
        "word": "surf",
        "tag": {"id": Tag.objects.get(name="surf").pk, "name": "surf"},
    }


def test_adopting_a_synonym_extends_its_tag(api, proposed):
    assert api("post", f"{proposed['hound'].pk}/adopt/")[0] == 200
    assert TagAlias.objects.get().name == "hound"


def test_as_another_name_or_another_tags_word(api, proposed, cast):
    make_tags(cast.project, "sea")
    assert api("post", f"{proposed['kite'].pk}/adopt/", {"name": "paper kite"})[0] == 200
    assert api("post", f"{proposed['surf'].pk}/adopt/", {"alias_of": "SEA"})[0] == 200
    assert Tag.objects.filter(name="paper kite").exists()
    assert TagAlias.objects.get(tag__name="sea").name == "surf"


def test_what_cannot_be_done_is_said(api, proposed):
    kite = proposed["kite"].pk
    assert api("post", f"{kite}/adopt/", {"alias_of": "nothing"})[1]["error"]["code"] == "unknown_tag"
    assert (
        api("post", f"{kite}/adopt/", {"alias_of": "dog", "name": "x"})[1]["error"]["code"] == "name_or_alias"
    )
    assert api("post", f"{kite}/adopt/", {"name": "dog"})[1]["error"]["code"] == "tag_exists"
    assert api("post", f"{kite}/restore/")[1]["error"]["code"] == "not_decided"
    assert api("post", "999999/adopt/")[0] == 404
    assert Proposal.objects.filter(state="open").count() == 3


def test_a_second_decision_is_refused_with_the_state(api, proposed):
    surf = proposed["surf"].pk
    api("post", f"{surf}/dismiss/")
    status, body = api("post", f"{surf}/adopt/")
    assert (status, body["error"]["code"], body["error"]["fields"]["state"]) == (
        409,
        "already_decided",
        "dismissed",
    )


def test_the_same_request_again_gets_the_same_answer(api, proposed):
    surf, sent = proposed["surf"].pk, {"client_id": str(uuid.uuid4())}
    first = api("post", f"{surf}/adopt/", sent)
    assert api("post", f"{surf}/adopt/", sent) == first and first[0] == 200
    assert Tag.objects.filter(name="surf").count() == 1
    assert api("post", f"{surf}/dismiss/", sent)[1]["error"]["code"] == "client_id_reused"


def test_restoring_takes_it_back(api, proposed):
    surf = proposed["surf"].pk
    api("post", f"{surf}/adopt/")
    status, body = api("post", f"{surf}/restore/")
    assert (status, body["state"]) == (200, "open")
    assert Tag.objects.get(name="surf").retired_at is not None
