"""Answers that the live version doubts: which are listed, what fixes or keeps them, and when they come back."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.errors import BadInput, Conflict, NotFound
from annotations.models import Decision, Project, Role
from annotations.selectors import truth
from annotations.services import leases, reviews, tag_answers, tag_merges, verify
from annotations.services import tags as tag_service
from mlmodels import tasks
from mlmodels.models import ModelVersion, Suspect, SuspectCheck, SuspectList
from mlmodels.services import heads, runs, suspect_list, suspects, training, versions
from tests.factories import answer_lease
from tests.mlmodels.conftest import TAGS


@pytest.fixture(autouse=True)
def no_lingering(monkeypatch):
    monkeypatch.setattr(training, "LINGER_S", 0.0)


def train(planted):
    run = training.execute(runs.request(planted.project.pk).pk)
    assert run.state == "done", run.reason
    return ModelVersion.objects.get(run=run)


def review_wrongly(planted, *, forgets):
    """The next image, answered truly but for one tag: forgotten where it has one, else one too many."""
    lease = leases.claim_next(
        planted.project, planted.cast.annotator, role=Role.ANNOTATOR, count=1, rng=planted.rng
    )[0]
    true = set(planted.yes_of(lease.image))
    turned = sorted(true or TAGS) if forgets else sorted(set(TAGS) - true or TAGS)
    answer_lease(planted.cast, planted.cast.annotator, lease, yes=tuple(sorted(true ^ {turned[0]})))
    return lease.image.pk, planted.tags[turned[0]]


@pytest.fixture
def doubted(planted):
    """A live version of 88 reviews, eight of which have one tag wrong or forgotten; and the list of its suspects."""
    planted.project.holdout_percent = 0
    planted.project.save()
    planted.images(100)
    planted.review(40)
    planted.mistakes = {review_wrongly(planted, forgets=bool(number % 2)) for number in range(8)}
    planted.review(40)
    planted.version = train(planted)
    suspects.refresh(planted.project.pk)
    return planted


def page(planted, kind, *, limit, after=0):
    standing = suspect_list.standing(planted.project.pk)
    return standing.page(kind=kind, tag_id=None, after=after, limit=limit)


def listed(planted, kind):
    shown, _ = page(planted, kind, limit=100)
    return [(one.row.image_id, one.row.tag_id) for one in shown]


def first(planted, kind):
    shown, _ = page(planted, kind, limit=1)
    assert shown, f"nothing is listed as {kind}"
    return shown[0]


def answer(planted, one, value, user=None):
    actor = user or planted.cast.reviewer
    return suspects.answer(planted.project.pk, one.row.image_id, one.row.tag_id, value, actor_id=actor.pk)


def said_now(planted, image_id, tag_id):
    project = Project.objects.get(pk=planted.project.pk)
    found = truth.verdicts(project, [image_id])[image_id]
    return "yes" if tag_id in found.yes else "no" if tag_id in found.no | found.implied_no else "other"


def rank_anew(planted):
    """As after the next promotion."""
    SuspectList.objects.all().delete()
    return suspects.refresh(planted.project.pk)


def another_live(planted):
    """A version that learnt the same goes live."""
    version = ModelVersion.objects.get(pk=planted.version.pk)
    version.pk, version.run, version.number = None, None, version.number + 1
    version.save()
    versions.go_live(version)
    return version


def test_planted_mistakes_lead_both_lists(doubted):
    wrong, missing = listed(doubted, "wrong"), listed(doubted, "missing")

    found = set(wrong) | set(missing)
    assert len(doubted.mistakes & found) >= 6, "of 8 mistakes"
    assert len(found - doubted.mistakes) <= 2, "of 256 answers that are right"
    by_kind = {pair: said_now(doubted, *pair) for pair in doubted.mistakes}
    assert {said for pair, said in by_kind.items() if pair in wrong} == {"yes"}
    assert {said for pair, said in by_kind.items() if pair in missing} == {"no"}


def test_one_answer_fixes_a_wrong_yes_and_leaves_the_list(doubted):
    one = first(doubted, "wrong")

    decision = answer(doubted, one, "no")

    row = Decision.objects.get(pk=decision)
    assert (row.scope, row.value, row.user) == ("adjudicate", "no", doubted.cast.reviewer)
    assert said_now(doubted, one.row.image_id, one.row.tag_id) == "no"
    assert (one.row.image_id, one.row.tag_id) not in listed(doubted, "wrong")


def test_one_answer_fixes_what_somebody_else_said_in_the_grid(doubted):
    one = first(doubted, "wrong")
    pair = one.row.image_id, one.row.tag_id
    verify.answer_tag(doubted.project, doubted.cast.manager, word=one.row.tag.name, yes=[pair[0]], no=[])
    assert rank_anew(doubted)
    assert pair in listed(doubted, "wrong")

    decision = answer(doubted, one, "no")

    assert said_now(doubted, *pair) == "no"
    suspects.undo(doubted.project.pk, decision, actor_id=doubted.cast.reviewer.pk)
    assert said_now(doubted, *pair) == "yes"


def test_one_answer_adds_a_missing_tag(doubted):
    one = first(doubted, "missing")

    answer(doubted, one, "yes")

    assert said_now(doubted, one.row.image_id, one.row.tag_id) == "yes"
    assert (one.row.image_id, one.row.tag_id) not in listed(doubted, "missing")


def test_undo_brings_answer_and_suspect_back(doubted):
    one = first(doubted, "wrong")
    decision = answer(doubted, one, "no")

    suspects.undo(doubted.project.pk, decision, actor_id=doubted.cast.reviewer.pk)

    assert said_now(doubted, one.row.image_id, one.row.tag_id) == "yes"
    assert first(doubted, "wrong").row.pk == one.row.pk
    with pytest.raises(Conflict):
        suspects.undo(doubted.project.pk, decision, actor_id=doubted.cast.reviewer.pk)


def test_what_was_found_right_is_not_shown_again_unless_the_answer_changes(doubted):
    one = first(doubted, "wrong")
    pair = (one.row.image_id, one.row.tag_id)
    answer(doubted, one, "yes")

    assert rank_anew(doubted)
    assert pair not in listed(doubted, "wrong")

    tag_answers.answer(doubted.project, one.row.image, one.row.tag_id, "no", actor=doubted.cast.reviewer)
    tag_answers.answer(doubted.project, one.row.image, one.row.tag_id, "yes", actor=doubted.cast.reviewer)
    assert rank_anew(doubted)
    assert pair not in listed(doubted, "wrong"), "the answer is again what was found right"

    review = SuspectCheck.objects.get().decision
    tag_answers.take_back(doubted.project, review.pk, actor=doubted.cast.reviewer)
    assert rank_anew(doubted)
    assert pair in listed(doubted, "wrong"), "nobody's look at it stands any more"


def test_an_answer_that_two_people_dispute_is_nobodys_mistake(doubted):
    one = first(doubted, "missing")
    tag_answers.answer(doubted.project, one.row.image, one.row.tag_id, "yes", actor=doubted.cast.reviewer)
    tag_answers.answer(doubted.project, one.row.image, one.row.tag_id, "no", actor=doubted.cast.annotator)

    assert rank_anew(doubted)

    assert (one.row.image_id, one.row.tag_id) not in listed(doubted, "missing")


def test_an_answer_from_anywhere_takes_the_suspect_off_the_list(doubted):
    one = first(doubted, "wrong")

    tag_answers.answer(doubted.project, one.row.image, one.row.tag_id, "yes", actor=doubted.cast.manager)

    assert (one.row.image_id, one.row.tag_id) not in listed(doubted, "wrong")
    with pytest.raises(Conflict, match="since"):
        answer(doubted, one, "no")


def take_back_reviews(planted, rows):
    for image in {row.image for row in rows}:
        for review in image.reviews.filter(undone_at=None):
            reviews.undo(planted.cast.membership(planted.cast.reviewer), review.pk)


def test_a_review_that_was_taken_back_leaves_nothing_to_suspect(doubted):
    wrong = Suspect.objects.filter(kind="wrong").select_related("image", "tag")
    one = wrong.first()

    take_back_reviews(doubted, wrong)

    standing = suspect_list.standing(doubted.project.pk)
    assert listed(doubted, "wrong") == []
    assert standing.counts()["wrong"] == 0
    assert standing.tags(kind="wrong") == []
    with pytest.raises(Conflict, match="taken back"):
        suspects.answer(doubted.project.pk, one.image_id, one.tag_id, "no", actor_id=doubted.cast.reviewer.pk)
    assert not SuspectCheck.objects.exists()


def test_a_page_is_filled_past_those_that_stand_no_more(doubted):
    rows = list(Suspect.objects.filter(kind="wrong").order_by("rank").select_related("image"))
    likeliest, second = rows[0], rows[1]
    assert likeliest.image_id != second.image_id

    take_back_reviews(doubted, [likeliest])

    assert first(doubted, "wrong").row == second


def test_a_retired_tag_is_no_longer_asked_about(doubted):
    one = first(doubted, "wrong")

    tag_service.retire(one.row.tag, actor=doubted.cast.manager)

    left = {tag_id for _, tag_id in listed(doubted, "wrong")}
    assert left and one.row.tag_id not in left


def merge(planted, name, into):
    tags = planted.project.tags
    tag_merges.merge(tags.get(name=name), tags.get(name=into), actor=planted.cast.manager)
    planted.project.refresh_from_db()


def test_a_version_from_before_a_merge_doubts_the_survivor_by_what_it_says_of_either(doubted):
    merge(doubted, "dog", "boat")

    assert rank_anew(doubted)

    pictures = {image.pk: image for image in doubted.project.images.all()}
    right = [
        image_id
        for image_id, tag_id in listed(doubted, "wrong")
        if tag_id == doubted.tags["boat"] and {"dog", "boat"}.intersection(doubted.yes_of(pictures[image_id]))
    ]
    assert len(right) <= 1, "of some sixty"


def test_what_was_found_right_stays_so_when_its_tag_is_merged(doubted, monkeypatch):
    one = first(doubted, "wrong")
    image = one.row.image
    into = next(name for name in TAGS if name != one.row.tag.name and name not in doubted.yes_of(image))
    answer(doubted, one, "yes")
    merge(doubted, one.row.tag.name, into)
    stored = heads.load_out_of_fold(doubted.version)
    scores = stored.scores.copy()
    scores[list(stored.image_ids).index(image.pk)] = 0.0
    monkeypatch.setattr(heads, "load_out_of_fold", lambda version: replace(stored, scores=scores))

    rank_anew(doubted)

    assert said_now(doubted, image.pk, doubted.tags[into]) == "yes"
    assert (image.pk, doubted.tags[into]) not in listed(doubted, "wrong")


def test_who_said_it_is_told_with_each_suspect(doubted):
    wrong, missing = first(doubted, "wrong"), first(doubted, "missing")

    assert [(said.person, said.value) for said in wrong.said] == [("annotator", "yes")]
    assert [(said.person, said.value) for said in missing.said] == [("annotator", "implied")]


def test_only_suspects_can_be_answered_and_only_with_yes_or_no(doubted):
    one = first(doubted, "wrong")
    calm = doubted.project.images.exclude(pk__in=[image_id for image_id, _ in doubted.mistakes]).first()
    Suspect.objects.filter(image=calm).delete()

    with pytest.raises(NotFound):
        suspects.answer(doubted.project.pk, calm.pk, one.row.tag_id, "no", actor_id=doubted.cast.reviewer.pk)
    with pytest.raises(BadInput):
        answer(doubted, one, "perhaps")
    assert not SuspectCheck.objects.exists()


def test_a_list_is_ranked_once_for_each_version_that_goes_live(doubted):
    assert suspects.refresh(doubted.project.pk) is None
    assert not suspects.is_due(doubted.project.pk)

    second = another_live(doubted)

    SuspectList.objects.update(seconds=1e6)
    assert not suspects.is_due(doubted.project.pk), "a list that took long is not ranked anew at once"
    SuspectList.objects.update(seconds=0.0)
    tasks.rank_suspects(doubted.project.pk)
    assert SuspectList.objects.get().version == second
    rows = list(Suspect.objects.values_list("pk", flat=True))
    tasks.rank_suspects(doubted.project.pk)
    assert list(Suspect.objects.values_list("pk", flat=True)) == rows, "delivered twice, one effect"


def test_a_file_that_cannot_be_read_leaves_the_list_as_it_was(doubted, settings, tmp_path):
    before = listed(doubted, "wrong")
    another_live(doubted)
    SuspectList.objects.update(seconds=0.0)

    settings.MODELS_ROOT = tmp_path
    assert suspects.refresh(doubted.project.pk) is None
    assert listed(doubted, "wrong") == before


def test_below_fifty_images_nothing_is_suspected_and_the_page_can_say_why(planted):
    planted.images(40)
    planted.review(30)
    version = train(planted)

    assert suspects.refresh(planted.project.pk) is None
    state = suspect_list.state(planted.project.pk)
    assert state.waits_for_reviews
    assert (state.learnt, state.needed) == (version.trained_images, 50)


def test_a_page_costs_the_same_however_long_it_is(doubted):
    def cost(limit):
        with CaptureQueriesContext(connection) as queries:
            shown, _ = page(doubted, "missing", limit=limit)
        return len(shown), len(queries)

    for rank, row in enumerate(Suspect.objects.order_by("pk"), 1):
        Suspect.objects.filter(pk=row.pk).update(kind="missing", rank=rank)
    wanted = Suspect.objects.exclude(
        pk__in=[row.pk for row in Suspect.objects.all() if not is_no(doubted, row)]
    )

    (few, queries), (many, more_queries) = cost(2), cost(20)
    assert many == wanted.count() > few
    assert queries == more_queries


def is_no(planted, row):
    return said_now(planted, row.image_id, row.tag_id) == "no"


def test_pages_follow_each_other_without_gap_or_repetition(doubted):
    Suspect.objects.filter(kind="wrong").update(kind="missing", rank=1000)
    everything = listed(doubted, "missing")
    walked, after = [], 0
    while after is not None:
        shown, after = page(doubted, "missing", after=after, limit=1)
        walked += [(one.row.image_id, one.row.tag_id) for one in shown]
    assert walked == everything
