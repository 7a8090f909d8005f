"""What every driver promises, each against its simulated chip: one suite for all chips, old and new."""

import errno

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from deseptr.contract import SensorError
from deseptr.device import SENSORS, BusError, ImuConfig, SettingsLostError, make_sensor, probe
from deseptr.firmware_harness.simulator import (
    BusFault,
    ConstantSource,
    VirtualClock,
    VirtualI2cBus,
    counting_source,
)
from deseptr.firmware_harness.simulator.chips.registry import CHIPS

MS = 1_000_000
CONFIG = ImuConfig(rate_hz=50, acc_full_scale_g=8, gyro_full_scale_dps=1000)
ACC_ALONE = {name for name, driver in SENSORS.items() if not driver.gyro_lsb_per_dps}
every_driver = pytest.mark.parametrize("name", sorted(SENSORS))


class DriverBench:
    """A chip on a bus, its driver, and the times of all samples that the chip has let into its FIFO."""

    def __init__(self, name, source=None, address=None, faults=(), **chip):
        self.clock = VirtualClock()
        self.runs = []
        self.address = address or SENSORS[name].addresses[0]
        self.source = source or counting_source(3 if name in ACC_ALONE else 6)
        self.chip = CHIPS[name](self.source, self.clock, on_samples=self.runs.append, **chip)
        self.bus = VirtualI2cBus({self.address: self.chip}, self.clock, faults=faults)
        self.imu = SENSORS[name](self.bus, self.clock, self.address)

    def started(self, config=CONFIG):
        self.imu.identify()
        self.imu.configure(config)
        self.imu.start()
        return self

    def wait_samples(self, count):
        self.clock.sleep_ns(round(count * self.chip.true_period_ns))

    def taken(self):
        """Times of the source that the chip has let into its FIFO."""
        self.chip.read(0x00, 1)
        return np.concatenate([run.times_ns for run in self.runs]) - self.chip.source_begun_ns

    def drain(self):
        """Times of the source that were drained, and the gap's reason; every sample must be genuine."""
        samples = self.imu.drain()
        times = self.source.times_of(samples.signals)
        assert (times >= 0).all()
        return times.tolist(), samples.gap and samples.gap.reason

    def goes_on(self):
        """Whether a few samples later the drain gives them, one after the other, and no gap."""
        self.wait_samples(3.5)
        times, gap = self.drain()
        taken = self.taken().tolist()
        return gap is None and len(times) >= 2 and times == taken[taken.index(times[0]) :][: len(times)]


def test_every_driver_has_its_simulated_chip():
    assert set(SENSORS) == set(CHIPS)


@every_driver
def test_found_and_identified_at_each_of_its_addresses(name):
    for address in SENSORS[name].addresses:
        bench = DriverBench(name, address=address)
        (found,) = probe(bench.bus)
        assert (found.address, found.driver) == (address, name)
        assert make_sensor("auto", bench.bus, bench.clock).identify() == found.chip == bench.imu.identify()


@every_driver
def test_another_chip_is_refused(name):
    bench = DriverBench(name)
    bench.chip.impersonate(0x5A)
    with pytest.raises(SensorError, match=r"found WHO_AM_I 0x5A \(an unknown chip\)"):
        bench.imu.identify()


@every_driver
@pytest.mark.parametrize("rate_hz", [12.5, 20, 25, 50, 64, 100, 200, 400])
def test_rate_is_the_stated_one_and_the_filter_wide_enough(name, rate_hz):
    bench = DriverBench(name)
    found = bench.imu.configure(ImuConfig(rate_hz, 8, 1000))
    assert found.rate_hz == pytest.approx(1e9 / bench.chip.period_ns, rel=1e-6)
    assert found.rate_hz >= rate_hz * 0.98
    # Of the ADXL345 it is always half the rate.
    assert found.bandwidth_hz <= found.rate_hz / 2


