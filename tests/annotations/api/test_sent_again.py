"""A POST that is sent again with its `client_id`: nothing happens twice, whatever became of what was stored."""

import uuid

import pytest

from annotations.models import Project, Tag
from annotations.services import projects, tag_trash


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
