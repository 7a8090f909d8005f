"""The wearable on the desk: simulated sensors on a virtual bus in virtual time, and recordings played through them."""

from .accounting import AccountingEngine, AccountingImu, SampleLedger
from .acted import act
from .at_rest import AtRest
from .bus_faults import BitFlipRead, BitFlipWrite, BrokenTransfer, BusFault, ClockStretch, Nack, StuckBus
from .bus_profiles import BCM2835, BCM2835_SLOW, BUS_PROFILES, I2C_TINY_USB, RP1, BusProfile, bus_profile
from .campaign import DEFAULT_MIX, draw_campaign, held_s
from .chip import Chip, ChipOptions, SampleRun, SimulatedChip, SimulatedDevice
from .chip_faults import BrownOut, Clone, Hang, Overflow, RateError, RegisterUpset
from .clock import PacedClock, VirtualClock
from .counting_source import CountingSource, counted_times
from .endurance import Endurance, Recovery, endure
from .fault_injector import FaultInjector, FaultLog, LoggedFault
from .fault_list import KINDS, fault_to_dict, faults_from, faults_to_toml
from .faults import Fault
from .icm20948 import SimulatedIcm20948
from .ina219 import SimulatedIna219
from .lsm6ds3trc import SimulatedLsm6ds3trc
from .lsm6dsox import SimulatedLsm6dsox
from .mpu6050 import SimulatedMpu6050
from .mpu6500 import SimulatedMpu6500
from .outcome import Bounds, Expected, Outcome
from .replay import (
    Replayed,
    ReplayedEvent,
    ReplayedWindow,
    replay,
    run_scenario,
    simulated_session,
    simulated_sessions,
    truth_of,
)
from .scenario import Scenario, load_scenario, scenario_from, scenario_names, scenario_text
from .source import ConstantSource, RecordingSource, SignalSource
from .source_spec import SourceSpec
from .synthetic_source import SineSource, WearerSource
from .virtual_bus import VirtualI2cBus

__all__ = [
    "BCM2835",
    "BCM2835_SLOW",
    "BUS_PROFILES",
    "DEFAULT_MIX",
    "I2C_TINY_USB",
    "KINDS",
    "RP1",
    "AccountingEngine",
    "AccountingImu",
    "AtRest",
    "BitFlipRead",
    "BitFlipWrite",
    "Bounds",
    "BrokenTransfer",
    "BrownOut",
    "BusFault",
    "BusProfile",
    "Chip",
    "ChipOptions",
    "ClockStretch",
    "Clone",
    "ConstantSource",
    "CountingSource",
    "Endurance",
    "Expected",
    "Fault",
    "FaultInjector",
    "FaultLog",
    "Hang",
    "LoggedFault",
    "Nack",
    "Outcome",
    "Overflow",
    "PacedClock",
    "RateError",
    "RecordingSource",
    "Recovery",
    "RegisterUpset",
    "Replayed",
    "ReplayedEvent",
    "ReplayedWindow",
    "SampleLedger",
    "SampleRun",
    "Scenario",
    "SignalSource",
    "SimulatedChip",
    "SimulatedDevice",
    "SimulatedIcm20948",
    "SimulatedIna219",
    "SimulatedLsm6ds3trc",
    "SimulatedLsm6dsox",
    "SimulatedMpu6050",
    "SimulatedMpu6500",
    "SineSource",
    "SourceSpec",
    "StuckBus",
    "VirtualClock",
    "VirtualI2cBus",
    "WearerSource",
    "act",
    "bus_profile",
    "counted_times",
    "draw_campaign",
    "endure",
    "fault_to_dict",
    "faults_from",
    "faults_to_toml",
    "held_s",
    "load_scenario",
    "replay",
    "run_scenario",
    "scenario_from",
    "scenario_names",
    "scenario_text",
    "simulated_session",
    "simulated_sessions",
    "truth_of",
]
