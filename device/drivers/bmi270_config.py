"""The configuration file that Bosch wants written into a BMI270 after every reset: 8 KiB, which are not ours to ship.

It is looked for in the file that ``DESEPTR_BMI270_CONFIG`` names (``--bmi270-config`` of the commands), where Linux has
it for its own driver, and in the package ``bmi270`` of PyPI.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from deseptr.contract import SetupError, read_input

ENVIRONMENT = "DESEPTR_BMI270_CONFIG"
# The name under which the kernel's driver asks for it (drivers/iio/imu/bmi270).
FIRMWARE = Path("/lib/firmware/bmi270-init-data.fw")
SIZE = 8192
# It begins with a jump of the chip's processor.
BEGIN = b"\xc8\x2e"


def read_config(firmware: Path = FIRMWARE) -> bytes:
    """The configuration file's 8192 bytes.

    Args:
        firmware: where Linux has it.

    Raises:
        SetupError: if there is none, or the file is another one.
    """
    named = os.environ.get(ENVIRONMENT)
    if named:
        return _checked(Path(named))
    if firmware.is_file():
        return _checked(firmware)
    try:
        return bytes(import_module("bmi270.config_file").bmi270_config_file)
    except ImportError:
        raise SetupError(
            "BMI270",
            found="no configuration file",
            expected=f"the {SIZE} bytes that the chip must be given",
            next_step="`pip install bmi270`, which has them, or name a file with --bmi270-config",
        ) from None


def _checked(path: Path) -> bytes:
    try:
        content = read_input(path)
    except OSError as error:
        raise SetupError(
            path,
            found=error.strerror or error,
            expected="the BMI270's configuration file",
            next_step="name another file",
        ) from error
    if len(content) != SIZE or not content.startswith(BEGIN):
        raise SetupError(
            path,
            found=f"{len(content)} bytes that begin with {content[:2].hex() or 'nothing'}",
            expected=f"the BMI270's configuration file: {SIZE} bytes that begin with {BEGIN.hex()}",
            next_step="name the binary file, such as Linux's bmi270-init-data.fw",
        )
    return content
