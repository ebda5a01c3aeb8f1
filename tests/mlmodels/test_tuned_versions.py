"""Versions on a backbone of the project's own: as files that leave."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from annotations.models.job import JobState
from mlmodels.core.portable import onnx_file
from mlmodels.models import ModelVersion
from mlmodels.services import extractors, finetuning, heads, languages, portable, tuned_backbones
from tests.mlmodels import tiny_backbone
from tests.mlmodels.test_finetuning import asked
from tests.mlmodels.test_model_exports import file_scores

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def mirrors() -> bool:
    return True


@pytest.fixture(scope="module")
def tiny_weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zeroed")
    tiny_backbone.put_weights(folder, zeroed=True)
    return folder


@pytest.fixture
def tuned_version(tuned_project) -> ModelVersion:
    run = finetuning.execute(asked(tuned_project).pk)
    assert run.state == JobState.DONE, run.reason
    version = ModelVersion.objects.get(run=run)
    assert tuned_backbones.run_of(version.extractor.name) == run.pk
    return version


def png(number: int) -> bytes:
    stream = io.BytesIO()
    tiny_backbone.picture(5_000 + number, {number % 3}).save(stream, "PNG")
    return stream.getvalue()


def scores_over(extractor_name: str, version: ModelVersion, pictures: list[bytes]) -> np.ndarray:
    """What the version's head says of the pictures, as the named extractor sees them."""
    language = languages.of_project(version.project_id)
    opened = [Image.open(io.BytesIO(data)).convert("RGB") for data in pictures]
    seen = extractors.load(extractor_name).embed(opened)
    return onnx_file.scores_without_caption(
        heads.for_tags(version, language.tag_ids), seen, language.class_map
    )


def test_the_file_scores_as_the_tuned_backbone_does_and_not_as_the_one_it_came_from(tuned_version):
    made = portable.build(tuned_version)

    pictures = [png(number) for number in range(6)]
    names = [tag["name"] for tag in json.loads(onnx_file.read_metadata(made.data)["tags"])]
    found = np.array([[file_scores(made.data, data)[name] for name in names] for data in pictures])
    expected = scores_over(tuned_version.extractor.name, tuned_version, pictures)
    before = scores_over(tiny_backbone.NAME, tuned_version, pictures)
    assert made.extractor == tuned_version.extractor.key
    assert np.abs(found - expected).max() < 1e-4
    assert np.abs(before - expected).max() > 0.05, "a file of the old weights would pass too"