@every_driver
@pytest.mark.parametrize("acc_g", [2, 4, 8, 16])
@pytest.mark.parametrize("gyro_dps", [250, 500, 1000, 2000])
@pytest.mark.parametrize("rate_hz", [25, 100])
def test_samples_are_si_to_half_a_count_at_every_full_scale(name, acc_g, gyro_dps, rate_hz):
    signal = np.array([0.6, -0.7, 0.8, -0.35, 0.45, 0.55]) * ([acc_g * 9.80665] * 3 + [np.deg2rad(gyro_dps)] * 3)
    bench = DriverBench(name, ConstantSource(signal))
    found = bench.imu.configure(ImuConfig(rate_hz, acc_g, gyro_dps))
    bench.imu.start()
    assert found.channels == bench.imu.channels
    assert (found.acc_full_scale_g, found.gyro_full_scale_dps) == (acc_g, 0 if name in ACC_ALONE else gyro_dps)
    bench.wait_samples(5)
    samples = bench.imu.drain()
    assert samples.gap is None
    assert len(samples.signals) >= 3
    assert samples.signals.dtype == np.float32
    half_count = bench.imu.si_per_count(acc_g, gyro_dps) / 2
    assert (np.abs(samples.signals - signal[: len(half_count)]) <= half_count * 1.001).all()


@every_driver
def test_full_scale_beyond_the_chip(name):
    with pytest.raises(SensorError, match="found a largest full scale of 16 g, expected at least 32 g"):
        DriverBench(name).imu.configure(ImuConfig(50, 32, 1000))


@every_driver
@given(
    waits=st.lists(st.floats(0, 30), min_size=1, max_size=12),
    rate_error=st.floats(-0.08, 0.08),
    rate_hz=st.sampled_from([25, 50, 100]),
)
@settings(max_examples=25, deadline=None)
def test_no_sample_is_lost_or_doubled_at_any_schedule(name, waits, rate_error, rate_hz):
    bench = DriverBench(name, rate_error=rate_error).started(ImuConfig(rate_hz, 8, 1000))
    drained = []
    for samples in waits:
        bench.wait_samples(min(samples, bench.imu.capacity - 2))
        last_ns = bench.clock.now_ns()
        times, gap = bench.drain()
        assert gap is None
        drained += times
    taken = bench.taken() if bench.runs else np.zeros(0, np.int64)
    first = taken.tolist().index(drained[0]) if drained else 0
    # Of ST's chips the first datum is stale and dropped.
    assert first <= 1
    assert drained == taken[first : first + len(drained)].tolist()
    # What is not there yet came while the last drain was under way.
    left = taken[first + len(drained) if drained else 1 :]
    assert (left + (bench.chip.source_begun_ns or 0) > last_ns).all()


@every_driver
@pytest.mark.parametrize("samples", [1.5, 20, 10_000])
def test_overflow_is_a_gap_and_samples_go_on_after_it(name, samples):
    bench = DriverBench(name).started()
    bench.wait_samples(5)
    assert bench.drain()[1] is None
    bench.wait_samples(bench.imu.capacity + 8 + samples)
    assert bench.drain() == ([], "overflow")
    assert bench.goes_on()


@every_driver
def test_fifo_filled_to_its_capacity_is_drained_without_a_gap(name):
    bench = DriverBench(name).started()
    bench.wait_samples(bench.imu.capacity - 1)
    times, gap = bench.drain()
    assert gap is None
    assert len(times) >= bench.imu.capacity - 3


@every_driver
@pytest.mark.parametrize("consumed", [0, 1, 6, 7, 12, 14, 17, 80])
def test_broken_data_read_is_not_repeated_but_a_gap(name, consumed):
    bench = DriverBench(name)
    fault = BusFault(errno.EIO, register=bench.chip.fifo_register, after=1, consumed=consumed)
    bench.bus = VirtualI2cBus({bench.address: bench.chip}, bench.clock, faults=[fault])
    bench.imu = SENSORS[name](bench.bus, bench.clock, bench.address)
    bench.started()
    bench.wait_samples(min(30.5, bench.imu.capacity - 1.5))
    drained = bench.drain()
    if drained[1] is None:
        # All of it was read in the one transfer that passes.
        bench.wait_samples(15.5)
        drained = bench.drain()
    assert drained == ([], "read-error")
    assert bench.goes_on()


