"""The sample project's drawings: enough of everything, always the same, and true."""

import hashlib
import io
from collections import Counter

import pytest
from PIL import Image

from annotations import review_keys
from annotations.sample import VOCABULARY, Scene, draw_scenes
from annotations.sample.wording import ABSENT

NEGATIONS = ("no ", "not ", "without ", "nobody ", "nowhere ", "never ")


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return list(draw_scenes())


def pixels(scene: Scene) -> Image.Image:
    return Image.open(io.BytesIO(scene.picture))


def average_hash(scene: Scene) -> bytes:
    small = pixels(scene).convert("RGB").resize((12, 12), Image.Resampling.BOX)
    return bytes(value // 16 for value in small.tobytes())


def test_there_are_240_scenes_with_names_in_order(scenes: list[Scene]) -> None:
    assert len(scenes) == 240
    assert [scene.name for scene in scenes] == [f"scene-{n:04}.jpg" for n in range(1, 241)]


def test_fewer_scenes_are_the_first_ones_of_more_to_the_last_byte(scenes: list[Scene]) -> None:
    assert list(draw_scenes(6)) == scenes[:6]


def test_another_seed_draws_other_scenes(scenes: list[Scene]) -> None:
    assert all(a.picture != b.picture for a, b in zip(draw_scenes(3, seed=2), scenes[:3], strict=True))


def test_no_two_pictures_are_the_same_file_or_look_the_same(scenes: list[Scene]) -> None:
    assert len({hashlib.sha256(scene.picture).digest() for scene in scenes}) == 240
    assert len({average_hash(scene) for scene in scenes}) == 240


def test_pictures_are_jpegs_of_modest_size_some_of_them_upright(scenes: list[Scene]) -> None:
    sizes = Counter()
    for scene in scenes:
        picture = pixels(scene)
        assert picture.format == "JPEG"
        assert picture.mode == "RGB"
        assert 360 <= min(picture.size) <= max(picture.size) <= 640
        assert 8_000 < len(scene.picture) < 200_000
        sizes[picture.size] += 1
    assert sizes[(640, 480)] > 60
    assert sum(n for (width, height), n in sizes.items() if height > width) >= 20


def test_tags_are_of_the_vocabulary_without_repetition(scenes: list[Scene]) -> None:
    order = [tag.name for tag in VOCABULARY]
    for scene in scenes:
        assert list(scene.tags) == [name for name in order if name in scene.tags]
        assert scene.tags


def test_every_tag_is_true_often_enough_to_be_learned_and_never_everywhere(scenes: list[Scene]) -> None:
    counts = Counter(tag for scene in scenes for tag in scene.tags)
    for tag in VOCABULARY:
        assert 8 <= counts[tag.name] <= 180, (tag.name, counts[tag.name])


def test_some_captions_are_empty_some_deny_and_the_rest_differ(scenes: list[Scene]) -> None:
    captions = [scene.caption.lower() for scene in scenes]
    assert 4 <= captions.count("") <= 24
    assert sum(any(word in caption for word in NEGATIONS) for caption in captions) >= 15
    assert len(set(captions)) > 200


def test_captions_leave_out_much_and_say_more_than_names_of_tags(scenes: list[Scene]) -> None:
    named = sum(tag in scene.caption.lower() for scene in scenes for tag in scene.tags)
    true = sum(len(scene.tags) for scene in scenes)
    assert 0.1 * true < named < 0.6 * true
    assert any("puppy" in scene.caption and "dog" in scene.tags for scene in scenes)


def test_what_a_caption_denies_is_not_in_the_picture(scenes: list[Scene]) -> None:
    denied = [
        (scene, tag)
        for scene in scenes
        for tag, phrases in ABSENT.items()
        if any(phrase in scene.caption.lower() for phrase in phrases)
    ]
    assert len(denied) >= 20
    assert not [(scene.name, tag) for scene, tag in denied if tag in scene.tags]


def test_vocabulary_has_distinct_names_aliases_and_free_hotkeys() -> None:
    words = [word for tag in VOCABULARY for word in (tag.name, *tag.aliases)]
    assert len(words) == len(set(words))
    hotkeys = [tag.hotkey for tag in VOCABULARY if tag.hotkey]
    assert len(hotkeys) == len(set(hotkeys))
    assert not review_keys.RESERVED & set(hotkeys)
    assert all(tag.description.endswith(".") for tag in VOCABULARY)
