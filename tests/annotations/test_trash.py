"""The trash: what is deleted comes back whole within 30 days, and is gone with its files afterwards."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations import tasks
from annotations.errors import NotFound
from annotations.models import AuditEvent, Counter, Decision, Image, Project, Review
from annotations.selectors import access, export_rows, trash
from annotations.services import counters, image_edits, projects, storage
from annotations.services import trash as services
from tests.factories import make_images, make_tags, review_next
from tests.plans import rows_read

pytestmark = pytest.mark.django_db


@pytest.fixture
def images(cast):
    """Six images with files; one is reviewed."""
    make_tags(cast.project, "lake")
    images = make_images(cast.project, 6)
    for image in images:
        storage.put(image.storage_key, b"original")
        storage.put(storage.rendition_key(cast.project.pk, image.sha256, 256), b"thumbnail")
    review_next(cast, cast.annotator, yes=("lake",))
    return images


def delete(cast, image, *, days_ago=0):
    image_edits.trash(cast.project, image.pk, actor=cast.manager)
    at = timezone.now() - timedelta(days=days_ago)
    Image.objects.filter(pk=image.pk).update(deleted_at=at)


def totals(project):
    while counters.fold():
        pass
    return dict(Counter.objects.filter(project=project, value__gt=0).values_list("name", "value"))


def exported(project):
    rows = export_rows.chunks(project, export_rows.Filter(), export_rows.Needs(reviews=True))
    return [row for chunk in rows for row in chunk]


def test_what_comes_back_is_as_it_was(cast, images):
    before, counted = exported(cast.project), totals(cast.project)
    for image in images[:4]:
        delete(cast, image)
    assert len(exported(cast.project)) == 2

    assert services.restore_images(cast.project, None, actor=cast.manager) == 4

    assert exported(cast.project) == before
    assert totals(cast.project) == counted
    assert not trash.images(cast.project).exists()
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.details, event.actor) == ("images.restore", {"images": 4}, cast.manager)


def test_only_the_picked_ones_come_back_and_twice_is_once(cast, images):
    for image in images[:3]:
        delete(cast, image)
    picked = [images[0].pk, images[1].pk, images[5].pk]
    assert services.restore_images(cast.project, picked, actor=cast.manager) == 2
    assert services.restore_images(cast.project, picked, actor=cast.manager) == 0
    assert [image.pk for image in trash.images(cast.project)] == [images[2].pk]


def test_after_thirty_days_an_image_is_gone_with_its_files_and_all_that_was_said(
    cast, images, django_capture_on_commit_callbacks
):
    reviewed = Image.objects.get(state=Image.State.REVIEWED)
    kept = next(image for image in images if image.pk != reviewed.pk)
    delete(cast, reviewed, days_ago=trash.KEPT_DAYS + 1)
    delete(cast, kept, days_ago=trash.KEPT_DAYS - 1)

    with django_capture_on_commit_callbacks(execute=True):
        tasks.empty_trash()

    assert not Image.objects.filter(pk=reviewed.pk).exists()
    assert not Review.objects.exists()
    assert not Decision.objects.exists()
    assert not storage.exists(reviewed.storage_key)
    assert not storage.exists(storage.rendition_key(cast.project.pk, reviewed.sha256, 256))
    assert trash.days_left(trash.images(cast.project).get().deleted_at) == 1
    assert storage.exists(kept.storage_key)


def test_emptying_takes_what_lies_there_and_says_so(cast, images, django_capture_on_commit_callbacks):
    for image in images[:2]:
        delete(cast, image)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.empty(cast.project, actor=cast.admin) == 2
        assert services.empty(cast.project, actor=cast.admin) == 0
    assert Image.objects.filter(project=cast.project).count() == 4
    assert not storage.exists(images[0].storage_key)
    assert AuditEvent.objects.filter(action="images.purge").get().details == {"images": 2}


def test_removal_goes_in_portions(cast, images, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(services, "AT_ONCE", 2)
    for image in images[:5]:
        delete(cast, image, days_ago=trash.KEPT_DAYS + 1)
    with django_capture_on_commit_callbacks(execute=True) as committed:
        assert services.remove_expired() == 5
    assert len(committed) == 3


def test_a_project_comes_back_for_its_admin_alone(cast, images):
    before = exported(cast.project)
    projects.trash(cast.membership(cast.admin))
    with pytest.raises(NotFound):
        access.membership_for(cast.admin, cast.project.pk)
    for stranger in (cast.manager, cast.outsider):
        assert not trash.projects(stranger).exists()
        with pytest.raises(NotFound, match="not in the trash"):
            services.restore_project(stranger, cast.project.pk)

    services.restore_project(cast.admin, cast.project.pk)

    assert access.membership_for(cast.annotator, cast.project.pk)
    assert exported(cast.project) == before
    assert AuditEvent.objects.latest("pk").action == "projects.restore"


def test_after_thirty_days_a_project_is_gone_and_the_others_are_not(
    cast, images, django_capture_on_commit_callbacks
):
    area = storage.project_area(cast.project.pk)
    storage.put(f"{area}/originals/aa/aa.jpg", b"of an import")
    projects.trash(cast.membership(cast.admin))
    Project.objects.filter(pk=cast.project.pk).update(
        deleted_at=timezone.now() - timedelta(days=trash.KEPT_DAYS + 1)
    )
    with django_capture_on_commit_callbacks(execute=True):
        tasks.empty_trash()
    assert list(Project.objects.values_list("name", flat=True)) == ["Elsewhere"]
    assert not Image.objects.exists()
    assert not storage.exists(f"{area}/originals/aa/aa.jpg")
    assert not storage.exists(images[0].storage_key)


def test_listing_the_trash_reads_no_other_images(cast):
    images = make_images(cast.project, 2_000)
    for image in images[:3]:
        delete(cast, image)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotations_image")
    for rows in (trash.images(cast.project)[:50], trash.expired_images()[:50]):
        assert rows_read(json.loads(rows.explain(analyze=True, format="json"))[0]["Plan"]) <= 10


# -- pages and API


def test_the_page_brings_back_what_is_picked(cast, images, browser_of):
    for image in images[:2]:
        delete(cast, image)
    client, address = browser_of(cast.manager), f"/projects/{cast.project.pk}/trash/"
    shown = client.get(address).content.decode()
    assert images[0].name in shown
    assert "30 days left" in shown
    for effect in (
        "not trained on and not exported, and no new snapshot has them",
        "Models trained before keep what they learnt, and snapshots made before keep them",
        "a training on such a snapshot leaves them out",
    ):
        assert effect in shown

    assert "No image is picked" in client.post(address, {}, follow=True).content.decode()
    answer = client.post(address, {"picked": images[0].pk}, follow=True).content.decode()
    assert "1 image came back" in answer
    assert images[0].name not in answer
    assert "2 images" not in client.post(address, {"all": "true"}, follow=True).content.decode()
    assert "The trash is empty" in client.get(address).content.decode()


def test_pages_follow_each_other_without_gap(cast, images, browser_of, monkeypatch):
    monkeypatch.setattr("annotations.views.trash.PAGE_SIZE", 4)
    for image in images:
        delete(cast, image)
    client, address = browser_of(cast.manager), f"/projects/{cast.project.pk}/trash/"
    first = client.get(address).context
    second = client.get(f"{address}?after={first['later']}").context
    shown = [tile.image.pk for tile in (*first["tiles"], *second["tiles"])]
    assert shown == [image.pk for image in reversed(images)]
    assert second["later"] is None


def test_a_page_of_the_trash_costs_the_same_whatever_lies_in_it(cast, images, browser_of):
    client, address = browser_of(cast.manager), f"/projects/{cast.project.pk}/trash/"

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(address)
        return len(captured)

    delete(cast, images[0])
    one = queries()
    for image in images[1:]:
        delete(cast, image)
    assert queries() == one


def test_removing_for_good_wants_the_number_typed_and_an_admin(cast, images, browser_of):
    delete(cast, images[0])
    address = f"/projects/{cast.project.pk}/trash/empty/"
    assert browser_of(cast.manager).get(address).status_code == 403
    client = browser_of(cast.admin)
    assert "type 1 to remove" in client.post(address, {"count": "2"}).content.decode()
    assert trash.images(cast.project).count() == 1
    assert "1 image removed for good" in client.post(address, {"count": "1"}, follow=True).content.decode()
    assert not trash.images(cast.project).exists()


def test_the_list_of_projects_leads_to_the_trash_where_something_lies_in_it(cast, browser_of):
    client = browser_of(cast.admin)
    assert "/projects/trash/" not in client.get("/projects/").content.decode()
    projects.trash(cast.membership(cast.admin))
    assert "/projects/trash/" in client.get("/projects/").content.decode()
    shown = client.get("/projects/trash/").content.decode()
    assert "Outdoors" in shown and "Nothing is trained for a project that lies here" in shown
    assert "answers, models and snapshots. After 30 days it is removed for good" in shown
    back = client.post("/projects/trash/", {"project": cast.project.pk}, follow=True).content.decode()
    assert "“Outdoors” is back as it was" in back
    assert client.post("/projects/trash/", {"project": "x"}).status_code == 404


def test_pictures_in_the_trash_are_shown_to_those_who_may_look_through_it(cast, images, browser_of):
    delete(cast, images[0])
    address = f"/api/v1/projects/{cast.project.pk}/images/{images[0].pk}/thumbnail/?size=256"
    statuses = [
        browser_of(user).get(address).status_code for user in (cast.manager, cast.reviewer, cast.outsider)
    ]
    assert statuses == [200, 404, 404]


def test_the_api_lists_and_restores(cast, images, client_of):
    for image in images[:3]:
        delete(cast, image)
    client, address = client_of(cast.manager), f"/api/v1/projects/{cast.project.pk}/trash/"
    first = client.get(f"{address}?limit=2").json()
    second = client.get(first["next"]).json()
    rows = first["results"] + second["results"]
    assert [row["id"] for row in rows] == [image.pk for image in reversed(images[:3])]
    assert {row["state"] for row in rows} == {"removed"}
    assert second["next"] is None

    sent = {"ids": [images[0].pk, 999_999]}
    assert client.post(f"{address}restore/", sent, format="json").json() == {"restored": 1}
    assert client.post(f"{address}restore/", {"ids": "all"}, format="json").status_code == 400
    assert client.get(f"{address}?after=x").status_code == 400
    for user in (cast.reviewer, cast.outsider):
        expected = 403 if user == cast.reviewer else 404
        assert client_of(user).get(address).status_code == expected
        assert client_of(user).post(f"{address}restore/", sent, format="json").status_code == expected
