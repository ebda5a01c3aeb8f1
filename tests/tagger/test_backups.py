"""A backup restored into an empty installation gives an equal one; a damaged one is refused and nothing is touched."""

import io
import json
import resource
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from annotations.services import flags, storage
from mlmodels.models import Extractor, ImageFeature
from tagger import backups, stack
from tagger.layout import BASE_DIR, Layout
from tests import servers
from tests import stack as sites
from tests.factories import Cast, make_cast, make_images, make_tags, review_next

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast() -> Cast:
    """A project with everything that a backup has to carry: files, answers, a vector, a model file."""
    cast = make_cast()
    make_tags(cast.project, "lake", "café au lait", "🐶 dog")
    images = make_images(cast.project, 5, caption="A dog by the lake")
    for number, image in enumerate(images):
        storage.put(image.storage_key, f"picture {number}".encode())
    review_next(cast, cast.annotator, yes=("lake",), rejected=("café au lait",))
    review_next(cast, cast.annotator)
    flags.raise_flag(cast.project, images[0].pk, comment="Is this a lake?", actor=cast.annotator)
    extractor = Extractor.objects.create(key="planted", name="planted", dimensions=3)
    vector = np.array([0.6, 0.8, 0.0], dtype=np.float32)
    ImageFeature.objects.create(project=cast.project, image=images[0], extractor=extractor, vector=vector)
    model = Path(settings.MODELS_ROOT) / "1" / "head.safetensors"
    model.parent.mkdir(parents=True, exist_ok=True)
    model.write_bytes(b"coefficients")
    return cast


@pytest.fixture
def backup(cast: Cast, tmp_path: Path) -> Path:
    target = tmp_path / "tagger.backup"
    call_command("backup", str(target), stdout=io.StringIO())
    return target


@pytest.fixture
def elsewhere() -> Iterator[Layout]:
    """The folder of another installation, with an empty cluster."""
    with tempfile.TemporaryDirectory(prefix="tagger-elsewhere-", ignore_cleanup_errors=True) as folder:
        servers.open_to_accounts(Path(folder))
        layout = Layout(Path(folder) / "data")
        servers.prepare(layout)
        yield layout


def manage(layout: Layout, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR, env=sites.environment_of(layout.root), capture_output=True, text=True, check=False,
    )  # fmt: skip


def members(source: Path) -> dict[str, bytes]:
    with tarfile.open(source) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]


def rewritten(source: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    content = members(source)
    change(content)
    with tarfile.open(source, "w") as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return source


def test_an_empty_installation_becomes_an_equal_one(
    cast: Cast, backup: Path, elsewhere: Layout, tmp_path: Path
) -> None:
    done = manage(elsewhere, "restore", str(backup))
    assert (done.returncode, done.stderr) == (0, "")

    again = manage(elsewhere, "backup", str(tmp_path / "again"))
    assert again.returncode == 0, again.stderr
    call_command("export", "Outdoors", "jsonl", str(tmp_path / "one.jsonl"), stderr=io.StringIO())
    assert manage(elsewhere, "export", "Outdoors", "jsonl", str(tmp_path / "other.jsonl")).returncode == 0
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "other.jsonl").read_bytes()

    one, other = members(backup), members(tmp_path / "again")
    told, retold = json.loads(one.pop("manifest.json")), json.loads(other.pop("manifest.json"))
    assert told["rows"] == retold["rows"]
    assert told["rows"]["mlmodels_imagefeature"] == 1
    assert told["migrations"] == retold["migrations"]
    one.pop("database.dump"), other.pop("database.dump")
    assert one == other
    assert {b"picture 0", b"coefficients"} <= set(one.values())


def test_projects_that_are_there_are_never_replaced(backup: Path) -> None:
    with pytest.raises(CommandError, match=r"There are projects in .* already"):
        call_command("restore", str(backup))


def test_a_running_installation_is_left_alone(backup: Path) -> None:
    stack.write(settings.LAYOUT, port=1, url="http://127.0.0.1:1/")
    try:
        with pytest.raises(CommandError, match="Stop it, then restore"):
            call_command("restore", str(backup))
    finally:
        settings.LAYOUT.stack.unlink()


def _change_a_picture(content: dict[str, bytes]) -> None:
    name = next(name for name in content if name.startswith("media/"))
    content[name] = content[name][:-1] + b"?"


def _lose_a_picture(content: dict[str, bytes]) -> None:
    del content[next(name for name in content if name.startswith("media/"))]


def _add_a_stranger(content: dict[str, bytes]) -> None:
    content["media/other.jpg"] = b"not of this backup"


def _lead_outside(content: dict[str, bytes]) -> None:
    content["media/../../outside.txt"] = b"written elsewhere"


def _lose_the_manifest(content: dict[str, bytes]) -> None:
    del content["manifest.json"]


def _come_from_the_future(content: dict[str, bytes]) -> None:
    manifest = json.loads(content["manifest.json"])
    manifest["migrations"]["annotations"].append("0999_from_tomorrow")
    content["manifest.json"] = json.dumps(manifest).encode()


def _be_of_another_kind(content: dict[str, bytes]) -> None:
    content["manifest.json"] = b'{"format": "something else", "version": 1}'


def _be_of_a_newer_form(content: dict[str, bytes]) -> None:
    manifest = json.loads(content["manifest.json"]) | {"version": backups.FORMAT_VERSION + 1, "more": {}}
    content["manifest.json"] = json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_change_a_picture, "media/.* is missing or damaged"),
        (_lose_a_picture, "media/.* is missing or damaged"),
        (_add_a_stranger, "media/other.jpg, which its manifest does not name"),
        (_lead_outside, "which no backup has"),
        (_lose_the_manifest, "ends before its manifest"),
        (_come_from_the_future, "annotations.0999_from_tomorrow.*Update Tagger"),
        (_be_of_another_kind, "no backup that this Tagger can read"),
        (_be_of_a_newer_form, "use the release that wrote it"),
    ],
)
def test_what_is_not_whole_is_refused_by_name(
    backup: Path, change: Callable[[dict[str, bytes]], None], said: str
) -> None:
    with pytest.raises(backups.BackupError, match=said):
        backups.check(rewritten(backup, change))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_cut_file_is_refused_and_nothing_is_written(backup: Path, elsewhere: Layout, share: float) -> None:
    data = backup.read_bytes()
    backup.write_bytes(data[: int(len(data) * share)])
    done = manage(elsewhere, "restore", str(backup))
    assert done.returncode == 1
    assert str(backup) in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(elsewhere.media.rglob("*.jpg"))


def test_a_link_is_no_member(backup: Path) -> None:
    with tarfile.open(backup, "a") as archive:
        link = tarfile.TarInfo("media/link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(backups.BackupError, match="which no backup has"):
        backups.check(backup)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As on a full disk: a write beyond it fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_up_leaves_the_last_backup_as_it_was(backup: Path) -> None:
    before = backup.read_bytes()
    with files_of_at_most(20_000), pytest.raises(CommandError, match=r"pg_dump failed|cannot be written"):
        call_command("backup", str(backup))
    assert backup.read_bytes() == before
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]
