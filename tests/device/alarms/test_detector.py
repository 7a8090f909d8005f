import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deseptr.contract import EventRule
from deseptr.device.alarms.detector import EventDetector
from deseptr.device.alarms.motion import Motion

UP, SIDE = np.array([0, 0, 9.8]), np.array([9.8, 0, 0])
STILL, MOVING = Motion(0.1, UP, UP, 0.5), Motion(3.0, UP, UP, 0.5)
FALL = EventRule("fall", threshold=0.5, confirm_s=4, settle_s=1, still=0.5, refractory_s=20)


def detector(rule):
    keys = itertools.count()
    return EventDetector(rule, lambda: f"key{next(keys)}")


def states(changes):
    return [change.state for change in changes]


def run(rule, probabilities, motions, hop_s=1.0):
    """The changes of each window, one every ``hop_s``."""
    follows = detector(rule)
    rows = enumerate(zip(probabilities, motions, strict=True))
    return [follows.update(number * hop_s, *row) for number, row in rows]


def test_without_a_confirmation_the_alarm_is_raised_at_once():
    (change,) = run(EventRule("fall"), [0.1, 0.9], [STILL] * 2)[1]
    assert (change.state, change.confidence, change.peak_t, change.reason) == ("raised", 0.9, 0.5, "")


def test_a_still_wearer_confirms_the_alarm_when_the_time_is_over():
    made = run(FALL, [0.1, 0.9] + [0.1] * 8, [STILL, MOVING, MOVING] + [STILL] * 7)
    assert [states(changes) for changes in made] == [[], ["suspected"], [], [], [], [], ["raised"], [], [], []]
    (suspected,), (raised,) = made[1], made[6]
    assert suspected.key == raised.key


def test_motion_cancels_as_soon_as_the_share_of_stillness_is_out_of_reach():
    made = run(FALL, [0.9] + [0.1] * 5, [STILL, MOVING, MOVING, MOVING, MOVING, STILL])
    assert [states(changes) for changes in made] == [["suspected"], [], [], [], ["cancelled"], []]
    assert made[4][0].reason == "motion"


@given(st.lists(st.booleans(), min_size=30, max_size=30), st.floats(0.05, 1), st.floats(0.1, 5), st.floats(0, 5))
def test_alarm_if_and_only_if_the_wearer_was_still_for_the_share(moves, still, confirm_s, settle_s):
    hop_s = 0.5
    event = EventRule("fall", still=still, confirm_s=confirm_s, settle_s=settle_s)
    made = run(event, [1.0] + [0.0] * 30, [STILL, *(MOVING if each else STILL for each in moves)], hop_s)
    (outcome,) = [change.state for changes in made[1:] for change in changes]
    fine = np.arange(0, settle_s + confirm_s, 1e-3) + 5e-4
    moving = np.array([moves[math.floor(t / hop_s)] for t in fine])
    moved_s = moving[fine > settle_s].sum() * 1e-3
    if abs(moved_s - (1 - still) * confirm_s) > 5e-3:
        assert outcome == ("cancelled" if moved_s > (1 - still) * confirm_s else "raised")


def test_a_lying_wearer_may_move_and_one_who_stands_again_may_not():
    lying, standing = Motion(2.0, SIDE, UP, 0.0), Motion(2.0, UP, UP, 0.0)
    event = EventRule("fall", confirm_s=4, settle_s=0, posture_deg=60)
    assert states(run(event, [0.9] + [0] * 4, [STILL] + [lying] * 4)[4]) == ["raised"]
    assert states(run(event, [0.9] + [0] * 4, [STILL] + [standing] * 4)[2]) == ["cancelled"]
    assert states(run(EventRule("fall", confirm_s=4, settle_s=0), [0.9] + [0] * 4, [STILL] + [lying] * 4)[2]) == [
        "cancelled"
    ]


def test_lost_samples_cancel_nothing():
    follows = detector(FALL)
    follows.update(0.0, 0.9, STILL)
    follows.gap()
    assert states(follows.update(10.0, 0.1, MOVING)) == ["raised"]


def test_end_of_samples_raises_what_is_suspected_and_says_so():
    follows = detector(FALL)
    follows.update(0.0, 0.9, STILL)
    change = follows.end(0.0, "the sensor was lost")
    assert (change.state, change.reason) == ("raised", "not confirmed: the sensor was lost")
    assert follows.end(1.0, "again") is None


def test_a_second_fall_within_a_confirmation_is_not_forgotten_when_its_impact_cancels_the_first():
    probabilities = [0.9, 0.1, 0.1, 0.9, 0.1, 0.1] + [0.1] * 6
    motions = [MOVING, STILL, MOVING, MOVING, MOVING] + [STILL] * 7
    made = [change for changes in run(FALL, probabilities, motions) for change in changes]
    assert states(made) == ["suspected", "cancelled", "suspected", "raised"]
    assert made[0].key == made[1].key != made[2].key == made[3].key


