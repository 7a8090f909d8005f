"""The wearable: bus, sensor drivers, windows, engines, the runtime and its profiler.

Importing it loads nothing: every name is imported when it is first used, engines with the first model and the bus
library with the first bus.
"""

from typing import TYPE_CHECKING

from deseptr.contract.lazy import lazy_attributes

if TYPE_CHECKING:
    from .attached import OpenBus, attached_bus, open_bus
    from .board import BoardState, Throttled, read_board
    from .bus import BusError, I2cBus, LinuxI2cBus, bus_error, bus_errors, bus_exists
    from .clock import Clock, SystemClock
    from .decision import Decision, decide, softmax
    from .engine import Engine, TfliteEngine, load_engine, predict
    from .events import Event, GapEvent, LabelEvent, RateEvent, RecoveryEvent, WindowEvent
    from .fifo_imu import FifoImu, FifoLevel, SettingsLostError
    from .fit import check_fit
    from .icm20948 import Icm20948
    from .imu import STANDARD_GRAVITY, Gap, Imu, ImuConfig, ImuSettings, Samples
    from .ina219 import Ina219
    from .lsm6ds3trc import Lsm6ds3trc
    from .lsm6dsox import Lsm6dsox
    from .machine import describe_machine
    from .mpu6050 import Mpu6050
    from .mpu6500 import Mpu6500
    from .notify import SystemdNotifier
    from .power import Power, PowerMeter
    from .profile.measure import Extra, Profile, profile_model
    from .profiler import STAGES, Profiler, WindowTimes
    from .recovery import RUNGS, RecoveringImu, Step, UnhealthyError
    from .resampler import StreamResampler
    from .ring import SampleRing
    from .runtime import Runtime
    from .sensors import AUTO, SENSORS, Found, make_sensor, probe
    from .session import Session, default_model, live_session, run_live
    from .sink import Sink
    from .smoothing import UNKNOWN, DecisionConfig, LabelTracker, Verdict
    from .stream import RateLock, SampleStream
    from .timing import SampleClock
    from .windows import Window, WindowAssembler

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "board": "BoardState Throttled read_board",
        "bus": "BusError I2cBus LinuxI2cBus bus_error bus_errors bus_exists",
        "clock": "Clock SystemClock",
        "decision": "Decision decide softmax",
        "engine": "Engine TfliteEngine load_engine predict",
        "events": "Event GapEvent LabelEvent RateEvent RecoveryEvent WindowEvent",
        "fifo_imu": "FifoImu FifoLevel SettingsLostError",
        "fit": "check_fit",
        "icm20948": "Icm20948",
        "imu": "STANDARD_GRAVITY Gap Imu ImuConfig ImuSettings Samples",
        "ina219": "Ina219",
        "lsm6ds3trc": "Lsm6ds3trc",
        "lsm6dsox": "Lsm6dsox",
        "machine": "describe_machine",
        "mpu6050": "Mpu6050",
        "mpu6500": "Mpu6500",
        "notify": "SystemdNotifier",
        "power": "Power PowerMeter",
        "profile.measure": "Extra Profile profile_model",
        "profiler": "STAGES Profiler WindowTimes",
        "recovery": "RUNGS RecoveringImu Step UnhealthyError",
        "resampler": "StreamResampler",
        "ring": "SampleRing",
        "runtime": "Runtime",
        "sensors": "AUTO SENSORS Found make_sensor probe",
        "session": "Session default_model live_session run_live",
        "sink": "Sink",
        "smoothing": "UNKNOWN DecisionConfig LabelTracker Verdict",
        "stream": "RateLock SampleStream",
        "timing": "SampleClock",
        "windows": "Window WindowAssembler",
        "attached": "OpenBus attached_bus open_bus",
    },
)

__all__ = [
    "AUTO",
    "RUNGS",
    "SENSORS",
    "STAGES",
    "STANDARD_GRAVITY",
    "UNKNOWN",
    "BoardState",
    "BusError",
    "Clock",
    "Decision",
    "DecisionConfig",
    "Engine",
    "Event",
    "Extra",
    "FifoImu",
    "FifoLevel",
    "Found",
    "Gap",
    "GapEvent",
    "I2cBus",
    "Icm20948",
    "Imu",
    "ImuConfig",
    "ImuSettings",
    "Ina219",
    "LabelEvent",
    "LabelTracker",
    "LinuxI2cBus",
    "Lsm6ds3trc",
    "Lsm6dsox",
    "Mpu6050",
    "Mpu6500",
    "OpenBus",
    "Power",
    "PowerMeter",
    "Profile",
    "Profiler",
    "RateEvent",
    "RateLock",
    "RecoveringImu",
    "RecoveryEvent",
    "Runtime",
    "SampleClock",
    "SampleRing",
    "SampleStream",
    "Samples",
    "Session",
    "SettingsLostError",
    "Sink",
    "Step",
    "StreamResampler",
    "SystemClock",
    "SystemdNotifier",
    "TfliteEngine",
    "Throttled",
    "UnhealthyError",
    "Verdict",
    "Window",
    "WindowAssembler",
    "WindowEvent",
    "WindowTimes",
    "attached_bus",
    "bus_error",
    "bus_errors",
    "bus_exists",
    "check_fit",
    "decide",
    "default_model",
    "describe_machine",
    "live_session",
    "load_engine",
    "make_sensor",
    "open_bus",
    "predict",
    "probe",
    "profile_model",
    "read_board",
    "run_live",
    "softmax",
]
