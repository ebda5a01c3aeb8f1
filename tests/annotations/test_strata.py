"""How each image was drawn stays with its review, and what reviews cost is counted by it."""

import random
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations import draw_shares
from annotations.models import QueueEntry, Review, Role
from annotations.models.queue import Stratum
from annotations.selectors import counters, draw, stats, strata, truth
from annotations.selectors import queue as selectors_queue
from annotations.services import counters as services_counters
from annotations.services import leases, queue, reviews
from annotations.types import QueueRank
from tests.annotations.test_leases import suggest
from tests.factories import answer_lease, make_images, make_tags


def claim(cast, user=None, seed=1, **wanted):
    rng = random.Random(seed)
    return leases.claim_next(cast.project, user or cast.annotator, role=Role.ANNOTATOR, rng=rng, **wanted)


def only(monkeypatch, stratum):
    """Every slot draws this stratum."""
    for name in ("HOLDOUT", "RANDOM", "BLIND"):
        monkeypatch.setattr(draw_shares, f"{name}_SHARE", 1.0 if name == stratum else 0.0)


class TestChance:
    def test_a_review_keeps_stratum_component_chance_and_among_how_many(self, cast):
        images = make_images(cast.project, 20)
        queue.fill(
            cast.project.pk,
            [
                QueueRank(image.pk, float(n), "may show the rare tag kite", 4.0, "rare")
                for n, image in enumerate(images)
            ],
        )
        (lease,) = claim(cast, mode="uncertain")
        answer_lease(cast, cast.annotator, lease)

        review = Review.objects.get()
        assert (review.stratum, review.component, review.waiting) == ("active", "rare", 20)
        assert review.probability == pytest.approx(4 / 20)
        assert lease.why == "may show the rare tag kite"

    def test_in_the_mixed_queue_an_image_may_come_by_chance_or_by_the_order(self, cast):
        images = make_images(cast.project, 20)
        queue.fill(
            cast.project.pk, [QueueRank(image.pk, float(n), "order", 4.0) for n, image in enumerate(images)]
        )
        (lease,) = claim(cast)

        # Of the slots outside the holdout one in ten draws with equal chances; no holdout image waits.
        assert lease.probability == pytest.approx((0.1 + 0.9 * 4.0) / 20)

    def test_at_random_all_chances_are_equal(self, cast):
        images = make_images(cast.project, 20)
        queue.fill(cast.project.pk, [QueueRank(images[0].pk, 0.0, "order", 9.0)])

        assert {lease.probability for lease in claim(cast, mode="random", count=20)} == {1 / 20}

    def test_each_image_that_leaves_makes_the_next_chance_larger(self, cast):
        make_images(cast.project, 4)
        for _ in range(4):
            answer_lease(cast, cast.annotator, claim(cast, mode="random")[0])

        found = Review.objects.order_by("pk").values_list("probability", "waiting")
        assert list(found) == [(1 / 4, 4), (1 / 3, 3), (1 / 2, 2), (1.0, 1)]

    def test_holdout_images_keep_the_chance_of_their_side_and_count_in_nobody_elses(self, cast):
        make_images(cast.project, 5, holdout=True)
        make_images(cast.project, 10, first=5)
        leased = claim(cast, count=15)

        drawn = {
            (lease.stratum, lease.probability, lease.waiting) for lease in leased if lease.image.is_holdout
        }
        assert drawn == {("holdout", 0.15, None)}
        assert {lease.waiting for lease in leased if not lease.image.is_holdout} == {10}

    @pytest.mark.parametrize("broken", [0, 2])
    def test_while_no_holdout_image_waits_none_of_its_slots_is_drawn(self, cast, monkeypatch, broken):
        make_images(cast.project, broken, holdout=True)
        make_images(cast.project, 10, first=100)
        with monkeypatch.context() as patched:
            only(patched, "HOLDOUT")
            for lease in claim(cast, count=broken) if broken else ():
                answer_lease(cast, cast.annotator, lease, outcome="broken")
        drawn = draw.of_claim(cast.project, mode="mixed", count=1000, rng=random.Random(1))

        assert Stratum.HOLDOUT not in drawn.slots
        assert (drawn.random, round(drawn.ordered, 9)) == (0.1, 0.9)

    def test_a_broken_holdout_image_waits_no_longer_and_one_that_wants_a_second_review_does(
        self, cast, monkeypatch
    ):
        cast.project.reviews_per_image = 2
        cast.project.save()
        make_images(cast.project, 2, holdout=True)
        make_images(cast.project, 6, first=100)
        with monkeypatch.context() as patched:
            only(patched, "HOLDOUT")
            broken, once = claim(cast, count=2)
        answer_lease(cast, cast.annotator, broken, outcome="broken")
        answer_lease(cast, cast.annotator, once)

        drawn = draw.of_claim(cast.project, mode="mixed", count=1000, rng=random.Random(3))
        assert drawn.waiting == draw.waiting(cast.project.pk) == 6
        assert Stratum.HOLDOUT in drawn.slots

    def test_what_a_person_sent_to_the_front_was_not_drawn(self, cast):
        image = make_images(cast.project, 3)[1]
        queue.send_to_front([image], returns_broken=False)
        (lease,) = claim(cast, mode="uncertain")

        assert (lease.image_id, lease.component, lease.why) == (image.pk, "front", "sent to the front")
        assert (lease.probability, lease.waiting) == (None, None)

    def test_who_asks_about_one_tag_goes_through_a_list(self, cast):
        words = make_tags(cast.project, "dog")
        make_images(cast.project, 3)
        (lease,) = claim(cast, mode="score", tag_id=words["dog"])

        assert (lease.component, lease.probability) == ("score", None)

    def test_training_weighs_by_chance_times_the_images_it_was_drawn_among(self, cast):
        make_tags(cast.project, "dog")
        images = make_images(cast.project, 4)
        queue.fill(cast.project.pk, [QueueRank(image.pk, 0.0, "order", 2.5) for image in images])
        answer_lease(cast, cast.annotator, claim(cast, mode="uncertain")[0], yes=("dog",))

        assert [one.draw_rate for one in truth.training_truth(cast.project)] == [2.5]

    def test_an_undone_review_comes_back_with_the_same_chance(self, cast):
        make_images(cast.project, 4)
        (lease,) = claim(cast)
        recorded = answer_lease(cast, cast.annotator, lease)
        _, again = reviews.undo(cast.membership(cast.annotator), recorded.review.pk)

        kept = ("stratum", "component", "probability", "waiting")
        assert [getattr(again, name) for name in kept] == [getattr(lease, name) for name in kept]

    def test_slots_are_drawn_as_their_shares_say(self, cast):
        make_images(cast.project, 2, holdout=True)
        drawn = draw.of_claim(cast.project, mode="mixed", count=20_000, rng=random.Random(3)).slots

        wanted = {"holdout": 0.15, "random": 0.10, "blind": 0.05, "active": 0.70}
        assert {name: count / 20_000 for name, count in drawn.items()} == pytest.approx(wanted, abs=0.01)

    def test_a_claim_asks_the_database_no_more_often_for_many(self, cast):
        make_tags(cast.project, "dog")
        make_images(cast.project, 40)
        counts = []
        for wanted in (2, 20):
            with CaptureQueriesContext(connection) as queries:
                leased = claim(cast, mode="uncertain", count=wanted)
            counts.append(len(queries))
            leases.release(cast.project, cast.annotator, [lease.token for lease in leased])
        assert counts[0] == counts[1]


