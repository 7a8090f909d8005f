"""The ledger finds what it is there to find: each kind of wrong is put in on purpose."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from deseptr.contract import ModelContract, StftSpec
from deseptr.device import Gap, Samples
from deseptr.firmware_harness.simulator import CountingSource, LedgerEngine, SampleLedger

PERIOD_NS = 20_000_000


def sensed(*indices):
    times_ns = np.array([round(index * PERIOD_NS) for index in indices], np.int64)
    return CountingSource().at(times_ns).astype(np.float32)


def ledger_of(*drains):
    """Each drain is samples, or ("gap", reported, samples)."""
    ledger = SampleLedger(PERIOD_NS)
    for drain in drains:
        if isinstance(drain, tuple):
            _, reported, signals = drain
            ledger.take(Samples(signals, Gap("x", 0), at_ns=0))
            ledger.report(reported)
        else:
            ledger.take(Samples(drain, at_ns=0))
    ledger.settle()
    return ledger


NONE = np.empty((0, 6), np.float32)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=20))
def test_a_stream_without_faults_is_complete(sizes):
    ends = np.cumsum(sizes)
    ledger = ledger_of(*(sensed(*range(end - size, end)) for size, end in zip(sizes, ends, strict=True)))
    assert (ledger.delivered, ledger.corrupted, ledger.jumps, ledger.gaps) == (sum(sizes), 0, 0, [])


@pytest.mark.parametrize(
    ("drains", "jumps"),
    [
        ([sensed(0, 1, 2), sensed(4, 5)], 1),
        ([sensed(0, 1, 3, 4)], 1),
        ([sensed(0, 1, 2), sensed(2, 3)], 1),
        ([sensed(0, 1, 1, 2)], 1),
        ([sensed(0, 1, 2), sensed(0, 1, 2)], 1),
        ([sensed(0, 1, 2), sensed(5), sensed(9)], 2),
        ([sensed(0, 1.5, 2)], 2),
    ],
)
def test_missing_and_doubled_samples_are_found(drains, jumps):
    assert ledger_of(*drains).jumps == jumps


@given(st.integers(1, 500), st.integers(-30, 30), st.floats(0, 0.99))
def test_gaps_are_compared_with_the_generated_samples(lost, off, fraction):
    reported = max(0, lost + off)
    ledger = ledger_of(sensed(0, 1, 2), ("gap", reported, sensed(3 + lost + fraction, 4 + lost + fraction)))
    (gap,) = ledger.gaps
    assert gap.lost(PERIOD_NS) == pytest.approx(lost + fraction, abs=1e-6)
    assert ledger.jumps == 0
    least, most = lost - 1, lost + 1 + (fraction > 1e-3)
    if not 1e-4 < fraction < 1e-2:
        assert (not ledger.wrong_gaps()) == (least <= reported <= most)


def test_gaps_without_a_sample_in_between_are_one():
    ledger = ledger_of(sensed(0, 1), ("gap", 3, NONE), ("gap", 4, NONE), ("gap", 2, sensed(11, 12)))
    (gap,) = ledger.gaps
    assert (gap.reported, gap.parts, gap.lost(PERIOD_NS)) == (9, 3, 9)


def test_a_gap_at_the_end_stays_open():
    ledger = ledger_of(sensed(0, 1), ("gap", 5, NONE))
    assert ledger.closed_gaps == []
    assert ledger.last_ns == PERIOD_NS


def test_corrupted_samples_are_counted_and_keep_their_place():
    drain = sensed(0, 1, 2, 3)
    drain[1] *= 2
    ledger = ledger_of(drain, sensed(4, 5))
    assert (ledger.delivered, ledger.corrupted, ledger.jumps) == (6, 1, 0)
    drain[:] *= 2
    ledger = ledger_of(sensed(0, 1), drain, sensed(6, 7))
    assert (ledger.corrupted, ledger.jumps) == (4, 0)


def test_first_delivered_sample_after_a_time():
    ledger = ledger_of(sensed(0, 1, 2), ("gap", 5, sensed(8.5, 9.5)), ("gap", 1, sensed(20)))
    asked = np.array([0, 0.3, 2, 2.1, 8.5, 8.6, 9.6, 20, 20.1])
    answers = ledger.first_after((asked * PERIOD_NS).astype(np.int64)) / PERIOD_NS
    assert answers.tolist() == [0, 1, 2, 8.5, 8.5, 9.5, 20, 20, np.inf]


def test_windows_across_a_gap_and_with_corrupted_samples_are_found():
    contract = ModelContract(("a", "b"), window_length=32, hop_length=16, stft=StftSpec(16, 4, 2))
    engine = LedgerEngine(contract, PERIOD_NS)
    window = sensed(*range(40, 72))
    assert engine.invoke(window).argmax() == 0
    assert (engine.windows, engine.torn, engine.corrupted, engine.begin_ns) == (1, 0, 0, 40 * PERIOD_NS)
    engine.invoke(sensed(*range(16), *range(20, 36)))
    assert (engine.torn, engine.corrupted) == (1, 0)
    window[7, 2] += 5
    engine.invoke(window)
    assert (engine.windows, engine.torn, engine.corrupted) == (3, 1, 1)
