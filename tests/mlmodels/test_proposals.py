"""Captions are read in slices, once and by one worker; the proposals follow vocabulary, captions and answers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.models import CaptionProgress, Image, Proposal, Tag
from annotations.selectors import proposals as selector
from annotations.services import proposals as decisions
from annotations.services import tags
from mlmodels import tasks
from mlmodels.models import CaptionScan
from mlmodels.services import caption_scans, proposals
from tests.factories import make_images, make_tags, review_next


def captioned(project, *captions, first=0, holdout=False):
    images = []
    for number, caption in enumerate(captions):
        images += make_images(project, 1, first=first + number, caption=caption, holdout=holdout)
    return images


def settle(project, most=50):
    """Until nothing is left to do; returns the slices that took."""
    for number in range(most):
        if not proposals.advance(project.pk):
            return number
    raise AssertionError("it does not come to an end")


def proposed(project):
    return {row.text: row for row in selector.listing(project)}


def told(project):
    return [
        (row.kind, row.text, row.tag_id, row.captions, row.rank, row.evidence)
        for row in selector.listing(project)
    ]


@pytest.fixture
def project(cast):
    return cast.project


@pytest.fixture
def kites(project):
    return captioned(
        project, "A kite over a barn", "Two red kites", "The kite is high", "A barn", "Barns", "A dog"
    )


@pytest.fixture
def short_slices(monkeypatch):
    """Every slice reads two captions."""
    monkeypatch.setattr(caption_scans, "SLICE_CAPTIONS", 2)


class TestReading:
    def test_frequent_words_become_proposals_with_their_places(self, project, kites):
        settle(project)
        assert list(proposed(project)) == ["barn", "kite"]
        kite = proposed(project)["kite"]
        assert (kite.kind, kite.captions, kite.evidence["share"]) == ("tag", 3, 0.5)
        assert kite.evidence["examples"][1] == {"image": kites[1].pk, "start": 8, "end": 13, "text": "kites"}

    def test_slices_give_what_one_reading_gives(self, project, kites, short_slices):
        assert settle(project) >= 3
        in_slices = told(project)
        CaptionScan.objects.all().delete()
        caption_scans.SLICE_CAPTIONS = 100
        settle(project)
        assert told(project) == in_slices

    def test_progress_is_told_while_it_reads(self, project, kites, short_slices):
        proposals.advance(project.pk)
        progress = CaptionProgress.objects.get(project=project)
        assert (progress.read, progress.total, progress.is_reading, progress.finished_at) == (
            2,
            6,
            True,
            None,
        )
        settle(project)
        progress.refresh_from_db()
        assert (progress.read, progress.is_reading) == (6, False) and progress.finished_at is not None

    def test_holdout_images_and_the_trash_say_nothing(self, project):
        captioned(project, *["A kite"] * 5, holdout=True)
        gone = captioned(project, *["A barn"] * 5, first=10)
        Image.objects.filter(pk__in=[image.pk for image in gone]).update(deleted_at=timezone.now())
        captioned(project, *["A boat"] * 5, first=20)
        settle(project)
        assert list(proposed(project)) == ["boat"]

    def test_a_project_without_captions_costs_nothing(self, project):
        make_images(project, 3)
        assert not proposals.is_due(project.pk) and not proposals.advance(project.pk)
        assert not CaptionScan.objects.exists()


class TestKills:
    def test_a_second_caller_leaves_the_work_to_the_first(self, project, kites):
        CaptionScan.objects.create(project=project)
        assert caption_scans.claim(project.pk) is not None
        assert not proposals.advance(project.pk) and not Proposal.objects.exists()

    def test_a_worker_killed_in_a_slice_is_followed_by_another(
        self, project, kites, short_slices, monkeypatch
    ):
        settle(project)
        undisturbed = told(project)
        CaptionScan.objects.all().delete()
        Proposal.objects.all().delete()
        proposals.advance(project.pk)
        # Killed: the claim is not given back, and what the slice had counted is lost.
        assert caption_scans.claim(project.pk) is not None
        assert not proposals.advance(project.pk)
        CaptionScan.objects.update(claimed_at=timezone.now() - timedelta(minutes=1))
        assert proposals.is_due(project.pk)
        settle(project)
        assert told(project) == undisturbed

    def test_killed_between_proposals_and_their_mark(self, project, kites):
        settle(project)
        before = told(project)
        CaptionScan.objects.update(made_from="")
        assert proposals.is_due(project.pk)
        settle(project)
        assert told(project) == before

    def test_a_worker_that_was_overtaken_changes_no_counts(self, project, kites):
        settle(project)
        late = caption_scans.claim(project.pk)
        CaptionScan.objects.update(claimed_at=timezone.now() - timedelta(minutes=1))
        captions = CaptionScan.objects.get().captions
        assert caption_scans.claim(project.pk).claim != late.claim
        caption_scans.restart(late)
        assert CaptionScan.objects.get().captions == captions

    def test_unreadable_counts_are_begun_anew(self, project, kites):
        settle(project)
        before = told(project)
        CaptionScan.objects.update(counts=b"no counts", made_from="")
        settle(project)
        assert told(project) == before


class TestFollowing:
    def test_nothing_is_due_while_nothing_changes(self, project, kites):
        settle(project)
        assert not proposals.is_due(project.pk)
        made = Proposal.objects.get(text="kite").pk
        proposals.advance(project.pk)
        assert Proposal.objects.get(text="kite").pk == made

    def test_a_word_that_became_a_tag_is_proposed_no_more(self, project, kites):
        settle(project)
        make_tags(project, "Kites")
        assert proposals.is_due(project.pk)
        settle(project)
        assert list(proposed(project)) == ["barn"]

    def test_a_retired_word_is_no_news(self, cast, project, kites):
        tags.retire(Tag.objects.get(pk=make_tags(project, "barn")["barn"]), actor=cast.manager)
        settle(project)
        assert list(proposed(project)) == ["kite"]

    def test_new_captions_are_added_to_the_counts(self, project, kites):
        settle(project)
        captioned(project, "A kite", first=50)
        assert proposals.is_due(project.pk)
        settle(project)
        assert proposed(project)["kite"].captions == 4

    def test_changed_captions_are_counted_anew(self, project, kites):
        settle(project)
        Image.objects.filter(pk=kites[0].pk).update(caption="A barn")
        caption_scans.note_changes(project.pk, [kites[0].pk])
        settle(project)
        assert list(proposed(project)) == ["barn"] and CaptionScan.objects.get().changed == 0

    def test_removed_images_are_noticed_without_a_message(self, project, kites):
        settle(project)
        Image.objects.filter(pk=kites[0].pk).update(deleted_at=timezone.now())
        assert proposals.is_due(project.pk)
        settle(project)
        assert proposed(project) == {}

    def test_a_dismissed_proposal_stays_away(self, cast, project, kites):
        settle(project)
        decisions.dismiss(proposed(project)["kite"], actor=cast.manager)
        captioned(project, *["A kite"] * 5, first=50)
        settle(project)
        assert list(proposed(project)) == ["barn"]

    def test_a_dismissed_synonym_is_proposed_as_a_tag(self, cast, project):
        child = make_tags(project, "child")["child"]
        captioned(project, *["A kid"] * 4)
        settle(project)
        (synonym,) = proposed(project).values()
        assert (synonym.kind, synonym.tag_id, synonym.evidence["rule"]) == ("alias", child, "wordnet")
        decisions.dismiss(synonym, actor=cast.manager)
        captioned(project, "A kid", first=50)
        settle(project)
        assert [(row.kind, row.text) for row in selector.listing(project)] == [("tag", "kid")]

    def test_answers_make_a_synonym(self, cast, project):
        make_tags(project, "dog", "barn")
        captioned(project, *["A hound sleeps"] * 6, *["A dog sleeps"] * 6)
        settle(project)
        assert proposed(project)["hound"].kind == "tag"
        for _ in range(12):
            review_next(cast, cast.annotator, yes=("dog",))
        assert proposals.is_due(project.pk)
        settle(project)
        hound = proposed(project)["hound"]
        assert (hound.kind, hound.tag.name, hound.evidence["rule"]) == ("alias", "dog", "answers")
        assert (hound.evidence["support"], hound.evidence["precision"]) == (6, 1.0)

    def test_another_language_is_read_anew(self, project, kites):
        settle(project)
        type(project).objects.filter(pk=project.pk).update(caption_language="de")
        assert proposals.is_due(project.pk)
        settle(project)
        assert proposed(project) == {} and CaptionScan.objects.get().captions == len(kites)
        type(project).objects.filter(pk=project.pk).update(caption_language="en")
        settle(project)
        assert list(proposed(project)) == ["barn", "kite"]


class TestTask:
    def test_delivered_twice_has_one_effect(self, project, kites, monkeypatch):
        sent = []
        monkeypatch.setattr(tasks, "nudge", lambda task, *args, **options: sent.append(task.name))
        tasks.propose(project.pk)
        assert sent == ["mlmodels.tasks.propose"]
        tasks.propose(project.pk)
        before = told(project)
        tasks.propose(project.pk)
        assert told(project) == before and len(sent) == 1

    def test_many_changes_are_one_nudge(self, project, monkeypatch):
        sent = []
        monkeypatch.setattr(tasks, "nudge", lambda task, *args, **options: sent.append(task.name))
        for _ in range(5):
            tasks.nudge_proposals(project.pk)
        assert sent == ["mlmodels.tasks.propose"]

    def test_changed_captions_and_vocabulary_ask_for_it(self, project, kites, monkeypatch):
        settle(project)
        sent = []
        monkeypatch.setattr(tasks, "nudge", lambda task, *args, **options: sent.append(task.name))
        tasks.images_changed(project.pk, [kites[0].pk])
        assert "mlmodels.tasks.propose" in sent and CaptionScan.objects.get().changed == 1
        sent.clear()
        tasks.propose(project.pk)
        tasks.vocabulary_changed(project.pk)
        assert sent.count("mlmodels.tasks.propose") == 2  # the next slice, and the new vocabulary

    def test_the_sweep_heals_a_lost_message(self, project, kites, monkeypatch):
        sent = []
        monkeypatch.setattr(tasks, "nudge", lambda task, *args, **options: sent.append((task.name, args[:1])))
        tasks.sweep()
        assert ("mlmodels.tasks.propose", (project.pk,)) in sent

    def test_it_is_served_after_everything_that_people_wait_for(self):
        from tagger.celery import BACKGROUND, route

        options = route(tasks.propose.name)
        assert options["queue"] == "ml" and options["priority"] > BACKGROUND
