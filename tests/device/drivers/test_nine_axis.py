"""Chips with a magnetometer: nine channels in the accelerometer's frame, out of the FIFO of simulated chips."""

from __future__ import annotations

import errno
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from deseptr.contract import ALL_CHANNELS, CHANNELS, ModelContract, SensorError, units_of
from deseptr.device import SENSORS, BusError, ImuConfig, SettingsLostError, check_fit
from deseptr.device.drivers.magnetometer import Ak09916, Ak8963
from deseptr.device.recovery import RecoveringImu
from deseptr.firmware_harness.simulator import VirtualClock, VirtualI2cBus, counting_source
from deseptr.firmware_harness.simulator.chips.registry import driver_name, make_chip

MS = 1_000_000
FIELD = np.array([11.0, -22.0, 33.0])
NINE = ImuConfig(50, 8, 1000, 100.0)
CONTRACT = ModelContract(
    labels=("a", "b"),
    channels=ALL_CHANNELS,
    units=units_of(ALL_CHANNELS),
    input_range=(40.0,) * 3 + (10.0,) * 3 + (60.0,) * 3,
    mag_full_scale_ut=400.0,
)
both = pytest.mark.parametrize("name", ["icm20948", "mpu9250"])


class Source:
    """Samples that say their time, in a field that is given or that changes along z by a microtesla in 10 ms."""

    duration_ns = None

    def __init__(self, field=None):
        self.counting = counting_source(6)
        self.field = field

    def at(self, times_ns):
        return self.counting.at(times_ns)

    def field_at(self, times_ns):
        if self.field is not None:
            return np.tile(self.field, (len(times_ns), 1))
        ramp = times_ns / 10e6 % 1000
        return np.stack([0 * ramp + 5, 0 * ramp - 7, ramp + 20], 1)


class Bench:
    def __init__(self, name, field=None):
        self.clock, self.source = VirtualClock(), Source(field)
        self.chip = make_chip(name, self.source, self.clock)
        self.bus = VirtualI2cBus({0x68: self.chip}, self.clock)
        self.imu = SENSORS[driver_name(name)](self.bus, self.clock)

    def started(self, config=NINE):
        self.imu.identify()
        self.settings = self.imu.configure(config)
        self.imu.start()
        return self

    def drain(self, samples=10.0):
        self.clock.sleep_ns(round(samples * self.chip.true_period_ns))
        return self.imu.drain()


@both
def test_the_field_is_in_microtesla_along_the_axes_of_the_accelerometer(name):
    bench = Bench(name, FIELD).started()
    assert bench.settings.channels == bench.imu.channels == ALL_CHANNELS
    assert bench.settings.mag_full_scale_ut == 4912
    samples = bench.drain()
    assert (samples.gap, samples.signals.dtype, samples.signals.shape[1]) == (None, np.float32, 9)
    assert len(samples.signals) >= 9
    # Half a count of 0.15 uT, which the AK8963's fuses make up to 0.18.
    np.testing.assert_allclose(samples.signals[:, 6:], np.tile(FIELD, (len(samples.signals), 1)), atol=0.09)


@both
@pytest.mark.parametrize("rate_hz", [25, 50, 100, 400])
def test_a_sample_has_the_latest_measurement_which_is_at_most_10_ms_older(name, rate_hz):
    bench = Bench(name).started(replace(NINE, rate_hz=rate_hz))
    bench.drain(3)
    signals = np.concatenate([bench.drain(7).signals for _ in range(12)])
    taken_ms = bench.source.counting.times_of(signals[:, :6]) / MS
    age_ms = taken_ms - (signals[:, 8] - 20) * 10
    assert len(signals) > 50
    assert -2 < age_ms.min() <= age_ms.max() < 12
    if rate_hz == 400:
        assert (np.diff(signals[:, 8]) == 0).mean() > 0.6


@both
@given(
    waits=st.lists(st.floats(0, 18), min_size=1, max_size=10),
    rate_error=st.floats(-0.08, 0.08),
    rate_hz=st.sampled_from([25, 50, 100]),
)
@settings(max_examples=15, deadline=None)
def test_no_sample_is_lost_or_doubled_at_any_schedule(name, waits, rate_error, rate_hz):
    bench = Bench(name, FIELD)
    bench.chip.detune(rate_error)
    bench.started(replace(NINE, rate_hz=rate_hz))
    found = []
    for wait in waits:
        samples = bench.drain(wait)
        assert samples.gap is None
        found += bench.source.counting.times_of(samples.signals[:, :6]).tolist()
        np.testing.assert_allclose(samples.signals[:, 6:], np.tile(FIELD, (len(samples.signals), 1)), atol=0.09)
    assert all(time >= 0 for time in found)
    assert np.diff(found).tolist() == [bench.chip.true_period_ns] * (len(found) - 1)


