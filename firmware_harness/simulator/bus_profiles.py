"""Differences between I2C controllers: reported errors, true clock, and limits.

Taken from the drivers in the Linux kernel, ``drivers/i2c/busses/i2c-bcm2835.c`` (as patched by Raspberry Pi),
``i2c-designware-*.c`` and ``i2c-tiny-usb.c``. A profile describes the controller alone, not a chip.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace

from deseptr.contract import SetupError

_PROC_CALL, _WRITE_BLOCK_DATA = 0x0080_0000, 0x0200_0000
# I2C; quick, byte, byte data, word data; blocks of the host's length. Functions that no simulated chip has are left
# out: checksums, ten-bit addresses, and blocks whose length the chip gives (bcm2835 lacks these too, DesignWare does
# not).
FUNCTIONS = 0x0C7F_0001 | _WRITE_BLOCK_DATA | _PROC_CALL


@dataclass(frozen=True, slots=True)
class BusProfile:
    """A controller as a program sees it.

    Args:
        name: its name.
        clock_hz: configured bus clock.
        real_share: true bus clock, as a share of the configured one.
        nack_errno: error without an acknowledge.
        stuck_errno: error on a bus whose lines are held low.
        timeout_ns: time until it reports that error.
        stretch_ns: longest time for which a chip may hold the clock low.
        stretch_errno: error when a chip holds it longer.
        max_transfer: largest number of bytes of a message.
        too_long_errno: error for a longer message.
        reads_last: whether a read must be the last message of a transfer.
        message_ns: duration of each message besides its time on the wires.
        functions: its functions, bits of ``I2C_FUNCS`` (linux/i2c.h).
    """

    name: str
    clock_hz: int = 400_000
    real_share: float = 1.0
    nack_errno: int = errno.EREMOTEIO
    stuck_errno: int = errno.ETIMEDOUT
    timeout_ns: int = 1_000_000_000
    stretch_ns: int = 1_000_000_000
    stretch_errno: int = errno.ETIMEDOUT
    max_transfer: int = 8192
    too_long_errno: int = errno.EINVAL
    reads_last: bool = False
    message_ns: int = 0
    functions: int = FUNCTIONS

    def at(self, clock_hz: int) -> BusProfile:
        """The same controller with another clock configured."""
        return replace(self, clock_hz=clock_hz)

    def wire_ns(self, count: int) -> int:
        """Time of ``count`` bytes: nine bits each, and two for start and stop or repeated start."""
        return int((9 * count + 2) * 1_000_000_000 // (self.clock_hz * self.real_share))


# i2c-dev takes at most 8192 bytes per message; by default an adapter's timeout is one second (i2c core).
# The clock-stretch timeout is the driver's parameter clk_tout_ms, 35 ms; beyond it bcm2835 reports EIO.
BCM2835 = BusProfile("bcm2835", stretch_ns=35_000_000, stretch_errno=errno.EIO, reads_last=True)
# A board whose firmware keeps the core clock at 250 MHz while the kernel assumes 400 MHz.
BCM2835_SLOW = replace(BCM2835, name="bcm2835-slow", real_share=5 / 8)
# The RP1 of a Raspberry Pi 5 has Synopsys' DesignWare controller: NACK is EREMOTEIO there too, and
# there is no process call.
RP1 = BusProfile("rp1", functions=FUNCTIONS & ~_PROC_CALL)
# A bit-banging USB adapter: with the driver's delay of 10 us for 100 kHz it reaches about half of that; its firmware
# counts bytes in eight bits, and each message takes two USB control transfers, each in at least one frame.
I2C_TINY_USB = BusProfile(
    "i2c-tiny-usb",
    clock_hz=100_000,
    real_share=0.5,
    nack_errno=errno.ENXIO,
    stuck_errno=errno.EIO,
    timeout_ns=2_000_000_000,
    stretch_errno=errno.EIO,
    max_transfer=255,
    too_long_errno=errno.EIO,
    message_ns=2_000_000,
)

BUS_PROFILES = {profile.name: profile for profile in (BCM2835, BCM2835_SLOW, RP1, I2C_TINY_USB)}


def bus_profile(name: str) -> BusProfile:
    """The profile called ``name``.

    Raises:
        SetupError: if there is none.

    >>> bus_profile("bcm2835").reads_last
    True
    """
    if name not in BUS_PROFILES:
        raise SetupError(
            "bus profile", found=name, expected=f"one of {', '.join(BUS_PROFILES)}", next_step="choose one of these"
        )
    return BUS_PROFILES[name]
