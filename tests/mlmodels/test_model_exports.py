"""A version as a file to take away: the app's own scores, made by a worker, downloaded in ranges, never half there."""

import errno
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from annotations.services import jobs, storage, tag_merges
from mlmodels import tasks
from mlmodels.core.portable import onnx_file
from mlmodels.management.commands import export_model
from mlmodels.models import Extractor, ModelExport, ModelVersion
from mlmodels.services import heads, model_exports, portable, prediction, runs, training
from tests.factories import make_tags
from tests.mlmodels.conftest import LOOKS, scene

ROOT = Path(__file__).resolve().parent.parent.parent
FRESH = [scene(number) for number in range(40, 46)]


@pytest.fixture
def version(planted) -> ModelVersion:
    """Over planted features: its own file is real, its backbone is not."""
    planted.images(40)
    planted.review(20)
    assert training.execute(runs.request(planted.project.pk).pk).state == "done"
    return ModelVersion.objects.get()


def address(version, path=""):
    return f"/api/v1/projects/{version.project_id}/models/{version.pk}/exports/{path}"


def app_scores(version, picture: bytes) -> dict[str, float]:
    """What the API's predict answers for a picture without a caption."""
    said = prediction.predict(
        version.project_id, picture_key=prediction.hand_over(picture), caption="", limit=0
    )
    return {one["tag"]["name"]: one["score"] for one in said.suggestions}