def test_windows_in_a_row_that_a_gap_does_not_join():
    event = EventRule("fall", threshold=0.5, windows=2)
    assert [states(c) for c in run(event, [0.9, 0.1, 0.9, 0.9, 0.9], [STILL] * 5)] == [[], [], [], ["raised"], []]
    follows = detector(event)
    follows.update(0.0, 0.9)
    follows.gap()
    assert follows.update(5.0, 0.9) == []
    assert states(follows.update(6.0, 0.9)) == ["raised"]


def test_an_answer_cancels_a_suspicion_and_acknowledges_an_alarm_once():
    follows = detector(FALL)
    assert follows.answer("button") is None
    follows.update(0.0, 0.9, STILL)
    change = follows.answer("button")
    assert (change.state, change.reason) == ("cancelled", "button")
    follows.update(1.0, 0.1, STILL)
    follows.update(2.0, 0.9, STILL)
    (raised,) = follows.update(7.0, 0.1, STILL)
    assert follows.answer("mqtt") == type(raised)(raised.key, "acknowledged", 0.9, raised.peak_t, "mqtt")
    assert follows.answer("mqtt") is None


class DetectorMachine(RuleBasedStateMachine):
    """Any order of windows, gaps and answers; what was emitted is held against what the rule promises."""

    @initialize(
        threshold=st.sampled_from([0.5, 1.0]),
        windows=st.integers(1, 2),
        refractory_s=st.sampled_from([0, 2.5, 6]),
        confirm_s=st.sampled_from([0, 1, 3]),
        settle_s=st.sampled_from([0, 1.25]),
        still=st.sampled_from([0.5, 0.75, 1]),
    )
    def begin(self, **values):
        self.rule = EventRule("fall", **values)
        self.detector = detector(self.rule)
        self.t = self.before_t = 0.0
        self.log = []
        self.streak = 0

    def note(self, changes):
        self.log += [(self.before_t, self.t, change) for change in changes]

    @rule(
        hop_s=st.sampled_from([0.25, 0.5, 1.0, 2.0]),
        probability=st.sampled_from([0.0, 0.6, 1.0]),
        motion=st.sampled_from([STILL, MOVING, None]),
    )
    def window(self, hop_s, probability, motion):
        self.before_t, self.t = self.t, self.t + hop_s
        self.streak = self.streak + 1 if probability >= self.rule.threshold else 0
        changes = self.detector.update(self.t, probability, motion)
        if any(change.state == "suspected" for change in changes):
            assert self.streak >= self.rule.windows or "cancelled" in states(changes)
        self.note(changes)

    @rule()
    def gap(self):
        self.streak = 0
        self.detector.gap()

    @rule(by=st.sampled_from(["button", "mqtt"]))
    def answer(self, by):
        self.note(change for change in [self.detector.answer(by)] if change)

    @rule()
    def end(self):
        self.note(change for change in [self.detector.end(self.t, "end")] if change)
        assert not self.pending()

    def pending(self):
        last = {change.key: change.state for _, _, change in self.log}
        return [key for key, state in last.items() if state == "suspected"]

    @invariant()
    def every_alarm_takes_its_steps_in_order(self):
        steps = {}
        for _, _, change in getattr(self, "log", ()):
            steps.setdefault(change.key, []).append(change.state)
        orders = {("suspected",), ("suspected", "cancelled")}
        first = ("suspected",) if self.log and self.rule.delay_s else ()
        orders |= {(*first, "raised"), (*first, "raised", "acknowledged")}
        assert all(tuple(step) in orders for step in steps.values()), steps

    @invariant()
    def one_suspicion_at_a_time(self):
        assert not hasattr(self, "log") or len(self.pending()) <= 1

    @invariant()
    def never_two_alarms_within_the_refractory_time(self):
        raised = [t for _, t, change in getattr(self, "log", ()) if change.state == "raised"]
        assert all(later - earlier >= self.rule.refractory_s for earlier, later in itertools.pairwise(raised))

    @invariant()
    def motion_cancels_only_before_the_confirmation_ends(self):
        begun = {}
        for before_t, t, change in getattr(self, "log", ()):
            if change.state == "suspected":
                begun[change.key] = t
            elif change.reason == "motion":
                # The window that cancels is the first after the end at the latest: it holds samples from before it.
                assert before_t < begun[change.key] + self.rule.delay_s
                assert self.rule.confirm_s > 0

    @invariant()
    def confirmed_alarms_have_waited(self):
        begun = {}
        for _, t, change in getattr(self, "log", ()):
            if change.state == "suspected":
                begun[change.key] = t
            elif change.state == "raised" and not change.reason and self.rule.delay_s:
                assert change.key in begun

    def teardown(self):
        if hasattr(self, "log"):
            self.end()


DetectorMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
test_any_order_of_windows_gaps_and_answers = DetectorMachine.TestCase


@pytest.mark.parametrize("refractory_s", [0, 5])
def test_a_class_that_stays_probable_is_one_alarm(refractory_s):
    made = run(EventRule("fall", refractory_s=refractory_s), [0.9] * 20, [STILL] * 20)
    assert [states(changes) for changes in made if changes] == [["raised"]]
