"""When a project retrains by itself: the table of situations, the ledger, and one run however often it is nudged."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Decision, Review
from annotations.selectors import stats
from annotations.services import reviews, tag_answers
from mlmodels import selectors, tasks
from mlmodels.models import PolicyCheck, TrainingPolicy, TrainingRun
from mlmodels.services import policy, runs, training
from mlmodels.services.policy import Situation
from tests import plans

NOTHING = Situation(reviews_waiting=0, decisions_waiting=0, quiet_s=None, since_run_s=None, run_open=False)


def situation(**changes):
    return Situation(**(NOTHING.__dict__ | {"quiet_s": 0.5, "decisions_waiting": 1} | changes))


@pytest.mark.parametrize(
    ("now", "paused", "code", "again_in_s"),
    [
        (NOTHING, False, "nothing_new", None),
        (situation(reviews_waiting=9), False, "still_answering", 2.5),
        (situation(reviews_waiting=10), False, "enough_reviews", None),
        (situation(reviews_waiting=1, quiet_s=3.0), False, "quiet", None),
        (situation(reviews_waiting=0, decisions_waiting=2, quiet_s=3.5), False, "quiet", None),
        (situation(reviews_waiting=50, since_run_s=4.0), False, "too_soon", 6.0),
        (situation(reviews_waiting=50, since_run_s=10.0), False, "enough_reviews", None),
        (situation(reviews_waiting=50, since_run_s=20.0, last_failed=True), False, "too_soon", 40.0),
        (situation(reviews_waiting=50, run_open=True), False, "run_open", None),
        (situation(reviews_waiting=50, quiet_s=9.0), True, "paused", None),
        (situation(reviews_waiting=50, looked_at=False), False, "no_features", 2.0),
    ],
)
def test_the_table_of_situations(now, paused, code, again_in_s):
    answer = policy.decide(TrainingPolicy(paused=paused), now)

    assert (answer.code, answer.again_in_s) == (code, again_in_s)
    assert (answer.outcome == "ran") == (code in ("enough_reviews", "quiet"))


@pytest.mark.parametrize(
    ("reviews", "decisions", "said"),
    [(1, 2, "1 review waited"), (3, 2, "3 reviews waited"), (0, 1, "1 decision waited")],
)
def test_the_ledger_counts_in_plain_words(reviews, decisions, said):
    now = situation(reviews_waiting=reviews, decisions_waiting=decisions, quiet_s=9.0)
    assert policy.decide(TrainingPolicy(), now).reason.startswith(said)


def test_nudged_twice_one_run_is_asked_for(planted):
    planted.images(30)
    planted.review(12)

    first = policy.check(planted.project.pk)
    second = policy.check(planted.project.pk)

    assert first.code == "enough_reviews"
    assert second.code == "run_open"
    assert TrainingRun.objects.get().trigger == "policy"


def test_reviews_of_the_holdout_alone_never_ask_for_a_run(planted):
    planted.images(30, holdout=True)
    planted.review(15)
    assert policy.check(planted.project.pk).code == "nothing_new"
    assert not TrainingRun.objects.exists()


def test_after_a_run_its_answers_do_not_wait_any_more(planted):
    planted.images(30)
    planted.review(12)
    training.execute(policy.check(planted.project.pk).run_id)

    assert policy.check(planted.project.pk).code == "nothing_new"
    assert policy.situation(planted.project.pk).reviews_waiting == 0


def test_quiet_is_measured_from_the_newest_answer(planted):
    planted.images(30)
    planted.review(2)
    assert policy.check(planted.project.pk).code == "still_answering"

    Review.objects.update(created_at=timezone.now() - timedelta(seconds=4))

    assert policy.check(planted.project.pk).code == "quiet"


def test_a_check_reads_no_more_rows_in_a_project_of_many_reviews(planted):
    image = planted.images(1)[0]

    def grow(count):
        undone = timezone.now()
        reviews = [
            Review(
                project=planted.project,
                image=image,
                outcome="reviewed",
                vocabulary_version=1,
                undone_at=undone if number % 10 == 0 else None,
            )
            for number in range(count)
        ]
        Review.objects.bulk_create(reviews)
        decisions = [
            Decision(
                project=planted.project,
                image=image,
                tag_id=planted.tags["dog"],
                value="yes",
                scope="tag",
                source="import" if number % 2 else "person",
                undone_at=undone if number % 20 == 0 else None,
            )
            for number in range(count)
        ]
        Decision.objects.bulk_create(decisions)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE annotations_review, annotations_decision")
        return [*reviews, *decisions[::2]]

    def read():
        with CaptureQueriesContext(
            connection,
        ) as caught:
            found = stats.trainable(planted.project.pk)
        rows = 0
        with connection.cursor() as cursor:
            for query in caught.captured_queries:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
                rows += plans.rows_read(cursor.fetchone()[0][0]["Plan"])
        return found, rows, len(caught)

    grow(2_000)
    _, some, queries = read()
    newest = max(answer.created_at for answer in grow(8_000))
    found, many, again = read()

    assert found.newest_at >= newest
    assert again == queries == 7
    assert many <= max(some, 14)


def test_an_answer_to_one_tag_is_an_answer_too_and_so_is_taking_it_back(planted):
    image, held = planted.images(1)[0], planted.images(1, first=1, holdout=True)[0]
    began = timezone.now()

    said = tag_answers.answer(planted.project, image, "dog", "yes", actor=planted.cast.reviewer)
    answered_at = stats.trainable(planted.project.pk).newest_at
    tag_answers.answer(planted.project, held, "dog", "yes", actor=planted.cast.reviewer)
    assert stats.trainable(planted.project.pk).newest_at == answered_at
    tag_answers.take_back(planted.project, said.pk, actor=planted.cast.reviewer)

    assert began < answered_at < stats.trainable(planted.project.pk).newest_at


def test_taking_an_answer_back_is_an_answer_too(planted):
    planted.images(30)
    planted.review(2)
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Review.objects.update(created_at=an_hour_ago)
    assert stats.trainable(planted.project.pk).newest_at == an_hour_ago
    review = Review.objects.first()
    reviews.undo(planted.cast.membership(planted.cast.annotator), review.pk)
    review.refresh_from_db()
    assert stats.trainable(planted.project.pk).newest_at == review.undone_at


def test_the_ledger_has_a_line_for_each_change_and_none_for_idle_ticks(planted):
    planted.images(30)
    for _ in range(3):
        policy.check(planted.project.pk)
    planted.review(2)
    for _ in range(3):
        policy.check(planted.project.pk)
    planted.review(10)
    ran = policy.check(planted.project.pk)
    for _ in range(3):
        policy.check(planted.project.pk)

    lines = PolicyCheck.objects.order_by("id").values_list("outcome", "code", "run")
    assert list(lines) == [
        ("waited", "still_answering", None),
        ("ran", "enough_reviews", ran.run_id),
        ("waited", "run_open", None),
    ]
    assert selectors.ledger(planted.project.pk).first().code == "run_open"


def test_beat_heals_a_lost_nudge_and_sends_the_run(planted, monkeypatch):
    planted.images(30)
    planted.review(12)
    sent = []
    monkeypatch.setattr(tasks.train, "apply_async", lambda **options: sent.extend(options["args"]))

    tasks.check_policies()

    assert sent == [TrainingRun.objects.get().pk]


def test_a_check_that_only_time_can_change_comes_again_by_itself(planted, monkeypatch):
    planted.images(30)
    planted.review(2)
    later = []
    monkeypatch.setattr(tasks.check_policy, "apply_async", lambda **sent: later.append(sent["countdown"]))

    tasks.check_policy(planted.project.pk)

    assert len(later) == 1
    assert 0 < later[0] <= 3


def test_the_sweep_sends_a_run_whose_worker_died_again(planted, monkeypatch):
    run = runs.request(planted.project.pk)
    runs.claim(run.pk)
    sent = []
    monkeypatch.setattr(tasks.train, "apply_async", lambda **options: sent.extend(options["args"]))

    tasks.sweep()
    TrainingRun.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    tasks.sweep()

    assert sent == [run.pk]
