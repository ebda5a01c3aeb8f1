"""The model's head is carried along when tags are merged or split: no gap before the next training, which reads what
was joined.
"""

import numpy as np
import pytest

from annotations.models import LiveModel, QueueEntry, SuggestionSet
from annotations.selectors import truth
from annotations.services import tag_merges, tag_splits, tag_undo
from annotations.types import TagSpec
from mlmodels import tasks
from mlmodels.models import ModelVersion
from mlmodels.services import evidence, heads, languages, policy, rescoring, runs, training
from mlmodels.services.evidence import truth_array


def train(planted):
    run = training.execute(runs.request(planted.project.pk).pk)
    return ModelVersion.objects.get(run=run)


def tag(planted, name):
    return planted.project.tags.get(name=name)


def merge(planted, name, into):
    return tag_merges.merge(tag(planted, name), tag(planted, into), actor=planted.cast.manager)


def offered_on_waiting(planted):
    """{image id: (its true tags, names offered)} of what waits."""
    names = dict(planted.project.tags.values_list("pk", "name"))
    found = {}
    for entry in QueueEntry.objects.filter(project=planted.project).select_related("image"):
        row = SuggestionSet.objects.get(image_id=entry.image_id)
        found[entry.image_id] = (planted.yes_of(entry.image), {names[tag_id] for tag_id in row.offered_ids})
    return found


@pytest.fixture
def learnt(planted):
    """Three tags that a live version knows well, and forty images that wait."""
    planted.images(120)
    planted.review(80)
    train(planted)
    return planted


def test_the_live_version_suggests_the_survivor_where_it_suggested_the_merged_tag(learnt):
    before = offered_on_waiting(learnt)
    merge(learnt, "boat", "dog")

    tasks.vocabulary_changed(learnt.project.pk)

    after = offered_on_waiting(learnt)
    for image_id, (true, offered) in before.items():
        expected = {"dog" if name == "boat" else name for name in offered}
        assert (
            expected
            <= after[image_id][1]
            <= expected | ({"dog"} if {"dog", "boat"}.intersection(true) else set())
        )
    assert any("boat" in offered and "dog" not in offered for _, offered in before.values())


def test_the_next_training_is_asked_for_and_reads_the_joined_answers(learnt):
    assert policy.situation(learnt.project.pk).decisions_waiting == 0
    merge(learnt, "boat", "dog")
    assert policy.situation(learnt.project.pk).decisions_waiting > 0

    version = train(learnt)

    assert version.number == 2 and version.tag_ids == [learnt.tags["dog"], learnt.tags["tree"]]
    assert policy.situation(learnt.project.pk).decisions_waiting == 0
    read = evidence.read(learnt.project.pk, learnt.extractor).training
    pictures = {image.pk: image for image in learnt.project.images.all()}
    either = np.array(
        [bool({"dog", "boat"}.intersection(learnt.yes_of(pictures[pk]))) for pk in read.batch.image_ids]
    )
    np.testing.assert_array_equal(read.truth[:, 0], either)
    scores = heads.for_tags(version, version.tag_ids).score(read.batch.inputs).probability[:, 0]
    assert scores[either].mean() - scores[~either].mean() > 0.5


def test_after_an_undone_merge_the_version_from_before_knows_both_tags_again(learnt):
    rescoring.next_of_queue(learnt.project.pk)
    before = offered_on_waiting(learnt)
    merge(learnt, "boat", "dog")
    tasks.vocabulary_changed(learnt.project.pk)
    tag_undo.undo(tag(learnt, "boat"), actor=learnt.cast.manager)

    tasks.vocabulary_changed(learnt.project.pk)

    assert offered_on_waiting(learnt) == before


def test_after_a_training_in_between_an_undone_merge_leaves_no_error(learnt):
    merge(learnt, "boat", "dog")
    train(learnt)
    tag_undo.undo(tag(learnt, "boat"), actor=learnt.cast.manager)

    tasks.vocabulary_changed(learnt.project.pk)
    train(learnt)

    assert LiveModel.objects.get(project=learnt.project).number >= 1
    found = list(offered_on_waiting(learnt).values())
    assert sum(offered == set(true) for true, offered in found) >= len(found) / 2


def test_the_parts_of_a_split_are_scored_by_what_was_learnt_of_the_tag_and_not_offered(learnt):
    specs = [TagSpec("ferry"), TagSpec("canoe")]
    ferry, canoe = tag_splits.split(tag(learnt, "boat"), specs, actor=learnt.cast.manager)

    tasks.vocabulary_changed(learnt.project.pk)

    scores = {True: [], False: []}
    for entry in QueueEntry.objects.filter(project=learnt.project).select_related("image"):
        row = SuggestionSet.objects.get(image_id=entry.image_id)
        assert not {ferry.pk, canoe.pk, learnt.tags["boat"]}.intersection(row.offered_ids)
        of_tag = dict(zip(row.tag_ids, row.scores, strict=True))
        scores["boat" in learnt.yes_of(entry.image)].append(of_tag.get(ferry.pk, 0.0))
    assert min(scores[True]) > max(scores[False])


def test_the_parts_teach_nothing_before_they_are_answered(learnt):
    tag_splits.split(tag(learnt, "boat"), [TagSpec("ferry"), TagSpec("canoe")], actor=learnt.cast.manager)
    learnt.project.refresh_from_db()
    language = languages.of_project(learnt.project.pk)
    array = truth_array(list(truth.training_truth(learnt.project)), language.tag_ids)
    asked = dict(zip([term.name for term in language.terms], (array >= 0).any(axis=0), strict=True))
    assert asked == {"dog": True, "tree": True, "ferry": False, "canoe": False}


def test_rivals_are_judged_on_the_vocabulary_of_today(learnt):
    """The version from before the merge is compared with what follows, with its two columns as one."""
    before = ModelVersion.objects.get(number=1)
    merge(learnt, "boat", "dog")
    language = languages.of_project(learnt.project.pk)
    head = heads.for_tags(before, language.tag_ids)
    assert len(head.thresholds) == 2
    version = train(learnt)
    assert before.number in version.details["incumbents"]
