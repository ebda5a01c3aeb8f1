"""A POST that is sent again with its `client_id`: nothing happens twice, whatever became of what was stored."""

import uuid

import pytest

from annotations.api import snapshots
from annotations.models import BulkJob, DuplicateGroup, Project, Tag
from annotations.services import (
    bulk,
    duplicates,
    image_edits,
    near_pairs,
    projects,
    tag_trash,
    tags,
    verify,
)
from tests.factories import make_copies, make_images, make_tags, review_next


@pytest.fixture
def post(cast, client_of):
    """POST to an address below the project, as its admin unless somebody else is named."""

    def send(path, body, user=None):
        client = client_of(user or cast.admin)
        return client.post(f"/api/v1/projects/{cast.project.pk}/{path}", body, format="json")

    return send


@pytest.fixture
def post_project(cast, client_of):
    def send(body):
        return client_of(cast.manager).post("/api/v1/projects/", body, format="json")

    return send


def with_id(**body):
    return body | {"client_id": str(uuid.uuid4())}


def test_tags_that_went_to_the_trash_since(cast, post):
    body = with_id(name="bird")
    made = post("tags/", body).json()
    tag_trash.delete(Tag.objects.get(pk=made["id"]), actor=cast.admin)
    again = post("tags/", body)
    assert (again.status_code, again.json()["id"]) == (200, made["id"])
    assert again.json()["deleted_at"] is not None


def test_tags_that_were_removed_for_good_since(cast, post):
    body = with_id(name="bird")
    tag = Tag.objects.get(pk=post("tags/", body).json()["id"])
    tag_trash.remove(tag_trash.delete(tag, actor=cast.admin), actor=cast.admin)
    again = post("tags/", body)
    assert (again.status_code, again.json()["error"]["fields"]) == (404, {"tag": tag.pk})


def test_a_project_tells_the_role_that_its_maker_has_now(cast, post_project):
    body = with_id(name="Birds")
    project = Project.objects.get(pk=post_project(body).json()["id"])
    boss = project.memberships.select_related("project", "user").get()
    projects.set_member(boss, "admin", "admin")
    projects.set_member(boss, "manager", "annotator")
    assert post_project(body).json()["role"] == "annotator"


@pytest.mark.parametrize("since", ["left", "in the trash", "removed for good"])
def test_a_project_that_its_maker_has_no_more_is_404(cast, post_project, since):
    body = with_id(name="Birds")
    project = Project.objects.get(pk=post_project(body).json()["id"])
    boss = project.memberships.select_related("project", "user").get()
    if since == "left":
        projects.set_member(boss, "admin", "admin")
        projects.remove_member(boss, "manager")
    elif since == "in the trash":
        projects.trash(boss)
    else:
        project.delete()
    assert post_project(body).status_code == 404


def test_a_member_is_set_once(cast, post):
    body = with_id(user="second", role="reviewer")
    assert post("members/", body).status_code == 201
    projects.set_member(cast.membership(cast.admin), "second", "manager")
    again = post("members/", body)
    assert (again.status_code, again.json()["role"]) == (200, "reviewer")
    assert cast.membership(cast.second).role == "manager"
    other = post("members/", body | {"user": "annotator"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "client_id_reused")


def test_the_same_words_to_another_address_are_another_request(post, monkeypatch):
    monkeypatch.setattr(snapshots, "WAIT_S", 0.0)
    body = with_id(name="first", format="csv")
    assert post("snapshots/", body).status_code == 202
    other = post("exports/", body)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "client_id_reused")


def retire(cast):
    return f"tags/{cast.project.tags.get(name='dog').pk}/retire/", {}


def merge(cast):
    return f"tags/{cast.project.tags.get(name='dog').pk}/merge/", {"into": "wolf"}


def split(cast):
    return f"tags/{cast.project.tags.get(name='dog').pk}/split/", {"into": ["hound", "puppy"]}


def undo_tag(cast):
    dog = tags.update(cast.project.tags.get(name="dog"), {"description": "Barks."}, actor=cast.admin)
    return f"tags/{dog.pk}/undo/", {}


def undo_review(cast):
    return f"reviews/{review_next(cast, cast.admin, yes=('dog',)).review.pk}/undo/", {}


def undo_page(cast):
    image = cast.project.images.first()
    page = verify.answer_tag(cast.project, cast.admin, word="dog", yes=[image.pk], no=[])
    return f"verify/{page['page']}/undo/", {}


def restore(cast):
    image = cast.project.images.first()
    image_edits.trash(cast.project, image.pk, actor=cast.admin)
    return "trash/restore/", {"ids": [image.pk]}


def look_alike(cast):
    make_copies(cast.project, 2)
    near_pairs.find(cast.project.pk)
    return DuplicateGroup.objects.get(project=cast.project)


def keep(cast):
    return f"duplicates/{look_alike(cast).pk}/keep/", {}


def join(cast):
    group = look_alike(cast)
    return f"duplicates/{group.pk}/join/", {"keep": group.pairs.get().first_id}


def undo_group(cast):
    group = look_alike(cast)
    duplicates.keep(cast.project, group.pk, actor=cast.admin)
    return f"duplicates/{group.pk}/undo/", {}


@pytest.mark.parametrize(
    "act",
    [retire, merge, split, undo_tag, undo_review, undo_page, restore, keep, join, undo_group],
    ids=lambda act: act.__name__,
)
def test_an_act_is_done_once_and_its_answer_told_again(cast, post, act):
    make_tags(cast.project, "dog", "wolf")
    make_images(cast.project, 2)
    path, body = act(cast)
    body = with_id(**body)
    first, again = post(path, body), post(path, body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    elsewhere = post("tags/", {"name": "bird", "client_id": body["client_id"]})
    assert elsewhere.json()["error"]["code"] == "client_id_reused"


def test_a_bulk_action_is_taken_back_once(cast, post):
    make_tags(cast.project, "dog")
    make_images(cast.project, 1)
    done = bulk.start(cast.membership(cast.admin), filter={}, add=["dog"])
    BulkJob.objects.update(state="done")
    body = with_id()
    first, again = (post(f"images/bulk/{done.pk}/undo/", body) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["id"] == first.json()["id"] != done.pk
