"""Targets of what comes over a wire: a chip's registers, a program's calls on a device node, a broker's packets."""

from __future__ import annotations

import json
import random
import socket
import struct
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import mutators
import numpy as np
from target import Target

# Transfers after which a chip is as honest as it was; enough to be found, set up, and read for a while.
LONGEST_ROUNDS = 12
ADDRESS = 0x68


def wires() -> Iterator[Target]:
    """All of them."""
    yield _chips()
    yield Target("registers of a power meter", _read_meter, (b'{"instead": []}',), _of_reads)
    yield _lengths()
    yield from _calls()
    yield _packets()


def _chips() -> Target:
    from deseptr.device import SENSORS

    # The number of a read, from the beginning, and what comes instead of its bytes.
    chips = [(name, None) for name in sorted(SENSORS)] + [("icm20948", 4900.0), ("mpu9250", 4900.0)]
    seeds = tuple(json.dumps({"chip": name, "field": field, "instead": []}).encode() for name, field in chips)
    return Target("registers of a chip", _read_chip, seeds, _of_reads)


def _of_reads(rng: random.Random, content: bytes) -> bytes:
    """Another few reads that are answered by other bytes: a level, a setting, an identity, samples."""
    asked = json.loads(content)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        kind, at = rng.choice(("zeros", "ones", "random", "flip", "error", "from here on")), rng.randrange(400)
        asked["instead"].append([at, kind, rng.randrange(1 << 30)])
    return json.dumps(asked).encode()


class _OddBus:
    """A bus whose reads are answered by other bytes than the chip's, as many as were asked for."""

    def __init__(self, bus: Any, instead: list[list[Any]]) -> None:
        self.path = bus.path
        self._bus = bus
        self._instead = {at: (kind, seed) for at, kind, seed in instead}
        self._always: tuple[str, int] | None = None
        self._reads = 0

    def write(self, address: int, register: int, data: bytes) -> None:
        self._bus.write(address, register, data)

    def read(self, address: int, register: int, length: int) -> bytes:
        answer: bytes = self._bus.read(address, register, length)
        kind, seed = self._instead.get(self._reads, self._always or ("", 0))
        self._reads += 1
        if kind == "from here on":
            self._always = kind, seed = "random", seed
        return _odd(answer, kind, random.Random(seed + self._reads))

    def close(self) -> None:
        self._bus.close()


def _odd(answer: bytes, kind: str, rng: random.Random) -> bytes:
    from deseptr.device.bus import bus_error

    if kind == "error":
        number = rng.choice((5, 6, 110, 121))
        raise bus_error("bus", ADDRESS, OSError(number, "no answer"))
    if kind == "flip" and answer:
        changed = bytearray(answer)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        return bytes(changed)
    return {"zeros": bytes(len(answer)), "ones": b"\xff" * len(answer), "random": rng.randbytes(len(answer))}.get(
        kind, answer
    )


def _read_chip(content: bytes) -> object:
    """Find, set up, test and read a chip, as a run does, through its recovery."""
    from deseptr.device import SENSORS, ImuConfig, make_sensor
    from deseptr.device.recovery import RecoveringImu
    from deseptr.firmware_harness.simulator import ConstantSource, VirtualClock, VirtualI2cBus
    from deseptr.firmware_harness.simulator.chips.registry import driver_name, make_chip

    asked = mutators.parsed(content)
    name = asked["chip"]
    clock = VirtualClock()
    chip = make_chip(name, ConstantSource([0, 0, 9.8, 0, 0, 0]), clock)
    bus = _OddBus(VirtualI2cBus({SENSORS[driver_name(name)].addresses[0]: chip}, clock), asked["instead"])
    imu, config = make_sensor("auto", bus, clock), ImuConfig(50, 8, 1000, mag_full_scale_ut=asked["field"])
    imu.identify()
    imu.configure(config)
    imu.self_test()
    recovering = RecoveringImu(imu, clock, patience_s=2.0)
    recovering.set_up(config)
    recovering.start()
    drained = []
    for _ in range(LONGEST_ROUNDS):
        clock.sleep_ns(100_000_000)
        samples = recovering.drain()
        assert np.isfinite(samples.signals).all()
        assert samples.signals.shape[1] == len(imu.channels)
        drained.append(len(samples.signals))
    return drained


def _read_meter(content: bytes) -> object:
    from deseptr.device.drivers.ina219 import Ina219
    from deseptr.firmware_harness.simulator import VirtualClock, VirtualI2cBus
    from deseptr.firmware_harness.simulator.chips.ina219 import SimulatedIna219

    clock = VirtualClock()
    bus = VirtualI2cBus({0x40: SimulatedIna219(lambda: (5.0, 0.5), clock)}, clock)
    meter = Ina219(_OddBus(bus, mutators.parsed(content)["instead"]), clock)
    meter.configure()
    watts = [meter.read().watts for _ in range(20)]
    assert np.isfinite(watts).all()
    return watts


