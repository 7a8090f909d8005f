from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import KnownWindows, ModelContract, window_statistics
from deseptr.device import UnknownJudge, Window
from deseptr.device.label.familiarity import Familiarity

CONTRACT = ModelContract(("still", "walking"))
LENGTH = CONTRACT.window_length


def samples(seed, gravity=(0.0, 0.0, 9.8), motion=1.0):
    rng = np.random.default_rng(seed)
    made = rng.normal(0, motion, (LENGTH, 6)).astype(np.float32)
    made[:, :3] += np.asarray(gravity, np.float32)
    return made


def walking(number, **how):
    """The window of this number in a stream."""
    return Window(number * CONTRACT.hop_length, samples(number, **how))


STATISTICS = window_statistics(samples(99), CONTRACT.channels)
KNOWN = KnownWindows.of([0.5] * 9, STATISTICS[None] / 0.5, limit=3.0, share=0.95)
TURNED = {"gravity": (9.8, 0.0, 0.0)}


def contract():
    return replace(CONTRACT, known_windows=KNOWN)


def test_windows_like_the_recordings_have_a_label_and_others_are_unfamiliar():
    judge = UnknownJudge(contract(), plausibility=False)
    for number in range(4):
        reason, event, score = judge.update(walking(number), 1.0 * number)
        assert reason is None
        assert event is None
        assert score < 1
    found = [judge.update(walking(number, **TURNED), 1.0 * number) for number in range(4, 12)]
    assert found[-1].reason == "unfamiliar"
    scores = [each.score for each in found]
    assert scores == sorted(scores)
    # A single window of another kind does not decide.
    assert found[0].reason is None


def test_without_known_windows_or_where_it_is_switched_off_there_is_no_score():
    for judge in (
        UnknownJudge(CONTRACT, plausibility=False),
        UnknownJudge(contract(), plausibility=False, familiarity=False),
    ):
        assert judge.update(walking(0, **TURNED), 0.0) == (None, None, None)


def test_an_implausible_window_has_that_reason_and_is_in_no_average():
    judge = UnknownJudge(contract())
    before = judge.update(walking(0), 0.0).score
    assert before < 1
    stuck = Window(CONTRACT.hop_length, np.zeros((LENGTH, 6), np.float32))
    reason, event, score = judge.update(stuck, 1.28)
    assert (reason, score) == ("implausible: stuck", None)
    assert event.finding == "stuck"
    after = judge.update(walking(0), 2.56)
    assert after.score == before
    assert after.event.ended


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(0, 11))
def test_a_gap_forgets_the_windows_before_it(turned, place):
    place = min(place, len(turned) - 1)
    stream, anew = (Familiarity(KNOWN, CONTRACT.channels, CONTRACT.hop_s) for _ in range(2))
    windows = [walking(number, **(TURNED if each else {})) for number, each in enumerate(turned)]
    for window in windows[:place]:
        stream.update(window)
    stream.forget()
    for window in windows[place:]:
        assert stream.update(window) == anew.update(window)


@given(st.integers(0, 40), st.floats(0.02, 10))
def test_the_score_of_a_stream_that_stays_the_same_is_that_of_its_window(seed, hop_s):
    familiarity = Familiarity(KNOWN, CONTRACT.channels, hop_s)
    first = familiarity.update(walking(seed))
    for _ in range(5):
        assert familiarity.update(walking(seed)) == pytest.approx(first)


NO_NUMBERS = (np.nan, np.inf, -np.inf)


@given(
    st.lists(st.booleans(), max_size=4),
    st.sampled_from(NO_NUMBERS),
    st.integers(0, LENGTH - 1),
    st.integers(0, 5),
    st.lists(st.booleans(), min_size=1, max_size=4),
)
def test_the_score_starts_anew_behind_a_window_that_has_none(before, value, sample, channel, after):
    stream, anew = (Familiarity(KNOWN, CONTRACT.channels, CONTRACT.hop_s) for _ in range(2))
    for number, each in enumerate(before):
        stream.update(walking(number, **(TURNED if each else {})))
    broken = samples(77)
    broken[sample, channel] = value
    assert stream.update(Window(0, broken)) is None
    for number, each in enumerate(after):
        window = walking(number, **(TURNED if each else {}))
        score = stream.update(window)
        assert np.isfinite(score)
        assert score == anew.update(window)


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_a_window_without_a_score_is_unfamiliar_and_the_next_one_is_not(value):
    judge = UnknownJudge(contract(), plausibility=False)
    assert judge.update(Window(0, np.full((LENGTH, 6), value, np.float32)), 0.0) == ("unfamiliar", None, None)
    after = judge.update(walking(1), 1.28)
    assert after.reason is None
    assert after.score < 1


def test_the_samples_before_a_window_have_no_part():
    history = np.full((40, 6), 50, np.float32)
    window = Window(0, np.concatenate([history, samples(3)]), history=40)
    alone, together = (Familiarity(KNOWN, CONTRACT.channels, 1.0) for _ in range(2))
    assert together.update(window) == alone.update(walking(3))
