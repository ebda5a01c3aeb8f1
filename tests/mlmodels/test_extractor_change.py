"""A project changes its extractor: the old one serves, the new one looks, is judged, goes live, is taken back."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.errors import BadInput, RoleTooLow
from annotations.models import LiveModel, Role, SuggestionSet
from annotations.services import image_edits, leases, projects
from mlmodels import selectors, tasks
from mlmodels.models import (
    Extractor,
    ImageFeature,
    ModelVersion,
    PolicyCheck,
    ProjectExtractor,
    TrainingPolicy,
    TrainingRun,
)
from mlmodels.services import extractor_progress, extractors, features, judging, training, versions
from tests.factories import answer_lease, make_images, make_tags
from tests.mlmodels.conftest import drawn, with_file

OLD, NEW = "tf_efficientnet_lite0", "resnet10t"
COLOURS = {"red": "tomato", "blue": "navy", "green": "lime"}


class Queue:
    """Runs what is nudged, one after another, as a worker does; what waits for a while is left out."""

    def __init__(self) -> None:
        self.waiting = []

    def nudge(self, task, *args, countdown_s=None):
        if countdown_s is None or task is not tasks.check_policy:
            self.waiting.append((task, args))

    def drain(self):
        while self.waiting:
            task, args = self.waiting.pop(0)
            task(*args)


@pytest.fixture
def worker(monkeypatch):
    found = Queue()
    monkeypatch.setattr(tasks, "nudge", found.nudge)
    monkeypatch.setattr(training, "LINGER_S", 0.0)
    return found


@pytest.fixture
def weights(tmp_path, network, monkeypatch) -> Path:
    """A folder for weights; the old extractor is loaded once for all tests, the new one from the folder."""
    from mlmodels.core.vision.extractor import load_extractor

    @lru_cache(maxsize=2)
    def load(name):
        if name == OLD:
            return network
        return load_extractor(
            name, weights_dir=tmp_path, allow_hub=False, engine="torch", mirror=False, threads=1
        )

    monkeypatch.setattr(extractors, "load", load)
    return tmp_path


def put_weights(folder: Path, *, seed: int = 0) -> None:
    import mlmodels.core.vision  # noqa: F401  isort: skip  (timm cannot be imported without it)
    import timm
    import torch

    torch.manual_seed(seed)
    torch.save(timm.create_model(NEW, pretrained=False).state_dict(), folder / f"{NEW}.pth")


@pytest.fixture
def project(cast, weights, worker):
    """30 pictures in three colours, reviewed by colour, and a live version on the old extractor."""
    make_tags(cast.project, *COLOURS)
    TrainingPolicy.objects.create(project=cast.project, at_most_every_seconds=0.0, after_quiet_seconds=0.0)
    add_images(cast, 36)
    tasks.nudge_features(cast.project.pk)
    worker.drain()
    for _ in range(24):
        answer_next(cast)
    tasks.nudge_policy(cast.project.pk)
    worker.drain()
    assert live_extractor(cast.project).name == OLD
    return cast.project


def add_images(cast, count, *, first=0):
    images = make_images(cast.project, count, first=first)
    for image in images:
        with_file(image, drawn(COLOURS[colour_of(image)]))
    return images


def colour_of(image) -> str:
    return list(COLOURS)[int(image.name[-8:-4]) % 3]


def answer_next(cast):
    lease = leases.claim_next(cast.project, cast.annotator, role=Role.ANNOTATOR, count=1)[0]
    return answer_lease(cast, cast.annotator, lease, yes=(colour_of(lease.image),))


def live_extractor(project) -> Extractor:
    version_id = LiveModel.objects.get(project=project).version_id
    return ModelVersion.objects.get(pk=version_id).extractor


def ask_for(cast, name) -> None:
    projects.update(cast.membership(cast.admin), {"extractor": name})


def seen_by(name) -> int:
    return ImageFeature.objects.filter(extractor__name=name).count()


def seen_twice() -> int:
    pairs = ImageFeature.objects.values("image", "extractor").annotate(times=Count("id"))
    return pairs.filter(times__gt=1).count()


def test_the_new_extractor_looks_is_judged_and_goes_live_while_the_old_one_serves(
    cast, project, weights, worker, monkeypatch
):
    put_weights(weights)
    before = LiveModel.objects.get(project=project).version_id
    ask_for(cast, NEW)
    states = []
    compute = features.compute_next_slice

    def watched(*args, **kwargs):
        states.append(LiveModel.objects.get(project=project).version_id)
        return compute(*args, **kwargs)

    monkeypatch.setattr(features, "compute_next_slice", watched)
    monkeypatch.setattr(features, "SLICE_IMAGES", 10)
    worker.drain()

    assert set(states) == {before}
    assert len(states) >= 4
    assert seen_by(NEW) == seen_by(OLD) == 36
    check = PolicyCheck.objects.get(project=project, code="new_extractor")
    assert NEW in check.reason
    version = ModelVersion.objects.get(run=check.run)
    assert version.extractor.name == NEW
    assert version.details["incumbents"][0] == ModelVersion.objects.get(pk=before).number
    assert live_extractor(project).name == (NEW if version.activated_at else OLD)
    stale = SuggestionSet.objects.filter(project=project).exclude(
        model_number=LiveModel.objects.get(project=project).number
    )
    assert not stale.exists()


def test_a_kill_in_the_middle_goes_on_where_it_was_and_nothing_is_computed_twice(
    cast, project, weights, worker, monkeypatch
):
    put_weights(weights)
    ask_for(cast, NEW)
    network = extractors.load(NEW)
    embed, batches = network.embed_pixels, []

    def die_in_the_third(pixels):
        batches.append(len(pixels))
        if len(batches) == 3:
            raise KeyboardInterrupt
        return embed(pixels)

    with monkeypatch.context() as patched:
        patched.setattr(network, "embed_pixels", die_in_the_third)
        with pytest.raises(KeyboardInterrupt):
            worker.drain()
    kept = set(ImageFeature.objects.filter(extractor__name=NEW).values_list("pk", flat=True))
    assert len(kept) == 2 * features.BATCH_IMAGES
    assert live_extractor(project).name == OLD
    progress = extractor_progress.of_project(project.pk)
    assert (progress.state, progress.looked_at, progress.images) == ("looking", len(kept), 36)
    assert progress.read.startswith(OLD)

    worker.waiting.clear()
    tasks._sweep_features(project.pk)
    worker.drain()

    after = set(ImageFeature.objects.filter(extractor__name=NEW).values_list("pk", flat=True))
    assert kept < after
    assert (len(after), seen_twice()) == (36, 0)


def test_new_images_meanwhile_are_seen_by_the_live_extractor_first(cast, project, weights, worker):
    put_weights(weights)
    ask_for(cast, NEW)
    extractors.follow(project.pk)
    worker.waiting.clear()
    new = add_images(cast, 5, first=36)
    order = []
    for task in (tasks.images_changed,):
        task(project.pk, [image.pk for image in new])
    while worker.waiting:
        task, args = worker.waiting.pop(0)
        task(*args)
        order.append((task.name.rpartition(".")[2], SuggestionSet.objects.filter(image__in=new).count()))
        if task is tasks.compute_features:
            break

    assert order[-1] == ("compute_features", 5)
    assert ImageFeature.objects.filter(image__in=new, extractor__name=OLD).count() == 5
    assert not ImageFeature.objects.filter(image__in=new, extractor__name=NEW).exists()
    worker.drain()
    assert ImageFeature.objects.filter(image__in=new, extractor__name=NEW).count() == 5


def test_roll_back_serves_with_the_old_features_and_stays(cast, project, weights, worker):
    put_weights(weights)
    old = LiveModel.objects.get(project=project).version_id
    ask_for(cast, NEW)
    worker.drain()
    candidate = ModelVersion.objects.filter(extractor__name=NEW).latest("number")
    versions.activate(project.pk, candidate.pk, actor_id=None)
    worker.drain()
    assert live_extractor(project).name == NEW
    assert extractor_progress.of_project(project.pk).state == "serving"

    versions.activate(project.pk, old, actor_id=None)
    tasks.version_activated(project.pk)
    tasks._sweep_features(project.pk)
    worker.drain()

    assert live_extractor(project).name == OLD
    new = add_images(cast, 2, first=36)
    tasks.images_changed(project.pk, [image.pk for image in new])
    worker.drain()
    assert SuggestionSet.objects.filter(image__in=new).count() == 2
    assert LiveModel.objects.get(project=project).version_id == old, "it is not changed again by itself"
    call_command("clean_features")
    assert seen_by(NEW) == seen_by(OLD) == 38


def test_while_the_weights_are_missing_the_old_one_serves_and_the_page_says_which_file(
    cast, project, weights, worker, client
):
    ask_for(cast, NEW)
    worker.drain()

    progress = extractor_progress.of_project(project.pk)
    assert progress.state == "broken"
    assert f"{NEW}.safetensors" in progress.problem
    assert live_extractor(project).name == OLD
    client.force_login(cast.admin)
    page = client.get(f"/projects/{project.pk}/models/").content.decode()
    assert "cannot be used" in page
    assert f"{NEW}.safetensors" in page
    told = client.get(f"/api/v1/projects/{project.pk}/extractor/").json()
    assert (told["state"], told["asked"]) == ("broken", NEW)

    put_weights(weights)
    ProjectExtractor.objects.update(tried_at=None)
    tasks._sweep_features(project.pk)
    worker.drain()
    assert seen_by(NEW) == 36
    assert extractor_progress.of_project(project.pk).state in ("judging", "serving")


def test_a_project_of_an_earlier_release_is_known_to_be_served(cast, project, worker):
    ProjectExtractor.objects.all().delete()
    assert extractor_progress.of_project(project.pk).state == "waiting"
    tasks._sweep_features(project.pk)
    worker.drain()
    assert extractor_progress.of_project(project.pk).state == "serving"


def test_asked_for_and_taken_back_before_it_was_done_nothing_changes(cast, project, weights, worker):
    put_weights(weights)
    ask_for(cast, NEW)
    extractors.follow(project.pk)
    worker.waiting.clear()
    ask_for(cast, OLD)
    worker.drain()
    assert extractor_progress.of_project(project.pk).state == "serving"
    assert seen_by(NEW) == 0


def test_another_file_of_weights_is_another_extractor_and_the_live_one_says_that_its_own_is_gone(
    cast, project, weights, worker
):
    put_weights(weights)
    ask_for(cast, NEW)
    worker.drain()
    candidate = ModelVersion.objects.filter(extractor__name=NEW).latest("number")
    versions.activate(project.pk, candidate.pk, actor_id=None)
    first = candidate.extractor.key
    put_weights(weights, seed=1)
    extractors.load.cache_clear()

    new = add_images(cast, 2, first=36)
    tasks.compute_features(project.pk)

    problem = ProjectExtractor.objects.get(project=project).serving_problem
    assert f"Expected the weights of {first}" in problem
    assert extractor_progress.of_project(project.pk).needs_telling
    tasks.walk(project.pk)
    assert SuggestionSet.objects.filter(image__in=new).count() == 2, "by their captions"
    worker.drain()
    second = Extractor.objects.exclude(key=first).get(name=NEW)
    assert ImageFeature.objects.filter(extractor=second).count() == 38
    assert ModelVersion.objects.filter(extractor=second).exists(), "it is judged like any other"


def test_a_first_extractor_that_does_not_load_leaves_captions_to_suggest(cast, weights, worker):
    make_tags(cast.project, "dog")
    ask_for(cast, NEW)
    images = make_images(cast.project, 3, caption="A dog.")
    tasks.images_changed(cast.project.pk, [image.pk for image in images])
    worker.drain()
    tasks.walk(cast.project.pk)

    assert SuggestionSet.objects.filter(image__in=images).count() == 3
    assert extractor_progress.of_project(cast.project.pk).read == ""


def test_before_any_version_the_new_extractor_changes_over_when_it_has_seen_everything(
    cast, weights, worker, monkeypatch
):
    add_images(cast, 12)
    tasks.nudge_features(cast.project.pk)
    worker.drain()
    put_weights(weights)
    ask_for(cast, NEW)
    monkeypatch.setattr(features, "SLICE_IMAGES", 8)
    read = []
    while worker.waiting:
        read.append(selectors.read_extractor(cast.project.pk).name)
        task, args = worker.waiting.pop(0)
        task(*args)

    assert read[0] == OLD
    assert selectors.read_extractor(cast.project.pk).name == NEW
    assert seen_by(NEW) == 12


def test_a_refused_change_lets_the_live_extractor_learn_on(cast, project, weights, worker, monkeypatch):
    judge = judging.judge

    def strict(project_id, evidence, *args, **kwargs):
        judgement = judge(project_id, evidence, *args, **kwargs)
        if evidence.extractor.name == OLD:
            return judgement
        refusal = replace(judgement.verdict, outcome="refused", reasons=("No better.",))
        return replace(judgement, verdict=refusal)

    monkeypatch.setattr(judging, "judge", strict)
    put_weights(weights)
    for _ in range(2):
        answer_next(cast)
    worker.waiting.clear()
    ask_for(cast, NEW)
    worker.drain()
    tasks.check_policy(project.pk)
    worker.drain()

    refused = ModelVersion.objects.get(extractor__name=NEW)
    assert (refused.verdict, refused.activated_at) == ("refused", None)
    learnt = ModelVersion.objects.latest("number")
    assert learnt.number > refused.number, "what a refused change has read still waits to be learnt"
    assert (learnt.extractor.name, learnt.trained_reviews) == (OLD, refused.trained_reviews)
    assert live_extractor(project).name == OLD


def test_features_that_nobody_needs_are_removed_by_a_command(cast, project, weights, worker, capsys):
    unused = Extractor.objects.create(key="gone", name="gone", dimensions=4)
    ImageFeature.objects.create(
        project=project,
        image_id=ImageFeature.objects.first().image_id,
        extractor=unused,
        vector=np.ones(4),
    )
    call_command("clean_features", "--dry-run")
    assert seen_by("gone") == 1
    call_command("clean_features")
    assert (seen_by("gone"), seen_by(OLD)) == (0, 36)
    assert "1 features of gone removed" in capsys.readouterr().out


def test_broken_numbers_become_an_error_of_the_image_and_never_reach_a_fit(cast, project, weights, worker):
    from mlmodels.services import inputs

    put_weights(weights)
    ask_for(cast, NEW)
    network = extractors.load(NEW)
    embed = network.embed_pixels

    def broken(pixels):
        output = embed(pixels)
        output.features[0, 3] = np.nan
        output.class_probabilities[-1, 0] = np.inf
        return output

    network.embed_pixels = broken
    worker.drain()

    bad = ImageFeature.objects.filter(extractor__name=NEW).exclude(error="")
    assert 0 < bad.count() < 36
    assert all("NaN or infinity" in row.error and row.vector is None for row in bad)
    row = Extractor.objects.get(name=NEW)
    ids = list(ImageFeature.objects.filter(extractor=row).values_list("image_id", flat=True))
    stored = inputs.stored_features(ids, row)
    assert np.isfinite(stored.vision).all()
    assert int((~stored.present).sum()) == bad.count()
    assert ModelVersion.objects.filter(extractor=row).exists()


def test_names_are_checked_before_they_are_stored_and_only_admins_choose(cast):
    with pytest.raises(BadInput, match="Did you mean resnet50") as caught:
        ask_for(cast, "resnet_50")
    assert "resnet50" in caught.value.fields["near"]
    with pytest.raises(RoleTooLow):
        projects.update(cast.membership(cast.manager), {"extractor": "resnet50"})
    ask_for(cast, "resnet50.tv_in1k")
    cast.project.refresh_from_db()
    assert cast.project.extractor == "resnet50.tv_in1k"


def test_known_names_are_those_of_timm():
    import mlmodels.core.vision  # noqa: F401  isort: skip
    import timm

    from mlmodels.services import backbone_names

    assert set(backbone_names.architectures()) == set(timm.list_models())


def test_the_settings_page_shows_the_extractor_to_admins_alone(cast, client):
    address = f"/projects/{cast.project.pk}/settings/"
    client.force_login(cast.manager)
    assert 'name="extractor"' not in client.get(address).content.decode()
    client.force_login(cast.admin)
    form = {
        "name": "Outdoors", "reviews_per_image": 1, "holdout_percent": 15, "unmarked": "no",
        "extractor": "resnet_50",
    }  # fmt: skip
    refused = client.post(address, form)
    assert refused.status_code == 400
    assert "Did you mean resnet50" in refused.content.decode()
    assert client.post(address, form | {"extractor": "resnet50"}).status_code == 302
    cast.project.refresh_from_db()
    assert cast.project.extractor == "resnet50"


def test_a_run_can_be_asked_for_on_the_new_extractor_once_it_has_seen_everything(
    cast, project, weights, worker, client
):
    put_weights(weights)
    ask_for(cast, NEW)
    address = f"/api/v1/projects/{project.pk}/training-runs/"
    client.force_login(cast.admin)
    early = client.post(address, {"extractor": NEW}, content_type="application/json")
    assert (early.status_code, early.json()["error"]["code"]) == (422, "features_missing")
    extractors.follow(project.pk)
    while (done := features.compute_next_slice(project.pk)).resume_after is not None:
        assert done.computed
    run_id = client.post(address, {"extractor": NEW}, content_type="application/json").json()["id"]
    assert TrainingRun.objects.get(pk=run_id).extractor.name == NEW


def test_how_far_it_is_is_counted_from_features_without_those_in_the_trash(cast):
    images = make_images(cast.project, 40)
    extractor = Extractor.objects.create(name=NEW, key=NEW, dimensions=3)
    ImageFeature.objects.bulk_create(
        ImageFeature(project=cast.project, image=image, extractor=extractor, error="damaged")
        for image in images
    )
    image_edits.trash(cast.project, images[0].pk, actor=cast.manager)

    ProjectExtractor.objects.create(
        project=cast.project, name=cast.project.extractor, asked_at=timezone.now(), extractor=extractor
    )
    with CaptureQueriesContext(connection) as captured:
        progress = extractor_progress.of_project(cast.project.pk)

    assert (progress.state, progress.looked_at, progress.images) == ("looking", 39, 39)
    of_images = [query["sql"] for query in captured if '"annotations_image"' in query["sql"]]
    assert all('deleted_at" IS NOT NULL' in sql for sql in of_images)  # an index of what lies in the trash
