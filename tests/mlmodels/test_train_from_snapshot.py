"""Training from a snapshot: what it teaches, what is left out and told, and that present answers still wait."""

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from annotations import tasks
from annotations.models import AuditEvent, Decision, Image, LiveModel, Snapshot, Tag
from annotations.models.job import JobState
from annotations.selectors import model_inputs, stats
from annotations.services import image_edits, snapshot_truth, snapshots, tag_merges, tag_trash, tags
from mlmodels.core import artifacts
from mlmodels.models import ModelVersion, PolicyCheck, TrainingRun
from mlmodels.services import evidence, heads, policy, runs, training
from tests.factories import make_tags
from tests.mlmodels.conftest import TAGS


@pytest.fixture(autouse=True)
def quiet(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(training, "LINGER_S", 0.0)


def freeze(planted, name="before") -> Snapshot:
    snapshot = snapshots.start(planted.project, actor=planted.cast.manager, name=name)
    tasks.run_snapshot(snapshot.pk)
    snapshot.refresh_from_db()
    assert snapshot.state == JobState.DONE, snapshot.reason
    return snapshot


def train(planted, snapshot=None, seed=0) -> TrainingRun:
    ref = snapshot_truth.refer(planted.project, snapshot.pk) if snapshot else None
    return training.execute(
        runs.request(planted.project.pk, actor_id=planted.cast.admin.pk, seed=seed, snapshot=ref).pk
    )


def version_of(run) -> ModelVersion:
    return ModelVersion.objects.get(run=run)


def right_of(planted, version) -> float:
    """The share of pairs of image and tag that the version's scores decide truly, over all images."""
    from mlmodels.services import inputs, languages

    language = languages.of_project(planted.project.pk)
    images = list(Image.objects.filter(project=planted.project, deleted_at=None).order_by("id"))
    found = model_inputs.images(planted.project.pk, [image.pk for image in images])
    batch = inputs.build(found, planted.extractor, language)
    head = heads.for_tags(version, language.tag_ids)
    truth = np.array([[name in planted.yes_of(image) for name in TAGS] for image in images])
    return float(((head.score(batch.inputs).probability >= 0.5) == truth).mean())


def trash(planted, images) -> None:
    for image in images:
        image_edits.trash(planted.project, image.pk, actor=planted.cast.manager)


def unlearned(planted) -> int:
    return stats.project_stats(planted.project)["unlearned_decisions"]


def tensors_of(version):
    return artifacts.load(heads.artifact_folder(version), version.artifact_sha256)


class TestWhatItTeaches:
    def test_a_snapshot_from_before_wrong_answers_gives_a_head_as_good_as_before_them(self, planted):
        planted.images(140)
        planted.review(40)
        good = version_of(train(planted))
        snapshot = freeze(planted)
        planted.review(80, wrong=True)
        spoilt = version_of(train(planted))

        again = version_of(train(planted, snapshot))

        assert again.number == 3 and again.trained_images == 40
        before, meanwhile, after = (right_of(planted, version) for version in (good, spoilt, again))
        assert before > 0.9 and after >= before - 0.02
        assert meanwhile < after - 0.2, "the wrong answers do teach, where they are read"

    def test_what_the_present_says_of_the_same_images_is_not_read(self, planted):
        planted.images(20)
        reviewed = planted.review(12)
        snapshot = freeze(planted)
        frozen = read(planted, snapshot)
        present = evidence.read(planted.project.pk, planted.extractor)
        assert (frozen.training.truth == present.training.truth).all()

        for image in reviewed:
            for name, tag_id in planted.tags.items():
                Decision.objects.create(
                    project=planted.project,
                    image=image,
                    tag_id=tag_id,
                    user=planted.cast.reviewer,
                    value="no" if name in planted.yes_of(image) else "yes",
                    scope="adjudicate",
                    source="person",
                )
        turned = evidence.read(planted.project.pk, planted.extractor)
        assert (turned.training.truth != present.training.truth).all()
        assert read(planted, snapshot).fingerprint == frozen.fingerprint

    def test_equal_snapshots_give_equal_heads_whatever_was_answered_between(self, planted):
        planted.images(70, caption="A dog.")
        planted.review(30)
        one, other = freeze(planted, "one"), freeze(planted, "other")
        assert one.sha256 == other.sha256
        first = version_of(train(planted, one))
        planted.review(20)
        train(planted)

        second = version_of(train(planted, other))

        assert second.fingerprint == first.fingerprint and second.number == 3
        mine, theirs = (tensors_of(version)[0] for version in (first, second))
        assert mine.keys() == theirs.keys()
        assert all((mine[name] == theirs[name]).all() for name in mine)

    def test_a_tag_that_came_later_is_unknown_and_not_a_no(self, planted):
        planted.images(6)
        planted.review(6)
        snapshot = freeze(planted)
        make_tags(planted.project, "snow")
        found = read(planted, snapshot)
        column = found.language.tag_ids.index(model_inputs.active_tags(planted.project.pk)[-1].tag_id)
        assert (found.training.truth[:, column] == -1).all()
        assert (np.delete(found.training.truth, column, axis=1) >= 0).all()

    def test_tags_that_were_merged_are_learnt_as_one(self, planted):
        planted.images(12)
        planted.review(12)
        snapshot = freeze(planted)
        boat, dog = (Tag.objects.get(pk=planted.tags[name]) for name in ("boat", "dog"))
        tag_merges.merge(boat, dog, actor=planted.cast.manager)
        found = read(planted, snapshot)
        column = found.language.tag_ids.index(planted.tags["dog"])
        for image_id, verdict in zip(
            found.training.batch.image_ids, found.training.truth[:, column], strict=True
        ):
            said = planted.yes_of(Image.objects.get(pk=image_id))
            assert verdict == ("dog" in said or "boat" in said)
        assert found.snapshot["tags_left_out"] == []

    def test_holdout_images_of_today_never_teach_though_the_snapshot_has_them(self, planted):
        planted.images(12)
        reviewed = planted.review(10)
        snapshot = freeze(planted)
        Image.objects.filter(pk=reviewed[0].pk).update(is_holdout=True, holdout_probability=0.5)
        found = read(planted, snapshot)
        assert reviewed[0].pk not in found.training.batch.image_ids
        assert found.snapshot["images_holdout"] == 1 and len(found.training) == 9


def read(planted, snapshot):
    return evidence.read(
        planted.project.pk, planted.extractor, snapshot_truth.refer(planted.project, snapshot.pk)
    )


class TestWhatIsTold:
    @pytest.mark.parametrize("take", [tags.retire, tag_trash.delete], ids=["retired", "in the trash"])
    def test_gone_images_and_left_out_tags_stand_in_reason_result_and_lineage(self, planted, take):
        planted.images(50)
        reviewed = planted.review(40)
        snapshot = freeze(planted)
        trash(planted, reviewed[:3])
        take(Tag.objects.get(pk=planted.tags["boat"]), actor=planted.cast.manager)

        run = train(planted, snapshot)

        assert run.state == JobState.DONE, run.reason
        assert "Trained from the snapshot “before”." in run.reason
        assert "3 of its 50 images are gone." in run.reason
        assert "no active tag is called so today: “boat”" in run.reason
        version = version_of(run)
        assert version.trained_images == 37 and version.tag_ids == [planted.tags["dog"], planted.tags["tree"]]
        assert version.snapshot == run.result["snapshot"]
        assert version.snapshot == {
            "id": snapshot.pk,
            "name": "before",
            "sha256": snapshot.sha256,
            "images": 50,
            "images_gone": 3,
            "images_holdout": 0,
            "tags_left_out": ["boat"],
        }
        assert tensors_of(version)[1]["snapshot"] == version.snapshot

    def test_the_lineage_outlives_the_snapshot(self, planted):
        planted.images(40)
        planted.review(20)
        snapshot = freeze(planted)
        version = version_of(train(planted, snapshot))
        snapshots.remove(snapshot, actor=planted.cast.manager)
        version.refresh_from_db()
        assert (version.snapshot["name"], version.snapshot["sha256"]) == ("before", snapshot.sha256)

    def test_the_trail_names_it(self, planted):
        planted.images(10)
        planted.review(5)
        snapshot = freeze(planted)
        train(planted, snapshot)
        event = AuditEvent.objects.get(action="training.from_snapshot")
        assert (event.actor, event.details["name"]) == (planted.cast.admin, "before")


class TestTheGateAndTheCursor:
    def test_a_snapshot_that_teaches_less_than_what_serves_does_not_go_live(self, planted):
        planted.images(140)
        planted.images(60, first=1000, holdout=True)
        planted.review(4)
        poor = freeze(planted)
        planted.review(186)
        served = version_of(train(planted))
        assert served.metrics["judged_on"] == "holdout"

        run = train(planted, poor)

        assert run.state == JobState.REFUSED
        assert "Trained from the snapshot “before”." in run.reason
        refused = version_of(run)
        assert refused.metrics["judged_on"] == "holdout" and refused.holdout_images == served.holdout_images
        assert LiveModel.objects.get(project=planted.project).version_id == served.pk

    def test_present_decisions_still_wait_and_the_policy_asks_for_a_run(self, planted):
        planted.images(80)
        planted.review(30)
        snapshot = freeze(planted)
        planted.review(15)
        waiting = unlearned(planted)

        run = train(planted, snapshot)

        assert run.state == JobState.DONE, run.reason
        assert LiveModel.objects.get(project=planted.project).version_id == version_of(run).pk
        assert unlearned(planted) == waiting > 0
        situation = policy.situation(planted.project.pk)
        assert situation.reviews_waiting == 45

    def test_a_refused_and_a_skipped_run_read_nothing_of_the_present_either(self, planted):
        planted.images(80)
        planted.review(20)
        snapshot = freeze(planted)
        train(planted, snapshot)
        waiting = unlearned(planted)

        again = train(planted, snapshot)

        assert again.state == JobState.DONE and again.result["skipped"]
        assert "Skipped: version 1 has learnt what “before” teaches." in again.reason
        assert unlearned(planted) == waiting > 0

    def test_what_was_learnt_stays_learnt(self, planted):
        planted.images(60)
        planted.review(20)
        snapshot = freeze(planted)
        planted.review(10)
        train(planted)
        assert unlearned(planted) == 0
        train(planted, snapshot)
        assert unlearned(planted) == 0

    def test_the_policy_waits_beside_a_run_of_a_snapshot_and_never_takes_it_for_its_own(self, planted):
        planted.images(30)
        planted.review(15)
        ref = snapshot_truth.refer(planted.project, freeze(planted).pk)
        run = runs.request(planted.project.pk, snapshot=ref)
        assert policy.check(planted.project.pk).code == "run_open"
        assert policy._asked(planted.project.pk, policy.Answer("ran", "quiet", ""), None).run_id is None
        assert not PolicyCheck.objects.filter(run=run).exists()


class TestRefusals:
    def test_a_snapshot_without_a_yes_on_what_is_left(self, planted):
        planted.images(10)
        reviewed = planted.review(6)
        snapshot = freeze(planted)
        trash(planted, reviewed)
        run = train(planted, snapshot)
        assert run.state == JobState.REFUSED
        assert "has a yes" in run.reason and "6 of its 10 images are gone." in run.reason
        assert not ModelVersion.objects.exists()

    def test_a_snapshot_that_was_removed_while_the_run_waited(self, planted):
        planted.images(10)
        planted.review(6)
        snapshot = freeze(planted)
        ref = snapshot_truth.refer(planted.project, snapshot.pk)
        asked = runs.request(planted.project.pk, snapshot=ref)
        snapshots.remove(snapshot, actor=planted.cast.manager)
        run = training.execute(asked.pk)
        assert run.state == JobState.REFUSED and "“before” was removed" in run.reason


class TestDoors:
    def test_the_api_trains_from_it_and_says_so(self, planted, client_of):
        planted.images(50)
        planted.review(30)
        snapshot = freeze(planted)
        admin, address = client_of(planted.cast.admin), f"/api/v1/projects/{planted.project.pk}/"

        asked = admin.post(f"{address}training-runs/", {"kind": "head", "options": {"snapshot": snapshot.pk}})
        training.execute(asked.json()["id"])

        named = {"id": snapshot.pk, "name": "before", "sha256": snapshot.sha256}
        assert asked.status_code == 202 and asked.json()["snapshot"] == named
        run = admin.get(asked["Location"]).json()
        assert run["result"]["snapshot"].items() >= named.items()
        (version,) = admin.get(f"{address}models/").json()["results"]
        assert version["snapshot"] == run["result"]["snapshot"]
        assert admin.get(f"{address}models/{version['id']}/").json()["snapshot"] == version["snapshot"]

    def test_a_version_of_present_answers_names_none(self, planted, client_of):
        planted.images(30)
        planted.review(15)
        train(planted)
        address = f"/api/v1/projects/{planted.project.pk}/models/"
        assert client_of(planted.cast.admin).get(address).json()["results"][0]["snapshot"] is None

    def test_what_cannot_be_trained_from_is_refused_with_a_reason(self, planted, client_of):
        admin = client_of(planted.cast.admin)
        elsewhere = planted.cast.admin.memberships.exclude(project=planted.project).get().project
        planted.images(3)
        made = {
            "no yes": freeze(planted).pk,
            "unfrozen": snapshots.start(planted.project, actor=planted.cast.manager, name="later").pk,
            "elsewhere": snapshots.start(elsewhere, actor=planted.cast.manager, name="other").pk,
        }

        def ask(options):
            answer = admin.post(
                f"/api/v1/projects/{planted.project.pk}/training-runs/", {"kind": "head", "options": options}
            )
            return answer.status_code, answer.json()["error"]["code"]

        assert ask({"snapshot": made["no yes"]}) == (422, "nothing_to_learn")
        assert ask({"snapshot": made["unfrozen"]}) == (422, "not_frozen")
        assert ask({"snapshot": made["elsewhere"]}) == (404, "not_found")
        assert ask({"snapshot": "before"}) == (400, "bad_snapshot")
        assert ask({"snapshot": True}) == (400, "bad_snapshot")
        assert ask({"epochs": 3}) == (400, "unknown_option")
        assert not TrainingRun.objects.exists()

    def test_one_that_learns_from_something_else_is_not_answered_with_the_waiting_run(
        self, planted, client_of
    ):
        planted.images(10)
        planted.review(5)
        snapshot = freeze(planted)
        admin, address = (
            client_of(planted.cast.admin),
            f"/api/v1/projects/{planted.project.pk}/training-runs/",
        )
        body = {"kind": "head", "options": {"snapshot": snapshot.pk}}
        first = admin.post(address, body)
        other = admin.post(address, {"kind": "head"})
        assert (other.status_code, other.json()["error"]["code"]) == (409, "run_waits")
        assert admin.post(address, body).json()["id"] == first.json()["id"]

    def test_the_pages_offer_it_to_those_who_may_train(self, planted, browser_of):
        planted.images(50)
        planted.review(30)
        snapshot = freeze(planted)
        models = f"/projects/{planted.project.pk}/models/"
        listing = f"/projects/{planted.project.pk}/export/snapshots/"
        admin, manager = browser_of(planted.cast.admin), browser_of(planted.cast.manager)
        link = f'href="{models}?snapshot={snapshot.pk}"'
        assert link in admin.get(listing).content.decode()
        assert link not in manager.get(listing).content.decode()
        chosen = f'<option value="{snapshot.pk}" selected>'
        assert chosen in admin.get(f"{models}?snapshot={snapshot.pk}").content.decode()
        assert 'name="snapshot"' not in manager.get(models).content.decode()
        assert manager.post(f"{models}train/", {"snapshot": snapshot.pk}).status_code == 403

        assert admin.post(f"{models}train/", {"snapshot": snapshot.pk})["Location"] == models
        run = training.execute(TrainingRun.objects.get().pk)

        page = admin.get(models).content.decode()
        assert ">v1</a> went live. Trained from the snapshot “before”." in page
        page = admin.get(f"{models}{version_of(run).pk}/").content.decode()
        assert "<bdi>before</bdi>" in page and snapshot.sha256 in page

    def test_a_page_of_yesterday_is_answered_with_a_message(self, planted, browser_of):
        planted.images(3)
        unanswered = freeze(planted)
        models = f"/projects/{planted.project.pk}/models/"
        admin = browser_of(planted.cast.admin)
        answer = admin.post(f"{models}train/", {"snapshot": unanswered.pk}, follow=True)
        assert "has no yes at all" in answer.content.decode()
        assert "Pick a snapshot from the list." in (
            admin.post(f"{models}train/", {"snapshot": "all"}, follow=True).content.decode()
        )
        assert admin.post(f"{models}train/", {"snapshot": "987654"}).status_code == 404
        assert not TrainingRun.objects.exists()

    def test_the_command_takes_its_name(self, planted, capsys):
        planted.images(50)
        planted.review(30)
        freeze(planted)
        call_command("train", str(planted.project.pk), snapshot="before")
        assert "Trained from the snapshot “before”." in capsys.readouterr().out
        with pytest.raises(CommandError, match="no snapshot “never”"):
            call_command("train", str(planted.project.pk), snapshot="never")
