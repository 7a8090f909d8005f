"""Both drivers of the family against their simulated chips; figures from DS12814, DocID030071, AN5272 and AN5130."""

import errno

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from deseptr.contract import SensorError
from deseptr.device import BusError, ImuConfig, Lsm6ds3trc, Lsm6dsox, SettingsLostError, make_sensor, probe
from deseptr.firmware_harness.simulator import (
    BusFault,
    ConstantSource,
    CountingSource,
    SimulatedLsm6ds3trc,
    SimulatedLsm6dsox,
    VirtualClock,
    VirtualI2cBus,
    counted_times,
)

MS = 1_000_000
CONFIG = ImuConfig(rate_hz=50, acc_full_scale_g=8, gyro_full_scale_dps=1000)
KINDS = {"lsm6dsox": (Lsm6dsox, SimulatedLsm6dsox), "lsm6ds3trc": (Lsm6ds3trc, SimulatedLsm6ds3trc)}
both = pytest.mark.parametrize("kind", KINDS)


class Lsm6dsBench:
    """A chip on a bus, its driver, and the times of all samples that the chip has let into its FIFO."""

    def __init__(self, kind, source=None, faults=(), address=0x6A, **chip):
        driver, simulated = KINDS[kind]
        self.clock = VirtualClock()
        self.runs = []
        self.chip = simulated(source or CountingSource(), self.clock, on_samples=self.runs.append, **chip)
        self.bus = VirtualI2cBus({address: self.chip}, self.clock, faults=faults)
        self.imu = driver(self.bus, self.clock, address)

    def started(self, config=CONFIG):
        self.imu.identify()
        self.imu.configure(config)
        self.imu.start()
        return self

    def wait_samples(self, count):
        self.clock.sleep_ns(round(count * self.chip.true_period_ns))

    def taken(self):
        """Times of the source that the chip has let into its FIFO."""
        self.chip.read(0x0F, 1)
        return np.concatenate([run.times_ns for run in self.runs]) - self.chip.source_begun_ns

    def drain(self):
        """Times of the source that were drained, and the gap's reason; every sample must be genuine."""
        samples = self.imu.drain()
        times = counted_times(samples.signals)
        assert (times >= 0).all()
        return times.tolist(), samples.gap and samples.gap.reason

    def goes_on(self):
        """Whether a few samples later the drain gives them, one after the other, and no gap."""
        self.wait_samples(3.5)
        times, gap = self.drain()
        taken = self.taken().tolist()
        return gap is None and len(times) >= 2 and times == taken[taken.index(times[0]) :][: len(times)]


@both
def test_a_drain_after_four_seconds_has_every_sample(kind):
    bench = Lsm6dsBench(kind).started()
    bench.wait_samples(30)
    bench.drain()
    # Two words a sample in the one chip, six in the other: 400 and 1200 words, more than a byte counts.
    bench.wait_samples(200)
    times, gap = bench.drain()
    assert gap is None
    assert 199 <= len(times) <= 205
    taken = bench.taken().tolist()
    assert times == taken[taken.index(times[0]) :][: len(times)]


@both
@pytest.mark.parametrize("address", [0x6A, 0x6B])
def test_auto_finds_it_at_both_addresses(kind, address):
    bench = Lsm6dsBench(kind, address=address)
    (found,) = probe(bench.bus)
    assert (found.address, found.driver) == (address, kind)
    assert isinstance(make_sensor("auto", bench.bus, bench.clock), KINDS[kind][0])


@pytest.mark.parametrize(("kind", "expected"), [("lsm6dsox", "0x6C"), ("lsm6ds3trc", "0x6A")])
def test_another_chip_is_named(kind, expected):
    with pytest.raises(SensorError) as caught:
        Lsm6dsBench(kind, who_am_i=0x6B).imu.identify()
    assert str(caught.value) == (
        f"{kind} on virtual I2C bus address 0x6a: found WHO_AM_I 0x6B (an LSM6DSR), expected {expected}; "
        "choose the driver for that chip with --sensor, or let --sensor auto find it"
    )


