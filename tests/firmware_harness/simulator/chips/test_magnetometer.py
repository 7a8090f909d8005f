"""The magnetometers: by themselves, in bypass mode and behind the I2C master; literal addresses of the datasheets."""

import struct

import pytest
from hypothesis import given, settings, strategies as st

from deseptr.device import BusError
from deseptr.firmware_harness.simulator import ConstantSource, SimulatedMpu6500, VirtualClock, VirtualI2cBus
from deseptr.firmware_harness.simulator.chips.icm20948 import SimulatedIcm20948
from deseptr.firmware_harness.simulator.chips.magnetometer import SimulatedAk09916, SimulatedAk8963

MS = 1_000_000
STILL = [0.0, 0.0, 9.8, 0.0, 0.0, 0.0]
FIELD_UT = (30.0, -60.0, 4.5)


class Ak09916:
    CHIP, CONTROL, STATUS_1, DATA, STATUS_2, SINGLE, HZ_100, STEP_UT = (
        SimulatedAk09916,
        0x31,
        0x10,
        0x11,
        0x18,
        1,
        8,
        0.15,
    )


class Ak8963:
    CHIP, CONTROL, STATUS_1, DATA, STATUS_2, SINGLE, HZ_100, STEP_UT = (
        SimulatedAk8963,
        0x0A,
        0x02,
        0x03,
        0x09,
        0x11,
        0x16,
        0.15,
    )


BOTH = pytest.mark.parametrize("kind", [Ak09916, Ak8963])


def make(kind, field_ut=FIELD_UT):
    clock = VirtualClock()
    return kind.CHIP(clock, field_ut), clock


def counts(data):
    return struct.unpack("<hhh", data)


def test_identity():
    assert SimulatedAk09916(VirtualClock()).read(0x00, 2) == b"\x48\x09"
    assert SimulatedAk8963(VirtualClock()).read(0x00, 1) == b"\x48"


@BOTH
def test_it_measures_nothing_before_it_is_told_to(kind):
    chip, clock = make(kind)
    clock.sleep_ns(1000 * MS)
    assert chip.read(kind.STATUS_1, 1) == b"\0"


@BOTH
def test_a_single_measurement_ends_in_power_down(kind):
    chip, clock = make(kind)
    chip.write(kind.CONTROL, bytes((kind.SINGLE,)))
    clock.sleep_ns(5 * MS)
    assert chip.read(kind.STATUS_1, 1) == b"\0"
    clock.sleep_ns(5 * MS)
    assert chip.read(kind.STATUS_1, 1) == b"\1"
    assert chip.read(kind.CONTROL, 1)[0] & 0x0F == 0
    clock.sleep_ns(100 * MS)
    assert chip.read(kind.STATUS_1, 1) == b"\1"
    assert chip.read(kind.STATUS_2, 1)[0] & 0x08 == 0
    assert chip.read(kind.STATUS_1, 1) == b"\0"


def test_counts_of_the_ak09916():
    chip, clock = make(Ak09916)
    chip.write(0x31, b"\1")
    clock.sleep_ns(10 * MS)
    assert counts(chip.read(0x11, 6)) == (200, -400, 30)


@pytest.mark.parametrize(("control", "step_ut", "bits"), [(0x11, 0.15, 0x10), (0x01, 0.6, 0x00)])
def test_counts_of_the_ak8963_are_adjusted_by_its_fuses(control, step_ut, bits):
    chip, clock = make(Ak8963)
    assert chip.read(0x10, 3) == bytes(3)
    chip.write(0x0A, b"\x0f")
    adjustment = [(value - 128) * 0.5 / 128 + 1 for value in chip.read(0x10, 3)]
    assert len(set(adjustment)) == 3
    chip.write(0x0A, bytes((control,)))
    clock.sleep_ns(10 * MS)
    *data, status_2 = chip.read(0x03, 7)
    measured = [count * step_ut * factor for count, factor in zip(counts(bytes(data)), adjustment, strict=True)]
    assert measured == pytest.approx(FIELD_UT, abs=step_ut)
    assert status_2 == bits