class TestFigures:
    def review(self, cast, images, *, offered, yes, **wanted):
        """Suggest, take the image, answer."""
        for image in images:
            suggest(cast.project, image, offered, offered=offered)
        (lease,) = claim(cast, **wanted)
        return answer_lease(cast, cast.annotator, lease, yes=yes)

    def test_each_stratum_has_its_own_figures(self, cast, monkeypatch):
        words = make_tags(cast.project, "dog", "boat", "tree")
        images = make_images(cast.project, 4)
        offered = [words["dog"], words["boat"]]
        # Chosen: dog stays, boat goes, tree is typed. At random: both stay.
        self.review(cast, images, offered=offered, yes=("dog", "tree"), mode="uncertain")
        self.review(cast, images, offered=offered, yes=("dog", "boat"), mode="random")
        only(monkeypatch, "BLIND")
        self.review(cast, images, offered=offered, yes=("dog",))

        found = {row.stratum: row for row in strata.figures(counters.read(cast.project.pk))}
        assert list(found) == ["active", "random", "blind"]
        chosen, chance, blind = found.values()
        assert (chosen.reviews, chosen.acceptance, chosen.keystrokes, chosen.corrections) == (1, 0.5, 6, 2)
        assert chosen.keystrokes_saved == pytest.approx(1 - 6 / 9)
        assert (chance.acceptance, chance.keystrokes, chance.corrections) == (1.0, 1, 0)
        assert (blind.acceptance, blind.keystrokes, blind.keystrokes_saved, blind.corrections) == (
            None,
            5,
            None,
            1,
        )

    def test_they_add_up_to_what_the_project_shows(self, cast):
        words = make_tags(cast.project, "dog", "boat")
        images = make_images(cast.project, 12)
        for n in range(12):
            self.review(cast, images, offered=[words["dog"]], yes=("dog", "boat")[: n % 3])

        rows = strata.figures(counters.read(cast.project.pk))
        assert sum(row.reviews for row in rows) == stats.project_stats(cast.project)["reviews"] == 12

    def test_an_undone_review_is_taken_out_again(self, cast):
        words = make_tags(cast.project, "dog")
        images = make_images(cast.project, 3)
        self.review(cast, images, offered=[words["dog"]], yes=("dog",), mode="uncertain")
        before = counters.read(cast.project.pk)
        recorded = self.review(cast, images, offered=[words["dog"]], yes=(), mode="uncertain")
        reviews.undo(cast.membership(cast.annotator), recorded.review.pk)

        after = counters.read(cast.project.pk)
        # Answers to learn from grow with an undo: there is something new to learn.
        names = [name for name in before | after if not name.startswith("trainable")]
        assert {"shown_reviews", "offered", "keystrokes_empty_form", "active.reviews"} <= {*names}
        assert {name: after.get(name, 0) for name in names} == {name: before.get(name, 0) for name in names}

    def test_a_blind_item_keeps_what_it_would_have_offered_to_itself(self, cast, monkeypatch):
        words = make_tags(cast.project, "dog", "boat")
        images = make_images(cast.project, 1)
        suggest(cast.project, images[0], [words["dog"], words["boat"]], offered=[words["dog"]])
        only(monkeypatch, "BLIND")
        (lease,) = claim(cast)

        assert (lease.shown, lease.offered_ids, lease.withheld_ids) == ([], [], [words["dog"]])
        assert (lease.model_version_id, lease.model_number, lease.calibrated) == (None, 0, False)
        assert "withheld" not in str(selectors_queue.item(lease))
        answer_lease(cast, cast.annotator, lease)
        assert truth.explicit_no([images[0].pk]) == {}, "what was withheld was not rejected"


