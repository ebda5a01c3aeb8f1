"""A caption is read once; another caption, vocabulary or reader makes it new."""

import pytest
from django.db import connection

from annotations.models import Image
from annotations.selectors import model_inputs
from annotations.services import tags
from annotations.types import TagSpec
from mlmodels.core.language.near_meaning import NEAREST
from mlmodels.models import CaptionReading
from mlmodels.services import languages, mentions, readings

CAPTIONS = ("A dog, no boat.", "", 'Tabs\tand\nlines, a "tree" \\ and 🐕.')


@pytest.fixture
def pictures(planted):
    images = planted.images(len(CAPTIONS))
    for image, caption in zip(images, CAPTIONS, strict=True):
        Image.objects.filter(pk=image.pk).update(caption=caption)
    return model_inputs.images(planted.project.pk, [image.pk for image in images])


def refuse_to_read(monkeypatch):
    def read(self, captions):
        assert not captions, "read again"
        return []

    monkeypatch.setattr("mlmodels.core.language.reader.CaptionReader.read", read)


def fresh_language(planted):
    """As a worker that has just started has it."""
    languages._build.cache_clear()
    return languages.of_project(planted.project.pk)


def test_a_kept_reading_says_what_was_read(planted, pictures, monkeypatch):
    language = fresh_language(planted)
    read = readings.read(pictures, language, keep=True)
    language = fresh_language(planted)
    refuse_to_read(monkeypatch)

    assert readings.read(pictures, language) == read
    assert any(match.evidence.negated for match in read[0].matches)


def test_without_keeping_nothing_is_written(planted, pictures):
    readings.read(pictures, fresh_language(planted))

    assert not CaptionReading.objects.exists()


def test_a_changed_caption_is_read_again(planted, pictures):
    language = fresh_language(planted)
    readings.read(pictures, language, keep=True)
    Image.objects.filter(pk=pictures[0].image_id).update(caption="A tree.")
    (changed,) = model_inputs.images(planted.project.pk, [pictures[0].image_id])

    (found,) = readings.read([changed], language, keep=True)

    assert [match.evidence.text for match in found.matches] == ["tree"]
    assert CaptionReading.objects.count() == len(CAPTIONS)


def test_another_vocabulary_is_read_anew(planted, pictures):
    readings.read(pictures, fresh_language(planted), keep=True)
    (tabs,) = tags.create_many(planted.project, [TagSpec(name="tabs")], actor=None)

    found = readings.read(pictures, languages.of_project(planted.project.pk), keep=True)

    assert tabs.pk in [match.tag_id for match in found[2].matches]


def test_two_workers_that_keep_the_same_have_one_row(planted, pictures):
    language = fresh_language(planted)
    readings.read(pictures, language, keep=True)
    CaptionReading.objects.filter(pk=pictures[0].image_id).update(key="of an earlier reader")

    readings.read(pictures[::-1], language, keep=True)

    assert CaptionReading.objects.count() == len(CAPTIONS)
    assert not CaptionReading.objects.filter(key="of an earlier reader").exists()


def test_an_image_that_is_gone_is_not_kept(planted, pictures):
    language = fresh_language(planted)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotations_queueentry WHERE image_id = %s", [pictures[0].image_id])
        cursor.execute("DELETE FROM mlmodels_imagefeature WHERE image_id = %s", [pictures[0].image_id])
        cursor.execute("DELETE FROM annotations_image WHERE id = %s", [pictures[0].image_id])

    readings.read(pictures, language, keep=True)

    assert CaptionReading.objects.count() == len(CAPTIONS) - 1


def test_what_a_word_is_merely_near_to_is_neither_a_reason_nor_denied():
    assert mentions.SHOWN_ABOVE == NEAREST
