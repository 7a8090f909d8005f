"""The wearable on the desk: simulated sensors on a virtual bus in virtual time, and recordings played through them."""

from .acted import act
from .at_rest import AtRest
from .clock import PacedClock, VirtualClock
from .ina219 import SimulatedIna219
from .mpu6050 import SimulatedMpu6050
from .replay import (
    Replayed,
    ReplayedEvent,
    ReplayedWindow,
    replay,
    simulated_session,
    simulated_sessions,
    truth_of,
)
from .source import ConstantSource, RecordingSource, SignalSource
from .virtual_bus import BusFault, SimulatedDevice, VirtualI2cBus

__all__ = [
    "AtRest",
    "BusFault",
    "ConstantSource",
    "PacedClock",
    "RecordingSource",
    "Replayed",
    "ReplayedEvent",
    "ReplayedWindow",
    "SignalSource",
    "SimulatedDevice",
    "SimulatedIna219",
    "SimulatedMpu6050",
    "VirtualClock",
    "VirtualI2cBus",
    "act",
    "replay",
    "simulated_session",
    "simulated_sessions",
    "truth_of",
]