class TestAnchoring:
    def counted(self, offered, withheld):
        """Kept counts of images with (tags, yes) each."""
        counts: Counter[str] = Counter()
        for stratum, images in (("active", offered), ("blind", withheld)):
            for tags, yes in images:
                sums = {"images": 1, "tags": tags, "yes": yes, "tags2": tags**2, "tags_yes": tags * yes}
                for name, figure in (sums | {"yes2": yes**2}).items():
                    counts[f"anchor.{stratum}.{name}"] += figure
        return counts

    def test_the_difference_is_that_of_ratios_over_images_and_its_interval_has_both_answers_on_either_side(
        self,
    ):
        offered = [(2, 2), (1, 1), (3, 2), (2, 1), (2, 2), (1, 1)]
        withheld = [(2, 1), (1, 0), (3, 2), (1, 1), (2, 0)]
        found = strata.anchoring(self.counted(offered, withheld))

        # By hand: 11 tags of 6 images and 9 of 5, so the made-up ones have 11/6 and 9/5; residuals yes - rate * tags.
        variance, rates = 0.0, []
        for images, mean in ((offered, 11 / 6), (withheld, 9 / 5)):
            both = [*images, (mean, mean), (mean, 0)]
            tags, yes = (sum(column) for column in zip(*both, strict=True))
            residuals = [y - yes / tags * t for t, y in both]
            count = len(both)
            variance += count / (count - 1) * sum(r * r for r in residuals) / tags**2
            rates.append(yes / tags)
        assert found.difference == pytest.approx(9 / 11 - 4 / 9)
        assert (found.lower + found.upper) / 2 == pytest.approx(rates[0] - rates[1])
        assert found.upper - found.lower == pytest.approx(2 * 1.959964 * variance**0.5)

    @pytest.mark.parametrize(
        ("rates", "blind"), [((0.8, 0.7), 80), ((0.95, 0.95), 8), ((0.95, 0.95), 30), ((0.8, 0.8), 15)]
    )
    def test_intervals_hold_the_truth_as_often_as_they_say(self, rates, blind):
        rng = random.Random(4)
        held = 0
        for _ in range(400):
            sides = []
            for rate, count in zip(rates, (max(80, 5 * blind), blind), strict=True):
                images = []
                for _ in range(count):
                    tags, shift = rng.randint(1, 4), rng.choice((-1, 1)) * min(0.15, 1 - rate)
                    images.append((tags, sum(rng.random() < rate + shift for _ in range(tags))))
                sides.append(images)
            found = strata.anchoring(self.counted(*sides))
            held += found.lower <= rates[0] - rates[1] <= found.upper
        assert held / 400 >= 0.93

    def test_few_images_have_no_interval_and_none_has_no_figure(self):
        few = strata.anchoring(self.counted([(1, 1)] * 9, [(1, 0)] * 4))
        assert (few.difference, few.lower, few.between) == (1.0, None, "")
        assert strata.anchoring(self.counted([(1, 1)], [])) is None
        assert strata.anchoring({}) is None

    def test_what_people_say_when_ticks_are_kept_from_them_is_counted(self, cast, monkeypatch):
        words = make_tags(cast.project, "dog", "boat")
        for image in make_images(cast.project, 2):
            suggest(cast.project, image, list(words.values()), offered=list(words.values()))
        only(monkeypatch, "NONE")
        answer_lease(cast, cast.annotator, claim(cast)[0], yes=("dog", "boat"))
        only(monkeypatch, "BLIND")
        answer_lease(cast, cast.annotator, claim(cast)[0], yes=("dog",))

        answer = stats.project_stats(cast.project)["anchoring"]
        assert (answer["offered_images"], answer["offered_yes"]) == (1, 1.0)
        assert (answer["withheld_images"], answer["withheld_yes"]) == (1, 0.5)
        assert (answer["difference"], answer["lower"]) == (0.5, None)

    def test_only_images_that_were_drawn_alike_are_compared(self, cast):
        words = make_tags(cast.project, "dog")
        images = make_images(cast.project, 3)
        for image in images:
            suggest(cast.project, image, [words["dog"]], offered=[words["dog"]])
        queue.send_to_front(images[:1], returns_broken=False)
        for mode in ("uncertain", "random", "uncertain"):
            answer_lease(cast, cast.annotator, claim(cast, mode=mode)[0], yes=("dog",))

        assert not any(name.startswith("anchor.") for name in counters.read(cast.project.pk))
        assert QueueEntry.objects.count() == 0


