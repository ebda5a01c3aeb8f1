"""Deleted tags: in the trash they count as never asked about, come back whole, and are gone for good after 30 days."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotations import tasks
from annotations.errors import Conflict, NotFound
from annotations.models import AuditEvent, Decision, Image, Lease, Review, Role, Tag, TagChange
from annotations.selectors import counters, export_rows, progress, trash, truth, verify, vocabulary
from annotations.services import leases, tag_merges, tag_splits, tag_trash, tag_undo, tags
from annotations.types import TagSpec
from tests.annotations.ranked import rank
from tests.annotations.test_trash import exported
from tests.annotations.test_verify import suggest
from tests.browser import house
from tests.factories import answer_lease, make_cast, make_images, make_tags, review_next

pytestmark = pytest.mark.django_db


@pytest.fixture
def shore(cast):
    """Three tags and three images: yes to boat, an explicit no to it, and neither."""
    ids = make_tags(cast.project, "boat", "lake", "tree")
    make_images(cast.project, 4)
    review_next(cast, cast.annotator, yes=("boat", "lake"))
    review_next(cast, cast.annotator, yes=("lake",), rejected=("boat",))
    review_next(cast, cast.annotator)
    return ids


def tag(cast, name):
    found = cast.project.tags.get(name=name)
    found.project = cast.project
    return found


def delete(cast, name):
    tag_trash.delete(tag(cast, name), actor=cast.manager)
    cast.project.refresh_from_db()


def bring_back(cast, name):
    tag_undo.undo(tag(cast, name), actor=cast.manager)
    cast.project.refresh_from_db()


def age(cast, name, days):
    Tag.objects.filter(project=cast.project, name=name).update(
        deleted_at=timezone.now() - timedelta(days=days)
    )


def names(cast):
    return [one.name for one in export_rows.vocabulary(cast.project)]


def said_of(cast):
    """Everything that training would read, with names, in the order in which it was said."""
    words = dict(cast.project.tags.values_list("pk", "name"))
    at = dict(Review.objects.values_list("image_id", "pk"))
    return [
        {
            verdict: sorted(words[pk] for pk in getattr(one, verdict))
            for verdict in ("yes", "no", "implied_no", "disputed")
        }
        for one in sorted(truth.training_truth(cast.project), key=lambda one: at[one.image_id])
    ]


def test_in_the_trash_a_tag_counts_as_never_asked_about(cast, shore):
    delete(cast, "boat")
    assert names(cast) == ["lake", "tree"]
    assert said_of(cast) == [
        {"yes": ["lake"], "no": [], "implied_no": ["tree"], "disputed": []},
        {"yes": ["lake"], "no": [], "implied_no": ["tree"], "disputed": []},
        {"yes": [], "no": [], "implied_no": ["lake", "tree"], "disputed": []},
    ]
    for row in exported(cast.project):
        assert "boat" not in (*row.yes, *row.no, *row.implied_no, *row.not_asked)
    assert [one.name for one in vocabulary.all_tags(cast.project)] == ["lake", "tree"]
    assert vocabulary.named(cast.project, "boat") is None
    assert vocabulary.search(cast.project, "boa") == []
    assert Decision.objects.filter(tag=shore["boat"]).count() == 2  # nothing is written over


def test_it_comes_back_with_its_answers_hotkey_and_children(cast, shore):
    tags.update(tag(cast, "boat"), {"hotkey": "q", "parent": "lake", "aliases": ["ship"]}, actor=cast.manager)
    tags.create_many(cast.project, [TagSpec(name="canoe", parent="boat")], actor=cast.manager)
    cast.project.refresh_from_db()
    before, rows, words = said_of(cast), exported(cast.project), export_rows.vocabulary(cast.project)

    delete(cast, "boat")
    assert tag(cast, "canoe").parent == tag(cast, "lake")
    assert tag(cast, "boat").hotkey is None

    bring_back(cast, "boat")
    assert said_of(cast) == before
    assert exported(cast.project) == rows
    assert export_rows.vocabulary(cast.project) == words
    assert (tag(cast, "boat").hotkey, tag(cast, "canoe").parent) == ("q", tag(cast, "boat"))
    actions = AuditEvent.objects.filter(action__startswith="tags.").values_list("action", flat=True)
    assert list(actions.order_by("pk"))[-2:] == ["tags.trash", "tags.restore"]


def test_on_images_reviewed_in_between_it_is_not_asked(cast, shore):
    delete(cast, "boat")
    recorded = review_next(cast, cast.annotator, yes=("tree",))
    bring_back(cast, "boat")
    said = truth.verdicts(cast.project, [recorded.review.image_id])[recorded.review.image_id]
    assert shore["boat"] not in said.yes | said.no | said.implied_no
    assert shore["lake"] in said.implied_no


def test_a_retired_tag_comes_back_retired(cast, shore):
    tags.retire(tag(cast, "boat"), actor=cast.manager)
    delete(cast, "boat")
    bring_back(cast, "boat")
    assert tag(cast, "boat").retired_at is not None
    assert "boat" in names(cast)
    bring_back(cast, "boat")  # and the retirement before it can be taken back as ever
    assert tag(cast, "boat").retired_at is None


def test_its_words_stay_taken_and_its_hotkey_is_free(cast, shore):
    tags.update(tag(cast, "boat"), {"hotkey": "q", "aliases": ["ship"]}, actor=cast.manager)
    delete(cast, "boat")
    for word in ("Boat", "ship"):
        with pytest.raises(Conflict, match="is in the trash and keeps its words"):
            tags.create_many(cast.project, [TagSpec(name=word)], actor=cast.manager)
    tags.update(tag(cast, "lake"), {"hotkey": "q"}, actor=cast.manager)
    bring_back(cast, "boat")
    assert (tag(cast, "boat").hotkey, tag(cast, "lake").hotkey) == (None, "q")


def test_what_was_merged_into_it_goes_and_comes_with_it(cast, shore):
    tag_merges.merge(tag(cast, "tree"), tag(cast, "boat"), actor=cast.manager)
    before = said_of(cast), exported(cast.project)
    delete(cast, "boat")
    assert names(cast) == ["lake"]
    assert [one.name for one in trash.tags(cast.project)] == ["boat"]
    with pytest.raises(Conflict) as refused:
        tag_trash.delete(tag(cast, "tree"), actor=cast.manager)
    assert refused.value.code == "is_merged"
    bring_back(cast, "boat")
    assert (said_of(cast), exported(cast.project)) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda cast, one: tag_trash.delete(one, actor=cast.manager),
        lambda cast, one: tags.update(one, {"description": "Floats."}, actor=cast.manager),
        lambda cast, one: tags.revive(one, actor=cast.manager),
        lambda cast, one: tag_splits.split(
            one, [TagSpec(name="canoe"), TagSpec(name="ferry")], actor=cast.manager
        ),
    ],
)
def test_in_the_trash_nothing_else_is_done_to_it(cast, shore, change):
    delete(cast, "boat")
    with pytest.raises(Conflict) as refused:
        change(cast, tag(cast, "boat"))
    assert refused.value.code == "is_deleted"
    assert TagChange.objects.filter(tag=shore["boat"]).count() == 1


def test_a_split_undone_and_made_again_leaves_a_deleted_part_alone(cast, shore):
    tag_splits.split(tag(cast, "boat"), [TagSpec(name="canoe"), TagSpec(name="ferry")], actor=cast.manager)
    tag_undo.undo(tag(cast, "boat"), actor=cast.manager)
    delete(cast, "canoe")
    with pytest.raises(Conflict, match="“canoe” is in the trash"):
        tag_splits.split(
            tag(cast, "boat"), [TagSpec(name="canoe"), TagSpec(name="ferry")], actor=cast.manager
        )
    assert tag(cast, "boat").retired_at is None


def test_a_dispute_over_it_alone_is_settled_and_comes_back(db):
    cast = make_cast(reviews_per_image=2, holdout_percent=0)
    make_tags(cast.project, "boat", "lake")
    make_images(cast.project, 1)
    review_next(cast, cast.annotator, yes=("boat",))
    review_next(cast, cast.second, yes=("lake", "boat"))
    image = Image.objects.get(project=cast.project)
    assert image.state == Image.State.DISPUTED
    delete(cast, "lake")
    image.refresh_from_db()
    assert image.state == Image.State.REVIEWED
    bring_back(cast, "lake")
    image.refresh_from_db()
    assert image.state == Image.State.DISPUTED
    assert counters.read(cast.project.pk).get("disputed") == 1


def test_the_grid_and_the_tables_of_tags_do_not_show_it(cast, shore):
    image = Image.objects.get(project=cast.project, state=Image.State.PENDING)
    suggest(cast.project, {image: {shore["boat"]: 0.9, shore["lake"]: 0.8}})
    rank(cast.project)
    assert {row.tag.name for row in verify.waiting_tags(cast.project, 9)} == {"boat", "lake"}
    delete(cast, "boat")
    assert {row.tag.name for row in verify.waiting_tags(cast.project, 9)} == {"lake"}


def test_after_thirty_days_it_is_gone_with_what_was_said_of_it_and_its_name_is_free(cast, shore):
    tag_merges.merge(tag(cast, "tree"), tag(cast, "boat"), actor=cast.manager)
    delete(cast, "boat")
    age(cast, "boat", trash.KEPT_DAYS - 1)
    tasks.empty_trash()
    assert tag(cast, "boat")

    age(cast, "boat", trash.KEPT_DAYS + 1)
    tasks.empty_trash()

    assert [one.name for one in cast.project.tags.all()] == ["lake"]
    assert Decision.objects.count() == 2
    assert Review.objects.count() == 3
    event = AuditEvent.objects.get(action="tags.purge")
    assert (event.details, event.actor) == ({"name": "boat", "answers": 2}, None)
    assert said_of(cast)[0] == {"yes": ["lake"], "no": [], "implied_no": [], "disputed": []}
    assert make_tags(cast.project, "boat")
    assert progress.answers_by_tag(cast.project)[shore["lake"]].yes == 2


def test_an_answer_that_was_on_its_way_meanwhile_is_stored(cast, shore):
    membership = cast.membership(cast.annotator)
    lease = leases.claim_next(cast.project, cast.annotator, role=Role(membership.role), count=1)[0]
    Lease.objects.filter(pk=lease.pk).update(offered_ids=[shore["boat"], shore["lake"]])
    lease.refresh_from_db()
    delete(cast, "boat")
    tag_trash.remove(tag(cast, "boat"), actor=cast.admin)
    lease.refresh_from_db()
    review = answer_lease(cast, cast.annotator, lease, yes=("tree",)).review
    assert set(review.decisions.values_list("tag__name", "value")) == {("tree", "yes"), ("lake", "no")}


def test_only_what_lies_in_the_trash_is_removed(cast, shore):
    with pytest.raises(NotFound):
        tag_trash.remove(tag(cast, "boat"), actor=cast.admin)
    assert tag(cast, "boat")


# -- pages and API


def test_the_pages_delete_bring_back_and_remove(cast, shore, browser_of):
    manager, admin = browser_of(cast.manager), browser_of(cast.admin)
    here = f"/projects/{cast.project.pk}/tags/"
    asked = manager.get(f"{here}{shore['boat']}/delete/").content.decode()
    assert "yes on 1 image, no on 1" in asked
    manager.post(f"{here}{shore['boat']}/delete/")
    shown = manager.get(f"{here}trash/").content.decode()
    assert "30 days left" in shown
    assert "no model learns them, and they are in no export and no new snapshot" in shown
    assert (
        "Models and snapshots made before keep them; a training on such a snapshot leaves them out" in shown
    )
    assert manager.get(f"{here}{shore['boat']}/").status_code == 404

    back = manager.post(f"{here}trash/", {"tag": shore["boat"]})
    assert back.url == f"{here}{shore['boat']}/"
    assert manager.get(back.url).status_code == 200

    manager.post(f"{here}{shore['boat']}/delete/")
    assert manager.get(f"{here}{shore['boat']}/remove/").status_code == 403
    refused = admin.post(f"{here}{shore['boat']}/remove/", {"name": "ship"})
    assert refused.status_code == 400
    assert tag(cast, "boat")
    admin.post(f"{here}{shore['boat']}/remove/", {"name": " BOAT "})
    assert not cast.project.tags.filter(name="boat").exists()


def test_the_api_deletes_lists_and_takes_back(cast, shore, client_of):
    client = client_of(cast.manager)
    here = f"/api/v1/projects/{cast.project.pk}/tags/"
    assert client.delete(f"{here}{shore['boat']}/?preview=true").json()["decisions"] == 2
    assert tag(cast, "boat").deleted_at is None
    assert client.delete(f"{here}{shore['boat']}/").json()["deleted_at"]
    assert client.get(f"{here}{shore['boat']}/").status_code == 404
    assert [one["name"] for one in client.get(f"{here}?deleted=true").json()["results"]] == ["boat"]
    assert [one["name"] for one in client.get(f"{here}?retired=true").json()["results"]] == ["lake", "tree"]
    assert client.post(f"{here}{shore['boat']}/undo/").json()["deleted_at"] is None


@pytest.mark.django_db(transaction=True)
def test_every_page_shows_up_after_a_tag_that_a_model_knows_was_removed(cast, browser_of):
    furnished = house.furnish(cast)
    gone = cast.project.tags.get(name="dog")
    gone.project = cast.project
    tag_trash.delete(gone, actor=cast.admin)
    tag_trash.remove(gone, actor=cast.admin)
    browser = browser_of(cast.admin)
    signed_in = [page for page in furnished.pages if "login" not in page]
    answers = {page: browser.get(page).status_code for page in signed_in}
    about_it = {page for page in furnished.pages if f"tags/{gone.pk}/" in page}
    asking_it = {page for page in furnished.pages if f"tag={gone.pk}" in page}
    assert {answers.pop(page) for page in about_it} == {404}
    assert {answers.pop(page) for page in asking_it} == {422}
    assert {page: status for page, status in answers.items() if status != 200} == {}
