"""The API of runs, policy, versions and predictions: who may, what comes back, what is refused."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from annotations.models import LiveModel
from annotations.services import jobs
from mlmodels import tasks
from mlmodels.models import ModelVersion, TrainingRun
from mlmodels.services import runs, training
from tagger.celery import SOMEBODY_WAITS
from tests.mlmodels.conftest import drawn


@pytest.fixture
def admin(cast, client_of):
    return client_of(cast.admin)


def address(cast, path):
    return f"/api/v1/projects/{cast.project.pk}/{path}"


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("get", "training-runs/", "admin"),
        ("post", "training-runs/", "admin"),
        ("get", "training-policy/", "admin"),
        ("patch", "training-policy/", "admin"),
        ("get", "training-policy/ledger/", "admin"),
        ("get", "asking-policy/", "admin"),
        ("patch", "asking-policy/", "admin"),
        ("get", "models/", "manager"),
        ("post", "models/1/activate/", "admin"),
        ("get", "models/1/evaluation/", "manager"),
        ("get", "models/1/exports/", "admin"),
        ("post", "models/1/exports/", "admin"),
        ("get", "models/1/exports/1/", "admin"),
        ("post", "models/1/exports/1/cancel/", "admin"),
        ("get", "models/1/exports/1/download/", "admin"),
        ("get", "suspects/", "reviewer"),
        ("post", "suspects/", "reviewer"),
        ("post", "suspects/1/undo/", "reviewer"),
    ],
)
def test_each_role_may_what_the_table_says(cast, client_of, method, path, least):
    ranks = ["annotator", "reviewer", "manager", "admin"]
    for role in ranks:
        status = getattr(client_of(getattr(cast, role)), method)(address(cast, path)).status_code
        assert (status == 403) == (ranks.index(role) < ranks.index(least)), (role, status)
    assert getattr(client_of(cast.outsider), method)(address(cast, path)).status_code == 404
    assert getattr(APIClient(), method)(address(cast, path)).status_code == 401


class TestRuns:
    def test_a_run_is_a_job_whose_result_is_the_candidate(self, planted, admin):
        planted.images(40)
        planted.review(20)

        asked = admin.post(address(planted.cast, "training-runs/"), {"kind": "head"})
        training.execute(asked.json()["id"])
        run = admin.get(asked["Location"]).json()

        assert asked.status_code == 202
        assert asked.json()["state"] == "queued"
        assert run["state"] == "done"
        assert run["progress"] == {"done": 6, "total": 6, "unit": "stages"}
        assert run["result"]["verdict"] in ("promoted", "provisional")
        assert run["result"]["version"]["number"] == 1
        assert 0 <= run["result"]["metrics"]["macro_average_precision"] <= 1

    def test_the_same_client_id_asks_once(self, cast, admin):
        body = {"kind": "head", "client_id": str(uuid.uuid4())}
        first = admin.post(address(cast, "training-runs/"), body)
        runs.claim(first.json()["id"])
        again = admin.post(address(cast, "training-runs/"), body)

        assert (first.status_code, again.status_code) == (202, 200)
        assert again.json()["id"] == first.json()["id"]
        assert TrainingRun.objects.count() == 1

    def test_fine_tuning_is_asked_for_with_its_settings_and_answered_once(self, cast, admin):
        options = {"stages": 2, "epochs": 3, "loss": "binary"}
        body = {"kind": "finetune", "options": options}
        first = admin.post(address(cast, "training-runs/"), body)
        again = admin.post(address(cast, "training-runs/"), body)
        other = admin.post(address(cast, "training-runs/"), {"kind": "finetune", "options": {"stages": 1}})

        assert (first.status_code, first.json()["kind"], first.json()["state"]) == (202, "finetune", "queued")
        assert {name: first.json()["tuning"][name] for name in options} == options
        assert again.json()["id"] == first.json()["id"]
        assert (other.status_code, other.json()["error"]["code"]) == (409, "run_open")

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            ({"stages": -1}, "bad_stages"),
            ({"epochs": "many"}, "bad_epochs"),
            ({"batch": True}, "bad_batch"),
            ({"loss": "hinge"}, "bad_loss"),
            ({"snapshot": 3}, "unknown_option"),
        ],
    )
    def test_a_bad_setting_of_fine_tuning_is_named(self, cast, admin, options, code):
        answer = admin.post(address(cast, "training-runs/"), {"kind": "finetune", "options": options})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
        assert not TrainingRun.objects.exists()

    def test_a_waiting_run_is_cancelled_at_once_and_only_once(self, cast, admin):
        run = runs.request(cast.project.pk)
        cancelled = admin.post(address(cast, f"training-runs/{run.pk}/cancel/"))
        again = admin.post(address(cast, f"training-runs/{run.pk}/cancel/"))

        assert cancelled.json()["state"] == "cancelled"
        assert again.status_code == 409
        assert jobs.claim(TrainingRun, run.pk) is None

    def test_a_run_of_another_project_is_not_there(self, cast, admin):
        elsewhere = cast.admin.memberships.exclude(project=cast.project).get().project_id
        run = runs.request(elsewhere)
        assert admin.get(address(cast, f"training-runs/{run.pk}/")).status_code == 404

    def test_a_list_takes_as_many_queries_for_twenty_runs_as_for_two(
        self, cast, admin, django_assert_num_queries
    ):
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        counts = []
        for wanted in (2, 20):
            while TrainingRun.objects.count() < wanted:
                TrainingRun.objects.create(project=cast.project, state="done")
            with CaptureQueriesContext(connection) as queries:
                assert len(admin.get(address(cast, "training-runs/")).json()["results"]) == wanted
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestPolicy:
    def test_the_defaults_of_the_contract(self, cast, admin):
        assert admin.get(address(cast, "training-policy/")).json() == {
            "every_reviews": 10,
            "at_most_every_seconds": 10.0,
            "after_quiet_seconds": 3.0,
            "finetune_every_reviews": 0,
            "finetune_cron": None,
            "paused": False,
        }

    def test_a_change_stays(self, cast, admin):
        admin.patch(address(cast, "training-policy/"), {"every_reviews": 25, "paused": True})
        stored = admin.get(address(cast, "training-policy/")).json()
        assert (stored["every_reviews"], stored["paused"]) == (25, True)
        assert stored["after_quiet_seconds"] == 3.0

    def test_a_schedule_of_fine_tuning_is_set_and_taken_back(self, cast, admin):
        there = address(cast, "training-policy/")
        assert admin.patch(there, {"finetune_cron": "0 3 * * 6"}).json()["finetune_cron"] == "0 3 * * 6"
        assert admin.patch(there, {"finetune_cron": "0 25 * * 6"}).status_code == 400
        assert admin.get(there).json()["finetune_cron"] == "0 3 * * 6"
        assert admin.patch(there, {"finetune_cron": None}).json()["finetune_cron"] is None

    @pytest.mark.parametrize(
        "change", [{"every_reviews": 0}, {"after_quiet_seconds": -1}, {"at_most_every_seconds": "often"}]
    )
    def test_a_bad_value_is_named(self, cast, admin, change):
        answer = admin.patch(address(cast, "training-policy/"), change)
        assert answer.status_code == 400
        assert next(iter(change)) in answer.json()["error"]["fields"]


class TestVersions:
    @pytest.fixture
    def trained(self, planted):
        planted.images(60)
        planted.review(30)
        run = training.execute(runs.request(planted.project.pk).pk)
        return ModelVersion.objects.get(run=run)

    def test_list_detail_and_evaluation_tell_the_same_figures(self, planted, admin, trained):
        (listed,) = admin.get(address(planted.cast, "models/")).json()["results"]
        detail = admin.get(address(planted.cast, f"models/{trained.pk}/")).json()
        evaluation = admin.get(address(planted.cast, f"models/{trained.pk}/evaluation/")).json()

        assert listed["live"] is True
        assert listed["metrics"] == detail["metrics"] == evaluation["metrics"]
        figures = {row["name"]: row for row in evaluation["tags"]}
        assert set(figures) == set(planted.tags)
        for name in ("precision", "recall", "f1", "average_precision", "threshold", "support"):
            assert figures["dog"][name] is not None
        assert evaluation["curves"]["precision_recall"][-1]["recall"] == 1.0
        assert evaluation["detail"]["curves"] == evaluation["curves"]
        assert evaluation["detail"]["histogram"] and evaluation["detail"]["co_occurrence"]

    def test_an_evaluation_of_one_tag_holds_its_scores_alone(self, planted, admin, trained):
        here, dog = address(planted.cast, f"models/{trained.pk}/evaluation/"), planted.tags["dog"]
        detail = admin.get(f"{here}?tag={dog}").json()["detail"]
        assert detail["tag"] == dog
        assert {error["tag"] for error in detail["highest_no"] + detail["lowest_yes"]} == {dog}
        refused = admin.get(f"{here}?tag=nothing")
        assert refused.status_code == 400 and refused.json()["error"]["code"] == "bad_tag"

    def test_activating_a_version_makes_it_live(self, planted, admin, trained):
        LiveModel.objects.update(version_id=None, number=0)
        answer = admin.post(address(planted.cast, f"models/{trained.pk}/activate/"))
        assert answer.json()["live"] is True
        assert LiveModel.objects.get(project=planted.project).version_id == trained.pk

    def test_activating_that_is_sent_again_does_not_undo_what_came_since(self, planted, admin, trained):
        body = {"client_id": str(uuid.uuid4())}
        for _ in range(2):
            answer = admin.post(address(planted.cast, f"models/{trained.pk}/activate/"), body)
            assert (answer.status_code, answer.json()["id"]) == (200, trained.pk)
            LiveModel.objects.update(version_id=None, number=0)
        assert LiveModel.objects.get(project=planted.project).version_id is None

    def test_a_version_without_its_file_cannot_be_activated(self, planted, admin, trained):
        from mlmodels.services import heads

        (heads.artifact_folder(trained) / "manifest.json").unlink()
        answer = admin.post(address(planted.cast, f"models/{trained.pk}/activate/"))
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "model_file_unreadable"


class TestPredict:
    @pytest.fixture
    def worker(self, monkeypatch):
        """Answers as a worker does, in this process."""

        class Answer:
            def __init__(self, value):
                self.value = value

            def get(self, **_):
                return self.value

            def forget(self):
                pass

        def run(*, args, expires, priority):
            assert (expires, priority) == (10.0, SOMEBODY_WAITS)
            return Answer(tasks.predict(*args))

        monkeypatch.setattr(tasks.predict, "apply_async", run)

    def test_a_picture_and_a_caption_get_the_objects_of_an_item(self, planted, loaded, worker, client_of):
        planted.extractor.delete()
        picture = SimpleUploadedFile("a.jpg", drawn("red"), "image/jpeg")
        answer = client_of(planted.cast.annotator).post(
            address(planted.cast, "predict/"),
            {"image": picture, "caption": "A dog.", "limit": 2},
            format="multipart",
        )

        assert answer.status_code == 200, answer.content
        assert answer.json()["model_version"] == {"id": None, "number": 0}
        best, *rest = answer.json()["suggestions"]
        assert len(rest) == 1
        assert best["tag"] == {"id": planted.tags["dog"], "name": "dog"}
        assert best["offered"] is True
        assert {source["kind"] for source in best["sources"]} == {"vision", "caption"}

    def test_a_caption_alone_is_answered_with_every_tag_for_limit_0(self, planted, worker, client_of):
        answer = client_of(planted.cast.annotator).post(
            address(planted.cast, "predict/"), {"caption": "A boat.", "limit": 0}
        )
        assert answer.json()["suggestions"][0]["tag"]["name"] == "boat"
        assert len(answer.json()["suggestions"]) == 3

    def test_the_live_head_answers_once_there_is_one(self, planted, worker, client_of):
        planted.images(60)
        planted.review(40)
        training.execute(runs.request(planted.project.pk).pk)
        answer = client_of(planted.cast.annotator).post(
            address(planted.cast, "predict/"), {"caption": "A tree."}
        )
        assert answer.json()["model_version"]["number"] == 1

    def test_what_is_no_picture_is_400(self, planted, loaded, worker, client_of):
        broken = SimpleUploadedFile("a.jpg", b"no picture at all", "image/jpeg")
        answer = client_of(planted.cast.annotator).post(
            address(planted.cast, "predict/"), {"image": broken}, format="multipart"
        )
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "bad_picture"

    def test_nothing_at_all_is_400(self, cast, client_of):
        answer = client_of(cast.annotator).post(address(cast, "predict/"), {})
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "nothing_to_predict"

    def test_without_a_worker_it_is_503_in_bounded_time(self, cast, client_of, monkeypatch):
        from mlmodels.api import predict

        monkeypatch.setattr(predict, "WAIT_S", 0.1)
        answer = client_of(cast.annotator).post(address(cast, "predict/"), {"caption": "A dog."})
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "no_worker"

    def test_a_stranger_gets_404(self, cast, client_of):
        answer = client_of(cast.outsider).post(address(cast, "predict/"), {"caption": "A dog."})
        assert answer.status_code == 404