@both
def test_an_overflow_of_the_fifo_is_a_gap_and_samples_go_on(name):
    bench = Bench(name, FIELD).started()
    assert bench.drain().gap is None
    assert bench.drain(bench.imu.capacity - 1).gap is None
    assert bench.drain(bench.imu.capacity + 8).gap.reason == "overflow"
    samples = bench.drain()
    assert samples.gap is None
    assert len(samples.signals) >= 8
    np.testing.assert_allclose(samples.signals[-1, 6:], FIELD, atol=0.09)


@both
def test_a_field_beyond_the_range_leaves_the_last_good_one(name):
    bench = Bench(name, FIELD).started()
    bench.drain()
    bench.source.field = np.array([4000.0, 2000.0, 100.0])
    np.testing.assert_allclose(bench.drain().signals[-1, 6:], FIELD, atol=0.09)
    bench.source.field = FIELD * 2
    bench.drain()
    np.testing.assert_allclose(bench.drain().signals[-1, 6:], FIELD * 2, atol=0.09)


@both
def test_a_magnetometer_that_lost_its_mode_is_noticed_and_recovered(name):
    bench = Bench(name, FIELD)
    imu = RecoveringImu(bench.imu, bench.clock)
    imu.set_up(NINE)
    imu.start()
    bench.clock.sleep_ns(200 * MS)
    assert imu.drain().gap is None
    bench.chip.magnetometer.power_up()
    causes, signals = [], []
    for _ in range(20):
        bench.clock.sleep_ns(200 * MS)
        signals.append(imu.drain().signals)
        causes += [step.cause for step in imu.take_steps()]
    assert any("found no new measurement in" in cause for cause in causes)
    np.testing.assert_allclose(signals[-1][:, 6:], np.tile(FIELD, (len(signals[-1]), 1)), atol=0.09)


@both
def test_without_a_wish_for_it_six_channels_are_read_and_it_sleeps(name):
    bench = Bench(name, FIELD).started()
    nine = bench.imu.capacity
    assert bench.chip.magnetometer._mode != 0
    bench.imu.stop()
    assert bench.chip.magnetometer._mode == 0
    bench.started(ImuConfig(50, 8, 1000))
    assert (bench.settings.channels, bench.settings.mag_full_scale_ut) == (CHANNELS, None)
    assert bench.imu.capacity > 1.5 * nine
    assert bench.drain().signals.shape[1] == 6
    with pytest.raises(BusError):
        bench.bus.read(0x0C, 0, 1)


@both
def test_one_that_does_not_answer_is_refused_with_what_to_do(name):
    bench = Bench(name)
    bench.chip._master._devices.clear()
    with pytest.raises(SensorError, match=r"found no answer at 0x0c, expected the magnetometer .* --channels acc,gyro"):
        bench.started()
    assert bench.started(ImuConfig(50, 8, 1000)).settings.channels == CHANNELS


@pytest.mark.parametrize("name", ["mpu6500", "mpu6050", "lsm6dsox"])
def test_a_chip_without_one_is_refused_with_both_lists(name):
    clock = VirtualClock()
    chip = make_chip(name, Source(), clock)
    imu = SENSORS[name](VirtualI2cBus({SENSORS[name].addresses[0]: chip}, clock), clock)
    taken = imu.configure(ImuConfig.from_contract(CONTRACT))
    with pytest.raises(
        SensorError, match=r"found channels acc_x .* gyro_z, expected acc_x .* gyro_z mag_x mag_y mag_z; "
    ):
        check_fit(name, taken, CONTRACT)


@both
def test_a_model_gets_what_it_asks_for_and_no_larger_field(name):
    bench = Bench(name).started(ImuConfig.from_contract(CONTRACT))
    check_fit(name, bench.settings, CONTRACT)
    with pytest.raises(SensorError, match=r"found ±4912 uT, expected at least ±9000 uT"):
        check_fit(name, bench.settings, replace(CONTRACT, mag_full_scale_ut=9000.0))
    with pytest.raises(
        SensorError, match="magnetometer: found a largest full scale of 4912 uT, expected at least 9000"
    ):
        bench.imu.configure(ImuConfig.from_contract(replace(CONTRACT, mag_full_scale_ut=9000.0)))


# Bank and register: the I2C master's clock, the slave's address, register and length, and what enables both.
SLAVE = {"mpu9250": (0x24, 0x25, 0x26, 0x27, 0x23, 0x6A), "icm20948": (0x301, 0x303, 0x304, 0x305, 0x066, 0x003)}


@pytest.mark.parametrize(("name", "register"), [(name, each) for name in SLAVE for each in SLAVE[name]])
def test_an_upset_register_of_the_slave_is_noticed_before_a_sample_is_handed_on(name, register):
    bench = Bench(name, FIELD)
    for bit in (0, 3, 5, 7):
        if not bench.chip.writable.get(register, 0) >> bit & 1:
            continue
        bench.started()
        assert bench.drain().gap is None
        bench.chip.upset(register, bit)
        with pytest.raises(SettingsLostError):
            bench.drain(0)