@BOTH
@pytest.mark.parametrize("register", ["DATA", "STATUS_2"])
def test_reading_data_or_status_2_clears_data_ready(kind, register):
    chip, clock = make(kind)
    chip.write(kind.CONTROL, bytes((kind.HZ_100,)))
    clock.sleep_ns(10 * MS)
    assert chip.read(kind.STATUS_1, 1) == b"\1"
    chip.read(getattr(kind, register), 1)
    assert chip.read(kind.STATUS_1, 1) == b"\0"


@BOTH
def test_a_measurement_that_nobody_read_is_an_overrun(kind):
    chip, clock = make(kind)
    chip.write(kind.CONTROL, bytes((kind.HZ_100,)))
    clock.sleep_ns(25 * MS)
    assert chip.read(kind.STATUS_1, 1) == b"\3"
    chip.read(kind.STATUS_2, 1)
    clock.sleep_ns(10 * MS)
    assert chip.read(kind.STATUS_1, 1) == b"\1"


@BOTH
def test_data_are_protected_until_status_2_is_read(kind):
    chip, clock = make(kind)
    chip.write(kind.CONTROL, bytes((kind.HZ_100,)))
    clock.sleep_ns(10 * MS)
    chip.read(kind.STATUS_2, 1)
    clock.sleep_ns(10 * MS)
    first = chip.read(kind.DATA, 6)
    chip._field_ut = chip._field_ut * 2
    clock.sleep_ns(10 * MS)
    assert chip.read(kind.DATA, 6) == first
    chip.read(kind.STATUS_2, 1)
    clock.sleep_ns(10 * MS)
    assert chip.read(kind.DATA, 6) != first


@BOTH
def test_a_field_beyond_the_range_is_said(kind):
    chip, clock = make(kind, (3000.0, -1500.0, 412.0))
    chip.write(kind.CONTROL, bytes((kind.SINGLE,)))
    clock.sleep_ns(10 * MS)
    assert chip.read(kind.STATUS_2, 1)[0] & 0x08


@pytest.mark.parametrize(("kind", "register"), [(Ak09916, 0x32), (Ak8963, 0x0B)])
def test_reset(kind, register):
    chip, clock = make(kind)
    chip.write(kind.CONTROL, bytes((kind.HZ_100,)))
    clock.sleep_ns(10 * MS)
    chip.write(register, b"\1")
    assert chip.read(register, 1) == b"\0"
    clock.sleep_ns(100 * MS)
    assert (chip.read(kind.CONTROL, 1), chip.read(kind.STATUS_1, 1)) == (b"\0", b"\0")


@pytest.mark.parametrize(
    ("kind", "register", "value"),
    [(Ak09916, 0x32, 0xFE), (Ak09916, 0x30, 0x01), (Ak8963, 0x0B, 0xFE), (Ak8963, 0x0F, 1)],
)
def test_nothing_but_the_reset_bit_of_its_register_resets(kind, register, value):
    chip, clock = make(kind)
    chip.write(kind.CONTROL, bytes((kind.HZ_100,)))
    chip.write(register, bytes((value,)))
    clock.sleep_ns(10 * MS)
    assert (chip.read(kind.CONTROL, 1)[0] & 0x0F, chip.read(kind.STATUS_1, 1)) == (kind.HZ_100 & 0x0F, b"\1")


def test_self_test_of_the_ak8963_is_the_only_bit_of_its_register():
    chip, _ = make(Ak8963)
    for written, held in ((0xFF, 0x40), (0xBF, 0x00)):
        chip.write(0x0C, bytes((written,)))
        assert chip.read(0x0C, 1)[0] == held


def test_a_transfer_goes_through_the_registers_in_the_chips_order():
    chip, _ = make(Ak09916)
    assert chip.read(0x18, 3)[1:] == b"\x48\x09"
    assert chip.read(0x00, 5) == b"\x48\x09\0\0" + chip.read(0x10, 1)
    chip, _ = make(Ak8963)
    assert chip.read(0x0C, 2)[1:] == b"\x48"