@both
@pytest.mark.parametrize(
    ("wanted_hz", "nominal_hz", "code"),
    [(12, 12.5, 1), (20, 26, 2), (50, 52, 3), (53, 52, 3), (100, 104, 4), (200, 208, 5), (400, 416, 6), (5000, 833, 7)],
)
def test_rate(kind, wanted_hz, nominal_hz, code):
    bench = Lsm6dsBench(kind)
    found = bench.imu.configure(ImuConfig(wanted_hz, 8, 1000))
    assert bench.chip.read(0x10, 2) == bytes((code << 4 | 0x0E, code << 4 | 0x08))
    actual_hz = nominal_hz if kind == "lsm6ds3trc" else 6667 / 2 ** (10 - code)
    assert (found.rate_hz, found.bandwidth_hz) == (actual_hz, actual_hz / 4)


@pytest.mark.parametrize(("rate_error", "fine"), [(0.0, 0), (0.015, 10), (-0.0301, -20), (0.0457, 30)])
def test_true_rate_is_read_from_the_chip(rate_error, fine):
    bench = Lsm6dsBench("lsm6dsox", rate_error=rate_error)
    rate_hz = bench.imu.configure(CONFIG).rate_hz
    assert rate_hz == pytest.approx((6667 + 0.0015 * fine * 6667) / 128, rel=1e-12)
    assert rate_hz == pytest.approx(1e9 / bench.chip.true_period_ns, rel=0.00075)


@both
@pytest.mark.parametrize(
    ("acc", "gyro", "registers", "actual"),
    [
        (2, 125, b"\x32\x32", (2, 125)),
        (3, 126, b"\x3a\x30", (4, 250)),
        (8, 500, b"\x3e\x34", (8, 500)),
        (16, 1000, b"\x36\x38", (16, 1000)),
        (9, 1001, b"\x36\x3c", (16, 2000)),
    ],
)
def test_smallest_sufficient_full_scale(kind, acc, gyro, registers, actual):
    bench = Lsm6dsBench(kind)
    found = bench.imu.configure(ImuConfig(52, acc, gyro))
    assert bench.chip.read(0x10, 2) == registers
    assert (found.acc_full_scale_g, found.gyro_full_scale_dps) == actual


@both
@pytest.mark.parametrize(
    ("acc", "gyro", "mg", "mdps"),
    [
        (2, 125, 0.061, 4.375),
        (4, 250, 0.122, 8.75),
        (8, 500, 0.244, 17.5),
        (16, 1000, 0.488, 35),
        (16, 2000, 0.488, 70),
    ],
)
def test_one_count(kind, acc, gyro, mg, mdps):
    scale = KINDS[kind][0].si_per_count(acc, gyro)
    assert scale.tolist() == pytest.approx([mg * 9.80665e-3] * 3 + [np.deg2rad(mdps / 1000)] * 3)


@both
def test_registers_as_the_application_note_wants_them_for_the_fifo(kind):
    bench = Lsm6dsBench(kind).started()
    assert bench.chip.read(0x12, 1) == b"\x44"
    if kind == "lsm6dsox":
        assert bench.chip.read(0x07, 4) == b"\x00\x00\x33\x06"
        assert bench.chip.read(0x18, 1) == b"\x02"
    else:
        assert bench.chip.read(0x06, 5) == b"\x00\x00\x09\x00\x1e"


@both
def test_register_that_does_not_keep_its_value(kind):
    with pytest.raises(SensorError, match=r"found CTRL1_XL = 0x32 after writing it, expected 0x3E"):
        Lsm6dsBench(kind, stuck_bits={0x10: 0x0C}).imu.configure(CONFIG)


@both
def test_reset_that_never_ends_is_given_up(kind):
    bench = Lsm6dsBench(kind, reset_ns=10**12)
    with pytest.raises(SensorError, match=r"found still in reset after 50 ms, expected SW_RESET cleared; power"):
        bench.imu.configure(CONFIG)
    assert bench.clock.now_ns() < 100 * MS


@both
def test_chip_left_in_another_bank_is_brought_back(kind):
    bench = Lsm6dsBench(kind)
    bench.clock.sleep_ns(20 * MS)
    bench.chip.write(0x01, b"\x80")
    bench.imu.configure(CONFIG)
    assert bench.chip.read(0x01, 1) == b"\x00"