class TestPage:
    def test_managers_read_figures_and_anchoring_on_the_overview_and_annotators_do_not(self, cast, client):
        make_images(cast.project, 1)
        active = {"reviews": 412, "offered": 900, "accepted": 741, "keystrokes": 900, "empty_form": 4120}
        services_counters.add(cast.project.pk, {f"active.{name}": figure for name, figure in active.items()})
        offered = {"images": 412, "tags": 900, "yes": 741, "tags2": 2400, "tags_yes": 1960, "yes2": 1700}
        withheld = {"images": 38, "tags": 84, "yes": 58, "tags2": 220, "tags_yes": 160, "yes2": 130}
        for stratum, sums in (("active", offered), ("blind", withheld)):
            found = {f"anchor.{stratum}.{name}": figure for name, figure in sums.items()}
            services_counters.add(cast.project.pk, found)

        pages = {}
        for who in ("manager", "annotator"):
            client.force_login(getattr(cast, who))
            pages[who] = client.get(f"/projects/{cast.project.pk}/").content.decode()
        assert "By how the image was drawn" in pages["manager"]
        assert '<td class="end num">412</td><td class="end num">82 %</td>' in pages["manager"]
        assert "Yes when not offered" in pages["manager"]
        assert "+13 <small>points</small>" in pages["manager"]
        assert "By how the image was drawn" not in pages["annotator"]