def _lengths() -> Target:
    seeds = tuple(json.dumps([asked, asked]).encode() for asked in (1, 14, 1024))
    return Target("answers of smbus2", _read_wire, seeds, mutators.of_json)


def _read_wire(content: bytes) -> object:
    """A transfer in which another number of bytes comes than was asked for."""
    import smbus2

    from deseptr.device.bus import LinuxI2cBus

    lengths = mutators.parsed(content)
    fits = isinstance(lengths, list) and len(lengths) == 2 and all(type(each) is int for each in lengths)
    asked, given = lengths if fits else (6, 0)
    asked, given = asked % 4096, given % 65536

    class Wire:
        def i2c_rdwr(self, *messages: Any) -> None:
            messages[-1].len = given

    bus = LinuxI2cBus.__new__(LinuxI2cBus)
    bus.path = "/dev/i2c-1"
    bus._smbus2, bus._bus = smbus2, Wire()
    answer = bus.read(ADDRESS, 0, asked)
    assert len(answer) == asked
    return answer


# A program's memory, which a call's pointers point into, begins here.
MEMORY = 4096
CALL = struct.Struct("<IQ")


def _calls() -> Iterator[Target]:
    yield Target("calls on /dev/i2c-77", _call_node, _programs(), _of_call)
    setups = [
        struct.pack("<BBHHH", *parts)
        for parts in ((0x80, 6, 0x100, 0, 18), (0xC0, 1, 0, 0, 4), (0xC1, 5, 1, ADDRESS, 14), (0x41, 6, 0, ADDRESS, 1))
    ]
    seeds = tuple(setup + (b"\x75" if setup[0] == 0x41 else b"") for setup in setups)
    yield Target("requests to the USB adapter", _ask_adapter, seeds, mutators.of_bytes, (OSError,))


def _programs() -> tuple[bytes, ...]:
    """Ioctls of honest programs: number, argument, and the memory that it points into."""
    from deseptr.firmware_harness.simulator.front import i2c_dev

    messages = MEMORY + i2c_dev.RDWR.size
    bytes_at = messages + 2 * i2c_dev.MESSAGE.size
    read = i2c_dev.RDWR.pack(messages, 2)
    read += i2c_dev.MESSAGE.pack(ADDRESS, 0, 1, bytes_at) + i2c_dev.MESSAGE.pack(ADDRESS, 1, 14, bytes_at + 1)
    byte = i2c_dev.SMBUS.pack(1, 0x75, 2, MEMORY + i2c_dev.SMBUS.size)
    block = i2c_dev.SMBUS.pack(1, 0x3B, 8, MEMORY + i2c_dev.SMBUS.size) + b"\x0e"
    calls = (
        (i2c_dev.I2C_RDWR, MEMORY, read + b"\x3b" + bytes(14)),
        (i2c_dev.I2C_SMBUS, MEMORY, byte + bytes(34)),
        (i2c_dev.I2C_SMBUS, MEMORY, block + bytes(34)),
        (i2c_dev.I2C_FUNCS, MEMORY, bytes(8)),
        (i2c_dev.I2C_SLAVE, ADDRESS, b""),
    )
    return tuple(CALL.pack(request, argument) + memory for request, argument, memory in calls)


def _of_call(rng: random.Random, content: bytes) -> bytes:
    """A change of the memory mostly, else of the ioctl's number or argument."""
    head, memory = content[: CALL.size], content[CALL.size :]
    if rng.random() < 0.2 or not memory:
        request, argument = CALL.unpack(head)
        changed = rng.choice((request, rng.randrange(0x700, 0x722))), rng.choice((argument, rng.randrange(1 << 20)))
        return CALL.pack(*changed) + memory
    return head + mutators.of_bytes(rng, memory)


def _virtual_bus() -> Any:
    from deseptr.firmware_harness.simulator import ConstantSource, SimulatedMpu6050, VirtualClock, VirtualI2cBus

    clock = VirtualClock()
    return VirtualI2cBus({ADDRESS: SimulatedMpu6050(ConstantSource([0, 0, 9.8, 0, 0, 0]), clock)}, clock)