@every_driver
@given(fails_at=st.integers(0, 25), lasts=st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_no_failed_transfer_loses_a_sample_without_a_gap(name, fails_at, lasts):
    bench = DriverBench(name).started()
    bench.wait_samples(10)
    before, gap = bench.drain()
    assert gap is None
    calls = 0
    read, write = bench.bus.read, bench.bus.write

    def failing(transfer):
        def call(*arguments):
            nonlocal calls
            calls += 1
            if fails_at < calls <= fails_at + lasts:
                raise BusError("bus", found="x", expected="y", next_step="z", number=errno.EIO)
            return transfer(*arguments)

        return call

    bench.bus.read, bench.bus.write = failing(read), failing(write)
    bench.wait_samples(10.3)
    drained, gaps = list(before), 0
    for _ in range(20):
        bench.wait_samples(1)
        try:
            times, gap = bench.drain()
        except BusError:
            continue
        gaps += gap is not None
        drained += times
    taken = bench.taken().tolist()
    assert sorted(set(drained)) == drained
    assert set(drained) <= set(taken)
    begin = taken.index(drained[0])
    missed = [time for time in taken[begin:-3] if time not in drained]
    assert bool(missed) == bool(gaps)


@every_driver
@pytest.mark.parametrize("transfer", range(6))
def test_a_host_that_stalls_within_a_drain_loses_no_sample_without_a_gap(name, transfer):
    bench = DriverBench(name).started()
    bench.wait_samples(10)
    times, gap = bench.drain()
    assert gap is None
    last, lost, reads, read = times[-1], False, 0, bench.bus.read

    def stalling(*arguments):
        nonlocal reads
        reads += 1
        if reads == transfer + 1:
            bench.wait_samples(bench.imu.capacity + 20)
        return read(*arguments)

    bench.bus.read = stalling
    bench.wait_samples(10.3)
    for _ in range(3):
        times, gap = bench.drain()
        lost |= gap is not None
        if times:
            taken = bench.taken().tolist()
            following = taken[taken.index(times[0]) if lost else taken.index(last) + 1 :]
            assert times == following[: len(times)]
            last = times[-1]
        bench.wait_samples(3.3)
    assert lost


@every_driver
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_bit_flipped_in_any_held_register_is_noticed_by_the_next_drain(name, data):
    bench = DriverBench(name).started()
    bench.wait_samples(data.draw(st.floats(0, 20)))
    bench.drain()
    held = sorted(bench.imu.held_registers, key=lambda register: (register.bank, register.address))
    register = data.draw(st.sampled_from(held))
    bit = data.draw(st.integers(0, 7))
    # BOOT of ST's chips loads the trim values again and clears itself: no setting is lost, no sample wrong.
    assume((register.name, bit) not in (("CTRL3_C", 7), ("CTRL_REG5", 7)))
    bench.wait_samples(data.draw(st.floats(0, 20)))
    bench.chip.upset(register.bank << 8 | register.address, bit)
    bench.wait_samples(data.draw(st.floats(0, 20)))
    try:
        times, gap = bench.drain()
        # Where it made the FIFO overflow or lose its alignment, emptying the FIFO has put it right; a request of ST's
        # chips to reboot ends by itself and leaves the settings as they are.
        assert (times == [] and gap in ("overflow", "misaligned")) or (register.name, bit) == ("CTRL3_C", 7)
    except SettingsLostError:
        bench.imu.configure(CONFIG)
        bench.imu.start()
    assert bench.goes_on()


@every_driver
def test_every_bit_of_every_held_register(name):
    bench = DriverBench(name).started()
    for register in bench.imu.held_registers:
        for bit in range(8):
            bench.imu.configure(CONFIG)
            bench.imu.start()
            bench.wait_samples(2.5)
            bench.imu.drain()
            bench.chip.upset(register.bank << 8 | register.address, bit)
            with pytest.raises(SettingsLostError):
                bench.imu.drain()


@every_driver
@pytest.mark.parametrize("moment", range(32))
def test_brown_out_at_any_moment_of_a_drain_is_noticed_by_the_next(name, moment):
    bench = DriverBench(name).started()
    transfers = 0
    for kind in ("read", "write"):
        transfer = getattr(bench.bus, kind)

        def cut(*arguments, transfer=transfer):
            nonlocal transfers
            transfers += 1
            if transfers == moment + 1:
                bench.chip.power_cycle()
            return transfer(*arguments)

        setattr(bench.bus, kind, cut)

    with pytest.raises(SettingsLostError):  # noqa: PT012 - the drain in which it happens may be through already
        while transfers <= moment:
            bench.wait_samples(30.5)
            bench.drain()
        bench.wait_samples(5)
        bench.drain()
    bench.imu.configure(CONFIG)
    bench.imu.start()
    assert bench.goes_on()


class FlakyBus:
    """A bus that breaks the next read of FIFO data off after some bytes, or fails after some transfers."""

    def __init__(self, bus, chip):
        self.bus, self.chip, self.path = bus, chip, bus.path
        self.breaks_after = self.fails_after = None

    def _fail(self, number):
        raise BusError("bus", found="a fault", expected="none", next_step="go on", number=number)

    def _count(self):
        if self.fails_after is not None:
            self.fails_after -= 1
            if self.fails_after < 0:
                self._fail(errno.EREMOTEIO)

    def read(self, address, register, length):
        self._count()
        if self.breaks_after is not None and register == self.chip.fifo_register:
            self.chip.read(register, min(self.breaks_after, length))
            self._fail(errno.EIO)
        return self.bus.read(address, register, length)

    def write(self, address, register, data):
        self._count()
        self.bus.write(address, register, data)


class DrainMachine(RuleBasedStateMachine):
    """Whatever happens, what is drained is genuine and in order, and nothing is missing without a gap."""

    @initialize(name=st.sampled_from(sorted(SENSORS)), rate_error=st.floats(-0.08, 0.08))
    def power_up(self, name, rate_error):
        self.bench = DriverBench(name, rate_error=rate_error).started()
        self.bus = self.bench.imu.bus = FlakyBus(self.bench.bus, self.bench.chip)
        self.next, self.gap_reported = 0, True

    @rule(samples=st.one_of(st.floats(0, 30), st.floats(30, 800)))
    def wait(self, samples):
        self.bench.wait_samples(samples)

    @rule(consumed=st.integers(0, 240))
    def break_data(self, consumed):
        self.bus.breaks_after = consumed
        self.drain()
        self.bus.breaks_after = None

    @rule(transfers=st.integers(0, 16))
    def fail(self, transfers):
        self.bus.fails_after = transfers
        self.drain()
        self.bus.fails_after = None

    @rule()
    def lose_power(self):
        self.bench.chip.power_cycle()
        self.recover()

    @rule(data=st.data())
    def flip_a_bit(self, data):
        registers = sorted(self.bench.imu.held_registers, key=lambda register: (register.bank, register.address))
        register = data.draw(st.sampled_from(registers))
        self.bench.chip.upset(register.bank << 8 | register.address, data.draw(st.integers(0, 7)))
        self.recover()

    @rule()
    def start(self):
        self.bench.imu.start()
        self.gap_reported = True

    @rule()
    def recover(self):
        """Drain; what has lost its settings is set up anew."""
        self.bench.wait_samples(5)
        self.drain()

    @rule()
    def drain(self):
        try:
            times, gap = self.bench.drain()
        except BusError:
            return
        except SettingsLostError:
            self.bus.fails_after = self.bus.breaks_after = None
            self.bench.imu.configure(CONFIG)
            self.bench.imu.start()
            self.gap_reported = True
            return
        self.gap_reported = self.gap_reported or gap is not None
        if times:
            taken = self.bench.taken().tolist()
            first = taken.index(times[0])
            assert taken[first : first + len(times)] == times
            assert first >= self.next
            assert self.gap_reported or first == self.next
            self.next, self.gap_reported = first + len(times), False


DrainMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
TestDrainMachine = DrainMachine.TestCase


NO_THERMOMETER = {"adxl345", "lis3dh"}


@every_driver
@pytest.mark.parametrize("temperature_c", [-20.0, 25.0, 60.0])
def test_temperature(name, temperature_c):
    bench = DriverBench(name, temperature_c=temperature_c).started()
    bench.wait_samples(3)
    found = bench.imu.temperature_c()
    assert found == (None if name in NO_THERMOMETER else pytest.approx(temperature_c, abs=1 / 200))


@every_driver
def test_stop_ends_the_sampling(name):
    bench = DriverBench(name).started()
    bench.wait_samples(3)
    bench.imu.stop()
    taken = len(bench.taken())
    bench.clock.sleep_ns(1000 * MS)
    assert len(bench.taken()) == taken