@both
@pytest.mark.parametrize("rate_error", [-0.05, 0.0, 0.05])
def test_samples_are_si_and_the_first_has_settled(kind, rate_error):
    signal = [1, -2, 9.81, 0.5, -0.25, 3]
    bench = Lsm6dsBench(kind, ConstantSource(signal), rate_error=rate_error).started()
    bench.wait_samples(5)
    samples = bench.imu.drain()
    assert samples.gap is None
    assert len(samples.signals) >= 3
    assert samples.signals.dtype == np.float32
    assert (np.abs(samples.signals - signal) <= bench.imu.si_per_count(8, 1000) / 2 * 1.0001).all()


@both
def test_no_sample_is_lost_or_doubled_and_all_channels_are_of_one_time(kind):
    bench = Lsm6dsBench(kind).started()
    drained = []
    for samples in (2.5, 0.2, 70, 1, 0, 33.3):
        bench.wait_samples(samples)
        times, gap = bench.drain()
        assert gap is None
        drained += times
    assert drained == bench.taken().tolist()
    assert len(drained) > 100


@both
def test_bursts_are_bounded_and_whole(kind):
    bench = Lsm6dsBench(kind).started()
    bench.wait_samples(48.5)
    lengths = []
    read = bench.chip.read
    bench.chip.read = lambda register, length: lengths.append((register, length)) or read(register, length)
    bench.drain()
    bursts = [length for register, length in lengths if register == bench.chip.fifo_register]
    assert len(bursts) > 2
    assert max(bursts) <= 240
    assert all(length % bench.imu.datum_bytes == 0 for length in bursts)


@both
@pytest.mark.parametrize("samples", [300, 600, 20_000])
def test_overflow_is_an_explicit_gap_and_samples_go_on_after_it(kind, samples):
    bench = Lsm6dsBench(kind).started()
    bench.wait_samples(10)
    assert bench.drain()[1] is None
    bench.wait_samples(samples + (60 if kind == "lsm6ds3trc" else 0))
    assert bench.drain() == ([], "overflow")
    assert bench.goes_on()


@both
def test_fifo_filled_to_its_capacity_is_drained_without_a_gap(kind):
    bench = Lsm6dsBench(kind).started()
    bench.wait_samples(bench.imu.capacity - 1)
    times, gap = bench.drain()
    assert gap is None
    assert len(times) >= bench.imu.capacity - 3
    assert times == bench.taken()[: len(times)].tolist()


@both
@pytest.mark.parametrize("before", [1, 5, 40])
def test_host_stalling_between_level_and_data_loses_nothing_unnoticed(kind, before):
    bench = Lsm6dsBench(kind).started()
    bench.wait_samples(before + 1.5)
    read = bench.chip.read

    def slow(register, length):
        if register == bench.chip.fifo_register:
            bench.chip.read = read
            bench.wait_samples(400)
        return read(register, length)

    bench.chip.read = slow
    assert bench.drain() == ([], "overflow")
    assert bench.goes_on()


@pytest.mark.parametrize("transfer", range(9))
def test_host_stalling_while_the_first_datum_is_discarded_starts_again(transfer):
    bench = Lsm6dsBench("lsm6ds3trc").started()
    bench.wait_samples(600)
    transfers = {"read": bench.chip.read, "write": bench.chip.write}
    seen = 0

    def stalling(name):
        def call(*arguments):
            nonlocal seen
            if seen == transfer:
                bench.wait_samples(70)
            seen += 1
            return transfers[name](*arguments)

        return call

    bench.chip.read, bench.chip.write = stalling("read"), stalling("write")
    gap = bench.imu.drain().gap
    bench.chip.read, bench.chip.write = transfers["read"], transfers["write"]
    bench.wait_samples(4)
    first_ns = counted_times(bench.imu.drain().signals)[0] + bench.chip.source_begun_ns
    assert gap is not None
    assert 0 <= first_ns - gap.resumed_ns <= 1.01 * bench.chip.true_period_ns


