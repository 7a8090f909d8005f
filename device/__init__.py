"""The wearable: bus, sensor drivers, windows, engines, the runtime and its profiler.

Importing it loads numpy but no engine and no bus library: these come with the first model and the first bus.
"""

from .board import BoardState, Throttled, read_board
from .bus import BusError, I2cBus, LinuxI2cBus, bus_error, bus_errors, bus_exists
from .clock import Clock, SystemClock
from .decide import Decision, decide, softmax
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
from .profiler import STAGES, Profiler, WindowTimes
from .recovery import RUNGS, RecoveringImu, Step, UnhealthyError
from .resampler import StreamResampler
from .ring import SampleRing
from .runtime import Runtime
from .sensors import SENSORS, Found, make_sensor, probe
from .session import Profile, Session, default_model, live_session, profile_model, run_live
from .sink import Sink
from .smoothing import UNKNOWN, DecisionConfig, LabelTracker, Verdict
from .stream import RateLock, SampleStream
from .timing import SampleClock
from .windows import Window, WindowAssembler

__all__ = [
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
    "predict",
    "probe",
    "profile_model",
    "read_board",
    "run_live",
    "softmax",
]
