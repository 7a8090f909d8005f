"""What a program can tell of an I2C controller: how it says that nobody answered, what it can do, what it refuses.

Not what a transfer costs on its wires: that is the bus's.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

# Bits of I2C_FUNCS (linux/i2c.h).
FUNC_I2C = 0x0000_0001
FUNC_SMBUS_PROC_CALL = 0x0080_0000
FUNC_SMBUS_WRITE_BLOCK_DATA = 0x0200_0000
# Quick, byte, byte data, word data, and blocks with a length of the host's choice.
FUNC_SMBUS_SIMPLE = 0x0C7F_0000


@dataclass(frozen=True, slots=True)
class Controller:
    """A controller and its driver in the Linux kernel.

    Args:
        name: of the driver or the hardware.
        nack_errno: what it reports where nobody acknowledges.
        functions: what it says that it can do, bits of ``I2C_FUNCS``.
        one_read_last: whether a transfer may have one read only, and at its end.
        max_transfer: most bytes of a message.
        too_long_errno: what it reports for a longer one.
    """

    name: str
    nack_errno: int
    functions: int
    one_read_last: bool = False
    max_transfer: int = 65535
    too_long_errno: int = errno.EOPNOTSUPP


# Functions leave out what no simulated chip has: checksums (PEC), addresses of ten bits, and blocks whose length the
# chip gives. The last is beyond bcm2835 too; DesignWare's driver offers it.
_EMULATED = FUNC_I2C | FUNC_SMBUS_SIMPLE | FUNC_SMBUS_PROC_CALL | FUNC_SMBUS_WRITE_BLOCK_DATA

# drivers/i2c/busses/i2c-bcm2835.c: "only one read message supported, has to be last"; S_ERR is EREMOTEIO.
BCM2835 = Controller("bcm2835", errno.EREMOTEIO, _EMULATED, one_read_last=True)
# The RP1 of a Raspberry Pi 5 has Synopsys' DesignWare. i2c-designware-common.c, i2c_dw_handle_tx_abort(): a missing
# acknowledge is EREMOTEIO there too; DW_IC_DEFAULT_FUNCTIONALITY has no process call.
RP1 = Controller("rp1", errno.EREMOTEIO, _EMULATED & ~FUNC_SMBUS_PROC_CALL)
# i2c-tiny-usb.c, usb_xfer(): STATUS_ADDRESS_NAK is ENXIO.
I2C_TINY_USB = Controller("i2c-tiny-usb", errno.ENXIO, _EMULATED)

CONTROLLERS = {controller.name: controller for controller in (BCM2835, RP1, I2C_TINY_USB)}