def _call_node(content: bytes) -> object:
    """An ioctl as the kernel carries it out: it fetches what each answer asks for out of the program's memory."""
    from deseptr.firmware_harness.simulator.front import cuse

    request, argument = CALL.unpack(content[: CALL.size].ljust(CALL.size, b"\0"))
    memory, device = content[CALL.size :], cuse.CuseDevice(_virtual_bus())
    opened = device.reply(cuse.IN_HEADER.pack(0, cuse.OPEN, 1, 0, 0, 0, 0, 0, 0))
    (handle,) = cuse.HANDLE.unpack_from(opened, cuse.OUT_HEADER.size)
    fetched = b""
    for _ in range(2 + 42):
        call = cuse.IOCTL_IN.pack(handle, 1, request, argument, len(fetched), 0) + fetched
        answer = device.reply(cuse.IN_HEADER.pack(0, cuse.IOCTL, 2, 0, 0, 0, 0, 0, 0) + call)
        length, number, _ = cuse.OUT_HEADER.unpack_from(answer)
        assert length == len(answer) <= cuse.REQUEST_BYTES
        assert number <= 0
        if number:
            return number
        _, flags, read, _ = cuse.IOCTL_OUT.unpack_from(answer, cuse.OUT_HEADER.size)
        if not flags & cuse.IOCTL_RETRY:
            return answer
        at = cuse.OUT_HEADER.size + cuse.IOCTL_OUT.size
        places = [cuse.IOVEC.unpack_from(answer, at + each * cuse.IOVEC.size) for each in range(read)]
        if any(not MEMORY <= begin <= begin + size <= MEMORY + len(memory) for begin, size in places):
            return "EFAULT"
        fetched = b"".join(memory[begin - MEMORY : begin - MEMORY + size] for begin, size in places)
    raise AssertionError("the kernel would be asked for memory for ever")


def _ask_adapter(content: bytes) -> object:
    from deseptr.firmware_harness.simulator.front.tiny_usb import SETUP, Setup, TinyUsb

    setup = Setup.unpack(content[: SETUP.size].ljust(SETUP.size, b"\0"))
    answer = TinyUsb(_virtual_bus()).control(setup, content[SETUP.size :])
    assert len(answer) <= setup.length
    return answer


def _packets() -> Target:
    ready, taken = b"\x20\x02\0\0", b"\x90\x03\0\1\1"
    acknowledged = b"".join(b"\x40\x02" + struct.pack(">H", mid) for mid in range(1, 9))
    topic = b"deseptr/wrist/alarm/fall/acknowledge"
    said = struct.pack(">H", len(topic)) + topic + b"acknowledge"
    asked = bytes((0x30, len(said))) + said
    twice = b"\0\7".join((said[: 2 + len(topic)], said[2 + len(topic) :]))
    seeds = (
        ready + taken + acknowledged + asked + b"\xd0\0",
        b"\x20\x02\0\5",
        ready + bytes((0x34, len(twice))) + twice + b"\x62\2\0\7",
    )
    return Target("packets of a broker", _hear_broker, seeds, mutators.of_bytes)


def _closed() -> socket.socket:
    """A connection to a broker that is gone again."""
    ours, theirs = socket.socketpair()
    theirs.close()
    return ours


def _hear_broker(content: bytes) -> object:
    """All that a broker sends after a client has connected: the client's thread goes on, and loses no message."""
    import paho.mqtt.client as paho

    from deseptr.device import Answers
    from deseptr.device.sinks.mqtt import MqttBroker, MqttSink
    from deseptr.device.sinks.mqtt_messages import MqttMessages
    from deseptr.device.sinks.spool import BEFORE_ALL, Spool
    from deseptr.device.sinks.spool_file import MqttMessage

    ours, theirs = socket.socketpair()
    # A refused version of the protocol has the client connect again.
    connections = [ours]
    warnings: list[str] = []

    class Listening(MqttSink):
        """Its thread is this one."""

        def _make_client(self, client_id: str, retry_s: int) -> paho.Client:
            client = super()._make_client(client_id, retry_s)
            client._create_socket = lambda: connections.pop() if connections else _closed()  # type: ignore[method-assign]
            client.loop_start = lambda: paho.MQTT_ERR_SUCCESS  # type: ignore[method-assign]
            return client

    messages = MqttMessages("wrist", ("sitting", "fall"), model="tiny", version="1", events=("fall",))
    with tempfile.TemporaryDirectory() as folder, ours, theirs:
        spool = Spool(Path(folder) / "spool", warnings.append)
        sink = Listening(
            MqttBroker("localhost"), "fuzz", messages, spool, warnings.append, drain_s=0, answers=Answers()
        )
        try:
            sink._worker.enqueue(lambda: sink._store([MqttMessage("a/b", b"kept")]))
            sink._client.reconnect()
            theirs.setblocking(False)
            with suppress(BlockingIOError):
                theirs.send(content)
            theirs.shutdown(socket.SHUT_WR)
            while sink._client.loop_read() == paho.MQTT_ERR_SUCCESS and sink._client.socket() is not None:
                pass
        finally:
            sink.close()
        assert all(warning.isprintable() and len(warning) < 1000 for warning in warnings), warnings
        return Spool(Path(folder) / "spool", warnings.append).after(BEFORE_ALL, 1)