@BOTH
@given(st.data())
@settings(max_examples=30)
def test_data_ready_comes_at_its_times_whatever_is_done(kind, data):
    chip, clock = make(kind)
    chip.write(kind.CONTROL, bytes((kind.HZ_100,)))
    read_at = 0
    for _ in range(data.draw(st.integers(1, 20))):
        clock.sleep_ns(data.draw(st.integers(0, 30)) * MS // 2)
        now = clock.now_ns()
        measured = now // (10 * MS) - read_at // (10 * MS)
        assert chip.read(kind.STATUS_1, 1)[0] == (0, 1, 3)[min(2, measured)]
        if data.draw(st.booleans()):
            chip.read(kind.STATUS_2, 1)
            read_at = now


class Board:
    """A chip at 0x68 with its magnetometer behind it."""

    def __init__(self, chip):
        self.clock = VirtualClock()
        self.chip = chip(ConstantSource(STILL), self.clock)
        self.bus = VirtualI2cBus({0x68: self.chip}, self.clock)
        self.clock.sleep_ns(100 * MS)

    def write(self, register, *values):
        self.bus.write(0x68, register, bytes(values))

    def read(self, register, length=1):
        return self.bus.read(0x68, register, length)


class Icm(Board):
    """An ICM-20948, awake; registers by their numbers in bank 3."""

    USER_CTRL, INT_PIN_CFG, STATUS, EXTERNAL, IDENTITY, CONTROL, RATE, DATA = (
        0x03,
        0x0F,
        0x17,
        0x3B,
        b"\x48\x09",
        0x31,
        8,
        0x11,
    )

    def __init__(self):
        super().__init__(SimulatedIcm20948)
        self.write(0x06, 0x01)
        self.clock.sleep_ns(100 * MS)

    def slave(self, number, address, register, control, out=0):
        self.write(0x7F, 0x30)
        begin = (0x03, 0x07, 0x0B, 0x0F, 0x13)[number]
        self.write(begin + 2, 0)
        self.write(begin, address, register)
        self.write(begin + 3, out)
        self.write(begin + 2, control)
        self.write(0x7F, 0x00)

    def slave_4_input(self):
        self.write(0x7F, 0x30)
        value = self.read(0x17)
        self.write(0x7F, 0x00)
        return value


class Mpu(Board):
    """An MPU-9250, awake."""

    USER_CTRL, INT_PIN_CFG, STATUS, EXTERNAL, IDENTITY, CONTROL, RATE, DATA = (
        0x6A,
        0x37,
        0x36,
        0x49,
        b"\x48\x9a",
        0x0A,
        0x16,
        0x03,
    )

    def __init__(self):
        super().__init__(lambda source, clock: SimulatedMpu6500(source, clock, who_am_i=0x71))

    def slave(self, number, address, register, control, out=0):
        if number == 4:
            self.write(0x31, address, register, out, control)
            return
        # A slave that goes on writing would write the new byte to the old register.
        self.write(0x27 + 3 * number, 0)
        self.write(0x63 + number, out)
        self.write(0x25 + 3 * number, address, register, control)

    def slave_4_input(self):
        return self.read(0x35)


BOARDS = pytest.mark.parametrize("make_board", [Icm, Mpu])


@BOARDS
def test_in_bypass_mode_it_answers_on_the_hosts_bus_and_else_it_does_not(make_board):
    board = make_board()
    with pytest.raises(BusError):
        board.bus.read(0x0C, 0x00, 1)
    board.write(board.INT_PIN_CFG, 0x02)
    assert board.bus.read(0x0C, 0x00, 2) == board.IDENTITY
    board.write(board.USER_CTRL, 0x20)
    with pytest.raises(BusError):
        board.bus.read(0x0C, 0x00, 1)
    board.write(board.USER_CTRL, 0x00)
    with pytest.raises(BusError):
        board.bus.read(0x0D, 0x00, 1)


def test_an_mpu_6500_has_none():
    board = Board(SimulatedMpu6500)
    board.write(0x37, 0x02)
    with pytest.raises(BusError):
        board.bus.read(0x0C, 0x00, 1)


@BOARDS
def test_a_slave_reads_it_with_every_sample_into_the_chips_own_registers(make_board):
    board = make_board()
    board.slave(0, 0x0C, board.CONTROL, 0x81, board.RATE)
    board.write(board.USER_CTRL, 0x20)
    assert board.chip.magnetometer.read(board.CONTROL, 1)[0] == board.RATE
    board.slave(0, 0x8C, board.DATA - 1, 0x89)
    board.slave(1, 0x8C, 0x00, 0x82)
    board.clock.sleep_ns(50 * MS)
    external = board.read(board.EXTERNAL, 11)
    board.clock.sleep_ns(50 * MS)
    assert external[9:] == board.IDENTITY
    field = counts(external[1:7])
    assert field[0] > 0 > field[1]
    assert field[2] > field[0]
    board.chip.magnetometer._field_ut = -board.chip.magnetometer._field_ut
    board.clock.sleep_ns(50 * MS)
    board.read(board.EXTERNAL, 9)
    board.clock.sleep_ns(50 * MS)
    assert counts(board.read(board.EXTERNAL, 9)[1:7]) == pytest.approx([-count for count in field], abs=1)


@BOARDS
def test_without_the_master_nothing_is_read(make_board):
    board = make_board()
    board.slave(0, 0x8C, 0x00, 0x82)
    board.clock.sleep_ns(50 * MS)
    assert board.read(board.EXTERNAL, 2) == bytes(2)


@BOARDS
def test_slave_4_transfers_one_byte_and_says_that_it_is_done(make_board):
    board = make_board()
    board.write(board.USER_CTRL, 0x20)
    board.slave(4, 0x8C, 0x00, 0x80)
    board.clock.sleep_ns(5 * MS)
    assert board.read(board.STATUS) == b"\x40"
    assert board.read(board.STATUS) == b"\0"
    assert board.slave_4_input() == b"\x48"
    board.slave(4, 0x0C, board.CONTROL, 0x80, board.RATE)
    assert board.read(board.STATUS) == b"\x40"
    assert board.chip.magnetometer.read(board.CONTROL, 1)[0] == board.RATE


@BOARDS
def test_nobody_at_the_address_is_a_nack(make_board):
    board = make_board()
    board.write(board.USER_CTRL, 0x20)
    board.slave(4, 0x8D, 0x00, 0x80)
    assert board.read(board.STATUS) == b"\x50"
    board.slave(2, 0x8D, 0x00, 0x81)
    assert board.read(board.STATUS)[0] & 0x04


@BOARDS
@pytest.mark.parametrize(
    ("register", "control", "expected"),
    [(0x00, 0xC2, (1, 0)), (0x00, 0xC3, (1, 0, 2)), (0x01, 0xC3, (1, 3, 2)), (0x00, 0xD3, (0, 2, 1))],
)
def test_bytes_of_a_word_are_exchanged(make_board, register, control, expected):
    board = make_board()
    board.write(board.USER_CTRL, 0x20)
    board.slave(0, 0x8C, register, control)
    straight = board.chip.magnetometer.read(0x00, 4)
    assert board.read(board.EXTERNAL, len(expected)) == bytes(straight[place] for place in expected)


@BOARDS
def test_a_reset_leaves_the_magnetometer_as_it_is_and_a_loss_of_power_does_not(make_board):
    board = make_board()
    board.chip.magnetometer.write(board.CONTROL, bytes((board.RATE,)))
    board.write(0x06 if make_board is Icm else 0x6B, 0x80)
    board.clock.sleep_ns(100 * MS)
    assert board.chip.magnetometer.read(board.CONTROL, 1)[0] == board.RATE
    board.chip.power_cycle()
    assert board.chip.magnetometer.read(board.CONTROL, 1) == b"\0"
