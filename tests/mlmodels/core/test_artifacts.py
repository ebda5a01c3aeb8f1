"""A model file is whole or refused by name."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlmodels.core import artifacts
from mlmodels.core.errors import ArtifactError

TENSORS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(0, dtype=np.float32)}
DESCRIPTION = {"tag_ids": [3, 1], "words": ["été"]}


def test_what_was_saved_is_read_back(tmp_path: Path) -> None:
    digest = artifacts.save(tmp_path / "new" / "version", TENSORS, DESCRIPTION)
    tensors, manifest = artifacts.load(tmp_path / "new" / "version", digest)

    assert {name: array.tolist() for name, array in tensors.items()} == {"w": [[0, 1, 2], [3, 4, 5]], "b": []}
    assert manifest["tag_ids"] == [3, 1]
    assert manifest["words"] == ["été"]


def test_the_same_version_has_the_same_digest_and_no_temporary_file(tmp_path: Path) -> None:
    one = artifacts.save(tmp_path / "a", TENSORS, DESCRIPTION)
    two = artifacts.save(tmp_path / "b", dict(reversed(TENSORS.items())), DESCRIPTION)

    assert one == two
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [artifacts.TENSORS, artifacts.MANIFEST]


def test_saving_again_replaces_the_version(tmp_path: Path) -> None:
    artifacts.save(tmp_path, TENSORS, DESCRIPTION)
    digest = artifacts.save(tmp_path, {"w": np.ones(1, dtype=np.float32)}, {})

    assert list(artifacts.load(tmp_path, digest)[0]) == ["w"]


@pytest.mark.parametrize("name", [artifacts.TENSORS, artifacts.MANIFEST])
@pytest.mark.parametrize("damage", ["cut", "changed", "removed", "emptied"])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, name: str, damage: str) -> None:
    digest = artifacts.save(tmp_path, TENSORS, DESCRIPTION)
    path = tmp_path / name
    data = path.read_bytes()
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes({"cut": data[:-3], "changed": data[:-3] + b"###", "emptied": b""}[damage])

    with pytest.raises(ArtifactError) as caught:
        artifacts.load(tmp_path, digest)

    assert caught.value.path == path
    assert str(path) in str(caught.value)


def test_tensors_of_another_version_are_refused_without_a_digest(tmp_path: Path) -> None:
    artifacts.save(tmp_path / "a", TENSORS, DESCRIPTION)
    artifacts.save(tmp_path / "b", {"w": np.ones(1, dtype=np.float32)}, DESCRIPTION)
    (tmp_path / "a" / artifacts.TENSORS).write_bytes((tmp_path / "b" / artifacts.TENSORS).read_bytes())

    with pytest.raises(ArtifactError, match="sha256"):
        artifacts.load(tmp_path / "a")


@pytest.mark.parametrize("text", ["not json", "[]", json.dumps({"format": "other/9"})])
def test_another_format_is_refused(tmp_path: Path, text: str) -> None:
    artifacts.save(tmp_path, TENSORS, DESCRIPTION)
    (tmp_path / artifacts.MANIFEST).write_text(text)

    with pytest.raises(ArtifactError) as caught:
        artifacts.load(tmp_path)

    assert caught.value.path.name == artifacts.MANIFEST


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_a_manifest_that_json_cannot_hold_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(ArtifactError, match="expected plain JSON values"):
        artifacts.save(tmp_path, TENSORS, {"metric": value})

    assert list(tmp_path.iterdir()) == []