def file_scores(data: bytes, picture: bytes) -> dict[str, float]:
    """What the file says, by its own description of itself and nothing else."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map
    how = json.loads(about["input"])
    opened = Image.open(io.BytesIO(picture)).convert("RGB")
    small = opened.resize((how["side_px"],) * 2, Image.Resampling[how["interpolation"].upper()])
    pixels = (np.asarray(small, np.float64) / 255 - how["mean"]) / how["std"]
    scores = session.run(None, {"pixels": pixels.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
    return {tag["name"]: float(score) for tag, score in zip(json.loads(about["tags"]), scores, strict=True)}


def differences(version, data) -> list[float]:
    found = []
    for picture in FRESH:
        app, file = app_scores(version, picture), file_scores(data, picture)
        assert app.keys() == file.keys()
        found += [abs(app[name] - file[name]) for name in app]
    return found


class TestScores:
    def test_are_those_of_the_app_for_a_picture_without_a_caption(self, live_version, cast, tmp_path):
        said = io.StringIO()
        call_command("export_model", cast.project.name, str(tmp_path / "model.onnx"), stdout=said)

        data = (tmp_path / "model.onnx").read_bytes()
        assert hashlib.sha256(data).hexdigest() in said.getvalue()
        assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
        app = [score for picture in FRESH for score in app_scores(live_version, picture).values()]
        assert max(app) - min(app) > 0.2, "scores that do not differ would prove nothing"
        assert max(differences(live_version, data)) < 1e-4
        described, head = onnx_file.read_metadata(data), heads.load_head(live_version)
        tags = json.loads(described["tags"])
        assert [tag["id"] for tag in tags] == list(head.tag_ids)
        assert [tag["name"] for tag in tags] == list(LOOKS)
        np.testing.assert_allclose([tag["threshold"] for tag in tags], head.thresholds, atol=1e-6)
        assert described["extractor"] == live_version.extractor.key
        assert "apache-2.0" in described["licence"]

    def test_are_those_of_today_s_tags_after_a_merge_and_with_a_new_tag(self, live_version, cast):
        tags = {tag.name: tag for tag in cast.project.tags.all()}
        tag_merges.merge(tags["fire"], tags["sky"], actor=cast.admin)
        make_tags(cast.project, "goose")
        made = portable.build(live_version)
        assert max(differences(live_version, made.data)) < 1e-4
        assert made.difference < 1e-4
        assert set(file_scores(made.data, FRESH[0])) == {"sky", "grass", "goose"}

    def test_the_snippet_of_the_docs_gives_the_app_s_tags_and_scores(self, live_version, tmp_path):
        """Exactly the text that people copy, run as its own program."""
        docs = (ROOT / "docs" / "model-files.md").read_text(encoding="utf-8")
        (snippet,) = re.findall(r"```python\n(.*?)```", docs, re.DOTALL)
        assert len([line for line in snippet.splitlines() if line]) <= 15
        (tmp_path / "tag.py").write_text(snippet, encoding="utf-8")
        (tmp_path / "model.onnx").write_bytes(portable.build(live_version).data)
        # 1366 x 1024 is decoded at a scale that a square of the same short side would not ask for.
        pictures = [*FRESH, scene(45, side=1200), scene(46, side=1366)]
        names = [f"{number}.jpg" for number in range(len(pictures))]
        for name, data in zip(names, pictures, strict=True):
            (tmp_path / name).write_bytes(data)

        done = subprocess.run(
            [sys.executable, "tag.py", "model.onnx", *names], cwd=tmp_path, capture_output=True, text=True
        )

        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert [line.split("\t")[0] for line in lines] == names
        some = 0
        for line, data in zip(lines, pictures, strict=True):
            pairs = [pair.rsplit(" ", 1) for pair in line.split("\t")[1:]]
            assert {name: float(score) for name, score in pairs} == pytest.approx(
                offered(live_version, data), abs=2e-4
            )
            some += len(pairs)
        assert some > 0


class TestJob:
    def test_a_worker_makes_it_once_and_it_is_downloaded_in_ranges(self, live_version, cast, client_of):
        admin = client_of(cast.admin)
        job = admin.post(address(live_version), {"format": "onnx"}, format="json")
        assert job.json()["progress"] == {"done": 0, "total": 4, "unit": "stages"}
        assert admin.get(f"{job['Location']}download/").status_code == 409
        # Its first worker died.
        jobs.claim(ModelExport, job.json()["id"])
        ModelExport.objects.update(heartbeat_at="2020-01-01T00:00Z")
        assert jobs.waiting_ids(ModelExport) == [job.json()["id"]]
        tasks.export_model(job.json()["id"])
        done = admin.get(job["Location"]).json()
        tasks.export_model(job.json()["id"])

        assert done == admin.get(job["Location"]).json()
        assert done["state"] == "done" and done["kind"] == "model_export", done["reason"]
        assert done["progress"]["done"] == 4
        whole = admin.get(done["download_url"], headers={"Accept": "application/octet-stream"})
        data = b"".join(whole.streaming_content)
        assert whole["Content-Disposition"] == 'attachment; filename="outdoors-v1.onnx"'
        assert hashlib.sha256(data).hexdigest() == done["result"]["sha256"]
        assert len(data) == done["result"]["bytes"]
        rest = admin.get(done["download_url"], headers={"Range": f"bytes={len(data) - 100}-"})
        assert rest.status_code == 206 and b"".join(rest.streaming_content) == data[-100:]

    def test_a_full_disk_leaves_nothing_behind(self, live_version, cast, monkeypatch):
        def full(stream):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(storage, "_flush_to_disk", full)
        job = model_exports.execute(model_exports.start(cast.project.pk, live_version.pk, actor_id=None).pk)
        assert job.state == "failed" and "disk is full" in job.reason and not job.file_key
        folder = storage.local_path(f"{storage.project_area(cast.project.pk)}/exports")
        assert list(folder.iterdir()) == []

    def test_what_nobody_foresaw_is_told_with_what_to_do(self, live_version, cast, monkeypatch):
        def breaks(version, on_stage):
            raise RuntimeError("out of luck")

        monkeypatch.setattr(portable, "build", breaks)
        job = model_exports.execute(model_exports.start(cast.project.pk, live_version.pk, actor_id=None).pk)
        assert job.state == "failed"
        assert "RuntimeError: out of luck" in job.reason and "Make the file again" in job.reason

    def test_two_who_ask_get_one_file_and_the_trail_tells_of_it(self, version, cast, client_of):
        first = client_of(cast.admin).post(address(version))
        again = client_of(cast.admin).post(address(version))
        assert first.status_code == 202
        assert first.json()["id"] == again.json()["id"]
        assert ModelExport.objects.count() == 1
        trail = client_of(cast.manager).get(f"/api/v1/projects/{cast.project.pk}/audit/").content.decode()
        assert trail.count("asked for model v1 as a file") == 1

    def test_a_waiting_one_is_cancelled_and_a_later_one_can_be_asked_for(self, version, cast, client_of):
        admin = client_of(cast.admin)
        job = admin.post(address(version)).json()
        assert admin.post(address(version, f"{job['id']}/cancel/")).json()["state"] == "cancelled"
        assert model_exports.execute(job["id"]) is None
        assert admin.post(address(version)).json()["id"] != job["id"]

    def test_a_running_one_stops_at_its_next_stage(self, version, cast, monkeypatch):
        job = model_exports.start(cast.project.pk, version.pk, actor_id=None)
        claim = jobs.claim

        def cancelled_at_once(model, job_id):
            claimed = claim(model, job_id)
            model_exports.cancel(ModelExport.objects.get(pk=job.pk), actor_id=None)
            return claimed

        monkeypatch.setattr(jobs, "claim", cancelled_at_once)
        assert model_exports.execute(job.pk).state == "cancelled"

    @pytest.mark.parametrize("sent", [{"format": "pickle"}, {"captions": True}])
    def test_what_is_not_known_is_refused(self, version, cast, client_of, sent):
        assert client_of(cast.admin).post(address(version), sent, format="json").status_code == 400

    def test_a_list_takes_as_many_queries_for_twenty_as_for_two(self, version, cast, client_of):
        counts = []
        for wanted in (2, 20):
            while ModelExport.objects.count() < wanted:
                ModelExport.objects.create(project=cast.project, version=version, state="done")
            with CaptureQueriesContext(connection) as queries:
                assert len(client_of(cast.admin).get(address(version)).json()["results"]) == wanted
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_a_version_of_another_project_is_not_there(self, version, cast, client_of):
        elsewhere = cast.admin.memberships.exclude(project=cast.project).get().project_id
        answer = client_of(cast.admin).post(f"/api/v1/projects/{elsewhere}/models/{version.pk}/exports/")
        assert answer.status_code == 404


class TestRefusals:
    def test_a_version_whose_file_was_tampered_with(self, version, cast, client_of):
        path = heads.artifact_folder(version) / "head.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        answer = client_of(cast.admin).post(address(version))
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "model_file_unreadable"
        assert not ModelExport.objects.exists()

    def test_a_file_that_goes_while_the_job_waits(self, version, cast):
        job = model_exports.start(cast.project.pk, version.pk, actor_id=None)
        shutil.rmtree(heads.artifact_folder(version))
        done = model_exports.execute(job.pk)
        assert done.state == "refused" and "manifest.json" in done.reason

    def test_an_extractor_whose_weights_are_missing(self, version, cast, tmp_path, monkeypatch):
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        Extractor.objects.update(name="resnet50")
        with pytest.raises(CommandError, match="does not load here"):
            call_command("export_model", str(cast.project.pk), str(tmp_path / "model.onnx"))
        assert list(tmp_path.iterdir()) == []

    def test_other_weights_of_the_same_name(self, version, cast):
        job = model_exports.execute(model_exports.start(cast.project.pk, version.pk, actor_id=None).pk)
        assert job.state == "refused" and "put the file back" in job.reason

    def test_no_live_version(self, cast, tmp_path):
        with pytest.raises(CommandError, match="train one first"):
            call_command("export_model", str(cast.project.pk), str(tmp_path / "model.onnx"))

    def test_a_version_that_does_not_exist(self, cast, tmp_path):
        with pytest.raises(CommandError, match="no model version 7"):
            call_command("export_model", str(cast.project.pk), str(tmp_path / "model.onnx"), "--version", "7")

    def test_a_place_that_cannot_be_written(self, tmp_path):
        with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
            export_model.save(b"data", tmp_path / "nowhere" / "model.onnx")


def offered(version, picture: bytes) -> dict[str, float]:
    """What the app would pre-select."""
    said = prediction.predict(
        version.project_id, picture_key=prediction.hand_over(picture), caption="", limit=0
    )
    return {one["tag"]["name"]: one["score"] for one in said.suggestions if one["offered"]}
