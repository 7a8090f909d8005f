"""What a simulated bus costs, so that benchmarks can leave it out."""

import time

from deseptr.device.bus import I2cBus


class TimedBus:
    """A bus that counts the processor time spent in it and in a simulation behind it.

    Args:
        bus: the bus.
    """

    def __init__(self, bus: I2cBus) -> None:
        self._bus = bus
        self.path = bus.path
        self.spent_ns = 0

    def read(self, address: int, register: int, length: int) -> bytes:
        begun = time.process_time_ns()
        try:
            return self._bus.read(address, register, length)
        finally:
            self.spent_ns += time.process_time_ns() - begun

    def write(self, address: int, register: int, data: bytes) -> None:
        begun = time.process_time_ns()
        try:
            self._bus.write(address, register, data)
        finally:
            self.spent_ns += time.process_time_ns() - begun

    def close(self) -> None:
        self._bus.close()