@both
def test_host_stalling_before_the_level_read_keeps_the_levels_time(kind):
    bench = Lsm6dsBench(kind).started()
    bench.wait_samples(10)
    read = bench.chip.read

    def slow(register, length):
        bench.chip.read = read
        bench.wait_samples(150)
        return read(register, length)

    bench.chip.read = slow
    samples = bench.imu.drain()
    newest_ns = counted_times(samples.signals)[-1] + bench.chip.source_begun_ns
    assert 0 <= samples.at_ns - newest_ns < 1.1 * bench.chip.true_period_ns


@both
@pytest.mark.parametrize("consumed", [0, 1, 5, 6, 7, 12, 13, 14, 17, 80])
def test_broken_data_read_is_not_repeated_but_a_gap(kind, consumed):
    bench = Lsm6dsBench(kind)
    bench.bus = VirtualI2cBus(
        {0x6A: bench.chip},
        bench.clock,
        faults=[BusFault(errno.EIO, register=bench.chip.fifo_register, after=1, consumed=consumed)],
    )
    bench.imu = KINDS[kind][0](bench.bus, bench.clock)
    bench.started()
    bench.wait_samples(40.5)
    assert bench.drain() == ([], "read-error")
    assert bench.goes_on()


@both
def test_bus_failing_while_the_fifo_is_emptied_still_gives_the_gap(kind):
    bench = Lsm6dsBench(kind).started()
    bench.wait_samples(500)
    read, failing = bench.bus.read, True

    def broken(address, register, length):
        if failing and register not in (0x3A,):
            raise BusError("bus", found="x", expected="y", next_step="z")
        return read(address, register, length)

    bench.bus.read = broken
    for _ in range(3):
        with pytest.raises(BusError):
            bench.drain()
    failing = False
    assert bench.drain() == ([], "overflow")


@both
def test_gap_has_the_time_of_resumption(kind):
    bench = Lsm6dsBench(kind).started()
    bench.wait_samples(500)
    gap = bench.imu.drain().gap
    bench.wait_samples(4)
    first_ns = counted_times(bench.imu.drain().signals)[0] + bench.chip.source_begun_ns
    assert 0 <= first_ns - gap.resumed_ns <= bench.chip.true_period_ns


def word(sensor, slot, value=0):
    tag = sensor << 3 | slot << 1
    return bytes((tag | tag.bit_count() % 2,)) + np.full(3, value, "<i2").tobytes()


class TestPairing:
    """What the LSM6DSOX's driver makes of words, handed to the chip's FIFO as they are."""

    def bench(self, words):
        bench = Lsm6dsBench("lsm6dsox", ConstantSource(np.zeros(6))).started()
        bench.chip.hang()
        bench.chip.fifo.push(b"".join(words), 512)
        return bench

    def drain(self, bench):
        samples = bench.imu.drain()
        counts = np.rint(samples.signals / bench.imu.si_per_count(8, 1000)).astype(int)
        return counts[:, [0, 3]].tolist(), samples.gap and samples.gap.reason

    def test_either_order(self):
        bench = self.bench([word(1, 3, 10), word(2, 3, 20), word(2, 0, 21), word(1, 0, 11)])
        assert self.drain(bench) == ([[20, 10], [21, 11]], None)

    def test_odd_word_waits_for_its_partner(self):
        bench = self.bench([word(1, 0, 10), word(2, 0, 20), word(1, 1, 11)])
        assert self.drain(bench) == ([[20, 10]], None)
        assert self.drain(bench) == ([], None)
        bench.chip.fifo.push(word(2, 1, 21) + word(1, 2, 12) + word(2, 2, 22), 512)
        assert self.drain(bench) == ([[21, 11], [22, 12]], None)

    def test_fifo_that_was_switched_on_between_two_words(self):
        bench = self.bench([word(2, 0, 20), word(1, 1, 11), word(2, 1, 21), word(1, 2, 12)])
        assert self.drain(bench) == ([[21, 11]], None)
        bench.chip.fifo.push(word(2, 2, 22) + word(1, 3, 13), 512)
        assert self.drain(bench) == ([[22, 12]], None)

    @pytest.mark.parametrize(
        "words",
        [
            pytest.param([word(1, 0), word(2, 0), word(1, 1), word(1, 2)], id="accelerometer lost"),
            pytest.param([word(1, 0), word(2, 0), word(2, 1), word(1, 2)], id="gyroscope lost"),
            pytest.param([word(1, 0), word(2, 0), word(1, 2), word(2, 2)], id="slot lost"),
            pytest.param([word(1, 0), word(2, 0), word(1, 0), word(2, 0)], id="slot doubled"),
            pytest.param([word(1, 0), word(2, 0), word(3, 1), word(2, 1)], id="temperature"),
            pytest.param([word(1, 0), word(2, 0), bytes(7), bytes(7)], id="empty"),
        ],
    )
    def test_words_that_do_not_fit_are_a_gap(self, words):
        assert self.drain(self.bench(words)) == ([], "misaligned")

    def test_slot_lost_between_two_drains(self):
        bench = self.bench([word(1, 0, 10), word(2, 0, 20)])
        assert self.drain(bench) == ([[20, 10]], None)
        bench.chip.fifo.push(word(1, 2) + word(2, 2), 512)
        assert self.drain(bench) == ([], "misaligned")

    def test_restart_forgets_the_odd_word_and_the_slot(self):
        bench = self.bench([word(1, 0, 10), word(2, 0, 20), word(2, 1, 99), word(1, 1, 99), word(2, 2, 99)])
        self.drain(bench)
        bench.imu.start()
        bench.chip.fifo.push(word(1, 0, 11) + word(2, 0, 21), 512)
        assert self.drain(bench) == ([[21, 11]], None)


