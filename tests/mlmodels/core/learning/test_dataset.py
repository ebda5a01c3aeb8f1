"""Arrays that do not belong together are refused by name."""

from dataclasses import replace

import numpy as np
import pytest

from mlmodels.core.errors import TrainingDataError
from mlmodels.core.learning.fitting import fit
from tests.mlmodels.core.learning.planted import planted


@pytest.mark.parametrize("field", ["vision", "class_prior", "caption_prior"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_refused_by_field_and_row(field: str, value: float) -> None:
    inputs = planted(5).inputs
    array = getattr(inputs, field).copy()
    array[3, 1] = value

    with pytest.raises(TrainingDataError, match="row 3") as caught:
        replace(inputs, **{field: array})

    assert caught.value.field == field


@pytest.mark.parametrize("field", ["vision", "caption_prior", "has_vision", "has_caption", "terms"])
def test_a_missing_row_is_refused_by_field(field: str) -> None:
    inputs = planted(5).inputs

    with pytest.raises(TrainingDataError) as caught:
        replace(inputs, **{field: getattr(inputs, field)[:-1]})

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("truth", np.full((5, 4), 2, dtype=np.int8)),
        ("truth", np.zeros((5, 3), dtype=np.int8)),
        ("weights", np.zeros(5, dtype=np.float32)),
        ("weights", np.full(5, np.nan, dtype=np.float32)),
        ("weights", np.ones(4, dtype=np.float32)),
        ("tag_ids", (1, 2, 3)),
        ("tag_ids", (1, 1, 2, 3)),
        ("image_ids", (1, 2, 3, 4, 4)),
    ],
)
def test_a_training_set_that_does_not_fit_is_refused_by_field(field: str, value: object) -> None:
    with pytest.raises(TrainingDataError) as caught:
        replace(planted(5), **{field: value})

    assert caught.value.field == field


def test_features_of_another_extractor_are_refused() -> None:
    training = planted(20)
    head = fit(training, seed=0).head
    narrow = replace(training.inputs, vision=training.inputs.vision[:, :5])

    with pytest.raises(TrainingDataError, match="expected 24 dimensions as in training, got 5"):
        head.score(narrow)
