"""Interface of an inertial sensor, the same for every chip.

All drivers give their channels, which :class:`ImuSettings` names, in SI units and from the chip's own FIFO, so that the
chip's oscillator and not the host's scheduler spaces the samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import CHANNELS, STANDARD_GRAVITY as STANDARD_GRAVITY, ModelContract, sensors_of


@dataclass(frozen=True, slots=True)
class ImuConfig:
    """Requested settings of a sensor.

    Args:
        rate_hz: output data rate.
        acc_full_scale_g: smallest accelerometer full scale that will do, in g.
        gyro_full_scale_dps: smallest gyroscope full scale that will do, in degrees per second.
        mag_full_scale_ut: smallest magnetometer full scale that will do, in microtesla; None leaves a magnetometer off.
    """

    rate_hz: float
    acc_full_scale_g: float
    gyro_full_scale_dps: float
    mag_full_scale_ut: float | None = None

    @classmethod
    def from_contract(cls, contract: ModelContract) -> ImuConfig:
        """The settings that a model needs."""
        mag = (contract.mag_full_scale_ut or 0.0) if "mag" in sensors_of(contract.channels) else None
        return cls(contract.rate_hz, contract.acc_full_scale_g, contract.gyro_full_scale_dps, mag)


@dataclass(frozen=True, slots=True)
class ImuSettings:
    """Settings that a sensor took.

    Args:
        rate_hz: nominal output data rate.
        acc_full_scale_g: accelerometer full scale in g.
        gyro_full_scale_dps: gyroscope full scale in degrees per second; 0 without one.
        bandwidth_hz: -3 dB bandwidth of its low-pass filter, the lower of the two sensors'.
        channels: names of the channels of its samples.
        mag_full_scale_ut: magnetometer full scale in microtesla; None without one.
        acc_count: acceleration of one count in m/s^2; 0 if it is not known.
    """

    rate_hz: float
    acc_full_scale_g: float
    gyro_full_scale_dps: float
    bandwidth_hz: float
    channels: tuple[str, ...] = CHANNELS
    mag_full_scale_ut: float | None = None
    acc_count: float = 0.0


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples were lost.

    Args:
        reason: ``overflow`` (the FIFO was full or nearly), ``misaligned`` (its bytes were out of step), ``read-error``
            (a read of its data failed half-way), ``reset`` (the chip had forgotten its settings), ``silence`` (it gave
            no samples), or ``bus`` (it could not be reached).
        resumed_ns: when sampling went on, on the driver's clock.
    """

    reason: str
    resumed_ns: int


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples read from a FIFO.

    Args:
        signals: float32 ``[n, channel]`` in m/s^2, rad/s and microtesla, oldest first.
        gap: set when samples were lost before the first of ``signals``.
        at_ns: time of the level read that found these samples and no more, on the driver's clock.
    """

    signals: NDArray[np.float32]
    gap: Gap | None = None
    at_ns: int = field(kw_only=True)


class Imu(Protocol):
    """An inertial sensor with a FIFO. Every method raises ``SensorError`` when the chip or the bus fails."""

    @property
    def name(self) -> str:
        """Chip name, for messages."""
        ...

    @property
    def capacity(self) -> int:
        """Samples that the FIFO takes before any are lost."""
        ...

    @property
    def address(self) -> int:
        """Its 7-bit address on the bus."""
        ...

    def identify(self) -> str:
        """Check that the driver supports the chip; returns the chip's name."""
        ...

    def configure(self, config: ImuConfig) -> ImuSettings:
        """Reset and set up the chip, and read every register back; returns the settings that it took."""
        ...

    def start(self) -> None:
        """Empty the FIFO and let samples in."""
        ...

    def drain(self) -> Samples:
        """Take everything that the FIFO holds.

        It may be called again after any error: data is never read twice, and the next call that succeeds reports a gap.
        """
        ...

    def temperature_c(self) -> float | None:
        """The chip's own temperature in degrees Celsius; None if it cannot tell."""
        ...

    def stop(self) -> None:
        """Stop sampling and put the chip to sleep."""
        ...