@pytest.mark.parametrize("lost", [1, 2, 3, 5, 6 * 7 + 4])
def test_words_lost_from_the_untagged_fifo_are_a_gap(lost):
    bench = Lsm6dsBench("lsm6ds3trc").started()
    bench.wait_samples(20.5)
    bench.chip.read(0x0F, 1)
    bench.chip.fifo.drop(lost)
    assert bench.drain() == ([], "misaligned")
    assert bench.goes_on()


@both
def test_every_upset_of_every_held_register_is_found_by_the_next_drain(kind):
    held = sorted(register.address for register in Lsm6dsBench(kind).started().imu.held_registers)
    assert len(held) >= 15
    bench = Lsm6dsBench(kind).started()
    for register in held:
        for bit in range(8):
            bench.wait_samples(2.2)
            assert bench.drain()[1] is None
            bench.chip.upset(register, bit)
            with pytest.raises(SettingsLostError):
                bench.drain()
            with pytest.raises(SettingsLostError):
                bench.drain()
            bench.started()


@both
@settings(max_examples=60, deadline=None)
@given(register=st.integers(0, 30), bit=st.integers(0, 7), before=st.floats(0, 20), after=st.floats(0, 400))
def test_upset_between_drains_lets_no_wrong_sample_through(kind, register, bit, before, after):
    bench = Lsm6dsBench(kind).started()
    held = sorted(found.address for found in bench.imu.held_registers)
    register = held[register % len(held)]
    bench.wait_samples(before)
    bench.drain()
    bench.chip.upset(register, bit)
    bench.wait_samples(after)
    if (register, bit) == (0x12, 7):
        # A reboot of the trim values ends by itself and leaves the settings as they are.
        return
    try:
        # A full FIFO is emptied, which puts its own registers right.
        assert bench.drain() == ([], "overflow")
    except SettingsLostError:
        return
    assert after > 200
    assert bench.goes_on()


@both
def test_lost_power_is_detected_by_the_next_drain(kind):
    bench = Lsm6dsBench(kind).started()
    bench.wait_samples(10)
    bench.drain()
    bench.chip.power_cycle()
    bench.wait_samples(1)
    with pytest.raises(SettingsLostError, match="it was reset or disturbed"):
        bench.drain()


@both
def test_temperature(kind):
    bench = Lsm6dsBench(kind, temperature_c=36.625).started()
    bench.wait_samples(2)
    assert bench.imu.temperature_c() == 36.625


@both
def test_stop_powers_both_sensors_down(kind):
    bench = Lsm6dsBench(kind).started()
    bench.imu.stop()
    taken = bench.chip.samples_taken
    bench.wait_samples(10)
    assert bench.chip.read(0x10, 2) == b"\x00\x00"
    assert bench.chip.samples_taken == taken
