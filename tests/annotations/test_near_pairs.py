"""Near-duplicates are found: by hash exactly as by comparing all, in portions, and with features told apart."""

import io

import numpy as np
import pytest
from PIL import Image as Picture
from PIL import ImageDraw, ImageEnhance, ImageOps

from annotations import near_hashes, pictures, tasks
from annotations.models import DuplicateGroup, DuplicateScan, Image, NearPair
from annotations.near_hashes import Index
from annotations.selectors import duplicates
from annotations.services import near_pairs, trash
from mlmodels.models import Extractor
from mlmodels.services import feature_rows
from mlmodels.services.feature_rows import FeatureRow
from tests.factories import make_copies, make_images

MIRROR = np.uint64(0x5555555555555555)


def clustered(count, seed=0):
    """Hashes of which many lie close together, with 32 bits set or about so, and some twice."""
    rng = np.random.default_rng(seed)
    middles = rng.integers(0, 2**63, count // 10, dtype=np.int64)
    hashes = rng.choice(middles, count)
    flips = rng.integers(0, 10, count)
    for flip in range(9):
        hashes ^= np.where(flip < flips, np.int64(1) << rng.integers(0, 63, count), 0)
    hashes[::7] = np.int64(np.array(MIRROR).view(np.int64)) ^ hashes[::7]
    return hashes


def by_comparing_all(hashes, most_bits):
    """{(earlier, later): bits}, computed pair by pair."""
    unsigned = hashes.view(np.uint64)
    telling = np.bitwise_count(unsigned) >= near_hashes.SET_BITS_LEAST
    differ = np.bitwise_count(unsigned[:, None] ^ unsigned)
    mirrored = np.bitwise_count(unsigned[:, None] ^ unsigned ^ MIRROR)
    fewest = np.minimum(differ, mirrored).astype(int)
    return {
        (a, b): int(fewest[a, b])
        for a, b in zip(*np.nonzero(np.triu(fewest <= most_bits, 1)), strict=True)
        if telling[a] and telling[b]
    }


@pytest.mark.parametrize("most_bits", [0, 5, 8, 14])
def test_no_pair_is_missed_and_none_is_made_up(monkeypatch, most_bits):
    monkeypatch.setattr(near_hashes, "NEAREST_KEPT", 1_000)
    monkeypatch.setattr(near_hashes, "COMPARED_AT_ONCE", 50)
    hashes = clustered(600)
    expected = by_comparing_all(hashes, most_bits)
    near = Index(hashes, most_bits=most_bits).pairs(0, 600)
    found = dict(
        zip(zip(near.earlier.tolist(), near.later.tolist(), strict=True), near.bits.tolist(), strict=True)
    )
    assert len(expected) > 10
    assert found.items() <= expected.items()
    # Of equal hashes only the first is compared with others: all hang together all the same.
    assert parts(found, 600) == parts(expected, 600)


def parts(pairs, count):
    """Which places hang together, as a set of sets."""
    of = list(range(count))
    for a, b in pairs:
        of = [of[a] if one == of[b] else one for one in of]
    return {frozenset(np.flatnonzero(np.array(of) == one).tolist()) for one in of}


def test_portions_find_what_one_search_finds():
    hashes = clustered(400, seed=1)
    index = Index(hashes, most_bits=8)
    whole = index.pairs(0, 400)
    portions = [index.pairs(at, at + 50) for at in range(0, 400, 50)]
    assert np.concatenate([part.later for part in portions]).tolist() == whole.later.tolist()
    assert np.concatenate([part.earlier for part in portions]).tolist() == whole.earlier.tolist()


def test_a_thousand_frames_keep_few_pairs_each_and_hang_together():
    rng = np.random.default_rng(3)
    middle = np.int64(0x0F0F0F0F0F0F0F0F)
    hashes = (
        middle ^ (np.int64(1) << rng.integers(0, 62, 1_000)) ^ (np.int64(1) << rng.integers(0, 62, 1_000))
    )
    near = Index(hashes, most_bits=8).pairs(0, 1_000)
    assert len(near.later) <= near_hashes.NEAREST_KEPT * 1_000 + 1_000
    assert len(parts(zip(near.earlier.tolist(), near.later.tolist(), strict=True), 1_000)) == 1


def test_pictures_with_nothing_in_them_are_no_copies_of_each_other():
    white, grey = (
        pictures.perceptual_hash(Picture.new("RGB", (64, 64), colour)) for colour in ("white", "grey")
    )
    assert Index(np.array([white, grey], dtype=np.int64), most_bits=8).pairs(0, 2).later.tolist() == []


def drawn(seed):
    rng = np.random.default_rng(seed)
    picture = Picture.new("RGB", (320, 240), tuple(rng.integers(0, 255, 3).tolist()))
    pen = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y, w, h = rng.integers(0, 320), rng.integers(0, 240), *rng.integers(20, 140, 2)
        pen.ellipse((x - w, y - h, x + w, y + h), fill=tuple(rng.integers(0, 255, 3).tolist()))
    return picture


def hash_of(picture, quality=90):
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return pictures.inspect(stream.getvalue())[0].phash


@pytest.mark.parametrize(
    "copy",
    [
        lambda picture: hash_of(picture, quality=30),
        lambda picture: hash_of(picture.resize((160, 120))),
        lambda picture: hash_of(ImageEnhance.Brightness(picture).enhance(1.1)),
        lambda picture: hash_of(ImageOps.mirror(picture)),
    ],
    ids=["quality 30", "half the size", "brighter", "mirrored"],
)
def test_copies_of_drawn_pictures_are_found_and_other_pictures_are_not(copy):
    originals = [hash_of(drawn(seed)) for seed in range(20)]
    copies = [copy(drawn(seed)) for seed in range(20)]
    near = Index(np.array(originals + copies, dtype=np.int64), most_bits=near_pairs.SURE_BITS).pairs(0, 40)
    found = set(zip(near.earlier.tolist(), near.later.tolist(), strict=True))
    assert found == {(seed, seed + 20) for seed in range(20)}


def groups(project):
    """Groups with an open question, as sets of ids."""
    return [duplicates.image_ids(duplicates.get(project, row.id)) for row in duplicates.listing(project)]


def ids(images):
    return {image.pk for image in images}


def test_copies_come_into_one_group_and_strangers_into_none(cast):
    make_images(cast.project, 5)
    copies, others = make_copies(cast.project, 3), make_copies(cast.project, 2)
    assert near_pairs.find(cast.project.pk) == 4
    assert groups(cast.project) == [ids(copies), ids(others)]


def test_what_is_new_is_searched_once_and_joins_the_group_it_belongs_to(cast):
    first = make_copies(cast.project, 2)
    near_pairs.find(cast.project.pk)
    assert near_pairs.find(cast.project.pk) == 0
    late = make_images(cast.project, 1, first=50)[0]
    Image.objects.filter(pk=late.pk).update(phash=first[0].phash ^ 0b1111 << 40)
    assert near_pairs.find(cast.project.pk) == 2
    assert groups(cast.project) == [ids([*first, late])]


def test_a_copy_that_is_like_two_groups_makes_them_one(cast):
    left, right = make_images(cast.project, 2), make_images(cast.project, 2, first=2)
    hashes = [0x0F0F0F0F0F0F0F0F ^ flipped for flipped in (0, 1, 0xFFF << 30, 0xFFF << 30 | 1)]
    for image, value in zip((*left, *right), hashes, strict=True):
        Image.objects.filter(pk=image.pk).update(phash=value)
    near_pairs.find(cast.project.pk)
    assert groups(cast.project) == [ids(left), ids(right)]
    between = make_images(cast.project, 1, first=9)[0]
    Image.objects.filter(pk=between.pk).update(phash=0x0F0F0F0F0F0F0F0F ^ 0x3F << 30)
    near_pairs.find(cast.project.pk)
    assert groups(cast.project) == [ids([*left, *right, between])]
    assert DuplicateGroup.objects.count() == 1


def test_projects_are_searched_apart_and_the_sweep_knows_who_waits(cast):
    make_copies(cast.project, 2)
    assert near_pairs.behind() == [cast.project.pk]
    tasks.find_duplicates(cast.project.pk)
    assert NearPair.objects.get().project == cast.project
    scan = DuplicateScan.objects.get()
    assert scan.hashed_to == cast.project.images.latest("pk").pk and scan.measured_to == 0


def test_a_search_that_died_goes_on_where_it_stood(cast, monkeypatch):
    monkeypatch.setattr(near_pairs, "QUERIES_AT_ONCE", 2)
    copies = make_copies(cast.project, 6)
    stored = near_pairs._store
    calls = []

    def dies_at_the_second(*args):
        calls.append(args)
        if len(calls) == 2:
            raise ConnectionError
        return stored(*args)

    monkeypatch.setattr(near_pairs, "_store", dies_at_the_second)
    with pytest.raises(ConnectionError):
        near_pairs.find(cast.project.pk)
    assert DuplicateScan.objects.get().hashed_to == copies[1].pk
    near_pairs.find(cast.project.pk)
    assert groups(cast.project) == [ids(copies)]
    assert NearPair.objects.count() == 15


def test_what_lies_in_the_trash_is_looked_at_and_asked_about_when_it_comes_back(cast):
    copies = make_copies(cast.project, 2)
    trash.image_edits.trash(cast.project, copies[0].pk, actor=cast.manager)
    near_pairs.find(cast.project.pk)
    assert groups(cast.project) == []
    trash.restore_images(cast.project, None, actor=cast.manager)
    assert groups(cast.project) == [ids(copies)]


@pytest.fixture
def extractor(db):
    return Extractor.objects.create(name="planted", key="planted", dimensions=4)


def look_at(cast, extractor, images, angles):
    """Features in a plane: their cosine distance is 1 minus the cosine of the angle between them."""
    rows = [
        FeatureRow(
            image.pk,
            np.array([np.cos(angle), np.sin(angle), 0, 0], dtype=np.float32),
            np.zeros(1000, np.float32),
        )
        for image, angle in zip(images, angles, strict=True)
    ]
    feature_rows.store(cast.project.pk, extractor.pk, rows)


def test_features_confirm_what_the_hash_is_not_sure_of(cast, extractor):
    copies = make_copies(cast.project, 2, bits=12)
    near_pairs.find(cast.project.pk)
    assert groups(cast.project) == []
    look_at(cast, extractor, copies, (0, np.arccos(1 - 0.2)))
    near_pairs.find(cast.project.pk)
    assert groups(cast.project) == [ids(copies)]
    assert NearPair.objects.get().distance == pytest.approx(0.2, abs=0.01)


def test_features_tell_apart_what_the_hash_took_for_a_copy(cast, extractor):
    copies = make_copies(cast.project, 3)
    near_pairs.find(cast.project.pk)
    assert groups(cast.project) == [ids(copies)]
    look_at(cast, extractor, copies, (0, np.arccos(1 - 0.1), np.pi / 2))
    near_pairs.find(cast.project.pk)
    assert groups(cast.project) == [ids(copies[:2])]


def test_a_group_falls_apart_where_only_a_dropped_pair_held_it(cast, extractor):
    images = make_images(cast.project, 4)
    start = 0x0F0F0F0F0F0F0F0F
    for image, flipped in zip(images, (0, 1, 0x1FF, 0x3FF), strict=True):
        Image.objects.filter(pk=image.pk).update(phash=start ^ flipped)
    near_pairs.find(cast.project.pk)
    assert groups(cast.project) == [ids(images)]
    look_at(cast, extractor, images, (0, 0.1, np.pi / 2, np.pi / 2 + 0.1))
    near_pairs.find(cast.project.pk)
    assert groups(cast.project) == [ids(images[:2]), ids(images[2:])]


def test_only_images_that_were_looked_at_are_measured(cast, extractor):
    copies = make_copies(cast.project, 3, bits=12)
    look_at(cast, extractor, copies[:2], (0, 0.1))
    near_pairs.find(cast.project.pk)
    assert groups(cast.project) == [ids(copies[:2])]
    assert DuplicateScan.objects.get().measured_to == copies[1].pk