def test_the_fuses_adjust_each_axis_where_it_lies():
    bench = Bench("mpu9250", FIELD).started()
    x, y, z = ((each - 128) * 0.5 / 128 + 1 for each in (176, 178, 166))
    np.testing.assert_allclose(bench.imu._scale[6:], [0.15 * y, 0.15 * x, 0.15 * z], rtol=1e-6)


readings = st.lists(
    st.tuples(st.booleans(), st.integers(-32760, 32760), st.sampled_from(["good", "overflow", "other mode"])),
    max_size=12,
)


@given(st.lists(readings, max_size=4))
def test_what_failed_has_the_counts_of_the_reading_before(batches):
    magnetometer = Ak8963(None, None, "x")
    held, stale = 0, 0
    for batch in batches:
        status = {"good": 0x10, "overflow": 0x18, "other mode": 0x00}
        rows = [
            bytes((int(fresh),)) + np.array([value, 3, -4], "<i2").tobytes() + bytes((status[kind],))
            for fresh, value, kind in batch
        ]
        found = magnetometer.decode(np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 8))
        for (fresh, value, kind), row in zip(batch, found.tolist(), strict=True):
            held = value if kind == "good" else held
            stale = 0 if fresh else stale + 1
            assert row[1] == held
        assert magnetometer.stale == stale


@pytest.mark.parametrize(
    ("kind", "seen"), [(Ak8963, {"x": "y", "y": "x", "z": "-z"}), (Ak09916, {"x": "x", "y": "-y", "z": "-z"})]
)
def test_the_frame_of_the_accelerometer_is_reached_by_a_rotation(kind, seen):
    unit = dict(zip("xyz", np.eye(3), strict=True))
    turned = kind(None, None, "x")._in_frame(np.eye(3))
    assert np.linalg.det(turned) == pytest.approx(1)
    for own, along in seen.items():
        sign, axis = (-1, along[1]) if along[0] == "-" else (1, along)
        np.testing.assert_array_equal(kind(None, None, "x")._in_frame(unit[own]), sign * unit[axis])


@both
def test_every_bit_of_every_held_register_is_noticed(name):
    bench = Bench(name, FIELD).started()
    assert len(bench.imu.held_registers) > 15
    for register in bench.imu.held_registers:
        for bit in range(8):
            bench.started()
            bench.drain(2.5)
            bench.chip.upset(register.bank << 8 | register.address, bit)
            with pytest.raises(SettingsLostError):
                bench.imu.drain()


class NineAxisMachine(RuleBasedStateMachine):
    """Whatever happens, what is drained is genuine, in order and of the true field, and lacks nothing without a gap."""

    @initialize(name=st.sampled_from(["icm20948", "mpu9250"]), rate_error=st.floats(-0.08, 0.08))
    def power_up(self, name, rate_error):
        self.bench = Bench(name, FIELD)
        self.bench.chip.detune(rate_error)
        self.failing = 0
        for kind in ("read", "write"):
            setattr(self.bench.bus, kind, self._counted(getattr(self.bench.bus, kind)))
        self.bench.started()
        self.last = -1
        self.broken = True

    def _counted(self, transfer):
        def call(*arguments):
            if self.failing:
                self.failing -= 1
                if not self.failing:
                    raise BusError("bus", found="a fault", expected="none", next_step="go on", number=errno.EIO)
            return transfer(*arguments)

        return call

    @rule(samples=st.floats(0, 40))
    def wait(self, samples):
        self.bench.clock.sleep_ns(round(samples * self.bench.chip.true_period_ns))

    @rule(after=st.integers(1, 12))
    def a_transfer_will_fail(self, after):
        self.failing = after

    @rule()
    def brown_out(self):
        self.bench.chip.power_cycle()
        self.broken = True

    @rule()
    def the_magnetometer_forgets_its_mode(self):
        self.bench.chip.magnetometer.power_up()

    @rule(register=st.integers(0, 100), bit=st.integers(0, 7))
    def upset(self, register, bit):
        held = self.bench.imu.held_registers
        chosen = held[register % len(held)]
        self.bench.chip.upset(chosen.bank << 8 | chosen.address, bit)
        self.broken = True

    @rule()
    def drain(self):
        try:
            samples = self.bench.imu.drain()
        except BusError:
            self.broken = True
            return
        except SettingsLostError:
            self.failing = 0
            self.bench.started()
            self.broken = True
            return
        times = self.bench.source.counting.times_of(samples.signals[:, :6])
        assert (times >= 0).all()
        np.testing.assert_allclose(samples.signals[:, 6:], np.tile(FIELD, (len(times), 1)), atol=0.09)
        if len(times):
            assert times[0] > self.last
            assert (np.diff(times) > 0).all()
            if not self.broken and samples.gap is None:
                assert times[0] - self.last <= 1.2 * self.bench.chip.true_period_ns
            self.last, self.broken = times[-1], False
        self.broken = self.broken or samples.gap is not None


NineAxisMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestNineAxis = NineAxisMachine.TestCase
