"""Fine-tuning that a schedule or a number of reviews asks for: when it does, and when a moment is over."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from annotations.errors import BadInput
from annotations.models.job import JobState
from annotations.services import counters
from mlmodels.models import (
    PolicyCheck,
    TrainingPolicy,
    TrainingRun,
)
from mlmodels.services import (
    finetune_schedule,
    policy,
    runs,
)

NIGHT = datetime(2026, 11, 30, 3, 0, 30, tzinfo=UTC)


def set_at_night(cast, monkeypatch):
    """Three o'clock, five hours before it comes; answers what moves the clock."""

    def at(moment):
        monkeypatch.setattr(timezone, "now", lambda: moment)

    at(NIGHT - timedelta(hours=5))
    policy.update(cast.project.pk, {"finetune_cron": "0 3 * * *"}, actor_id=None)
    return at


class TestSchedule:
    def test_nothing_is_tuned_unless_an_admin_says_so(self, planted):
        planted.images(12)
        planted.review(10)
        policy.update(planted.project.pk, {"every_reviews": 5}, actor_id=None)
        assert finetune_schedule.check_all() == []

    def test_enough_reviews_ask_once(self, planted):
        planted.images(16)
        policy.update(planted.project.pk, {"finetune_every_reviews": 10}, actor_id=None)
        planted.review(9)
        assert finetune_schedule.check_all() == []
        planted.review(1)
        (run_id,) = finetune_schedule.check_all()
        assert finetune_schedule.check_all() == []
        assert PolicyCheck.objects.get(run_id=run_id).code == finetune_schedule.DUE
        TrainingRun.objects.filter(pk=run_id).update(state="done")
        assert finetune_schedule.check_all() == [], "nothing new was said since"

    @pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
    def test_a_run_that_learnt_nothing_is_asked_for_again_after_a_rest(self, planted, state):
        planted.images(16)
        policy.update(planted.project.pk, {"finetune_every_reviews": 10}, actor_id=None)
        planted.review(10)
        (run_id,) = finetune_schedule.check_all()
        run = TrainingRun.objects.filter(pk=run_id)
        run.update(state=state, finished_at=timezone.now())
        assert finetune_schedule.check_all() == []
        run.update(finished_at=timezone.now() - finetune_schedule.REST)
        (again,) = finetune_schedule.check_all()
        assert PolicyCheck.objects.get(run_id=again).reason.startswith("10 reviews came")

    def test_a_schedule_begins_when_it_is_set(self, planted, monkeypatch):
        planted.images(6)
        planted.review(5)
        policy.update(planted.project.pk, {"finetune_cron": "0 3 * * *"}, actor_id=None)
        assert finetune_schedule.check_all() == []
        TrainingPolicy.objects.update(finetune_cron_since=timezone.now() - timedelta(days=2))
        assert len(finetune_schedule.check_all()) == 1

    def test_a_moment_that_found_nothing_new_is_over(self, cast, monkeypatch):
        at = set_at_night(cast, monkeypatch)
        at(NIGHT)
        assert finetune_schedule.check_all() == []

        counters.add(cast.project.pk, {"trainable_reviews": 1})
        at(NIGHT + timedelta(hours=7))
        assert finetune_schedule.check_all() == []

        at(NIGHT + timedelta(days=1))
        assert len(finetune_schedule.check_all()) == 1

    def test_a_moment_that_found_a_run_open_is_over(self, cast, monkeypatch):
        at = set_at_night(cast, monkeypatch)
        counters.add(cast.project.pk, {"trainable_reviews": 1})
        run = runs.request_finetune(cast.project.pk)
        counters.add(cast.project.pk, {"trainable_reviews": 1})
        at(NIGHT)
        assert finetune_schedule.check_all() == []

        TrainingRun.objects.filter(pk=run.pk).update(state="done")
        at(NIGHT + timedelta(hours=7))
        assert finetune_schedule.check_all() == []

    def test_a_moment_that_passed_while_training_was_paused_is_over(self, cast, monkeypatch):
        at = set_at_night(cast, monkeypatch)
        counters.add(cast.project.pk, {"trainable_reviews": 1})
        policy.update(cast.project.pk, {"paused": True}, actor_id=None)
        at(NIGHT)
        assert finetune_schedule.check_all() == []

        at(NIGHT + timedelta(hours=7))
        policy.update(cast.project.pk, {"paused": False}, actor_id=None)
        assert finetune_schedule.check_all() == []

        at(NIGHT + timedelta(days=1))
        assert len(finetune_schedule.check_all()) == 1

    def test_a_bad_schedule_is_refused_with_what_is_wrong(self, planted):
        for text, told in (
            ("every day", "got 2"),
            ("0 3 * *", "got 4"),
            ("61 3 * * *", "minute “61” is not within 0 to 59"),
            ("0 3 0 * *", "day “0” is not within 1 to 31"),
            ("0 3 * * mon", "weekday “mon” is no field"),
            ("0 3 * * 1-5!", "weekday “1-5!” is no field"),
            ("*/0 * * * *", "step of 0"),
            ("5-1 * * * *", "runs backwards"),
        ):
            with pytest.raises(BadInput, match=told):
                policy.update(planted.project.pk, {"finetune_cron": text}, actor_id=None)
        assert not TrainingPolicy.objects.exclude(finetune_cron="").exists()
